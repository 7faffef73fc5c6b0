package check

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// lastColumn is where a line of Go or Markdown ends at the latest; a tab counts four columns.
const lastColumn = 120

var webAddress = regexp.MustCompile(`\S*://\S+`)

// checkLines finds lines of Go and Markdown that are too long. Test data (files of testdata, rows of test tables),
// multi-line string literals, Markdown tables and lines that only a URL makes too long are exempt.
func checkLines(files map[string]string) (problems []string) {
	for name, text := range files {
		extension := path.Ext(name)
		if extension != ".go" && extension != ".md" || strings.Contains(name, "/testdata/") {
			continue
		}
		var exempt map[int]bool
		if extension == ".go" {
			exempt = rawStringLines(text)
		}
		if strings.HasSuffix(name, "_test.go") {
			exemptRows(text, exempt)
		}
		for i, line := range strings.Split(text, "\n") {
			if exempt[i+1] || extension == ".md" && strings.HasPrefix(line, "|") || strings.HasPrefix(line, "//go:") {
				continue
			}
			if width := columns(webAddress.ReplaceAllString(line, "")); width > lastColumn {
				problems = append(problems, fmt.Sprintf("%s:%d ends in column %d, want at most %d", name, i+1,
					columns(line), lastColumn))
			}
		}
	}
	return problems
}

func columns(line string) int { return utf8.RuneCountInString(line) + 3*strings.Count(line, "\t") }

// rawStringLines returns the numbers of the lines of Go source that a string literal of several lines covers.
func rawStringLines(text string) map[int]bool {
	lines := map[int]bool{}
	file := token.NewFileSet().AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), nil, 0)
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return lines
		}
		if count := strings.Count(literal, "\n"); tok == token.STRING && count > 0 {
			for i := range count + 1 {
				lines[file.Line(pos)+i] = true
			}
		}
	}
}

// exemptRows marks the lines of Go source that lists and maps of values cover, but for functions in them, and the lines
// that a long string fills.
func exemptRows(text string, exempt map[int]bool) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "", text, parser.SkipObjectResolution)
	if err != nil {
		return // the compiler says why
	}
	mark := func(n ast.Node, value bool) {
		for i := files.Position(n.Pos()).Line; i <= files.Position(n.End()).Line; i++ {
			exempt[i] = value
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			switch n.Type.(type) {
			case *ast.ArrayType, *ast.MapType:
				for _, row := range n.Elts {
					mark(row, true)
				}
			}
		case *ast.BasicLit:
			if len(n.Value) > lastColumn-20 {
				mark(n, true)
			}
		case *ast.FuncLit:
			if body := n.Body; len(body.List) > 1 {
				for _, statement := range body.List {
					mark(statement, false)
				}
			}
		}
		return true
	})
}

func TestLinesEndByColumn120(t *testing.T) {
	report(t, checkLines(tracked(t)))
}

func TestLineCheckFinds(t *testing.T) {
	long := strings.Repeat("ä", 121)
	finds(t, checkLines(map[string]string{
		"a.go": "package a\n\n// " + strings.Repeat("x", 117) + "\n// " +
			strings.Repeat("x", 118) + "\n",
		"b.go": "package b\n\nfunc f() {\n\t// " + strings.Repeat("x", 114) + "\n}\n",
		"c.go": "package c\n\nconst c = `\n" + long + "\n`\n\n//go:generate " + long +
			"\n",
		"d.go": "package d\n\nconst d = \"" + long + "\"\n",
		"e_test.go": "package e\n\nvar rows = []string{\n\t\"" + long + "\",\n}\n\nfunc f() { " +
			strings.Repeat("g(); ", 30) + "}\n",
		"README.md":                         "# E\n\n| " + long + " |\n\nSee https://example.com/" + long + "\n\n" + long + "\n",
		"shared/license/testdata/README.md": long,
		"g.html":                            long,
	}), "a.go:4 ends in column 121", "b.go:4 ends in column 121", "d.go:3 ends in column 133",
		"e_test.go:7 ends in column 162", "README.md:7 ends in column 121")
}
