package store_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
)

// issue answers a request with licenses, whose keys ada receives.
func issue(t *testing.T, b *testEnv, r request.Request, licenses ...license.License) store.Issue {
	t.Helper()
	return complete(t, b, store.Issue{Licenses: licenses, By: "sam@vendor.example", To: ada, Request: r.ID,
		RequestVersion: r.Version})
}

func TestIssuingIsOneTransaction(t *testing.T) {
	b := newTestEnv(t)
	r := file(t, b, evaluation)
	b.now = b.now.Add(3 * time.Hour)
	i := issue(t, b, r, expiring("l1", "2019-08-31"))
	b.table.Reset()
	if err := b.IssueLicenses(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if n := b.table.Counts().Transacts; n != 1 {
		t.Errorf("got %d transactions, want 1", n)
	}
	got, err := b.Request(t.Context(), r.ID)
	if err != nil || got.State != request.Issued || got.Licenses[0] != "l1" ||
		got.Customer != "acme" || got.Instance != i.Licenses[0].Instance || got.Reviewer != "sam@vendor.example" {
		t.Errorf("got request %+v, %v, want it issued", got, err)
	}
	recorded, err := b.License(t.Context(), "l1")
	if err != nil || recorded.License.Request != r.ID || !recorded.License.Recorded.Equal(b.now) {
		t.Errorf("got license %+v, %v", recorded, err)
	}
	if got := pending(t, b.Store); !slices.Equal(got, []string{"l1--key"}) {
		t.Errorf("got pending mails %v, want the key's", got)
	}
	m, err := b.Outbox().Read(t.Context(), "l1--key")
	if err != nil || m.Kind != mail.LicenseKey || m.To.Email != "ada@acme.example" || m.Resent ||
		!slices.Equal(m.Licenses, []string{"l1"}) {
		t.Errorf("got mail %+v, %v, want the key of l1 to its contact", m, err)
	}
	weeks, err := b.Weeks(t.Context(), license.DateOf(b.now), 2)
	if err != nil || weeks[1].Filed != 1 || len(weeks[1].TimeToIssue) != 1 || weeks[1].TimeToIssue[0] != 3*time.Hour {
		t.Errorf("got weeks %+v, %v", weeks, err)
	}
}

func TestOneIssueActionMakesOneLicense(t *testing.T) {
	b := newTestEnv(t)
	r := file(t, b, evaluation)
	i := issue(t, b, r, expiring("l1", "2019-08-31"))
	var done, told atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := b.IssueLicenses(t.Context(), i)
			switch {
			case err == nil:
				done.Add(1)
			case errors.Is(err, store.ErrIssued), fault.KindOf(err) == fault.Conflict:
				told.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 || told.Load() != 19 {
		t.Errorf("got %d issued and %d ErrIssued, want 1 and the rest", done.Load(), told.Load())
	}
}

func TestTwoPeopleIssueForOneRequest(t *testing.T) {
	b := newTestEnv(t)
	r := file(t, b, evaluation)
	if err := b.IssueLicenses(t.Context(), issue(t, b, r, expiring("l1", "2019-08-31"))); err != nil {
		t.Fatal(err)
	}
	err := b.IssueLicenses(t.Context(), issue(t, b, r, expiring("l2", "2019-08-31")))
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("second: got %v, want a Conflict fault", err)
	}
	if _, err := b.License(t.Context(), "l2"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("second license: got %v, want a NotFound fault", err)
	}
	if got := pending(t, b.Store); !slices.Equal(got, []string{"l1--key"}) {
		t.Errorf("got pending mails %v, want the first key's alone", got)
	}
}

func TestReplacedLicenseIsRevokedAndRemindsNoMore(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("old", "2018-08-31"))
	new := expiring("new", "2018-08-31")
	new.Server, new.Instance = "AWHW8w9JtzBzSrmf9GQZ", instanceOf(expiring("old", "2018-08-31"))
	i := complete(t, b, store.Issue{Licenses: []license.License{new}, By: "sam", Replaces: []string{"old"}})
	if err := b.IssueLicenses(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	old, err := b.License(t.Context(), "old")
	if err != nil || old.License.Revoked.IsZero() || old.License.ReplacedBy != "new" || !old.NextReminder.IsZero() {
		t.Errorf("replaced license: got %+v, %v", old, err)
	}
	if got := due(t, b, "2018-07-15"); len(got) != 1 || got[0] != "new 2018-06-30" {
		t.Errorf("got due %v", got)
	}
	i.Licenses[0].ID = "newer"
	if err := b.IssueLicenses(t.Context(), i); fault.KindOf(err) != fault.Conflict {
		t.Errorf("replacing again: got %v, want a Conflict fault", err)
	}
}

func TestRevokedSuccessorLetsTheRemindersComeAgain(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	add(t, b, expiring("l2", "2019-08-31"))
	l2, err := b.License(t.Context(), "l2")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.RevokeLicense(t.Context(), store.LicenseChange{ID: "l2", Version: l2.Version, By: "sam"},
		"never paid"); err != nil {
		t.Fatal(err)
	}
	if got := due(t, b, "2018-07-15"); len(got) != 1 || got[0] != "l1 2018-06-30" {
		t.Errorf("got due %v", got)
	}
	if err := b.RevokeLicense(t.Context(), store.LicenseChange{ID: "l2", Version: l2.Version, By: "sam"},
		"again"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("revoking with an old version: got %v, want a Conflict fault", err)
	}
	events := licenseEvents(t, b, "l2")
	if events[len(events)-1].Action != store.LicenseRevoked ||
		events[len(events)-1].Note != "never paid" {
		t.Errorf("got timeline %+v", events)
	}
}

func TestMutedRemindersStopAndComeAgain(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	for _, muted := range []bool{true, false} {
		l, err := b.License(t.Context(), "l1")
		if err != nil {
			t.Fatal(err)
		}
		change := store.LicenseChange{ID: "l1", Version: l.Version, By: "sam"}
		if muted {
			err = b.MuteReminders(t.Context(), change, "they moved away", license.Date{})
		} else {
			err = b.UnmuteReminders(t.Context(), change)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := due(t, b, "2018-07-15"); (len(got) == 0) != muted {
			t.Errorf("muted %v: got due %v", muted, got)
		}
	}
}

func TestLicensesAreCountedOnceByMonth(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	add(t, b, expiring("l2", "2019-08-31")) // follows l1
	other := expiring("l3", "2019-08-01")
	other.Server, other.Edition, other.MaxLoc = "AWHW8w9JtzBzSrmf9GQY", license.Enterprise, 5_000_000
	add(t, b, other)
	months, rest, err := b.Expiring(t.Context(), day("2018-08-15"), 12)
	if err != nil || len(months) != 12 || len(months[0].Counts) != 0 {
		t.Errorf("got months %v, %v, want none in August 2018, as l1 has a successor", months, err)
	}
	want := map[store.Class]store.Count{
		{Edition: license.Developer, Type: license.Production}:  {Licenses: 1, MaxLoc: 1_000_000},
		{Edition: license.Enterprise, Type: license.Production}: {Licenses: 1, MaxLoc: 5_000_000},
	}
	for class, n := range want {
		if rest[class] != n {
			t.Errorf("after the months: got %v, want %v of %v", rest, n, class)
		}
	}
	l3, err := b.License(t.Context(), "l3")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.RevokeLicense(t.Context(), store.LicenseChange{ID: "l3", Version: l3.Version, By: "sam"},
		"why"); err != nil {
		t.Fatal(err)
	}
	if _, rest, _ = b.Expiring(t.Context(), day("2018-08-15"), 12); len(rest) != 1 {
		t.Errorf("after the revocation: got %v, want one class", rest)
	}
}

func TestKeyIsSentAgainOnceForEachMail(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	it := license.Contact{Name: "IT", Email: "it@acme.example"}
	for range 3 {
		if err := b.SendKeyAgain(t.Context(), "l1", "sam", it, "1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := pending(t, b.Store); !slices.Equal(got, []string{"l1--again-1"}) {
		t.Errorf("got pending mails %v", got)
	}
	m, err := b.Outbox().Read(t.Context(), "l1--again-1")
	if err != nil || m.Kind != mail.LicenseKey || m.To != it || !m.Resent || !slices.Equal(m.Licenses, []string{"l1"}) {
		t.Errorf("got mail %+v, %v, want the key of l1 again, to %v", m, err, it)
	}
	events := licenseEvents(t, b, "l1")
	if len(events) != 2 || events[1].Action != store.KeySentAgain || events[1].Note != it.Email {
		t.Errorf("got timeline %+v, want one key sent again", events)
	}
}

func TestNewCustomerIsIssuedToOnlyWhileItIsNew(t *testing.T) {
	b := newTestEnv(t)
	c := storetest.NewCustomer("Acme")
	i := store.Issue{Customer: &c, By: storetest.By, Accounts: map[string]int64{c.ID: 0}, Note: "Met at a fair."}
	if err := b.IssueLicenses(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if err := b.IssueLicenses(t.Context(), i); fault.KindOf(err) != fault.Conflict {
		t.Errorf("again: got %v, want a Conflict fault", err)
	}
	events, _, err := b.CustomerTimeline(t.Context(), []string{c.ID}, "", 10)
	said := func(e store.Event) bool { return e.Action == store.NoteAdded && e.Note == "Met at a fair." }
	if err != nil || !slices.ContainsFunc(events, said) {
		t.Errorf("got the timeline %+v, %v, want the note", events, err)
	}
}
