package licenseimport

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"marketplace/shared/table/bolt"
)

// manyLines is a file of n licenses of customers of all sizes, some of which share a server.
func manyLines(n int) string {
	var file strings.Builder
	file.WriteString(header)
	for line, of := 0, 0; line < n; of++ {
		name, domain := fmt.Sprintf("Customer %c%d AG", 'A'+of%26, of), fmt.Sprintf("c%d.example", of)
		size := 1 + of%4
		if of%50 == 0 {
			size = 60
		}
		for i := 0; i < size && line < n; i++ {
			id := fmt.Sprintf("AW%06d%012d", of, i/2)
			kind := "PRODUCTION"
			switch {
			case of%10 == 3 && i == 0:
				id = "20110407133530" // a server that many have
			case i%2 == 1:
				kind = "STAGING"
			}
			file.WriteString(row(name, fmt.Sprintf("p%d@%s", i%5, domain), id, "enterprise", kind,
				fmt.Sprintf("2019-%02d-28", 1+of%12)))
			line++
		}
	}
	return file.String()
}

func TestManyCustomersAreImportedAtOnceWithoutConflicts(t *testing.T) {
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	lines := 5000
	if testing.Short() {
		lines = 500
	}
	e := newTestEnvOver(engine)
	file := manyLines(lines)
	report := e.imported(t, file)
	if report.Recorded != lines || report.Known != 0 {
		t.Errorf("got %d recorded and %d known, want %d recorded", report.Recorded, report.Known, lines)
	}
	if n := len(report.Notes); n > lines/10 {
		t.Errorf("got %d notes, want one for each customer of the shared server at most", n)
	}
	under := 0
	for _, a := range e.accounts(t) {
		for _, k := range a.Contracts {
			under += k.Production + k.Staging
		}
	}
	if under != report.Instances {
		t.Errorf("the contracts cover %d instances, want %d", under, report.Instances)
	}
	if n := e.writes(t, file); n > 0 {
		t.Errorf("again: wrote %d rows, want none", n)
	}
}
