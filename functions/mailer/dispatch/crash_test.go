package dispatch

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table/tabletest"
)

// process lets a mailer's process die at a step: from then on nothing that it does has an effect.
type process struct {
	mu          sync.Mutex
	steps, dies int  // steps so far, and the one at which it dies
	after       bool // it dies after the step instead of before
	dead        bool
}

// step reports whether the process is dead before and after a step.
func (p *process) step() (before, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps++
	if p.steps == p.dies && !p.dead {
		p.dead = true
		return !p.after, p.after
	}
	return p.dead, p.dead
}

func (p *process) died() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) table(tabletest.Call) tabletest.Fault {
	switch before, after := p.step(); {
	case before:
		return tabletest.Down
	case after:
		return tabletest.Lost
	}
	return tabletest.Fault{}
}

func (p *process) provider(mail.Message) (accepted bool, err error) {
	if before, after := p.step(); before || after {
		return !before, errors.New("dead")
	}
	return true, nil
}

// TestCrashAtEveryStepLosesNoMail lets the process die at each call of the table and of the provider, before the call
// and after it, and lets another one continue.
func TestCrashAtEveryStepLosesNoMail(t *testing.T) {
	reached := 0
	for step := 1; step == 1 || reached == step-1; step++ {
		for _, after := range []bool{false, true} {
			inTestEnv(t, func(w *testEnv) {
				ids := append(w.putMany(2, soon), "key--q")
				w.put(urgent("key", "a.example"))
				crash := &process{dies: step, after: after}
				p := &provider{fault: crash.provider}
				w.faulty.Fault = crash.table
				w.dispatcher(p).Run(context.Background())
				if crash.dead {
					reached = step
				}
				w.faulty.Fault, p.fault = nil, nil
				time.Sleep(leaseLength)
				d := w.dispatcher(p)
				w.run(d)
				for _, id := range ids {
					if m := w.mail(id); m.State.Status == outbox.InDoubt && p.accepted()[id] > 1 {
						t.Errorf("crash at step %d (after %v): mail %s was sent again at once", step, after, id)
					}
				}
				w.runFor(d, 31*time.Minute)
				doubts := 0
				for _, id := range ids {
					calls, s := p.callsOf(id), w.mail(id).State
					doubts += s.Doubts
					n := p.accepted()[id]
					if s.Status != outbox.Sent || n < 1 || n > 2 || n == 2 && !calls[len(calls)-1].maybeTwice {
						t.Errorf("crash at step %d (after %v): mail %s was accepted %d times: %+v",
							step, after, id, n, s)
					}
				}
				if doubts > len(ids) {
					t.Errorf("crash at step %d: got %d doubts, want one a mail at most", step, doubts)
				}
				w.nothingWaits()
			})
		}
	}
	if reached < 30 {
		t.Errorf("got %d steps, want more", reached)
	}
}

// TestMailInDoubtWaitsForAnEvent has calls that end without an answer.
func TestMailInDoubtWaitsForAnEvent(t *testing.T) {
	for _, test := range []struct {
		of   func(name, host string) notice.Notice
		wait time.Duration
	}{{urgent, 5 * time.Minute}, {soon, 30 * time.Minute}, {remind, 30 * time.Minute}} {
		inTestEnv(t, func(w *testEnv) {
			n := test.of("m", "a.example")
			w.put(n)
			p := &provider{fault: always(errLost)}
			d := w.dispatcher(p)
			w.runFor(d, 3*time.Hour)
			calls := p.callsOf(n.ID)
			if len(calls) != maxDoubts {
				t.Fatalf("%s: got %d calls, want %d", n.Kind, len(calls), maxDoubts)
			}
			for i, c := range calls {
				if c.maybeTwice != (i > 0) || c.attempt != i+1 {
					t.Errorf("%s: call %d: got the attempt %d, and that it says so is %v", n.Kind, i+1, c.attempt,
						c.maybeTwice)
				}
				if i > 0 && (c.at.Sub(calls[i-1].at) < test.wait || c.at.Sub(calls[i-1].at) > test.wait+time.Minute) {
					t.Errorf("%s: call %d: got %v after the one before, want %v", n.Kind, i+1, c.at.Sub(calls[i-1].at),
						test.wait)
				}
			}
			s := w.mail(n.ID).State
			if s.Status != outbox.Failed || !strings.Contains(s.Cause, "we do not know whether it was sent") {
				t.Errorf("%s: got %+v, want failed", n.Kind, s)
			}
			w.nothingWaits()
		})
	}
}

