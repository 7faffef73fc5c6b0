package notice

import (
	"fmt"
	"slices"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reference"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/token"
)

// Due is a license of which a contact is reminded, with the stage of the policy that makes it due.
type Due struct {
	License    string         `json:"license"` // its ID
	Expiration license.Date   `json:"expiration"`
	Stage      reminder.Stage `json:"stage"`
}

// Guard returns the ID under which the reminder of a license is kept, so that a contact gets it once: of the license,
// its expiration, the stage and the contact.
func (d Due) Guard(to license.Contact) string {
	return id(d.License, fmt.Sprintf("%s-%s-%s", d.Expiration, d.Stage, mail.RecipientID(to.Email)))
}

// LicensesExpiring is the n-th digest of a day for a contact of a customer, from 1: it reminds the contact of all
// licenses that are due that day. Its private links prove that the reader has it.
func LicensesExpiring(customer string, day license.Date, to license.Contact, n int) Notice {
	return Notice{
		ID:   id(customer, fmt.Sprintf("%s-%s-%02d", day, mail.RecipientID(to.Email), n)),
		Kind: mail.LicenseExpiring, About: customer, To: to, Customer: "customer-" + customer,
		Nonce: token.Renewal.New(),
	}
}

// RemindersStopped tells sales that the reader of a digest unsubscribed from the reminders of licenses in it. nonce
// tells one time from another.
func RemindersStopped(digest Notice, licenses []Due, nonce string) Notice {
	return Notice{
		ID:   id(digest.About, "stopped-"+nonce+"-"+mail.RecipientID(digest.To.Email)),
		Kind: mail.RemindersStopped, About: digest.About, Customer: digest.Customer, Due: licenses,
		Contacts: []license.Contact{digest.To},
	}
}

// Expiring is what is on record about a license of a digest.
type Expiring struct {
	License license.License
	// Customer is the reference of the license's customer, of the survivor if it was merged.
	Customer reference.Reference
	// Environment is that of its instance; "" if that is unknown.
	Environment request.Environment
	Contract    reference.Reference // of its contract; "" for none
	// ContractLast is the last day of its contract if that goes on after it; else zero.
	ContractLast license.Date
	Contacts     []license.Contact // who is written to about its renewal, in that order
	Unsubscribed []string          // the addresses of those of them who unsubscribed from its reminders
	Covered      bool              // on the day of the records, another license of the instance is valid in its place
	Reminded     *license.Contact  // whom the next reminder would go to; nil for nobody
}

// Omitted returns the licenses that a LicenseExpiring need not name any more, and why, as the end of the sentence
// “Not sent: …”.
func (n Notice) Omitted(r Records) map[string]string {
	omitted := map[string]string{}
	for _, d := range n.Due {
		if why := n.omits(d, r); why != "" {
			omitted[d.License] = why
		}
	}
	return omitted
}

func (n Notice) omits(d Due, r Records) string {
	of, ok := r.Expiring[d.License]
	if !ok {
		return "the license is no longer on record"
	}
	if of.Customer != "" && of.Customer != r.Customer {
		return "the license belongs to another customer now"
	}
	return Unneeded(of, d, n.To, r)
}

// Unneeded returns why a contact need not be reminded of a license today, as the end of a sentence; "" if it is needed.
// It is the one rule of the daily run, of the mailer, and of who is written to next.
func Unneeded(of Expiring, d Due, to license.Contact, r Records) string {
	l, newest := of.License, r.Policy.Newest(of.License, r.Today)
	switch silence := reminder.Silenced(l, r.Today); {
	case silence != "":
		return string(silence)
	case l.Expiration != d.Expiration:
		return "the last day of the license has changed"
	case newest.IsZero():
		return "the license has expired"
	case newest != d.Stage:
		return "a later reminder is due"
	case newest.After() && of.Covered:
		return "the instance has another license"
	case !isOneOf(of.Contacts, to):
		return "the recipient is no longer a contact"
	case of.HasUnsubscribed(to):
		return "the recipient unsubscribed from the reminders"
	}
	return ""
}

func isOneOf(contacts []license.Contact, who license.Contact) bool {
	return slices.ContainsFunc(contacts, func(c license.Contact) bool { return input.SameMailbox(c.Email, who.Email) })
}

// HasUnsubscribed reports whether a contact unsubscribed from the reminders of the license.
func (e Expiring) HasUnsubscribed(who license.Contact) bool {
	return slices.ContainsFunc(e.Unsubscribed, func(email string) bool { return input.SameMailbox(email, who.Email) })
}
