package mailmodel

import (
	"context"
	"slices"
	"time"

	"marketplace/shared/store/outbox"
)

// report is the row of what an event told of an email.
type report struct {
	Call    string `json:"carrierId"`
	Outcome string `json:"outcome"`
	Status  string `json:"status"`
}

// What became of an email, or of one call.
const (
	arrived  = "arrived"
	returned = "returned" // for now
	bounced  = "bounced"  // for good
)

// fate says what became of an email, as far as events have told: it arrived if one of its calls did.
func (e *email) fate() string {
	var calls []string
	for _, r := range e.reports {
		calls = append(calls, e.fateOf(r.Call))
	}
	for _, fate := range []string{arrived, bounced, returned} {
		if slices.Contains(calls, fate) {
			return fate
		}
	}
	return ""
}

// fateOf says what became of one call. A return without a status code after a delivery is an absence note.
func (e *email) fateOf(call string) string {
	told := func(outcome outbox.Outcome, status string) bool {
		return slices.Contains(e.reports, report{call, string(outcome), status})
	}
	taken := told(outbox.Delivered, "") || told(outbox.Complained, "")
	switch {
	case told(outbox.Bounced, "5.1.1"):
		return bounced
	case told(outbox.Returned, "4.4.7"), told(outbox.Returned, "") && !taken:
		return returned
	case taken:
		return arrived
	}
	return ""
}

// scope says which emails an address does not get any more.
type scope string

const (
	everything    scope = "everything"
	confirmations scope = "confirmations"
)

// stopped reports whether emails of a kind are not sent to an address.
func (w *world) stopped(address, kind string) bool {
	s := w.suppressed[address]
	return s == everything || s == confirmations && byAnybody(kind)
}

// outOfReach reports whether an address gets no emails about a license: it is suppressed, or it returned one twice.
func (w *world) outOfReach(l *licensed, address string) bool {
	if w.suppressed[address] == everything {
		return true
	}
	for _, e := range slices.Backward(w.about(l)) {
		if e.To.Email != address {
			continue
		}
		switch e.fate() {
		case returned:
			if e.Repeats != "" {
				return true
			}
			return false
		case arrived:
			return false
		}
	}
	return false
}

// about are the emails about a license, in the order in which the clocks say that they were queued.
func (w *world) about(l *licensed) (list []*email) {
	for _, e := range w.order {
		if e.holds(l.id) {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b *email) int { return a.Created.Compare(b.Created) })
	return list
}

// inReach returns the first contact who is not out of reach, besides one; "" for none.
func (w *world) inReach(l *licensed, contacts []string, besides string) string {
	for _, c := range contacts {
		if c != besides && !w.outOfReach(l, c) {
			return c
		}
	}
	return ""
}

// unreachable reports whether nobody gets the reminders of a license, or nobody its key though that did not arrive.
func (w *world) unreachable(l *licensed) bool {
	if w.inReach(l, l.buyer().forRenewals(), "") == "" {
		return true
	}
	keys := slices.DeleteFunc(slices.Clone(w.order), func(e *email) bool {
		return e.Kind != "license-key" || e.About != l.id
	})
	lost := func(e *email) bool {
		fate := e.fate()
		return fate == returned || fate == bounced || fate == "" && e.state.Status == "failed"
	}
	lostKeys := slices.ContainsFunc(keys, func(e *email) bool {
		return lost(e) && !slices.ContainsFunc(keys, func(later *email) bool {
			return later.fate() == arrived && !later.Created.Before(e.Created)
		})
	})
	return lostKeys && w.inReach(l, l.buyer().forKeys(), "") == ""
}

// contactsOf are those who get emails of the kind of one about a license.
func (e *email) contactsOf(l *licensed) []string {
	if e.Kind == "license-key" {
		return l.buyer().forKeys()
	}
	return l.buyer().forRenewals()
}

// checkReported checks what follows from an event that was recorded.
func (w *world) checkReported(e *email, r outbox.Report, open []due, before string) {
	if e.toSales() {
		return
	}
	switch r.Outcome {
	case outbox.Bounced, outbox.Complained:
		w.checkSuppressed(e, r)
		w.checkNextContact(e, open)
	case outbox.Returned:
		switch {
		case e.fate() != returned:
		case e.Repeats != "":
			w.checkNextContact(e, open)
		default:
			w.checkRepeated(e, open)
		}
	}
	if again := w.emails[e.ID+"-repeated"]; before == returned && e.fate() == arrived && again != nil &&
		again.state.open() && again.calls == nil && again.state.Status != "waiting" {
		w.failf("%s arrived after all, and its repetition is %q", e.ID, again.state.Status)
	}
}

// checkSuppressed: the address to which the email was sent gets no more, or after a complaint about a confirmation no
// more of those.
func (w *world) checkSuppressed(e *email, r outbox.Report) {
	now := everything
	if r.Outcome == outbox.Complained && byAnybody(e.Kind) && w.suppressed[r.Recipient] != everything {
		now = confirmations
	}
	w.suppressed[r.Recipient] = now
	why, err := w.eyes.store.Suppressed(context.Background(), r.Recipient)
	if err != nil || why == nil {
		w.failf("%s %s, and its address is not suppressed: %v", e.ID, r.Outcome, err)
	}
}

