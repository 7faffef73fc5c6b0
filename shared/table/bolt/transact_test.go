package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"

	"marketplace/shared/table"
)

// while runs f while nothing else can commit.
func while(tab *Table, f func()) {
	tab.turn <- struct{}{}
	f()
	<-tab.turn
}

func create(sk string) table.Write {
	return table.Create(table.Row{Key: table.Key{PK: "p", SK: sk}, Data: json.RawMessage(`{}`)})
}

func TestATransactionThatGivesUpWaitingIsNotApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab, err := Open(filepath.Join(t.TempDir(), "table.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer tab.Close()
		ctx, cancel := context.WithCancel(t.Context())
		while(tab, func() {
			answer := make(chan error, 1)
			go func() { answer <- tab.Transact(ctx, create("given up")) }()
			synctest.Wait()
			cancel()
			if err := <-answer; !errors.Is(err, context.Canceled) || !errors.Is(err, table.ErrUnavailable) {
				t.Errorf("got %v; want ErrUnavailable and the context's error", err)
			}
		})
		if err := tab.Transact(t.Context(), create("next")); err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Get(t.Context(), table.Key{PK: "p", SK: "given up"}); !errors.Is(err, table.ErrNotFound) {
			t.Errorf("got %v; want ErrNotFound", err)
		}
	})
}

func TestTransactionsThatWaitGoToDiskTogetherAndEachIsDecidedAfterTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab, err := Open(filepath.Join(t.TempDir(), "table.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer tab.Close()
		const n = 50
		answers := make(chan error, n)
		before := commits(tab)
		while(tab, func() {
			for i := range n {
				go func() { answers <- tab.Transact(t.Context(), create("same"), create(fmt.Sprint(i))) }()
			}
			synctest.Wait()
		})
		won := 0
		for range n {
			if err := <-answers; err == nil {
				won++
			} else if !errors.Is(err, table.ErrConflict) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d transactions created one row", won)
		}
		if got := commits(tab) - before; got != 1 {
			t.Errorf("%d commits; want 1", got)
		}
	})
}

// commits returns the number of the last commit.
func commits(tab *Table) (id int) {
	tx, err := tab.db.Begin(false)
	if err != nil {
		panic(err)
	}
	defer tx.Rollback()
	return tx.ID()
}

func TestAMangledRowIsAnErrorNotARow(t *testing.T) {
	row := table.Row{Key: table.Key{PK: "p", SK: "s"}, Type: "note", Data: json.RawMessage(`{}`)}
	whole := encode(row)
	for n := range len(whole) - len(row.Data) {
		if got, err := decode(row.Key, whole[:n]); err == nil {
			t.Errorf("the first %d bytes: got %v", n, got)
		}
	}
	if _, err := decode(row.Key, append([]byte{format + 1}, whole[1:]...)); err == nil {
		t.Error("another format: no error")
	}
}
