package tabletest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"marketplace/shared/table"
)

// together runs f n times at once.
func together(n int, f func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { f(i) })
	}
	group.Wait()
}

func count(r table.Row) (n int) {
	var data struct{ N int }
	if err := json.Unmarshal(r.Data, &data); err != nil {
		panic(err) // written by row
	}
	return data.N
}

// change reads rows, lets f make other counts of theirs, and writes them; again while somebody else is faster.
func change(t *testing.T, tab table.Table, keys []table.Key, f func(counts []int)) error {
	for {
		counts := make([]int, len(keys))
		versions := make([]int64, len(keys))
		for i, key := range keys {
			r, err := tab.Get(t.Context(), key)
			if err != nil {
				return err
			}
			counts[i], versions[i] = count(r), r.Version
		}
		f(counts)
		var writes []table.Write
		for i, key := range keys {
			r := row(key.PK, key.SK, counts[i])
			r.Version = versions[i]
			writes = append(writes, table.Update(r))
		}
		if err := tab.Transact(t.Context(), writes...); !errors.Is(err, table.ErrConflict) {
			return err
		}
	}
}

var concurrencyTests = []test{
	{"loses no increment of one row", func(t *testing.T, tab table.Table) {
		const workers, times = 8, 10
		r := row("p", "s", 0)
		transact(t, tab, table.Create(r))
		together(workers, func(int) {
			for range times {
				if err := change(t, tab, []table.Key{r.Key}, func(counts []int) { counts[0]++ }); err != nil {
					t.Error(err)
				}
			}
		})
		got := get(t, tab, r.Key)
		if count(got) != workers*times || got.Version != workers*times+1 {
			t.Errorf("got %d, version %d; want %d, version %d", count(got), got.Version, workers*times, workers*times+1)
		}
	}},
	{"keeps transactions over overlapping rows whole", func(t *testing.T, tab table.Table) {
		const rows, workers, times = 4, 8, 5
		var keys []table.Key
		for i := range rows {
			r := row(fmt.Sprint(i), "s", 100)
			keys = append(keys, r.Key)
			transact(t, tab, table.Create(r))
		}
		together(workers, func(i int) {
			pair := []table.Key{keys[i%rows], keys[(i+1)%rows]}
			for range times {
				if err := change(t, tab, pair, func(counts []int) { counts[0]--; counts[1]++ }); err != nil {
					t.Error(err)
				}
			}
		})
		sum, versions := 0, int64(0)
		for _, key := range keys {
			got := get(t, tab, key)
			sum += count(got)
			versions += got.Version
		}
		if sum != rows*100 || versions != rows+2*workers*times {
			t.Errorf("got the sum %d, %d versions; want %d, %d", sum, versions, rows*100, rows+2*workers*times)
		}
	}},
	{"lets one of many create a row", func(t *testing.T, tab table.Table) {
		const tries = 200
		var won, lost atomic.Int64
		var winner atomic.Int64
		together(tries, func(i int) {
			err := tab.Transact(t.Context(), table.Create(row("p", "token", i)),
				table.Create(row("p", fmt.Sprint(i), i)))
			var conflict *table.ConflictError
			switch {
			case err == nil:
				won.Add(1)
				winner.Store(int64(i))
			case errors.As(err, &conflict) && sameKeys(conflict.Keys, []table.Key{{PK: "p", SK: "token"}}):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
		if won.Load() != 1 || lost.Load() != tries-1 {
			t.Errorf("%d won, %d lost", won.Load(), lost.Load())
		}
		if got := pages(t, tab, table.Query{PK: "p"}); len(got) != 2 {
			t.Errorf("got rows %q; want the token and the winner's", got)
		}
		if got := count(get(t, tab, table.Key{PK: "p", SK: "token"})); got != int(winner.Load()) {
			t.Errorf("the row is of %d; want the winner's, %d", got, winner.Load())
		}
	}},
	{"sees in every read what was answered before", func(t *testing.T, tab table.Table) {
		together(8, func(i int) {
			pk := fmt.Sprint(i)
			for n := range 10 {
				r := row(pk, fmt.Sprint(n), n)
				if err := tab.Transact(t.Context(), table.Create(r), table.Set(row(pk, "last", n))); err != nil {
					t.Error(err)
					return
				}
				last, err := tab.Get(t.Context(), table.Key{PK: pk, SK: "last"})
				if err != nil || count(last) != n {
					t.Errorf("Get: got %v, %v; want %d", last, err, n)
				}
				page, err := tab.Query(t.Context(), table.Query{PK: pk})
				if err != nil || len(page.Rows) != n+2 {
					t.Errorf("Query: got %d rows, %v; want %d", len(page.Rows), err, n+2)
				}
			}
		})
	}},
}
