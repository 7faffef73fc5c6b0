package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/retention"
)

// checkRetention: every kind of row that storage.md lists is in one category of personal data, or in none, which
// somebody has decided.
func checkRetention(page string, categories []retention.Category, notPersonal []string) (problems []string) {
	in := map[string][]string{}
	for _, c := range categories {
		for _, kind := range c.Rows {
			in[kind] = append(in[kind], c.Name)
		}
	}
	for _, kind := range notPersonal {
		in[kind] = append(in[kind], "not personal")
	}
	known := map[string]bool{}
	for _, row := range tableUnder(page, "Rows") {
		kind := fixed(strings.Trim(row[0], "`")) + " " + row[2]
		if known[kind] {
			continue
		}
		known[kind] = true
		if len(in[kind]) != 1 {
			problems = append(problems, fmt.Sprintf("rows %s are in the categories %q, want one", kind, in[kind]))
		}
	}
	for kind, of := range in {
		if !known[kind] {
			problems = append(problems, fmt.Sprintf("%s: there are no rows %s", of[0], kind))
		}
	}
	slices.Sort(problems)
	return problems
}

func TestEveryRowIsInOneCategoryOfPersonalData(t *testing.T) {
	report(t, checkRetention(read(t, storageFile), retention.Categories, retention.NotPersonal))
	for _, c := range retention.Categories {
		if c.Name == "" || c.Of == "" || c.What == "" || c.Why == "" || c.Kept(retention.Policy{}) == "" {
			t.Errorf("got category %+v, want it complete", c)
		}
	}
}

func TestRetentionCheckFinds(t *testing.T) {
	const page = "\n## Rows\n\n| PK | SK | type | what |\n|---|---|---|---|\n| `NEW#<id>` | `<id>` | new | what |\n" +
		"| `BOTH` | `<id>` | index | what |\n"
	finds(t, checkRetention(page, []retention.Category{{Name: "A", Rows: []string{"BOTH index", "GONE# gone"}}},
		[]string{"BOTH index"}),
		`rows NEW# new are in the categories [], want one`,
		`rows BOTH index are in the categories ["A" "not personal"]`,
		`A: there are no rows GONE# gone`)
}
