// Package notice says what the vendor tells whom: an email before it is written. The outbox keeps notices, and
// functions/mailer writes each as a letter (mail/letter) at the moment of sending, from what is on record then. So
// nothing goes out that stopped being true: see Notice.Pointless.
package notice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

// Schema is the version of Notice's shape. A running version that is older than a stored notice does not send it.
const Schema = 1

// Notice is one email to one recipient: what it is about, and the few facts that only the moment of its cause knows.
// One that Expands is to nobody: the mailer replaces it by others.
type Notice struct {
	// ID is derived from the cause, so that one cause makes one email: About, two dashes, and what of it. It has only
	// letters, digits, dashes and underscores, as SES wants its tags.
	ID   string    `json:"id"`
	Kind mail.Kind `json:"kind"`
	// About is the ID of the request, license, customer or sign-in; of RequestUnconfirmed: the name of the kind.
	About string `json:"about"`
	// To is the recipient; zero where the kind goes to sales, whose address the configuration has, and where the notice
	// Expands.
	To license.Contact `json:"to,omitzero"`
	// Customer is whom the email concerns, for shares of the outbox: see Customer.
	Customer string `json:"customer"`

	// Licenses are IDs: of LicenseKey, of the licenses whose keys it delivers; of LicenseMoved, of the new ones.
	Licenses []string `json:"licenses,omitempty"`
	Resent   bool     `json:"resent,omitempty"` // of LicenseKey: the customer was sent the keys before

	// Due are the licenses of LicenseExpiring, whose ends it tells; of RemindersStopped, those of the letter with whose
	// link the contact unsubscribed. The outbox keeps those of a digest in rows of their own.
	Due []Due `json:"due,omitempty"`
	// Expiration is the last day: of LicenseUnreached and LicenseNextKey, of the license; of a ContactRemoved, of its
	// link.
	Expiration license.Date   `json:"expiration,omitzero"`
	Stage      reminder.Stage `json:"stage,omitzero"` // of LicenseNextKey

	// Deadline is the one that was missed, of RequestLate and RequestLateSales; of SignInLink, until when somebody may
	// still wait for it.
	Deadline time.Time `json:"deadline,omitzero"`

	// Text is the question, or the reason of a rejection, withdrawal or revocation, as typed.
	Text     string   `json:"text,omitempty"`
	Author   string   `json:"author,omitempty"`   // the operator who typed Text, or did what contacts are told
	Requests []string `json:"requests,omitempty"` // of RequestUnconfirmed: the IDs of the requests

	Update   Update            `json:"update,omitempty"`   // of RequestUpdated
	Moves    []Move            `json:"moves,omitempty"`    // of LicenseMoved
	Contacts []license.Contact `json:"contacts,omitempty"` // of ContactAdded, ContactRemoved and RemindersStopped: who
	// ByContact is of ContactAdded and ContactRemoved: Author is the address of a contact of the customer.
	ByContact bool `json:"byContact,omitempty"`
	// Except are addresses of contacts who are not told: they asked for it.
	Except []string `json:"except,omitempty"`
	Mail   string   `json:"mail,omitempty"` // of ContactUndo: the ID of the ContactRemoved whose link was used

	// Nonce is random, of a notice whose letter has a private link: whoever opens it proves with it to have the letter.
	Nonce string `json:"nonce,omitempty"`

	// Repeats is the ID of an email that did not arrive and that this one repeats to the same recipient; "" for none.
	Repeats string `json:"repeats,omitempty"`
}

// separator parts the subject from the rest of a notice's ID. IDs of requests and licenses do not have it.
const separator = "--"

func id(about, what string) string { return about + separator + what }

// What returns the part of the notice's ID after what it is about.
func (n Notice) What() string { return strings.TrimPrefix(n.ID, n.About+separator) }

// IDOf returns the ID of the notice about a subject that Notice.What tells from its others. It takes whole IDs too, as
// links arrive: see Linked.
func IDOf(about, what string) string {
	return id(about, strings.TrimPrefix(Linked(what), about+separator))
}

// Linked returns an ID, or a part of one, from a link without remains of quoted-printable (RFC 2045 §6.7).
func Linked(id string) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(id), "="), "3D")
}

