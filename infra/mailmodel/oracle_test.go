package mailmodel

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/table"
)

// salesEmail is where emails to sales go.
const salesEmail = "sales@vendor.example"

// mostCalls is how often the provider may accept an email, unless somebody tries it again.
const mostCalls = 3

// outage is what three different emails in a row make that fail alike, with none accepted between.
type outage struct {
	class  string
	emails []string
	last   time.Time
	probes int
	// unsure: what the mailers know may differ, since one of them was cut off or the table failed.
	unsure bool
}

func (o *outage) on() bool { return len(o.emails) >= 3 }

// note notes a call that ended.
func (o *outage) note(c *call) {
	switch c.result {
	case accepted:
		*o = outage{unsure: o.unsure}
		return
	case rejected, throttled:
		o.unsure = true // it answered; whether that ends an outage is open
		return
	}
	if o.on() {
		o.probes++
	} else {
		if o.class != c.class {
			o.class, o.emails = c.class, nil
		}
		if !slices.Contains(o.emails, c.email.ID) {
			o.emails = append(o.emails, c.email.ID)
		}
	}
	o.last = c.ended
}

// pause is how long nobody sends after the last failure.
func (o *outage) pause() time.Duration {
	ladder := []time.Duration{1, 2, 4, 8, 15}
	return ladder[min(o.probes, len(ladder)-1)] * time.Minute
}

// beginCall checks that a call of the provider may begin now.
func (w *world) beginCall(p *process, m mail.Message) *call {
	e := w.emails[m.ID]
	if e == nil {
		w.failf("%s sends %s, which was never queued", p.name, m.ID)
		e = &email{ID: m.ID}
	}
	c := &call{email: e, process: p, message: m, attempt: m.Attempt, at: w.now, begun: e.marked, faults: p.faults,
		stalled: p.stalledSince(p.steps - 2)}
	w.logf("%s sends %s, attempt %d", p.name, m.ID, m.Attempt)
	now := p.now()
	e.calls = append(e.calls, c)
	switch {
	case e.unknown:
		w.failf("%s is of an unknown kind, and was sent", e.ID)
		return c
	case c.stalled: // others may have taken its place
		return c
	case e.state.Status != "sending" || e.state.Attempts != m.Attempt:
		w.failf("the call of %s, attempt %d, is not marked: %+v", e.ID, m.Attempt, e.state)
	case e.Repeats != "" && w.now.Add(2*w.skewed).Before(e.queued.Add(24*time.Hour)):
		w.failf("%s repeats an email and is called within a day", e.ID)
	case now.Add(w.skewed).Before(e.paused):
		w.failf("%s is called, and was paused until %v", e.ID, e.paused)
	}
	if !e.settled.IsZero() && !e.settled.After(c.begun) {
		w.failf("%s is called again, though an event said at %v that it was accepted", e.ID, e.settled)
	}
	w.checkLease(c)
	w.checkRank(c)
	w.checkQuota(c)
	if o := w.outage; o.on() && !o.unsure && w.now.Add(w.skewed).Before(o.last.Add(o.pause())) {
		w.failf("%s is called %v after the last failure of an outage, want %v", e.ID, w.now.Sub(o.last), o.pause())
	}
	return c
}

// overtaken reports whether another mailer may have sent while the process stalled, with a clock that is ahead and so
// ends a lease early. An email is then still sent once, but the other one's calls are not known.
func (p *process) overtaken() bool { return p.world.skewed > 0 && p.lastStall > 0 }

// checkLease: only who has the lease begins calls.
func (w *world) checkLease(c *call) {
	if c.process.overtaken() {
		return
	}
	var lease struct {
		Fence int64     `json:"fence"`
		Until time.Time `json:"until"`
	}
	for _, row := range w.with("MAILER") {
		decode(row, &lease)
	}
	if lease.Fence != c.process.fence || !c.process.now().Before(lease.Until) {
		w.failf("%s with fence %d sends %s, but fence %d has the lease until %v", c.process.name, c.process.fence,
			c.email.ID, lease.Fence, lease.Until)
	}
}

// checkRank: no reminder is begun while an email of rank 1 was ready at the last look, which is at most a second old.
func (w *world) checkRank(c *call) {
	p := c.process
	if c.email.rank() != 3 || p.stalledSince(p.lookedAtStep) || p.overtaken() {
		return
	}
	if age := w.now.Sub(p.looked); age > time.Second {
		w.failf("reminder %s is begun %v after the last look at what is urgent", c.email.ID, age)
	}
	for _, row := range w.with("OUTBOX#1#") {
		id := row.SK[strings.LastIndex(row.SK, "#")+1:]
		other := w.emails[id]
		since := w.ready[row.Key.String()]
		if other != nil && since <= p.lookedAt && other.state.open() && other.state.Status != "sending" {
			w.failf("reminder %s is begun while %s is ready", c.email.ID, id)
		}
	}
}

