package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/table"
)

// Suppression is why no mail goes to an address any more.
type Suppression struct {
	Outcome Outcome   `json:"outcome"` // Bounced or Complained
	Mail    string    `json:"mail"`    // the ID of the mail of which that was said
	At      time.Time `json:"at"`

	version int64
}

// Error says why a mail to the address is not sent; the address itself is not in it.
func (s Suppression) Error() string {
	did := "a mail to this address bounced"
	if s.Outcome == Complained {
		did = "somebody complained about a mail to this address"
	}
	return fmt.Sprintf("not sent: %s on %s (mail %s)", did, license.DateOf(s.At).Long(), s.Mail)
}

// Suppressed reads why no mail goes to an address, in whatever case it is written; nil where mail goes to it.
func (s *Store) Suppressed(ctx context.Context, email string) (*Suppression, error) {
	var found Suppression
	version, err := s.get(ctx, suppressionKey(email), &found)
	if errors.Is(err, table.ErrNotFound) || errors.Is(err, table.ErrLimit) { // no key can hold it: nothing was ever noted of it
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found.version = version
	return &found, nil
}

// Reachable is the first contact that a mail can be sent to: whose address is one, and is not suppressed; nil for none.
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

// Actions about addresses, and about mails that did not arrive.
const (
	MailBounced       Action = "mail bounced"
	MailComplained    Action = "complaint about a mail"
	MailRefused       Action = "mail refused by the carrier"
	MailDelayed       Action = "mail bounced for now"
	MailReaddressed   Action = "mail goes to the next contact"
	ContactsUnreached Action = "no contact can be reached"
	SuppressionLifted Action = "mail to the address allowed again"
)

// LiftSuppression lets mail go to an address again, and says so on the timeline of a license or a request, whose ID it is
// told by. Where mail goes to the address already, nothing changes.
func (s *Store) LiftSuppression(ctx context.Context, on Subject, email, by string) error {
	why, err := s.Suppressed(ctx, email)
	if err != nil || why == nil {
		return err
	}
	err = s.table.Transact(ctx, table.Delete(suppressionKey(email), why.version), s.eventWrite(on.key(), by, SuppressionLifted, email, nil))
	if errors.Is(err, table.ErrConflict) {
		return nil // somebody else was faster
	}
	if err != nil {
		return fmt.Errorf("store: lifting the suppression of an address of %s: %w", on.key().PK, err)
	}
	return nil
}

// Subject names the license or the request on whose timeline something is told: one of the two.
type Subject struct{ License, Request string }

func (o Subject) key() table.Key {
	if o.License != "" {
		return licenseKey(o.License)
	}
	return requestKey(o.Request)
}

// about is on whose timeline things about a mail are told.
func about(m mail.Message) Subject {
	if m.Kind.AboutLicense() {
		return Subject{License: m.About}
	}
	return Subject{Request: m.About}
}

func sameAddress(a, b string) bool { return strings.EqualFold(a, b) }
