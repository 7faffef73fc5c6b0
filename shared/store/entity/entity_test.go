package entity_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/store/entity"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

func open(t *testing.T) (*entity.Table, *tabletest.Faulty) {
	t.Helper()
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	faulty := &tabletest.Faulty{Table: engine}
	n := 0
	newEventID := func() string { n++; return fmt.Sprintf("e%02d", n) }
	return entity.Open(faulty, func() time.Time { return time.Unix(0, 0).UTC() }, newEventID), faulty
}

func put(t *testing.T, tab *entity.Table, sk string) error {
	t.Helper()
	c := tab.Begin()
	c.Create(entity.Encode(table.Key{PK: "p", SK: sk}, "note", struct{}{}))
	return c.Commit(t.Context())
}

func TestErrorsOfTheTableAreFaults(t *testing.T) {
	for err, want := range map[error]fault.Kind{
		table.ErrNotFound: fault.NotFound, table.ErrConflict: fault.Conflict, table.ErrUnavailable: fault.Unavailable,
		table.ErrLimit: fault.TooLarge, errors.New("the disk is full"): fault.Internal,
	} {
		tab, faulty := open(t)
		faulty.Fault = func(tabletest.Call) tabletest.Fault {
			return tabletest.Fault{Before: fmt.Errorf("engine: %w",
				err)}
		}
		_, _, first := tab.First(t.Context(), table.Query{PK: "p"}, 1)
		_, count := tab.Count(t.Context(), table.Query{PK: "p"}, 1)
		each := tab.Each(t.Context(), table.Query{PK: "p"}, func(table.Row) error { return nil })
		for call, got := range map[string]error{"First": first, "Count": count, "Each": each,
			"Commit": put(t, tab, "s")} {
			if fault.KindOf(got) != want || !errors.Is(got, err) {
				t.Errorf("%s with %v: got %v, want kind %s", call, err, got, want)
			}
		}
	}
}

func TestKeyThatCannotExistIsNotFound(t *testing.T) {
	tab, _ := open(t)
	for _, key := range []table.Key{{PK: "p", SK: "none"}, {PK: "a\x00b", SK: "s"}, {}} {
		if _, err := tab.Get(t.Context(), key, &struct{}{}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("Get %q: got %v, want a NotFound fault", key, err)
		}
		if version, err := tab.Version(t.Context(), key); version != 0 || err != nil {
			t.Errorf("Version %q: got %d, %v, want 0", key, version, err)
		}
	}
}

func TestFirstReadsAsManyRowsAsThereAre(t *testing.T) {
	tab, faulty := open(t)
	for _, sk := range []string{"a", "b", "c"} {
		if err := put(t, tab, sk); err != nil {
			t.Fatal(err)
		}
	}
	for _, faulty.ShortPages = range []bool{false, true} {
		for n, want := range map[int]string{0: "0 ", 1: "1 a", 2: "2 b", 3: "3 ", 10: "3 "} {
			rows, next, err := tab.First(t.Context(), table.Query{PK: "p"}, n)
			if got := fmt.Sprint(len(rows), " ", next); got != want || err != nil {
				t.Errorf("first %d rows, short pages %v: got %q, %v, want %q", n, faulty.ShortPages, got, err, want)
			}
		}
	}
}

// thing is an entity with one index row for each of its names, and a count of its size.
type thing struct {
	Names []string
	Size  int64
}

func (thing) Key() table.Key        { return table.Key{PK: "thing", SK: "THING"} }
func (e thing) Timeline() table.Key { return e.Key() }
func (thing) Of() string            { return "" }
func (e thing) Row() table.Row      { return entity.Encode(e.Key(), "thing", e) }
func (e thing) Facts() any          { return e }

func (e thing) Index(int64) (rows []table.Row) {
	for _, name := range e.Names {
		rows = append(rows, entity.Encode(table.Key{PK: "name", SK: name}, "index", struct{}{}))
	}
	return rows
}

func (e thing) Counted() []entity.Addend {
	key := table.Key{PK: "count", SK: "all"}
	return []entity.Addend{{Sum: key, Class: "things", Fields: map[string]int64{"size": e.Size}}}
}

func TestChangeCarriesIndexCountsAndTimeline(t *testing.T) {
	tab, faulty := open(t)
	first := thing{Names: []string{"a", "b", "b"}, Size: 3}
	second := thing{Names: []string{"b", "c"}, Size: 5}
	third := thing{Names: []string{"c"}, Size: 5}
	c := tab.Begin()
	c.Add(first, entity.Line{By: "x", Action: "added"})
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	faulty.Reset()
	c = tab.Begin()
	c.Change(first, second, 1, entity.Line{By: "x", Action: "resized"})
	c.Change(second, third, 1, entity.Line{By: "x", Action: "renamed", Note: "twice in one changeset"})
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The entity, both events in one row, their row in the audit, the index row c, the deleted a and b, and the count.
	if got := faulty.Counts(); got.RowsWritten != 7 || got.Transacts != 1 {
		t.Errorf("got %+v, want 7 rows in one transaction", got)
	}
	names, _, err := tab.First(t.Context(), table.Query{PK: "name"}, 10)
	if err != nil || len(names) != 1 || names[0].SK != "c" {
		t.Errorf("got index rows %v, %v, want c", names, err)
	}
	var sum map[string]map[string]int64
	_, err = tab.Get(t.Context(), table.Key{PK: "count", SK: "all"}, &sum)
	if err != nil || sum["things"]["size"] != 5 {
		t.Errorf("got count %v, %v, want 5", sum, err)
	}
	events, err := tab.Timeline(t.Context(), first.Key())
	if err != nil || len(events) != 3 || len(events[1].Changes) != 2 || events[2].Note == "" {
		t.Errorf("got events %+v, %v, want three, the second with two changes", events, err)
	}
	c = tab.Begin()
	c.Change(first, second, 1, entity.Line{By: "y", Action: "resized"})
	if err := c.Commit(t.Context()); !entity.IsConflictOn(err, first.Key()) || fault.KindOf(err) != fault.Conflict {
		t.Errorf("change of an old version: got %v, want a Conflict fault", err)
	}
}

// pair is an entity with two index rows under one key, of which the first is written.
type pair struct{ thing }

func (e pair) Row() table.Row { return entity.Encode(e.Key(), "thing", e.thing) }
func (e pair) Index(int64) (rows []table.Row) {
	for _, name := range e.Names {
		rows = append(rows, entity.Encode(table.Key{PK: "name", SK: "same"}, "index", map[string]string{"name": name}))
	}
	return rows
}

func TestFirstOfTwoIndexRowsWithOneKeyIsWritten(t *testing.T) {
	tab, _ := open(t)
	before, after := pair{thing{Names: []string{"a", "b"}}}, pair{thing{Names: []string{"b"}}}
	c := tab.Begin()
	c.Set(entity.Encode(table.Key{PK: "name", SK: "same"}, "index", map[string]string{"name": "a"}))
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	c = tab.Begin()
	c.Create(entity.Encode(before.Key(), "thing", struct{}{}))
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	c = tab.Begin()
	c.Change(before, after, 1, entity.Line{By: "x", Action: "renamed"})
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if _, err := tab.Get(t.Context(), table.Key{PK: "name", SK: "same"}, &got); err != nil || got["name"] != "b" {
		t.Errorf("got index row %v, %v, want b", got, err)
	}
}
