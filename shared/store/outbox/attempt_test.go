package outbox_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// id is the mail of most tests.
const id = "l1--key"

// states bring the mail into each status.
var states = []struct {
	name string
	make func(e *testEnv)
}{
	{"new", func(*testEnv) {}},
	{"paused", func(e *testEnv) { e.must(e.Pause(e.t.Context(), e.begin(id), "down", e.now.Add(time.Minute), true)) }},
	{"ready again", func(e *testEnv) {
		e.must(e.Pause(e.t.Context(), e.begin(id), "down", e.now.Add(time.Minute), true))
		e.now = e.now.Add(time.Minute)
		e.promote()
	}},
	{"sending", func(e *testEnv) { e.begin(id) }},
	{"in doubt", func(e *testEnv) { e.must(e.Doubt(e.t.Context(), e.begin(id), "lost", e.now.Add(time.Minute))) }},
	{"sent", func(e *testEnv) { e.must(e.RecordSent(e.t.Context(), e.begin(id), "p1")) }},
	{"failed", func(e *testEnv) { e.must(e.Fail(e.t.Context(), e.begin(id), "rejected")) }},
	{"pointless", func(e *testEnv) { e.must(e.Drop(e.t.Context(), e.read(id), "revoked")) }},
}

// operations are what can be done to a mail.
var operations = map[string]func(e *testEnv, m outbox.Mail) error{
	"begin": func(e *testEnv, m outbox.Mail) error {
		_, err := e.Begin(e.t.Context(), m, 2, mail.Message{ID: m.ID})
		return err
	},
	"record sent": func(e *testEnv, m outbox.Mail) error { return e.RecordSent(e.t.Context(), m, "p2") },
	"pause": func(e *testEnv, m outbox.Mail) error {
		return e.Pause(e.t.Context(), m, "again", e.now.Add(time.Hour), true)
	},
	"release": func(e *testEnv, m outbox.Mail) error { return e.Release(e.t.Context(), m) },
	"doubt": func(e *testEnv, m outbox.Mail) error {
		return e.Doubt(e.t.Context(), m, "silence", e.now.Add(time.Hour))
	},
	"fail":      func(e *testEnv, m outbox.Mail) error { return e.Fail(e.t.Context(), m, "bad") },
	"drop":      func(e *testEnv, m outbox.Mail) error { return e.Drop(e.t.Context(), m, "over") },
	"settle":    func(e *testEnv, m outbox.Mail) error { return e.Settle(e.t.Context(), m.ID, 1, "p3", e.now) },
	"try again": func(e *testEnv, m outbox.Mail) error { return e.tryAgain(m.ID) },
}

// outcomes is what each operation makes of each status, with the lists that the mail is in afterwards. "changed" is
// outbox.ErrChanged, with nothing written.
var outcomes = map[string]map[string]string{
	"begin": {
		"new": "sending ready", "paused": "sending paused", "ready again": "sending ready", "sending": "sending ready",
		"in doubt": "sending paused", "sent": "changed", "failed": "changed", "pointless": "changed",
	},
	"record sent": {
		"new": "sent", "paused": "sent", "ready again": "sent", "sending": "sent",
		"in doubt": "sent", "sent": "changed", "failed": "changed", "pointless": "changed",
	},
	"pause": {
		"new": "waiting paused", "paused": "waiting paused", "ready again": "waiting paused",
		"sending": "waiting paused", "in doubt": "waiting paused", "sent": "changed", "failed": "changed",
		"pointless": "changed",
	},
	"release": {
		"new": "waiting ready", "paused": "waiting paused", "ready again": "waiting ready", "sending": "waiting ready",
		"in doubt": "waiting paused", "sent": "changed", "failed": "changed", "pointless": "changed",
	},
	"doubt": {
		"new": "in-doubt paused", "paused": "in-doubt paused", "ready again": "in-doubt paused",
		"sending": "in-doubt paused", "in doubt": "in-doubt paused", "sent": "changed", "failed": "changed",
		"pointless": "changed",
	},
	"fail": {
		"new": "failed failed", "paused": "failed failed", "ready again": "failed failed", "sending": "failed failed",
		"in doubt": "failed failed", "sent": "changed", "failed": "changed", "pointless": "changed",
	},
	"drop": {
		"new": "pointless", "paused": "pointless", "ready again": "pointless", "sending": "pointless",
		"in doubt": "pointless", "sent": "changed", "failed": "changed", "pointless": "changed",
	},
	"settle": {
		"new": "sent", "paused": "sent", "ready again": "sent", "sending": "sent",
		"in doubt": "sent", "sent": "sent", "failed": "sent", "pointless": "sent",
	},
	"try again": {
		"new": "waiting ready", "paused": "waiting paused", "ready again": "waiting ready", "sending": "sending ready",
		"in doubt": "in-doubt paused", "sent": "sent", "failed": "waiting ready", "pointless": "pointless",
	},
}

