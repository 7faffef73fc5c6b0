package dispatch

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/store/outbox"
)

func TestMailsAreSentAtTheRateOfTheProvider(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(21, soon)
		p := &provider{quota: mail.Quota{PerSecond: 2}}
		start := time.Now()
		d := w.dispatcher(p)
		w.run(d)
		if took := time.Since(start); took < 10*time.Second || took > 10*time.Second+100*time.Millisecond {
			t.Errorf("21 mails at 2 a second: got %v, want 10s", took)
		}
		w.put(soon("next", "a.example"))
		w.run(d) // the rate also holds from one run to the next
		for i := 1; i < len(p.calls); i++ {
			if apart := p.calls[i].at.Sub(p.calls[i-1].at); apart < 500*time.Millisecond {
				t.Errorf("mails %d and %d: got %v apart, want half a second", i-1, i, apart)
			}
		}
		w.eachOnce(p, append(ids, "next--r"))
	})
}

func TestOthersLearnTheQuota(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.putMany(3, soon)
		w.run(w.dispatcher(&provider{quota: mail.Quota{PerDay: 200}}))
		learned, err := w.box.Provider(t.Context())
		if err != nil || learned.PerDay != 200 || learned.SentLastDay(time.Now()) != 3 {
			t.Errorf("got %+v, %v, want 3 mails of 200", learned, err)
		}
	})
}

func TestSlowestRateIsKept(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(12, soon)
		p := &provider{quota: mail.Quota{PerSecond: 0.05}} // the lease is renewed meanwhile
		start := time.Now()
		w.run(w.dispatcher(p))
		if took := time.Since(start).Round(time.Second); took != 220*time.Second {
			t.Errorf("12 mails, one in 20 seconds: got %v, want 220s", took)
		}
		w.eachOnce(p, ids)
	})
}

func TestRateThatRisesIsKept(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		p := &provider{quota: mail.Quota{PerSecond: 1}}
		d := w.dispatcher(p)
		for i, wait := range []time.Duration{0, quotaAge - time.Second/10, time.Second / 10} {
			time.Sleep(wait)
			w.put(urgent(fmt.Sprint("m", i), "acme.example"))
			w.run(d)
			p.quota.PerSecond = 2
		}
		if apart := p.calls[2].at.Sub(p.calls[1].at); apart < time.Second/2 {
			t.Errorf("got calls %v apart when the rate rose to 2 a second, want 500ms or more", apart)
		}
	})
}

func TestUnknownRateIsCautious(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(3, soon)
		p := &provider{quotaErr: fmt.Errorf("%w: Rate exceeded", mail.ErrThrottled)}
		start := time.Now()
		w.run(w.dispatcher(p))
		if took := time.Since(start).Round(100 * time.Millisecond); took != 2*time.Second {
			t.Errorf("3 mails: got %v, want 2s", took)
		}
		w.eachOnce(p, ids)
		if p.quotas > 4 {
			t.Errorf("got %d calls for the quota, want at most one a second", p.quotas)
		}
	})
}

func TestQuotaIsReadOnceAMinuteAndOnlyIfThereIsMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		p, start := &provider{}, time.Now()
		d := w.dispatcher(p)
		w.run(d)
		if p.quotas != 0 {
			t.Error("read the quota without mail")
		}
		for n, at := range []struct {
			after time.Duration // since the start
			calls int           // until then
		}{
			{0, 1}, {quotaAge - time.Second, 1}, {quotaAge, 2}, {quotaAge + time.Second, 2},
			{-time.Hour, 3}, // the clock is set back
		} {
			now := start.Add(at.after)
			w.now = func() time.Time { return now }
			w.put(soon(fmt.Sprintf("m%d", n), "a.example"))
			w.run(d)
			if p.quotas != at.calls {
				t.Errorf("%v after the start: got %d calls, want %d", at.after, p.quotas, at.calls)
			}
		}
	})
}

func TestExhaustedQuotaKeepsAllMails(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(3, soon)
		p := &provider{quota: mail.Quota{PerDay: 1, SentLastDay: 1}}
		d := w.dispatcher(p)
		w.run(d)
		if s := w.mail(ids[0]).State; len(p.calls) != 0 || s.Status != outbox.Waiting || s.Attempts != 0 {
			t.Errorf("got %d calls and %+v, want none and waiting", len(p.calls), s)
		}
		w.logged(mail.ErrDailyQuota.Error())
		p.quota = mail.Quota{}
		time.Sleep(2 * time.Minute)
		w.run(d)
		w.eachOnce(p, ids)
	})
}

