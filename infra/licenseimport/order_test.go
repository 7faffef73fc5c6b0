package licenseimport

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"marketplace/shared/store/search"
)

// fileColumns is the first line of random files.
var fileColumns = strings.Join(slices.Concat(Header, Optional), ",") + "\n"

// randomLine draws a line of a file whose lines have much in common.
func randomLine(rt *rapid.T) string {
	draw := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(rt, label) }
	kind := draw("type", "PRODUCTION", "PRODUCTION", "STAGING", "EVALUATION")
	mirrors, environment := "", ""
	if kind == "STAGING" {
		mirrors = draw("mirrors", "", "", server, server2)
	}
	if kind == "EVALUATION" {
		environment = draw("environment", "", "production")
	}
	return strings.Join([]string{
		draw("organization", "Acme AG", "ACME", "Acme", "Other GmbH", "???"),
		draw("contact", "Ada", "Ada", ""),
		draw("email", "ada@acme.example", "bob@acme.example", "eve@acme-usa.example", "ann@gmail.com", "bob@gmail.com"),
		draw("server", server, "0A1B2C3D-"+server, "FFFFFFFF-"+server, server2, server3),
		draw("edition", "developer", "enterprise"), kind,
		draw("max_loc", "1000000", "1000000", "1000000", "250000"),
		draw("expiration", "2018-08-31", "2019-08-31", "2020-08-31"), draw("support", "yes", "yes", "yes", "no"),
		draw("customer", "", "", "", "Bern", "Zürich"), draw("contract", "", "", "2017-12"), environment, mirrors,
		draw("contacts", "", "", "eve@acme.example;ada@acme.example"), draw("reference", "", "CRM:4711", "4712"),
	}, ",") + "\n"
}

// furtherLine draws a line of the same license with another contact, or another spelling of the organization.
func furtherLine(rt *rapid.T, line string) string {
	columns := strings.Split(line, ",")
	columns[0] = rapid.SampledFrom([]string{columns[0], "Acme", "ACME AG"}).Draw(rt, "spelled")
	columns[2] = rapid.SampledFrom([]string{"ada@acme.example", "cy@acme.example", "eve@acme-usa.example",
		"ann@gmail.com"}).Draw(rt, "further email")
	return strings.Join(columns, ",")
}

// importRest imports a file, leaving out what is refused, and returns how many lines that were.
func importRest(rt *rapid.T, e *testEnv, lines []string) int {
	file := strings.NewReader(fileColumns + strings.Join(lines, ""))
	report, err := Import(rt.Context(), file, Options{Store: e, Search: search.New(e.Store), SkipRefused: true})
	if err != nil {
		rt.Fatal(err)
	}
	return len(report.Refused)
}

func TestAnyOrderOfTheLinesGivesTheSameCustomers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lines := make([]string, rapid.IntRange(1, 14).Draw(rt, "lines"))
		for i := range lines {
			lines[i] = randomLine(rt)
			if i > 0 && rapid.Bool().Draw(rt, "further") {
				lines[i] = furtherLine(rt, lines[rapid.IntRange(0, i-1).Draw(rt, "of")])
			}
		}
		shuffled := rapid.Permutation(lines).Draw(rt, "shuffled")
		one, two := newTestEnv(), newTestEnv()
		refused, again := importRest(rt, one, lines), importRest(rt, two, shuffled)
		if refused != again {
			rt.Errorf("got %d and %d lines refused, want as many in any order", refused, again)
		}
		if a, b := one.state(t), two.state(t); a != b {
			rt.Fatalf("in one order:\n%s\nin another:\n%s", a, b)
		}
		one.table.Reset()
		one.now = one.now.AddDate(0, 0, 40)
		importRest(rt, one, shuffled)
		if n := one.table.Counts().RowsWritten; n > 0 {
			rt.Errorf("a second import wrote %d rows, want none", n)
		}
	})
}