func TestOperationsMakeEachStatusWhatTheTableSays(t *testing.T) {
	for operation, do := range operations {
		for _, from := range states {
			t.Run(operation+" "+from.name, func(t *testing.T) {
				e := newTestEnvOver(t, &tabletest.Memory{})
				e.queue(key("l1", "ada@acme.example"))
				from.make(e)
				before, stale := e.status(id), e.read(id)
				err := do(e, stale)
				want := outcomes[operation][from.name]
				if want == "changed" {
					if !errors.Is(err, outbox.ErrChanged) {
						t.Errorf("got %v, want ErrChanged", err)
					}
					want, err = before, nil
				}
				if got := e.status(id); got != want || err != nil {
					t.Errorf("got %s, %v, want %s", got, err, want)
				}
				if m := e.read(id); m.State.Status.Open() != (m.State.Closed.IsZero()) {
					t.Errorf("got state %+v, want the time of closing with a closed mail alone", m.State)
				}
				if e.status(id) == before {
					return
				}
				// Whoever read the mail before the change must not overwrite it.
				for again, do := range operations {
					if again == "settle" || again == "try again" {
						continue // they read the mail themselves
					}
					after := e.state(id)
					if err := do(e, stale); !errors.Is(err, outbox.ErrChanged) || e.state(id) != after {
						t.Errorf("then %s by an earlier reader: got %v and %s, want ErrChanged and %s", again, err,
							e.state(id), after)
					}
				}
			})
		}
	}
}

