package daily

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// named lists the licenses of each mail that is ready: its reader, and how many or which.
func (w *testEnv) named() (list []string) {
	for _, m := range w.ready() {
		var licenses []string
		for _, due := range m.Due {
			licenses = append(licenses, due.License)
		}
		slices.Sort(licenses)
		list = append(list, fmt.Sprintf("%s: %s", m.To.Email, strings.Join(licenses, " ")))
	}
	slices.Sort(list)
	return list
}

func (w *testEnv) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// failRelease fails the transactions that make reminders ready.
func failRelease(c tabletest.Call) tabletest.Fault {
	if slices.ContainsFunc(c.Writes, func(w table.Write) bool { return strings.HasPrefix(w.Row.PK, "OUTBOX#3") }) {
		return tabletest.Down
	}
	return tabletest.Fault{}
}

func TestLicensesOfAContactDueOnADayAreOneMail(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	bob := license.Contact{Email: "bob@example.org"}
	for i := range 27 {
		l := w.add(i, date("2018-04-30"))
		if i >= 25 { // two instances have a contact of their own
			w.save(l, func(c *customer.Customer) {
				if i == 25 {
					c.Contacts = append(slices.Clone(c.Contacts), customer.Contact{Email: bob.Email, Name: "Bob"})
					c.Contacts[0], c.Contacts[1] = c.Contacts[1], c.Contacts[0]
				}
				c.Contacts[0].Instances = append(slices.Clone(c.Contacts[0].Instances), l.Instance)
			})
		}
	}
	w.add(40, date("2018-12-31"))
	w.run()
	w.run()
	ready := slices.DeleteFunc(w.ready(), func(m outbox.Mail) bool { return m.Kind != mail.LicenseExpiring })
	if len(ready) != 2 {
		t.Fatalf("got %d mails, want one for Ada and one for Bob: %v", len(ready), w.named())
	}
	for _, m := range ready {
		want := map[string]int{ada.Email: 25, bob.Email: 2}[m.To.Email]
		if len(m.Due) != want || m.State.Gathering {
			t.Errorf("got %d licenses for %s (gathering: %v), want %d", len(m.Due), m.To.Email, m.State.Gathering, want)
		}
	}
}

func TestDigestOfARunThatWasCutOffTakesTheNextRunsLicenses(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	w.add(0, date("2018-04-30"))
	w.faulty.Fault = failRelease
	if err := w.job.Run(t.Context()); err == nil {
		t.Fatal("got no error of a digest that could not be released")
	}
	w.faulty.Fault = nil
	expect(t, w.named())
	w.later = 10 * time.Minute
	w.add(1, date("2018-04-30"))
	w.run()
	expect(t, w.named(), "ada@example.org: license0 license1")
	w.add(2, date("2018-04-30"))
	w.run()
	expect(t, w.named(), "ada@example.org: license0 license1", "ada@example.org: license2")
}

func TestDigestThatNobodyReleasesIsReadyAfter30Minutes(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	w.add(0, date("2018-04-30"))
	w.faulty.Fault = failRelease
	if err := w.job.Run(t.Context()); err == nil {
		t.Fatal("got no error of a digest that could not be released")
	}
	w.faulty.Fault = nil
	w.later = 30*time.Minute - time.Millisecond
	w.promote()
	expect(t, w.named())
	w.later = 30 * time.Minute
	w.promote()
	expect(t, w.named(), "ada@example.org: license0")
	w.add(1, date("2018-04-30"))
	w.run()
	expect(t, w.named(), "ada@example.org: license0", "ada@example.org: license1")
}

// TestDigestWhoseAnswerWasLostIsReleased: the license is in it, though the run was told that it failed.
func TestDigestWhoseAnswerWasLostIsReleased(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	w.add(0, date("2018-04-30"))
	w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
		adds := func(w table.Write) bool { return w.Row.Type == string(rowkey.TypeReminded) }
		if slices.ContainsFunc(c.Writes, adds) {
			return tabletest.Lost
		}
		return tabletest.Fault{}
	}
	if err := w.job.Run(t.Context()); err == nil {
		t.Error("got no error of an answer that was lost")
	}
	w.faulty.Fault = nil
	expect(t, w.named(), "ada@example.org: license0")
}

