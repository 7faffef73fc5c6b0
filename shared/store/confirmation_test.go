package store_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// confirm confirms requests with the secret of the first.
func confirm(t *testing.T, b *testEnv, list ...request.Request) {
	t.Helper()
	if err := b.ConfirmRequests(t.Context(), list[0].ID, list[0].Secret, ids(list)...); err != nil {
		t.Fatal(err)
	}
}

func ids(list []request.Request) (ids []string) {
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

// now reads a request as it is now.
func now(t *testing.T, b *testEnv, r request.Request) request.Request {
	t.Helper()
	r, err := b.Request(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// actions lists what the timeline of a request tells.
func actions(t *testing.T, b *testEnv, r request.Request) (list []store.Action) {
	t.Helper()
	events, err := b.RequestTimeline(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		list = append(list, e.Action)
	}
	return list
}

// sentTo files requests under an address, and says of each what the address is sent: a confirmation (c), a list (l), or
// nothing (-).
func sentTo(t *testing.T, b *testEnv, n int, emails ...string) (sent string) {
	t.Helper()
	for i := range n {
		r := fileAs(t, b, under(emails[i%len(emails)]))
		switch got := kinds(t, b, r.ID); {
		case slices.Contains(got, mail.RequestReceived):
			sent += "c"
		case slices.Contains(got, mail.RequestsToConfirm):
			sent += "l"
		default:
			sent += "-"
		}
	}
	return sent
}

func TestAddressIsSentThreeConfirmationsADayAndOneList(t *testing.T) {
	for _, spellings := range [][]string{
		{"ada@acme.example"}, {"ada@acme.example", "Ada@acme.example", "ADA@ACME.EXAMPLE"},
		{"ada@bücher.example", "ada@xn--bcher-kva.example"},
		{"ada+a@acme.example", "ada+b@acme.example", "ada@acme.example"},
		{"ada.abel@gmail.com", "adaabel@gmail.com", "a.d.a.abel+x@googlemail.com"},
	} {
		b := newMemoryEnv().testEnv
		b.now = day("2018-03-01").Start()
		if got := sentTo(t, b, 7, spellings...); got != "cccl---" {
			t.Errorf("%v: got %s, want cccl---", spellings, got)
		}
		b.now = day("2018-03-02").Start().Add(-time.Nanosecond)
		if got := sentTo(t, b, 2, spellings...); got != "--" {
			t.Errorf("%v, at the end of the day: got %s, want --", spellings, got)
		}
		if got := sentTo(t, b, 1, "bob@acme.example"); got != "c" {
			t.Errorf("another address: got %s, want c", got)
		}
		b.now = day("2018-03-02").Start()
		if got := sentTo(t, b, 5, spellings...); got != "cccl-" {
			t.Errorf("%v, on the next day: got %s, want cccl-", spellings, got)
		}
	}
}

func TestConfirmedAddressIsSentTwentyConfirmationsADay(t *testing.T) {
	b := newMemoryEnv().testEnv
	first := fileAs(t, b, under("ada@acme.example"))
	if got := sentTo(t, b, 4, "ada@acme.example"); got != "ccl-" {
		t.Fatalf("before: got %s, want ccl-", got)
	}
	confirm(t, b, first)
	want := strings.Repeat("c", 20) + "l--"
	if got := sentTo(t, b, 19, "Ada@acme.example"); got != want[4:] {
		t.Errorf("on the same day: got %s, want %s", got, want[4:])
	}
	b.now = first.Created.AddDate(0, 0, 30).Add(-time.Millisecond)
	if got := sentTo(t, b, 23, "ada@acme.example"); got != want {
		t.Errorf("after nearly 30 days: got %s, want %s", got, want)
	}
	b.now = first.Created.AddDate(0, 0, 30)
	if got := sentTo(t, b, 2, "ada@acme.example"); got != "--" { // 21 were sent on this day
		t.Errorf("after 30 days: got %s, want --", got)
	}
	b.now = b.now.AddDate(0, 0, 1)
	if got := sentTo(t, b, 5, "ada@acme.example"); got != "cccl-" {
		t.Errorf("after 31 days: got %s, want cccl-", got)
	}
}

func TestHonestMigrationOfFourServersMeetsNoLimit(t *testing.T) {
	b := newMemoryEnv().testEnv
	var list []request.Request
	for i := range 4 {
		f := under("ada@acme.example")
		f.Server = license.Server(fmt.Sprint("AWHW8w9JtzBzSrmf9GQ", i))
		list = append(list, fileAs(t, b, f))
		b.now = b.now.Add(15 * time.Minute)
	}
	last := list[3] // of which the list is sent
	if got := kinds(t, b, last.ID); !slices.Equal(got, []mail.Kind{mail.RequestsToConfirm}) {
		t.Fatalf("fourth request: got mails %v, want the list", got)
	}
	found, err := b.ToConfirm(t.Context(), last.ID, last.Secret)
	if err != nil || !slices.Equal(ids(found), ids(list)) {
		t.Fatalf("ToConfirm = %v, %v, want %v", ids(found), err, ids(list))
	}
	confirm(t, b, append([]request.Request{last}, list...)...)
	for _, r := range list {
		if now(t, b, r).Confirmed.IsZero() {
			t.Errorf("request %s is not confirmed", r.ID)
		}
	}
}

func TestSecretConfirmsWhatItsAddressSentWithinADay(t *testing.T) {
	b := newMemoryEnv().testEnv
	at := b.now
	filed := map[string]request.Request{}
	for name, f := range map[string]struct {
		after time.Duration
		store.Filing
	}{
		"own": {0, under("ada@acme.example")}, "own spelling": {time.Hour, under("Ada@ACME.example")},
		"a day before": {-24 * time.Hour, under("ada@acme.example")}, "earlier": {-24*time.Hour - 1e6, under("ada@acme.example")},
		"nearly a day later": {24*time.Hour - 1e6, under("ada@acme.example")}, "a day later": {24 * time.Hour, under("ada@acme.example")},
		"a colleague's": {0, under("bob@acme.example")}, "with a tag": {0, under("ada+1@acme.example")},
		"confirmed": {0, under("ada@acme.example")}, "closed": {0, under("ada@acme.example")},
		"in review": {0, under("ada@acme.example")}, "suspicious": {0, store.Filing{Details: evaluation, Suspicious: true}},
	} {
		b.now = at.Add(f.after)
		filed[name] = fileAs(t, b, f.Filing)
	}
	b.now = at.Add(25 * time.Hour)
	confirm(t, b, filed["confirmed"])
	b.now = b.now.Add(-request.UndoFor)
	review(t, b, filed["closed"], request.Rejected, "why")
	b.now = b.now.Add(request.UndoFor)
	review(t, b, filed["in review"], request.InReview, "")
	want := []string{filed["a day before"].ID, filed["own"].ID, filed["own spelling"].ID,
		filed["nearly a day later"].ID, filed["in review"].ID, filed["suspicious"].ID}
	own := filed["own"]
	list, err := b.ToConfirm(t.Context(), own.ID, own.Secret)
	got := ids(list)
	slices.Sort(got)
	if slices.Sort(want); err != nil || !slices.Equal(got, want) {
		t.Errorf("ToConfirm = %v, %v, want %v of %v", got, err, want, filed)
	}
	if !slices.IsSortedFunc(list, func(a, b request.Request) int { return a.Created.Compare(b.Created) }) {
		t.Errorf("got %v, want the oldest first", got)
	}
	var all []string
	for _, r := range filed {
		all = append(all, r.ID)
	}
	if err := b.ConfirmRequests(t.Context(), own.ID, own.Secret, all...); err != nil {
		t.Fatal(err)
	}
	for name, r := range filed {
		confirmed := name == "confirmed" || slices.Contains(want, r.ID)
		if now(t, b, r).Confirmed.IsZero() == confirmed {
			t.Errorf("%s: got confirmed %v, want %v", name, !confirmed, confirmed)
		}
	}
}

func TestOneEmailListsFiftyRequestsAndItsOwn(t *testing.T) {
	b := newMemoryEnv().testEnv
	for range 55 {
		fileAs(t, b, store.Filing{Details: evaluation, Suspicious: true})
		b.now = b.now.Add(time.Second)
	}
	own := fileAs(t, b, under(evaluation.Email))
	list, err := b.ToConfirm(t.Context(), own.ID, own.Secret)
	if err != nil || len(list) != 50 || list[49].ID != own.ID {
		t.Errorf("got %d requests, %v, want the newest 50, the request itself last", len(list), err)
	}
}

func TestWhatNobodyTickedIsNotConfirmed(t *testing.T) {
	b := newMemoryEnv().testEnv
	own, other := fileAs(t, b, under("ada@acme.example")), fileAs(t, b, under("ada@acme.example"))
	list, err := b.ToConfirm(t.Context(), own.ID, own.Secret)
	if err != nil || len(list) != 2 {
		t.Fatalf("ToConfirm = %v, %v, want both", ids(list), err)
	}
	later := fileAs(t, b, under("ada@acme.example")) // while the page is open
	confirm(t, b, own)
	if !now(t, b, other).Unconfirmed || !now(t, b, later).Unconfirmed {
		t.Error("a request is confirmed that nobody ticked")
	}
}

// TestUsedSecretConfirmsNothingMore: the email may have been passed on by then.
func TestUsedSecretConfirmsNothingMore(t *testing.T) {
	for name, use := range map[string]func(*testEnv, request.Request) error{
		"confirmed": func(b *testEnv, r request.Request) error {
			return b.ConfirmRequests(t.Context(), r.ID, r.Secret, r.ID)
		},
		"denied": func(b *testEnv, r request.Request) error { return b.DenyRequests(t.Context(), r.ID, r.Secret, r.ID) },
		"closed": func(b *testEnv, r request.Request) error {
			review(t, b, r, request.Rejected, "why")
			b.now = b.now.Add(request.UndoFor)
			return nil
		},
	} {
		b := newMemoryEnv().testEnv
		own := fileAs(t, b, under("ada@acme.example"))
		if err := use(b, own); err != nil {
			t.Fatal(err)
		}
		other := fileAs(t, b, under("ada@acme.example"))
		before := b.table.Counts().RowsWritten
		list, err := b.ToConfirm(t.Context(), own.ID, own.Secret)
		if err != nil || !slices.Equal(ids(list), []string{own.ID}) {
			t.Errorf("%s: ToConfirm = %v, %v, want the request alone", name, ids(list), err)
		}
		for _, settle := range []func() error{
			func() error { return b.ConfirmRequests(t.Context(), own.ID, own.Secret, own.ID, other.ID) },
			func() error { return b.DenyRequests(t.Context(), own.ID, own.Secret, own.ID, other.ID) },
		} {
			if err := settle(); err != nil {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if n := b.table.Counts().RowsWritten - before; n != 0 || !now(t, b, other).Unconfirmed {
			t.Errorf("%s: got %d rows written, want none", name, n)
		}
	}
}

func TestWrongSecretConfirmsNothing(t *testing.T) {
	b := newMemoryEnv().testEnv
	r, other := fileAs(t, b, under("ada@acme.example")), fileAs(t, b, under("ada@acme.example"))
	before := b.table.Counts().RowsWritten
	for _, tt := range [][2]string{{r.ID, ""}, {r.ID, r.Token}, {r.ID, other.Secret}, {r.ID, strings.ToLower(r.Secret)},
		{r.ID, r.Secret[1:]}, {"01h00000000000000000000000", r.Secret}, {"", r.Secret}} {
		_, err := b.ToConfirm(t.Context(), tt[0], tt[1])
		errs := []error{err, b.ConfirmRequests(t.Context(), tt[0], tt[1], r.ID),
			b.DenyRequests(t.Context(), tt[0], tt[1], r.ID)}
		for _, err := range errs {
			if fault.KindOf(err) != fault.NotFound || strings.Contains(err.Error(), r.Secret) {
				t.Errorf("%v: got %v, want not found", tt, err)
			}
		}
	}
	if n := b.table.Counts().RowsWritten - before; n != 0 {
		t.Errorf("got %d rows written, want none", n)
	}
}

func TestConfirmedRequestIsDueFromThenOn(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := fileAs(t, b, under("ada@acme.example")) // on a Thursday, at nine
	b.now = day("2018-03-09").Start().Add(15 * time.Hour)
	if late := now(t, b, r).Late(b.now); late {
		t.Error("an unconfirmed request is late")
	}
	confirm(t, b, r)
	got := now(t, b, r)
	if got.Unconfirmed || !got.Confirmed.Equal(b.now) || !got.Due.Equal(day("2018-03-12").Start().Add(15*time.Hour)) ||
		got.State != request.Received {
		t.Errorf("got %+v, want it confirmed and due on Monday at three", got)
	}
	if got := queueLengths(t, b); got != "[1 0 0]" {
		t.Errorf("got queues %s, want the request among the received ones", got)
	}
	want := []mail.Kind{mail.RequestReceived, mail.RequestConfirmed}
	if got := kinds(t, b, r.ID); !slices.Equal(got, want) {
		t.Errorf("got mails %v, want %v", got, want)
	}
	if n, err := b.TellUnconfirmed(t.Context()); n != 0 || err != nil {
		t.Errorf("got %d unconfirmed requests told, %v, want none", n, err)
	}
}

func TestRequestInReviewIsConfirmedAndDueAsBefore(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := fileAs(t, b, under("ada@acme.example"))
	b.now = b.now.Add(time.Hour)
	review(t, b, r, request.InReview, "")
	due := now(t, b, r).Due
	if !due.Equal(businessDayAfter(b.now)) {
		t.Errorf("got due at %v, want a business day after the review began", due)
	}
	b.now = b.now.Add(time.Hour)
	confirm(t, b, r)
	got := now(t, b, r)
	if got.State != request.InReview || got.Reviewer == "" || !got.Confirmed.Equal(b.now) || !got.Due.Equal(due) {
		t.Errorf("got %+v, want it in review, confirmed, and due at %v", got, due)
	}
	if got := queueLengths(t, b); got != "[0 1 0]" {
		t.Errorf("got queues %s", got)
	}
}

// TestRequestsAreConfirmedOnce confirms, and denies, the same requests from many pages at once.
func TestRequestsAreConfirmedOnce(t *testing.T) {
	b := newMemoryEnv().testEnv
	var list []request.Request
	for range 3 {
		list = append(list, fileAs(t, b, under("ada@acme.example")))
	}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			own := list[i%3]
			settle := b.ConfirmRequests
			if i >= 6 {
				settle = b.DenyRequests
			}
			if err := settle(t.Context(), own.ID, own.Secret, ids(list)...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, r := range list {
		told, sales := actions(t, b, r), slices.Contains(kinds(t, b, r.ID), mail.RequestConfirmed)
		confirmed := !now(t, b, r).Confirmed.IsZero()
		if len(told) != 2 || confirmed != (told[1] == store.RequestConfirmed) || confirmed != sales {
			t.Errorf("got timeline %v, confirmed %v and sales told %v, want one of both", told, confirmed, sales)
		}
	}
}

// TestConfirmingSurvivesAFailureBetween fails each transaction of confirming three requests, and confirms again.
func TestConfirmingSurvivesAFailureBetween(t *testing.T) {
	for _, f := range []tabletest.Fault{tabletest.Down, tabletest.Lost} {
		for at := 1; at <= 3; at++ {
			b := newMemoryEnv().testEnv
			var list []request.Request
			for range 3 {
				list = append(list, fileAs(t, b, under("ada@acme.example")))
			}
			n := 0
			b.table.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op == "transact" {
					if n++; n == at {
						return f
					}
				}
				return tabletest.Fault{}
			}
			own := list[0]
			err := b.ConfirmRequests(t.Context(), own.ID, own.Secret, ids(list)...)
			if fault.KindOf(err) != fault.Unavailable {
				t.Errorf("got %v, want that the table is unavailable", err)
			}
			b.table.Fault = nil
			confirm(t, b, list...)
			for i, r := range list {
				if got := actions(t, b, r); now(t, b, r).Confirmed.IsZero() || len(got) != 2 {
					t.Errorf("%v of transaction %d: request %d: got timeline %v", f, at, i, got)
				}
			}
		}
	}
}

func TestDeniedRequestIsClosedAndNobodyIsEmailed(t *testing.T) {
	b := newMemoryEnv().testEnv
	own, other, reviewed := fileAs(t, b, under("ada@acme.example")), fileAs(t, b, under("ada@acme.example")),
		fileAs(t, b, under("ada@acme.example"))
	reviewed = review(t, b, reviewed, request.InReview, "")
	before := pending(t, b.Store)
	b.now = b.now.Add(time.Hour)
	if err := b.DenyRequests(t.Context(), own.ID, own.Secret, own.ID, reviewed.ID); err != nil {
		t.Fatal(err)
	}
	for _, r := range []request.Request{own, reviewed} {
		got := now(t, b, r)
		if got.State != request.Withdrawn || !got.Closed.Equal(b.now) || got.Reason == "" || !got.Confirmed.IsZero() ||
			got.Late(b.now.AddDate(1, 0, 0)) {
			t.Errorf("got %+v, want it withdrawn", got)
		}
		if told := actions(t, b, r); told[len(told)-1] != store.RequestDenied {
			t.Errorf("got timeline %v", told)
		}
	}
	if got := now(t, b, other); !got.Unconfirmed || !got.State.Open() {
		t.Errorf("got %+v, want it unconfirmed as before", got)
	}
	if got := pending(t, b.Store); !slices.Equal(got, before) {
		t.Errorf("got mails %v, want no new one: %v", got, before)
	}
	if got := queueLengths(t, b); got != "[0 0 1]" {
		t.Errorf("got queues %s", got)
	}
	if n, err := b.TellUnconfirmed(t.Context()); n != 1 || err != nil {
		t.Errorf("got %d requests told, %v, want the other one", n, err)
	}
	_, err := b.Review(t.Context(), store.Review{ID: reviewed.ID, Version: reviewed.Version, By: "sam@vendor.example",
		To: request.Issued})
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("operator: got %v, want to be told", err)
	}
}

func TestConfirmationIsSentAgainWhileTheLimitAllows(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := fileAs(t, b, under("ada@acme.example"))
	for _, want := range []string{"", "", "", "rate limited"} {
		err := b.SendConfirmation(t.Context(), r.ID)
		if got := fault.KindOf(err); (want == "") != (err == nil) || err != nil && got != fault.RateLimited {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	want := []mail.Kind{mail.RequestReceived, mail.RequestReceived, mail.RequestReceived, mail.RequestsToConfirm}
	if got := kinds(t, b, r.ID); !slices.Equal(got, want) {
		t.Errorf("got mails %v, want %v", got, want)
	}
	b.now = b.now.AddDate(0, 0, 1)
	for range 4 {
		if err := b.SendConfirmation(t.Context(), r.ID); err != nil {
			t.Errorf("on the next day: got %v", err)
		}
	}
	if got := kinds(t, b, r.ID); len(got) != 8 || got[7] != mail.RequestsToConfirm {
		t.Errorf("on the next day: got mails %v", got)
	}
	if got := actions(t, b, r); len(got) != 8 || got[7] != store.ConfirmationSent {
		t.Errorf("got timeline %v", got)
	}
	if again := now(t, b, r); again.Version != r.Version || again.Secret != r.Secret {
		t.Errorf("got %+v, want the request unchanged: the first email confirms it, too", again)
	}
}

func TestSuspiciousRequestIsConfirmedOnceItsSenderAsks(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := fileAs(t, b, store.Filing{Details: evaluation, Suspicious: true})
	if got := pending(t, b.Store); len(got) != 0 {
		t.Fatalf("got mails %v, want none", got)
	}
	if err := b.SendConfirmation(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if got := kinds(t, b, r.ID); !slices.Equal(got, []mail.Kind{mail.RequestReceived}) {
		t.Errorf("got mails %v", got)
	}
	confirm(t, b, r)
	if got := now(t, b, r); got.Unconfirmed || !got.Suspicious {
		t.Errorf("got %+v, want it confirmed, and suspicious as it was", got)
	}
}

func TestNothingIsSentAgainAboutWhatIsSettled(t *testing.T) {
	b := newMemoryEnv().testEnv
	confirmed := file(t, b, evaluation)
	rejected := review(t, b, fileAs(t, b, under("ada@acme.example")), request.Rejected, "why")
	b.now = b.now.Add(request.UndoFor)
	before := pending(t, b.Store)
	for _, r := range []request.Request{confirmed, rejected} {
		if err := b.SendConfirmation(t.Context(), r.ID); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: got %v, want a conflict", r.State, err)
		}
	}
	if err := b.SendConfirmation(t.Context(), "r9"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown request: got %v", err)
	}
	if got := pending(t, b.Store); !slices.Equal(got, before) {
		t.Errorf("got mails %v, want %v", got, before)
	}
}

func TestCorrectedAddressGetsASecretOfItsOwn(t *testing.T) {
	b := newMemoryEnv().testEnv
	const slip, meant = "ada@gmial.example", "ada@gmail.example"
	r, other := fileAs(t, b, under(slip)), fileAs(t, b, under(slip))
	if err := b.CorrectEmail(t.Context(), r.ID, slip, meant); err != nil {
		t.Fatal(err)
	}
	got := now(t, b, r)
	if got.Email != meant || got.Secret == r.Secret || got.Token != r.Token || !got.Unconfirmed {
		t.Errorf("got %+v", got)
	}
	mails, err := b.MailsAbout(t.Context(), r.ID, 10)
	if err != nil || len(mails) != 2 || mails[1].To.Email != meant || mails[1].Kind != mail.RequestReceived {
		t.Errorf("got mails %+v, %v, want one to the corrected address", mails, err)
	}
	if _, err := b.ToConfirm(t.Context(), r.ID, r.Secret); fault.KindOf(err) != fault.NotFound {
		t.Errorf("old secret: got %v, want not found", err)
	}
	// Whoever reads the mail to the slip confirms their own, and not this one.
	if err := b.ConfirmRequests(t.Context(), other.ID, other.Secret, other.ID, r.ID); err != nil {
		t.Fatal(err)
	}
	if now(t, b, other).Unconfirmed || !now(t, b, r).Unconfirmed {
		t.Error("the address that was corrected confirms the request")
	}
	confirm(t, b, got)
	if now(t, b, r).Unconfirmed {
		t.Error("the corrected address does not confirm the request")
	}
}

func TestAddressIsCorrectedAgainAndAgain(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := fileAs(t, b, under("a@acme.example"))
	for i := range 5 {
		from, to := "a@acme.example", "b@acme.example"
		if i%2 == 1 {
			from, to = to, from
		}
		if err := b.CorrectEmail(t.Context(), r.ID, from, to); err != nil {
			t.Fatalf("correction %d: %v", i, err)
		}
	}
	if err := b.SendConfirmation(t.Context(), r.ID); err != nil {
		t.Errorf("got %v, want the list", err)
	}
	if got := kinds(t, b, r.ID); len(got) != 7 || got[6] != mail.RequestsToConfirm {
		t.Errorf("got mails %v, want three to the first address, and four to the second", got)
	}
}

func TestAddressIsCorrectedOnlyWhileNobodyConfirmedIt(t *testing.T) {
	b := newMemoryEnv().testEnv
	confirmed := file(t, b, evaluation)
	rejected := review(t, b, fileAs(t, b, under("ada@acme.example")), request.Rejected, "why")
	b.now = b.now.Add(request.UndoFor)
	open := fileAs(t, b, under("ada@acme.example"))
	before := b.table.Counts().RowsWritten
	for r, from := range map[*request.Request]string{
		&confirmed: "ada@acme.example", &rejected: "ada@acme.example", &open: "bob@acme.example",
	} {
		if err := b.CorrectEmail(t.Context(), r.ID, from, "eve@evil.example"); err != nil {
			t.Errorf("%s: got %v", r.State, err)
		}
	}
	if n := b.table.Counts().RowsWritten - before; n != 0 {
		t.Errorf("got %d rows written, want none", n)
	}
	if err := b.CorrectEmail(t.Context(), "r9", "a", "b"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown request: got %v", err)
	}
}

// TestCorrectingTheAddressUndoesWhatOthersSaid: a contact says yes to a request of bob@acme.example, which is not yet
// confirmed, and whoever filed it then gives another address.
func TestCorrectingTheAddressUndoesWhatOthersSaid(t *testing.T) {
	b := newMemoryEnv().testEnv
	r := fileAs(t, b, under("bob@acme.example"))
	askAndVouch(t, b, r)
	if err := b.AnswerRequest(t.Context(), r.ID, ada.Email, true); err != nil {
		t.Fatal(err)
	}
	if err := b.CorrectEmail(t.Context(), r.ID, "bob@acme.example", "bob@evil.example"); err != nil {
		t.Fatal(err)
	}
	got := now(t, b, r)
	if len(got.Answers)+len(got.AskedOf) > 0 || got.Vouch != nil || !got.Asked.IsZero() {
		t.Errorf("got %+v, want no answer and no vouch for the new address", got)
	}
	if err := b.AnswerRequest(t.Context(), r.ID, ada.Email, true); fault.KindOf(err) != fault.Conflict {
		t.Errorf("an answer to the old question: got %v, want a conflict", err)
	}
}

func TestUnconfirmedRequestsAreClosedAfterThirtyDays(t *testing.T) {
	b := newMemoryEnv().testEnv
	old := map[string]request.Request{}
	for _, at := range []string{"2018-03-01 09:00", "2018-03-03 05:00", "2018-03-03 12:00", "2018-03-04 23:00"} {
		b.now, _ = time.Parse("2006-01-02 15:04", at)
		old[at] = fileAs(t, b, under("ada@acme.example"))
	}
	b.now = day("2018-03-01").Start()
	confirm(t, b, fileAs(t, b, under("bob@acme.example")))
	review(t, b, fileAs(t, b, under("carl@acme.example")), request.InReview, "")
	before := pending(t, b.Store)
	for _, tt := range []struct {
		at     string
		limit  int
		closed string
	}{
		{"2018-03-31 08:59", 9, ""}, {"2018-03-31 09:00", 9, "2018-03-01 09:00"},
		{"2018-04-02 12:00", 1, "2018-03-03 05:00"}, {"2018-04-02 12:00", 1, "2018-03-03 12:00"},
		{"2018-04-02 12:00", 9, ""}, {"2018-04-04 00:00", 9, "2018-03-04 23:00"}, {"2019-04-04 00:00", 9, ""},
	} {
		b.now, _ = time.Parse("2006-01-02 15:04", tt.at)
		n, err := b.CloseUnconfirmed(t.Context(), tt.limit)
		if want := min(len(tt.closed), 1); n != want || err != nil {
			t.Errorf("%s: got %d closed, %v, want %d", tt.at, n, err, want)
		}
		if r, ok := old[tt.closed]; ok {
			got := now(t, b, r)
			if got.State != request.Withdrawn || !got.Closed.Equal(b.now) || got.Reason == "" || !got.Unconfirmed ||
				got.Summary().Unconfirmed {
				t.Errorf("%s: got %+v, want it withdrawn", tt.at, got)
			}
		}
	}
	if got := queueLengths(t, b); got != "[1 1 0]" {
		t.Errorf("got queues %s, want those that somebody confirmed or looked at", got)
	}
	if got := pending(t, b.Store); !slices.Equal(got, before) {
		t.Errorf("got mails %v, want no new one", got)
	}
	if n, err := b.TellUnconfirmed(t.Context()); n != 0 || err != nil {
		t.Errorf("got %d requests told, %v, want none", n, err)
	}
}

func TestRequestThatCannotBeClosedKeepsNoOtherFromIt(t *testing.T) {
	b := newMemoryEnv().testEnv
	broken, r := fileAs(t, b, under("ada@acme.example")), fileAs(t, b, under("ada@acme.example"))
	b.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Key.PK == "REQUEST#"+broken.ID {
			return tabletest.Down
		}
		return tabletest.Fault{}
	}
	b.now = b.now.AddDate(0, 0, 31)
	n, err := b.CloseUnconfirmed(t.Context(), 10)
	if n != 1 || err == nil || !strings.Contains(err.Error(), broken.ID) || now(t, b, r).State != request.Withdrawn {
		t.Errorf("got %d closed, %v, want one and an error about the other", n, err)
	}
}

func TestWeeksCountWhatSomebodyStandsFor(t *testing.T) {
	b := newMemoryEnv().testEnv
	confirmed, reviewed, denied := fileAs(t, b, under("ada@acme.example")), fileAs(t, b, under("bob@acme.example")),
		fileAs(t, b, under("carl@acme.example"))
	fileAs(t, b, under("dora@acme.example"))
	fileUnconfirmed(t, b, evaluation)
	b.now = b.now.AddDate(0, 0, 7)
	confirm(t, b, confirmed)
	review(t, b, reviewed, request.Rejected, "why")
	if err := b.DenyRequests(t.Context(), denied.ID, denied.Secret, denied.ID); err != nil {
		t.Fatal(err)
	}
	weeks, err := b.Weeks(t.Context(), day("2018-03-08"), 2)
	if err != nil || len(weeks) != 2 || weeks[0].Filed != 2 || weeks[1].Filed != 0 {
		t.Errorf("got weeks %+v, %v, want two requests in the week in which they were filed", weeks, err)
	}
	var got []string
	err = b.RequestsFiledIn(t.Context(), day("2018-03-01"), func(r request.Request) error {
		got = append(got, r.ID)
		return nil
	})
	want := []string{confirmed.ID, reviewed.ID}
	slices.Sort(want)
	if slices.Sort(got); err != nil || !slices.Equal(got, want) {
		t.Errorf("got requests %v, %v, want %v", got, err, want)
	}
}

// TestSecretsAreOnlyOnTheirRequest looks for the secrets of a request in everything else that is kept, and in logs.
func TestSecretsAreOnlyOnTheirRequest(t *testing.T) {
	b := newMemoryEnv()
	r := fileAs(t, b.testEnv, store.Filing{Details: under("ada@gmial.example").Details, Key: "token"})
	if err := b.CorrectEmail(t.Context(), r.ID, "ada@gmial.example", "ada@acme.example"); err != nil {
		t.Fatal(err)
	}
	corrected := now(t, b.testEnv, r)
	confirm(t, b.testEnv, corrected)
	askAndVouch(t, b.testEnv, now(t, b.testEnv, r))
	if err := b.AnswerRequest(t.Context(), r.ID, ada.Email, true); err != nil {
		t.Fatal(err)
	}
	issued := review(t, b.testEnv, now(t, b.testEnv, r), request.Rejected, "why")
	nonces := 0
	secrets := []string{r.Token, r.Secret, corrected.Secret}
	for _, row := range b.memory.Rows() {
		var n notice.Notice
		if strings.HasPrefix(row.PK, "MAILS#") && json.Unmarshal(row.Data, &n) == nil && n.Nonce != "" {
			nonces++
			secrets = append(secrets, n.Nonce)
		}
	}
	if nonces != 1 {
		t.Fatalf("got %d mails with a secret of their own, want that to the contact", nonces)
	}
	for _, row := range b.memory.Rows() {
		for i, secret := range secrets {
			own := row.PK == "REQUEST#"+r.ID && row.SK == "REQUEST" && i < 3 ||
				strings.HasPrefix(row.PK, "MAILS#") && i == 3
			if !own && (bytes.Contains(row.Data, []byte(secret)) || strings.Contains(row.Key.String(), secret)) {
				t.Errorf("%v has secret %d: %s", row.Key, i, row.Data)
			}
		}
	}
	var logged bytes.Buffer
	events, err := b.RequestTimeline(t.Context(), r.ID)
	mails, err2 := b.MailsAbout(t.Context(), r.ID, 10)
	log := slog.New(slog.NewJSONHandler(&logged, nil))
	log.Info("x", "request", issued, "summary", issued.Summary(), "details", issued.Details, "err", err, "err2", err2)
	for _, e := range events {
		log.Info("x", "event", e)
	}
	for _, m := range mails {
		log.Info("x", "mail", m)
	}
	summary, err := json.Marshal(issued.Summary())
	if err != nil {
		t.Fatal(err)
	}
	for i, secret := range secrets {
		if strings.Contains(logged.String(), secret) || bytes.Contains(summary, []byte(secret)) {
			t.Errorf("the log or a list has secret %d", i)
		}
	}
}

func TestSampleRequestsUseUpNoLimit(t *testing.T) {
	b := newMemoryEnv().testEnv
	for range 6 {
		bob := under("bob@acme.example")
		if _, _, err := storetest.FileRequest(t.Context(), b.Silent(), bob.Details, ""); err != nil {
			t.Fatal(err)
		}
	}
	b.now = b.now.AddDate(0, 0, 60)
	for range 6 {
		if _, _, err := b.Silent().FileRequest(t.Context(), under("bob@acme.example")); err != nil {
			t.Fatal(err)
		}
	}
	if got := sentTo(t, b, 5, "bob@acme.example"); got != "cccl-" {
		t.Errorf("got %s, want cccl-", got)
	}
}
