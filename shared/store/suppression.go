package store

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
)

// Report is what the provider reported about a mail.
type Report = outbox.Report

// suppresses reports whether no more mail is sent to the address.
func suppresses(o outbox.Outcome) bool { return o == outbox.Bounced || o == outbox.Complained }

// actionOf returns the line of the timeline; "" for outcomes that are as they should be.
func actionOf(o outbox.Outcome) Action {
	return map[outbox.Outcome]Action{
		outbox.Delayed: MailDelayed, outbox.Returned: MailReturned, outbox.Bounced: MailBounced,
		outbox.Complained: MailComplained, outbox.Refused: MailRefused,
	}[o]
}

// Suppression is why no more mail is sent to an address.
type Suppression struct {
	Outcome outbox.Outcome `json:"outcome"` // Bounced or Complained
	Mail    string         `json:"mail"`    // the ID of the mail that was reported
	At      time.Time      `json:"at"`

	version int64
}

// Reason says why a mail to the address is not sent; it does not contain the address.
func (s Suppression) Reason() string {
	did := "a mail to this address bounced"
	if s.Outcome == outbox.Complained {
		did = "someone complained about a mail to this address"
	}
	return fmt.Sprintf("not sent: %s on %s (mail %s)", did, license.DateOf(s.At).Long(), s.Mail)
}

// Suppressed reads why no mail is sent to an address, in whatever spelling; nil if it is not suppressed.
func (s *Store) Suppressed(ctx context.Context, email string) (*Suppression, error) {
	var found Suppression
	version, err := s.table.Get(ctx, rowkey.Suppression(email), &found)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found.version = version
	return &found, nil
}

// suppress suppresses an address because of a report, unless it is suppressed already.
func (c *changeset) suppress(ctx context.Context, email string, r outbox.Report) error {
	if why, err := c.store.Suppressed(ctx, email); why != nil || err != nil {
		return err
	}
	why := Suppression{Outcome: r.Outcome, Mail: r.Mail, At: c.store.now()}
	c.Create(entity.Encode(rowkey.Suppression(email), rowkey.TypeSuppression, why))
	return nil
}

// LiftSuppression lets mail be sent to an address again, and says so on the timeline of a license or a request. If the
// address is not suppressed, nothing changes.
func (s *Store) LiftSuppression(ctx context.Context, on Subject, email, by string) error {
	why, err := s.Suppressed(ctx, email)
	if err != nil || why == nil {
		return err
	}
	c := s.begin()
	c.Delete(rowkey.Suppression(email), why.version)
	c.Log(on.key(), entity.Line{By: by, Action: SuppressionLifted, Note: email})
	err = c.Commit(ctx)
	if fault.KindOf(err) == fault.Conflict {
		return nil // somebody else was faster
	}
	if err != nil {
		return fmt.Errorf("store: lifting the suppression of an address of %s: %w", on.key().PK, err)
	}
	return nil
}

// Reachable returns the first contact to whom a mail can be sent: whose address is valid and not suppressed; nil for
// none.
func (s *Store) Reachable(ctx context.Context, contacts []license.Contact) (*license.Contact, error) {
	for _, c := range contacts {
		if _, err := (mail.Address{Name: c.Name, Email: c.Email}).Mailbox(); err != nil {
			continue
		}
		why, err := s.Suppressed(ctx, c.Email)
		if err != nil {
			return nil, err
		}
		if why == nil {
			return &c, nil
		}
	}
	return nil, nil
}
