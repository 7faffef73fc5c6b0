package check

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// designed are the packages that DESIGN §3 names, the jobs beside their mains among them.
var designed = strings.Fields(`
	functions/catalog functions/catalog/api functions/requests functions/requests/site functions/console functions/console/site
	functions/reminders functions/reminders/daily functions/mailer functions/mailer/dispatch functions/mailevents functions/mailevents/feedback
	infra/local infra/ops infra/check catalog catalog/data
	shared/license shared/request shared/reminder shared/fault shared/table shared/table/tabletest shared/table/dynamo shared/table/bolt shared/store
	shared/mail shared/mail/letter shared/mail/ses shared/mail/outboxdir shared/web shared/lambdahttp shared/cloud shared/config shared/logging`)

// checkDecision: what a list of the decision names is there, and it names every package that the design does not, but for
// those of tests.
func checkDecision(decision string, packages []string) (problems []string) {
	var named []string
	for _, item := range regexp.MustCompile(`(?m)^- [^:]*:`).FindAllString(decision, -1) {
		for _, m := range regexp.MustCompile("`([a-z]+/[a-z/]+)`").FindAllStringSubmatch(item, -1) {
			named = append(named, m[1])
		}
	}
	for _, name := range named {
		if !slices.Contains(packages, name) {
			problems = append(problems, "decision 2 names "+name+", which is not there")
		}
	}
	for _, name := range packages {
		ofTests := path.Base(name) == path.Base(path.Dir(name))+"test"
		if !ofTests && !slices.Contains(designed, name) && !slices.Contains(named, name) {
			problems = append(problems, "decision 2 does not name "+name)
		}
	}
	return problems
}

func TestDecisionNamesThePackagesThatTheDesignDoesNot(t *testing.T) {
	report(t, checkDecision(read(t, "infra/decisions/0002-more-packages-below-the-domain.md"), slices.Collect(maps.Keys(listed(t)))))
}

func TestDecisionCheckFinds(t *testing.T) {
	finds(t, checkDecision("- `shared/input`, `shared/gone`: what `shared/other` needs.\n", []string{"shared/input", "shared/input/inputtest", "shared/web", "shared/other"}),
		"names shared/gone, which is not there", "does not name shared/other")
}
