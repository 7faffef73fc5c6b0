package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/reminders/daily"
	"marketplace/infra/racing"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// daysOfExpiration is how many last days in a row have licenses: all of the leap year 2020 and some on either side; a
// tenth with the race detector, which makes it ten times slower and finds the same on every day.
func daysOfExpiration() int {
	if racing.Enabled {
		return 40
	}
	return 400
}

// expiring is a license with what the calendar says about its reminders.
type expiring struct {
	store.LicenseRecord
	letters map[time.Time]int // days left, negative after the last day, by the days of its letters
	alarms  map[int]bool      // days before the last day on which its calendar file reminds
	first   time.Time         // the day of the first letter
}

// back walks back day by day: to the same day so many months before, or where there is none to the last of that month.
func back(from time.Time, months int) time.Time {
	day := from
	for range months {
		for month := day.Month(); day.Month() == month; {
			day = day.AddDate(0, 0, -1)
		}
	}
	for day.Day() > from.Day() {
		day = day.AddDate(0, 0, -1)
	}
	return day
}

// walk counts the days from one to another by walking.
func walk(from, to time.Time) (days int) {
	for ; from.Before(to); from = from.AddDate(0, 0, 1) {
		days++
	}
	return days
}

// expectLetters fills in what the calendar says about a license of a type.
func (e *expiring) expectLetters(last time.Time, kind license.Type, extras bool) {
	days := []time.Time{back(last, 2), back(last, 1)}
	if kind == license.Evaluation {
		days = nil
	}
	if extras || kind == license.Evaluation {
		days = append(days, last.AddDate(0, 0, -7), last)
	}
	e.letters, e.alarms, e.first = map[time.Time]int{}, map[int]bool{}, days[0]
	for _, day := range days {
		left := walk(day, last)
		e.letters[day], e.alarms[left] = left, true
	}
	if extras && kind != license.Evaluation {
		e.letters[last.AddDate(0, 0, 7)] = -7
	}
}

// words say when a license expires, by how many days are left.
func words(left int) string {
	switch left {
	case -7:
		return "expired 7 days ago"
	case 0:
		return "expires today"
	case 1:
		return "expires tomorrow"
	}
	return fmt.Sprintf("expires in %d days", left)
}

// outgoing is a mail.Sender that keeps the messages of a day.
type outgoing struct {
	mu   sync.Mutex
	sent []mail.Message
}

func (o *outgoing) Send(_ context.Context, m mail.Message) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, m)
	return "p-" + m.ID, nil
}

func (*outgoing) Quota(context.Context) (mail.Quota, error) { return mail.Quota{}, nil }

// TestEachLetterGoesOutOnItsDayAndSaysItAlike runs every day around 400 last days in a row, for licenses of each type.
// The days are counted by walking the calendar. The forecast, the daily run, and a letter's subject, text, HTML and
// calendar file say the same.
func TestEachLetterGoesOutOnItsDayAndSaysItAlike(t *testing.T) {
	for name, extra := range map[string]string{"promised stages": "", "all stages": "7d 0d 7d-after"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy, err := reminder.ParsePolicy(extra)
			if err != nil {
				t.Fatal(err)
			}
			y := newExpirationYear(t, policy, extra != "")
			for !y.now.After(y.end) {
				y.day()
			}
			if y.letters != y.expected {
				t.Errorf("got %d letters, want %d", y.letters, y.expected)
			}
		})
	}
}

// expirationYear is a store with the licenses, and what works on it every day.
type expirationYear struct {
	t                 *testing.T
	now, end          time.Time
	store             *delivery.Store
	reminders         *daily.Job
	mailer            *dispatch.Dispatcher
	licenses          map[string]*expiring // by the address of its only contact
	outgoing          outgoing
	letters, expected int
}

func newExpirationYear(t *testing.T, policy reminder.Policy, extras bool) *expirationYear {
	begin := time.Date(2019, time.December, 15, 0, 0, 0, 0, time.UTC)
	y := &expirationYear{t: t, licenses: map[string]*expiring{}, now: back(begin, 2).AddDate(0, 0, -3).Add(remindersAt),
		end: begin.AddDate(0, 0, daysOfExpiration()+20)}
	clock := func() time.Time { return y.now }
	log := slog.New(slog.DiscardHandler)
	y.store = delivery.New(store.New(&tabletest.Memory{}, store.Options{Now: clock, Reminders: policy}))
	y.reminders = daily.New(daily.Options{Store: y.store, Deletion: deletion.New(y.store.Store), Now: clock, Log: log})
	letters := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@vendor.example"},
		Reminders: policy}
	y.mailer = dispatch.New(dispatch.Options{
		Outbox: y.store.Outbox(), Records: y.store, Expander: expansion.New(y.store), Sender: &y.outgoing, Now: clock,
		Log: log, Write: letters.With(nil),
	})
	for n := range daysOfExpiration() {
		last := begin.AddDate(0, 0, n)
		for i, kind := range license.Types {
			email := fmt.Sprintf("ada@acme-%03d-%d.example", n, i)
			e := &expiring{LicenseRecord: storetest.Record(t, y.store.Store, license.License{
				ID: fmt.Sprintf("l%03d-%d", n, i), Type: kind, Organization: fmt.Sprintf("Acme %03d %d", n, i),
				Server:  license.Server(fmt.Sprintf("AWHW8w9JtzBzSrm%03d%02d", n, i)),
				Edition: license.Developer, MaxLoc: 1000, Expiration: license.DateOf(last),
			}, license.Contact{Email: email})}
			e.expectLetters(last, kind, extras)
			y.expected += len(e.letters)
			y.licenses[email] = e
			y.forecast(e)
		}
	}
	return y
}

