package check

import (
	"fmt"
	"go/scanner"
	"go/token"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// linesAreEnforced makes a long line fail the test; otherwise the test only logs what is too long.
const linesAreEnforced = false

// lastColumn is where a line of Go or Markdown ends at the latest; a tab counts four columns.
const lastColumn = 120

var webAddress = regexp.MustCompile(`\S*://\S+`)

// checkLines finds lines of Go and Markdown that are too long. Test data, multi-line string literals, Markdown tables
// and lines that only a URL makes too long are exempt: they cannot be wrapped.
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

func TestLinesEndByColumn120(t *testing.T) {
	problems := checkLines(tracked(t))
	if linesAreEnforced {
		report(t, problems)
		return
	}
	for _, p := range problems {
		t.Log(p)
	}
}

func TestLineCheckFinds(t *testing.T) {
	long := strings.Repeat("ä", 121)
	finds(t, checkLines(map[string]string{
		"a.go": "package a\n\n// " + strings.Repeat("x", 117) + "\n// " +
			strings.Repeat("x", 118) + "\n",
		"b.go": "package b\n\nfunc f() {\n\t// " + strings.Repeat("x", 114) + "\n}\n",
		"c.go": "package c\n\nconst c = `\n" + long + "\n`\n\n//go:generate " + long +
			"\n",
		"d.go":                              "package d\n\nconst d = \"" + long + "\"\n",
		"README.md":                         "# E\n\n| " + long + " |\n\nSee https://example.com/" + long + "\n\n" + long + "\n",
		"shared/license/testdata/README.md": long,
		"g.html":                            long,
	}), "a.go:4 ends in column 121", "b.go:4 ends in column 121", "d.go:3 ends in column 133",
		"README.md:7 ends in column 121")
}
