package store

import (
	"context"
	"fmt"
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
}

// Action is what an event tells.
type Action string

const (
	RequestReceived Action = "request received"
	LicenseRecorded Action = "license recorded"
	LicenseFollowed Action = "successor recorded"
	ReminderQueued  Action = "reminder queued"
)

// Who acts where no operator does.
const (
	Customer = "customer"
	System   = "system"
)

// eventWrite adds a line to the timeline of the entity under the key.
func (s *Store) eventWrite(entity table.Key, by string, action Action, note string) table.Write {
	e := Event{ID: s.newID(), At: s.now(), By: by, Action: action, Note: note}
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
