package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// MailState is the state of a mail in the outbox.
type MailState string

// States of a mail.
const (
	MailPending MailState = "pending" // to be sent, or being sent under a lease
	MailSent    MailState = "sent"
	MailFailed  MailState = "dead" // given up; for people to look at
)

// Mail is a mail of the outbox.
type Mail struct {
	Message mail.Message `json:"message"`
	State   MailState    `json:"state"`
	Created time.Time    `json:"created"`
	// NotBefore is when the mail may be tried (again): the end of the lease while somebody is sending it, or the end of
	// the pause after a failure.
	NotBefore  time.Time `json:"notBefore,omitzero"`
	Attempts   int       `json:"attempts,omitempty"`  // how often sending was begun
	Leased     bool      `json:"leased,omitempty"`    // somebody began to send and has not said how it ended
	Sent       time.Time `json:"sent,omitzero"`       // when the provider accepted it
	ProviderID string    `json:"carrierId,omitempty"` // the provider's ID of it
	LastError  string    `json:"lastError,omitempty"`
	// MaybeTwice: a lease ran out without an answer, so that the mail may have been sent before.
	MaybeTwice bool `json:"maybeTwice,omitempty"`

	// Reports are what the provider reported about it, in no order; only MailsAbout reads them.
	Reports []Report `json:"-"`

	version int64
}

// LogValue implements slog.LogValuer.
func (m Mail) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("message", m.Message), slog.String("state", string(m.State)),
		slog.Int("attempts", m.Attempts))
}

func (m Mail) row() table.Row { return entity.Encode(rowkey.Mail(m.Message.ID), rowkey.TypeMail, m) }

// queue puts messages into the outbox. A message whose ID was queued before gets in the way of the changeset, with the
// key of its mail: one cause, one mail.
func (c *changeset) queue(messages ...mail.Message) {
	for _, m := range messages {
		about := table.Key{PK: rowkey.AboutPK(m.About), SK: m.ID}
		c.Create(Mail{Message: m, State: MailPending, Created: c.store.now()}.row())
		c.Set(entity.Encode(rowkey.Pending(m.ID), rowkey.TypePending, struct{}{}))
		c.Set(entity.Encode(about, rowkey.TypeIndex, struct{}{}))
	}
}

// WakesMailer reports whether a write queues a mail to send: the table's stream wakes the mailer for it.
func WakesMailer(w table.Write) bool {
	return !w.Delete && w.Row.PK == rowkey.PendingPK && strings.HasPrefix(w.Row.SK, rowkey.PendingPrefix)
}

// PendingMail reads the IDs of mails to send, in the order of their IDs, at most limit and from after on ("" begins).
// Some may not be due yet, or be under somebody's lease; ClaimMail tells.
func (s *Store) PendingMail(ctx context.Context, after string, limit int) (ids []string, err error) {
	q := table.Prefix(rowkey.PendingPK, rowkey.PendingPrefix)
	if after != "" {
		q.After = rowkey.Pending(after).SK
	}
	rows, _, err := s.table.First(ctx, q, limit)
	if err != nil {
		return nil, fmt.Errorf("store: pending mails: %w", err)
	}
	for _, row := range rows {
		ids = append(ids, row.SK[len(rowkey.PendingPrefix):])
	}
	return ids, nil
}

// ErrNotClaimed means that the caller must not send the mail now: it was sent, it is under a lease, or it is paused.
var ErrNotClaimed = errors.New("store: the mail is not to be sent now")

// ClaimMail reserves a pending mail for the length of a lease, in which nobody else gets it. The caller sends it and
// says how that ended with RecordSent, RetryMail, ReleaseMail, FailMail or FailSuppressed. ErrNotClaimed if it is not
// available.
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
	c := s.begin()
	c.Update(m.row(), m.version)
	err = c.Commit(ctx)
	if fault.KindOf(err) == fault.Conflict {
		return Mail{}, ErrNotClaimed
	}
	if err != nil {
		return Mail{}, fmt.Errorf("store: claiming mail %s: %w", id, err)
	}
	m.version++
	return m, nil
}

// RecordSent notes that the provider accepted a claimed mail.
func (s *Store) RecordSent(ctx context.Context, m Mail, providerID string) error {
	m.State, m.Sent, m.ProviderID, m.LastError = MailSent, s.now(), providerID, ""
	return s.begin().closeMail(ctx, m)
}

