package entity

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"time"

	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Event is a line of the timeline of a request or a license. Events are only ever added.
type Event struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`     // UTC
	By     string    `json:"by"`     // who did it: store.Customer, store.System, or an operator's email address
	Action Action    `json:"action"` // what was done
	Note   string    `json:"note,omitempty"`
	// Changes are the fields that changed, in the order of their names.
	Changes []Change `json:"changes,omitempty"`
}

// LogValue implements slog.LogValuer. It leaves out who did it, which may be an operator's address.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", e.ID), slog.String("action", string(e.Action)))
}

// Action is what was done to an entity, as its timeline says it.
type Action string

// Change is a field before and after, as JSON has its value; "" if it was absent.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Line is what a change adds to a timeline.
type Line struct {
	By     string
	Action Action
	Note   string // "" for none
}

// event makes the row of an event in the timeline of the entity under the key.
func (t *Table) event(entity table.Key, l Line, changed []Change) table.Row {
	e := Event{ID: t.newEventID(), At: t.now(), By: l.By, Action: l.Action, Note: l.Note, Changes: changed}
	return Encode(rowkey.Event(entity, e.ID), rowkey.TypeEvent, e)
}

// Timeline reads what happened to the entity under the key, oldest first.
func (t *Table) Timeline(ctx context.Context, entity table.Key) (events []Event, err error) {
	err = t.Each(ctx, table.Prefix(entity.PK, rowkey.EventPrefix), func(row table.Row) error {
		e, err := Decode[Event](row)
		events = append(events, e)
		return err
	})
	return events, err
}

// difference lists the fields in which two states of an entity differ, given as JSON objects.
func difference(before, after json.RawMessage) (changed []Change) {
	was, is := members(before), members(after)
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if b, a := string(was[name]), string(is[name]); b != a {
			changed = append(changed, Change{name, b, a})
		}
	}
	return changed
}

func members(object json.RawMessage) (m map[string]json.RawMessage) {
	if err := json.Unmarshal(object, &m); err != nil {
		panic("store: an entity is not a JSON object: " + err.Error())
	}
	return m
}
