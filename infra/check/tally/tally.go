package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output and build-fail
	Test        string
	Elapsed     float64 // seconds
	Output      string
	FailedBuild string // the ImportPath whose build failed
}

// tally sums up the events of one or more packages.
type tally struct {
	out      io.Writer
	accepted *regexp.Regexp // matches the reasons for which a test may skip

	passed  int
	failed  []string            // packages' and tests' names
	skipped map[string][]string // names by reason

	packages map[string]*pkg
	builds   map[string]string // compiler output, by ImportPath
}

// pkg is a package whose tests are running.
type pkg struct {
	tests  map[string]*test
	output []line
}

type test struct {
	action string // "" until it ends
	parent bool   // it has subtests
}

type line struct{ test, text string }

func newTally(out io.Writer, accepted *regexp.Regexp) *tally {
	return &tally{
		out: out, accepted: accepted,
		skipped: map[string][]string{}, packages: map[string]*pkg{}, builds: map[string]string{},
	}
}

// read counts events until the end of input. It prints a line that is not an event unchanged.
func (t *tally) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		text, err := lines.ReadString('\n')
		var e event
		switch {
		case text == "":
		case json.Unmarshal([]byte(text), &e) != nil:
			fmt.Fprint(t.out, text)
		default:
			t.count(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tally) count(e event) {
	if e.Package == "" {
		t.builds[e.ImportPath] += e.Output
		return
	}
	p := t.packages[e.Package]
	if p == nil {
		p = &pkg{tests: map[string]*test{}}
		t.packages[e.Package] = p
	}
	switch {
	case e.Action == "output":
		p.output = append(p.output, line{e.Test, e.Output})
	case e.Test != "":
		p.count(e)
	case e.Action == "pass" || e.Action == "fail" || e.Action == "skip":
		t.end(e, p)
		delete(t.packages, e.Package)
	}
}

func (p *pkg) count(e event) {
	if p.tests[e.Test] == nil {
		p.tests[e.Test] = &test{}
		if i := strings.LastIndexByte(e.Test, '/'); i > 0 && p.tests[e.Test[:i]] != nil {
			p.tests[e.Test[:i]].parent = true
		}
	}
	switch e.Action {
	case "pass", "fail", "skip":
		p.tests[e.Test].action = e.Action
	}
}

// end counts the tests of a package, e being its last event.
func (t *tally) end(e event, p *pkg) {
	passed, failed, skipped := 0, 0, 0
	for _, name := range slices.Sorted(maps.Keys(p.tests)) {
		full := e.Package + " " + name
		switch test := p.tests[name]; {
		case test.action == "skip":
			if reason := p.reason(name); t.accepted.MatchString(reason) {
				t.skipped[reason] = append(t.skipped[reason], full)
				skipped++
			} else {
				t.failed = append(t.failed, full+" (skipped: "+reason+")")
				failed++
			}
		case test.action == "pass" && !test.parent:
			passed++
		case test.action != "pass" && !p.subtestFailed(name):
			t.failed = append(t.failed, full)
			failed++
		}
	}
	if e.Action == "fail" && failed == 0 {
		t.failed = append(t.failed, e.Package)
		failed++
	}
	t.passed += passed
	switch {
	case e.Action == "fail" || failed > 0:
		fmt.Fprintf(t.out, "FAIL  %s\n%s", e.Package, t.builds[e.FailedBuild])
		p.printFailures(t.out)
	case len(p.tests) == 0:
	case skipped > 0:
		fmt.Fprintf(t.out, "ok    %s  %d passed, %d skipped  %.1f s\n", e.Package, passed, skipped, e.Elapsed)
	default:
		fmt.Fprintf(t.out, "ok    %s  %d passed  %.1f s\n", e.Package, passed, e.Elapsed)
	}
}

// subtestFailed reports whether a subtest failed, so that its parent is not counted as well.
func (p *pkg) subtestFailed(name string) bool {
	for other, test := range p.tests {
		if strings.HasPrefix(other, name+"/") && test.action != "pass" && test.action != "skip" {
			return true
		}
	}
	return false
}

// printFailures prints the output of tests that failed or did not end, and of the package itself.
func (p *pkg) printFailures(out io.Writer) {
	for _, l := range p.output {
		if test := p.tests[l.test]; test != nil && (test.action == "pass" || test.action == "skip") {
			continue
		}
		if !isFrame(l.text) {
			fmt.Fprint(out, "      ", strings.TrimSuffix(l.text, "\n"), "\n")
		}
	}
}

// isFrame reports whether a line of output is from the testing package and not from a test.
func isFrame(text string) bool {
	return strings.HasPrefix(text, "=== ") || text == "PASS\n" || text == "FAIL\n"
}

var position = regexp.MustCompile(`^[\w.-]+\.go:\d+: `)

// reason returns the output of a skipped test, without positions.
func (p *pkg) reason(name string) string {
	var said []string
	for _, l := range p.output {
		text := strings.TrimSpace(l.text)
		if l.test != name || isFrame(l.text) || strings.HasPrefix(text, "--- ") {
			continue
		}
		said = append(said, position.ReplaceAllString(text, ""))
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}

// close prints the summary.
func (t *tally) close() {
	for _, name := range slices.Sorted(maps.Keys(t.packages)) {
		t.failed = append(t.failed, name+" (did not end)")
	}
	skipped := 0
	for _, reason := range slices.Sorted(maps.Keys(t.skipped)) {
		fmt.Fprintf(t.out, "\nSkipped: %s\n", reason)
		for _, name := range t.skipped[reason] {
			fmt.Fprintln(t.out, "     ", name)
		}
		skipped += len(t.skipped[reason])
	}
	if len(t.failed) > 0 {
		fmt.Fprintln(t.out, "\nFailed:")
		for _, name := range t.failed {
			fmt.Fprintln(t.out, "     ", name)
		}
	}
	fmt.Fprintf(t.out, "\n%d passed, %d failed, %d skipped\n", t.passed, len(t.failed), skipped)
}
