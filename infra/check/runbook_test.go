package check

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	runbookParts = []string{"Notice", "Look", "Do", "Check", "Afterwards", "Tried"}
	namedTest    = regexp.MustCompile("`(Test[A-Z]\\w+)`")
	triedOn      = regexp.MustCompile(`\n## Tried\n\n\d{1,2} [A-Z][a-z]{2} \d{4}`)
)

// checkRunbooks: each runbook has its parts, says when it was tried, and is in the list of them. The tests that a page
// names as proofs exist.
func checkRunbooks(files map[string]string) (problems []string) {
	fail := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	tests := ""
	for name, text := range files {
		if strings.HasSuffix(name, "_test.go") {
			tests += text
		}
	}
	for name, text := range files {
		if dir, base := path.Split(name); dir == "infra/runbooks/" && base != "README.md" {
			for _, part := range runbookParts {
				if !strings.Contains(text, "\n## "+part+"\n") {
					fail("%s has no part %q", name, part)
				}
			}
			if !triedOn.MatchString(text) {
				fail("%s does not say when it was tried", name)
			}
			if !strings.Contains(files["infra/runbooks/README.md"], "]("+base+")") {
				fail("infra/runbooks/README.md does not list %s", base)
			}
		} else if dir != "infra/runbooks/" && name != "infra/docs/secrets.md" {
			continue
		}
		for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(tests, "func "+m[1]+"(") {
				fail("%s: there is no test %s", name, m[1])
			}
		}
	}
	return problems
}

func TestRunbooksHaveTheirParts(t *testing.T) { report(t, checkRunbooks(tracked(t))) }

// markdown is apart from the names of pages that do not exist, which would be citations.
const markdown = ".md"

func TestRunbookCheckFinds(t *testing.T) {
	good := "# X\n\n## Notice\n\n## Look\n\n## Do\n\n## Check\n\n## Afterwards\n\n## Tried\n\n" +
		"30 Nov 2026: `TestGood`.\n"
	runbook := func(name string) string { return "infra/runbooks/" + name + markdown }
	finds(t, checkRunbooks(map[string]string{
		runbook("README"): "[a](a" + markdown + "), [c](c" + markdown + ")", runbook("a"): good, runbook("b"): good,
		runbook("c"):            strings.NewReplacer("## Look\n", "", "30 Nov 2026", "Once").Replace(good),
		"infra/docs/secrets.md": "`TestBad`", "x_test.go": "func TestGood(t)",
	}), "does not list b", `has no part "Look"`, "does not say when", "secrets.md: there is no test TestBad")
}
