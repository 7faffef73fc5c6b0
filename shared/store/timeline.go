package store

import (
	"context"
	"fmt"

	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// What a timeline consists of.
type (
	Event  = entity.Event  // a line of the timeline of a request or a license
	Action = entity.Action // what was done
	Change = entity.Change // a field before and after
)

// Who acts if it is not an operator.
const (
	Customer = "customer"
	System   = "system"
)

// Actions on requests.
const (
	RequestReceived  Action = "request received"
	EmailCorrected   Action = "email corrected"
	RequestTaken     Action = "taken into review"
	RequestTakenOver Action = "taken over"
	CustomerAsked    Action = "customer asked"
	RequestResumed   Action = "review resumed"
	RequestRejected  Action = "rejected"
	RequestWithdrawn Action = "withdrawn"
	RequestIssued    Action = "issued"
	NoteAdded        Action = "note added"
)

// Actions on licenses.
const (
	LicenseRecorded         Action = "license recorded"
	LicenseIssued           Action = "license issued"
	LicenseReplaced         Action = "license replaced"
	LicenseRevoked          Action = "license revoked"
	LicenseSuccessorSet     Action = "successor recorded"
	LicenseSuccessorRevoked Action = "successor revoked"
	WarningsConfirmed       Action = "warnings confirmed"
	PackageTailored         Action = "package tailored" // a custom package was made
	KeySentAgain            Action = "key sent again"
	RemindersMuted          Action = "reminders muted"
	RemindersOn             Action = "reminders resumed"
	ReminderQueued          Action = "reminder queued"
)

// Subject names the license or the request on whose timeline something is told: one of the two.
type Subject struct{ License, Request string }

// Key is the row of the license or request.
func (s Subject) Key() table.Key {
	if s.License != "" {
		return rowkey.License(s.License)
	}
	return rowkey.Request(s.Request)
}

// RequestTimeline reads what happened to a request, oldest first.
func (s *Store) RequestTimeline(ctx context.Context, id string) ([]Event, error) {
	return s.timeline(ctx, Subject{Request: id})
}

// LicenseTimeline reads what happened to a license, oldest first.
func (s *Store) LicenseTimeline(ctx context.Context, id string) ([]Event, error) {
	return s.timeline(ctx, Subject{License: id})
}

func (s *Store) timeline(ctx context.Context, of Subject) ([]Event, error) {
	events, err := s.table.Timeline(ctx, of.Key())
	if err != nil {
		return nil, fmt.Errorf("store: timeline of %s: %w", of.Key().PK, err)
	}
	return events, nil
}
