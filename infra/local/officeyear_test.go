package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/infra/localdata"
	"marketplace/infra/racing"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
)

// The year of an office in Zurich: Monday to Friday, 09:00 to 18:00, on 24 Dec until 12:00, closed on 25 and 26 Dec and
// on 1 Jan. What should happen in it is worked out here by the calendar, minute by minute, with nothing of the product.
var zurich = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		panic(err)
	}
	return zone
}()

// hoursOn returns the hours of a day; none if the office is closed.
func hoursOn(t time.Time) (opens, closes int) {
	switch t := t.In(zurich); {
	case t.Weekday() == time.Saturday, t.Weekday() == time.Sunday, t.Month() == time.January && t.Day() == 1,
		t.Month() == time.December && (t.Day() == 25 || t.Day() == 26):
		return 0, 0
	case t.Month() == time.December && t.Day() == 24:
		return 9, 12
	}
	return 9, 18
}

func isOpen(t time.Time) bool {
	opens, closes := hoursOn(t)
	hour := t.In(zurich).Hour()
	return opens <= hour && hour < closes
}

// atOn is a time of day on the day of t.
func atOn(t time.Time, hour, minute int) time.Time {
	t = t.In(zurich)
	return time.Date(t.Year(), t.Month(), t.Day(), hour, minute, 0, 0, zurich)
}

// dueOf is when the reply to what came at t is due.
func dueOf(t time.Time) time.Time {
	if !isOpen(t) {
		for !isOpen(t) {
			t = t.Add(time.Minute)
		}
		_, closes := hoursOn(t)
		return atOn(t, closes, 0)
	}
	local := t.In(zurich)
	day := atOn(t, 12, 0)
	for opens := 0; opens == 0; opens, _ = hoursOn(day) {
		day = day.AddDate(0, 0, 1)
	}
	_, closes := hoursOn(day)
	due := atOn(day, local.Hour(), local.Minute())
	if end := atOn(day, closes, 0); due.After(end) {
		return end
	}
	return due
}

// officeTime is when the office has been open for d since t, in whole minutes.
func officeTime(t time.Time, d time.Duration) time.Time {
	for ; d > 0; t = t.Add(time.Minute) {
		if isOpen(t) {
			d -= time.Minute
		}
	}
	return t
}

// nextRun is the first run of the job after t.
func nextRun(t time.Time) time.Time { return t.Truncate(10 * time.Minute).Add(10 * time.Minute) }

// notable are moments of the year, in Zurich, with the deadlines as a person reads them off a calendar.
var notable = []struct{ received, due string }{
	{"2027-10-29 16:00", "2027-11-01 16:00"}, // the clocks are set back between
	{"2027-10-31 02:30", "2027-11-01 18:00"}, // in the hour that comes twice
	{"2027-11-10 03:00", "2027-11-10 18:00"}, // before the office opens
	{"2027-11-10 09:00", "2027-11-11 09:00"}, // when it opens
	{"2027-11-10 17:59", "2027-11-11 17:59"},
	{"2027-11-10 18:00", "2027-11-11 18:00"}, // when it closes
	{"2027-11-12 23:00", "2027-11-15 18:00"}, // a Friday night
	{"2027-12-23 15:03", "2027-12-24 12:00"}, // the next day is a short one
	{"2027-12-24 11:30", "2027-12-27 11:30"},
	{"2027-12-24 17:30", "2027-12-27 18:00"},
	{"2027-12-31 10:03", "2028-01-03 10:03"},
	{"2027-12-31 23:59", "2028-01-03 18:00"},
	{"2028-02-28 11:03", "2028-02-29 11:03"}, // the leap day
	{"2028-02-29 16:23", "2028-03-01 16:23"},
	{"2028-03-24 16:03", "2028-03-27 16:03"}, // the clocks are set forward between
	{"2028-03-26 01:59", "2028-03-27 18:00"},
}

func inZurich(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, zurich)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// officeRequest is a request of the year with what should come of it.
type officeRequest struct {
	n             int
	received, due time.Time
	id            string

	firstDue, answered time.Time // of the first answer; zero: does not count, none
	mails              []string
}

// officeYear is the year while it is played.
type officeYear struct {
	*testEnv
	all   []*officeRequest
	steps []officeStep
}

// officeStep is what somebody does at a time.
type officeStep struct {
	at time.Time
	do func()
}

const sam, ann = "sam@vendor.example", "ann@vendor.example"

func (y *officeYear) at(t time.Time, do func()) { y.steps = append(y.steps, officeStep{t, do}) }

