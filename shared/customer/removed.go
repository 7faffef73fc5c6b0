package customer

import (
	"slices"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
)

// Removed is a contact who was removed, and may come back by a link in the email that tells of it.
type Removed struct {
	Contact
	RemovedAt time.Time `json:"removedAt"` // UTC
}

// RestoreDays is for how many days a removed contact may come back.
const RestoreDays = 14

// Until is the last day on which the contact may come back.
func (r Removed) Until() license.Date { return license.DateOf(r.RemovedAt).AddDays(RestoreDays) }

// Restorable returns the removed contact with the mailbox who may still come back; ok is false if there is none.
func (c Customer) Restorable(email string, today license.Date) (found Removed, ok bool) {
	i := slices.IndexFunc(c.Removed, func(r Removed) bool {
		return input.SameMailbox(r.Email, email) && !today.After(r.Until())
	})
	if i < 0 {
		return Removed{}, false
	}
	return c.Removed[i], true
}

// ContactsSince returns who of the contacts of a customer was added since it was another, and who was removed.
func (c Customer) ContactsSince(before Customer) (added, removed []Contact) {
	for _, contact := range c.Contacts {
		if _, had := before.Contact(contact.Email); !had {
			added = append(added, contact)
		}
	}
	for _, contact := range before.Contacts {
		if _, has := c.Contact(contact.Email); !has {
			removed = append(removed, contact)
		}
	}
	return added, removed
}

// NoteRemoved notes contacts who were removed at a time, and forgets those who may not come back or came back.
func (c *Customer) NoteRemoved(removed []Contact, at time.Time) {
	kept := slices.DeleteFunc(slices.Clone(c.Removed), func(r Removed) bool {
		_, back := c.Contact(r.Email)
		again := func(now Contact) bool { return input.SameMailbox(now.Email, r.Email) }
		return back || slices.ContainsFunc(removed, again) || license.DateOf(at).After(r.Until())
	})
	for _, contact := range removed {
		kept = append(kept, Removed{contact, at})
	}
	c.Removed = nil
	if len(kept) > 0 {
		c.Removed = kept
	}
}
