package bolt_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// fill returns the table that Fill passes to its function; done makes that function return an error, and returns the
// error of Fill.
func fill(t *testing.T, tab *bolt.Table) (inside table.Table, done func(error) error) {
	t.Helper()
	tables, ends, filled := make(chan table.Table), make(chan error), make(chan error)
	go func() {
		filled <- tab.Fill(context.WithoutCancel(t.Context()), func(inside table.Table) error {
			tables <- inside
			return <-ends
		})
	}()
	return <-tables, func(err error) error {
		ends <- err
		return <-filled
	}
}

func TestATableThatIsFilledKeepsTheContract(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Table {
		inside, done := fill(t, open(t, filepath.Join(t.TempDir(), "table.db")))
		t.Cleanup(func() {
			if err := done(nil); err != nil {
				t.Error(err)
			}
		})
		return inside
	})
}

func TestATableIsFilledAsAWhole(t *testing.T) {
	failure := errors.New("failure")
	for _, end := range []error{nil, failure} {
		path := filepath.Join(t.TempDir(), "table.db")
		tab := open(t, path)
		if err := tab.Transact(t.Context(), table.Create(row("p", "before"))); err != nil {
			t.Fatal(err)
		}
		inside, done := fill(t, tab)
		for _, sk := range []string{"one", "two"} {
			if err := inside.Transact(t.Context(), table.Create(row("p", sk))); err != nil {
				t.Fatal(err)
			}
		}
		rows := func(tab table.Table) int {
			page, err := tab.Query(t.Context(), table.Query{PK: "p"})
			if err != nil {
				t.Fatal(err)
			}
			return len(page.Rows)
		}
		if in, out := rows(inside), rows(tab); in != 3 || out != 1 {
			t.Errorf("while it is filled, %d rows inside and %d outside", in, out)
		}
		if err := done(end); !errors.Is(err, end) {
			t.Errorf("got %v, want %v", err, end)
		}
		want := 3
		if end != nil {
			want = 1
		}
		if got := rows(tab); got != want {
			t.Errorf("after the end with %v, %d rows", end, got)
		}
		if err := tab.Transact(t.Context(), table.Create(row("p", "after"))); err != nil {
			t.Errorf("writing after it: %v", err)
		}
	}
}