// TestRunThatIsCutOffAnywhereRemindsOnce has each call of the run fail in turn, before it is made or after, and every
// later one too, as if the process had died; the next run does the rest.
func TestRunThatIsCutOffAnywhereRemindsOnce(t *testing.T) {
	for _, how := range []tabletest.Fault{tabletest.Down, tabletest.Lost} {
		for n, done := 1, false; !done; n++ {
			w := newTestEnv(t, "2018-03-01")
			for i := range 3 {
				w.add(i, date("2018-04-30"))
			}
			w.faulty.Reset()
			var mu sync.Mutex
			done = true
			w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case c.N < n:
					return tabletest.Fault{}
				case c.N == n:
					done = false
					return how
				}
				return tabletest.Down
			}
			w.job.Run(t.Context())
			w.faulty.Fault = nil
			w.run()
			w.later = time.Hour
			w.promote()
			expect(t, w.mails(), "license0 2m on 2018-03-01", "license1 2m on 2018-03-01", "license2 2m on 2018-03-01")
			if t.Failed() {
				t.Fatalf("cut off at call %d", n)
			}
		}
	}
}

// unsubscribe has the reader of a digest unsubscribe.
func (w *testEnv) unsubscribe(m outbox.Mail) {
	w.t.Helper()
	w.must(w.store.Unsubscribe(w.t.Context(), m))
}

func TestUnsubscribedContactIsRemindedAgainAfterResuming(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	charles := license.Contact{Email: "charles@example.org"}
	l := w.addTo("Analytical Engines", []license.Contact{ada, charles}, 0, date("2018-04-30"))
	w.run()
	digest := w.digest(l, ada, 1)
	w.unsubscribe(digest)
	for w.today = date("2018-03-30"); w.today != date("2018-04-03"); w.today = w.today.AddDays(1) {
		w.run()
	}
	var stopped, reminders int
	for _, m := range w.ready() {
		switch m.Kind {
		case mail.RemindersStopped:
			stopped++
		case mail.LicenseExpiring:
			reminders++
		}
	}
	if stopped != 1 || reminders != 1 {
		t.Errorf("got %d mails to sales and %d reminders, want the first reminder alone, and sales told once",
			stopped, reminders)
	}
	if n, err := w.store.RemindersToCome(t.Context(), date("2018-02-01"), w.today, 10); n != 1 || err != nil {
		t.Errorf("got %d licenses due, %v, want it still due", n, err)
	}
	w.must(w.store.Resubscribe(t.Context(), digest))
	w.run()
	if m := w.digest(l, ada, 1); len(m.Due) != 1 || m.Due[0].Stage != reminder.MonthsBefore(1) {
		t.Errorf("got %+v, want the stage of one month, late", m.Due)
	}
}

// TestSalesAreToldIfTheTurnComesToWhoUnsubscribed: Charles unsubscribed while Ada was reminded, so sales were not told;
// then Ada leaves.
func TestSalesAreToldIfTheTurnComesToWhoUnsubscribed(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	charles := license.Contact{Email: "charles@example.org"}
	l := w.addTo("Analytical Engines", []license.Contact{charles, ada}, 0, date("2018-04-30"))
	w.run()
	swap := func(c *customer.Customer) { c.Contacts[0], c.Contacts[1] = c.Contacts[1], c.Contacts[0] }
	w.save(l, swap)
	w.unsubscribe(w.digest(l, charles, 1))
	told := func() (list []outbox.Mail) {
		for _, m := range w.ready() {
			if m.Kind == mail.RemindersStopped {
				list = append(list, m)
			}
		}
		return list
	}
	m := told()[0]
	records, err := w.store.Records(t.Context(), m.Notice)
	w.must(err)
	why := m.Pointless(records)
	if why == "" {
		t.Fatal("got the mail to sales to the point while Ada is reminded")
	}
	w.must(w.store.Outbox().Drop(t.Context(), m, why))
	w.save(l, swap) // it is the turn of Charles
	for range 2 {
		w.today = w.today.AddDays(30)
		w.run()
		w.later = time.Minute
		w.promote()
		if list := told(); len(list) != 1 || list[0].ID != m.ID {
			t.Fatalf("got mails %v, want sales told once", list)
		}
	}
	records, err = w.store.Records(t.Context(), m.Notice)
	w.must(err)
	if why := m.Pointless(records); why != "" {
		t.Errorf("got the mail to sales pointless: %s", why)
	}
}

