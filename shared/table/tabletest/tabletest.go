// Package tabletest holds what tests of tables share: Run, which checks an engine against every sentence of
// table.Table's contract; Faulty, a table that fails when told to; and Memory, a table in memory.
package tabletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/table"
)

// Run runs the suite. Every call of open gives a new, empty table, and cleans up after itself when its test ends.
func Run(t *testing.T, open func(t *testing.T) table.Table) {
	groups := []struct {
		name  string
		tests []test
	}{
		{"Get", getTests},
		{"Query", queryTests},
		{"Transact", transactTests},
		{"Limit", limitTests},
		{"Data", dataTests},
		{"Concurrency", concurrencyTests},
		{"History", historyTests},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
			}
		})
	}
}

type test struct {
	name string
	run  func(t *testing.T, tab table.Table)
}

// row makes a row with a small object in it.
func row(pk, sk string, n int) table.Row {
	return table.Row{Key: table.Key{PK: pk, SK: sk}, Type: "note", Schema: 1,
		Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))}
}

func transact(t *testing.T, tab table.Table, writes ...table.Write) {
	t.Helper()
	if err := tab.Transact(t.Context(), writes...); err != nil {
		t.Fatalf("Transact: %v", err)
	}
}

func get(t *testing.T, tab table.Table, key table.Key) table.Row {
	t.Helper()
	got, err := tab.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get %v: %v", key, err)
	}
	return got
}

func absent(t *testing.T, tab table.Table, key table.Key) {
	t.Helper()
	if got, err := tab.Get(t.Context(), key); !errors.Is(err, table.ErrNotFound) {
		t.Fatalf("Get %v: got %v, %v; want ErrNotFound", key, got, err)
	}
}

// conflict expects that the transaction fails for these keys.
func conflict(t *testing.T, tab table.Table, writes []table.Write, want ...table.Key) {
	t.Helper()
	err := tab.Transact(t.Context(), writes...)
	var conflict *table.ConflictError
	if !errors.Is(err, table.ErrConflict) || !errors.As(err, &conflict) {
		t.Fatalf("Transact: got %v; want a ConflictError", err)
	}
	if !sameKeys(conflict.Keys, want) {
		t.Fatalf("ConflictError: got keys %v; want %v", conflict.Keys, want)
	}
}

func sameKeys(a, b []table.Key) bool {
	byKey := func(a, b table.Key) int { return strings.Compare(a.PK+"\x00"+a.SK, b.PK+"\x00"+b.SK) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byKey), slices.SortedFunc(slices.Values(b), byKey))
}

// same expects a row as it is stored: with its version, with Expires in whole seconds of UTC, with Data equal as JSON.
func same(t testing.TB, got, want table.Row) {
	t.Helper()
	if err := difference(got, want); err != nil {
		t.Fatal(err)
	}
}

func difference(got, want table.Row) error {
	if !sameJSON(got.Data, want.Data) {
		return fmt.Errorf("row %v: got Data %s; want %s", want.Key, short(got.Data), short(want.Data))
	}
	if !want.Expires.IsZero() {
		want.Expires = want.Expires.Truncate(time.Second).UTC()
	}
	got.Data, want.Data = nil, nil
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got row %+v; want %+v", got, want)
	}
	return nil
}

func short(data []byte) []byte { return data[:min(len(data), 500)] }

// sameJSON says whether two texts mean the same: members in any order, numbers equal as decimals.
func sameJSON(a, b []byte) bool {
	x, errX := decode(a)
	y, errY := decode(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

// decode returns a JSON value in which equal numbers are equal strings.
func decode(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	return normal(v), nil
}

func normal(v any) any {
	switch v := v.(type) {
	case json.Number:
		if rat, ok := new(big.Rat).SetString(v.String()); ok {
			return json.Number(rat.RatString())
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = normal(v[name])
		}
	}
	return v
}
