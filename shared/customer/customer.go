// Package customer defines customers: the organizations that we deal with, the people who may speak for them, what they
// bought, and their installations of the product. It has the rules that need all of it: which instance a request or a
// license is about, what a contract covers, who is written to.
//
// shared/license says what a license is, shared/request what customers ask for, and shared/store keeps all of them.
package customer

import (
	"log/slog"
	"slices"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/reference"
)

// Customer is an organization that we deal with.
type Customer struct {
	ID          string              `json:"id"`
	Reference   reference.Reference `json:"reference"` // C-…, for people
	Name        string              `json:"name"`
	FormerNames []string            `json:"formerNames,omitempty"` // and other spellings, the newest last
	// Domains are mail domains of its people, as input.Mailbox writes them. Several customers may share one; a public
	// suffix and a public mail provider's domain are none (CheckDomain).
	Domains []string  `json:"domains,omitempty"`
	Owner   string    `json:"owner,omitempty"` // email address of the colleague who looks after it
	Outside []Outside `json:"outside,omitempty"`
	Notes   string    `json:"notes,omitempty"`
	// Contacts are in the order in which they are written to.
	Contacts []Contact `json:"contacts,omitempty"`
	Removed  []Removed `json:"removed,omitempty"` // contacts removed recently
	// MergedInto is the ID of the customer that this one was merged into; "" for none. Survivor is the end of that
	// chain.
	MergedInto string    `json:"mergedInto,omitempty"`
	Survivor   string    `json:"survivor,omitempty"`
	Created    time.Time `json:"created"` // UTC
}

// LogValue implements slog.LogValuer.
func (c Customer) LogValue() slog.Value { return slog.GroupValue(slog.String("id", c.ID)) }

// Outside is how another system calls the customer, or something that the customer did.
type Outside struct {
	System string `json:"system"` // such as "CRM" or "purchase order"
	ID     string `json:"id"`
}

// Limits of what is kept of a customer.
const (
	MaxContacts    = 100
	MaxDomains     = 20
	MaxFormerNames = 20
	MaxOutside     = 20
	MaxNotes       = 4000 // characters
	MaxMerged      = 20   // customers merged into one, directly or by way of others
)

// Purpose is what a contact is written to for.
type Purpose string

const (
	Keys     Purpose = "keys"     // license keys
	Renewals Purpose = "renewals" // reminders that a license expires
)

// Contact is a person who may speak for a customer: one of its own people or a partner's.
type Contact struct {
	Name    string    `json:"name,omitempty"`
	Email   string    `json:"email"`
	Partner string    `json:"partner,omitempty"` // the reseller or outsourcer that the person works for
	For     []Purpose `json:"for,omitempty"`     // none: all purposes
	// Instances are the IDs of the instances that the person speaks for; none: all.
	Instances []string  `json:"instances,omitempty"`
	Since     time.Time `json:"since"` // UTC
	// AddedBy is who added the contact: a colleague's email address, or "import".
	AddedBy string `json:"addedBy,omitempty"`
	// VouchedBy is the colleague who says that the person may speak for the customer from the beginning (InEffect), or
	// "import"; "" for nobody.
	VouchedBy string    `json:"vouchedBy,omitempty"`
	Confirmed time.Time `json:"confirmed,omitzero"` // when the mailbox was last confirmed; for display
}

// IsFor reports whether the person is written to for a purpose about an instance.
func (c Contact) IsFor(p Purpose, instance string) bool {
	return (len(c.For) == 0 || slices.Contains(c.For, p)) &&
		(len(c.Instances) == 0 || slices.Contains(c.Instances, instance))
}

// Contact returns the contact with the mailbox; ok is false if there is none.
func (c Customer) Contact(email string) (found Contact, ok bool) {
	i := slices.IndexFunc(c.Contacts, func(have Contact) bool { return input.SameMailbox(have.Email, email) })
	if i < 0 {
		return Contact{}, false
	}
	return c.Contacts[i], true
}

// WithSurvivor reads the customer with an ID, and the one that it was merged into, if it was. "" is no customer.
func WithSurvivor(id string, read func(id string) (Customer, error)) (list []Customer, err error) {
	for id != "" && len(list) < 2 {
		c, err := read(id)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
		id = c.Survivor
	}
	return list, nil
}

// Readers returns who is written to for a purpose about an instance of several customers, which were merged: those of
// the first, then those of the next that are no readers yet.
//
// Keys go to those alone who may speak for the customer (InEffect).
func Readers(customers []Customer, p Purpose, instance string, now time.Time) (list []license.Contact) {
	return contacts(customers, func(c Contact) bool {
		return c.IsFor(p, instance) && (p != Keys || c.InEffect(now))
	})
}

// Told returns who is told of what is done to instances of several customers, which were merged: everybody who is
// written to about one of them, for whatever purpose; about no instance, all contacts.
func Told(customers []Customer, instances ...string) (list []license.Contact) {
	return contacts(customers, func(c Contact) bool {
		return len(instances) == 0 || len(c.Instances) == 0 ||
			slices.ContainsFunc(instances, func(id string) bool { return slices.Contains(c.Instances, id) })
	})
}

// contacts returns the contacts of several customers who are as wanted, each once.
func contacts(customers []Customer, wanted func(Contact) bool) (list []license.Contact) {
	for _, c := range customers {
		for _, contact := range c.Contacts {
			known := func(have license.Contact) bool { return input.SameMailbox(have.Email, contact.Email) }
			if wanted(contact) && !slices.ContainsFunc(list, known) {
				list = append(list, license.Contact{Name: contact.Name, Email: contact.Email})
			}
		}
	}
	return list
}

// ContactsFor returns those who are written to for a purpose about an instance, in their order.
func (c Customer) ContactsFor(p Purpose, instance string) (list []Contact) {
	for _, contact := range c.Contacts {
		if contact.IsFor(p, instance) {
			list = append(list, contact)
		}
	}
	return list
}
