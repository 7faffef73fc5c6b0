package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"marketplace/catalog"
	"marketplace/catalog/samplejar"
)

// TestMain lets scripts and tests run this binary as the command ops.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ops": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":      exits,
			"samplejars": sampleJars,
		},
	})
}

// exits runs ops and wants a certain status: "exits 2 publish -bogus".
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits <status> [arguments of ops]")
	}
	got := 0
	if err := ts.Exec("ops", args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("ops: %v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
}

// sampleJars makes the jars that metadata asks for: "samplejars <metadata> <folder>".
func sampleJars(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(writeSampleJars(ts.MkAbs(args[0]), ts.MkAbs(args[1])))
}

func writeSampleJars(metadata, folder string) error {
	m, err := catalog.Read(os.DirFS(metadata), time.Now())
	if err != nil {
		return err
	}
	c, err := m.Catalog(catalog.Options{SiteURL: "https://site.example.com", Build: "1"})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return samplejar.Write(folder, c.Jars())
}

// documentedCommands returns the arguments of every command of operations.md that runs the tool.
func documentedCommands(t *testing.T) (commands [][]string) {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		if args, ok := strings.CutPrefix(line, "go run ./infra/ops "); ok {
			commands = append(commands, strings.Fields(args))
		}
	}
	return commands
}

func TestDocumentedCommandsRun(t *testing.T) {
	commands := documentedCommands(t)
	if len(commands) < 3 {
		t.Fatalf("operations.md runs the tool with %q only", commands)
	}
	t.Chdir("../..")
	t.Setenv("DATA", t.TempDir())
	jars := t.TempDir()
	if err := writeSampleJars("catalog/data", jars); err != nil {
		t.Fatal(err)
	}
	for _, args := range commands {
		// A preview needs a bucket, so its other flags are tried by publishing to a folder.
		args = slices.DeleteFunc(args, func(arg string) bool { return arg == "-preview" })
		for i := 1; i < len(args); i++ {
			switch args[i-1] {
			case "-to": // no bucket is here
				args[i-1], args[i] = "-out", t.TempDir()+"/out"
			case "-out":
				args[i] = t.TempDir() + "/out"
			case "-jars":
				args[i] = jars
			case "-previous":
				args[i] = "catalog/builtin/bundle.bin"
			}
		}
		var stdout, stderr strings.Builder
		if args[0] == "redrive" {
			continue // redrive.txt tries its flags
		}
		if args[0] == "rollback" {
			if _, err := parseDestination(args[len(args)-1]); err != nil {
				t.Error(err)
			}
			continue
		}
		if args[0] == "smoke" { // no site is here: its flags are tried
			args = slices.Insert(args, 1, "-timeout", "1ns")
			if run(args, &stdout, &stderr) != 1 || !strings.Contains(stdout.String(), "the time limit of 1ns") {
				t.Errorf("ops %s:\n%s%s", strings.Join(args, " "), &stdout, &stderr)
			}
			continue
		}
		if status := run(args, &stdout, &stderr); status != 0 || stdout.Len() == 0 {
			t.Errorf("ops %s: status %d\n%s%s", strings.Join(args, " "), status, &stdout, &stderr)
		}
	}
}

var (
	toolCommand = regexp.MustCompile("go run \\./infra/ops ([a-z-]+)([^\\n`|]*)")
	toolFlag    = regexp.MustCompile(`(?:^| )-([a-z][a-z-]*)`)
)

// checkToolCommands: each command of the tool that a page has exists, with its flags.
func checkToolCommands(name, text string) (problems []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	for _, m := range toolCommand.FindAllStringSubmatch(text, -1) {
		var help, stderr strings.Builder
		if status := run([]string{m[1], "-h"}, &help, &stderr); status != 0 {
			problems = append(problems, fmt.Sprintf("%s: there is no command ops %s", name, m[1]))
			continue
		}
		for _, f := range toolFlag.FindAllStringSubmatch(m[2], -1) {
			if !regexp.MustCompile(`(^|[\s\[])-` + f[1] + `\b`).MatchString(help.String()) {
				problems = append(problems, fmt.Sprintf("%s: ops %s has no flag -%s", name, m[1], f[1]))
			}
		}
	}
	return problems
}

func TestPagesNameCommandsOfTheTool(t *testing.T) {
	commands := 0
	for _, pattern := range []string{"../runbooks/*.md", "../docs/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: got %v, %v", pattern, names, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			commands += len(toolCommand.FindAllString(string(text), -1))
			for _, problem := range checkToolCommands(name, string(text)) {
				t.Error(problem)
			}
		}
	}
	t.Logf("%d commands", commands)
	const page = "go run ./infra/ops cake\ngo run ./infra/ops restore -from x \\\n  -quick"
	if got := checkToolCommands("page", page); len(got) != 2 {
		t.Errorf("got %q, want that neither the command cake nor the flag -quick exists", got)
	}
}
