package check

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
)

// A citation names a page of infra/docs, and mostly a section of it: `client-contract.md §4` or `mail.md, "Letters"`.
// A decision is cited by its number.
var (
	commentBreak  = regexp.MustCompile(`\n[\t ]*(//|#|\*)?[\t ]*`)
	pageCitation  = regexp.MustCompile(`([\w./-]*\w\.md)(?: §(\d+)|, "([^"]+)")?`)
	sectionOf     = regexp.MustCompile(`([\w-]+) §\d+`)
	decisionCited = regexp.MustCompile(`\b[dD]ecision (\d+)\b|infra/decisions/(\d{4})`)
	formerPages   = regexp.MustCompile(`\bDESIGN\b|\bCLIENT-CONTRACT\b|\b(CUSTOMERS|STYLE|VOICE)\.md`)
	markdownLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	namedPath     = regexp.MustCompile("`((?:functions|shared|infra|catalog)/[\\w./-]+)`")
)

// checkCitations resolves every citation of a page, a section or a decision, every link between pages, and every path
// that a page of infra/docs names.
func checkCitations(files map[string]string) (problems []string) {
	for name, text := range files {
		if name == "infra/check/citation_test.go" || name == "infra/check/decision_test.go" {
			continue // the faults there are examples
		}
		switch path.Ext(name) {
		case ".go", ".md", ".yaml", ".yml", ".sh", ".html", "":
		default:
			continue
		}
		fail := func(format string, args ...any) {
			problems = append(problems, name+": "+fmt.Sprintf(format, args...))
		}
		flat := commentBreak.ReplaceAllString(text, " ")
		for _, m := range pageCitation.FindAllStringSubmatch(flat, -1) {
			if problem := resolve(files, name, m[1], m[2], m[3]); problem != "" {
				fail("%s", problem)
			}
		}
		for _, m := range sectionOf.FindAllStringSubmatch(flat, -1) {
			if page := strings.ToLower(m[1]) + ".md"; files["infra/docs/"+page] != "" {
				fail("%q should be a citation of %s", m[0], page)
			}
		}
		for _, m := range decisionCited.FindAllStringSubmatch(flat, -1) {
			if number := fmt.Sprintf("%04s", m[1]+m[2]); !decisionExists(files, number) {
				fail("decision %s does not exist", strings.TrimLeft(number, "0"))
			}
		}
		for _, m := range formerPages.FindAllString(flat, -1) {
			fail("%s is not part of the repository", m)
		}
		if path.Ext(name) == ".md" {
			problems = append(problems, checkLinks(files, name, text)...)
		}
	}
	return problems
}

// resolve says what is wrong with the citation of a page, "" for nothing.
func resolve(files map[string]string, from, page, number, heading string) string {
	text, ok := files[pageFile(files, from, page)]
	switch {
	case !ok:
		return fmt.Sprintf("cites %s, which does not exist", page)
	case number != "" && !strings.Contains(text, "\n## "+number+". "):
		return fmt.Sprintf("cites %s §%s, which does not exist", page, number)
	case heading != "" && !strings.Contains(text, "\n## "+heading+"\n"):
		return fmt.Sprintf("cites %s, %q, which does not exist", page, heading)
	}
	return ""
}

// pageFile returns the file that a citation means: beside the citing file, from the root, a runbook, or in infra/docs.
func pageFile(files map[string]string, from, page string) string {
	for _, dir := range []string{path.Dir(from), ".", "infra/runbooks"} {
		if file := path.Join(dir, page); files[file] != "" {
			return file
		}
	}
	return path.Join("infra/docs", page)
}

func decisionExists(files map[string]string, number string) bool {
	for name := range files {
		if strings.HasPrefix(name, "infra/decisions/"+number+"-") {
			return true
		}
	}
	return false
}

// checkLinks resolves the links of a page to files and headings of the tree, and the paths that a page of infra/docs
// names.
func checkLinks(files map[string]string, name, text string) (problems []string) {
	exists := func(file string) bool {
		for other := range files {
			if other == file || strings.HasPrefix(other, file+"/") {
				return true
			}
		}
		return false
	}
	for _, m := range markdownLink.FindAllStringSubmatch(text, -1) {
		target, anchor, _ := strings.Cut(m[1], "#")
		if strings.Contains(target, ":") {
			continue
		}
		file := name
		if target != "" {
			file = path.Join(path.Dir(name), target)
		}
		if !exists(file) {
			problems = append(problems, fmt.Sprintf("%s: links to %s, which does not exist", name, m[1]))
		} else if anchor != "" && !anchors(files[file])[anchor] {
			problems = append(problems, fmt.Sprintf("%s: links to %s, a heading that does not exist", name, m[1]))
		}
	}
	if !strings.HasPrefix(name, "infra/docs/") {
		return problems
	}
	for _, m := range namedPath.FindAllStringSubmatch(text, -1) {
		if !exists(strings.TrimSuffix(m[1], "/")) {
			problems = append(problems, fmt.Sprintf("%s: names %s, which does not exist", name, m[1]))
		}
	}
	return problems
}

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		found[strings.ReplaceAll(plain, " ", "-")] = true
	}
	return found
}

func TestCitationsResolve(t *testing.T) { report(t, checkCitations(tracked(t))) }

func TestCitationCheckFinds(t *testing.T) {
	page := "# Page\n\n## 1. First\n\nSee §1.\n\n## Some words\n\n[up](../../README.md#the-top), `shared/gone.go`\n"
	finds(t, checkCitations(map[string]string{
		"README.md": "# The top\n\n[page](infra/docs/page.md#some-words), [no](infra/docs/page.md#none), " +
			"[gone](gone.md)\n",

		"infra/docs/page.md":     page,
		"infra/decisions/0003-x": "# 3. X\n",

		"shared/good.go": "// page.md\n// §1, page.md, \"Some\n// words\" (decision 3), RFC 9110 §13.1.2, " +
			"infra/decisions/0003\n",

		"shared/number.go":            "// page.md §2\n",
		"shared/heading.go":           "// page.md, \"No words\"\n",
		"shared/page.go":              "// other.md §1\n",
		"shared/suffix.go":            "// PAGE §1\n",
		"shared/former.go":            "// DESIGN §9\n",
		"shared/decision.go":          "// decision 4\n",
		"shared/testdata/data.json":   "other.md §1",
		"infra/engines/with-thing.sh": "# gone-too.md\n",
	}),
		"README.md: links to infra/docs/page.md#none", "README.md: links to gone.md", "README.md: cites gone.md",
		"infra/docs/page.md: names shared/gone.go",
		"shared/number.go: cites page.md §2", `shared/heading.go: cites page.md, "No words"`,
		"shared/page.go: cites other.md", `shared/suffix.go: "PAGE §1" should be a citation of page.md`,
		"shared/former.go: DESIGN is not part", "shared/decision.go: decision 4",
		"infra/engines/with-thing.sh: cites gone-too.md")
}
