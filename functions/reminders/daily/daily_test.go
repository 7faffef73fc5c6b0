package daily

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/letter/lettertest"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// testEnv is a Job over a store whose clock the test sets.
type testEnv struct {
	t      storetest.TB
	faulty *tabletest.Faulty
	store  *delivery.Store
	today  license.Date
	later  time.Duration // after 06:00
	log    bytes.Buffer
	job    *Job
}

func openTestEnv(t interface {
	storetest.TB
	Cleanup(func())
}, file string, extra ...reminder.Stage) *testEnv {
	b, err := bolt.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	w := &testEnv{t: t, faulty: &tabletest.Faulty{Table: b}}
	now := func() time.Time { return w.today.Start().Add(6*time.Hour + w.later) }
	w.store = delivery.New(store.New(w.faulty, store.Options{Now: now, Reminders: reminder.With(extra...)}))
	w.job = New(Options{
		Store: w.store, Deletion: deletion.New(w.store.Store), Now: now, Log: logging.New(&w.log, "test"),
	})
	return w
}

var letters = letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@example.com"}}

// letter reads a queued mail and writes its letter.
func (w *testEnv) letter(id string) mail.Message {
	m, err := w.store.Outbox().Read(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	written, err := lettertest.Write(context.Background(), w.store, letters, nil, m)
	if err != nil {
		w.t.Fatal(err)
	}
	return written
}

func newTestEnv(t *testing.T, today string, extra ...reminder.Stage) *testEnv {
	w := openTestEnv(t, filepath.Join(t.TempDir(), "table"), extra...)
	w.today = date(today)
	return w
}

func date(s string) license.Date {
	d, err := license.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

var ada = license.Contact{Name: "Ada Lovelace", Email: "ada@example.org"}

// server returns the n-th server ID, with its own dataset.
func server(n int) license.Server { return license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf%04d", n)) }

// add records a license of the customer whose only contact is Ada.
func (w *testEnv) add(n int, expiration license.Date, change ...func(*license.License)) license.License {
	return w.addTo("Analytical Engines", []license.Contact{ada}, n, expiration, change...)
}

// addTo records a license of a customer with contacts.
func (w *testEnv) addTo(organization string, contacts []license.Contact, n int, expiration license.Date,
	change ...func(*license.License)) license.License {
	l := license.License{
		ID: fmt.Sprintf("license%d", n), Type: license.Production, Organization: organization,
		Server: server(n), Edition: license.Developer, MaxLoc: 100_000, Expiration: expiration,
	}
	for _, c := range change {
		c(&l)
	}
	return storetest.Record(w.t, w.store.Store, l, contacts...).License
}

func (w *testEnv) run() {
	if err := w.job.Run(context.Background()); err != nil {
		w.t.Fatal(err, w.log.String())
	}
}

// mails lists the outbox: license, stage and day on which the mail was queued.
func (w *testEnv) mails() (list []string) {
	w.faulty.Fault = nil
	ready, err := lettertest.Ready(context.Background(), w.store)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range ready {
		on := license.DateOf(m.Created)
		for _, due := range m.Due {
			list = append(list, fmt.Sprintf("%s %s on %s", due.License, due.Stage, on))
		}
		if m.Kind != mail.LicenseExpiring {
			list = append(list, fmt.Sprintf("%s %s on %s", m.Notice.About, strings.Split(m.ID, "-")[5], on))
		}
	}
	slices.Sort(list)
	return list
}

// digest returns the n-th digest of today to a contact of the customer of a license.
func (w *testEnv) digest(l license.License, to license.Contact, n int) outbox.Mail {
	m, err := w.store.Outbox().Read(context.Background(), notice.LicensesExpiring(l.Customer, w.today, to, n).ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDailyRunRemindsTwoMonthsAndOneMonthBefore(t *testing.T) {
	w := newTestEnv(t, "2018-01-01")
	for i, expiration := range []string{"2018-08-31", "2018-04-30", "2018-04-29", "2018-12-31", "2018-03-01",
		"2018-07-15"} {
		w.add(i, date(expiration))
	}
	for ; w.today.Year == 2018; w.today = w.today.AddDays(1) {
		w.run()
	}
	expect(t, w.mails(),
		"license0 1m on 2018-07-31", "license0 2m on 2018-06-30",
		"license1 1m on 2018-03-30", "license1 2m on 2018-02-28",
		"license2 1m on 2018-03-29", "license2 2m on 2018-02-28",
		"license3 1m on 2018-11-30", "license3 2m on 2018-10-31",
		"license4 1m on 2018-02-01", "license4 2m on 2018-01-01",
		"license5 1m on 2018-06-15", "license5 2m on 2018-05-15")
}

func TestMissedDayIsCaughtUpByTheNewestStageOnly(t *testing.T) {
	w := newTestEnv(t, "2018-01-01")
	w.add(0, date("2018-04-30"))
	w.add(1, date("2018-04-30"))
	w.today = date("2018-03-05") // 2m was due on 28 February
	w.run()
	w.add(2, date("2018-04-30"))
	w.today = date("2018-04-29") // 1m was due on 30 March
	w.run()
	w.add(3, date("2018-05-15"))
	w.run()
	w.add(4, date("2018-04-30"))
	w.today = date("2018-05-01")
	w.run()
	w.today = date("2018-09-01")
	w.run()
	expect(t, w.mails(),
		"license0 1m on 2018-04-29", "license0 2m on 2018-03-05",
		"license1 1m on 2018-04-29", "license1 2m on 2018-03-05",
		"license2 1m on 2018-04-29",
		"license3 1m on 2018-04-29")
}

func TestRepeatedAndConcurrentRunsRemindOnce(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	var want []string
	for i := range 40 {
		w.add(i, date("2018-04-30"))
		want = append(want, fmt.Sprintf("license%d 2m on 2018-03-01", i))
	}
	slices.Sort(want)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(w.run)
	}
	wg.Wait()
	w.run()
	expect(t, w.mails(), want...)
}

func TestLicenseWithoutNeedGetsNoReminder(t *testing.T) {
	w := newTestEnv(t, "2018-01-01")
	w.add(0, date("2018-04-30"), func(l *license.License) { l.Mute = license.Mute{By: "sam"} })
	w.add(1, date("2018-04-30"), func(l *license.License) { l.Revoked = date("2018-01-01").Start() })
	w.add(2, date("2018-04-30"))
	w.today = date("2018-02-28")
	w.add(3, date("2019-04-30"), func(l *license.License) { l.Server = server(2) }) // replaces license2
	for ; w.today != date("2018-06-01"); w.today = w.today.AddDays(1) {
		w.run()
	}
	expect(t, w.mails())
	for ; w.today != date("2019-06-01"); w.today = w.today.AddDays(1) {
		w.run()
	}
	expect(t, w.mails(), "license3 1m on 2019-03-30", "license3 2m on 2019-02-28")
}

func TestReminderGoesToTheFirstReachableContact(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	contacts := []license.Contact{{Name: "Nobody", Email: "nobody"}, {Name: "Ada", Email: "Ada@example.org"},
		{Email: "charles@example.org"}}
	l := w.addTo("Analytical Engines", contacts, 0, date("2018-04-30"))
	w.run()
	m := w.letter(w.digest(l, contacts[1], 1).ID)
	if m.To != (mail.Address{Name: "Ada", Email: "Ada@example.org"}) ||
		m.Kind != mail.LicenseExpiring || m.About != l.Customer {
		t.Errorf("%+v", m)
	}
	if !strings.Contains(m.Subject, "in 60 days") ||
		!strings.Contains(m.HTML, "https://licenses.example.com/renew/license0?") {
		t.Errorf("%s\n%s", m.Subject, m.Text)
	}
}

func TestGuardIdentifiesLicenseExpirationStageAndContact(t *testing.T) {
	due := notice.Due{License: "01c6x2m4", Expiration: date("2018-08-31"), Stage: reminder.MonthsBefore(2)}
	guard := func(d notice.Due, email string) string { return d.Guard(license.Contact{Email: email}) }
	base := guard(due, "ada@example.org")
	if !strings.HasPrefix(base, "01c6x2m4--2018-08-31-2m-") || base != guard(due, "ADA@example.org") {
		t.Error(base)
	}
	later, newer, other := due, due, due
	later.Expiration, newer.Stage, other.License = date("2019-08-31"), reminder.MonthsBefore(1), "01c6x2m5"
	different := map[string]bool{base: true, guard(newer, "ada@example.org"): true,
		guard(due, "charles@example.org"): true, guard(later, "ada@example.org"): true,
		guard(other, "ada@example.org"): true}
	if len(different) != 5 {
		t.Error(slices.Collect(maps.Keys(different)))
	}
}

// failingStore is a store that cannot record the reminder of one license.
type failingStore struct {
	Store
	license string
}

func (f failingStore) RecordReminder(ctx context.Context, d store.Due, do store.Reminding) error {
	if d.License.ID == f.license {
		return fmt.Errorf("reminder to %s: %w", do.Digest.To().Email, table.ErrUnavailable)
	}
	return f.Store.RecordReminder(ctx, d, do)
}

func TestFailingLicenseDoesNotDelayTheOthers(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	for i := range 3 {
		w.add(i, date("2018-04-30"))
	}
	w.job.Store = failingStore{w.store, "license1"}
	err := w.job.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "without a reminder: 1;") {
		t.Fatalf("%v", err)
	}
	expect(t, w.mails(), "license0 2m on 2018-03-01", "license2 2m on 2018-03-01")
	said := w.log.String() + err.Error()
	if !strings.Contains(said, "license1") || strings.Contains(said, "Lovelace") || strings.Contains(said, "@") ||
		strings.Contains(said, "Analytical") {
		t.Errorf("logged %s", said)
	}
	if !strings.Contains(said, `"RemindersQueued":2,"CustomersUnreached":0,"RemindersFailed":1`) {
		t.Errorf("logged %s", said)
	}
}

func TestUnreachableLicenseIsATaskForSalesUntilAContactIsBack(t *testing.T) {
	w := newTestEnv(t, "2018-01-01")
	hostile := license.Contact{Name: "Ada Lovelace", Email: "ada@example.org\r\nBcc: eve@example.org"}
	first := w.addTo("One", []license.Contact{hostile, ada}, 0, date("2018-03-31"))
	w.today = date("2018-01-31")
	w.run()
	bounced := w.digest(first, ada, 1).ID
	_, err := w.store.RecordReport(context.Background(),
		outbox.Report{Mail: bounced, ProviderID: "c", Outcome: outbox.Bounced})
	if err != nil {
		t.Fatal(err)
	}
	w.addTo("Two", []license.Contact{hostile}, 1, date("2018-04-30"))
	third := w.addTo("Three", []license.Contact{{Email: "ADA@example.org"}, {Email: "it@example.org"}}, 2,
		date("2018-04-30"))
	w.addTo("Four", []license.Contact{ada}, 3, date("2018-04-30"))
	for w.today = date("2018-02-28"); w.today != date("2018-03-10"); w.today = w.today.AddDays(1) {
		w.run()
	}
	// The first reminder of license0 has bounced, so it was sent, and is not ready any more.
	expect(t, w.mails(), "license0 unreached on 2018-01-31",
		"license1 unreached on 2018-02-28", "license2 2m on 2018-02-28", "license3 unreached on 2018-02-28")
	toIT := notice.LicensesExpiring(third.Customer, date("2018-02-28"), license.Contact{Email: "it@example.org"}, 1).ID
	if _, err := w.store.Outbox().Read(context.Background(), toIT); err != nil {
		t.Errorf("the reminder did not go to the second contact: %v", err)
	}
	said := w.log.String()
	if strings.Count(said, "told sales") != 2 ||
		!strings.Contains(said, `"CustomersUnreached":2,"RemindersFailed":0`) || strings.Contains(said, "@") {
		t.Errorf("logged %s", said)
	}
	if _, err := w.store.LiftSuppression(context.Background(), store.Subject{License: "license3"}, "ada@example.org",
		"sam@example.com", "she called"); err != nil {
		t.Fatal(err)
	}
	w.run()
	expect(t, w.mails(), "license0 1m on 2018-03-10", "license0 unreached on 2018-01-31",
		"license1 unreached on 2018-02-28", "license2 2m on 2018-02-28", "license3 2m on 2018-03-10",
		"license3 unreached on 2018-02-28")
}

// changingStore is a store in which somebody changes a license just before it is recorded, the given number of times.
type changingStore struct {
	Store
	mu    sync.Mutex
	times int
}

func (c *changingStore) RecordReminder(ctx context.Context, d store.Due, do store.Reminding) error {
	c.mu.Lock()
	changed := c.times > 0
	c.times--
	c.mu.Unlock()
	if changed {
		return store.ErrDueChanged
	}
	return c.Store.RecordReminder(ctx, d, do)
}

func TestLicenseChangedDuringTheRunIsTriedAgain(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	w.add(0, date("2018-04-30"))
	w.job.Store = &changingStore{Store: w.store, times: 2}
	w.run()
	expect(t, w.mails(), "license0 2m on 2018-03-01")

	w.add(1, date("2018-04-30"))
	w.job.Store = &changingStore{Store: w.store, times: 1000}
	if err := w.job.Run(context.Background()); err == nil {
		t.Error("license that always changes: got no error")
	}
}

func TestUnavailableStoreIsAnError(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	w.add(0, date("2018-04-30"))
	w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "query" {
			return tabletest.Down
		}
		return tabletest.Fault{}
	}
	if err := w.job.Run(context.Background()); err == nil {
		t.Error("got no error")
	}
	w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			return tabletest.Lost
		}
		return tabletest.Fault{}
	}
	if err := w.job.Run(context.Background()); err == nil {
		t.Error("got no error")
	}
	w.faulty.Fault = nil
	w.run()
	expect(t, w.mails(), "license0 2m on 2018-03-01")
}

