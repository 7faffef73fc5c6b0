package store_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// shortPages makes the tests use a table that returns one row a page; see TestMain.
var shortPages bool

// TestMain runs every test over a table whose pages are full, and once more over one with a row a page: whoever wants n
// rows reads until there are n. Random histories are fewer the second time.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && flag.Lookup("test.list").Value.String() == "" {
		shortPages = true
		for name, value := range map[string]string{"test.bench": "", "rapid.checks": "10"} {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
		fmt.Println("once more, over a table with one row a page:")
		code = m.Run()
	}
	os.Exit(code)
}

// testEnv is a store over a table that counts and can fail, with a clock that only tests move.
type testEnv struct {
	*store.Store
	table *tabletest.Faulty
	now   time.Time
}

func newTestEnv(tb testing.TB) *testEnv {
	engine, err := bolt.Open(filepath.Join(tb.TempDir(), "table.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := engine.Close(); err != nil {
			tb.Error(err)
		}
	})
	return newTestEnvOver(engine)
}

func newTestEnvOver(engine table.Table) *testEnv {
	b := &testEnv{
		table: &tabletest.Faulty{Table: engine, ShortPages: shortPages},
		now:   day("2018-03-01").Start().Add(9 * time.Hour),
	}
	b.Store = store.New(b.table, store.Options{Now: func() time.Time { return b.now }})
	return b
}

