package mailmodel

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/functions/mailer/dispatch"
	"marketplace/shared/mail/notice"
	"marketplace/shared/table"
)

// expands reports whether the email is none, but becomes others.
func (e *email) expands() bool {
	return e.Kind == "request-confirmed" || e.toContacts() && e.To.Email == ""
}

// toContacts reports whether every contact is told.
func (e *email) toContacts() bool {
	return slices.Contains([]string{"license-revoked", "license-replaced", "contact-added", "contact-removed"}, e.Kind)
}

// byAnybody reports whether anybody can have the email sent.
func byAnybody(kind string) bool {
	return kind == "request-received" || kind == "requests-to-confirm" || kind == "request-ask"
}

// expander notes when a mailer reads who is told.
type expander struct {
	dispatch.Expander
	process *process
}

func (x expander) Expand(ctx context.Context, n notice.Notice) ([]notice.Notice, error) {
	x.process.recordsAtStep, x.process.expandedAt = x.process.steps, x.process.world.now
	return x.Expander.Expand(ctx, n)
}

// buyerOf is the customer with an ID; nil if there is none.
func (w *world) buyerOf(id string) *buyer {
	for _, b := range w.buyers {
		if b.id() == id {
			return b
		}
	}
	return nil
}

// toBeTold are the addresses that an email to contacts becomes emails to.
func (w *world) toBeTold(e *email) (list []string) {
	of := w.buyerOf(e.About)
	if l := w.license(e.About); l != nil {
		of = l.buyer()
	}
	for _, c := range of.contacts {
		list = append(list, c.email)
	}
	for _, c := range e.Contacts {
		if e.Kind == "contact-removed" && !slices.Contains(list, c.Email) {
			list = append(list, c.Email)
		}
	}
	list = slices.DeleteFunc(list, func(address string) bool {
		return w.suppressed[address] == everything || slices.Contains(e.Except, address)
	})
	slices.Sort(list)
	return list
}

// children are the emails that an email became.
func (w *world) children(e *email) (list []*email) {
	for _, other := range w.order {
		rest, ok := strings.CutPrefix(other.ID, e.ID+"-")
		if ok && other.Kind == e.Kind && other.Repeats == "" && !strings.Contains(rest, "-") {
			list = append(list, other)
		}
	}
	return list
}

// checkExpanded checks an email that became others, or that has nobody to become an email to: each contact has exactly
// one email.
func (w *world) checkExpanded(p *process, e *email) {
	if !e.expands() {
		w.failf("%s is expanded, and is an email", e.ID)
		return
	}
	if len(e.calls) > 0 {
		w.failf("%s is no email, and was sent", e.ID)
	}
	if !e.toContacts() {
		return
	}
	var got []string
	for _, c := range w.children(e) {
		got = append(got, c.To.Email)
	}
	slices.Sort(got)
	if len(slices.Compact(slices.Clone(got))) != len(got) {
		w.failf("%s told %v, somebody twice", e.ID, got)
	}
	if p.stalledSince(p.recordsAtStep) || p.expandedAt != w.now {
		return // what it read may have changed
	}
	if want := w.toBeTold(e); !slices.Equal(got, want) {
		w.failf("%s told %v, want %v", e.ID, got, want)
	}
}

// becameOf reports whether the mailer queued an email because of one that expands.
func (w *world) becameOf(e *email) bool {
	for _, o := range w.order {
		switch {
		case !o.expands() || !o.state.open():
		case o.toContacts() && e.Kind == o.Kind && strings.HasPrefix(e.ID, o.ID+"-") && e.Repeats == "":
			return true
		case o.Kind == "request-confirmed" && o.About == e.About && e.Kind == "request-new":
			return true
		case o.Kind == "request-confirmed" && o.About == e.About && e.Kind == "request-ask" && e.Repeats == "":
			w.checkAsked(e)
			return true
		}
	}
	return false
}

// checkAsked: a contact of a customer, as of when the request was linked to it, is asked about the request, once.
func (w *world) checkAsked(e *email) {
	for _, o := range w.order {
		if o != e && o.Kind == e.Kind && o.About == e.About && o.To == e.To && o.Repeats == "" {
			w.failf("%s asks what %s asked", e.ID, o.ID)
		}
	}
	is := func(r reader) bool { return r.email == e.To.Email }
	known := func(b *buyer) bool { return slices.ContainsFunc(b.contacts, is) || slices.ContainsFunc(b.former, is) }
	if !slices.ContainsFunc(w.buyers, known) {
		w.failf("%s asks somebody who is no contact", e.ID)
	}
}

