package check

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
	"testing"
)

// checkSource: only mains and infra read the clock (architecture.md, "Clock and IDs"), a function's main only wires
// packages, and no package has an init function.
func checkSource(files map[string]string) (problems []string) {
	for name, text := range files {
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/") {
			continue
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, name, text, 0)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		main := strings.HasPrefix(name, "functions/") && strings.Count(name, "/") == 2
		clock := localName(f, "time")
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					problems = append(problems, name+" has an init function")
				}
				if lines := files.Position(n.End()).Line - files.Position(n.Pos()).Line; main && lines > 40 {
					problems = append(problems, fmt.Sprintf("%s: %s has %d lines: a main only wires packages", name,
						n.Name.Name, lines))
				}
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				reads := n.Sel.Name == "Now" || n.Sel.Name == "Since" || n.Sel.Name == "Until"
				if ok && clock != "" && x.Name == clock && reads && !main && !strings.HasPrefix(name, "infra/") {
					problems = append(problems, fmt.Sprintf("%s reads the clock: time.%s", name, n.Sel.Name))
				}
			}
			return true
		})
	}
	return problems
}

// localName returns the name under which a file imports a package, or "".
func localName(f *ast.File, importPath string) string {
	for _, spec := range f.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

func TestOnlyMainsReadTheClock(t *testing.T) { report(t, checkSource(tracked(t))) }

func TestSourceCheckFinds(t *testing.T) {
	const clock = "package x\nimport \"time\"\nvar at = time.Now\n"
	finds(t, checkSource(map[string]string{
		"shared/store/store.go":      clock,
		"shared/store/store_test.go": clock,
		"shared/mail/mail.go": "package mail\nimport t \"time\"\nfunc age(a t.Time) t.Duration { return " +
			"t.Since(a) }\n",
		"functions/requests/main.go":   clock,
		"functions/requests/site/x.go": clock,
		"infra/local/main.go":          clock,
		"functions/mailer/main.go":     "package main\nfunc main() {" + strings.Repeat("\n", 41) + "}\n",
		"shared/web/web.go":            "package web\nfunc init() {}\n",
		"shared/table/table.go": "package table\ntype time struct{ Now int }\nfunc f(t time) int { return " +
			"t.Now }\n",
		"shared/table/testdata/no.go":   "not Go",
		"shared/license/testdata/x.txt": "time.Now",
	}),
		"shared/store/store.go reads the clock: time.Now", "shared/mail/mail.go reads the clock: time.Since",
		"functions/requests/site/x.go reads the clock", "shared/web/web.go has an init function",
		"functions/mailer/main.go: main has 41 lines")
}
