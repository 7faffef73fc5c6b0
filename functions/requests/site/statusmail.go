package site

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"marketplace/shared/input"
	"marketplace/shared/mail"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web"
)

// delivery is what we know about an email to a customer.
type delivery struct {
	To     string    // the address, as far as the page may show it
	Sent   time.Time // when the provider accepted it; zero before that, and if it failed
	Failed bool      // it was given up, or it bounced
}

// deliveryOf reads the state of an email on the page of the request of email.
func deliveryOf(m outbox.Mail, email string) delivery {
	d := delivery{To: shownAddress(m.To.Email, email), Failed: m.State.Status == outbox.Failed}
	if m.State.Status == outbox.Sent {
		d.Sent = m.State.Closed
	}
	for _, r := range m.Reports {
		d.Failed = d.Failed || r.Outcome == outbox.Bounced || r.Outcome == outbox.Refused
	}
	if d.Failed {
		d.Sent = time.Time{}
	}
	return d
}

// newestDelivery returns the newest of the emails of some kinds that was not lost, or else the newest: an email that
// bounced is sent again to the next contact, or by sales. nil if there is none.
func newestDelivery(mails []outbox.Mail, email string, kinds ...mail.Kind) (newest *delivery) {
	for _, m := range mails {
		if d := deliveryOf(m, email); slices.Contains(kinds, m.Kind) &&
			(newest == nil || newest.Failed || !d.Failed) {
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
func (d *delivery) text(what string) string {
	switch {
	case d == nil || !d.Failed && d.Sent.IsZero():
		return "We will email you " + what + "."
	case d.Failed:
		return "The email could not be delivered to " + d.To + "."
	}
	return "We emailed " + what + " to " + d.To + " on " + web.Instant(d.Sent) + "."
}
