package outbox_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

const length = 30 * time.Second

func (e *testEnv) acquire() *outbox.Lease {
	e.t.Helper()
	l, err := e.Acquire(e.t.Context(), length)
	e.must(err)
	return l
}

// held requires that nobody else can send now.
func (e *testEnv) held(when string) {
	e.t.Helper()
	if l, err := e.Acquire(e.t.Context(), length); !errors.Is(err, outbox.ErrHeld) || l != nil {
		e.t.Errorf("%s: got %v, %v, want ErrHeld", when, l, err)
	}
}

func TestOneMailerHoldsTheLease(t *testing.T) {
	e := newTestEnv(t)
	first := e.acquire()
	e.want("until", first.Until, e.now.Add(length))
	e.held("at once")
	e.now = e.now.Add(length - time.Nanosecond)
	e.held("just before its end")
	e.must(first.Renew(t.Context(), length))
	e.now = e.now.Add(length - time.Nanosecond)
	e.held("renewed")
	e.now = e.now.Add(time.Nanosecond)
	second := e.acquire()
	if second.Fence <= first.Fence {
		t.Errorf("got fence %d after %d, want a greater one", second.Fence, first.Fence)
	}
	for what, err := range map[string]error{
		"renewing": first.Renew(t.Context(), length), "releasing": first.Release(t.Context()),
	} {
		if !errors.Is(err, outbox.ErrHeld) {
			t.Errorf("%s a lost lease: got %v, want ErrHeld", what, err)
		}
	}
	e.held("after the first one tried to release it")
	e.must(second.Release(t.Context()))
	third := e.acquire()
	if third.Fence <= second.Fence {
		t.Errorf("got fence %d after %d, want a greater one", third.Fence, second.Fence)
	}
}

func TestLeaseThatRanOutIsRenewedIfNobodyTookIt(t *testing.T) {
	e := newTestEnv(t)
	l := e.acquire()
	e.now = e.now.Add(time.Hour)
	e.must(l.Renew(t.Context(), length))
	e.held("renewed after its end")
}

func TestOneOfManyGetsTheLease(t *testing.T) {
	for range 20 {
		e := newTestEnvOver(t, &tabletest.Memory{})
		e.must(e.acquire().Release(t.Context()))
		var mu sync.Mutex
		var got []*outbox.Lease
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				l, err := e.Acquire(t.Context(), length)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got = append(got, l)
				} else if !errors.Is(err, outbox.ErrHeld) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(got) != 1 {
			t.Fatalf("got %d leases, want 1", len(got))
		}
	}
}

// TestTwoThatReadTheSameLeaseDoNotBothGetIt lets another mailer acquire the lease between the reading and the write.
func TestTwoThatReadTheSameLeaseDoNotBothGetIt(t *testing.T) {
	e := newTestEnv(t)
	e.must(e.acquire().Release(t.Context()))
	var other *outbox.Lease
	e.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			e.table.Fault = nil
			other = e.acquire()
		}
		return tabletest.Fault{}
	}
	e.held("after the other one")
	e.must(other.Renew(t.Context(), length))
}

func TestLostAnswersDoNotLoseTheLease(t *testing.T) {
	e := newTestEnv(t)
	lose := func() {
		e.table.Fault = func(c tabletest.Call) tabletest.Fault {
			if c.Op == "transact" {
				e.table.Fault = nil
				return tabletest.Lost
			}
			return tabletest.Fault{}
		}
	}
	l := e.acquire()
	fence := l.Fence
	for range 3 {
		e.now = e.now.Add(time.Second)
		lose()
		if err := l.Renew(t.Context(), length); !errors.Is(err, table.ErrUnavailable) {
			t.Fatalf("got %v, want a lost answer", err)
		}
		l.Provider.CountSent(e.now, 1)
		e.now = e.now.Add(time.Second)
		e.must(l.Renew(t.Context(), length))
		e.want("until", l.Until, e.now.Add(length))
	}
	p, err := e.Provider(t.Context())
	if err != nil || p.SentLastDay(e.now) != 3 {
		t.Errorf("got %+v, %v, want three mails sent", p, err)
	}
	lose()
	if err := l.Release(t.Context()); !errors.Is(err, table.ErrUnavailable) {
		t.Fatalf("got %v, want a lost answer", err)
	}
	e.must(l.Release(t.Context()))
	lose()
	if _, err := e.Acquire(t.Context(), length); !errors.Is(err, table.ErrUnavailable) {
		t.Fatalf("got %v, want a lost answer", err)
	}
	e.held("acquired with a lost answer")
	e.now = e.now.Add(length)
	if l := e.acquire(); l.Fence != fence+2 {
		t.Errorf("got fence %d, want %d", l.Fence, fence+2)
	}
}

