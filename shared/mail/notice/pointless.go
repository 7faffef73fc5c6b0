package notice

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reference"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

// Records is what is on record about the subject of a notice.
type Records struct {
	// Request is the request that the notice is about; of a LicenseKey, the one that its licenses answered, if any.
	Request request.Request
	// Licenses are those whose keys the notice delivers, or the one that it is about.
	Licenses []license.License
	// Customer is the reference of the customer of the licenses, or that the notice is about. Contracts are the
	// references of the licenses' contracts, by the contracts' IDs. What is not on record is left out.
	Customer  reference.Reference
	Contracts map[string]reference.Reference
	// Organization is the name of the customer that the notice is about, or of a RequestAsk, that is asked.
	Organization string
	// Server is the server ID on record of the instance that a RequestAsk is about; "" if that is unknown.
	Server license.Server
	// ContractLast is the last day of the license's contract if that goes on after the license; else zero.
	ContractLast license.Date
	// Expiring has the licenses of a LicenseExpiring or RemindersStopped, by their IDs.
	Expiring map[string]Expiring
	// Contacts are who is written to about the license of a LicenseUnreached. Of a RequestAsk, they are all contacts of
	// the customer that the request was linked to.
	Contacts  []license.Contact
	Requests  []request.Request // of RequestUnconfirmed and RequestsToConfirm
	Reachable bool              // of LicenseUnreached: whether a contact can be reached after all
	Arrived   bool              // of a notice that Repeats another: whether that one has arrived by now
	Reviewer  string            // of RequestLate and RequestLateSales: the name of who works on the request, if known
	Policy    reminder.Policy   // of the reminders
	Today     license.Date      // UTC
	SignIn    SignIn            // of SignInLink
	Now       time.Time         // UTC; of RequestLate, RequestLateSales and SignInLink
}

// Pointless returns why a notice need not be sent any more, as the end of the sentence “Not sent: …”; "" if it still
// has a point. It is the rule of the mailer and of who is written to next; of reminders, see Unneeded.
func (n Notice) Pointless(r Records) string {
	if input.Erased(n.To.Email) || n.Kind.ToRequester() && input.Erased(r.Request.Email) {
		return "the recipient's data was erased"
	}
	if n.Repeats != "" && r.Arrived {
		return "the previous email arrived after all"
	}
	switch n.Kind {
	case mail.RequestReceived, mail.RequestsToConfirm:
		switch about := r.Request; {
		case !about.State.Open():
			return "the request is closed"
		case !input.SameMailbox(about.Email, n.To.Email):
			return "the address was corrected"
		case !about.Confirmed.IsZero() && !about.FiledSignedIn():
			return "the request is confirmed"
		case about.State == request.Waiting && about.AddressConfirmed():
			return "the customer has since been told more"
		}
	case mail.RequestAsk:
		reader := func(email string) bool { return input.SameMailbox(email, n.To.Email) }
		answered := func(a request.Answer) bool { return reader(a.By) }
		switch about := r.Request; {
		case !about.State.Open():
			return "the request is closed"
		case !slices.ContainsFunc(about.AskedOf, reader):
			return "the address of the request was corrected"
		case slices.ContainsFunc(about.Answers, answered):
			return "the contact has answered"
		case !slices.ContainsFunc(r.Contacts, func(c license.Contact) bool { return reader(c.Email) }):
			return "the recipient is no longer a contact"
		}
	case mail.RequestAnswered:
		newest := func(a request.Answer) bool { return strings.HasPrefix(n.ID, RequestAnswered(r.Request, a).ID) }
		switch {
		case !r.Request.State.Open():
			return "the request is closed"
		case !slices.ContainsFunc(r.Request.Answers, newest):
			return "the answer has changed"
		}
	case mail.RequestUpdated:
		return n.pointlessUpdate(r.Request)
	case mail.RequestNew:
		if r.Request.State != request.Received {
			return "the request is being worked on"
		}
	case mail.RequestLate, mail.RequestLateSales:
		return n.pointlessLate(r.Request)
	case mail.RequestUnconfirmed:
		unconfirmed := func(r request.Request) bool { return r.Unconfirmed && r.State.Open() }
		if !slices.ContainsFunc(r.Requests, unconfirmed) {
			return "somebody has looked at the requests"
		}
	case mail.RequestQuestion:
		if r.Request.State != request.Waiting || r.Request.Question != n.Text {
			return "the question is no longer open"
		}
	case mail.RequestRejected, mail.RequestWithdrawn:
		if closed := stateAfter(n.Kind); r.Request.State != closed {
			return "the request is open again"
		}
	case mail.LicenseKey:
		if len(Usable(r.Licenses, r.Today)) == 0 {
			return "the license was revoked or has expired"
		}
	case mail.LicenseExpiring:
		return n.pointlessDigest(r)
	case mail.RemindersStopped:
		return n.pointlessStop(r)
	case mail.LicenseUnreached:
		return n.pointlessTask(r)
	case mail.LicenseNextKey:
		return n.pointlessNextKey(r)
	case mail.SignInLink:
		return n.pointlessSignIn(r)
	}
	return ""
}

func stateAfter(k mail.Kind) request.State {
	if k == mail.RequestWithdrawn {
		return request.Withdrawn
	}
	return request.Rejected
}

// pointlessDigest says why none of the licenses of a LicenseExpiring needs a reminder.
func (n Notice) pointlessDigest(r Records) string {
	omitted := n.Omitted(r)
	if len(omitted) < len(n.Due) {
		return ""
	}
	why := ""
	for _, one := range omitted {
		if why != "" && one != why {
			return "none of the licenses needs a reminder any more"
		}
		why = one
	}
	return cmp.Or(why, "it names no license")
}

// Stopped returns the licenses of a RemindersStopped of which nobody is reminded because the contact unsubscribed.
func (n Notice) Stopped(r Records) (list []Expiring) {
	for _, d := range n.Due {
		of, ok := r.Expiring[d.License]
		if ok && of.Reminded == nil && !r.Policy.Over(of.License, r.Today) &&
			slices.ContainsFunc(n.Contacts, of.HasUnsubscribed) {
			list = append(list, of)
		}
	}
	return list
}

// pointlessStop says why sales need not be told that a contact unsubscribed.
func (n Notice) pointlessStop(r Records) string {
	if len(n.Stopped(r)) > 0 {
		return ""
	}
	return "somebody is reminded of the licenses, or nobody needs to be"
}

// silent says why nobody is reminded of a license any more.
func silent(l license.License, today license.Date) string {
	return cmp.Or(string(reminder.Silenced(l, today)), "the license has expired")
}

func (n Notice) pointlessTask(r Records) string {
	switch l := r.Licenses[0]; {
	case r.Policy.Over(l, r.Today), l.Expiration != n.Expiration:
		return silent(l, r.Today)
	case r.Reachable:
		return "a contact can be reached again"
	}
	return ""
}

func (n Notice) pointlessNextKey(r Records) string {
	l := r.Licenses[0]
	newest := r.Policy.Newest(l, r.Today)
	switch {
	case r.Policy.Over(l, r.Today), l.Expiration != n.Expiration:
		return silent(l, r.Today)
	case r.ContractLast.IsZero():
		return "the contract ends with the license"
	case newest != n.Stage:
		return "a later reminder is due"
	}
	return ""
}

// Usable returns the licenses whose keys are worth having: neither revoked nor expired.
func Usable(licenses []license.License, today license.Date) (usable []license.License) {
	for _, l := range licenses {
		if l.Revoked.IsZero() && !today.After(l.Expiration) {
			usable = append(usable, l)
		}
	}
	return usable
}
