package check

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	decisionFile = regexp.MustCompile(`^(\d{4})-[a-z0-9-]+\.md$`)
	decisionHead = regexp.MustCompile(
		`^# (\d+)\. [^\n]+\n\n- Date: \d{1,2} [A-Z][a-z]{2} \d{4}\n- Status: (accepted|replaced)`)
)

// checkDecisions compares the form of the decisions: number, date, status and alternatives.
func checkDecisions(files map[string]string) (problems []string) {
	for name, text := range files {
		dir, base := path.Split(name)
		if dir != "infra/decisions/" {
			continue
		}
		file, head := decisionFile.FindStringSubmatch(base), decisionHead.FindStringSubmatch(text)
		switch {
		case file == nil:
			problems = append(problems, name+" is not named by number and subject")
		case head == nil:
			problems = append(problems, name+" does not begin with a numbered title, its date and its status")
		case file[1] != fmt.Sprintf("%04s", head[1]):
			problems = append(problems, fmt.Sprintf("%s has the number %s in its title", name, head[1]))
		case !strings.Contains(text, "\n## Alternatives\n\n- "):
			problems = append(problems, name+" names no alternatives")
		}
	}
	return problems
}

func TestDecisionsHaveDateStatusAndAlternatives(t *testing.T) { report(t, checkDecisions(tracked(t))) }

func TestDecisionCheckFinds(t *testing.T) {
	const good = "# 1. A\n\n- Date: 22 Nov 2026\n- Status: accepted; amended 29 Nov 2026: b\n\nText.\n\n## " +
		"Alternatives\n\n- None.\n"
	finds(t, checkDecisions(map[string]string{
		"infra/decisions/0001-a.md": good,
		"infra/decisions/0002-a.md": good,
		"infra/decisions/0003-a.md": "# 3. A\n\nText.\n",
		"infra/decisions/0004-a.md": "# 4. A\n\n- Date: 22 Nov 2026\n- Status: replaced\n\nText.\n",
		"infra/decisions/notes.md":  good,
	}), "0002-a.md has the number 1", "0003-a.md does not begin", "0004-a.md names no alternatives",
		"notes.md is not named")
}
