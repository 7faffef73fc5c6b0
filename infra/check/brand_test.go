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

	"marketplace/shared/brand"
)

// checkBrand looks for the product's name in what functions and shared packages say to people. It comes from the
// configuration: {{brand.Product}} in a page, brand.Brand.Product in code. Comments may name the product, tests too.
func checkBrand(files map[string]string) (problems []string) {
	for name, text := range files {
		said := strings.HasPrefix(name, "functions/") || strings.HasPrefix(name, "shared/")
		if !said || strings.HasPrefix(name, "shared/brand/") || strings.Contains(name, "/testdata/") {
			continue
		}
		switch {
		case strings.HasSuffix(name, "_test.go"):
		case path.Ext(name) == ".go":
			problems = append(problems, namedInCode(name, text)...)
		case strings.Contains(name, "/template"):
			for i, line := range strings.Split(text, "\n") {
				if strings.Contains(line, brand.DefaultProduct) {
					problems = append(problems, fmt.Sprintf("%s:%d names the product: use the brand", name, i+1))
				}
			}
		}
	}
	return problems
}

// namedInCode finds the strings of a Go file that name the product.
func namedInCode(name, text string) (problems []string) {
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, name, text, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err != nil || strings.Contains(s, brand.DefaultProduct) {
				at := positions.Position(lit.Pos())
				problems = append(problems, fmt.Sprintf("%s names the product: use the brand", at))
			}
		}
		return true
	})
	return problems
}

func TestProductIsNamedByTheBrandAlone(t *testing.T) {
	report(t, checkBrand(tracked(t)))
}

func TestNamedProductIsFound(t *testing.T) {
	for name, text := range map[string]string{
		"functions/x/site/templates/a.html":  "<p>\nSonarQube 6.7</p>",
		"shared/mail/letter/template/a.txt":  "SonarQube",
		"functions/x/site/a.go":              "package site\n\nconst a = \"In SonarQube, open …\"",
		"shared/x/a.go":                      "package x\n\nvar a = `SonarQube`",
		"functions/x/site/templates/b/c.txt": "Your SonarQube",
	} {
		if problems := checkBrand(map[string]string{name: text}); len(problems) != 1 {
			t.Errorf("%s: got %q, want one problem", name, problems)
		}
	}
	for name, text := range map[string]string{
		"functions/x/site/a.go":             "package site\n\n// SonarQube reads it.\nconst a = \"b\"",
		"functions/x/site/a_test.go":        "package site\n\nconst a = \"SonarQube\"",
		"infra/docs/mail.md":                "SonarQube",
		"functions/x/site/testdata/a.txt":   "SonarQube",
		"functions/x/site/templates/a.html": "{{brand.Product}}",
	} {
		if problems := checkBrand(map[string]string{name: text}); len(problems) != 0 {
			t.Errorf("%s: got %q, want none", name, problems)
		}
	}
}
