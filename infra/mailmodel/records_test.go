package mailmodel

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// requested is a license request as the model knows it.
type requested struct {
	id          string
	email       string
	state       string
	question    string
	unconfirmed bool
	suspicious  bool
	confirmed   bool // by the person behind the address
	corrected   bool // its address was
	filed       time.Time
	told        bool // of an unconfirmed one: sales were told of it
}

func (r *requested) open() bool {
	return r.state == "received" || r.state == "in review" || r.state == "waiting for customer"
}

// buyer is a customer as the model knows it: that of one server, and of its staging server.
type buyer struct {
	name     string
	contacts []reader
}

// reader is a contact of a customer, and what for.
type reader struct {
	email          string
	keys, renewals bool
}

// forKeys are the addresses of those who get keys, in their order; forRenewals those who get reminders.
func (b *buyer) forKeys() []string {
	return b.readers(func(r reader) bool { return r.keys })
}

func (b *buyer) forRenewals() []string {
	return b.readers(func(r reader) bool { return r.renewals })
}

func (b *buyer) readers(is func(reader) bool) (list []string) {
	for _, r := range b.contacts {
		if is(r) {
			list = append(list, r.email)
		}
	}
	return list
}

// licensed is a license as the model knows it.
type licensed struct {
	id         string
	buyer      *buyer
	server     string
	key        string // "" of an imported one
	notBefore  time.Time
	expiration time.Time // the beginning of its last day
	revoked    bool
	muted      bool
	added      []string // the contacts that came with it
	reminded   int      // the months of the last reminder that was queued
	unreached  bool     // sales were told that no contact can be reached
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// monthsBefore returns the same day of an earlier month, or the last day of that month.
func monthsBefore(d time.Time, months int) time.Time {
	for lastDay := d.Day(); ; lastDay-- {
		before := time.Date(d.Year(), d.Month()-time.Month(months), lastDay, 0, 0, 0, 0, time.UTC)
		if before.Day() == lastDay {
			return before
		}
	}
}

func (w *world) expired(l *licensed) bool { return day(w.now).After(l.expiration) }

// renewed reports whether another license continues a license.
func (w *world) renewed(l *licensed) bool {
	return slices.ContainsFunc(w.licenses, func(other *licensed) bool {
		return other != l && other.server == l.server && !other.revoked && other.expiration.After(l.expiration) &&
			!other.notBefore.After(l.expiration.AddDate(0, 0, 1))
	})
}

// over reports whether nobody is reminded of a license any more.
func (w *world) over(l *licensed) bool {
	return l.muted || l.revoked || w.expired(l) || w.renewed(l) || w.retired[l.server]
}

// stage returns which reminder fits today: the months before the expiration, 0 for none.
func (w *world) stage(l *licensed) int {
	if w.over(l) {
		return 0
	}
	for _, months := range []int{1, 2} {
		begins := monthsBefore(l.expiration, months)
		if !day(w.now).Before(begins) {
			if !begins.After(l.notBefore) {
				return 0
			}
			return months
		}
	}
	return 0
}

func (w *world) license(id string) *licensed {
	i := slices.IndexFunc(w.licenses, func(l *licensed) bool { return l.id == id })
	if i < 0 {
		return nil
	}
	return w.licenses[i]
}

func (w *world) request(id string) *requested {
	i := slices.IndexFunc(w.requests, func(r *requested) bool { return r.id == id })
	if i < 0 {
		return nil
	}
	return w.requests[i]
}

// verdict says whether an email has a point.
type verdict string

const (
	yes    verdict = "has a point"
	no     verdict = "has no point"
	either verdict = "may go or not"
)

func verdictOf(point bool) verdict {
	if point {
		return yes
	}
	return no
}

// point says whether an email has a point now.
func (w *world) point(e *email) verdict {
	if e.Repeats == "" {
		return w.pointOfKind(e)
	}
	switch w.emails[e.Repeats].fate() {
	case arrived:
		return no
	case returned:
		return w.pointOfKind(e)
	}
	return either
}

func (w *world) pointOfKind(e *email) verdict {
	r, l := w.request(e.About), w.license(e.About)
	switch e.Kind {
	case "request-received", "requests-to-confirm":
		return verdictOf(r.open() && r.email == e.To.Email && !r.confirmed)
	case "request-ask":
		switch {
		case !r.open():
			return no
		case r.corrected: // whoever was asked before need not answer
			return either
		}
		return w.contactOfSomebody(e.To.Email)
	case "license-revoked", "contact-added", "contact-removed", "request-confirmed":
		if e.expands() {
			return either
		}
		return yes
	case "request-new":
		switch {
		case !r.open():
			return no
		case r.state == "received":
			return yes
		}
		return either
	case "request-unconfirmed":
		return verdictOf(slices.ContainsFunc(e.Requests, func(id string) bool {
			return w.request(id).unconfirmed && w.request(id).open()
		}))
	case "request-question":
		return verdictOf(r.state == "waiting for customer" && r.question == e.Text)
	case "request-rejected", "request-withdrawn":
		return yes // nothing follows these states
	case "license-key":
		return verdictOf(len(w.usable(e)) > 0)
	case "license-expiring":
		return verdictOf(w.stage(l) == e.Stage && e.Stage != 0 && slices.Contains(l.buyer.forRenewals(), e.To.Email))
	case "license-unreached":
		return verdictOf(!w.over(l) && w.unreachable(l))
	}
	return no
}

// contactOfSomebody says whether an address is a contact's now: either, if of some customers only, since the model does
// not know which one a request is linked to.
func (w *world) contactOfSomebody(email string) verdict {
	of, others := false, false
	for _, l := range w.licenses {
		if slices.ContainsFunc(l.buyer.contacts, func(r reader) bool { return r.email == email }) {
			of = true
		} else {
			others = true
		}
	}
	if of && others {
		return either
	}
	return verdictOf(of)
}

// pointForOthers says whether an email about a license has a point, its reader being a contact or not.
func (w *world) pointForOthers(e *email) verdict {
	if e.Kind != "license-expiring" {
		return w.point(e)
	}
	l := w.license(e.About)
	before := l.buyer
	defer func() { l.buyer = before }()
	l.buyer = &buyer{contacts: append(slices.Clone(before.contacts), reader{e.To.Email, true, true})}
	return w.point(e)
}

// usable returns the licenses of an email with keys that are worth having.
func (w *world) usable(e *email) (list []*licensed) {
	for _, id := range e.Licenses {
		if l := w.license(id); !l.revoked && !w.expired(l) {
			list = append(list, l)
		}
	}
	return list
}

// recipient is to whom an email is sent now.
func (w *world) recipient(e *email) string {
	switch e.Kind {
	case "request-new", "request-unconfirmed", "license-unreached":
		return salesEmail
	case "request-question", "request-rejected", "request-withdrawn":
		return w.request(e.About).email // it may have been corrected
	}
	return e.To.Email
}

// checkLetter checks that a letter says what is true now.
func (w *world) checkLetter(c *call) {
	e, m := c.email, c.message
	has := func(text string) {
		if !strings.Contains(m.Text, text) {
			w.failf("the letter %s lacks %q:\n%s", e.ID, text, m.Text)
		}
	}
	date := func(t time.Time) string { return t.Format("02 Jan 2006") }
	switch e.Kind {
	case "request-question", "request-rejected", "request-withdrawn":
		has("> " + e.Text)
	case "license-expiring":
		l := w.license(e.About)
		when := fmt.Sprintf("in %d days", int(l.expiration.Sub(day(w.now))/(24*time.Hour)))
		switch when {
		case "in 0 days":
			when = "today"
		case "in 1 days":
			when = "tomorrow"
		}
		has("Your license expires " + when)
		has(date(l.expiration))
	case "license-key":
		usable := w.usable(e)
		for _, id := range e.Licenses {
			l := w.license(id)
			if slices.Contains(usable, l) {
				has("\n" + l.key + "\n")
				has(date(l.expiration))
			} else if strings.Contains(m.Text, l.key) {
				w.failf("the letter %s has the key of %s, which is not worth having", e.ID, l.id)
			}
		}
	}
	if to := w.recipient(e); m.To.Email != to {
		w.failf("the letter %s goes to %s, want %s", e.ID, m.To.Email, to)
	}
}