// checkQuota: what is accepted stays within the quota and the shares of the ranks, as far as the mailer can know.
func (w *world) checkQuota(c *call) {
	v, p := w.provider, c.process
	defer func() { p.lastCall = w.now }()
	const cached = time.Minute + time.Second
	if p.overtaken() {
		return
	}
	if !p.limitsRead.After(v.changed) && (v.unreadable() || w.now.Sub(v.changed) <= cached) {
		return // it cannot know the limits, or need not have read them yet
	}
	if v.perSecond > 0 && !p.lastCall.IsZero() && p.lastStall == 0 {
		if apart := w.now.Sub(p.lastCall); apart < time.Second/time.Duration(v.perSecond)-time.Millisecond {
			w.failf("%s is called %v after the call before, at %d a second", c.email.ID, apart, v.perSecond)
		}
	}
	if v.perDay == 0 {
		return
	}
	known, heard := 0, w.now.Add(-cached)
	if v.unreadable() {
		heard = p.limitsRead
	}
	for _, a := range v.accepted {
		fresh := a.at.After(w.now.Add(-24*time.Hour + 2*w.skewed))
		unheard := !a.answered() && !a.ended.Add(2*w.skewed).Before(heard)
		if fresh && !unheard {
			known++
		}
	}
	share := map[int]int{1: 100, 2: 80, 3: 70}[c.email.rank()]
	if (known+1)*100 > share*v.perDay {
		w.failf("%s of rank %d is called with %d of %d emails accepted in the last day", c.email.ID, c.email.rank(),
			known, v.perDay)
	}
}

// checkAccepted checks an email that the provider accepts now.
func (w *world) checkAccepted(c *call) {
	e := c.email
	if e.unknown {
		return
	}
	switch v := w.point(e); {
	case c.process.stalledSince(c.process.recordsAtStep): // what it read may have changed
	case v == no:
		w.failf("%s is accepted, but it has no point", e.ID)
	default:
		w.checkLetter(c)
	}
	w.checkOnce(c)
	c.says = saysTwice(c.message)
	if c.stalled {
		return
	}
	before := 0
	for _, other := range e.calls[:len(e.calls)-1] {
		if !other.accepted {
			continue
		}
		before++
		if other.answered() {
			w.failf("%s is accepted twice, though the answer to attempt %d was not lost", e.ID, other.attempt)
		}
	}
	switch {
	case before > 0 && !c.says:
		w.failf("%s is accepted twice, and the second letter does not say so", e.ID)
	case c.says && e.doubts(e.calls[:len(e.calls)-1], e.marks-1) == 0:
		w.failf("%s says that it may be a repetition, but no call was in doubt", e.ID)
	}
	inDoubt, since := e.doubts(e.calls[e.since:len(e.calls)-1], e.marks-e.marksThen-1), 0
	for _, other := range e.calls[e.since:] {
		if other.accepted {
			since++
		}
	}
	if inDoubt >= mostCalls || since > mostCalls {
		w.failf("%s is accepted for the %dth time after %d calls in doubt", e.ID, since, inDoubt)
	}
}

// doubts counts the calls that nobody knows the outcome of: those that ended without an answer, and those that were
// marked and never made.
func (e *email) doubts(of []*call, marks int) int {
	doubts := marks - len(of)
	for _, c := range of {
		if !c.known() {
			doubts++
		}
	}
	return doubts
}

// saysTwice reports whether a letter says that it may be a repetition.
func saysTwice(m mail.Message) bool {
	return strings.Contains(strings.ReplaceAll(m.Text, "\n", " "), "If you have received this email before")
}

// known reports whether the outcome is on record.
func (c *call) known() bool { return c.recorded && c.result != unclear && c.result != cutOff }

// answered reports whether the caller got a clear answer, and nothing kept it from recording it.
func (c *call) answered() bool {
	return c.result != unclear && c.result != cutOff && !c.process.dead && c.process.faults == c.faults &&
		!c.stalled && !c.halted
}

// endCall notes how a call ended.
func (w *world) endCall(c *call) {
	e := c.email
	w.outage.note(c)
	w.logf("… %s: %s %s", e.ID, c.result, c.class)
	switch c.result {
	case notSent:
		e.notSent++
	case rejected:
		e.rejected = true
	}
}

