package check

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"marketplace/infra/stack"
	"marketplace/shared/config"
)

// mistake is one change that an engineer could make by mistake. It replaces the first old after at, which is a
// resource, parameter or output of the template, or a file: its path from the root.
type mistake struct{ kind, at, old, new string }

// seeded are all faults.
var seeded = slices.Concat(functionFaults, environmentFaults, apiFaults, scheduleFaults, roleFaults, policyFaults,
	sourceFaults, queueFaults, mailFaults, alarmFaults, storageFaults, keyFaults, parameterFaults, outputFaults,
	buildFaults, wiringFaults, backupFaults, conditionFaults, edgeFaults, signInFaults,
	edgeStackFaults, watchFaults, otherFaults, accountFaults)

// leastCaught is the share of the seeded faults that a finding has to name.
const leastCaught = 0.95

// seed returns the deployment with a fault in it.
func (d deployed) seed(f mistake) (deployed, error) {
	change := func(text, after string) (string, error) {
		i := strings.Index("\n"+text, after)
		if i < 0 {
			i = strings.Index("\n"+text, strings.Replace(after, "  ", "", 1)) // Globals
		}
		if i < 0 || !strings.Contains(text[i:], f.old) {
			return "", fmt.Errorf("%s has no %q any more", f.at, f.old)
		}
		return text[:i] + strings.Replace(text[i:], f.old, f.new, 1), nil
	}
	var err error
	folder, isMain := strings.CutSuffix(strings.TrimPrefix(f.at, "functions/"), "/main.go")
	switch {
	case f.at == "Makefile":
		d.makefile, err = change(d.makefile, "")
	case isMain:
		d.mains = maps.Clone(d.mains)
		d.mains[folder], err = change(d.mains[folder], "")
	case f.at == "infra/edge.yaml":
		d.edge, err = change(d.edge, "")
	case f.at == "":
		d.text, err = change(d.text, "")
	default:
		d.text, err = change(d.text, "\n  "+f.at+":")
	}
	return d, err
}

// elsewhere is where else a finding names a fault: what all functions share, and the page.
var elsewhere = map[string]string{"Globals": "Function: ", "Api": "Throttles", "Conditions": "Conditions",
	"ConsoleSigning": "ConsoleFunction", "BridgeSigning": "BridgeFunction", "infra/edge.yaml": "edge: "}

// named are the findings that say where the fault is.
func (f mistake) named(findings []string) (found []string) {
	for _, finding := range findings {
		also := elsewhere[f.at]
		if strings.Contains(finding, f.at) || also != "" && strings.Contains(finding, also) ||
			strings.HasPrefix(finding, "yaml: ") {
			found = append(found, finding)
		}
	}
	return found
}

// TestSeededFaultsAreNamed puts every fault into a copy of the deployment, and counts those that no finding names.
func TestSeededFaultsAreNamed(t *testing.T) {
	d := deployment(t)
	if found := d.findings(); len(found) > 0 {
		t.Fatalf("without a fault, got the findings %q", found)
	}
	total, caught := map[string]int{}, map[string]int{}
	var missed []string
	count := func(kind, name string, found []string) {
		total[kind]++
		if len(found) == 0 {
			missed = append(missed, kind+": "+name)
			return
		}
		caught[kind]++
	}
	for _, f := range seeded {
		faulty, err := d.seed(f)
		if err != nil {
			t.Error(err)
			continue
		}
		count(f.kind, fmt.Sprintf("%s: %q → %q", f.at, f.old, f.new), f.named(faulty.findings()))
	}
	for name, change := range configFaults {
		was := slices.Clone(config.Variables)
		change()
		count("config", name, d.findings())
		config.Variables = was
	}
	for name, program := range artefactFaults(t) {
		var found []string
		for _, f := range stack.CheckArtefact("bootstrap", program) {
			found = append(found, f.String())
		}
		count("artefact", name, found)
	}

	var all, named int
	for _, kind := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%-12s %3d of %3d faults are named", kind, caught[kind], total[kind])
		all, named = all+total[kind], named+caught[kind]
	}
	fmt.Printf("seeded faults: %d of %d are named by a finding\n", named, all)
	for _, m := range missed {
		t.Logf("missed: %s", m)
	}
	if all < 120 || float64(named) < leastCaught*float64(all) {
		t.Errorf("got %d of %d seeded faults named, want 95 %% of at least 120", named, all)
	}
}

// configFaults change shared/config for as long as one run of the checks.
var configFaults = map[string]func(){
	"TABLE_NAME renamed":         func() { variable("TABLE_NAME").Name = "TABLE" },
	"SITE_URL with a default":    func() { variable("SITE_URL").Default = "https://example.com" },
	"SES_ENDPOINT removed":       func() { remove("SES_ENDPOINT") },
	"EXTRA_REMINDERS removed":    func() { remove("EXTRA_REMINDERS") },
	"MAIL_FROM described anew":   func() { variable("MAIL_FROM").Doc = "Who sends." },
	"PACKAGES_BUCKET misspelled": func() { variable("PACKAGES_BUCKET").Name = "PACKAGE_BUCKET" },
}

func variable(name string) *config.Variable {
	for i := range config.Variables {
		if config.Variables[i].Name == name {
			return &config.Variables[i]
		}
	}
	return &config.Variable{}
}

func remove(name string) {
	config.Variables = slices.DeleteFunc(slices.Clone(config.Variables), func(v config.Variable) bool {
		return v.Name == name
	})
}

// artefactFaults are programs that Lambda could not run, or not well. The small program is built for this machine.
func artefactFaults(t *testing.T) map[string][]byte {
	t.Helper()
	folder := t.TempDir()
	source := filepath.Join(folder, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	build := func(os_, arch string, flags ...string) []byte {
		out := filepath.Join(folder, os_+arch)
		cmd := exec.Command("go", slices.Concat([]string{"build", "-o", out, "-trimpath"}, flags, []string{source})...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+os_, "GOARCH="+arch, "GOWORK=off", "GOFLAGS=")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		program, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return program
	}
	good := build("linux", "arm64", "-ldflags=-s -w -buildid=")
	for _, f := range stack.CheckArtefact("bootstrap", good) {
		t.Errorf("of a good program: %s", f)
	}
	x86 := bytes.Clone(good)
	copy(x86[18:], []byte{62, 0}) // e_machine
	return map[string][]byte{
		"for x86_64":     x86,
		"with symbols":   build("linux", "arm64"),
		"cut off":        good[:60],
		"a shell script": []byte("#!/bin/sh\nexec ./server\n"),
		"position independent": func() []byte {
			pie := bytes.Clone(good)
			pie[16] = 3 // e_type
			return pie
		}(),
	}
}