// AboutID returns what the notice with an ID is about: Notice.About.
func AboutID(noticeID string) string {
	about, _, _ := strings.Cut(noticeID, separator)
	return about
}

// Customer returns the customer behind an address: its mail domain, or at a public mail provider the whole address.
func Customer(email string) string {
	mailbox := input.Mailbox(email)
	_, domain, _ := strings.Cut(mailbox, "@")
	if domain == "" || input.PublicProvider(domain) {
		return mailbox
	}
	return domain
}

// RequestReceived has a request confirmed at its address, or confirms it there.
func RequestReceived(r request.Request) Notice {
	return toAddress(r, mail.RequestReceived, "received")
}

// RequestNew tells sales of a new request.
func RequestNew(r request.Request) Notice {
	return Notice{
		ID: id(r.ID, "new"+afterCorrections(r)), Kind: mail.RequestNew, About: r.ID, Customer: Customer(r.Email),
	}
}

// RequestsUnconfirmed tells sales of unconfirmed requests, once a day.
func RequestsUnconfirmed(list []request.Summary, today license.Date) Notice {
	about := string(mail.RequestUnconfirmed)
	n := Notice{ID: id(about, today.String()), Kind: mail.RequestUnconfirmed, About: about, Customer: about}
	for _, r := range list {
		n.Requests = append(n.Requests, r.ID)
	}
	return n
}

// RequestQuestion asks the customer what sales need to know. version is the request's before the question.
func RequestQuestion(r request.Request, version int64) Notice {
	n := toRequester(r, mail.RequestQuestion, fmt.Sprintf("question-%d", version))
	n.Text, n.Author = r.Question, r.Reviewer
	return n
}

// RequestClosed tells the customer that a request was rejected or withdrawn, by whom and why. version is the request's
// before that.
func RequestClosed(r request.Request, version int64, by string) Notice {
	kind, what := mail.RequestRejected, "rejected"
	if r.State == request.Withdrawn {
		kind, what = mail.RequestWithdrawn, "withdrawn"
	}
	n := toRequester(r, kind, fmt.Sprintf("%s-%d", what, version))
	n.Text, n.Author = r.Reason, by
	return n
}

func toRequester(r request.Request, kind mail.Kind, what string) Notice {
	n := toAddress(r, kind, what)
	n.To.Name = mail.PersonName(r.Name)
	return n
}

// toAddress writes to the address of a request without a name: anybody may have typed both.
func toAddress(r request.Request, kind mail.Kind, what string) Notice {
	return Notice{
		ID: id(r.ID, what), Kind: kind, About: r.ID, Customer: Customer(r.Email), To: license.Contact{Email: r.Email},
	}
}

// LicenseKey delivers the keys of licenses that were issued together to a person.
func LicenseKey(licenses []license.License, to license.Contact) Notice {
	first := licenses[0]
	n := toContact(first, to, mail.LicenseKey, "key")
	for _, l := range licenses {
		n.Licenses = append(n.Licenses, l.ID)
	}
	return n
}

// LicenseKeyAgain delivers the key of a license again, to a person. nonce tells one sending from another.
func LicenseKeyAgain(l license.License, to license.Contact, nonce string) Notice {
	n := toContact(l, to, mail.LicenseKey, "again-"+nonce)
	n.Licenses, n.Resent = []string{l.ID}, true
	return n
}

func toContact(l license.License, to license.Contact, kind mail.Kind, what string) Notice {
	return Notice{ID: id(l.ID, what), Kind: kind, About: l.ID, To: to, Customer: customerOf(l)}
}

// LicenseUnreached tells sales, once for each license and expiration, that no contact of a license can be reached.
func LicenseUnreached(l license.License) Notice {
	return Notice{
		ID: id(l.ID, l.Expiration.String()+"-unreached"), Kind: mail.LicenseUnreached, About: l.ID,
		Expiration: l.Expiration, Customer: customerOf(l),
	}
}

// LicenseNextKey tells sales, once for each license, expiration and stage, that the license's contract goes on after
// it: the next key is due.
func LicenseNextKey(l license.License, stage reminder.Stage) Notice {
	return Notice{
		ID: id(l.ID, fmt.Sprintf("%s-%s-next", l.Expiration, stage)), Kind: mail.LicenseNextKey, About: l.ID,
		Expiration: l.Expiration, Stage: stage, Customer: customerOf(l),
	}
}

