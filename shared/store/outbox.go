package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/table"
)

// MailState is how far a mail of the outbox has come.
type MailState string

const (
	MailPending MailState = "pending" // to be sent, or being sent under a lease
	MailSent    MailState = "sent"
	MailFailed  MailState = "dead" // given up; for people to look at
)

// Mail is a mail of the outbox. The row of a pending one stands a second time under the pending mails, as a reference.
type Mail struct {
	Message mail.Message `json:"message"`
	State   MailState    `json:"state"`
	Created time.Time    `json:"created"`
	// NotBefore is when the mail may be tried (again): the end of the lease while somebody is sending it, or the end of
	// the pause after a failure.
	NotBefore  time.Time `json:"notBefore,omitzero"`
	Attempts   int       `json:"attempts,omitempty"`  // how often sending was begun
	Leased     bool      `json:"leased,omitempty"`    // somebody began to send and has not said how it ended
	Sent       time.Time `json:"sent,omitzero"`       // when the provider took it
	ProviderID string    `json:"carrierId,omitempty"` // under which the provider knows it
	LastError  string    `json:"lastError,omitempty"`
	// MaybeTwice: a lease ran out without an answer, so that the mail may have been sent before.
	MaybeTwice bool `json:"maybeTwice,omitempty"`

	// Reports are what the provider said of it afterwards, in no order; only MailsAbout reads them.
	Reports []Report `json:"-"`

	version int64
}

// outboxWrites are the writes that put a message into the outbox. A message whose ID is there already makes the
// transaction fail with a conflict on mailKey(m.ID): one cause, one mail.
func (s *Store) outboxWrites(m mail.Message) []table.Write {
	return []table.Write{
		table.Create(encode(mailKey(m.ID), rowMail, Mail{Message: m, State: MailPending, Created: s.now()})),
		table.Set(encode(pendingKey(m.ID), rowPending, struct{}{})),
		table.Set(encode(aboutKey(m), rowIndex, struct{}{})),
	}
}

// WakesMailer reports whether a write puts a mail into the outbox that is to be sent: what the table's stream wakes the
// mailer for.
func WakesMailer(w table.Write) bool {
	return !w.Delete && w.Row.PK == pendingPK && strings.HasPrefix(w.Row.SK, pendingPrefix)
}

