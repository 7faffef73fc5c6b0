package delivery_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// newLateEnv is a testEnv whose clock is a Thursday at 09:00, when the office opens, over memory.
func newLateEnv(t *testing.T) *testEnv {
	t.Helper()
	return newTestEnvOver(&tabletest.Memory{})
}

// tell runs the job at a time of day "02 15:04" of March 2018, and returns what it queued: the kind, and to whom.
func tell(t *testing.T, b *testEnv, at string) (queued []string) {
	t.Helper()
	when, err := time.Parse("2006-01-02 15:04", "2018-03-"+at)
	if err != nil {
		t.Fatal(err)
	}
	b.now = when
	before := pending(t, b.Store)
	n, err := b.TellLate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range pending(t, b.Store) {
		if slices.Contains(before, id) {
			continue
		}
		m, err := b.Outbox().Read(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		queued = append(queued, strings.TrimSpace(string(m.Kind)+" "+m.To.Email))
	}
	slices.Sort(queued)
	if n != len(queued) {
		t.Errorf("%s: told of %d requests, want %d", at, n, len(queued))
	}
	return queued
}

const (
	toSam   = "request-late sam@vendor.example"
	toSales = "request-late-sales"
)

// wantTold runs the job at times, one after another.
func wantTold(t *testing.T, b *testEnv, steps ...[]string) {
	t.Helper()
	for _, s := range steps {
		if got := tell(t, b, s[0]); !slices.Equal(got, s[1:]) {
			t.Errorf("%s: told %q, want %q", s[0], got, s[1:])
		}
	}
}

func TestLateRequestIsToldToItsReviewerThenToSales(t *testing.T) {
	b := newLateEnv(t)
	r := review(t, b, file(t, b, evaluation), request.InReview, "")
	wantTold(t, b,
		[]string{"01 16:00"}, []string{"02 09:00"}, // it is due at that moment
		[]string{"02 09:10", toSam}, []string{"02 09:10"}, []string{"02 11:09"},
		[]string{"02 11:10", toSales}, []string{"02 11:20"}, []string{"05 10:00"}, []string{"30 10:00"})
	got, err := b.Request(t.Context(), r.ID)
	if err != nil || !got.LateTold.Due.Equal(got.Due) || got.LateTold.Reviewer.Hour() != 9 ||
		got.LateTold.Sales.Hour() != 11 {
		t.Errorf("got %+v, %v", got.LateTold, err)
	}
	events, err := b.RequestTimeline(t.Context(), r.ID)
	var told []string
	for _, e := range events {
		if e.By == store.System {
			told = append(told, strings.TrimSpace(string(e.Action)+" "+e.Note))
		}
	}
	want := []string{"reviewer told that it is late sam@vendor.example", "sales told that it is late"}
	if err != nil || !slices.Equal(told, want) {
		t.Errorf("got the timeline %q, %v, want %q", told, err, want)
	}
}

func TestLateRequestThatNobodyReviewsIsToldToSales(t *testing.T) {
	b := newLateEnv(t)
	r := file(t, b, evaluation)
	wantTold(t, b, []string{"02 09:10", toSales}, []string{"02 09:20"}, []string{"02 16:00"})
	r = review(t, b, must(b.Request(t.Context(), r.ID)), request.InReview, "") // knowing that it is late
	wantTold(t, b, []string{"02 16:10"}, []string{"05 16:00"})
	if r.Reviewer != "sam@vendor.example" {
		t.Errorf("got reviewer %q", r.Reviewer)
	}
}

func must(r request.Request, err error) request.Request {
	if err != nil {
		panic(err)
	}
	return r
}

func TestNobodyIsToldWhatIsNotLate(t *testing.T) {
	for name, do := range map[string]func(*testing.T, *testEnv, request.Request){
		"waits for its customer": func(t *testing.T, b *testEnv, r request.Request) {
			review(t, b, r, request.Waiting, "which?")
		},
		"rejected":  func(t *testing.T, b *testEnv, r request.Request) { review(t, b, r, request.Rejected, "no") },
		"withdrawn": func(t *testing.T, b *testEnv, r request.Request) { review(t, b, r, request.Withdrawn, "no") },
	} {
		b := newLateEnv(t)
		do(t, b, file(t, b, evaluation))
		for _, at := range []string{"02 09:10", "05 09:00"} {
			if got := tell(t, b, at); len(got) > 0 {
				t.Errorf("%s: told %q", name, got)
			}
		}
	}
	b := newLateEnv(t)
	if _, _, err := b.Silent().FileRequest(t.Context(), store.Filing{Details: evaluation}); err != nil {
		t.Fatal(err)
	}
	if got := tell(t, b, "05 09:00"); len(got) > 0 {
		t.Errorf("unconfirmed: told %q", got)
	}
}

func TestLateRequestIsNotToldAtNight(t *testing.T) {
	b := newLateEnv(t)
	b.now = time.Date(2018, 3, 1, 17, 0, 0, 0, time.UTC) // due on Friday when the office closes
	file(t, b, evaluation)
	wantTold(t, b, []string{"02 17:00"}, []string{"02 17:15"}, []string{"02 23:00"}, []string{"03 12:00"},
		[]string{"05 08:50"}, []string{"05 09:00", toSales})

	b = newLateEnv(t)
	b.now = time.Date(2018, 3, 1, 17, 0, 0, 0, time.UTC)
	file(t, b, evaluation)
	wantTold(t, b, []string{"02 17:10", toSales}) // it is due when the office closes, and the next run is told soon
}

// TestOutageOfTheJobIsCaughtUpOnce lets days pass without a run.
func TestOutageOfTheJobIsCaughtUpOnce(t *testing.T) {
	b := newLateEnv(t)
	review(t, b, file(t, b, evaluation), request.InReview, "")
	file(t, b, evaluation)
	wantTold(t, b, []string{"08 02:00"}, []string{"08 15:30", toSam, toSales}, []string{"08 15:40"},
		[]string{"09 09:20"}, []string{"09 09:30", toSales}, []string{"09 10:00"})
}

func TestNewDeadlineIsToldAnew(t *testing.T) {
	b := newLateEnv(t)
	r := review(t, b, file(t, b, evaluation), request.InReview, "")
	wantTold(t, b, []string{"02 09:10", toSam})
	r = review(t, b, must(b.Request(t.Context(), r.ID)), request.Waiting, "which?")
	b.now = b.now.AddDate(0, 0, 3)
	r = review(t, b, r, request.InReview, "")
	wantTold(t, b, []string{"05 12:00"}, []string{"06 09:10"}, []string{"06 09:20", toSam}, []string{"06 11:20", toSales})
}

func TestReviewerWhomNoEmailReachesIsReplacedBySales(t *testing.T) {
	b := newLateEnv(t)
	r := review(t, b, file(t, b, evaluation), request.InReview, "")
	wantTold(t, b, []string{"02 09:10", toSam})
	m, err := b.Outbox().Read(t.Context(), pending(t, b.Store)[0])
	if err != nil || m.Kind != mail.RequestLate {
		t.Fatalf("got %s, %v", m.Kind, err)
	}
	bounce := outbox.Report{Mail: m.ID, ProviderID: "p", Outcome: outbox.Bounced, At: b.now, Attempt: 1}
	for range 2 { // SES may publish it twice
		if _, err := b.RecordReport(t.Context(), bounce); err != nil {
			t.Fatal(err)
		}
	}
	got := must(b.Request(t.Context(), r.ID))
	if got.LateTold.Sales.IsZero() || !slices.ContainsFunc(pending(t, b.Store), func(id string) bool {
		return strings.Contains(id, "--late-sales-")
	}) {
		t.Errorf("after a bounce: got %+v and %q, want that sales are told", got.LateTold, pending(t, b.Store))
	}
	other := evaluation
	other.Company = "Other"
	review(t, b, file(t, b, other), request.InReview, "")
	wantTold(t, b, []string{"02 12:00"}, []string{"05 12:00", toSales}, []string{"05 15:00"})
}

func TestSuppressedReviewerLeavesNobodyUntold(t *testing.T) {
	b := newLateEnv(t)
	r := review(t, b, file(t, b, evaluation), request.InReview, "")
	wantTold(t, b, []string{"02 09:10", toSam})
	m, err := b.Outbox().Read(t.Context(), pending(t, b.Store)[0])
	if err == nil {
		err = b.FailSuppressed(t.Context(), m, delivery.Suppression{Outcome: outbox.Bounced, At: b.now})
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := must(b.Request(t.Context(), r.ID)).LateTold; got.Sales.IsZero() {
		t.Errorf("got %+v, want that sales are told", got)
	}
	wantTold(t, b, []string{"02 12:00"})
}

func TestRunsAtOnceTellOnce(t *testing.T) {
	b := newLateEnv(t)
	for range 5 {
		review(t, b, file(t, b, evaluation), request.InReview, "")
		file(t, b, evaluation)
	}
	b.now = time.Date(2018, 3, 2, 9, 10, 0, 0, time.UTC)
	before := len(pending(t, b.Store))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := b.TellLate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(pending(t, b.Store)) - before; n != 10 {
		t.Errorf("got %d emails, want one of each request", n)
	}
}

func TestLostAnswerTellsOnce(t *testing.T) {
	b := newLateEnv(t)
	review(t, b, file(t, b, evaluation), request.InReview, "")
	b.now = time.Date(2018, 3, 2, 9, 10, 0, 0, time.UTC)
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			return tabletest.Lost
		}
		return tabletest.Fault{}
	}
	if _, err := b.TellLate(t.Context()); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("got %v, want that the table is unavailable", err)
	}
	b.table.Fault = nil
	wantTold(t, b, []string{"02 09:20"}, []string{"02 11:10", toSales})
}

