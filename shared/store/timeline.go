package store

import (
	"context"
	"fmt"
	"strings"

	"marketplace/shared/mail"
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

// Actions about addresses, and about mails that did not arrive.
const (
	MailBounced       Action = "mail bounced"
	MailComplained    Action = "complaint about a mail"
	MailRefused       Action = "mail refused by the carrier"
	MailReturned      Action = "mail returned"
	MailAnswered      Action = "mail returned or answered automatically"
	MailDelayed       Action = "mail delayed"
	MailRepeated      Action = "mail is sent again in a day"
	MailReaddressed   Action = "mail goes to the next contact"
	ContactsUnreached Action = "no contact can be reached"
	MailTriedAgain    Action = "mail tried again"
	MailSentAgain     Action = "mail sent again"
	SuppressionLifted Action = "mail to the address allowed again"
)

// MailNote is the note of an event about a mail: its kind, and its recipient if that is a customer. ParseMailNote reads
// it.
func MailNote(k mail.Kind, to string) string { return strings.TrimSpace(string(k) + " " + to) }

// ParseMailNote returns the kind and the recipient of a mail in a note of MailNote.
func ParseMailNote(note string) (k mail.Kind, to string) {
	kind, to, _ := strings.Cut(note, " ")
	return mail.Kind(kind), to
}

// Subject names the license or the request on whose timeline something is told: one of the two.
type Subject struct{ License, Request string }

func (s Subject) key() table.Key {
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
	events, err := s.table.Timeline(ctx, of.key())
	if err != nil {
		return nil, fmt.Errorf("store: timeline of %s: %w", of.key().PK, err)
	}
	return events, nil
}
