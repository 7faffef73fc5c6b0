package store_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

func TestEndedSessionIsOneExpiringRow(t *testing.T) {
	b := newTestEnv(t)
	var rows []table.Row
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		for _, w := range c.Writes {
			rows = append(rows, w.Row)
		}
		return tabletest.Fault{}
	}
	until := b.now.Add(8 * time.Hour)
	if err := b.EndSession(t.Context(), "one", sam, until); err != nil {
		t.Fatal(err)
	}
	if told := doneOf(t, rows[1:]); len(rows) != 2 || !slices.Equal(told, []string{sam + " signed out COLLEAGUE#" + sam}) {
		t.Errorf("got rows %+v and in the audit %q, want who signed out, and nothing of the session", rows, told)
	}
	if rows[0].Key != (table.Key{PK: "SESSION#one", SK: "ENDED"}) || rows[0].Type != "session" ||
		!rows[0].Expires.Equal(until) || string(rows[0].Data) != "{}" {
		t.Errorf("got rows %+v, want the end of the session first", rows)
	}
	for id, want := range map[string]bool{"one": true, "other": false} {
		if ended, err := b.SessionEnded(t.Context(), id); err != nil || ended != want {
			t.Errorf("session %s: got ended %v, %v", id, ended, err)
		}
	}
	if c := b.table.Counts(); c.Transacts != 1 || c.Gets != 2 || c.Queries != 0 {
		t.Errorf("got %+v, want one transaction and two gets", c)
	}
}

// sam is a colleague.
const sam = "sam@vendor.example"

// doneOf says what rows of the audit tell.
func doneOf(t *testing.T, rows []table.Row) (list []string) {
	t.Helper()
	for _, row := range rows {
		a, err := entity.Decode[entity.Audit](row)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range a.Done {
			list = append(list, strings.TrimSpace(a.By+" "+string(d.Action)+" "+d.On+" "+d.Detail))
		}
	}
	return list
}

func TestSessionCanBeEndedTwiceAndConcurrently(t *testing.T) {
	b := newTestEnv(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := b.EndSession(t.Context(), "one", sam, b.now.Add(time.Hour)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	row, err := b.table.Get(t.Context(), table.Key{PK: "SESSION#one", SK: "ENDED"})
	if err != nil || row.Version != 1 {
		t.Errorf("got version %d, %v, want 1", row.Version, err)
	}
	told, err := b.table.Query(t.Context(), table.Query{PK: rowkey.AuditPK(license.DateOf(b.now), sam)})
	if err != nil || len(told.Rows) != 1 {
		t.Errorf("got %d rows of the audit, %v, want 1", len(told.Rows), err)
	}
}

func TestUnavailableTableIsAnErrorOfTheSession(t *testing.T) {
	b := newTestEnv(t)
	b.table.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
	if err := b.EndSession(t.Context(), "one", sam, b.now); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("EndSession: got %v, want ErrUnavailable", err)
	}
	if ended, err := b.SessionEnded(t.Context(), "one"); ended || !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("SessionEnded: got %v, %v, want ErrUnavailable", ended, err)
	}
	// The write arrived, its answer did not: whoever tries again succeeds.
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			return tabletest.Lost
		}
		return tabletest.Fault{}
	}
	if err := b.EndSession(t.Context(), "one", sam, b.now); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("lost answer: got %v, want ErrUnavailable", err)
	}
	b.table.Fault = nil
	if err := b.EndSession(t.Context(), "one", sam, b.now); err != nil {
		t.Errorf("EndSession again: got %v", err)
	}
	if ended, err := b.SessionEnded(t.Context(), "one"); !ended || err != nil {
		t.Errorf("SessionEnded after that: got %v, %v", ended, err)
	}
}