func day(s string) license.Date {
	d, err := license.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

var evaluation = request.Details{
	Kind: request.Evaluation, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000,
	ProductVersion: "6.7.1",
	Name:           "Ada Lovelace", Email: "ada@acme.example", Company: "Acme AG", Country: "Switzerland",
}

// pending lists the IDs of the mails that are ready, in their order.
func pending(t *testing.T, s *store.Store) (ids []string) {
	t.Helper()
	err := s.Outbox().EachReady(t.Context(), func(m outbox.Mail) error {
		ids = append(ids, m.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

func TestRequestOpensOnlyByItsToken(t *testing.T) {
	b := newTestEnv(t)
	r, _, err := storetest.FileRequest(t.Context(), b, evaluation, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.RequestByToken(t.Context(), r.ID, r.Token); err != nil || got.ID != r.ID {
		t.Errorf("with its token: got %v, %v", got.ID, err)
	}
	for _, tt := range []struct{ id, token string }{
		{r.ID, ""}, {r.ID, r.Token[1:]}, {r.ID, strings.ToLower(r.Token)}, {"01h00000000000000000000000", r.Token},
		{"", r.Token}, {"a\x00b", r.Token}, {strings.Repeat("x", 5000), r.Token},
	} {
		got, err := b.RequestByToken(t.Context(), tt.id, tt.token)
		if fault.KindOf(err) != fault.NotFound || got.ID != "" {
			t.Errorf("RequestByToken(%.40q, %q) = %+v, %v; want NotFound", tt.id, tt.token, got, err)
		}
	}
}

// expiring is a license of the customer acme that expires on the day.
func expiring(id, expiration string) license.License {
	return license.License{
		ID: id, Type: license.Production, Customer: "acme", Organization: "Acme AG", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer,
		MaxLoc:  1_000_000, Expiration: day(expiration),
	}
}

func due(t *testing.T, b *testEnv, through string) (ids []string) {
	t.Helper()
	err := b.DueReminders(t.Context(), day(through), func(d store.Due) error {
		ids = append(ids, d.License.ID+" "+d.Day.String())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestLicenseIsDueOnTheDaysOfItsReminders(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	if got := due(t, b, "2018-06-29"); got != nil {
		t.Errorf("the day before: got due %v, want none", got)
	}
	b.now = day("2018-06-30").Start().Add(6 * time.Hour)
	if got := due(t, b, "2018-06-30"); !slices.Equal(got, []string{"l1 2018-06-30"}) {
		t.Fatalf("got due %v", got)
	}
	remind(t, b, "2018-06-30", reminder.MonthsBefore(2))
	if got := due(t, b, "2018-07-30"); got != nil {
		t.Errorf("after the reminder: got due %v, want none", got)
	}
	b.now = day("2018-07-31").Start().Add(6 * time.Hour)
	remind(t, b, "2018-07-31", reminder.MonthsBefore(1))
	for _, d := range []string{"2018-08-01", "2018-08-31", "2018-09-01", "2019-01-01"} {
		b.now = day(d).Start()
		if got := due(t, b, d); got != nil {
			t.Errorf("on %s: got due %v", d, got)
		}
	}
	mails, err := b.MailsAbout(t.Context(), "l1", 10)
	want := []notice.Due{{License: "l1", Expiration: day("2018-08-31"), Stage: reminder.MonthsBefore(2)}}
	if err != nil || len(mails) != 2 || !slices.Equal(mails[0].Due, want) ||
		mails[1].Due[0].Stage != reminder.MonthsBefore(1) || mails[0].Kind != mail.LicenseExpiring ||
		mails[0].To.Email != "ada@acme.example" {
		t.Errorf("got mails %+v, %v, want those of two months and of one", mails, err)
	}
	if got := pending(t, b.Store); len(got) != 2 {
		t.Errorf("got pending mails %v, want two", got)
	}
}

// reminding is the stage for ada, in a digest of the day.
func reminding(b *testEnv, stage reminder.Stage) store.Reminding {
	return store.Reminding{Stage: stage, Digest: b.NewDigest("acme", license.DateOf(b.now), ada, b.now, 0)}
}

// remind records the stage for everything that is due.
func remind(t *testing.T, b *testEnv, through string, stage reminder.Stage) {
	t.Helper()
	do := reminding(b, stage)
	err := b.DueReminders(t.Context(), day(through), func(d store.Due) error {
		return b.RecordReminder(t.Context(), d, do)
	})
	if err == nil {
		err = do.Digest.Release(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestMissedDayIsCaughtUp(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	for _, d := range []string{"2018-07-02", "2018-08-31"} {
		b.now = day(d).Start()
		if got := due(t, b, d); !slices.Equal(got, []string{"l1 2018-06-30"}) {
			t.Errorf("on %s: got due %v", d, got)
		}
	}
}

func TestSuccessorStopsTheReminders(t *testing.T) {
	for _, tt := range []struct {
		name       string
		successor  func(*license.License)
		oldReminds bool
	}{
		{"that outlives it", func(l *license.License) {}, false},
		{"that begins on its last day", func(l *license.License) { l.NotBefore = day("2018-08-31") }, false},
		{"that begins the day after", func(l *license.License) { l.NotBefore = day("2018-09-01") }, false},
		{"with the dataset under a new database address",
			func(l *license.License) { l.Server = "0A1B2C3D-AWHW8w9JtzBzSrmf9GQX" }, false},
		{"not one that begins after a gap", func(l *license.License) { l.NotBefore = day("2018-09-02") }, true},
		{"not one that ends the same day", func(l *license.License) { l.Expiration = day("2018-08-31") }, true},
		{"not one for another server", func(l *license.License) { l.Server = "AWHW8w9JtzBzSrmf9GQY" }, true},
		{"not one for staging", func(l *license.License) { l.Type = license.Staging }, true},
		{"not one of another instance with the same server", func(l *license.License) { l.Instance = "other" }, true},
		{"not one of another customer with the same server", func(l *license.License) { l.Customer = "other" }, true},
	} {
		for _, order := range []string{"recorded later", "recorded first"} {
			t.Run(tt.name+", "+order, func(t *testing.T) {
				b := newTestEnv(t)
				old, successor := expiring("old", "2018-08-31"), expiring("successor", "2019-08-31")
				tt.successor(&successor)
				if order == "recorded first" {
					add(t, b, successor)
					add(t, b, old)
				} else {
					add(t, b, old)
					add(t, b, successor)
				}
				got := due(t, b, "2018-07-15")
				if reminds := slices.Contains(got, "old 2018-06-30"); reminds != tt.oldReminds {
					t.Errorf("got due %v; the old license reminds: %v, want %v", got, reminds, tt.oldReminds)
				}
				b.now = day("2019-07-15").Start()
				if tt.successor(&successor); successor.Expiration == day("2019-08-31") {
					if got := due(t, b, "2019-07-15"); !slices.Contains(got, "successor 2019-06-30") {
						t.Errorf("got due %v, want the successor's own reminder", got)
					}
				}
			})
		}
	}
}

func TestFirstSuccessorIsKept(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	add(t, b, expiring("l2", "2019-08-31"))
	before, err := b.License(t.Context(), "l1")
	if err != nil {
		t.Fatal(err)
	}
	add(t, b, expiring("l3", "2020-08-31"))
	after, err := b.License(t.Context(), "l1")
	if err != nil || after.License.Successor != "l2" || after.Version != before.Version {
		t.Errorf("got successor %q in version %d, want l2 in version %d; %v", after.License.Successor, after.Version,
			before.Version, err)
	}
}

func TestUnusedReminderRowExpires(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	page, err := b.table.Query(t.Context(), table.Query{PK: "DUE#2018-06"})
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("got %d rows, %v, want 1", len(page.Rows), err)
	}
	if got, want := page.Rows[0].Expires, day("2018-10-01").Start(); !got.Equal(want) {
		t.Errorf("got expiry %v, want %v", got, want)
	}
}

func TestConcurrentLicensesOfOneInstanceSeeEachOther(t *testing.T) {
	b := newTestEnv(t)
	licenses := make([]license.License, 8)
	for i := range licenses {
		licenses[i] = expiring(fmt.Sprintf("l%d", i), fmt.Sprintf("20%d-08-31", 18+i))
	}
	known := complete(t, b, store.Issue{Licenses: licenses, By: "ops"})
	licenses, known.Licenses = known.Licenses, nil
	if err := b.IssueLicenses(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, l := range licenses {
		wg.Go(func() {
			i := store.Issue{Licenses: []license.License{l}, By: "ops", Imported: true}
			if err := b.IssueLicenses(t.Context(), i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, l := range licenses {
		r, err := b.License(t.Context(), l.ID)
		if last := i == 7; err != nil || (r.License.Successor == "") != last || r.NextReminder.IsZero() == last {
			t.Errorf("%s: got successor %q and reminder on %q, %v", l.ID, r.License.Successor, r.NextReminder, err)
		}
	}
}

func TestRecordedLicenseIsKnown(t *testing.T) {
	b := newTestEnv(t)
	l := expiring("l1", "2018-08-31")
	add(t, b, l)
	add(t, b, expiring("l2", "2019-08-31")) // which changes l1's row
	other := l
	other.MaxLoc++
	for _, again := range []license.License{l, other} {
		i := complete(t, b, store.Issue{Licenses: []license.License{again}, By: "ops", Imported: true})
		if err := b.IssueLicenses(t.Context(), i); !errors.Is(err, store.ErrIssued) {
			t.Errorf("again: got %v, want ErrIssued", err)
		}
	}
	known, err := b.OnRecord(t.Context(), "l1", "l3")
	if err != nil || len(known) != 1 || known["l1"].MaxLoc != l.MaxLoc {
		t.Errorf("got on record %+v, %v, want l1 with its first terms", known, err)
	}
}

func TestReminderIsRecordedOnce(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	b.now = day("2018-06-30").Start()
	var found store.Due
	if err := b.DueReminders(t.Context(), day("2018-06-30"),
		func(d store.Due) error { found = d; return nil }); err != nil {
		t.Fatal(err)
	}
	do := reminding(b, reminder.MonthsBefore(2))
	if err := b.RecordReminder(t.Context(), found, do); err != nil {
		t.Fatal(err)
	}
	if err := b.RecordReminder(t.Context(), found, do); !errors.Is(err, store.ErrDueChanged) {
		t.Errorf("again: got %v, want ErrDueChanged", err)
	}
	if err := do.Digest.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := pending(t, b.Store); len(got) != 1 {
		t.Errorf("got pending mails %v", got)
	}
}

func TestMailIsQueuedOnce(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	b.now = day("2018-06-30").Start()
	for range 2 { // the second run finds the license as if nothing had been sent
		l, err := b.License(t.Context(), "l1")
		if err != nil {
			t.Fatal(err)
		}
		l.Reminded = license.Date{}
		do := reminding(b, reminder.MonthsBefore(2))
		if err := b.RecordReminder(t.Context(), store.Due{LicenseRecord: l}, do); err != nil {
			t.Fatal(err)
		}
		if err := do.Digest.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := pending(t, b.Store); len(got) != 1 || !strings.HasPrefix(got[0], "acme--2018-06-30-") {
		t.Errorf("got pending mails %v, want one", got)
	}
	events := licenseEvents(t, b, "l1")
	if len(events) != 2 || events[1].Action != store.ReminderQueued ||
		events[1].Note != pending(t, b.Store)[0] {
		t.Errorf("got timeline %+v, want one reminder", events)
	}
	if got := due(t, b, "2018-06-30"); got != nil {
		t.Errorf("got due %v, want none", got)
	}
}

func TestDailyRunReadsOnlyWhatIsDue(t *testing.T) {
	b := newTestEnv(t)
	for i := range 365 {
		l := expiring(fmt.Sprintf("l%03d", i), day("2018-06-01").AddDays(i).String())
		l.Server = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9%03d", i))
		l.Customer = l.ID
		add(t, b, l)
	}
	b.now = day("2018-08-15").Start()
	b.table.Reset()
	got := due(t, b, "2018-08-15")
	read := b.table.Counts().RowsRead
	if len(got) == 0 || read != len(got) {
		t.Errorf("got %d rows read for %d due, want as many", read, len(got))
	}
}

func TestBrokenRowKeepsNoOtherFromBeingDue(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	broken := table.Row{Key: table.Key{PK: "DUE#2018-06", SK: "2018-06-01#l0"}, Type: "due", Schema: 1,
		Data: []byte(`{"license":7}`)}
	if err := b.table.Transact(t.Context(), table.Create(broken)); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := b.DueReminders(t.Context(), day("2018-06-30"), func(d store.Due) error {
		got = append(got, d.License.ID)
		return nil
	})
	if err == nil || !slices.Equal(got, []string{"l1"}) {
		t.Errorf("got due %v, %v, want l1 and an error about the other row", got, err)
	}
}

func BenchmarkFileRequest(b *testing.B) {
	w := newTestEnv(b)
	for i := 0; b.Loop(); i++ {
		if _, _, err := storetest.FileRequest(b.Context(), w, evaluation, fmt.Sprint(i)); err != nil {
			b.Fatal(err)
		}
	}
}