// PendingMail reads the IDs of mails that are to be sent, in the order of their IDs, at most limit and from after on
// ("" begins). Some may not be due yet, or be under somebody's lease; ClaimMail tells.
func (s *Store) PendingMail(ctx context.Context, after string, limit int) (ids []string, err error) {
	q := table.Prefix(pendingPK, pendingPrefix)
	q.Limit = limit
	if after != "" {
		q.After = pendingKey(after).SK
	}
	for len(ids) < limit {
		page, err := s.table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("store: pending mails: %w", err)
		}
		for _, row := range page.Rows {
			ids = append(ids, row.SK[len(pendingPrefix):])
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	return ids[:min(len(ids), limit)], nil
}

// ErrNotClaimed: the mail is not to be sent now, by this caller: it was sent, it is under a lease, or its pause is not over.
var ErrNotClaimed = errors.New("store: the mail is not to be sent now")

// ClaimMail takes a pending mail for the length of a lease, in which nobody else gets it. The caller sends it and says how
// that ended with RecordSent, RetryMail, ReleaseMail, FailMail or FailSuppressed. ErrNotClaimed where it is not to be had.
func (s *Store) ClaimMail(ctx context.Context, id string, lease time.Duration) (Mail, error) {
	m, err := s.Mail(ctx, id)
	if err != nil {
		return Mail{}, err
	}
	now := s.now()
	if m.State != MailPending || now.Before(m.NotBefore) {
		return Mail{}, ErrNotClaimed
	}
	m.MaybeTwice = m.MaybeTwice || m.Leased
	m.Leased = true
	m.Attempts++
	m.NotBefore = now.Add(lease)
	err = s.table.Transact(ctx, table.Update(at(encode(mailKey(id), rowMail, m), m.version)))
	if errors.Is(err, table.ErrConflict) {
		return Mail{}, ErrNotClaimed
	}
	if err != nil {
		return Mail{}, fmt.Errorf("store: claiming mail %s: %w", id, err)
	}
	m.version++
	return m, nil
}

// RecordSent notes that the provider took a claimed mail.
func (s *Store) RecordSent(ctx context.Context, m Mail, providerID string) error {
	m.State, m.Sent, m.ProviderID, m.LastError = MailSent, s.now(), providerID, ""
	return s.closeMail(ctx, m)
}

// FailMail notes that a claimed mail will never be taken, and why.
func (s *Store) FailMail(ctx context.Context, m Mail, cause error) error {
	return s.failMail(ctx, m, cause)
}

func (s *Store) failMail(ctx context.Context, m Mail, cause error, more ...table.Write) error {
	m.State, m.LastError = MailFailed, cause.Error()
	return s.closeMail(ctx, m, append(more, table.Set(encode(deadKey(s.now(), m.Message.ID), rowDead,
		deadMail{string(m.Message.Kind), m.Message.About, m.LastError})))...)
}

func (s *Store) closeMail(ctx context.Context, m Mail, more ...table.Write) error {
	m.Leased, m.NotBefore = false, time.Time{}
	err := s.table.Transact(ctx, append(more,
		table.Update(at(encode(mailKey(m.Message.ID), rowMail, m), m.version)),
		table.Delete(pendingKey(m.Message.ID), table.Any))...)
	if err != nil {
		return fmt.Errorf("store: recording mail %s as %s: %w", m.Message.ID, m.State, err)
	}
	return nil
}

// RetryMail gives a claimed mail back after a failure, to be tried again from the time on.
func (s *Store) RetryMail(ctx context.Context, m Mail, cause error, from time.Time) error {
	m.LastError, m.NotBefore = cause.Error(), from.UTC()
	return s.reopenMail(ctx, m)
}

// ReleaseMail gives a claimed mail back untried, as if it had not been claimed.
func (s *Store) ReleaseMail(ctx context.Context, m Mail) error {
	m.Attempts--
	m.NotBefore = time.Time{}
	return s.reopenMail(ctx, m)
}

func (s *Store) reopenMail(ctx context.Context, m Mail) error {
	m.Leased = false
	if err := s.table.Transact(ctx, table.Update(at(encode(mailKey(m.Message.ID), rowMail, m), m.version))); err != nil {
		return fmt.Errorf("store: giving mail %s back: %w", m.Message.ID, err)
	}
	return nil
}

// Mail reads a mail of the outbox; a NotFound fault where there is none.
func (s *Store) Mail(ctx context.Context, id string) (Mail, error) {
	var m Mail
	version, err := s.get(ctx, mailKey(id), &m)
	if err != nil {
		return Mail{}, notFound(err, "There is no mail %s.", id)
	}
	m.version = version
	return m, nil
}

// MailsAbout reads the mails about a request or a license, at most limit, in the order in which they were made.
func (s *Store) MailsAbout(ctx context.Context, id string, limit int) (list []Mail, err error) {
	page, err := s.table.Query(ctx, table.Query{PK: aboutPK(id), Limit: limit})
	if err != nil {
		return nil, fmt.Errorf("store: mails about %s: %w", id, err)
	}
	for _, row := range page.Rows {
		m, err := s.mailWithReports(ctx, row.SK)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b Mail) int { return a.Created.Compare(b.Created) })
	return list, nil
}

// decode reads an entity from a row that a query gave.
func decode[T any](row table.Row) (T, error) {
	var v T
	if err := json.Unmarshal(row.Data, &v); err != nil {
		return v, fault.Wrap(fault.Internal, err, "store: decoding %v", row.Key)
	}
	return v, nil
}