// TestCoveredStageAfterTheLastDayIsDealtWith has a license of the same instance that begins days after the first ended.
func TestCoveredStageAfterTheLastDayIsDealtWith(t *testing.T) {
	for _, contact := range []license.Contact{ada, {Email: "nobody"}} { // the second cannot be reached
		w := newTestEnv(t, "2018-05-07", reminder.DaysAfter(7))
		l := w.addTo("Analytical Engines", []license.Contact{contact}, 0, date("2018-04-30"))
		open := w.addTo("Engines International", []license.Contact{ada}, 2, date("2018-04-30"))
		w.addTo("Analytical Engines", nil, 1, date("2019-05-02"), func(l *license.License) {
			l.Server, l.NotBefore = server(0), date("2018-05-03")
		})
		for range 3 {
			w.run()
			w.today = w.today.AddDays(1)
		}
		expect(t, w.mails(), "license2 7d-after on 2018-05-07")
		for _, id := range []string{l.ID, open.ID} {
			r, err := w.store.License(t.Context(), id)
			if err != nil || r.Reminded != date("2018-05-07") || !r.NextReminder.IsZero() {
				t.Errorf("%s: got stage of %s dealt with, next %s, %v", id, r.Reminded, r.NextReminder, err)
			}
		}
	}
}

func TestMuteWithAnEndDelaysTheReminder(t *testing.T) {
	w := newTestEnv(t, "2018-02-01")
	l := w.add(0, date("2018-04-30"))
	r, err := w.store.License(t.Context(), l.ID)
	w.must(err)
	w.must(w.store.MuteReminders(t.Context(), store.LicenseChange{ID: l.ID, Version: r.Version, By: "sam"}, "in talks",
		date("2018-03-10")))
	for ; w.today != date("2018-05-02"); w.today = w.today.AddDays(1) {
		w.run()
	}
	expect(t, w.mails(), "license0 1m on 2018-03-30", "license0 2m on 2018-03-11")
}

func TestEvaluationIsRemindedAWeekBeforeAndOnTheLastDay(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	evaluation := func(l *license.License) { l.Type, l.NotBefore = license.Evaluation, date("2018-03-01") }
	w.add(0, date("2018-03-31"), evaluation)
	w.add(1, date("2018-03-08"), evaluation) // of 7 days: the first reminder is on the day of its issue
	for ; w.today != date("2018-05-01"); w.today = w.today.AddDays(1) {
		w.run()
	}
	expect(t, w.mails(), "license0 0d on 2018-03-31", "license0 7d on 2018-03-24", "license1 0d on 2018-03-08")
}

func TestSwitchedOnStagesAreSent(t *testing.T) {
	w := newTestEnv(t, "2018-01-01", reminder.Switchable...)
	w.add(0, date("2018-04-30"))
	w.add(1, date("2018-04-30"), func(l *license.License) { l.Type = license.Staging })
	w.add(2, date("2018-04-30"), func(l *license.License) {
		l.Type, l.NotBefore = license.Evaluation, date("2018-03-31")
	})
	for ; w.today != date("2018-06-01"); w.today = w.today.AddDays(1) {
		w.run()
	}
	var want []string
	for _, id := range []string{"license0", "license1"} {
		want = append(want, id+" 0d on 2018-04-30", id+" 1m on 2018-03-30", id+" 2m on 2018-02-28",
			id+" 7d on 2018-04-23", id+" 7d-after on 2018-05-07")
	}
	expect(t, w.mails(), append(want, "license2 0d on 2018-04-30", "license2 7d on 2018-04-23")...)
}