// review has a colleague change the state of a request.
func (y *officeYear) review(r *officeRequest, at time.Time, by string, to request.State) {
	y.at(at, func() {
		now, err := y.store.Request(y.t.Context(), r.id)
		if err == nil {
			v := store.Review{ID: r.id, Version: now.Version, By: by, To: to, Text: "text"}
			_, err = y.store.Review(y.t.Context(), v)
		}
		if err != nil {
			y.t.Fatalf("request %d: %s at %v: %v", r.n, to, at, err)
		}
	})
}

// wantMail expects an email about a request at a time.
func (r *officeRequest) wantMail(kind, to string, at time.Time) {
	r.mails = append(r.mails, fmt.Sprintf("%s to %s at %s", kind, to, at.UTC().Format(time.RFC3339)))
}

// wantLate expects the reviewer to be told of a missed deadline, and sales if nobody answers by then.
func (r *officeRequest) wantLate(reviewer string, answered time.Time) {
	told := nextRun(r.due)
	if reviewer == "" {
		r.wantMail("request-late-sales", "sales@vendor.example", told)
		return
	}
	r.wantMail("request-late", reviewer, told)
	if sales := officeTime(told, 2*time.Hour); answered.IsZero() || answered.After(sales) {
		r.wantMail("request-late-sales", "sales@vendor.example", sales)
	}
}

// plan makes up what becomes of a request, and what should follow from it.
func (y *officeYear) plan(n int, received, due time.Time) {
	r := &officeRequest{n: n, received: received, due: due, firstDue: due}
	y.all = append(y.all, r)
	y.at(received, func() { y.file(r) })
	taken := received.Add(time.Minute + 7*time.Second)
	// late is after the reviewer was told and before sales are, and tooLate after both.
	late, tooLate := nextRun(due).Add(33*time.Minute), officeTime(nextRun(due), 2*time.Hour).Add(13*time.Minute)
	if n%9 != 4 {
		y.review(r, taken, sam, request.InReview)
	}
	answer := func(at time.Time, to request.State) {
		y.review(r, at, sam, to)
		r.answered = at
	}
	switch n % 9 {
	case 0:
		answer(taken.Add(due.Sub(taken)/2), request.Rejected)
	case 1:
		answer(due.Add(-time.Second), request.Waiting)
	case 2: // the reviewer answers when told
		answer(late, request.Rejected)
		r.wantLate(sam, late)
	case 3:
		answer(tooLate, request.Waiting)
		r.wantLate(sam, tooLate)
	case 4: // nobody takes it
		r.wantLate("", time.Time{})
	case 5: // nobody answers
		r.wantLate(sam, time.Time{})
	case 6: // a question in time, and nothing after the customer's answer
		answer(due.Add(-time.Second), request.Waiting)
		resumed := due.AddDate(0, 0, 5).Truncate(time.Minute)
		y.review(r, resumed, ann, request.InReview)
		r.due = dueOf(resumed)
		r.wantLate(ann, time.Time{})
	case 7: // a colleague takes it over once it is late
		y.review(r, late, ann, request.InReview)
		r.wantLate(sam, time.Time{})
	case 8: // the customer changes their mind
		y.review(r, taken.Add(time.Second), sam, request.Withdrawn)
		r.firstDue = time.Time{}
	}
}

func (y *officeYear) file(r *officeRequest) {
	d := request.Details{
		Kind: request.New, Edition: license.Developer, Server: license.Server(fmt.Sprintf("AWHW8w9JtzBzSrm%05d", r.n)),
		Name: "Ada", Email: fmt.Sprintf("ada@c%d.example", r.n), Company: fmt.Sprintf("Company %d", r.n),
		Country: "Switzerland", ProductVersion: "6.7",
	}
	var filed request.Request
	var err error
	if r.n%2 == 0 {
		filed, _, err = storetest.FileRequest(y.t.Context(), y.store, d, "")
	} else {
		filed, _, err = y.store.FileRequest(y.t.Context(), store.Filing{Details: d, By: sam})
	}
	if err != nil {
		y.t.Fatal(err)
	}
	if r.id = filed.ID; !filed.Due.Equal(r.due) && r.n%9 != 6 || r.n%9 == 6 && !filed.Due.Equal(r.firstDue) {
		y.t.Errorf("request %d of %v: due at %v, want %v", r.n, r.received.In(zurich), filed.Due.In(zurich),
			r.firstDue.In(zurich))
	}
}

