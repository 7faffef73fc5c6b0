package tabletest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/table"
)

// model is the contract without an engine: what a table holds after the transactions so far.
type model map[table.Key]table.Row

// transact returns the keys in the way, or applies the writes.
func (m model) transact(writes []table.Write) (conflicts []table.Key) {
	for _, w := range writes {
		if w.Expect != table.Any && m[w.Row.Key].Version != w.Expect {
			conflicts = append(conflicts, w.Row.Key)
		}
	}
	if conflicts != nil {
		return conflicts
	}
	for _, w := range writes {
		if w.Delete {
			delete(m, w.Row.Key)
			continue
		}
		w.Row.Version = m[w.Row.Key].Version + 1
		m[w.Row.Key] = w.Row
	}
	return nil
}

func (m model) sortKeys(pk string) (sks []string) {
	for key := range m {
		if key.PK == pk {
			sks = append(sks, key.SK)
		}
	}
	slices.Sort(sks)
	return sks
}

var historyTests = []test{
	{"of random calls is that of the model", func(t *testing.T, tab table.Table) {
		histories := 0
		rapid.Check(t, func(rt *rapid.T) {
			histories++
			h := history{Table: tab, model: model{}, t: t}
			for _, name := range []string{"p", "p\x01", "é"} {
				h.pks = append(h.pks, fmt.Sprintf("%s %d", name, histories))
			}
			rt.Repeat(map[string]func(*rapid.T){"transact": h.transact, "get": h.get, "query": h.query})
		})
	}},
}

// history is one run of a table beside its model, in partitions of its own.
type history struct {
	table.Table
	model model
	pks   []string
	t     *testing.T
}

func (h *history) key() *rapid.Generator[table.Key] {
	return rapid.Custom(func(rt *rapid.T) table.Key {
		return table.Key{PK: rapid.SampledFrom(h.pks).Draw(rt, "pk"), SK: rapid.SampledFrom(sortKeys).Draw(rt, "sk")}
	})
}

func (h *history) transact(rt *rapid.T) {
	var writes []table.Write
	for _, key := range rapid.SliceOfNDistinct(h.key(), 1, 6, rapid.ID[table.Key]).Draw(rt, "keys") {
		w := table.Write{Row: row(key.PK, key.SK, rapid.IntRange(0, 9).Draw(rt, "n"))}
		w.Row.Schema = rapid.IntRange(0, 3).Draw(rt, "schema")
		if rapid.Bool().Draw(rt, "expires") {
			w.Row.Expires = time.Unix(rapid.Int64Range(1, 1<<33).Draw(rt, "at"), 0)
		}
		w.Delete = rapid.IntRange(0, 3).Draw(rt, "delete") == 0
		w.Expect = rapid.SampledFrom([]int64{h.model[key].Version, h.model[key].Version, h.model[key].Version,
			table.Any, 0, 1, 2}).Draw(rt, "expect")
		writes = append(writes, w)
	}
	want := h.model.transact(writes)
	err := h.Transact(h.t.Context(), writes...)
	var conflict *table.ConflictError
	if want == nil && err != nil {
		rt.Fatalf("Transact: %v", err)
	}
	if want != nil && (!errors.As(err, &conflict) || !sameKeys(conflict.Keys, want)) {
		rt.Fatalf("Transact: got %v; want conflicts %v", err, want)
	}
}

func (h *history) get(rt *rapid.T) {
	key := h.key().Draw(rt, "key")
	want, ok := h.model[key]
	got, err := h.Get(h.t.Context(), key)
	if !ok && !errors.Is(err, table.ErrNotFound) {
		rt.Fatalf("Get: got %v, %v; want ErrNotFound", got, err)
	}
	if !ok {
		return
	}
	if err != nil {
		rt.Fatalf("Get: %v", err)
	}
	if err := difference(got, want); err != nil {
		rt.Fatal(err)
	}
}

func (h *history) query(rt *rapid.T) {
	bound := rapid.OneOf(rapid.Just(""), rapid.SampledFrom(sortKeys))
	q := table.Query{
		PK:         rapid.SampledFrom(h.pks).Draw(rt, "pk"),
		From:       bound.Draw(rt, "from"),
		To:         bound.Draw(rt, "to"),
		After:      bound.Draw(rt, "after"),
		Descending: rapid.Bool().Draw(rt, "descending"),
		Limit:      rapid.IntRange(0, 4).Draw(rt, "limit"),
	}
	want := among(h.model.sortKeys(q.PK), q)
	var got []string
	err := table.All(h.t.Context(), h, q, func(r table.Row) error {
		if got = append(got, r.SK); len(got) > len(sortKeys) {
			return errors.New("more rows than there can be")
		}
		return difference(r, h.model[r.Key])
	})
	if err != nil || !slices.Equal(got, want) {
		rt.Fatalf("Query %s: got %+q, %v; want %+q", describe(q), got, err, want)
	}
}
