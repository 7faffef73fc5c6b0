package mailmodel

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
)

// due is a license that an email reminds of.
type due struct {
	License    string `json:"license"`
	Expiration string `json:"expiration"`
	Stage      string `json:"stage"`
}

// reminding is a reminder that arrives once at most.
type reminding struct {
	due
	to string
}

func (b *buyer) id() string { return storetest.CustomerID(b.name) }

// isAgain reports whether somebody sent an email once more by hand.
func (e *email) isAgain() bool { return strings.Contains(e.ID, "-again-") }

// holds reports whether the email is about a license, alone or with others.
func (e *email) holds(license string) bool {
	return e.About == license || e.Kind == "license-expiring" &&
		slices.ContainsFunc(e.Due, func(d due) bool { return d.License == license })
}

// named are the licenses that the last letter named; before the first, all.
func (e *email) named() (list []due) {
	for _, d := range e.Due {
		if e.state.Omitted[d.License] == "" {
			list = append(list, d)
		}
	}
	return list
}

// watchDue sees that a license was added to an email. before says whether the email took licenses then.
func (w *world) watchDue(p *process, id string, row table.Row) {
	e := w.emails[id]
	if e == nil {
		w.failf("%s adds a license to %s, which was never queued", p.name, id)
		return
	}
	var d due
	decode(row, &d)
	l := w.license(d.License)
	r := reminding{d, e.To.Email}
	w.logf("%s adds %s, %s of %s, to %s", p.name, d.License, d.Stage, d.Expiration, id)
	switch {
	case !e.state.Gathering || !e.state.open():
		w.failf("%s adds %s to %s, which takes no licenses: %+v", p.name, d.License, id, e.state)
	case l.buyer().id() != e.About && p.lastStall == 0:
		w.failf("%s adds %s to %s, an email of another customer", p.name, d.License, id)
	case w.told[r] != "":
		w.failf("%s adds %s to %s, but %s has it", p.name, d.License, id, w.told[r])
	}
	e.Due = append(e.Due, d)
	w.told[r] = id
	if strings.HasPrefix(p.name, "daily") {
		w.checkDaily(p, l, d, r.to)
		l.reminded = begins(l.expiration, d.Stage)
	} else {
		w.checkPassedOn(p, e, l, d)
	}
}

// checkDaily checks a reminder that the daily run queued.
func (w *world) checkDaily(p *process, l *licensed, d due, to string) {
	switch {
	case !begins(l.expiration, d.Stage).After(l.reminded):
		w.failf("%s reminds of %s, %s, which was dealt with on %v", p.name, l.id, d.Stage, l.reminded)
	case p.lastStall > 0: // what it read may have changed
	case !w.needed(d, l.buyer().id(), to):
		w.failf("%s reminds %s of %s, %s, for no reason", p.name, to, l.id, d.Stage)
	case to != w.sendable(l):
		w.failf("%s reminds %s of %s, want %s", p.name, to, l.id, w.sendable(l))
	}
}

// checkPassedOn checks a reminder that was queued because another reader did not get it, or is a contact no more: the
// reader is the next contact.
func (w *world) checkPassedOn(p *process, e *email, l *licensed, d due) {
	if p.lastStall > 0 {
		return
	}
	for _, o := range w.order {
		if o == e || o.Kind != e.Kind || o.To == e.To || !slices.Contains(o.Due, d) ||
			slices.Contains(l.buyer().forRenewals(), o.To.Email) && !w.lostBy(l, o.To.Email) {
			continue
		}
		if w.inReach(l, l.buyer().forRenewals(), o.To.Email) == e.To.Email && w.needed(d, e.About, e.To.Email) {
			return
		}
	}
	w.failf("%s adds %s to %s for no reason", p.name, l.id, e.ID)
}

// checkLeft: the licenses of a digest whose reader is a contact no more when it is sent go to the next contacts.
func (w *world) checkLeft(p *process, e *email) {
	if e.Kind != "license-expiring" || e.Repeats != "" || e.isAgain() || p.lastStall > 0 {
		return
	}
	for _, d := range e.Due {
		l := w.license(d.License)
		if !slices.Contains(l.buyer().forRenewals(), e.To.Email) && w.neededBy(d, l.buyer().id(), e.To.Email) {
			w.checkNextContact(e, []due{d})
		}
	}
}

