package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"marketplace/shared/table"
)

// Event is a line of the timeline of a request or a license. Events are only ever added.
type Event struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`     // UTC
	By     string    `json:"by"`     // who did it: Customer, System, or an operator's e-mail address
	Action Action    `json:"action"` // what was done
	Note   string    `json:"note,omitempty"`
	// Changes are the fields that it changed, in the order of their names.
	Changes []Change `json:"changes,omitempty"`
}

// Change is a field before and after, as JSON has its value; "" where it was absent.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// changes are the fields in which two states of an entity differ.
func changes(before, after any) (list []Change) {
	was, is := fields(before), fields(after)
	for _, name := range slices.Sorted(maps.Keys(merged(was, is))) {
		if b, a := string(was[name]), string(is[name]); b != a {
			list = append(list, Change{name, b, a})
		}
	}
	return list
}

// fields are the members of an entity's JSON.
func fields(v any) (members map[string]json.RawMessage) {
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &members)
	}
	if err != nil {
		panic("store: an entity is not a JSON object: " + err.Error())
	}
	return members
}

func merged(a, b map[string]json.RawMessage) map[string]json.RawMessage {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// Action is what an event tells.
type Action string

const (
	RequestReceived Action = "request received"
	LicenseRecorded Action = "license recorded"
	LicenseFollowed Action = "successor recorded"
	LicenseAlone    Action = "successor revoked"
	ReminderQueued  Action = "reminder queued"
)

// Who acts where no operator does.
const (
	Customer = "customer"
	System   = "system"
)

// eventWrite adds a line to the timeline of the entity under the key.
func (s *Store) eventWrite(entity table.Key, by string, action Action, note string, changed []Change) table.Write {
	e := Event{ID: s.newEventID(), At: s.now(), By: by, Action: action, Note: note, Changes: changed}
	return table.Create(encode(eventKey(entity, e.ID), rowEvent, e))
}

// RequestTimeline reads what happened to a request, oldest first.
func (s *Store) RequestTimeline(ctx context.Context, id string) ([]Event, error) {
	return s.timeline(ctx, requestKey(id))
}

// LicenseTimeline reads what happened to a license, oldest first.
func (s *Store) LicenseTimeline(ctx context.Context, id string) ([]Event, error) {
	return s.timeline(ctx, licenseKey(id))
}

func (s *Store) timeline(ctx context.Context, entity table.Key) (events []Event, err error) {
	err = table.All(ctx, s.table, table.Prefix(entity.PK, eventPrefix), func(row table.Row) error {
		e, err := decode[Event](row)
		events = append(events, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: timeline of %s: %w", entity.PK, err)
	}
	return events, nil
}
