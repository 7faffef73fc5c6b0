package dispatch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/store/outbox"
)

func TestOutageIsProbedAtGrowingPauses(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(5, soon)
		p := &provider{fault: always(errServer)}
		d := w.dispatcher(p)
		d.AtOnce = 1
		w.run(d)
		if len(p.calls) != 3 {
			t.Fatalf("got %d calls, want three different mails", len(p.calls))
		}
		w.logged("the provider accepts nothing: an outage", `"level":"ERROR"`)
		w.runFor(d, 2*time.Hour)
		var pauses []string
		for i := 3; i < len(p.calls); i++ {
			pauses = append(pauses, p.calls[i].at.Sub(p.calls[i-1].at).Round(time.Minute).String())
		}
		if got := strings.Join(pauses, " "); !strings.HasPrefix(got, "1m0s 2m0s 4m0s 8m0s 15m0s 15m0s 15m0s") {
			t.Errorf("got pauses of %s, want 1, 2, 4, 8, 15, 15 … minutes", got)
		}
		// The first two were counted before anybody knew of an outage.
		failures := 0
		for _, id := range ids {
			s := w.mail(id).State
			failures += s.Failures
			if s.Status != outbox.Waiting {
				t.Errorf("got %s %s, want waiting", id, s.Status)
			}
		}
		if failures != 2 {
			t.Errorf("got %d failures counted, want 2", failures)
		}
		tried := map[string]int{}
		for _, c := range p.calls[3:] {
			tried[c.id]++
		}
		for _, id := range ids {
			if n := tried[id] + w.mail(id).State.Failures; n < 1 || n > 4 {
				t.Errorf("got %s probed %d times of %d, want them to rotate", id, tried[id], len(p.calls)-3)
			}
		}
		if first := p.calls[3].id; slices.ContainsFunc(p.calls[:3], func(c call) bool { return c.id == first }) {
			t.Errorf("got the first probe %s, want a mail that was not tried", first)
		}

		p.fault = nil
		w.runFor(d, 16*time.Minute)
		w.eachOnce(p, ids)
		w.logged("the outage is over")
		provider, err := w.box.Provider(t.Context())
		if err != nil || provider.Outage.On() || provider.Outage.Probes != 0 {
			t.Errorf("got %+v, %v; want no outage", provider.Outage, err)
		}
	})
}

func TestOutageOfHoursLosesNothing(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		reminders := w.putMany(120, remind)
		p := &provider{quota: mail.Quota{PerSecond: 14, PerDay: 400}, fault: always(errServer)}
		d := w.dispatcher(p)
		var soons, keys []string
		for hour := range 34 { // half an hour each: a night and more of HTTP 5xx
			s, u := soon(fmt.Sprintf("s%02d", hour), fmt.Sprintf("s%d.example", hour)),
				urgent(fmt.Sprintf("u%02d", hour), fmt.Sprintf("u%d.example", hour))
			w.put(s, u)
			soons, keys = append(soons, s.ID), append(keys, u.ID)
			w.runFor(d, 30*time.Minute)
		}
		all := slices.Concat(reminders, soons, keys)
		for _, id := range all {
			if s := w.status(id); !s.Open() {
				t.Errorf("got %s %s, want none given up", id, s)
			}
		}
		if len(p.accepted()) != 0 {
			t.Fatal("a mail was sent in the outage")
		}
		p.fault, p.calls = nil, nil
		w.runFor(d, 30*time.Minute)
		w.eachOnce(p, all)
		rank := map[byte]int{'u': 1, 's': 2, 'm': 3}
		var ranks []int
		for _, c := range p.calls[1:] { // behind the last probe
			ranks = append(ranks, rank[c.id[0]])
		}
		if !slices.IsSorted(ranks) {
			t.Errorf("got the ranks %v after the outage, want them in order", ranks)
		}
	})
}