func TestEventSettlesAMailInDoubt(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(urgent("m", "a.example"))
		p := &provider{fault: func(mail.Message) (bool, error) { return true, errLost }}
		d := w.dispatcher(p)
		w.run(d)
		if s := w.status("m--q"); s != outbox.InDoubt {
			t.Fatalf("got %s, want in doubt", s)
		}
		if err := w.box.Settle(context.Background(), "m--q", 1, "provider-m", time.Now()); err != nil {
			t.Fatal(err)
		}
		w.runFor(d, time.Hour)
		w.eachOnce(p, []string{"m--q"})
	})
}

// TestEventThatComesBeforeTheAnswer settles a mail while its call is under way.
func TestEventThatComesBeforeTheAnswer(t *testing.T) {
	for _, answer := range []error{nil, errLost, errServer, mail.ErrThrottled, mail.ErrRejected} {
		inTestEnv(t, func(w *testEnv) {
			w.put(urgent("m", "a.example"))
			p := &provider{fault: func(mail.Message) (bool, error) {
				if err := w.box.Settle(context.Background(), "m--q", 1, "provider-m", time.Now()); err != nil {
					t.Error(err)
				}
				return true, answer
			}}
			d := w.dispatcher(p)
			w.run(d)
			w.runFor(d, time.Hour)
			w.eachOnce(p, []string{"m--q"})
		})
	}
}

func TestHangingProviderLeavesAMailInDoubt(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(soon("m", "a.example"))
		p := &provider{delay: time.Hour}
		d := w.dispatcher(p)
		start := time.Now()
		w.run(d)
		if took, s := time.Since(start), w.mail("m--r").State; s.Status != outbox.InDoubt || s.Doubts != 1 ||
			took < sendTimeout || took > sendTimeout+time.Second {
			t.Errorf("got %+v after %v, want in doubt after %v", s, took, sendTimeout)
		}
		p.delay = 0
		w.runFor(d, 31*time.Minute)
		w.eachOnce(p, []string{"m--r"})
		if !p.calls[0].maybeTwice {
			t.Error("the second letter does not say that it may be the second")
		}
	})
}

// TestMailThatKillsItsMailerFails has a mail whose call ends the process each time.
func TestMailThatKillsItsMailerFails(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(urgent("m", "a.example"))
		ctx := context.Background()
		kill := 0
		p := &provider{}
		for range 8 {
			lease, err := w.box.Acquire(ctx, leaseLength)
			if err != nil {
				t.Fatal(err)
			}
			if m := w.mail("m--q"); m.State.Doubts < maxDoubts {
				if _, err := w.box.Begin(ctx, m, lease.Fence, mail.Message{ID: m.ID}); err != nil {
					t.Fatal(err)
				}
				kill++
			}
			time.Sleep(leaseLength)
			// The next process finds the mail cut off; it would die as well once the wait is over.
			if w.status("m--q").Open() {
				w.run(w.dispatcher(p))
			}
			time.Sleep(5*time.Minute - leaseLength - time.Second)
		}
		w.runFor(w.dispatcher(p), time.Hour)
		if s := w.mail("m--q").State; s.Status != outbox.Failed || len(p.calls) != 0 || kill != maxDoubts {
			t.Errorf("got %+v after %d killed processes and %d calls, want failed after 3 and none", s, kill,
				len(p.calls))
		}
	})
}
