package tabletest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/table"
)

var getTests = []test{
	{"returns a row as it was written, with the version that the engine set", func(t *testing.T, tab table.Table) {
		want := row("p", "s", 1)
		want.Type, want.Schema, want.Version = "request", 7, 99
		want.Expires = time.Date(2031, 2, 3, 4, 5, 6, 789, time.FixedZone("", 3600))
		transact(t, tab, table.Create(want))
		want.Version = 1
		same(t, get(t, tab, want.Key), want)
	}},
	{"is ErrNotFound where there is no row", func(t *testing.T, tab table.Table) {
		transact(t, tab, table.Create(row("p", "s", 1)))
		absent(t, tab, table.Key{PK: "p", SK: "t"})
		absent(t, tab, table.Key{PK: "q", SK: "s"})
		absent(t, tab, table.Key{PK: "s", SK: "p"})
	}},
	{"tells keys apart whose parts run together alike", func(t *testing.T, tab table.Table) {
		a, b := row("ab", "c", 1), row("a", "bc", 2)
		transact(t, tab, table.Create(a), table.Create(b))
		a.Version, b.Version = 1, 1
		same(t, get(t, tab, a.Key), a)
		same(t, get(t, tab, b.Key), b)
	}},
	{"refuses what cannot be a key", func(t *testing.T, tab table.Table) {
		for _, key := range badKeys() {
			if _, err := tab.Get(t.Context(), key); !errors.Is(err, table.ErrLimit) {
				t.Errorf("Get %.20q: got %v; want ErrLimit", key, err)
			}
		}
	}},
	{"gives up when the context has ended", func(t *testing.T, tab table.Table) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := tab.Get(ctx, table.Key{PK: "p", SK: "s"})
		givenUp(t, err)
	}},
	{"returns memory that is the caller's own", func(t *testing.T, tab table.Table) {
		want := row("p", "s", 1)
		written := want
		written.Data = slices.Clone(want.Data)
		transact(t, tab, table.Create(written))
		clear(written.Data)
		want.Version = 1
		read := get(t, tab, want.Key)
		same(t, read, want)
		clear(read.Data)
		same(t, get(t, tab, want.Key), want)
	}},
}

func badKeys() []table.Key {
	long := strings.Repeat("k", max(table.MaxPK, table.MaxSK)+1)
	return []table.Key{
		{}, {PK: "p"}, {SK: "s"},
		{PK: long, SK: "s"}, {PK: "p", SK: long},
		{PK: "p\x00", SK: "s"}, {PK: "p", SK: "\x00s"},
		{PK: "p\xff", SK: "s"}, {PK: "p", SK: "\xc3"},
	}
}

// givenUp expects the error of a call whose context was cancelled.
func givenUp(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) || !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("got %v; want context.Canceled and ErrUnavailable", err)
	}
}

// sortKeys are in the order of their bytes. It is not the order of their UTF-16 units, nor of any language.
var sortKeys = []string{"\x01", " ", "#1", "10", "9", "A", "Z", "a", "a#", "a#1", "a#2", "aa", "b", "z\u0301", "\x7f",
	"é", "ﬀ", "\uffff", "😀", "\U0010ffff"}

func writeSortKeys(t *testing.T, tab table.Table) {
	t.Helper()
	var writes []table.Write
	for i, sk := range sortKeys {
		writes = append(writes, table.Create(row("p", sk, i)), table.Create(row("o", sk, i)),
			table.Create(row("p\x01", sk, i)))
	}
	transact(t, tab, writes...)
}

func describe(q table.Query) string {
	return fmt.Sprintf("%+q from %+q to %+q after %+q, descending %v, limit %d", q.PK, q.From, q.To, q.After,
		q.Descending, q.Limit)
}

