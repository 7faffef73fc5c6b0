package site

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"marketplace/shared/input"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web"
)

// deliveryState is how far an email to a customer is, in the words of the API.
type deliveryState string

const (
	emailQueued    deliveryState = "queued"
	emailSent      deliveryState = "sent"
	emailDelivered deliveryState = "delivered" // the recipient's mail server accepted it; nobody knows who reads it
	emailDelayed   deliveryState = "delayed"   // sent, but the recipient's mail server has not accepted it yet
	emailReturned  deliveryState = "returned"  // it came back, and we send it again
	emailFailed    deliveryState = "failed"    // it was given up, or the address accepts no email
)

// emailFate is what we know about an email to a customer.
type emailFate struct {
	Kind   mail.Kind
	To     string // the address, as far as the page may show it
	State  deliveryState
	Sent   time.Time // when the provider accepted it; zero before that, and if it did not arrive
	Failed bool      // it did not arrive, or was given up

	own      bool      // To is the requester's
	returned bool      // the provider accepted it, and it did not arrive
	at       time.Time // when it got into its state; zero if unknown
	repeated time.Time // of a repetition that waits: when it will be sent
}

// deliveryOf reads the state of an email on the page of the request of email.
func deliveryOf(m outbox.Mail, email string) emailFate {
	d := emailFate{
		Kind: m.Kind, To: shownAddress(m.Recipient(), email), own: input.SameMailbox(m.Recipient(), email),
		State: stateOf(m), at: m.State.Closed,
	}
	switch d.State {
	case emailReturned, emailFailed:
		d.Failed, d.returned = true, m.State.Status == outbox.Sent
	case emailQueued:
		if m.Repeats != "" {
			d.repeated = m.State.NotBefore
		}
	case emailDelivered:
		d.Sent, d.at = m.State.Closed, deliveredAt(m)
	default:
		d.Sent = m.State.Closed
	}
	return d
}

func stateOf(m outbox.Mail) deliveryState {
	switch outbox.FateOf(m.Reports) {
	case outbox.FateBounced, outbox.FateRefused:
		return emailFailed
	case outbox.FateReturned:
		if m.Repeats != "" {
			return emailFailed // it came back twice, and is not sent to this address a third time
		}
		return emailReturned
	case outbox.FateArrived:
		return emailDelivered
	case outbox.FateDelayed:
		return emailDelayed
	}
	switch m.State.Status {
	case outbox.Sent:
		return emailSent
	case outbox.Failed:
		return emailFailed
	}
	return emailQueued
}

// deliveredAt returns when the recipient's mail server accepted an email, or else when it was sent.
func deliveredAt(m outbox.Mail) time.Time {
	for _, r := range m.Reports {
		if r.Outcome == outbox.Delivered && !r.At.IsZero() {
			return r.At
		}
	}
	return m.State.Closed
}

// customerKinds are the emails that the page of a request shows.
var customerKinds = []mail.Kind{
	mail.RequestReceived, mail.RequestsToConfirm, mail.RequestQuestion, mail.RequestRejected, mail.RequestWithdrawn,
	mail.LicenseKey,
}

// deliveries returns the emails to the customer of a request among others, without those that had no point any more,
// and without one whose cause can still be undone.
func (s *site) deliveries(mails []outbox.Mail, r request.Request) (list []emailFate) {
	for _, m := range mails {
		secret := r.Undoable(s.now()) && m.ID == r.Undo.Mail
		if slices.Contains(customerKinds, m.Kind) && m.State.Status != outbox.Pointless && !secret {
			list = append(list, deliveryOf(m, r.Email))
		}
	}
	return list
}

// newestDelivery returns the newest of the emails of some kinds that was not lost, or else the newest: an email that
// did not arrive is sent again, also to the next contact, or by sales. nil if there is none.
func newestDelivery(list []emailFate, kinds ...mail.Kind) (newest *emailFate) {
	for _, d := range list {
		if slices.Contains(kinds, d.Kind) && (newest == nil || newest.Failed || !d.Failed) {
			newest = &d
		}
	}
	return newest
}

// shownAddress returns an address for the page of a request. The requester's own is whole, so that a slip in it is
// seen; of others, which sales chose, the page shows who opens the link the domain alone.
func shownAddress(to, own string) string {
	if input.SameMailbox(to, own) {
		return to
	}
	name, domain, _ := strings.Cut(to, "@")
	_, first := utf8.DecodeRuneInString(name)
	return name[:first] + "…@" + domain
}

// text says what became of an email. It claims no more than we know.
func (d *emailFate) text(what string) string {
	switch {
	case d == nil || d.State == emailQueued:
		return "We will email you " + what + "."
	case d.Failed:
		return "The email could not be delivered to " + d.To + "."
	}
	text := "We emailed " + what + " to " + d.To + " on " + web.Instant(d.Sent) + "."
	switch d.State {
	case emailDelivered:
		text += " " + d.server() + " accepted it."
	case emailDelayed:
		text += " " + d.server() + " has not accepted it yet. We keep trying."
	}
	return text
}

func (d *emailFate) server() string {
	if d.own {
		return "Your mail server"
	}
	return "The recipient's mail server"
}

// Name says what the email is.
func (d emailFate) Name() string {
	return map[mail.Kind]string{
		mail.RequestReceived: "Confirmation", mail.RequestsToConfirm: "Confirmation",
		mail.RequestQuestion: "Our question",
		mail.RequestRejected: "Our decision", mail.RequestWithdrawn: "Withdrawal", mail.LicenseKey: "License key",
	}[d.Kind]
}

// Became says what became of the email, for the list of our emails.
func (d emailFate) Became() string {
	to := "To " + d.To + ": "
	switch d.State {
	case emailQueued:
		if !d.repeated.IsZero() {
			return to + "the previous email did not arrive, so we will send it again on " + web.Instant(d.repeated) +
				"."
		}
		return to + "waiting to be sent."
	case emailSent:
		return to + "sent on " + web.Instant(d.Sent) + "."
	case emailDelivered:
		return to + lowerFirst(d.server()) + " accepted it on " + web.Instant(d.at) + "."
	case emailDelayed:
		return to + "sent on " + web.Instant(d.Sent) + ". " + d.server() + " has not accepted it yet. We keep trying."
	case emailReturned:
		return to + "it did not arrive. " + d.server() + " sent it back."
	}
	return to + "it could not be delivered."
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// publicEmail is an email to the customer in the API.
type publicEmail struct {
	Kind  mail.Kind     `json:"kind"`
	To    string        `json:"to"` // the whole address only if it is the requester's
	State deliveryState `json:"state"`
	At    time.Time     `json:"at,omitzero"` // since when, or when a repetition will be sent
}

func publicEmails(list []emailFate) []publicEmail {
	emails := []publicEmail{}
	for _, d := range list {
		at := d.at
		if d.State == emailQueued {
			at = d.repeated
		}
		emails = append(emails, publicEmail{d.Kind, d.To, d.State, at})
	}
	return emails
}