// FailMail marks a claimed mail as failed and records the cause.
func (s *Store) FailMail(ctx context.Context, m Mail, cause error) error {
	return s.begin().failMail(ctx, m, cause.Error())
}

// failMail commits the changeset together with the failure of a claimed mail.
func (c *changeset) failMail(ctx context.Context, m Mail, why string) error {
	m.State, m.LastError = MailFailed, why
	failed := failedMail{string(m.Message.Kind), m.Message.About, why}
	c.Set(entity.Encode(rowkey.Failed(c.store.now(), m.Message.ID), rowkey.TypeFailed, failed))
	return c.closeMail(ctx, m)
}

// closeMail commits the changeset together with a claimed mail that is not to be sent any more.
func (c *changeset) closeMail(ctx context.Context, m Mail) error {
	m.Leased, m.NotBefore = false, time.Time{}
	c.Update(m.row(), m.version)
	c.Delete(rowkey.Pending(m.Message.ID), table.Any)
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("store: recording mail %s as %s: %w", m.Message.ID, m.State, err)
	}
	return nil
}

// RetryMail returns a claimed mail after a failure, to be tried again at the time from.
func (s *Store) RetryMail(ctx context.Context, m Mail, cause error, from time.Time) error {
	m.LastError, m.NotBefore = cause.Error(), from.UTC()
	return s.reopenMail(ctx, m)
}

// ReleaseMail returns a claimed mail untried, as if it had not been claimed.
func (s *Store) ReleaseMail(ctx context.Context, m Mail) error {
	m.Attempts--
	m.NotBefore = time.Time{}
	return s.reopenMail(ctx, m)
}

func (s *Store) reopenMail(ctx context.Context, m Mail) error {
	m.Leased = false
	c := s.begin()
	c.Update(m.row(), m.version)
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("store: returning mail %s: %w", m.Message.ID, err)
	}
	return nil
}

// Mail reads a mail of the outbox; a NotFound fault if there is none.
func (s *Store) Mail(ctx context.Context, id string) (Mail, error) {
	var m Mail
	version, err := s.table.Get(ctx, rowkey.Mail(id), &m)
	if err != nil {
		return Mail{}, entity.Missing(err, "There is no mail %s.", id)
	}
	m.version = version
	return m, nil
}

// MailsAbout reads the mails about a request or a license with what the provider reported about them, at most limit, in
// the order in which they were queued.
func (s *Store) MailsAbout(ctx context.Context, id string, limit int) (list []Mail, err error) {
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.AboutPK(id)}, limit)
	if err != nil {
		return nil, fmt.Errorf("store: mails about %s: %w", id, err)
	}
	for _, row := range rows {
		m, err := s.mailWithReports(ctx, row.SK)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b Mail) int { return a.Created.Compare(b.Created) })
	return list, nil
}

func (s *Store) mailWithReports(ctx context.Context, id string) (m Mail, err error) {
	err = s.table.Each(ctx, table.Query{PK: rowkey.Mail(id).PK}, func(row table.Row) error {
		if strings.HasPrefix(row.SK, rowkey.ReportPrefix) {
			r, err := entity.Decode[Report](row)
			m.Reports = append(m.Reports, r)
			return err
		}
		reports := m.Reports
		var err error
		m, err = entity.Decode[Mail](row)
		m.Reports, m.version = reports, row.Version
		return err
	})
	if err == nil && m.version == 0 {
		err = fault.New(fault.NotFound, "There is no mail %s.", id)
	}
	return m, err
}

// FailedMail is a mail that was given up.
type FailedMail struct {
	At     time.Time
	MailID string
	Dead   failedMail
}

// failedMail is what the list of failed mails says of one.
type failedMail struct {
	Kind  string `json:"kind"`
	About string `json:"about"`
	Error string `json:"error"`
}

// FailedMails lists the newest mails that were given up.
func (s *Store) FailedMails(ctx context.Context, limit int) (list []FailedMail, err error) {
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.FailedPK, Descending: true}, limit)
	if err != nil {
		return nil, fmt.Errorf("store: failed mails: %w", err)
	}
	for _, row := range rows {
		d, err := entity.Decode[failedMail](row)
		if err != nil {
			return nil, err
		}
		stamp, id, _ := strings.Cut(row.SK, "#")
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			return nil, fmt.Errorf("store: %v: %w", row.Key, err)
		}
		list = append(list, FailedMail{at, id, d})
	}
	return list, nil
}