// TestLowerRanksLeaveQuota counts how many mails of each rank a day's quota of 200 lets through.
func TestLowerRanksLeaveQuota(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		reminders := w.putMany(300, remind)
		p := &provider{quota: mail.Quota{PerSecond: 14, PerDay: 200}, delay: 100 * time.Millisecond}
		d := w.dispatcher(p)
		sent := func() int { return len(p.accepted()) }
		w.run(d)
		if sent() != 140 {
			t.Errorf("got %d reminders, want 140: 70 %%", sent())
		}
		for i := range 150 { // anonymous requests
			w.put(soon(fmt.Sprintf("anonymous%d", i), fmt.Sprintf("strange%d.example", i)))
		}
		time.Sleep(time.Hour)
		w.run(d)
		if sent() != 160 {
			t.Errorf("got %d mails, want 160: confirmations leave 20 %%", sent())
		}
		for i := range 50 {
			w.put(urgent(fmt.Sprintf("key%02d", i), fmt.Sprintf("host%d.example", i)))
		}
		time.Sleep(time.Hour)
		w.run(d)
		if sent() != 200 || w.status("key39--q") != outbox.Sent || w.status("key40--q") != outbox.Waiting {
			t.Errorf("got %d mails, want 200: all that the quota allows", sent())
		}
		before := sent()
		time.Sleep(22*time.Hour + 20*time.Minute) // the 140 of the first hour are older than a day
		w.run(d)
		if s := w.status("key49--q"); sent() != before+10+90 || s != outbox.Sent {
			t.Errorf("got %d more mails and a key %s, want ten keys and 90 confirmations", sent()-before, s)
		}
		if w.status(reminders[299]) != outbox.Waiting {
			t.Error("a reminder was sent before the confirmations")
		}
	})
}

func TestKeyIsSentAfter150AnonymousRequests(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		p := &provider{quota: mail.Quota{PerSecond: 14, PerDay: 200}}
		d := w.dispatcher(p)
		for i := range 150 { // each with a confirmation and a mail to sales
			host := fmt.Sprintf("strange%d.example", i)
			w.put(soon(fmt.Sprintf("r%d", i), host), soon(fmt.Sprintf("sales%d", i), host))
			if i%10 == 0 {
				w.run(d)
			}
		}
		w.put(urgent("key", "customer.example"))
		w.run(d)
		if s := w.status("key--q"); s != outbox.Sent || len(p.calls) != 161 {
			t.Errorf("got the key %s after %d mails, want sent as the 161st", s, len(p.calls))
		}
	})
}

// TestRemindersDoNotDelayAConfirmation has 300 reminders at 100 mails a day: four days' worth and more.
func TestRemindersDoNotDelayAConfirmation(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		reminders := w.putMany(300, remind)
		p := &provider{quota: mail.Quota{PerSecond: 1, PerDay: 100}}
		d := w.dispatcher(p)
		for day := range 5 {
			w.runFor(d, 10*time.Hour, 10*time.Minute)
			n := soon(fmt.Sprintf("new%d", day), "new.example")
			w.put(n)
			w.run(d)
			if s := w.status(n.ID); s != outbox.Sent {
				t.Errorf("day %d: got the confirmation %s, want sent at once", day+1, s)
			}
			w.runFor(d, 14*time.Hour, 10*time.Minute)
		}
		for _, id := range reminders {
			if s := w.status(id); s != outbox.Sent {
				t.Errorf("got reminder %s %s after five days, want sent", id, s)
			}
		}
	})
}

func TestThrottlingStopsTheRunAndKeepsTheRest(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(50, soon)
		p := &provider{delay: time.Millisecond}
		p.fault = func(mail.Message) (bool, error) {
			if len(p.calls) >= 10 {
				return false, fmt.Errorf("%w: Maximum sending rate exceeded", mail.ErrThrottled)
			}
			return true, nil
		}
		w.run(w.dispatcher(p))
		if n := len(p.accepted()); n != 10 || len(p.calls) > 10+8 {
			t.Errorf("got %d accepted of %d tries, want 10", n, len(p.calls))
		}
		w.logged("the provider accepts no more mails")
		for _, id := range ids {
			if s := w.mail(id).State; s.Status != outbox.Sent &&
				(s.Status != outbox.Waiting || s.Failures != 0 || s.Doubts != 0 || !s.NotBefore.IsZero()) {
				t.Errorf("mail %s: got %+v, want ready", id, s)
			}
		}
		p.fault = nil
		w.run(w.dispatcher(p))
		w.eachOnce(p, ids)
	})
}

func TestBadSetupIsAnErrorAndKeepsAllMails(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(20, soon)
		p := &provider{fault: always(fmt.Errorf("%w: ConfigurationSetDoesNotExist", mail.ErrSetup))}
		if err := w.dispatcher(p).Run(context.Background()); !errors.Is(err, mail.ErrSetup) || len(p.calls) > 8 {
			t.Errorf("got %v after %d tries, want ErrSetup after at most 8", err, len(p.calls))
		}
		tries := len(p.calls)
		p.fault = nil
		p.quotaErr = fmt.Errorf("%w: AccessDenied", mail.ErrSetup)
		if err := w.dispatcher(p).Run(context.Background()); !errors.Is(err, mail.ErrSetup) || len(p.calls) > tries {
			t.Errorf("no quota: got %v after %d tries, want ErrSetup after none", err, len(p.calls)-tries)
		}
		p.quotaErr = nil
		w.run(w.dispatcher(p))
		w.eachOnce(p, ids)
	})
}