// lostBy reports whether an address does not get what is about a license, as far as is known or is being recorded.
func (w *world) lostBy(l *licensed, address string) bool {
	now := w.reporting
	return w.outOfReach(l, address) || now != nil && now.email.holds(l.id) && now.email.To.Email == address
}

// entry is a license as a letter names it.
type entry struct{ server, last, when string }

var (
	heading = regexp.MustCompile(`^\d+ licenses? (?:expires?|expired) (.+), on \w{3} (\d\d \w{3} \d{4})$`)
	item    = regexp.MustCompile(`^Server ID (\S+)$`)
	single  = regexp.MustCompile(`^Your (?:evaluation )?license (?:expires|expired) (.+)$`)
	server  = regexp.MustCompile(`^  Server ID: +(\S+)$`)
	through = regexp.MustCompile(`^  Valid through: +(\d\d \w{3} \d{4})`)
)

// entriesOf reads which licenses a letter names: one in a letter of its own, several by their last days.
func entriesOf(text string) (list []entry) {
	var now entry
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		found := func(r *regexp.Regexp, fields ...*string) bool {
			m := r.FindStringSubmatch(line)
			for i, f := range fields[:min(len(fields), max(0, len(m)-1))] {
				*f = m[i+1]
			}
			return m != nil
		}
		switch {
		case found(heading, &now.when, &now.last), found(single, &now.when), found(server, &now.server):
		case found(item, &now.server), found(through, &now.last):
			list = append(list, now)
		}
	}
	return list
}

// checkReminder checks the letter of a reminder: it names the licenses that its reader has to be reminded of, and no
// others, each with its last day and the days until then.
func (w *world) checkReminder(c *call) {
	e := c.email
	named, needed := map[entry]int{}, map[entry]int{}
	for _, n := range entriesOf(c.message.Text) {
		named[n]++
	}
	for _, d := range e.Due {
		if l := w.license(d.License); w.needed(d, e.About, e.To.Email) {
			needed[entry{l.server, l.expiration.Format("02 Jan 2006"), w.when(l)}]++
			c.named = append(c.named, d)
		}
	}
	if !maps.Equal(named, needed) {
		w.failf("the letter %s names %v, want %v:\n%s", e.ID, named, needed, c.message.Text)
	}
}

// checkOnce: a contact is reminded of a stage of a license by one email, and by one more if that one came back.
func (w *world) checkOnce(c *call) {
	e := c.email
	if e.isAgain() {
		return
	}
	for _, o := range w.provider.accepted {
		of := o.email
		if of == e || of.isAgain() || of.To != e.To || of.ID == e.Repeats || of.Repeats == e.ID {
			continue
		}
		for _, d := range c.named {
			if slices.Contains(o.named, d) {
				w.failf("%s reminds %s of %s, %s, as %s did", e.ID, e.To.Email, d.License, d.Stage, of.ID)
			}
		}
	}
}

// wantedOf is what a daily run has to queue about licenses: whom it reminds of each, and of which sales are told that
// nobody can be reached.
func (w *world) wantedOf() (reminded map[*licensed]reminding, unreached map[*licensed]bool) {
	reminded, unreached = map[*licensed]reminding{}, map[*licensed]bool{}
	for _, l := range w.licenses {
		s := w.dueNow(l)
		if s == "" || !begins(l.expiration, s).After(l.reminded) || w.aboutMidnight(l) {
			continue
		}
		to := w.sendable(l)
		r := reminding{due{l.id, l.expiration.Format(time.DateOnly), s}, to}
		switch {
		case to == "":
			unreached[l] = !l.unreached
		case !l.unsubscribed[to] && w.told[r] == "":
			reminded[l] = r
		}
	}
	return reminded, unreached
}

// aboutMidnight reports whether the clocks of the processes may disagree about what is due.
func (w *world) aboutMidnight(l *licensed) bool {
	reckon := func(p *process) string { return as(w, p, func() string { return w.dueNow(l) }) }
	return reckon(nil) != reckon(&process{skew: w.skewed})
}
