package mailmodel

import (
	"slices"
	"strings"
	"time"

	"marketplace/shared/license"
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
	told        bool    // of an unconfirmed one: sales were told of it
	end         *ending // the newest one by people; nil: none, or it was undone
}

func (r *requested) open() bool {
	return r.state == "received" || r.state == "in review" || r.state == "waiting for customer"
}

// buyer is a customer as the model knows it: that of one server, and of its staging server.
type buyer struct {
	name     string
	contacts []reader
	former   []reader // who were contacts at some time
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

// installation is an instance of a customer as the model knows it.
type installation struct {
	id      string
	buyer   *buyer
	server  string // the current one
	staging bool
	retired bool
}

// licensed is a license as the model knows it.
type licensed struct {
	id         string
	site       *installation
	kind       license.Type
	edition    license.Edition
	server     string
	key        string // "" of an imported one
	notBefore  time.Time
	expiration time.Time // the beginning of its last day
	revoked    bool
	mute       *mute
	added      []string // the contacts that came with it

	unsubscribed map[string]bool // addresses
	reminded     time.Time       // the day of the newest stage that the daily run dealt with
	unreached    bool            // sales were told that no contact can be reached
}

// mute stops reminders through a day; for good if that is zero.
type mute struct{ through time.Time }

func (l *licensed) buyer() *buyer { return l.site.buyer }

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
	if ofRequest := strings.HasPrefix(e.Kind, "request"); ofRequest && e.Kind != "request-rejected" &&
		e.Kind != "request-withdrawn" && e.Kind != "request-unconfirmed" {
		known, sure := w.known(r)
		if !sure {
			return either
		}
		r = &known
	}
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
	case "license-revoked", "license-replaced", "contact-added", "contact-removed", "request-confirmed":
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
		result := no
		for _, id := range e.Requests {
			switch known, sure := w.known(w.request(id)); {
			case !sure:
				result = either
			case known.unconfirmed && known.open():
				return yes
			}
		}
		return result
	case "request-question":
		return verdictOf(r.state == "waiting for customer" && r.question == e.Text)
	case "request-rejected", "request-withdrawn":
		if e.undone {
			return no // nothing else follows these states
		}
		return w.onRecord(r, e.queued)
	case "license-key":
		return verdictOf(len(w.usable(e)) > 0)
	case "license-expiring":
		return verdictOf(slices.ContainsFunc(e.Due, func(d due) bool { return w.needed(d, e.About, e.To.Email) }))
	case "license-unreached":
		return verdictOf(!w.over(l) && w.unreachable(l))
	case "reminders-stopped":
		return verdictOf(slices.ContainsFunc(e.Due, func(d due) bool {
			l := w.license(d.License)
			return l.unsubscribed[e.Contacts[0].Email] && w.forgotten(l)
		}))
	}
	return no
}

// onRecord says whether a request that ended without a license is on record: until the end of the 180th day after that.
// queued is when its email was, if nothing else says when it ended.
func (w *world) onRecord(r *requested, queued time.Time) verdict {
	if r.end != nil {
		queued = r.end.at
	}
	switch days := w.now.Sub(queued) / aDay; {
	case days >= 182 && w.wentBack == 0:
		return no
	case days >= 179:
		return either // the clocks differ
	}
	return yes
}

// contactOfSomebody says whether an address is a contact's now: either, if of some customers only, since the model does
// not know which one a request is linked to.
func (w *world) contactOfSomebody(email string) verdict {
	of, others := false, false
	for _, b := range w.buyers {
		if slices.ContainsFunc(b.contacts, func(r reader) bool { return r.email == email }) {
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
	case "request-new", "request-unconfirmed", "license-unreached", "reminders-stopped":
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
		w.checkReminder(c)
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
