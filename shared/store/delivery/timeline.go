package delivery

import (
	"context"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// Actions about addresses, and about mails that did not arrive.
const (
	MailBounced       store.Action = "mail bounced"
	MailComplained    store.Action = "complaint about a mail"
	MailRefused       store.Action = "mail refused by the carrier"
	MailReturned      store.Action = "mail returned"
	MailAnswered      store.Action = "mail returned or answered automatically"
	MailDelayed       store.Action = "mail delayed"
	MailRepeated      store.Action = "mail is sent again in a day"
	MailReaddressed   store.Action = "mail goes to the next contact"
	ContactsUnreached store.Action = "no contact can be reached"
	MailTriedAgain    store.Action = "mail tried again"
	MailSentAgain     store.Action = "mail sent again"
	AddressSuppressed store.Action = "address suppressed" // in the audit alone
	SuppressionLifted store.Action = "mail to the address allowed again"
)

// MailNote is the note of an event about a mail: its kind, and its recipient if that is a customer. ParseMailNote reads
// it.
func MailNote(k mail.Kind, to string) string { return strings.TrimSpace(string(k) + " " + to) }

// ParseMailNote returns the kind and the recipient of a mail in a note of MailNote.
func ParseMailNote(note string) (k mail.Kind, to string) {
	kind, to, _ := strings.Cut(note, " ")
	return mail.Kind(kind), to
}

// ownerOf returns the ID of the customer whose a request or license is, or of the customer itself; "" if it has none
// yet, or is not on record any more.
func (s *Store) ownerOf(ctx context.Context, of store.Subject) (id string, err error) {
	switch {
	case of.License != "":
		var r store.LicenseRecord
		r, err = s.License(ctx, of.License)
		id = r.License.Customer
	case of.Request != "":
		var r request.Request
		r, err = s.Request(ctx, of.Request)
		id = r.Customer
	default:
		id = of.Customer
	}
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	return id, err
}
