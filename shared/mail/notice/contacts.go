package notice

import (
	"fmt"
	"slices"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
)

// What contacts of record are told because they did not ask for it. Each cause is one notice, which expands to one for
// each contact.

// Move is a server ID that took the place of another.
type Move struct {
	From license.Server `json:"from"`
	To   license.Server `json:"to"`
}

// LicenseMoved tells the contacts of licenses that these replaced others because the server ID changed, with the move
// of each. by is the operator.
func LicenseMoved(licenses []license.License, moves []Move, by string, except ...string) Notice {
	n := toContact(licenses[0], license.Contact{}, mail.LicenseMoved, "moved")
	n.Moves, n.Author, n.Except = moves, by, except
	for _, l := range licenses {
		n.Licenses = append(n.Licenses, l.ID)
	}
	return n
}

// LicenseRevoked tells the contacts of a license that it was revoked, with the reason. by is the operator.
func LicenseRevoked(l license.License, reason, by string, except ...string) Notice {
	n := toContact(l, license.Contact{}, mail.LicenseRevoked, "revoked")
	n.Text, n.Author, n.Except = reason, by, except
	return n
}

// ContactChange is a change of a customer's contacts.
type ContactChange struct {
	Customer string            // its ID
	Survivor string            // the ID of the customer that it was merged into; "" if it was not
	Version  int64             // of the account before the change: tells one change from another
	Contacts []license.Contact // who was added or removed
	By       string            // the operator, or "customer"; if ByContact, the address of a contact
	// ByContact: a contact of the customer did it.
	ByContact bool
	// Until is, of who was removed, the last day on which that can be undone by the link; of whom a contact added, the
	// first day on which the person speaks for the customer.
	Until  license.Date
	Except []string // addresses of contacts who are not told
}

// ContactAdded tells a customer's contacts, the new ones too, who was added.
func ContactAdded(c ContactChange) Notice {
	return contactsChanged(mail.ContactAdded, "contact-added", c)
}

// ContactRemoved tells a customer's contacts, and those who were removed, who was removed.
func ContactRemoved(c ContactChange) Notice {
	return contactsChanged(mail.ContactRemoved, "contact-removed", c)
}

func contactsChanged(kind mail.Kind, what string, c ContactChange) Notice {
	if c.Survivor != "" { // versions are those of its account
		what += "-" + c.Survivor
	}
	return Notice{
		ID: id(c.Customer, fmt.Sprintf("%s-%d", what, c.Version)), Kind: kind, About: c.Customer,
		Customer: "customer-" + c.Customer, Contacts: c.Contacts, Author: c.By, Except: c.Except, Expiration: c.Until,
		ByContact: c.ByContact,
	}
}

// ContactUndo takes a contact back who was removed, as the person asked by the link of the notice removed. It expands.
func ContactUndo(removed Notice) Notice {
	return Notice{
		ID: removed.ID + "-undo", Kind: mail.ContactUndo, About: removed.About, Customer: removed.Customer,
		Mail: removed.ID,
	}
}

// ForContact returns the notice that a contact is told of one that expands; ok is false if the contact is not told.
func (n Notice) ForContact(to license.Contact) (told Notice, ok bool) {
	if slices.ContainsFunc(n.Except, func(e string) bool { return input.SameMailbox(e, to.Email) }) {
		return Notice{}, false
	}
	told = n.ToContact(to)
	told.Except = nil
	return told, true
}

// Concerns reports whether the notice's recipient is who was added or removed.
func (n Notice) Concerns(c license.Contact) bool { return input.SameMailbox(n.To.Email, c.Email) }

// ErasureAsked tells sales that a contact of a customer asks to be erased. nonce tells one time from another.
func ErasureAsked(customerID string, who license.Contact, nonce string) Notice {
	return Notice{
		ID: id(customerID, "erasure-"+nonce), Kind: mail.ErasureAsked, About: customerID,
		Customer: "customer-" + customerID, Contacts: []license.Contact{who},
	}
}