// TestOnlyCompleteRunIsRecorded lets each step of a run fail, and a license, and the record itself.
func TestOnlyCompleteRunIsRecorded(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	last := func() delivery.DailyRun {
		t.Helper()
		w.faulty.Fault, w.job.Store = nil, w.store
		r, err := w.store.LastDailyRun(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	w.run()
	first := last()
	if first.Day != w.today || !first.Ended.Equal(w.today.Start().Add(6*time.Hour)) {
		t.Errorf("got %+v, want the run of today, at six", first)
	}
	w.today = date("2018-03-02")
	w.add(1, date("2018-04-30"))
	for name, fault := range map[string]func(tabletest.Call) bool{
		"closing requests": func(c tabletest.Call) bool { return strings.HasPrefix(c.Query.PK, "QUEUE#") },
		"telling sales":    func(c tabletest.Call) bool { return c.Query.PK == "UNTOLD" },
		"reminding":        func(c tabletest.Call) bool { return strings.HasPrefix(c.Query.PK, "DUE#") },
		"the record": func(c tabletest.Call) bool {
			return slices.ContainsFunc(c.Writes, func(w table.Write) bool { return w.Row.Key == rowkey.DailyRun() })
		},
	} {
		w.faulty.Fault = func(c tabletest.Call) tabletest.Fault {
			if fault(c) {
				return tabletest.Down
			}
			return tabletest.Fault{}
		}
		if err := w.job.Run(context.Background()); err == nil {
			t.Errorf("%s failed: got no error", name)
		}
		if got := last(); got != first {
			t.Errorf("%s failed: got the run %+v on record, want none", name, got)
		}
	}
	w.add(2, date("2018-04-30"))
	w.job.Store = failingStore{w.store, "license2"}
	if err := w.job.Run(context.Background()); err == nil {
		t.Error("got no error of a license")
	}
	if got := last(); got != first {
		t.Errorf("a license failed: got the run %+v on record, want none", got)
	}
	w.run()
	if got := last(); got.Day != w.today {
		t.Errorf("got %+v, want the run of today", got)
	}
}

func TestCancelledRunIsAnError(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	w.add(0, date("2018-04-30"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.job.Run(ctx); err == nil {
		t.Error("got no error")
	}
}

// dueByHand works out which stage is sent on a day, with the days of the stages reckoned here: "" for none.
// last is the day of the newest stage dealt with.
func dueByHand(expiration, today, last license.Date) (stage string, day license.Date) {
	if today.After(expiration) {
		return "", last
	}
	for _, s := range []struct {
		name string
		day  license.Date
	}{{"2m", expiration.AddMonths(-2)}, {"1m", expiration.AddMonths(-1)}} {
		if !s.day.After(today) {
			stage, day = s.name, s.day
		}
	}
	if stage == "" || !day.After(last) {
		return "", last
	}
	return stage, day
}

// TestHistories runs the job on random days with failing calls of the table, and compares with simple reckoning: no
// reminder is sent twice or on a day on which it is not due, none is missing, and those of a day for a contact are one
// mail unless a run was cut off.
func TestHistories(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := openTestEnv(rt, filepath.Join(dir, fmt.Sprint(n)))
		first := date("2018-01-01")
		w.today = first
		licenses := map[string]license.License{}
		for i, days := range rapid.SliceOfN(rapid.IntRange(0, 150), 1, 5).Draw(rt, "days to expiration") {
			l := w.add(i, first.AddDays(days))
			licenses[l.ID] = l
		}
		sent := map[string]license.Date{}
		var want []string
		faulty := map[license.Date]bool{}
		for range rapid.IntRange(1, 12).Draw(rt, "runs") {
			w.today = w.today.AddDays(rapid.IntRange(0, 40).Draw(rt, "days to the next run"))
			faults := rapid.SliceOfN(rapid.SampledFrom([]tabletest.Fault{{}, {}, tabletest.Down, tabletest.Lost}), 0,
				12).Draw(rt, "faults")
			var mu sync.Mutex
			w.faulty.Fault = func(tabletest.Call) (f tabletest.Fault) {
				mu.Lock()
				defer mu.Unlock()
				if len(faults) > 0 {
					f, faults = faults[0], faults[1:]
				}
				faulty[w.today] = faulty[w.today] || f != tabletest.Fault{}
				return f
			}
			w.job.Run(context.Background())
			w.faulty.Fault = nil
			w.run() // the day's last run has no faults
			for id, l := range licenses {
				stage, day := dueByHand(l.Expiration, w.today, sent[id])
				if sent[id] = day; stage != "" {
					want = append(want, fmt.Sprintf("%s %s on %s", id, stage, w.today))
				}
			}
		}
		w.later = time.Hour
		w.promote()
		slices.Sort(want)
		if got := w.mails(); !slices.Equal(got, want) {
			rt.Fatalf("mails\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		days := map[license.Date]int{}
		for _, m := range w.ready() {
			day := license.DateOf(m.Created)
			if days[day]++; days[day] > 1 && !faulty[day] {
				rt.Fatalf("got %d mails on %s, want one", days[day], day)
			}
		}
	})
}

func TestDailyRunListsUnconfirmedRequestsInOneMail(t *testing.T) {
	w := newTestEnv(t, "2018-01-01")
	var want []string
	for range 3 {
		details := request.Details{Kind: request.New, Edition: license.Developer, Server: server(1),
			Company: "Example AG", Email: "ana@customer.example"}
		r, _, err := storetest.FileUnconfirmed(t.Context(), w.store, details, "")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, string(r.Reference))
	}
	w.run()
	w.run()
	ready, err := lettertest.Ready(t.Context(), w.store)
	if err != nil || len(ready) != 1 {
		t.Fatalf("got mails %v, %v, want one", ready, err)
	}
	m := w.letter(ready[0].ID)
	for _, text := range append(want, "Example AG", "https://licenses.example.com/console?show=unconfirmed") {
		if !strings.Contains(m.Text, text) {
			t.Errorf("got no %s in the mail:\n%s", text, m.Text)
		}
	}
	if m.To.Email != "sales@example.com" || m.Kind != mail.RequestUnconfirmed {
		t.Errorf("got %s to %s", m.Kind, m.To.Email)
	}
}

// TestDailyRunClosesWhatNobodyConfirmedAndDoesNotTellOfIt: the run was down for a month.
func TestDailyRunClosesWhatNobodyConfirmedAndDoesNotTellOfIt(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	details := request.Details{Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX",
		Name: "Ada Lovelace", Email: "ada@example.org", Company: "Acme AG"}
	r, _, err := w.store.FileRequest(t.Context(), store.Filing{Details: details})
	if err != nil {
		t.Fatal(err)
	}
	w.today = date("2018-03-31")
	w.run()
	got, err := w.store.Request(t.Context(), r.ID)
	if err != nil || got.State != request.Withdrawn {
		t.Errorf("got %s, %v, want it withdrawn", got.State, err)
	}
	if n, err := w.store.TellUnconfirmed(t.Context()); n != 0 || err != nil {
		t.Errorf("got %d requests to tell of, %v, want none", n, err)
	}
	if exists, err := w.store.Outbox().Exists(t.Context(), "request-unconfirmed--2018-03-31"); exists || err != nil {
		t.Errorf("got an email to sales: %v, %v", exists, err)
	}
	if said := w.log.String(); !strings.Contains(said, `"closed unconfirmed requests"`) || strings.Contains(said, "@") {
		t.Errorf("logged %s", said)
	}
}

// TestUnconfirmedRequestIsClosedOnThe30thDayWithoutAMail runs every day: sales know the request, and one that was
// confirmed stays open.
func TestUnconfirmedRequestIsClosedOnThe30thDayWithoutAMail(t *testing.T) {
	w := newTestEnv(t, "2018-03-01")
	details := request.Details{Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX",
		Name: "Ada Lovelace", Email: "ada@example.org", Company: "Acme AG"}
	unconfirmed, _, err := w.store.FileRequest(t.Context(), store.Filing{Details: details})
	if err != nil {
		t.Fatal(err)
	}
	confirmed, _, err := storetest.FileRequest(t.Context(), w.store, details, "")
	if err != nil {
		t.Fatal(err)
	}
	states := func() (of [2]request.State) {
		for i, id := range []string{unconfirmed.ID, confirmed.ID} {
			r, err := w.store.Request(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			of[i] = r.State
		}
		return of
	}
	mails := 0
	for w.today = date("2018-03-01"); w.today != date("2018-04-02"); w.today = w.today.AddDays(1) {
		w.run()
		want := [2]request.State{request.Received, request.Received}
		if w.today.Before(date("2018-03-31")) {
			mails = len(w.ready())
		} else {
			want[0] = request.Withdrawn
		}
		if got := states(); got != want {
			t.Errorf("%s: got %s, want %s", w.today, got, want)
		}
	}
	if n := len(w.ready()); n != mails {
		t.Errorf("got %d new mails when it was closed, want none", n-mails)
	}
}
