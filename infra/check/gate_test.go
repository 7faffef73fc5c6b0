package check

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"marketplace/catalog/data"
	"marketplace/infra/stack"
	"marketplace/shared/config"
)

// stackInput is what the rules of infra/stack read of this deployment.
func (d deployed) stackInput(tpl, edge template) stack.Input {
	return stack.Input{
		Template: stack.Template{Root: tpl.root}, Edge: stack.Template{Root: edge.root},
		Makefile: d.makefile, Mains: d.mains, Page: d.page,
		Fields: fields,
	}
}

// fields lists the exported fields of a struct type of a package, read once.
func fields(folder, kind string) []string {
	fieldsRead.Lock()
	defer fieldsRead.Unlock()
	key := folder + "." + kind
	if _, ok := fieldsRead.known[key]; !ok {
		var files []string
		names, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*.go"))
		for _, name := range names {
			if text, err := os.ReadFile(name); err == nil && !strings.HasSuffix(name, "_test.go") {
				files = append(files, string(text))
			}
		}
		fieldsRead.known[key] = stack.FieldsOf(files, kind)
	}
	return fieldsRead.known[key]
}

var fieldsRead = struct {
	sync.Mutex
	known map[string][]string
}{known: map[string][]string{}}

// findings are those of all checks of the deployment, each beginning with the name of its rule.
func (d deployed) findings() (found []string) {
	tpl, err := parseTemplate(d.text)
	if err != nil {
		return []string{"yaml: " + err.Error()}
	}
	edge, err := parseTemplate(d.edge)
	if err != nil {
		return []string{"yaml: infra/edge.yaml: " + err.Error()}
	}
	for _, f := range stack.Check(d.stackInput(tpl, edge)) {
		found = append(found, f.String())
	}
	for _, problem := range d.check(tpl) {
		found = append(found, "code: "+problem)
	}
	for _, problem := range slices.Concat(checkAWSAlarms(tpl, edge, d.operations), checkLimits(tpl)) {
		found = append(found, "limits and alarms: "+problem)
	}
	for _, problem := range checkSchedules(tpl, schedules) {
		found = append(found, "jobs: "+problem)
	}
	for _, problem := range slices.Concat(checkMailEvents(tpl), checkDashboard(tpl, d.code)) {
		found = append(found, "mail events: "+problem)
	}
	for _, problem := range checkOperations(d.operations, d.makefile, config.Variables) {
		found = append(found, "operations: "+problem)
	}
	if !strings.Contains(d.makefile, "\nBUILD ?= "+data.Build+"\n") {
		found = append(found, "build: Makefile: its BUILD is not that of the sample metadata, "+data.Build)
	}
	return found
}

func TestStackKeepsItsRules(t *testing.T) {
	report(t, deployment(t).findings())
}

const gateFile = "infra/docs/gate.md"

// TestGatePageListsRulesAndSteps compares the tables of gate.md with the rules and with the steps of CI.
func TestGatePageListsRulesAndSteps(t *testing.T) {
	page := read(t, gateFile)
	var rules, stages, steps []string
	for _, row := range tableUnder(page, "What the rules hold") {
		rules = append(rules, regexp.MustCompile("`[a-z ]+`").FindAllString(row[0], -1)...)
	}
	var real []string
	for _, name := range stack.Names() {
		real = append(real, "`"+name+"`")
	}
	report(t, differ(gateFile, "the rule", rules, real))

	for _, row := range tableUnder(page, "Stages") {
		stages = append(stages, row[0]+" "+strings.Trim(row[1], "`"))
	}
	stage := "first"
	for _, line := range strings.Split(read(t, ".ci/run"), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) < 2:
		case words[0] == "stage" && words[1] == "first":
			stage = "rest"
		case words[0] == "step" && words[1] != "install":
			steps = append(steps, stage+" "+words[1])
		}
	}
	report(t, differ(gateFile, "the step", stages, steps))
}