func (y *expirationYear) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

// forecast looks ahead at all letters of a license, each after the one before it.
func (y *expirationYear) forecast(e *expiring) {
	y.t.Helper()
	ahead, policy := e.LicenseRecord, y.store.Policy()
	got := map[time.Time]int{}
	for day := license.DateOf(y.now); ; {
		next, _ := policy.Next(ahead.License, day, ahead.Reminded)
		if next.IsZero() {
			break
		}
		plan, err := y.store.NewPlanner().Plan(y.t.Context(), ahead, next.Start().Add(remindersAt))
		y.must(err)
		if plan.To == nil {
			y.t.Fatalf("%s on %s: the forecast says %s", ahead.License.ID, next, plan.Why)
		}
		got[next.Start()] = next.DaysUntil(ahead.License.Expiration)
		ahead.Reminded, day = plan.Stage.Day(ahead.License.Expiration), next
	}
	if !maps.Equal(got, e.letters) {
		y.t.Errorf("%s, %s, last day %s: the forecast has letters on %v, want %v", ahead.License.ID, ahead.License.Type,
			ahead.License.Expiration, got, e.letters)
	}
}

// day lets a day pass: it compares the forecast of the day with the calendar, runs the daily run and the mailer, and
// compares each letter.
func (y *expirationYear) day() {
	y.t.Helper()
	ctx, today := y.t.Context(), y.now.Truncate(24*time.Hour)
	planner := y.store.NewPlanner()
	var want []string
	for email, e := range y.licenses {
		if left := license.DateOf(today).DaysUntil(e.License.Expiration); left < -10 || left > 65 {
			continue // a letter that is sent all the same is found below
		}
		plan, err := planner.Plan(ctx, e.LicenseRecord, y.now)
		y.must(err)
		_, due := e.letters[today]
		if due {
			want = append(want, email)
		}
		if forecast := plan.To != nil && plan.To.Email == email; forecast != due {
			y.t.Errorf("%s of %s on %s: a letter is %v, and the forecast says %v: %q", e.License.ID,
				e.License.Expiration, today, due, forecast, plan.Why)
		}
		warns := !today.Before(e.first) && !today.After(e.License.Expiration.Start())
		if got := y.store.Policy().Warns(e.License, license.DateOf(today)); got != warns {
			y.t.Errorf("%s of %s on %s: got a warning %v, want %v", e.License.ID, e.License.Expiration, today, got,
				warns)
		}
	}
	y.outgoing.sent = nil
	y.must(y.reminders.Run(ctx))
	y.must(y.mailer.Run(ctx))
	var got []string
	for _, m := range y.outgoing.sent {
		got = append(got, m.To.Email)
		if e := y.licenses[m.To.Email]; e != nil && m.Kind == mail.LicenseExpiring {
			y.compare(e, m, today)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		y.t.Fatalf("%s: got letters to %v, want %v", today, got, want)
	}
	y.letters += len(got)
	y.now = y.now.AddDate(0, 0, 1)
}

// compare compares everything in a letter that says a day.
func (y *expirationYear) compare(e *expiring, m mail.Message, today time.Time) {
	y.t.Helper()
	ctx := y.t.Context()
	left := e.letters[today]
	last := e.License.Expiration.Start()
	says := words(left)
	page, err := goquery.NewDocumentFromReader(strings.NewReader(m.HTML))
	y.must(err)
	oneLine := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for where, text := range map[string]string{
		"subject": m.Subject, "text": oneLine(m.Text), "HTML": oneLine(page.Find("body").Text()),
	} {
		date := last.Format("02 Jan 2006")
		if where == "subject" {
			date = last.Format("2 Jan 2006")
		}
		if !strings.Contains(text, says) || !strings.Contains(text, date) {
			y.t.Fatalf("%s on %s: want %q and %q in the %s:\n%s", e.License.ID, today, says, date, where, text)
		}
		if where == "subject" {
			continue
		}
		for other := range e.alarms {
			if other != left && strings.Contains(text, words(other)) {
				y.t.Errorf("%s on %s: the %s says %q, too", e.License.ID, today, where, words(other))
			}
		}
	}
	y.compareCalendar(e, m, last, left)
	again, err := y.store.License(ctx, e.License.ID)
	y.must(err)
	e.LicenseRecord = again
}

// compareCalendar compares the letter's calendar file: there is one until the last day.
func (y *expirationYear) compareCalendar(e *expiring, m mail.Message, last time.Time, left int) {
	y.t.Helper()
	if left < 0 {
		if len(m.Attachments) > 0 {
			y.t.Errorf("%s: got %d files after the last day, want none", e.License.ID, len(m.Attachments))
		}
		return
	}
	if len(m.Attachments) != 1 {
		y.t.Fatalf("%s: got %d files, want a calendar file", e.License.ID, len(m.Attachments))
	}
	file := m.Attachments[0].Data
	if want := "DTSTART;VALUE=DATE:" + last.Format("20060102") + "\r\n"; !bytes.Contains(file, []byte(want)) {
		y.t.Errorf("%s: want %q in\n%s", e.License.ID, want, file)
	}
	alarms := map[int]bool{}
	for line := range strings.Lines(string(file)) {
		var days int
		if n, _ := fmt.Sscanf(line, "TRIGGER:-P%dD", &days); n == 1 {
			alarms[days] = true
		}
	}
	if !maps.Equal(alarms, e.alarms) {
		y.t.Errorf("%s of %s: got alarms %v days before, want %v", e.License.ID, last, alarms, e.alarms)
	}
}
