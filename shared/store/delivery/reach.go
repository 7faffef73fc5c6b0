package delivery

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store/outbox"
)

// Reachable returns the first contact to whom mail can be sent: whose address is valid and not suppressed; nil for
// none.
func (s *Store) Reachable(ctx context.Context, contacts []license.Contact) (*license.Contact, error) {
	return firstReachable(contacts, func(email string) (*Suppression, error) { return s.Suppressed(ctx, email) })
}

func firstReachable(contacts []license.Contact, suppressed func(email string) (*Suppression, error)) (
	*license.Contact, error) {
	for _, c := range contacts {
		if _, err := (mail.Address{Name: c.Name, Email: c.Email}).Mailbox(); err != nil {
			continue
		}
		why, err := suppressed(c.Email)
		if err != nil {
			return nil, err
		}
		if why == nil || why.Scope != AllMails {
			return &c, nil
		}
	}
	return nil, nil
}

// CanBeSent returns those of some contacts to whom mails of a kind can be sent: whose addresses are valid, and do not
// refuse them.
func (s *Store) CanBeSent(ctx context.Context, k mail.Kind, contacts []license.Contact) (list []license.Contact,
	err error) {
	fit := make([]bool, len(contacts))
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range contacts {
		if _, err := (mail.Address{Name: c.Name, Email: c.Email}).Mailbox(); err != nil {
			continue
		}
		g.Go(func() error {
			why, err := s.Suppressed(ctx, c.Email)
			fit[i] = why == nil || !why.Stops(k)
			return err
		})
	}
	err = g.Wait()
	for i, c := range contacts {
		if fit[i] {
			list = append(list, c)
		}
	}
	return list, err
}

// reach is what is on record about who can be reached about a license.
type reach struct {
	customers []customer.Customer // see store.Store.CustomersOf
	mails     []outbox.Mail       // about the license, in the order in which they were queued
	now       time.Time
}

func (s *Store) readReach(ctx context.Context, l license.License) (r reach, err error) {
	r.now = s.Now()
	if r.customers, err = s.CustomersOf(ctx, l); err != nil {
		return reach{}, err
	}
	r.mails, err = s.outbox.About(ctx, l.ID)
	return r, err
}

// readers are who is written to for a purpose, without those whose mail comes back. except is an address that counts
// as out of reach.
func (r reach) readers(l license.License, p customer.Purpose, except string) (list []license.Contact) {
	for _, contact := range customer.Readers(r.customers, p, l.Instance, r.now) {
		if !input.SameMailbox(contact.Email, except) && !returnsMail(contact.Email, r.mails) {
			list = append(list, contact)
		}
	}
	return list
}

// needed are the purposes for which somebody has to be in reach: renewals, and keys while the last that anything is
// known of did not arrive.
func (r reach) needed() []customer.Purpose {
	var arrived, lost time.Time // when the last such mail was queued
	for _, m := range r.mails {
		switch fate := outbox.FateOf(m.Reports); {
		case m.Kind != mail.LicenseKey:
		case fate == outbox.FateArrived:
			arrived = m.Created
		case fate.DidNotArrive(), m.State.Status == outbox.Failed:
			lost = m.Created
		}
	}
	if lost.After(arrived) {
		return []customer.Purpose{customer.Renewals, customer.Keys}
	}
	return []customer.Purpose{customer.Renewals}
}

// contactInReach returns the first who is written to for a purpose about a license, to whom mail can be sent and
// arrives, as far as anybody knows: mail to the address was not returned twice. nil for none. except is an address that
// counts as out of reach.
func (s *Store) contactInReach(ctx context.Context, l license.License, p customer.Purpose, except string) (
	*license.Contact, error) {
	r, err := s.readReach(ctx, l)
	if err != nil {
		return nil, err
	}
	return s.Reachable(ctx, r.readers(l, p, except))
}

// inReach reports whether somebody is in reach for each purpose that needs it. reachable is like Store.Reachable.
func (r reach) inReach(ctx context.Context, l license.License,
	reachable func(context.Context, []license.Contact) (*license.Contact, error)) (bool, error) {
	for _, p := range r.needed() {
		contact, err := reachable(ctx, r.readers(l, p, ""))
		if contact == nil || err != nil {
			return false, err
		}
	}
	return true, nil
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