// TestOneFailureKeepsNoOther has the table fail for one of two requests.
func TestOneFailureKeepsNoOther(t *testing.T) {
	b := newLateEnv(t)
	file(t, b, evaluation)
	b.now = b.now.Add(time.Minute)
	file(t, b, evaluation)
	b.now = time.Date(2018, 3, 2, 9, 10, 0, 0, time.UTC)
	failed := false
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" && !failed {
			failed = true
			return tabletest.Down
		}
		return tabletest.Fault{}
	}
	n, err := b.TellLate(t.Context())
	if n != 1 || !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("got %d, %v, want one, and the failure of the other", n, err)
	}
	b.table.Fault = nil
	wantTold(t, b, []string{"02 09:20", toSales})
}

func TestNextLateIsWhenTheJobHasSomethingToDo(t *testing.T) {
	b := newLateEnv(t)
	next := func(want string) {
		t.Helper()
		at, err := b.NextLate(t.Context())
		got := ""
		if !at.IsZero() {
			got = at.Format("02 15:04")
		}
		if err != nil || got != want {
			t.Errorf("at %s: got %q, %v, want %q", b.now.Format("02 15:04"), got, err, want)
		}
	}
	next("")
	review(t, b, file(t, b, evaluation), request.InReview, "")
	b.now = b.now.Add(time.Hour)
	file(t, b, evaluation)
	next("02 09:00")
	tell(t, b, "02 09:10")
	next("02 10:00")
	tell(t, b, "02 10:10")
	next("02 11:10")
	b.now = time.Date(2018, 3, 2, 22, 0, 0, 0, time.UTC) // nobody ran the job
	next("05 09:00")
	tell(t, b, "05 09:00")
	next("")
}

func TestLateRequestOfWhichNobodyIsToldIsWatched(t *testing.T) {
	b := newLateEnv(t)
	review(t, b, file(t, b, evaluation), request.InReview, "")
	watched := func(at string, want int) {
		t.Helper()
		b.now, _ = time.Parse("2006-01-02 15:04", "2018-03-"+at)
		if got, err := b.Watched(t.Context()); err != nil || got.LateUntold != want {
			t.Errorf("%s: got %d late requests of which nobody was told, %v, want %d", at, got.LateUntold, err, want)
		}
	}
	watched("02 09:50", 0)
	watched("02 10:10", 1)
	tell(t, b, "02 10:10")
	watched("02 10:20", 0)
	watched("02 13:00", 0)
	watched("02 13:20", 1) // sales should have been told at 12:10
	tell(t, b, "02 13:20")
	watched("09 13:20", 0)
}
