package site

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/alarm"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/web/webtest"
)

// gauges returns the rows of the list of alarms on the overview, each cell after a "|".
func (w *testEnv) gauges() (rows []string, doc *goquery.Document) {
	w.t.Helper()
	doc = w.get(vera, "/console/overview").WantStatus(200).Page()
	doc.Find("section[aria-labelledby=watched-title] tbody tr").Each(func(_ int, s *goquery.Selection) {
		var cells []string
		s.Find("th, td").Each(func(_ int, c *goquery.Selection) { cells = append(cells, webtest.Text(c)) })
		rows = append(rows, strings.Join(cells, "|"))
	})
	return rows, doc
}

func TestOverviewShowsWhatIsWatched(t *testing.T) {
	w := newTestEnv(t)
	w.must(w.store.RecordDailyRun(t.Context(), license.DateOf(*w.now)))
	w.advance(90 * time.Minute)
	rows, doc := w.gauges()
	want := []string{
		"Last complete daily run|OK|1 h 30 min ago|up to 26 h",
		"Late requests of which nobody was told|OK|0|below 1",
		"Oldest urgent email waiting|OK|0 min|up to 15 min",
		"Oldest confirmation or email to sales waiting|OK|0 min|up to 1 h",
		"Oldest reminder waiting|OK|0 min|up to 24 h",
		"Emails that failed in the last 24 hours|OK|0|below 5",
		"Emails in doubt|OK|0|below 5",
		"Daily quota used|OK|0 %|below 80 %",
	}
	if !slices.Equal(rows, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
	if n := doc.Find("#alarms").Length(); n != 0 {
		t.Errorf("got %d notices, want none", n)
	}
}

// TestOverviewShowsBreachedLimits breaches every limit, and compares with what the mailer publishes.
func TestOverviewShowsBreachedLimits(t *testing.T) {
	w := newTestEnv(t)
	ctx := t.Context()
	lease, err := w.store.Outbox().Acquire(ctx, time.Minute)
	w.must(err)
	lease.Provider.PerDay = 10
	w.must(lease.Release(ctx))
	l := sampleLicense("l1", day("2018-08-31"))
	to := license.Contact{Email: "ada@customer.example"}
	w.record(l, to)
	w.file(sampleDetails) // queues a confirmation
	for i := range 11 {   // five to fail, five in doubt, one to wait
		w.must(w.store.SendKeyAgain(ctx, "l1", emails[sam], to, fmt.Sprint(i)))
	}
	mails, err := w.store.MailsAbout(ctx, "l1", 20)
	w.must(err)
	w.advance(26*time.Hour + 30*time.Second)
	for i, m := range mails[:10] {
		m, err = w.store.Outbox().Begin(ctx, m, 1, mail.Message{ID: m.ID})
		w.must(err)
		if i < 5 {
			w.must(w.store.Outbox().Fail(ctx, m, "refused"))
		} else {
			w.must(w.store.Outbox().Doubt(ctx, m, "no answer", w.now.Add(time.Hour)))
		}
	}
	lease, err = w.store.Outbox().Acquire(ctx, time.Minute)
	w.must(err)
	lease.Provider.CountSent(*w.now, 8)
	w.must(lease.Release(ctx))

	rows, doc := w.gauges()
	breached := []string{
		"Last complete daily run|Alarm|None on record|up to 26 h",
		"Late requests of which nobody was told|Alarm|1|below 1",
		"Oldest urgent email waiting|Alarm|26 h 1 min|up to 15 min",
		"Oldest confirmation or email to sales waiting|Alarm|26 h 1 min|up to 1 h",
		"Emails that failed in the last 24 hours|Alarm|5|below 5",
		"Emails in doubt|Alarm|5|below 5",
		"Daily quota used|Alarm|80 %|below 80 %",
	}
	for _, want := range breached {
		if !slices.Contains(rows, want) {
			t.Errorf("got %q, want %s", rows, want)
		}
	}
	notice := webtest.Text(doc.Find("#alarms"))
	for _, want := range []string{"No daily run was completed in the last 26 hours. Reminders may be late.",
		"Last complete daily run: None on record.", "Oldest urgent email waiting: 26 h 1 min.",
		"Emails that failed in the last 24 hours: 5."} {
		if !strings.Contains(notice, want) {
			t.Errorf("got the notice %q, want %q", notice, want)
		}
	}
	watched, err := w.store.Watched(ctx)
	w.must(err)
	watched.Oldest, err = w.store.Outbox().OldestReady(ctx)
	w.must(err)
	var published []string
	for _, g := range watched.Gauges(*w.now) {
		if g.Breached() {
			published = append(published, g.Name)
		}
	}
	for i, name := range published {
		if !strings.HasPrefix(breached[i], name+"|") {
			t.Errorf("the mailer publishes a breach of %s, the overview has %s", name, breached[i])
		}
	}
	doc.Find("#alarms a, section[aria-labelledby=watched-title] a").Each(func(_ int, a *goquery.Selection) {
		if to := a.AttrOr("href", ""); doc.Find(to).Length() != 1 {
			t.Errorf("%s leads to %s, which is not on the page", webtest.Text(a), to)
		}
	})
}

func TestGaugesReadLikeTheirLimitsOnlyIfTheyBreachThem(t *testing.T) {
	for _, g := range (alarm.Readings{DailyRun: time.Unix(0, 0)}).Gauges(time.Unix(0, 0)) {
		limit := gaugeText(g, g.Threshold)
		small, above := g.Threshold/1e5, gaugeText(g, g.Threshold+g.Threshold/1e5)
		if g.Unit == alarm.Count {
			small, above = 1, gaugeText(g, g.Threshold+1)
		}
		if below := gaugeText(g, g.Threshold-small); g.Comparison == alarm.AtLeast && below == limit {
			t.Errorf("%s: got %s below the limit %s", g.Name, below, limit)
		}
		if g.Comparison == alarm.Above && above == limit {
			t.Errorf("%s: got %s above the limit %s", g.Name, above, limit)
		}
	}
	if got := gaugeText(alarm.Gauge{Rule: alarm.Rule{Unit: alarm.Count}}, alarm.Most); got != "100 or more" {
		t.Errorf("got %q for a count that ends", got)
	}
	ids := map[string]bool{}
	for _, r := range alarm.Rules {
		ids[r.ID] = true
	}
	for id := range maps.Keys(gaugeAddresses) {
		if !ids[id] {
			t.Errorf("there is no alarm %s", id)
		}
	}
}
