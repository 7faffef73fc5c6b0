// Package stack reads template.yaml and holds the rules that the deployed stack keeps: functions over a parsed template
// that return findings, each with the name of its rule. infra/check runs them over the tree, and over copies with a
// fault each. What the rules prove and what only an account can prove is in infra/docs/gate.md.
package stack

import (
	"fmt"
	"slices"
	"strings"
)

// Finding is a violation of a rule.
type Finding struct {
	Rule  string // its name
	Where string // a resource, a parameter, a file
	Text  string
}

func (f Finding) String() string { return f.Rule + ": " + f.Where + ": " + f.Text }

// Input is what the rules read.
type Input struct {
	Template Template
	Edge     Template // infra/edge.yaml
	Makefile string
	Mains    map[string]string // the text of each function's main.go, by its folder
	Page     string            // infra/docs/stack.md
	// Fields lists the exported fields of a struct type of a package, by the package's path from the root (FieldsOf).
	Fields func(folder, kind string) []string
}

// rules are all rules by name.
var rules = []struct {
	name  string
	check func(*checker)
}{
	{"function", checkFunctions},
	{"size", checkSizes},
	{"environment", checkEnvironment},
	{"secret", checkSecrets},
	{"schedule", checkSchedules},
	{"role", checkRoles},
	{"resource policy", checkResourcePolicies},
	{"key", checkKeys},
	{"table", checkTable},
	{"bucket", checkBuckets},
	{"log", checkLogs},
	{"api", checkAPI},
	{"throttle", checkThrottles},
	{"source", checkSources},
	{"queue", checkQueues},
	{"mail", checkMail},
	{"reference", checkReferences},
	{"parameter", checkParameters},
	{"output", checkOutputs},
	{"build", checkMakefile},
	{"wiring", checkWiring},
	{"condition", checkConditions},
	{"assertion", checkRules},
	{"distribution", checkDistributions},
	{"fixed", checkFixed},
	{"watched", checkWatched},
	{"type", checkTypes},
	{"edge", checkEdge},
}

// Names lists the names of the rules.
func Names() (names []string) {
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}

// Check returns the findings of all rules.
func Check(in Input) []Finding {
	c := &checker{Input: in}
	for _, r := range rules {
		c.rule = r.name
		r.check(c)
	}
	return c.findings
}

// checker collects the findings of a rule.
type checker struct {
	Input
	rule     string
	findings []Finding
}

func (c *checker) add(where, text string, args ...any) {
	c.findings = append(c.findings, Finding{c.rule, where, fmt.Sprintf(text, args...)})
}

// want adds a finding unless it is ok.
func (c *checker) want(ok bool, where, text string, args ...any) {
	if !ok {
		c.add(where, text, args...)
	}
}

// is adds a finding unless the member of an object is written like this; "missing" is none.
func (c *checker) is(where string, object any, key string, want ...string) {
	if got := Text(At(object, key)); !slices.Contains(want, got) {
		c.add(where, "%s is %s, want %s", key, got, strings.Join(want, " or "))
	}
}

// only adds a finding for each member of an object that no rule looks at.
func (c *checker) only(where string, object any, known ...string) {
	for _, key := range Keys(object) {
		if !slices.Contains(known, key) {
			c.add(where, "no rule says what %s has to be: add one to infra/stack", key)
		}
	}
}

// rows compares a table of the page with what there is, both ways.
func (c *checker) rows(heading string, got []string) {
	documented := tableUnder(c.Page, heading)
	for _, row := range got {
		c.want(slices.Contains(documented, row), heading, "stack.md has no row | %s |", row)
	}
	for _, row := range documented {
		c.want(slices.Contains(got, row), heading, "stack.md says | %s |, which is not so", row)
	}
}

// tableUnder returns the rows of the first table below a heading without its head, each with its cells as they are.
func tableUnder(page, heading string) (rows []string) {
	_, section, _ := strings.Cut(page, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, line := range strings.Split(section, "\n") {
		if !strings.HasPrefix(line, "|") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	return rows[min(2, len(rows)):]
}