// confirm has the person behind an address confirm a request.
func (w *world) confirm() {
	var open []*requested
	for _, r := range w.requests {
		if r.open() && !r.confirmed {
			open = append(open, r)
		}
	}
	if len(open) == 0 {
		return
	}
	r := one(w, open)
	filed, err := w.eyes.store.Request(context.Background(), r.id)
	if err != nil {
		w.failf("reading %s: %v", r.id, err)
		return
	}
	if !w.do(r.id+" is confirmed", func() error {
		return w.people.store.ConfirmRequests(context.Background(), r.id, filed.Secret, r.id)
	}) {
		return
	}
	r.confirmed, r.unconfirmed = true, false
	w.confirmedAt[r.email] = w.now
	w.expect(want{"request-confirmed", r.id, ""})
}

// toConfirm is the email that asks an address to confirm a request: one for each of the first requests of a day, then
// one that lists all, then none.
func (w *world) toConfirm(r *requested) []want {
	slot := r.email + w.now.Format(time.DateOnly)
	limit := 3
	if at, ok := w.confirmedAt[r.email]; ok && w.now.Before(at.AddDate(0, 0, 30)) {
		limit = 20
	}
	switch n := w.slots[slot] + 1; {
	case n > limit+1:
		return nil
	case n == limit+1:
		w.slots[slot] = n
		return []want{{"requests-to-confirm", r.id, r.email}}
	default:
		w.slots[slot] = n
		return []want{{"request-received", r.id, r.email}}
	}
}

// contactsTold are the notices of a change of a customer's contacts.
func contactsTold(b *buyer, before, after []reader) (wants []want) {
	has := func(list []reader, r reader) bool {
		return slices.ContainsFunc(list, func(other reader) bool { return other.email == r.email })
	}
	id := b.id()
	if slices.ContainsFunc(after, func(r reader) bool { return !has(before, r) }) {
		wants = append(wants, want{"contact-added", id, ""})
	}
	if slices.ContainsFunc(before, func(r reader) bool { return !has(after, r) }) {
		wants = append(wants, want{"contact-removed", id, ""})
	}
	return wants
}

// watchClosed notes a request that the daily run closes, as soon as it does: others go by that at once, also while the
// run stalls.
func (w *world) watchClosed(p *process, row table.Row) {
	var now struct {
		ID          string `json:"id"`
		State       string `json:"state"`
		Unconfirmed bool   `json:"unconfirmed"`
	}
	decode(row, &now)
	closed := requested{state: now.State}
	r := w.request(now.ID)
	if closed.open() || r == nil || r.state == now.State {
		return
	}
	if !r.unconfirmed || !r.open() || p.now().Before(r.filed.AddDate(0, 0, 30)) {
		w.failf("%s closed %s, filed at %v, for no reason", p.name, r.id, r.filed)
	}
	r.state, r.unconfirmed = now.State, now.Unconfirmed
	w.logf("%s was closed, since nobody confirmed it", r.id)
}

// TestAMailerKnowsAtOnceThatAnOldRequestIsClosed has the daily run stall at each of its first steps, and a mailer run
// meanwhile.
func TestAMailerKnowsAtOnceThatAnOldRequestIsClosed(t *testing.T) {
	dropped := 0
	for step := 1; step <= 12; step++ {
		w := newWorld(1, "")
		w.habits, w.skewed, w.calm = habits{}, 0, true
		w.people.plan, w.reporter.plan = plan{concurrent: true}, plan{concurrent: true}
		unconfirmed := func(r *requested) bool { return r.unconfirmed && !r.suspicious }
		for w.problem == nil && !slices.ContainsFunc(w.requests, unconfirmed) {
			w.file()
		}
		w.advance(31 * aDay)
		w.runDaily(plan{stallAt: step, stall: func() { w.dispatch(plan{}) }})
		w.checkRows()
		if w.problem != nil {
			t.Fatalf("stalled at step %d: %v", step, w.problem)
		}
		if slices.ContainsFunc(w.order, func(e *email) bool { return e.state.Status == "pointless" }) {
			dropped++
		}
	}
	if dropped == 0 {
		t.Error("no mailer ran while requests were closed")
	}
}

// except is at times a contact who asked for what is done, and is not told.
func (w *world) except(b *buyer) []string {
	if len(b.contacts) == 0 || !w.chance(30) {
		return nil
	}
	return []string{one(w, b.contacts).email}
}
