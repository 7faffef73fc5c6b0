package store

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Outcome is what the provider reports about a mail.
type Outcome string

// Outcomes of a mail.
const (
	Accepted   Outcome = "accepted"   // the provider has accepted it
	Delivered  Outcome = "delivered"  // the recipient's server took it
	Delayed    Outcome = "delayed"    // the provider is still trying
	Returned   Outcome = "returned"   // it came back for now: it did not arrive, or the recipient is absent
	Bounced    Outcome = "bounced"    // the address does not exist or accepts no mail, and never will
	Complained Outcome = "complained" // the recipient does not want it
	Refused    Outcome = "refused"    // the provider accepted it and did not send it after all
)

// suppresses reports whether no more mail is sent to the address.
func (o Outcome) suppresses() bool { return o == Bounced || o == Complained }

// action is the line of the timeline; "" for outcomes that are as they should be.
func (o Outcome) action() Action {
	return map[Outcome]Action{
		Delayed: MailDelayed, Returned: MailReturned, Bounced: MailBounced, Complained: MailComplained,
		Refused: MailRefused,
	}[o]
}

// Report is what the provider reported about a mail. The same report may come several times, and reports in any order:
// Mail, ProviderID, Outcome and Recipient tell them apart.
type Report struct {
	Mail       string    `json:"mail"`                // the ID of the mail
	Attempt    int       `json:"attempt,omitempty"`   // which of our calls it is about; 0 if unknown
	ProviderID string    `json:"carrierId"`           // the provider's ID of it, another for each call
	Recipient  string    `json:"recipient,omitempty"` // as the provider knows it: not an alias
	Outcome    Outcome   `json:"outcome"`
	Status     string    `json:"status,omitempty"` // the status code (RFC 3463), such as 4.4.7; "" if unknown
	Detail     string    `json:"detail,omitempty"` // in the words of the provider or the server, on one line
	At         time.Time `json:"at,omitzero"`      // when it happened, UTC
}

func (r Report) key() table.Key {
	return rowkey.Report(r.Mail, r.ProviderID, string(r.Outcome), r.Recipient)
}

// Suppression is why no more mail is sent to an address.
type Suppression struct {
	Outcome Outcome   `json:"outcome"` // Bounced or Complained
	Mail    string    `json:"mail"`    // the ID of the mail that was reported
	At      time.Time `json:"at"`

	version int64
}

// Reason says why a mail to the address is not sent; it does not contain the address.
func (s Suppression) Reason() string {
	did := "a mail to this address bounced"
	if s.Outcome == Complained {
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
func (c *changeset) suppress(ctx context.Context, email string, r Report) error {
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