// checkState checks a new state of an email.
func (w *world) checkState(p *process, e *email, before state) {
	s := e.state
	why := fmt.Sprintf("%s (%s) was %s", e.ID, s.Cause, before.Status)
	revived := before.Status == "pointless" && (e.Repeats != "" && p == w.reporter || e.Kind == "reminders-stopped")
	if !before.open() && s.Status != before.Status && before.Status != "failed" && s.Status != "sent" && !revived {
		w.failf("%s, and is %s", why, s.Status)
	}
	switch s.Status {
	case "expanded":
		w.checkExpanded(p, e)
	case "sending":
		if before.Status != "sending" {
			w.checkLeft(p, e)
		}
	case "pointless":
		if strings.HasPrefix(p.name, "mailer") {
			w.checkLeft(p, e)
		}
		if e.toContacts() && e.expands() {
			w.checkExpanded(p, e)
		}
		if w.point(e) == yes && !p.stalledSince(p.recordsAtStep) {
			w.failf("%s, and is dropped though it has a point", why)
		}
	case "sent":
		if !slices.ContainsFunc(e.calls, func(c *call) bool { return c.accepted }) {
			w.failf("%s, and is recorded as sent, but was never accepted", why)
		}
	case "failed":
		inDoubt := e.doubts(e.calls[e.since:], e.marks-e.marksThen)
		if !e.rejected && !e.letterFailed && inDoubt < 3 && e.notSent < 12 && !w.stopped(w.recipient(e), e.Kind) {
			w.failf("%s, and failed without a reason", why)
		}
		if strings.HasPrefix(s.Cause, "not sent:") && p.lastStall == 0 {
			w.checkNextContact(e, w.openOf(e))
		}
	case "in-doubt":
		if s.Doubts == before.Doubts {
			break // its wait is over
		}
		if wait := map[int]time.Duration{1: 5 * time.Minute}[e.rank()]; s.NotBefore.Sub(s.Call.At)+w.skewed < max(wait,
			map[bool]time.Duration{true: 30 * time.Minute}[wait == 0]) {
			w.failf("%s, and in doubt only until %v", why, s.NotBefore)
		}
	}
	if s.Failures <= before.Failures {
		return
	}
	if o := w.outage; o.on() && !o.unsure {
		w.failf("%s, and a failure was counted in an outage", why)
	}
	if len(e.calls) == 0 {
		w.failf("%s, and failed without a call", why)
		return
	}
	if pause := min(time.Minute<<(s.Failures-1), 4*time.Hour); s.Status == "waiting" &&
		s.NotBefore.Add(time.Millisecond+w.skewed).Sub(e.calls[len(e.calls)-1].ended) < pause {
		w.failf("%s, failed %d times and is paused only until %v", why, s.Failures, s.NotBefore)
	}
}

// checkRows checks what must be so between any two transactions.
func (w *world) checkRows() {
	waiting, failed := map[string]int{}, map[string]int{}
	for _, prefix := range []string{"OUTBOX#", "LATER#", "FAILEDMAIL"} {
		for _, row := range w.with(prefix) {
			id := row.SK[strings.LastIndex(row.SK, "#")+1:]
			if w.emails[id] == nil {
				w.failf("the row %s is of no email", row.Key)
			}
			if prefix == "FAILEDMAIL" {
				failed[id]++
			} else {
				waiting[id]++
			}
		}
	}
	for _, e := range w.order {
		wants := map[bool]int{true: 1}
		if waiting[e.ID] != wants[e.state.open()] {
			w.failf("%s is %q and has %d rows that say that it is ready or paused", e.ID, e.state.Status, waiting[e.ID])
		}
		if failed[e.ID] != wants[e.state.Status == "failed"] {
			w.failf("%s is %q and is listed %d times as failed", e.ID, e.state.Status, failed[e.ID])
		}
	}
}

// checkEnd checks a history after its last step: none is lost.
func (w *world) checkEnd() {
	for _, e := range w.order {
		taken := slices.ContainsFunc(e.calls, func(c *call) bool { return c.accepted })
		switch s := e.state.Status; {
		case e.unknown:
			if paused := slices.ContainsFunc(w.with("LATER#"), func(r table.Row) bool {
				return strings.HasSuffix(r.SK, "#"+e.ID)
			}); !e.state.open() || !paused {
				w.failf("%s is of an unknown kind, and %q, want it paused", e.ID, s)
			}
		case e.expands() && s == "expanded":
		case s == "sent" && taken, s == "failed", s == "pointless" && !e.answered():
		default:
			w.failf("%s is lost: it is %q, accepted: %v, and %s", e.ID, s, taken, w.point(e))
		}
	}
	w.checkKept()
}

// answered reports whether the provider accepted the email and said so.
func (e *email) answered() bool {
	return slices.ContainsFunc(e.calls, func(c *call) bool { return c.accepted && c.answered() })
}

// checkKept: each letter is kept as it was sent.
func (w *world) checkKept() {
	for _, c := range w.provider.accepted {
		if c.email.unknown {
			continue
		}
		kept, err := w.eyes.store.Outbox().Letter(context.Background(), c.email.ID, c.attempt)
		if err != nil || kept.Text != c.message.Text || kept.Attempt != c.attempt {
			w.failf("the letter of %s, attempt %s, is not kept: %v", c.email.ID, strconv.Itoa(c.attempt), err)
		}
	}
}