func TestMailIsBegunByOne(t *testing.T) {
	e := newTestEnv(t)
	e.queue(key("l1", "ada@acme.example"))
	m := e.read(id)
	var begun atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := e.Begin(t.Context(), m, 1, mail.Message{ID: id})
			switch {
			case err == nil:
				begun.Add(1)
			case !errors.Is(err, outbox.ErrChanged):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := begun.Load(); n != 1 {
		t.Errorf("got %d calls begun, want 1", n)
	}
}

func TestRecipientIsTheOneOfTheLastLetter(t *testing.T) {
	e := newTestEnv(t)
	e.queue(key("l1", "ada@acme.test"))
	if got := e.read(id).Recipient(); got != "ada@acme.test" {
		t.Errorf("before the first letter: got %s", got)
	}
	corrected := mail.Message{ID: id, To: mail.Address{Email: "ada@acme.example"}}
	m, err := e.Begin(t.Context(), e.read(id), 1, corrected)
	e.must(err)
	e.must(e.RecordSent(t.Context(), m, "p1"))
	if got := e.read(id).Recipient(); got != "ada@acme.example" {
		t.Errorf("the address was corrected: got %s", got)
	}
}

func TestBeginMarksTheCall(t *testing.T) {
	e := newTestEnv(t)
	e.queue(key("l1", "ada@acme.example"))
	m, err := e.Begin(t.Context(), e.read(id), 7, mail.Message{ID: id})
	e.must(err)
	want := outbox.Call{Attempt: 1, Fence: 7, At: e.now}
	if got := e.read(id).State; got.Attempts != 1 || got.Call == nil || *got.Call != want {
		t.Errorf("got state %+v, want the call %+v", got, want)
	}
	e.must(e.Release(t.Context(), m))
	if got := e.read(id).State; got.Call != nil || got.Attempts != 1 || got.Failures != 0 {
		t.Errorf("released: got state %+v, want no call, and the attempt counted", got)
	}
	m, err = e.Begin(t.Context(), e.read(id), 8, mail.Message{ID: id})
	e.must(err)
	e.must(e.RecordSent(t.Context(), m, "p2"))
	s := e.read(id).State
	if s.Attempt != 2 || s.ProviderID != "p2" || !s.Closed.Equal(e.now) || s.Call != nil || s.Cause != "" {
		t.Errorf("sent: got state %+v, want attempt 2 as p2", s)
	}
}

func TestPauseCountsOnlyWhatCountsAgainstTheMail(t *testing.T) {
	e := newTestEnv(t)
	e.queue(key("l1", "ada@acme.example"))
	for i, counted := range []bool{true, false, true} {
		until := e.now.Add(time.Duration(i+1) * time.Minute)
		e.must(e.Pause(t.Context(), e.begin(id), "down", until, counted))
		s := e.read(id).State
		if want := []int{1, 1, 2}[i]; s.Failures != want || s.Attempts != i+1 || !s.NotBefore.Equal(until) ||
			s.Cause != "down" || s.Call != nil {
			t.Errorf("pause %d: got state %+v, want %d failures", i, s, want)
		}
		e.now = until
		e.promote()
	}
}

func TestPauseUntilTheSameTimeAsBeforeIsAnotherOne(t *testing.T) {
	for _, later := range []time.Duration{0, 300 * time.Microsecond, time.Millisecond} {
		e := newTestEnv(t)
		until := e.now.Add(time.Minute)
		c := e.entities.Begin()
		e.QueueLater(c, key("l1", "ada@acme.example"), until.Add(700*time.Microsecond))
		e.must(c.Commit(t.Context()))
		e.now = until
		e.want("promoted", e.promote(), 1)
		e.must(e.Pause(t.Context(), e.begin(id), "down", until.Add(later), false))
		e.want("paused again", e.status(id), "waiting paused")
		e.now = until.Add(2 * time.Millisecond)
		e.want("promoted again", e.promote(), 1)
		e.want("ready again", e.status(id), "waiting ready")
		// And without getting ready in between.
		e.must(e.Doubt(t.Context(), e.begin(id), "no answer", e.now.Add(time.Minute+700*time.Microsecond)))
		e.must(e.Pause(t.Context(), e.read(id), "down", e.now.Add(time.Minute+later), false))
		e.want("paused while paused", e.status(id), "waiting paused")
	}
}

func TestDoubtsAddUpAndAreTold(t *testing.T) {
	e := newTestEnv(t)
	e.queue(key("l1", "ada@acme.example"))
	for i := range 3 {
		if e.read(id).MaybeTwice() != (i > 0) {
			t.Errorf("after %d doubts: got maybe twice %v", i, i == 0)
		}
		until := e.now.Add(5 * time.Minute)
		e.must(e.Doubt(t.Context(), e.begin(id), "no answer", until))
		s := e.read(id).State
		if s.Doubts != i+1 || s.Failures != 0 || s.Call == nil || s.Call.Attempt != i+1 || !s.NotBefore.Equal(until) {
			t.Errorf("got state %+v, want %d doubts and the call", s, i+1)
		}
		e.now = until
		e.promote()
	}
}

func TestSettleTellsWhichAttemptWasAccepted(t *testing.T) {
	e := newTestEnv(t)
	e.queue(key("l1", "ada@acme.example"))
	e.must(e.Doubt(t.Context(), e.begin(id), "no answer", e.now.Add(time.Minute)))
	e.now = e.now.Add(time.Minute)
	e.promote()
	second := e.begin(id)
	at := e.now.Add(-30 * time.Second)
	for range 2 { // the event comes twice
		e.must(e.Settle(t.Context(), id, 1, "p1", at))
		e.want("settled", e.status(id), "sent")
	}
	if err := e.RecordSent(t.Context(), second, "p2"); !errors.Is(err, outbox.ErrChanged) {
		t.Errorf("the second call's answer: got %v, want ErrChanged", err)
	}
	e.must(e.Settle(t.Context(), id, 2, "p2", e.now))
	if s := e.read(id).State; s.Attempt != 1 || s.ProviderID != "p1" || !s.Closed.Equal(at) ||
		!e.read(id).MaybeTwice() {
		t.Errorf("got state %+v, want attempt 1 as p1, maybe twice", s)
	}
	if err := e.Settle(t.Context(), "l9--key", 1, "p", e.now); err == nil {
		t.Error("settling an unknown mail: got no error")
	}
}

func TestSettleIsRepeatedWhileOthersChangeTheMail(t *testing.T) {
	e := newTestEnv(t)
	e.queue(key("l1", "ada@acme.example"))
	m := e.begin(id)
	e.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			e.table.Fault = nil
			e.must(e.Doubt(t.Context(), m, "no answer", e.now.Add(time.Minute)))
		}
		return tabletest.Fault{}
	}
	e.must(e.Settle(t.Context(), id, 1, "p1", e.now))
	e.want("settled", e.status(id), "sent")
}