// pages reads a query page by page, by no more than limit rows, and returns the rows' sort keys.
func pages(t *testing.T, tab table.Table, q table.Query) (sks []string) {
	t.Helper()
	for range 10_000 {
		page, err := tab.Query(t.Context(), q)
		if err != nil {
			t.Fatalf("Query %s: %v", describe(q), err)
		}
		if q.Limit > 0 && len(page.Rows) > q.Limit {
			t.Fatalf("Query %s: %d rows", describe(q), len(page.Rows))
		}
		for _, r := range page.Rows {
			if r.PK != q.PK {
				t.Fatalf("Query %s: row of partition %q", describe(q), r.PK)
			}
			sks = append(sks, r.SK)
		}
		if page.Next == "" {
			return sks
		}
		q.After = page.Next
	}
	t.Fatalf("Query %s: does not end", describe(q))
	return nil
}

// among returns the sort keys that a query should find among all, which are sorted.
func among(all []string, q table.Query) (sks []string) {
	for _, sk := range all {
		beyond := q.After == "" || sk > q.After
		if q.Descending {
			beyond = q.After == "" || sk < q.After
		}
		if sk >= q.From && (q.To == "" || sk < q.To) && beyond {
			sks = append(sks, sk)
		}
	}
	if q.Descending {
		slices.Reverse(sks)
	}
	return sks
}

