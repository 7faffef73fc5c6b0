// Command artefact checks built functions: each bootstrap in FOLDER/<function>/ is a program that Lambda runs, and in
// each further folder it is the same, byte by byte.
//
//	artefact FOLDER [FOLDER...]
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"marketplace/infra/stack"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

// run returns the exit status.
func run(folders []string, out io.Writer) int {
	if len(folders) == 0 {
		fmt.Fprintln(out, "usage: artefact FOLDER [FOLDER...]")
		return 2
	}
	programs, _ := filepath.Glob(filepath.Join(folders[0], "*Function", "bootstrap"))
	status := 0
	fail := func(text string, args ...any) {
		fmt.Fprintf(out, text+"\n", args...)
		status = 1
	}
	if len(programs) == 0 {
		fail("%s has no functions: run make build", folders[0])
	}
	for _, name := range programs {
		function := filepath.Base(filepath.Dir(name))
		program, err := os.ReadFile(name)
		if err != nil {
			fail("%v", err)
			continue
		}
		for _, f := range stack.CheckArtefact(function, program) {
			fail("%s", f)
		}
		for _, folder := range folders[1:] {
			other, err := os.ReadFile(filepath.Join(folder, function, "bootstrap"))
			if err != nil || !bytes.Equal(program, other) {
				fail("%s: the build in %s is another: %v", function, folder, err)
			}
		}
	}
	if status == 0 {
		fmt.Fprintf(out, "%d functions are for Lambda on arm64, and the same in %d builds\n", len(programs),
			len(folders))
	}
	return status
}