func TestMailThatIsTriedAgainBeginsAnew(t *testing.T) {
	e := newTestEnv(t)
	e.queue(key("l1", "ada@acme.example"))
	e.must(e.Doubt(t.Context(), e.begin(id), "no answer", e.now.Add(time.Minute)))
	e.now = e.now.Add(time.Minute)
	e.promote()
	e.must(e.Pause(t.Context(), e.begin(id), "down", e.now.Add(time.Minute), true))
	e.now = e.now.Add(time.Minute)
	e.promote()
	e.must(e.Fail(t.Context(), e.read(id), "given up"))
	for range 2 { // a button that is clicked twice
		e.must(e.tryAgain(id))
	}
	m := e.read(id)
	s := m.State
	if s.Status != outbox.Waiting || s.Failures+s.Doubts != 0 || s.Attempts != 2 || s.Cause != "given up" ||
		!s.NotBefore.IsZero() || !s.Closed.IsZero() || !m.MaybeTwice() {
		t.Errorf("got state %+v, want it ready, with its attempts, and maybe sent before", s)
	}
	e.want("tried again", e.status(id), "waiting ready")
	e.must(e.Fail(t.Context(), e.begin(id), "bad"))
	e.must(e.tryAgain(id))
	if m := e.read(id); !m.MaybeTwice() || m.State.Attempts != 3 {
		t.Errorf("got state %+v, want it maybe sent before, still", m.State)
	}
	if err := e.tryAgain("l9--key"); err == nil {
		t.Error("trying an unknown mail again: got no error")
	}
}

func TestFailedMailsAreListedNewestFirst(t *testing.T) {
	e := newTestEnv(t)
	for i := range 3 {
		n := key(fmt.Sprint("l", i), "ada@acme.example")
		e.queue(n)
		e.now = e.now.Add(time.Minute)
		e.must(e.Fail(t.Context(), e.begin(n.ID), "rejected"))
	}
	list, err := e.Failed(t.Context(), 2)
	if err != nil || len(list) != 2 || list[0].ID != "l2--key" || list[1].ID != "l1--key" {
		t.Fatalf("got %+v, %v, want l2's and l1's", list, err)
	}
	want := outbox.FailedMail{ID: "l2--key", At: e.now, Kind: mail.LicenseKey, About: "l2", Cause: "rejected"}
	if list[0] != want {
		t.Errorf("got %+v, want %+v", list[0], want)
	}
}