func TestLateStageAfterTheLastDayIsSentForAWeek(t *testing.T) {
	for today, want := range map[string][]string{
		"2018-05-14": {"license0 7d-after on 2018-05-14"}, "2018-05-15": nil,
	} {
		w := newTestEnv(t, "2018-01-01", reminder.DaysAfter(7))
		w.add(0, date("2018-04-30"))
		w.today = date(today)
		w.run()
		expect(t, w.mails(), want...)
	}
}

// midnightStore lets midnight pass when the run begins to remind.
type midnightStore struct {
	Store
	w *testEnv
}

func (s midnightStore) NewPlanner() *delivery.Planner {
	s.w.today = s.w.today.AddDays(1)
	return s.Store.NewPlanner()
}

func TestRunThatCrossesMidnightKeepsItsDay(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	l := w.add(0, date("2018-05-01"))
	w.add(1, date("2018-05-02"))                                                                   // due a day later
	last := w.add(2, date("2018-03-01"), func(l *license.License) { l.Type = license.Evaluation }) // over a day later
	w.job.Store = midnightStore{w.store, w}
	w.run()
	expect(t, w.mails(), "license0 2m on 2018-03-02", "license2 0d on 2018-03-02")
	w.today = date("2018-03-01")
	if m := w.digest(l, ada, 1); len(m.Due) != 2 || last.Customer != l.Customer {
		t.Errorf("got %+v, want both in the digest of the first day", m.Due)
	}
	w.job.Store, w.today = w.store, date("2018-03-02")
	w.run()
	expect(t, w.mails(), "license0 2m on 2018-03-02", "license1 2m on 2018-03-02", "license2 0d on 2018-03-02")
}

func TestContactOfMergedCustomersGetsOneMail(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	l := w.add(0, date("2018-04-30"))
	into := w.addTo("Engines International", []license.Contact{ada}, 1, date("2018-04-30"))
	from, err := w.store.Account(t.Context(), l.Customer)
	w.must(err)
	survivor, err := w.store.Account(t.Context(), into.Customer)
	w.must(err)
	w.must(w.store.MergeCustomers(t.Context(), store.Merge{From: l.Customer, FromVersion: from.Version,
		Into: into.Customer, IntoVersion: survivor.Version, By: storetest.By}))
	w.run()
	expect(t, w.named(), "ada@example.org: license0 license1")
	if m := w.digest(into, ada, 1); len(m.Due) != 2 {
		t.Errorf("got %+v, want both in a digest of the survivor", m.Due)
	}
}

// TestNextKeyIsATaskOnceAStage has sales told of a license whose reminder stays due, on every day until the stage ends.
func TestNextKeyIsATaskOnceAStage(t *testing.T) {
	w := newTestEnv(t, "2018-01-01")
	l := w.addTo("Analytical Engines", []license.Contact{{Email: "nobody"}}, 0, date("2018-12-31"))
	a, err := w.store.Account(t.Context(), l.Customer)
	w.must(err)
	contract := a.Contracts[0]
	contract.Last = date("2020-12-31")
	w.must(w.store.IssueLicenses(t.Context(), store.Issue{Contracts: []customer.Contract{contract}, By: storetest.By}))
	for w.today = date("2018-10-31"); w.today != date("2019-01-10"); w.today = w.today.AddDays(1) {
		w.run()
	}
	tasks := 0
	for _, m := range w.ready() {
		if m.Kind == mail.LicenseNextKey {
			tasks++
		}
	}
	if tasks != 2 {
		t.Errorf("got %d tasks, want one for each of two stages", tasks)
	}
}