var queryTests = []test{
	{"finds nothing in an empty partition", func(t *testing.T, tab table.Table) {
		transact(t, tab, table.Create(row("p", "s", 1)))
		for _, pk := range []string{"o", "q", "p1"} {
			if got := pages(t, tab, table.Query{PK: pk}); len(got) > 0 {
				t.Errorf("partition %q: got %q", pk, got)
			}
		}
	}},
	{"returns rows as they were written", func(t *testing.T, tab table.Table) {
		a, b := row("p", "a", 1), row("p", "b", 2)
		a.Expires = time.Unix(2_000_000_000, 0)
		transact(t, tab, table.Create(a), table.Create(b))
		transact(t, tab, table.Set(b))
		page, err := tab.Query(t.Context(), table.Query{PK: "p"})
		if err != nil || len(page.Rows) != 2 {
			t.Fatalf("Query: got %v, %v; want two rows", page, err)
		}
		a.Version, b.Version = 1, 2
		same(t, page.Rows[0], a)
		same(t, page.Rows[1], b)
	}},
	{"treats bounds as half-open and compares sort keys by bytes, both ways, in pages of any size",
		func(t *testing.T, tab table.Table) {
			writeSortKeys(t, tab)
			bounds := []string{"", "\x01", "!", "a#", "a#1", "b", "é", "\ufffe", "\uffff", "😀", "\U0010ffff"}
			for _, from := range bounds {
				for _, to := range bounds {
					for _, descending := range []bool{false, true} {
						for _, limit := range []int{0, 3} {
							q := table.Query{PK: "p", From: from, To: to, Descending: descending, Limit: limit}
							if got, want := pages(t, tab, q), among(sortKeys, q); !slices.Equal(got, want) {
								t.Errorf("%s:\n got %+q\nwant %+q", describe(q), got, want)
							}
						}
					}
				}
			}
		}},
	{"begins beyond any After, a row's or not, within the bounds or not", func(t *testing.T, tab table.Table) {
		writeSortKeys(t, tab)
		for _, after := range []string{"\x01", "!", "a", "a#1", "a#11", "b", "c", "😀", "\U0010ffff"} {
			for _, descending := range []bool{false, true} {
				for _, bounds := range [][2]string{{"", ""}, {"a", ""}, {"", "b"}, {"a", "b"}, {"a#1", "a#2"}} {
					q := table.Query{PK: "p", From: bounds[0], To: bounds[1], Descending: descending, After: after,
						Limit: 2}
					if got, want := pages(t, tab, q), among(sortKeys, q); !slices.Equal(got, want) {
						t.Errorf("%s:\n got %+q\nwant %+q", describe(q), got, want)
					}
				}
			}
		}
	}},
	{"continues after a row that was deleted meanwhile", func(t *testing.T, tab table.Table) {
		for _, descending := range []bool{false, true} {
			pk := fmt.Sprint(descending)
			for _, sk := range []string{"a", "b", "c", "d"} {
				transact(t, tab, table.Create(row(pk, sk, 1)))
			}
			q := table.Query{PK: pk, Limit: 2, Descending: descending}
			page, err := tab.Query(t.Context(), q)
			if err != nil || len(page.Rows) != 2 || page.Next == "" {
				t.Fatalf("Query: got %v, %v; want two rows and more", page, err)
			}
			last := page.Rows[1].Key
			transact(t, tab, table.Delete(last, 1))
			q.After = page.Next
			all := []string{"a", "b", "c", "d"}
			if got, want := pages(t, tab, q), among(all,
				table.Query{After: last.SK, Descending: descending}); !slices.Equal(got, want) {
				t.Errorf("descending %v: got %q; want %q", descending, got, want)
			}
		}
	}},
	{"reads all rows of a partition larger than a page", func(t *testing.T, tab table.Table) {
		var all []string
		data := json.RawMessage(`{"s":"` + strings.Repeat("x", 300<<10) + `"}`)
		for i := range 8 {
			r := row("p", fmt.Sprint(i), 0)
			r.Data = data
			transact(t, tab, table.Create(r))
			all = append(all, r.SK)
		}
		for _, descending := range []bool{false, true} {
			q := table.Query{PK: "p", Limit: 1000, Descending: descending}
			if got, want := pages(t, tab, q), among(all, q); !slices.Equal(got, want) {
				t.Errorf("descending %v: got %q; want %q", descending, got, want)
			}
			bounded := table.Query{PK: "p", From: "1", To: "7", Descending: descending}
			if got, want := pages(t, tab, bounded), among(all, bounded); !slices.Equal(got, want) {
				t.Errorf("bounded, descending %v: got %q; want %q", descending, got, want)
			}
		}
	}},
	{"returns 100 rows unless asked, and never more than 1000", func(t *testing.T, tab table.Table) {
		var all []string
		for i := range 11 {
			var writes []table.Write
			for j := range 100 {
				sk := fmt.Sprintf("%04d", i*100+j)
				all = append(all, sk)
				writes = append(writes, table.Create(row("p", sk, 0)))
			}
			transact(t, tab, writes...)
		}
		for limit, most := range map[int]int{0: 100, 1: 1, 999: 999, 1000: 1000, 5000: 1000, -1: 100} {
			page, err := tab.Query(t.Context(), table.Query{PK: "p", Limit: limit})
			if err != nil || len(page.Rows) > most || page.Next == "" {
				t.Errorf("limit %d: got %d rows, next %q, %v; want at most %d and more", limit, len(page.Rows),
					page.Next, err, most)
			}
			if got := pages(t, tab, table.Query{PK: "p", Limit: limit, From: "0995"}); !slices.Equal(got, all[995:]) {
				t.Errorf("limit %d: got %d rows from 0995 on", limit, len(got))
			}
		}
		n := 0
		err := table.All(t.Context(), tab, table.Query{PK: "p"}, func(table.Row) error { n++; return nil })
		if err != nil || n != len(all) {
			t.Errorf("All: %d rows, %v; want %d", n, err, len(all))
		}
	}},
	{"finds by prefix", func(t *testing.T, tab table.Table) {
		writeSortKeys(t, tab)
		for prefix, want := range map[string][]string{"a#": {"a#", "a#1", "a#2"}, "a": {"a", "a#", "a#1", "a#2", "aa"},
			"\x7f": {"\x7f"}, "c": nil} {
			if got := pages(t, tab, table.Prefix("p", prefix)); !slices.Equal(got, want) {
				t.Errorf("prefix %q: got %q; want %q", prefix, got, want)
			}
		}
	}},
	{"refuses what cannot be a key or a bound", func(t *testing.T, tab table.Table) {
		long := strings.Repeat("k", table.MaxPK+1)
		for _, q := range []table.Query{
			{}, {PK: long}, {PK: "p\x00"}, {PK: "\xff"},
			{PK: "p", From: long}, {PK: "p", To: "\x00"}, {PK: "p", After: "\xff"},
		} {
			if _, err := tab.Query(t.Context(), q); !errors.Is(err, table.ErrLimit) {
				t.Errorf("Query %.100s: got %v; want ErrLimit", describe(q), err)
			}
		}
	}},
	{"gives up when the context has ended", func(t *testing.T, tab table.Table) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := tab.Query(ctx, table.Query{PK: "p"})
		givenUp(t, err)
	}},
}
