package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table/tabletest"
)

// expander says what a notice becomes.
type expander func(n notice.Notice) ([]notice.Notice, error)

func (w *testEnv) Expand(_ context.Context, n notice.Notice) ([]notice.Notice, error) {
	return w.expand(n)
}

// confirmed is a notice that expands, of rank 2.
func confirmed(name, host string) notice.Notice {
	return notice.Notice{ID: name + "--c", Kind: mail.RequestConfirmed, About: name, Customer: host}
}

// into makes a notice n urgent ones. Their IDs are those of its recipients.
func into(n int) expander {
	return func(from notice.Notice) (list []notice.Notice, err error) {
		for i := range n {
			one := urgent(from.About, from.Customer)
			one.ID = fmt.Sprintf("%s-%03d", from.ID, i)
			list = append(list, one)
		}
		return list, nil
	}
}

// parts are the IDs of the mails that a notice becomes.
func parts(id string, n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("%s-%03d", id, i))
	}
	return ids
}

func TestNoticeThatExpandsIsReplacedByItsMails(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.expand = into(100)
		w.put(confirmed("r", "a.example"), urgent("key", "b.example"))
		p := &provider{}
		w.run(w.dispatcher(p))
		w.eachOnce(p, append(parts("r--c", 100), "key--q"))
		if s := w.mail("r--c").State; s.Status != outbox.Expanded || s.Attempts != 0 {
			t.Errorf("got %+v, want it expanded without a call", s)
		}
		if first := p.order()[0]; first != "key--q" {
			t.Errorf("got %s sent first, want what has the lower rank", first)
		}
		w.logged(`"expanded":1`)
	})
}

// TestExpansionNeedsNoProvider expands while no mail can be sent.
func TestExpansionNeedsNoProvider(t *testing.T) {
	for name, test := range map[string]struct {
		provider *provider
		before   []notice.Notice // so that the provider's state is known
		want     error           // of the run
	}{
		"the quota is used up": {provider: &provider{quota: mail.Quota{PerDay: 1, SentLastDay: 1}}},
		"the setup is wrong":   {provider: &provider{quotaErr: mail.ErrSetup}, want: mail.ErrSetup},
		"an outage": {provider: &provider{fault: always(errServer)}, before: []notice.Notice{
			soon("a", "a.example"), soon("b", "b.example"), soon("c", "c.example"),
		}},
		"an outage, and the quota is not told": {
			provider: &provider{fault: always(errServer), quotaErr: errConnect}, before: []notice.Notice{
				soon("a", "a.example"), soon("b", "b.example"), soon("c", "c.example"),
			},
		},
	} {
		inTestEnv(t, func(w *testEnv) {
			w.expand = into(1)
			p := test.provider
			d := w.dispatcher(p)
			d.AtOnce = 1
			if len(test.before) > 0 {
				w.put(test.before...)
				w.run(d)
			}
			calls := len(p.calls)
			w.put(urgent("key", "d.example"), confirmed("r", "a.example"), confirmed("s", "b.example"))
			if err := d.Run(context.Background()); !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Errorf("%s: got %v, want %v", name, err, test.want)
			}
			for id, want := range map[string]outbox.Status{
				"r--c": outbox.Expanded, "s--c": outbox.Expanded, "r--c-000": outbox.Waiting, "key--q": outbox.Waiting,
			} {
				if got := w.status(id); got != want {
					t.Errorf("%s: got %s %s, want %s", name, id, got, want)
				}
			}
			if len(p.calls) != calls {
				t.Errorf("%s: got %d calls, want none", name, len(p.calls)-calls)
			}
		})
	}
}

func TestExpansionUsesUpNoQuota(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.expand = into(0)
		for i := range 20 {
			w.put(confirmed(fmt.Sprintf("r%02d", i), "a.example"))
		}
		w.put(urgent("key", "b.example"))
		p := &provider{quota: mail.Quota{PerSecond: 1, PerDay: 1}}
		start := time.Now()
		w.run(w.dispatcher(p))
		if took := time.Since(start); took > time.Second {
			t.Errorf("got it all done in %v, want no waiting for the provider's rate", took)
		}
		w.eachOnce(p, []string{"key--q"})
	})
}

// TestExpansionThatFails has expansions that fail in every way.
func TestExpansionThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		want  outbox.Status
		cause string
		run   bool // the run is an error
	}{
		"an error":      {errors.New("no rule"), outbox.Failed, "expanding: no rule", false},
		"a panic":       {nil, outbox.Failed, "expanding: panic", false},
		"no point":      {&notice.PointlessError{Why: "it is too late"}, outbox.Pointless, "it is too late", false},
		"not on record": {fault.New(fault.NotFound, "gone"), outbox.Pointless, "no longer on record", false},
		"a table":       {fault.New(fault.Unavailable, "down"), outbox.Waiting, "", true},
		"a conflict":    {fault.New(fault.Conflict, "changed"), outbox.Waiting, "", true},
	} {
		inTestEnv(t, func(w *testEnv) {
			w.expand = func(notice.Notice) ([]notice.Notice, error) {
				if test.err == nil {
					panic("an index")
				}
				return nil, test.err
			}
			w.put(confirmed("r", "a.example"))
			p := &provider{}
			d := w.dispatcher(p)
			if err := d.Run(context.Background()); (err != nil) != test.run {
				t.Errorf("%s: got %v", name, err)
			}
			if s := w.mail("r--c").State; s.Status != test.want || !strings.Contains(s.Cause, test.cause) {
				t.Errorf("%s: got %s, %q, want %s, %q", name, s.Status, s.Cause, test.want, test.cause)
			}
			if w.expand = into(2); test.want == outbox.Waiting {
				w.run(d)
				w.eachOnce(p, parts("r--c", 2))
			}
		})
	}
}