func TestClockThatWentBackDoesNotKeepTheLease(t *testing.T) {
	e := newTestEnv(t)
	l := e.acquire()
	e.now = e.now.Add(-time.Hour)
	next := e.acquire()
	if next.Fence <= l.Fence {
		t.Errorf("got fence %d after %d, want a greater one", next.Fence, l.Fence)
	}
	e.held("by the one with the clock of now")
	if err := l.Renew(t.Context(), length); !errors.Is(err, outbox.ErrHeld) {
		t.Errorf("got %v, want ErrHeld", err)
	}
}

func TestLeaseOfADeadMailerIsEnded(t *testing.T) {
	e := newTestEnv(t)
	e.must(e.EndLease(t.Context())) // there is none
	l := e.acquire()
	l.Provider.Outage = outbox.Outage{Class: "down", Mails: []string{"a", "b", "c"}, Since: e.now}
	e.must(l.Renew(t.Context(), length))
	e.must(e.EndLease(t.Context()))
	next := e.acquire()
	if next.Fence != l.Fence+1 || !next.Provider.Outage.On() {
		t.Errorf("got %+v, want the next fence and what was known", next)
	}
}

func TestLeaseTellsTheNextMailerWhatIsKnown(t *testing.T) {
	e := newTestEnv(t)
	if p, err := e.Provider(t.Context()); err != nil || p.Outage.On() || p.SentLastDay(e.now) != 0 {
		t.Errorf("at first: got %+v, %v, want nothing", p, err)
	}
	l := e.acquire()
	l.Provider.Outage = outbox.Outage{Class: "down", Mails: []string{"a", "b", "c"}, Since: e.now, Probes: 2,
		NextProbe: e.now.Add(time.Minute)}
	l.Provider.CountSent(e.now, 5)
	e.must(l.Release(t.Context()))
	p, err := e.Provider(t.Context())
	next := e.acquire().Provider
	for _, got := range []outbox.Provider{p, next} {
		if err != nil || got.SentLastDay(e.now) != 5 || !got.Outage.On() || got.Outage.Probes != 2 ||
			!slices.Equal(got.Outage.Mails, []string{"a", "b", "c"}) || !got.Outage.NextProbe.Equal(e.now.Add(time.Minute)) {
			t.Errorf("got %+v, %v, want the outage and five mails", got, err)
		}
	}
}

func TestOutageIsOnAfterThreeMails(t *testing.T) {
	for n, want := range []bool{false, false, false, true, true} {
		o := outbox.Outage{Class: "down", Mails: make([]string, n)}
		if o.On() != want {
			t.Errorf("%d mails: got on %v, want %v", n, o.On(), want)
		}
	}
}

func TestSentMailsAreCountedOverTheRollingDay(t *testing.T) {
	var p outbox.Provider
	at := time.Date(2018, 3, 1, 9, 7, 0, 0, time.UTC)
	p.CountSent(at, 10)
	p.CountSent(at.Add(5*time.Minute), 1)  // 9:12, in the same quarter
	p.CountSent(at.Add(20*time.Minute), 2) // 9:27
	for _, tt := range []struct {
		at   string
		want int
	}{
		{"2018-03-01T08:59:00Z", 0}, // the clock went back
		{"2018-03-01T09:14:00Z", 11},
		{"2018-03-01T09:30:00Z", 13},
		{"2018-03-02T08:59:59Z", 13},
		{"2018-03-02T09:14:59Z", 13}, // those of 9:12 may be less than a day old, also those of 9:14
		{"2018-03-02T09:15:00Z", 2},
		{"2018-03-02T09:29:59Z", 2},
		{"2018-03-02T09:30:00Z", 0},
	} {
		when, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.SentLastDay(when); got != tt.want {
			t.Errorf("at %s: got %d sent in the last day, want %d", tt.at, got, tt.want)
		}
	}
	for i := range 1000 {
		p.CountSent(at.Add(time.Duration(i)*10*time.Minute), 1)
	}
	if len(p.Sent) > 98 {
		t.Errorf("got %d quarters kept, want those of a day", len(p.Sent))
	}
}
