package mailmodel

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/store"
	"marketplace/shared/store/erasure/erasuretest"
)

// steps of a history, each as often as it is likely.
var steps = []func(*world){
	(*world).file, (*world).file, (*world).confirm, (*world).correct, (*world).review, (*world).review,
	(*world).undo, (*world).undo,
	(*world).importLicense, (*world).importLicense, (*world).issue, (*world).issue, (*world).changeLicense,
	(*world).changeLicense, (*world).changeCustomer, (*world).changeCustomer,
	(*world).remind, (*world).remind, (*world).nextStage, (*world).nextStage, (*world).nextStage,
	(*world).unsubscribe, (*world).resubscribe,
	(*world).send, (*world).send, (*world).send, (*world).send,
	(*world).wait, (*world).wait, (*world).wait, (*world).wait, (*world).change, (*world).change,
	(*world).schedule, (*world).schedule, (*world).unknownRow, (*world).tryAgain,
	(*world).sendAgain, (*world).lift, (*world).midnight,
}

// play plays a random history, and returns what went wrong.
func play(rt *rapid.T, mutation string) (*world, error) {
	return playOn(rt, newWorld(rapid.Uint64().Draw(rt, "history"), mutation))
}

func playOn(rt *rapid.T, w *world) (*world, error) {
	for _, seed := range rapid.SliceOfN(rapid.Uint64(), 20, 80).Draw(rt, "steps") {
		w.reseed(seed)
		one(w, steps)(w)
		if w.setBack > 0 && w.chance(5) {
			w.back()
		}
		if w.chance(50) {
			w.advance(time.Duration(w.choose(60_000)) * time.Millisecond)
		}
		w.checkRows()
		if w.problem != nil {
			return w, w.problem
		}
	}
	w.end()
	return w, w.problem
}

// end lets everything work for long enough, and checks what came of it.
func (w *world) end() {
	w.logf("from now on, everything works")
	w.provider.mode, w.provider.quotaDown, w.provider.perDay, w.provider.perSecond = works, false, 0, 0
	w.habits = habits{templateFails: w.habits.templateFails}
	w.reporter.plan, w.people.plan = plan{concurrent: true}, plan{concurrent: true}
	w.calm = true
	w.advance(time.Duration(w.wentBack) * aDay) // emails that wait do so until the clock is there again
	for _, part := range []struct {
		every time.Duration
		times int
	}{{time.Minute, 6}, {31 * time.Minute, 6}, {4*time.Hour + time.Minute, 5}, {25 * time.Hour, 3}} {
		w.tryAgain()
		w.runDaily(plan{})
		for range part.times {
			w.advance(part.every)
			w.dispatch(plan{})
			w.checkRows()
		}
	}
	w.checkEnd()
}

// TestEmailsAreNeitherStaleNorLostNorRepeatedSilently plays random histories; CI plays 2,000 (-rapid.checks).
func TestEmailsAreNeitherStaleNorLostNorRepeatedSilently(t *testing.T) {
	histories, seen := 0, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w, err := play(rt, "")
		if err != nil {
			rt.Fatal(err)
		}
		histories++
		w.count(seen)
		if w.seed%10 == 0 { // after everything: who is erased is no part of the model
			w.eraseSomebody(rt)
		}
	})
	t.Logf("%d histories: %v", histories, seen)
	if histories < 1000 { // the rarest, a process that stalled, is in one of 50
		return
	}
	for what, n := range seen {
		if n == 0 {
			t.Errorf("no history had what is %s", what)
		}
	}
}

// eraseSomebody erases a person at the end of a history, and scans every row.
func (w *world) eraseSomebody(rt *rapid.T) {
	people := erasuretest.Everybody(w.rows.Rows(), "vendor.example")
	if len(people) == 0 {
		return
	}
	for _, e := range w.order {
		if e.unknown { // it is about nothing on record, so that nothing leads to it
			return
		}
	}
	kept := store.New(w.rows, store.Options{Now: func() time.Time { return w.now }, Reminders: w.policy})
	if err := erasuretest.Erase(context.Background(), w.rows, kept, one(w, people)); err != nil {
		rt.Fatal(err)
	}
}

// count adds what a history had, so that a model in which nothing happens is noticed.
func (w *world) count(seen map[string]int) {
	add := func(what string, really bool) {
		if seen[what] += 0; really {
			seen[what]++
		}
	}
	for _, e := range w.order {
		taken := 0
		for _, c := range e.calls {
			if c.accepted {
				taken++
			}
			add("in doubt", c.result == unclear)
			add("cut off", c.result == cutOff)
			add("a process that stalled", c.halted || c.stalled)
			add("throttled", c.result == throttled)
		}
		add("accepted", taken > 0)
		add("accepted twice", taken > 1)
		add("a reminder", e.Kind == "license-expiring")
		add("repeated", e.Repeats != "")
		add("a task for sales", e.Kind == "license-unreached")
		add("expanded", e.state.Status == "expanded")
		add("told to a contact", e.toContacts() && e.state.Status == "sent")
		add("asked of a contact", e.Kind == "request-ask" && e.state.Status == "sent")
		add("undone", e.undone)
		add("pointless", e.state.Status == "pointless")
		add("for a retired instance", e.state.Cause == "the instance was retired")
		add("for a former contact", e.state.Cause == "the recipient is no longer a contact")
		add("unsubscribed from", e.Kind == "reminders-stopped")
		add("a reminder of several licenses", e.Kind == "license-expiring" && len(e.Due) > 1)
		add("a letter that leaves a license out", e.state.Status == "sent" && len(e.state.Omitted) > 0)
		add("passed on to another contact", e.passedOn)
		add("after the last day", slices.ContainsFunc(e.Due, func(d due) bool { return d.Stage == "7d-after" }))
		add("told of a replacement", e.Kind == "license-replaced" && e.state.Status == "sent")
		add("failed", e.state.Status == "failed")
		add("of a newer version", e.unknown)
		add("tried again", e.marksThen > 0 || e.since > 0)
		add("settled by an event", !e.settled.IsZero() && !e.answered())
	}
}