// customerOf is whose mails share their places in the queue: those of the license's customer.
func customerOf(l license.License) string { return "customer-" + l.Customer }

// ToContact returns the same notice to another contact.
func (n Notice) ToContact(to license.Contact) Notice {
	n.ID = strings.TrimSuffix(n.ID, repeated)
	n.ID = strings.TrimSuffix(n.ID, "-"+mail.RecipientID(n.To.Email)) + "-" + mail.RecipientID(to.Email)
	n.To, n.Repeats = to, ""
	return n
}

// repeated ends the ID of a notice that repeats another.
const repeated = "-repeated"

// Repeated returns the notice that repeats n to the same recipient because n did not arrive.
func (n Notice) Repeated() Notice {
	n.ID, n.Repeats = n.ID+repeated, n.ID
	return n
}

const again = "-again-"

// IsAgain reports whether the notice is one that somebody sent once more.
func (n Notice) IsAgain() bool { return strings.Contains(n.ID, again) }

// Again returns the notice that somebody sends once more, to the same recipient. nonce tells one sending from another.
func (n Notice) Again(nonce string) Notice {
	about, what, _ := strings.Cut(n.ID, separator)
	what, _, _ = strings.Cut("-"+strings.TrimSuffix(what, repeated), again) // it may be sent again already
	n.ID = id(about, strings.TrimPrefix(what+again+nonce, "-"))
	if n.To.Email != "" {
		n.ID += "-" + mail.RecipientID(n.To.Email)
	}
	n.Repeats, n.Resent = "", n.Kind == mail.LicenseKey
	return n
}

// Ranks of notices: those of a lower one are sent first.
const (
	RankUrgent   = 1 // somebody waits for it: keys, questions, answers
	RankSoon     = 2 // confirmations, and mail to sales
	RankReminder = 3
)

// Ranks lists every rank.
var Ranks = []int{RankUrgent, RankSoon, RankReminder}

// kinds are those that letters are written for, or that expand.
var kinds = []mail.Kind{
	mail.RequestReceived, mail.RequestNew, mail.RequestUnconfirmed, mail.RequestQuestion, mail.RequestRejected,
	mail.RequestWithdrawn, mail.LicenseKey, mail.LicenseExpiring, mail.LicenseUnreached,
	mail.LicenseNextKey, mail.RemindersStopped, mail.RequestsToConfirm, mail.RequestConfirmed, mail.RequestAsk,
	mail.RequestAnswered, mail.RequestUpdated, mail.ErasureAsked,
	mail.RequestsOfDomain, mail.RequestLate, mail.RequestLateSales,
	mail.LicenseMoved, mail.LicenseRevoked, mail.ContactAdded, mail.ContactRemoved, mail.ContactUndo,
	mail.SignInLink,
}

// Known reports whether the running version knows the notice's kind.
func (n Notice) Known() bool { return slices.Contains(kinds, n.Kind) }

// Expands reports whether the notice is no email but becomes others, whose recipients are known only when the mailer
// looks. One that contacts are told becomes one of its kind to each of them.
func (n Notice) Expands() bool {
	return n.Kind == mail.RequestConfirmed || n.Kind == mail.ContactUndo || n.Kind.ToContacts() && n.To.Email == ""
}

// PointlessError is why a notice that expands need not become others any more, as Notice.Pointless says it.
type PointlessError struct{ Why string }

func (e *PointlessError) Error() string { return "the notice has no point any more: " + e.Why }

// Rank returns the rank of the notice.
func (n Notice) Rank() int {
	if n.Kind == mail.RequestWithdrawn && n.Author == ByCustomer {
		return RankSoon // the reader did it
	}
	switch n.Kind {
	case mail.LicenseKey, mail.RequestQuestion, mail.RequestRejected, mail.RequestWithdrawn, mail.RequestAsk,
		mail.LicenseMoved, mail.LicenseRevoked, mail.ContactAdded, mail.ContactRemoved, mail.SignInLink:
		return RankUrgent
	case mail.LicenseExpiring:
		return RankReminder
	}
	return RankSoon
}
