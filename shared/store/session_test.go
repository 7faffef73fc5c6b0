package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

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
	if err := b.EndSession(t.Context(), "one", until); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Key != (table.Key{PK: "SESSION#one", SK: "ENDED"}) || rows[0].Type != "session" ||
		!rows[0].Expires.Equal(until) || string(rows[0].Data) != "{}" {
		t.Errorf("got rows %+v, want one", rows)
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

func TestSessionCanBeEndedTwiceAndConcurrently(t *testing.T) {
	b := newTestEnv(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := b.EndSession(t.Context(), "one", b.now.Add(time.Hour)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	row, err := b.table.Get(t.Context(), table.Key{PK: "SESSION#one", SK: "ENDED"})
	if err != nil || row.Version != 1 {
		t.Errorf("got version %d, %v, want 1", row.Version, err)
	}
}

func TestUnavailableTableIsAnErrorOfTheSession(t *testing.T) {
	b := newTestEnv(t)
	b.table.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
	if err := b.EndSession(t.Context(), "one", b.now); !errors.Is(err, table.ErrUnavailable) {
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
	if err := b.EndSession(t.Context(), "one", b.now); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("lost answer: got %v, want ErrUnavailable", err)
	}
	b.table.Fault = nil
	if err := b.EndSession(t.Context(), "one", b.now); err != nil {
		t.Errorf("EndSession again: got %v", err)
	}
	if ended, err := b.SessionEnded(t.Context(), "one"); !ended || err != nil {
		t.Errorf("SessionEnded after that: got %v, %v", ended, err)
	}
}
