package tabletest_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

func open(t *testing.T) *tabletest.Faulty {
	t.Helper()
	tab, err := bolt.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return &tabletest.Faulty{Table: tab}
}

var row = table.Row{Key: table.Key{PK: "p", SK: "s"}, Data: json.RawMessage(`{}`)}

func TestFaultyWithoutFaultsKeepsTheContract(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Table { return open(t) })
}

func TestADownCallIsNotMade(t *testing.T) {
	tab := open(t)
	tab.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.N == 1 {
			return tabletest.Down
		}
		return tabletest.Fault{}
	}
	if err := tab.Transact(t.Context(), table.Create(row)); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("got %v; want ErrUnavailable", err)
	}
	if _, err := tab.Get(t.Context(), row.Key); !errors.Is(err, table.ErrNotFound) {
		t.Errorf("got %v; want ErrNotFound", err)
	}
	if got, want := tab.Counts(), (tabletest.Counts{Gets: 1, Failed: 1}); got != want {
		t.Errorf("got %+v; want %+v", got, want)
	}
}

func TestALostAnswerWasApplied(t *testing.T) {
	tab := open(t)
	tab.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" && c.Writes[0].Row.Key == row.Key {
			return tabletest.Lost
		}
		return tabletest.Fault{}
	}
	if err := tab.Transact(t.Context(), table.Create(row)); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("got %v; want ErrUnavailable", err)
	}
	if _, err := tab.Get(t.Context(), row.Key); err != nil {
		t.Error(err)
	}
	if page, err := tab.Query(t.Context(), table.Query{PK: "p"}); err != nil || len(page.Rows) != 1 {
		t.Errorf("got %v, %v; want the row", page, err)
	}
	want := tabletest.Counts{Gets: 1, Queries: 1, Transacts: 1, RowsRead: 2, RowsWritten: 1, Failed: 1}
	if got := tab.Counts(); got != want {
		t.Errorf("got %+v; want %+v", got, want)
	}
	tab.Reset()
	if got := tab.Counts(); got != (tabletest.Counts{}) {
		t.Errorf("after Reset: got %+v", got)
	}
}

func TestADelayedCallIsMadeLaterOrNotAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := open(t)
		tab.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Fault{Delay: time.Minute} }
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := tab.Transact(ctx, table.Create(row)); !errors.Is(err, context.DeadlineExceeded) ||
			!errors.Is(err, table.ErrUnavailable) {
			t.Errorf("got %v; want ErrUnavailable and the context's error", err)
		}
		if err := tab.Transact(t.Context(), table.Create(row)); err != nil {
			t.Errorf("got %v: the call that gave up was made", err)
		}
		if took := time.Since(begun); took != time.Minute+time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestShortPagesHaveEveryRowInOrder(t *testing.T) {
	tab := open(t)
	want := []string{"a", "b", "c", "d", "e"}
	for _, sk := range want {
		if err := tab.Transact(t.Context(), table.Create(table.Row{Key: table.Key{PK: "p", SK: sk},
			Data: row.Data})); err != nil {
			t.Fatal(err)
		}
	}
	tab.ShortPages = true
	for _, descending := range []bool{false, true} {
		var got []string
		empty, q := 0, table.Query{PK: "p", Descending: descending}
		for pages := 0; ; pages++ {
			page, err := tab.Query(t.Context(), q)
			if err != nil || len(page.Rows) > 1 || pages > 20 {
				t.Fatalf("page %d: got %d rows, %v; want at most one", pages, len(page.Rows), err)
			}
			if len(page.Rows) == 0 {
				empty++
			}
			for _, r := range page.Rows {
				got = append(got, r.SK)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if descending {
			slices.Reverse(got)
		}
		if !slices.Equal(got, want) || empty < 2 {
			t.Errorf("descending %v: got %q with %d empty pages; want %q", descending, got, empty, want)
		}
	}
}
