package check

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var moduleLine = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`) // one of go.mod without "// indirect"

// directModules returns the modules that go.mod requires directly: those of programs, and the test dependencies.
func directModules(gomod string) (ofPrograms, ofTests []string) {
	before, rest, _ := strings.Cut(gomod, "\n// Test dependencies.\nrequire (\n")
	block, after, _ := strings.Cut(rest, "\n)\n")
	for _, m := range moduleLine.FindAllStringSubmatch(before+"\n"+after, -1) {
		ofPrograms = append(ofPrograms, m[1])
	}
	for _, m := range moduleLine.FindAllStringSubmatch(block+"\n", -1) {
		ofTests = append(ofTests, m[1])
	}
	return ofPrograms, ofTests
}

// forTests reports whether a Go file is for tests only: a test, or in a package of test helpers such as
// shared/web/webtest, of the benchmark or of these checks.
func forTests(name string) bool {
	helper := func(folder string) bool { return strings.HasSuffix(folder, "test") }
	return strings.HasSuffix(name, "_test.go") || within(name, "infra/bench", "infra/check") ||
		slices.ContainsFunc(strings.Split(path.Dir(name), "/"), helper)
}

// checkModules: programs import no test dependency, and a module that only tests import is one.
func checkModules(gomod string, files map[string]string) (problems []string) {
	ofPrograms, ofTests := directModules(gomod)
	imported := map[string]string{} // a program's file by the module that it imports
	for name, text := range files {
		if path.Ext(name) != ".go" || forTests(name) || strings.Contains(name, "/testdata/") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		for _, spec := range f.Imports {
			importPath, _ := strconv.Unquote(spec.Path.Value)
			for _, module := range slices.Concat(ofPrograms, ofTests) {
				if within(importPath, module) {
					imported[module] = name
				}
			}
		}
	}
	for _, module := range ofTests {
		if name := imported[module]; name != "" {
			problems = append(problems, fmt.Sprintf("%s imports %s, a test dependency in go.mod", name, module))
		}
	}
	for _, module := range ofPrograms {
		if imported[module] == "" {
			problems = append(problems, "go.mod: "+module+" belongs to the test dependencies")
		}
	}
	return problems
}

func TestTestDependenciesAreSeparate(t *testing.T) {
	report(t, checkModules(read(t, "go.mod"), tracked(t)))
}

func TestModuleCheckFinds(t *testing.T) {
	const gomod = `module m

require (
	example.com/a v1.0.0
	example.com/b/v2 v2.0.0
	example.com/unused v1.0.0
)

// Test dependencies.
require (
	example.com/rapid v1.0.0
	example.com/query v1.0.0
)

require (
	example.com/far v1.0.0 // indirect
)
`
	file := func(imports ...string) string {
		return "package p\nimport (\"" + strings.Join(imports, "\"\n\"") + "\")\n"
	}
	finds(t, checkModules(gomod, map[string]string{
		"shared/a.go":               file("example.com/a", "example.com/b/v2/c"),
		"shared/b.go":               file("fmt", "example.com/rapid/gen"),
		"shared/b_test.go":          file("example.com/unused"),
		"shared/web/webtest/c/c.go": file("example.com/query"),
		"infra/bench/main.go":       file("example.com/query"),
	}), "shared/b.go imports example.com/rapid", "go.mod: example.com/unused belongs to the test dependencies")
}