// checkRepeated: what was returned is sent again a day later. Licenses for whose stage it is too late then go to the
// next contact at once.
func (w *world) checkRepeated(e *email, open []due) {
	repeats, tomorrow := e.Kind != "license-expiring", &process{skew: w.reporter.skew + aDay}
	for _, d := range e.named() {
		if as(w, tomorrow, func() string { return w.stage(w.license(d.License)) }) == d.Stage {
			repeats = true
		} else if slices.Contains(open, d) {
			w.checkNextContact(e, []due{d})
		}
	}
	if again := w.emails[e.ID+"-repeated"]; repeats != (again != nil) {
		w.failf("%s was returned, and is repeated: %v, want %v", e.ID, again != nil, repeats)
	}
}

// openOf are the licenses of an email whose reader, if it does not get the email, is followed by the next contact.
func (w *world) openOf(e *email) (list []due) {
	switch {
	case e.Repeats != "" && w.point(e) == no:
	case e.Kind == "license-key" && len(w.usable(e)) > 0:
		return []due{{License: e.About}}
	case e.Kind == "license-expiring":
		for _, d := range e.named() {
			if w.neededBy(d, w.license(d.License).buyer().id(), e.To.Email) {
				list = append(list, d)
			}
		}
	}
	return list
}

// checkNextContact: what an address did not get goes to the next contact of each license, and if there is none, sales
// are told. Nobody is asked in the place of who unsubscribed.
func (w *world) checkNextContact(e *email, open []due) {
	if w.now.Sub(e.queued) > 7*24*time.Hour-2*w.skewed {
		return
	}
	for _, d := range open {
		l := w.license(d.License)
		next := w.inReach(l, e.contactsOf(l), e.To.Email)
		switch {
		case next == "":
			if !w.caused(want{"license-unreached", l.id, ""}, nil) {
				w.failf("%s did not arrive, and nobody else can be reached, but sales were not told", e.ID)
			}
		case e.Kind == "license-expiring" && l.unsubscribed[next]:
			w.checkStopped(l, next)
		case e.Kind == "license-key" && !w.caused(want{e.Kind, e.About, next}, e),
			e.Kind == "license-expiring" && w.told[reminding{d, next}] == "":
			w.failf("%s did not arrive, and %s of it did not go to %s", e.ID, l.id, next)
		default:
			e.passedOn = true
		}
	}
}

// checkStopped: sales were told that nobody is reminded of a license, since the contact whose turn it is unsubscribed.
func (w *world) checkStopped(l *licensed, contact string) {
	if !slices.ContainsFunc(w.order, func(e *email) bool {
		return e.Kind == "reminders-stopped" && e.state.Status != "pointless" && e.Contacts[0].Email == contact &&
			slices.ContainsFunc(e.Due, func(d due) bool { return d.License == l.id })
	}) {
		w.failf("%s unsubscribed from %s, whose turn it is, but sales were not told", contact, l.id)
	}
}

// checkFollowsFrom checks an email that the mailer or an event of the provider queued: another one did not arrive.
func (w *world) checkFollowsFrom(e *email) {
	l := w.license(e.About)
	if e.Kind == "license-expiring" && e.Repeats == "" {
		return // each of its licenses is checked
	}
	unreached := func(address string) bool { return l != nil && w.lostBy(l, address) }
	if e.Repeats != "" {
		o := w.emails[e.Repeats]
		if o == nil || o.Kind != e.Kind || w.recipient(o) != w.recipient(e) || o.fate() != returned {
			w.failf("%s is queued, but what it repeats was not returned", e.ID)
		}
		return
	}
	if w.becameOf(e) {
		return
	}
	if e.Kind == "license-unreached" {
		some := func(contacts []string) bool {
			return slices.ContainsFunc(contacts, func(c string) bool { return !unreached(c) })
		}
		if some(l.buyer().forKeys()) && some(l.buyer().forRenewals()) {
			w.failf("%s is queued, but somebody can be reached", e.ID)
		}
		return
	}
	for _, o := range w.order {
		if o != e && o.sameFacts(e) && o.To != e.To && unreached(o.To.Email) && !unreached(e.To.Email) && l != nil &&
			slices.Contains(e.contactsOf(l), e.To.Email) {
			return
		}
	}
	w.failf("%s is queued for no reason", e.ID)
}

func (e *email) sameFacts(o *email) bool {
	return o.Kind == e.Kind && o.About == e.About && slices.Equal(o.Licenses, e.Licenses) &&
		o.Expiration == e.Expiration
}

// caused reports whether an email was queued, with the same facts as another.
func (w *world) caused(want want, like *email) bool {
	return slices.ContainsFunc(w.order, func(e *email) bool {
		return e.Kind == want.kind && e.About == want.about && e.To.Email == want.to &&
			(like == nil || e.sameFacts(like))
	})
}