// TestCrashDuringAnExpansionTellsEverybodyOnce lets the process die at each step that is no query, before and after it,
// and lets another one go on.
func TestCrashDuringAnExpansionTellsEverybodyOnce(t *testing.T) {
	reached := 0
	for step := 1; step == 1 || reached == step-1; step++ {
		for _, after := range []bool{false, true} {
			inTestEnv(t, func(w *testEnv) {
				w.expand = into(60)
				w.put(confirmed("r", "a.example"))
				crash := &process{dies: step, after: after}
				p := &provider{}
				var mu sync.Mutex
				sending := false // it lived until the first call to the provider: sending has its own test
				w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
					mu.Lock()
					defer mu.Unlock()
					if sending || c.Op == "query" && !crash.died() {
						return tabletest.Fault{}
					}
					return crash.table(c)
				}
				p.fault = func(mail.Message) (bool, error) {
					mu.Lock()
					defer mu.Unlock()
					if !sending && crash.died() {
						return false, errors.New("dead")
					}
					sending = true
					return true, nil
				}
				w.dispatcher(p).Run(context.Background())
				if crash.died() {
					reached = step
				}
				w.faulty.Fault, p.fault = nil, nil
				time.Sleep(leaseLength)
				w.runFor(w.dispatcher(p), 31*time.Minute)
				var ids []string
				for id := range p.accepted() {
					ids = append(ids, id)
				}
				slices.Sort(ids)
				if want := parts("r--c", 60); !slices.Equal(ids, want) || w.status("r--c") != outbox.Expanded {
					t.Errorf("crash at step %d (after %v): got %s and mails %v", step, after, w.status("r--c"), ids)
				}
				w.eachOnce(p, ids)
			})
		}
	}
	if reached < 5 {
		t.Errorf("got %d steps, want more", reached)
	}
}

// TestTwoMailersExpandOnce lets a second mailer take over while the first one works out what a notice becomes.
func TestTwoMailersExpandOnce(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		p, asked := &provider{}, 0
		w.expand = func(n notice.Notice) ([]notice.Notice, error) {
			if asked++; asked == 1 {
				if err := w.box.EndLease(context.Background()); err != nil { // as if the process had stood still
					t.Error(err)
				}
				w.run(w.dispatcher(p))
				return into(70)(n) // since then, somebody was removed
			}
			return into(60)(n)
		}
		w.put(confirmed("r", "a.example"))
		if err := w.dispatcher(p).Run(context.Background()); !errors.Is(err, outbox.ErrHeld) && err != nil {
			t.Error(err)
		}
		if asked != 2 {
			t.Errorf("got %d expansions, want two", asked)
		}
		w.eachOnce(p, parts("r--c", 60))
		if n := len(p.accepted()); n != 60 {
			t.Errorf("got %d mails, want the 60 of the mailer that was first", n)
		}
	})
}

// TestRemindersWaitForAnUrgentExpansion queues a notice for many contacts while reminders are sent.
func TestRemindersWaitForAnUrgentExpansion(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		reminders := w.putMany(100, remind)
		p := &provider{quota: mail.Quota{PerSecond: 14}}
		w.expand = func(n notice.Notice) ([]notice.Notice, error) {
			time.Sleep(700 * time.Millisecond) // it reads much
			return into(20)(n)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.run(w.dispatcher(p))
		}()
		time.Sleep(2 * time.Second)
		queued := time.Now()
		told := notice.Notice{ID: "l--revoked", Kind: mail.LicenseRevoked, About: "l", Customer: "a.example"}
		w.put(told)
		<-done
		w.eachOnce(p, append(reminders, parts(told.ID, 20)...))
		last := slices.IndexFunc(p.calls, func(c call) bool { return c.id == parts(told.ID, 20)[19] })
		for i, c := range p.calls[:last] {
			if late := c.at.Sub(queued); strings.HasSuffix(c.id, "--e") && late > lookEvery {
				t.Errorf("got reminder %d %v after the notice, before the last contact was told", i, late)
			}
		}
		if late := p.calls[last].at.Sub(queued); late > lookEvery+4*time.Second {
			t.Errorf("got the last of 20 contacts told after %v, want a look, the expansion and 20 turns", late)
		}
	})
}

func TestMailIsSentWhileAnExpansionTakesItsTime(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.expand = func(notice.Notice) ([]notice.Notice, error) {
			time.Sleep(10 * time.Second)
			return nil, nil
		}
		w.put(confirmed("r", "a.example"))
		p := &provider{quota: mail.Quota{PerDay: 1}}
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.run(w.dispatcher(p))
		}()
		time.Sleep(time.Second)
		queued := time.Now()
		w.put(urgent("key", "b.example"))
		<-done
		w.eachOnce(p, []string{"key--q"})
		if late := p.calls[0].at.Sub(queued); late > 2*time.Second {
			t.Errorf("got the last mail of the quota sent after %v, want it at the next look", late)
		}
	})
}
