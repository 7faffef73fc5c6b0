package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/table"
)

// Actions of operators on licenses.
const (
	LicenseIssued     Action = "license issued"
	LicenseReplaced   Action = "license replaced"
	LicenseRevoked    Action = "license revoked"
	RemindersMuted    Action = "reminders muted"
	RemindersOn       Action = "reminders resumed"
	WarningsConfirmed Action = "warnings confirmed"
	KeySentAgain      Action = "key sent again"
)

// Issue is the issuing of licenses in one go: one, or a production license with its staging licenses.
type Issue struct {
	// Licenses are new. The ID of the first is the one under which the operator's wizard prepared them, so that the same
	// issue sent twice is one.
	Licenses []license.License
	By       string // the operator's e-mail address
	// Request is the request that they answer, as the operator saw it; "" for none.
	Request        string
	RequestVersion int64
	// Replaces are the licenses that are revoked because these take their place, with the versions that the operator saw.
	Replaces map[string]int64
	// Confirmed are the doubts that the operator was told of and confirmed, for the timeline; "" for none.
	Confirmed string
	// Datasets are the versions of the datasets that the operator decided by (Store.Dataset).
	Datasets map[license.Server]int64
}

// ErrIssued: these licenses were issued before, by the same issue sent twice. Nothing was written.
var ErrIssued = errors.New("store: the licenses were issued before")

// IssueLicenses puts new licenses on record, answers the request, revokes what they replace, and puts the mails into the
// outbox: one transaction. It is ErrIssued where that was done before, and a Conflict fault where the request, a license that
// is replaced, or a dataset changed since the operator saw it.
func (s *Store) IssueLicenses(ctx context.Context, i Issue, mails []mail.Message) error {
	return retryOnConflict(func() error { return s.tryIssue(ctx, i, mails) })
}

func (s *Store) tryIssue(ctx context.Context, i Issue, mails []mail.Message) error {
	switch _, err := s.License(ctx, i.Licenses[0].ID); {
	case err == nil:
		return ErrIssued
	case fault.KindOf(err) != fault.NotFound:
		return err
	}
	b := s.newBook(ctx)
	if err := b.unchanged(i.Datasets); err != nil {
		return err
	}
	var replaced []*entry
	for id, version := range i.Replaces {
		e, err := b.find(id, version)
		if err != nil {
			return err
		}
		if !e.now.License.Revoked.IsZero() {
			return fault.New(fault.Conflict, "The license %s was revoked before.", id)
		}
		b.change(e, i.By, LicenseReplaced, i.Licenses[0].ID, func(l *license.License) {
			l.Revoked, l.RevokedReason, l.ReplacedBy = s.now(), "replaced", i.Licenses[0].ID
		})
		replaced = append(replaced, e)
	}
	var ids []string
	for _, l := range i.Licenses {
		l.Request = i.Request
		if err := b.add(l, i.By, LicenseIssued, i.Request); err != nil {
			return err
		}
		ids = append(ids, l.ID)
	}
	if i.Confirmed != "" {
		b.tell(ids[0], i.By, WarningsConfirmed, i.Confirmed, nil)
	}
	for _, e := range replaced {
		b.release(e)
	}
	writes, err := b.writes()
	if err != nil {
		return err
	}
	if i.Request != "" {
		answer, err := s.answerWrites(ctx, i, ids)
		if err != nil {
			return err
		}
		writes = append(writes, answer...)
	}
	for _, m := range mails {
		writes = append(writes, s.outboxWrites(m)...)
	}
	if err := s.table.Transact(ctx, writes...); err != nil {
		return fmt.Errorf("store: issuing license %s: %w", ids[0], err)
	}
	return nil
}

// answerWrites close the request that an issue answers.
func (s *Store) answerWrites(ctx context.Context, i Issue, ids []string) ([]table.Write, error) {
	r, action, err := s.reviewed(ctx, Review{ID: i.Request, Version: i.RequestVersion, By: i.By, To: request.Issued})
	if err != nil {
		return nil, err
	}
	r.after.Licenses = ids
	if r.after.Reviewer == "" {
		r.after.Reviewer = i.By
	}
	writes := s.requestWrites(r.before, r.after, i.By, action, ids[0])
	week := table.Key{PK: weekPK(license.DateOf(r.after.Closed)), SK: issuedPrefix + r.after.ID}
	return append(writes, table.Set(encode(week, rowIndex, timeToIssue{Seconds: int64(r.after.Closed.Sub(r.after.Created).Seconds())}))), nil
}

// timeToIssue is how long a request waited for its license.
type timeToIssue struct {
	Seconds int64 `json:"seconds"`
}

// LicenseChange is what an operator does to a license that is on record.
type LicenseChange struct {
	ID      string
	Version int64  // of the license as the operator saw it
	By      string // the operator's e-mail address
}

// RevokeLicense takes a license back, with the reason; the key in the customer's server is not changed by it. It is a Conflict
// fault where somebody changed the license since it was seen, or revoked it.
func (s *Store) RevokeLicense(ctx context.Context, c LicenseChange, reason string) error {
	return s.changeLicense(ctx, c, LicenseRevoked, reason, func(l *license.License) error {
		if !l.Revoked.IsZero() {
			return fault.New(fault.Conflict, "The license %s was revoked before.", l.ID)
		}
		l.Revoked, l.RevokedReason = s.now(), reason
		return nil
	})
}

// MuteReminders stops the reminders of a license, or lets them come again.
func (s *Store) MuteReminders(ctx context.Context, c LicenseChange, muted bool) error {
	action := RemindersOn
	if muted {
		action = RemindersMuted
	}
	return s.changeLicense(ctx, c, action, "", func(l *license.License) error {
		l.Muted = muted
		return nil
	})
}

func (s *Store) changeLicense(ctx context.Context, c LicenseChange, action Action, note string, f func(*license.License) error) error {
	return retryOnConflict(func() error { return s.tryChangeLicense(ctx, c, action, note, f) })
}

func (s *Store) tryChangeLicense(ctx context.Context, c LicenseChange, action Action, note string, f func(*license.License) error) error {
	b := s.newBook(ctx)
	e, err := b.find(c.ID, c.Version)
	if err != nil {
		return err
	}
	refused := error(nil)
	b.change(e, c.By, action, note, func(l *license.License) { refused = f(l) })
	if refused != nil {
		return refused
	}
	b.release(e)
	writes, err := b.writes()
	if err != nil {
		return err
	}
	if err := s.table.Transact(ctx, writes...); err != nil {
		return fmt.Errorf("store: license %s: %w", c.ID, err)
	}
	return nil
}

// SendKeyAgain puts a mail with the license's key into the outbox; the timeline says to whom it goes. A mail that is there
// already is not put there again.
func (s *Store) SendKeyAgain(ctx context.Context, id, by string, m mail.Message) error {
	if _, err := s.License(ctx, id); err != nil {
		return err
	}
	writes := append(s.outboxWrites(m), s.eventWrite(licenseKey(id), by, KeySentAgain, m.To.Email, nil))
	err := s.table.Transact(ctx, writes...)
	if conflict, ok := errors.AsType[*table.ConflictError](err); ok && slices.Contains(conflict.Keys, mailKey(m.ID)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: sending the key of license %s again: %w", id, err)
	}
	return nil
}
