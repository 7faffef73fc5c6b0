// Package contact lets a contact of a customer add and remove contacts. Whom a contact adds speaks for nothing for
// seven days (customer.Contact.InEffect), every contact is told of it, and who is removed can undo that by a link.
// Separate from shared/store, which lets sales change all of a customer.
package contact

import (
	"context"
	"slices"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/store"
)

// Store changes the contacts of customers.
type Store struct{ store *store.Store }

// New makes a Store over another.
func New(s *store.Store) *Store { return &Store{s} }

// Change is what a contact changes.
type Change struct {
	Account string // the ID of the surviving customer
	Version int64  // of the account as the contact saw it
	// Customer is the ID of the customer with whom the changed contact is kept: of the survivor, or one that was merged
	// into it.
	Customer string
	By       string // the address of the contact who asks for it
}

// MaxNew is how many contacts, whom contacts added, can be new at a time: each is sent an email.
const MaxNew = 10

// AddContact adds a contact, who may not speak for the customer yet. What of it is wrong is an Invalid fault, as
// customer.Contact.Check has it. It is a Conflict fault if the person is a contact already, if there are too many new
// ones, or if somebody changed the customer first.
func (s *Store) AddContact(ctx context.Context, change Change, added customer.Contact) error {
	added, err := added.Check()
	if err != nil {
		return err
	}
	now := s.store.Now().Truncate(time.Millisecond)
	added.Since, added.AddedBy, added.VouchedBy, added.Confirmed = now, change.By, "", time.Time{}
	return s.save(ctx, change, func(kept *customer.Customer) error {
		isNew := func(c customer.Contact) bool { return byContact(c) && !c.InEffect(now) }
		fresh := slices.DeleteFunc(slices.Clone(kept.Contacts), func(c customer.Contact) bool { return !isNew(c) })
		switch _, has := kept.Contact(added.Email); {
		case has:
			return fault.New(fault.Conflict, "%s is already a contact.", added.Email)
		case len(kept.Contacts) >= customer.MaxContacts:
			return fault.New(fault.Conflict, "There are %d contacts. Remove one first.", len(kept.Contacts))
		case len(fresh) >= MaxNew:
			return fault.New(fault.Conflict, "%d contacts were added in the last %d days. Try again later, or write "+
				"to us.", len(fresh), customer.NewContactDays)
		}
		kept.Contacts = append(kept.Contacts, added)
		return nil
	})
}

// byContact reports whether a contact added the contact, and nobody of ours.
func byContact(c customer.Contact) bool { return strings.Contains(c.AddedBy, "@") && c.VouchedBy == "" }

// RemoveContact removes a contact. It is a Conflict fault if nobody would be left who may speak for the customer as a
// whole, or if somebody changed the customer first, and a NotFound fault if the address is no contact's.
func (s *Store) RemoveContact(ctx context.Context, change Change, email string) error {
	now := s.store.Now()
	return s.save(ctx, change, func(kept *customer.Customer) error {
		if _, has := kept.Contact(email); !has {
			return fault.New(fault.NotFound, "%s is no longer a contact.", email)
		}
		kept.Contacts = slices.DeleteFunc(kept.Contacts, func(c customer.Contact) bool {
			return input.SameMailbox(c.Email, email)
		})
		if !slices.ContainsFunc(kept.Contacts, func(c customer.Contact) bool { return c.SpeaksFor("", now) }) {
			return fault.New(fault.Conflict, "Nobody would be left who speaks for your company. Add another contact "+
				"first, and wait %d days, or write to us.", customer.NewContactDays)
		}
		return nil
	})
}

func (s *Store) save(ctx context.Context, c Change, edit func(*customer.Customer) error) error {
	return s.store.SaveCustomer(ctx, store.AccountChange{
		Customer: c.Account, Version: c.Version, By: store.Customer, Contact: c.By, Except: []string{c.By},
	}, c.Customer, edit)
}
