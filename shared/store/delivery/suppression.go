package delivery

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
)

// Scope is which mails a suppression stops.
type Scope string

// Every Scope.
const (
	AllMails      Scope = ""
	Confirmations Scope = "confirmations" // what anybody can cause: mail.Kind.CausedByAnybody
)

// Suppression is why no more mail, or none of some kind, is sent to an address.
type Suppression struct {
	Outcome outbox.Outcome `json:"outcome"` // Bounced or Complained
	Scope   Scope          `json:"scope,omitempty"`
	Mail    string         `json:"mail"` // the ID of the mail that was reported
	At      time.Time      `json:"at"`
	// ProvidersList: the provider suppresses the address too, on a list of its own.
	ProvidersList bool `json:"providersList,omitempty"`

	version int64
}

// Stops reports whether mails of a kind are not sent to the address.
func (s Suppression) Stops(k mail.Kind) bool { return s.Scope == AllMails || k.CausedByAnybody() }

// Reason says why a mail to the address is not sent; it does not contain the address.
func (s Suppression) Reason() string {
	did := "an email to this address bounced"
	if s.Outcome == outbox.Complained {
		did = "someone complained about an email to this address"
	}
	return fmt.Sprintf("not sent: %s on %s (email %s)", did, license.DateOf(s.At).Long(), s.Mail)
}

// Suppressed reads why mail is not sent to an address, in whatever spelling; nil if it is not suppressed. See
// Suppression.Stops.
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

// suppress suppresses the address of a mail because of a report. Of two reports the wider scope and the complaint
// prevail, in whatever order they are.
func (c *changeset) suppress(ctx context.Context, m outbox.Mail, r outbox.Report) error {
	why := Suppression{Outcome: r.Outcome, Mail: r.Mail, At: c.store.Now(), ProvidersList: r.OnProvidersList()}
	if r.Outcome == outbox.Complained && m.Kind.CausedByAnybody() && !why.ProvidersList {
		why.Scope = Confirmations
	}
	before, err := c.store.Suppressed(ctx, m.To.Email)
	if err != nil {
		return err
	}
	if before != nil {
		after := before.and(why)
		if after == *before {
			return nil
		}
		why = after
	}
	c.Update(entity.Encode(rowkey.Suppression(m.To.Email), rowkey.TypeSuppression, why), why.version)
	line := entity.Line{By: store.System, Action: AddressSuppressed}
	about, ok := subjectOf(m) // the address would name a person
	if !ok {
		c.Audit(rowkey.Mail(m.ID).PK, line)
		return nil
	}
	if line.Customer, err = c.store.ownerOf(ctx, about); err == nil {
		c.Audit(about.Key().PK, line)
	}
	return err
}

// and returns a suppression for two reasons.
func (s Suppression) and(other Suppression) Suppression {
	both := s
	if s.Outcome != outbox.Complained && other.Outcome == outbox.Complained {
		both = other
	}
	if s.Scope == AllMails || other.Scope == AllMails {
		both.Scope = AllMails
	}
	both.ProvidersList = s.ProvidersList || other.ProvidersList
	both.version = s.version
	return both
}

// LiftSuppression lets mail be sent to an address again, and says so and why on the timeline of a license or a request.
// If the address is not suppressed, nothing changes. It is an Invalid fault without a reason.
//
// providersList: the provider suppressed the address too. If its own list still has it, somebody has to take it off
// (infra/runbooks/bounces-rising.md).
func (s *Store) LiftSuppression(ctx context.Context, on store.Subject, email, by, reason string) (providersList bool,
	err error) {
	reason = input.OneLine(reason, maxReason)
	if reason == "" {
		return false, fault.New(fault.Invalid, "Enter why emails to this address can resume.")
	}
	err = entity.Retry(func() error {
		why, err := s.Suppressed(ctx, email)
		if err != nil || why == nil {
			return err
		}
		providersList = why.ProvidersList
		of, err := s.ownerOf(ctx, on)
		if err != nil {
			return err
		}
		c := s.begin()
		c.Delete(rowkey.Suppression(email), why.version)
		c.Log(on.Key(), entity.Line{By: by, Action: SuppressionLifted, Note: email + ": " + reason, Customer: of})
		c.Names(on.Key(), "", email) // the subject may not have it (any more)
		return c.Commit(ctx)
	})
	if err != nil {
		return false, fmt.Errorf("delivery: lifting the suppression of an address of %s: %w", on.Key().PK, err)
	}
	return providersList, nil
}

// maxReason is the longest reason, in characters.
const maxReason = 300
