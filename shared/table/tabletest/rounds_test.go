package tabletest

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"marketplace/shared/table"
)

func TestRoundsCountsReadsOneAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rounds := &Rounds{Table: &Memory{}, Apart: "SESSION#"}
		ctx := t.Context()
		for i := range 5 {
			row := table.Row{Key: table.Key{PK: "p", SK: fmt.Sprint(i)}, Type: "t", Schema: 1, Data: []byte("{}")}
			if err := rounds.Transact(ctx, table.Create(row)); err != nil {
				t.Fatal(err)
			}
		}
		get := func() { rounds.Get(ctx, table.Key{PK: "p", SK: "1"}) }
		atOnce := func(reads ...func()) {
			var wg sync.WaitGroup
			for _, read := range reads {
				wg.Go(read)
			}
			wg.Wait()
		}
		pages := func() {
			err := table.All(ctx, rounds, table.Query{PK: "p", Limit: 2}, func(table.Row) error { return nil })
			if err != nil {
				t.Error(err)
			}
		}
		for _, tt := range []struct {
			name string
			read func()
			want string
		}{
			{"none", func() {}, "[]"},
			{"one after another", func() { get(); get() }, "[1 2]"},
			{"at once", func() { atOnce(get, get, get) }, "[1 1 1]"},
			{"at once, then one", func() { atOnce(get, get); get() }, "[1 1 2]"},
			{"one after another beside one", func() { atOnce(get, func() { get(); get() }) }, "[1 1 2]"},
			{"pages", pages, "[1 1 1]"},
			{"pages after one", func() { get(); pages(); get() }, "[1 2 2 2 3]"},
			{"a session", func() { rounds.Get(ctx, table.Key{PK: "SESSION#1", SK: "ENDED"}); get() }, "[1]"},
		} {
			rounds.Reset()
			tt.read()
			got := []int{}
			for _, r := range rounds.Reads() {
				got = append(got, r.Round)
			}
			if fmt.Sprint(got) != tt.want {
				t.Errorf("%s: got rounds %v, want %s", tt.name, got, tt.want)
			}
		}
	})
}