func TestOnePoisonMailFailsAloneAndStopsNobody(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.put(urgent("poison", "a.example"))
		p := &provider{fault: failing(errServer, "poison--q")}
		d := w.dispatcher(p)
		var good []string
		for i := range 20 { // at night an hour has no other mail
			w.runFor(d, time.Hour)
			n := soon(fmt.Sprintf("good%02d", i), "b.example")
			w.put(n)
			w.run(d)
			if s := w.status(n.ID); s != outbox.Sent {
				t.Errorf("hour %d: got the good mail %s, want sent at once", i, s)
			}
			good = append(good, n.ID)
		}
		if s := w.mail("poison--q").State; s.Status != outbox.Failed || s.Failures != maxFailures-1 {
			t.Errorf("got %+v, want failed with the twelfth failure", s)
		}
		w.eachOnce(p, good)
	})
}

// TestThreePoisonMailsDoNotStarveAnother has an outage that is none.
func TestThreePoisonMailsDoNotStarveAnother(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		poison := []string{"p0--q", "p1--q", "p2--q"}
		w.put(urgent("p0", "a.example"), urgent("p1", "b.example"), urgent("p2", "c.example"))
		p := &provider{fault: failing(errServer, poison...)}
		d := w.dispatcher(p)
		w.runFor(d, 3*time.Hour) // the pauses are at their longest
		for i := range 30 {
			n := soon(fmt.Sprintf("good%02d", i), "d.example")
			w.put(n)
			start, probes := time.Now(), len(p.calls)
			for w.status(n.ID) != outbox.Sent {
				w.run(d)
				time.Sleep(time.Minute)
				if time.Since(start) > 20*time.Minute {
					t.Fatalf("mail %d waits for %v", i, time.Since(start))
				}
			}
			if i == 0 && p.calls[probes].id != n.ID {
				t.Errorf("got the probe %s, want the new mail", p.calls[probes].id)
			}
			w.runFor(d, time.Hour)
		}
		for _, id := range poison {
			if s := w.status(id); s != outbox.Failed {
				t.Errorf("got %s %s, want failed in the end", id, s)
			}
		}
		w.nothingWaits()
	})
}

// TestProviderThatIsGoneRisksNoMail has a provider that does not even tell its quota: probes need no mail then, and
// none is in doubt.
func TestProviderThatIsGoneRisksNoMail(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(4, soon)
		p := &provider{fault: always(errLost)}
		d := w.dispatcher(p)
		d.AtOnce = 1
		w.run(d)
		tries := len(p.calls)
		p.quotaErr = errLost
		w.runFor(d, 24*time.Hour)
		if tries != 3 || len(p.calls) != tries || p.quotas > 110 {
			t.Errorf("got %d calls, and %d for the quota, want 3 and a probe in 15 minutes", len(p.calls), p.quotas)
		}
		p.fault, p.quotaErr = nil, nil
		w.runFor(d, 20*time.Minute)
		w.eachOnce(p, ids)
	})
}

func TestFailuresOfDifferentKindsAreNoOutage(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		w.putMany(9, soon)
		n := 0
		p := &provider{fault: func(mail.Message) (bool, error) {
			n++
			return false, []error{errServer, errConnect}[n%2]
		}}
		d := w.dispatcher(p)
		w.run(d)
		if len(p.calls) != 9 {
			t.Errorf("got %d calls, want all: two kinds of failures are no outage", len(p.calls))
		}
	})
}

func TestDoubtCountsInAnOutage(t *testing.T) {
	inTestEnv(t, func(w *testEnv) {
		ids := w.putMany(3, soon)
		p := &provider{fault: always(errLost)}
		d := w.dispatcher(p)
		w.runFor(d, 24*time.Hour)
		for _, id := range ids {
			s, calls := w.mail(id).State, len(p.callsOf(id))
			if s.Status != outbox.Failed || s.Doubts != maxDoubts || calls != maxDoubts {
				t.Errorf("got %+v, want failed after three calls that nobody knows the end of", s)
			}
		}
	})
}
