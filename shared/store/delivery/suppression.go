package delivery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

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
	Confirmations Scope = "confirmations" // of requests, which somebody else may have filed
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
func (s Suppression) Stops(k mail.Kind) bool { return s.Scope == AllMails || k == mail.RequestReceived }

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
	if r.Outcome == outbox.Complained && m.Kind == mail.RequestReceived && !why.ProvidersList {
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
	return nil
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
// (operations.md, "When something fails").
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
		c := s.begin()
		c.Delete(rowkey.Suppression(email), why.version)
		c.Log(on.Key(), entity.Line{By: by, Action: SuppressionLifted, Note: email + ": " + reason})
		return c.Commit(ctx)
	})
	if err != nil {
		return false, fmt.Errorf("delivery: lifting the suppression of an address of %s: %w", on.Key().PK, err)
	}
	return providersList, nil
}

// maxReason is the longest reason, in characters.
const maxReason = 300

// Reachable returns the first contact to whom mail can be sent: whose address is valid and not suppressed; nil for
// none. It looks up one after another, since the first is nearly always reachable.
func (s *Store) Reachable(ctx context.Context, contacts []license.Contact) (*license.Contact, error) {
	for _, c := range contacts {
		switch ok, err := s.reaches(ctx, c); {
		case err != nil:
			return nil, err
		case ok:
			return &c, nil
		}
	}
	return nil, nil
}

// reaches reports whether mail can be sent to a contact.
func (s *Store) reaches(ctx context.Context, c license.Contact) (bool, error) {
	if _, err := (mail.Address{Name: c.Name, Email: c.Email}).Mailbox(); err != nil {
		return false, nil
	}
	why, err := s.Suppressed(ctx, c.Email)
	return err == nil && (why == nil || why.Scope != AllMails), err
}

// reachesAny is Reachable for contacts of whom probably none is reachable: it looks all of them up at once.
func (s *Store) reachesAny(ctx context.Context, contacts []license.Contact) (bool, error) {
	reached := make([]bool, len(contacts))
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range contacts {
		g.Go(func() (err error) { reached[i], err = s.reaches(ctx, c); return err })
	}
	err := g.Wait()
	return slices.Contains(reached, true), err
}

// contactInReach returns the first contact of a license to whom mail can be sent and arrives, as far as anybody knows:
// mail to it was not returned twice. nil for none. except is an address that counts as out of reach.
func (s *Store) contactInReach(ctx context.Context, l license.License, except string) (*license.Contact, error) {
	mails, err := s.outbox.About(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	return s.Reachable(ctx, inReach(l, except, mails))
}

// inReach returns the contacts of a license other than except whose mail was not returned twice. mails are those about
// the license.
func inReach(l license.License, except string, mails []outbox.Mail) (others []license.Contact) {
	for _, contact := range l.Contacts {
		if !input.SameMailbox(contact.Email, except) && !returnsMail(contact.Email, mails) {
			others = append(others, contact)
		}
	}
	return others
}

// returnsMail reports whether the last mail to an address that anything is known of was a repetition that came back
// like the one before it. mails are in the order in which they were queued.
func returnsMail(email string, mails []outbox.Mail) bool {
	for _, m := range slices.Backward(mails) {
		if !input.SameMailbox(m.To.Email, email) {
			continue
		}
		switch outbox.FateOf(m.Reports) {
		case outbox.FateReturned:
			return m.Repeats != ""
		case outbox.FateArrived:
			return false
		}
	}
	return false
}