// TestTroubledMailsAreCounted counts those that failed in the last day, and all that are in doubt.
func TestTroubledMailsAreCounted(t *testing.T) {
	e := newTestEnv(t)
	for i := range 7 {
		failed, doubted := key(fmt.Sprint("f", i), "ada@acme.example"), key(fmt.Sprint("d", i), "ada@acme.example")
		e.queue(failed, doubted)
		e.must(e.Fail(t.Context(), e.begin(failed.ID), "rejected"))
		if i < 3 {
			e.must(e.Doubt(t.Context(), e.begin(doubted.ID), "no answer", e.now.Add(time.Hour)))
		}
		e.now = e.now.Add(6 * time.Hour)
	}
	check := func(limit, failed, inDoubt int) {
		t.Helper()
		f, d, err := e.Troubled(t.Context(), e.now.Add(-24*time.Hour), limit)
		e.must(err)
		if f != failed || d != inDoubt {
			t.Errorf("up to %d: got %d failed and %d in doubt, want %d and %d", limit, f, d, failed, inDoubt)
		}
	}
	check(100, 4, 3)
	check(2, 2, 2)
	e.must(e.Settle(t.Context(), "d0--key", 1, "x", e.now))
	e.must(e.tryAgain("f6--key"))
	check(100, 3, 2)
	e.table.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
	if _, _, err := e.Troubled(t.Context(), e.now, 4); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("table down: got %v, want its error", err)
	}
}

// TestLostAnswersAreFoundOut loses the answer of each operation: who repeats it is told that the mail has changed, and
// the change is there once.
func TestLostAnswersAreFoundOut(t *testing.T) {
	for operation, do := range operations {
		if operation == "try again" {
			continue
		}
		e := newTestEnv(t)
		e.queue(key("l1", "ada@acme.example"))
		m := e.begin(id)
		e.table.Fault = func(c tabletest.Call) tabletest.Fault {
			if c.Op == "transact" {
				return tabletest.Lost
			}
			return tabletest.Fault{}
		}
		if err := do(e, m); err == nil || errors.Is(err, outbox.ErrChanged) {
			t.Errorf("%s: got %v, want the table's error", operation, err)
		}
		e.table.Fault = nil
		after := e.state(id)
		err := do(e, m)
		if operation == "settle" {
			if err != nil {
				t.Errorf("%s again: got %v, want none", operation, err)
			}
		} else if !errors.Is(err, outbox.ErrChanged) {
			t.Errorf("%s again: got %v, want ErrChanged", operation, err)
		}
		e.want(operation+" with a lost answer", e.status(id), outcomes[operation]["sending"])
		e.want(operation+" again", e.state(id), after)
	}
}

// TestSettleAndOtherChangesAtOnce lets an event come while a call's outcome is recorded: whoever is first, the mail is
// sent in the end, and in no list.
func TestSettleAndOtherChangesAtOnce(t *testing.T) {
	for _, operation := range []string{"record sent", "pause", "release", "doubt", "fail", "drop"} {
		for range 5 {
			e := newTestEnvOver(t, &tabletest.Memory{})
			e.queue(key("l1", "ada@acme.example"))
			m := e.begin(id)
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := e.Settle(t.Context(), id, 1, "p", e.now); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := operations[operation](e, m); err != nil && !errors.Is(err, outbox.ErrChanged) {
					t.Error(err)
				}
			})
			wg.Wait()
			e.want("settled and "+operation, e.status(id), "sent")
		}
	}
}

func TestChangeInAChangesetConflictsWithTheState(t *testing.T) {
	e := newTestEnv(t)
	e.queue(key("l1", "ada@acme.example"))
	m := e.read(id)
	e.begin(id)
	for name, change := range map[string]func(*entity.Changeset){
		"fail":      func(c *entity.Changeset) { failed := m; e.FailIn(c, &failed, "bad"); e.CloseIn(c, failed) },
		"try again": func(c *entity.Changeset) { e.TryAgainIn(c, m) },
	} {
		c := e.entities.Begin()
		change(c)
		if err := c.Commit(t.Context()); !entity.IsConflictOn(err, rowkey.MailState(id)) {
			t.Errorf("%s: got %v, want a conflict with the state", name, err)
		}
	}
}
