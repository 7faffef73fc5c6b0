package delivery

import (
	"strings"

	"marketplace/shared/mail"
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
