package customer

import (
	"slices"
	"time"

	"marketplace/shared/input"
)

// Seen is what a contact sees of an account: what the person speaks for, and nothing else. Pages of the customer's own
// account show a Seen, never an Account, so that they cannot show too much.
type Seen struct {
	// Account has the instances that the person speaks for, the contracts of their licenses, and the contacts who are
	// written to about them. It has nothing that colleagues of ours noted about the customer.
	Account
	Contact Contact // the person
	// Whole reports whether the person speaks for the customer as a whole: for every instance, and for new ones.
	Whole bool
}

// SeenBy returns what the contact with an address sees of the account; ok is false for anybody who is not a contact in
// effect. A contact of a merged customer sees what was that customer's.
func (a *Account) SeenBy(email string, now time.Time) (seen Seen, ok bool) {
	for _, c := range a.Contacts() {
		if input.SameMailbox(c.Email, email) && c.InEffect(now) && (!ok || c.Since.Before(seen.Contact.Since)) {
			seen.Contact, ok = c, true
		}
	}
	if !ok {
		return Seen{}, false
	}
	seen.Whole = a.speaker(email, "", now)
	seen.Version = a.Version
	for _, i := range a.Instances {
		if a.speaker(email, i.ID, now) {
			i.RetiredBy = ""
			seen.Instances = append(seen.Instances, i)
		}
	}
	for _, c := range a.Contracts {
		used := func(i Instance) bool {
			return slices.ContainsFunc(i.Licenses, func(l License) bool { return l.Contract == c.ID })
		}
		if seen.Whole || slices.ContainsFunc(seen.Instances, used) {
			c.EndedBy, c.EndedReason = "", ""
			seen.Contracts = append(seen.Contracts, c)
		}
	}
	seen.Customer = a.shown(a.Customer, seen)
	for _, c := range a.Merged {
		if seen.Whole || slices.ContainsFunc(c.Contacts, func(c Contact) bool {
			return input.SameMailbox(c.Email, email) && c.InEffect(now)
		}) {
			seen.Merged = append(seen.Merged, a.shown(c, seen))
		}
	}
	return seen, true
}

// shown returns a customer as its contact sees it.
func (a *Account) shown(c Customer, by Seen) Customer {
	kept := Customer{ID: c.ID, Reference: c.Reference, Name: c.Name, MergedInto: c.MergedInto, Survivor: c.Survivor,
		Created: c.Created}
	for _, contact := range c.Contacts {
		about := func(i Instance) bool {
			return slices.Contains(contact.Instances, i.ID) || len(contact.Instances) == 0 && a.speaksAt(c, i)
		}
		self := input.SameMailbox(contact.Email, by.Contact.Email)
		if self || by.Whole || slices.ContainsFunc(by.Instances, about) {
			kept.Contacts = append(kept.Contacts, contact)
		}
	}
	return kept
}

// speaksAt reports whether the contacts of a customer may speak for an instance at all.
func (a *Account) speaksAt(c Customer, i Instance) bool {
	return slices.ContainsFunc(a.Keepers(i.Customer), func(k Customer) bool { return k.ID == c.ID })
}