// wantWeek is the row of the overview of a week, as of a time.
func (y *officeYear) wantWeek(monday, now time.Time) string {
	due, inTime, share := 0, 0, "–"
	for _, r := range y.all {
		if r.received.Before(monday) || !r.received.Before(monday.AddDate(0, 0, 7)) || r.firstDue.IsZero() ||
			!r.firstDue.Before(now) || r.received.After(now) {
			continue
		}
		due++
		if !r.answered.IsZero() && !r.answered.After(r.firstDue) {
			inTime++
		}
	}
	if due > 0 {
		n := (200*inTime + due) / (2 * due)
		if inTime > 0 && inTime < due {
			n = min(max(n, 1), 99)
		}
		share = fmt.Sprintf("%d %%", n)
	}
	return fmt.Sprintf("%s %d %d %s", monday.Format("02 Jan 2006"), due, inTime, share)
}

// checkOverview compares the weeks of the overview with what should be there at a time.
func (y *officeYear) checkOverview(now time.Time) {
	cookie := y.signIn("ada")
	_, body := y.do("GET", "/console/overview", "", "", "Cookie", cookie)
	rows := document(y.t, body).Find("section[aria-labelledby=on-time-title] tbody tr")
	if rows.Length() != 12 {
		y.t.Fatalf("%v: got %d weeks on the overview, want 12", now, rows.Length())
	}
	day := now.UTC().Truncate(24 * time.Hour)
	monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	rows.Each(func(i int, row *goquery.Selection) {
		var cells []string
		row.Find("th, td").Each(func(_ int, c *goquery.Selection) {
			cells = append(cells, strings.TrimSpace(c.Text()))
		})
		got, want := strings.Join(cells, " "), y.wantWeek(monday.AddDate(0, 0, -7*(11-i)), now)
		if got != want {
			y.t.Errorf("overview on %s: got %q, want %q", day.Format(time.DateOnly), got, want)
		}
	})
}

// TestYearOfRequestsInTheOffice plays a year of requests at odd moments on the local server.
func TestYearOfRequestsInTheOffice(t *testing.T) {
	begin := time.Date(2027, 10, 1, 4, 0, 0, 0, time.UTC)
	s, err := Start(t.Context(), Options{
		Addr: "localhost:0", Data: localdata.Dir(t.TempDir()), Empty: true, Now: func() time.Time { return begin },
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Config: officeInZurich(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	y := &officeYear{testEnv: &testEnv{Server: s, t: t}}
	for n, m := range notable {
		received, due := inZurich(m.received), inZurich(m.due)
		if got := dueOf(received); !got.Equal(due) {
			t.Fatalf("the test has %v for what came at %s, want %s", got, m.received, m.due)
		}
		y.plan(n, received, due)
	}
	requests := 100
	if racing.Enabled {
		requests = 40
	}
	random := rand.New(rand.NewPCG(12, 24))
	for n := len(notable); n < requests; n++ {
		received := begin.Add(time.Duration(random.IntN(360*24*60)) * time.Minute)
		y.plan(n, received, dueOf(received))
	}
	end := begin.AddDate(1, 0, 21)
	for at := begin.AddDate(0, 0, 84); at.Before(end); at = at.AddDate(0, 0, 84) {
		y.at(at, func() { y.checkOverview(at) })
	}
	y.at(end, func() { y.checkOverview(end) })

	slices.SortStableFunc(y.steps, func(a, b officeStep) int { return a.at.Compare(b.at) })
	for _, step := range y.steps {
		y.moveClock(step.at.UTC().Format(time.RFC3339Nano))
		step.do()
	}
	y.checkMails()
}

// checkMails compares the emails about late requests with those that should have been sent, and when.
func (y *officeYear) checkMails() {
	got := map[string][]string{}
	for _, m := range y.outbox() {
		if m.Kind == "request-late" || m.Kind == "request-late-sales" {
			got[m.About] = append(got[m.About], fmt.Sprintf("%s to %s at %s", m.Kind, address(m.To), m.At))
		}
	}
	sent := 0
	for _, r := range y.all {
		mails := got[r.id]
		slices.Sort(mails)
		slices.SortFunc(r.mails, cmp.Compare[string])
		if sent += len(mails); !slices.Equal(mails, r.mails) {
			y.t.Errorf("request %d of %v, due at %v: got\n%s\nwant\n%s", r.n, r.received.In(zurich), r.due.In(zurich),
				strings.Join(mails, "\n"), strings.Join(r.mails, "\n"))
		}
	}
	y.t.Logf("%d requests, %d emails about late ones", len(y.all), sent)
}

// address takes an address out of a recipient with a name.
func address(to string) string {
	if i := strings.IndexByte(to, '<'); i >= 0 {
		return strings.Trim(to[i:], "<>")
	}
	return to
}
