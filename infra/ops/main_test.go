package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

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
	m, err := catalog.Read(os.DirFS(ts.MkAbs(args[0])))
	ts.Check(err)
	c, err := m.Catalog(catalog.Options{SiteURL: "https://site.example.com", Build: "1"})
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[1]), 0o755))
	ts.Check(samplejar.Write(ts.MkAbs(args[1]), c.Jars()))
}
