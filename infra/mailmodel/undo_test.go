package mailmodel

import (
	"context"
	"slices"
	"strings"
	"time"

	"marketplace/shared/fault"
)

// ending is the end of a request while people can undo it.
type ending struct {
	at          time.Time
	email       string // the ID of the email about it
	state       string // before
	unconfirmed bool
}

// undoFor is how long the end of a request can be undone.
const undoFor = time.Minute

// known is a request as everybody but sales knows it. sure is false around the end of the minute, and while the clocks
// differ by more.
func (w *world) known(r *requested) (known requested, sure bool) {
	const slack = 2 * time.Second // between reading what is on record and sending
	known = *r
	if r.end == nil {
		return known, true
	}
	until := r.end.at.Add(undoFor)
	switch {
	case !w.now.Before(until.Add(slack+2*w.skewed)) && w.wentBack == 0:
		return known, true
	case w.now.Before(until.Add(-slack)) && w.skewed == 0 && w.wentBack == 0:
		known.state, known.unconfirmed = r.end.state, r.end.unconfirmed
		return known, true
	}
	return known, false
}

// undo undoes the end of a request in time, or too late. It is refused for an email whose call has begun: the mailer's
// clock may be ahead.
func (w *world) undo() {
	ended := slices.DeleteFunc(slices.Clone(w.requests), func(r *requested) bool { return r.end == nil || r.open() })
	if len(ended) == 0 {
		return
	}
	r := one(w, ended[max(0, len(ended)-3):])
	e := w.emails[r.end.email]
	w.people.appeared = nil
	e.undone = true // it is closed in the same transaction
	done := false
	var refused error
	for range 100 {
		applied := w.people.applied
		err := w.people.store.UndoReview(context.Background(), r.id, e.ID, operator)
		if done = err == nil || w.people.applied > applied; done || fault.KindOf(err) != fault.Unavailable {
			refused = err
			break
		}
	}
	late := !w.people.now().Before(r.end.at.Add(w.people.now().Sub(w.now)).Add(undoFor))
	if !done {
		e.undone = false
		if refused != nil && (fault.KindOf(refused) != fault.Conflict || !late && e.marks == 0 && w.wentBack == 0) {
			w.failf("undoing the end of %s: %v", r.id, refused)
		}
		return
	}
	w.logf("the end of %s is undone", r.id)
	if e.marks > 0 || late && w.wentBack == 0 {
		w.failf("the end of %s is undone, though it was too late", r.id)
	}
	r.state, r.unconfirmed, r.end = r.end.state, r.end.unconfirmed, nil
	w.expect()
}

// endOf notes that people closed a request, with the email that waits.
func (w *world) endOf(r *requested, before requested) {
	r.end = &ending{at: w.now, state: before.state, unconfirmed: before.unconfirmed}
	for _, e := range w.people.appeared {
		if strings.HasPrefix(e.Kind, "request-") {
			r.end.email = e.ID
		}
	}
}
