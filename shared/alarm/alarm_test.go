package alarm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/logging"
	"marketplace/shared/mail/notice"
)

var now = time.Date(2018, 6, 4, 9, 0, 0, 0, time.UTC)

// of returns the gauge of a metric.
func (r Readings) of(metric string) Gauge {
	all := r.Gauges(now)
	return all[slices.IndexFunc(all, func(g Gauge) bool { return g.Metric == metric })]
}

// healthy are readings within every limit.
func healthy() Readings { return Readings{DailyRun: now.Add(-3 * time.Hour), Quota: 50_000} }

func TestGaugesBreachTheirLimitsAndNoOther(t *testing.T) {
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	waits := func(rank int, d time.Duration) func(*Readings) {
		return func(r *Readings) { r.Oldest = map[int]time.Time{rank: ago(d)} }
	}
	for _, tt := range []struct {
		metric   string
		within   func(*Readings)
		breached func(*Readings)
		value    float64
	}{
		{"HoursSinceDailyRun", func(r *Readings) { r.DailyRun = ago(26 * time.Hour) },
			func(r *Readings) { r.DailyRun = ago(26*time.Hour + 36*time.Second) }, 26.01},
		{"OldestUrgentMail", waits(notice.RankUrgent, 15*time.Minute),
			waits(notice.RankUrgent, 15*time.Minute+time.Second), 901},
		{"OldestConfirmation", waits(notice.RankSoon, time.Hour), waits(notice.RankSoon, time.Hour+time.Second), 3601},
		{"OldestReminder", waits(notice.RankReminder, 24*time.Hour), waits(notice.RankReminder, 25*time.Hour), 90_000},
		{"FailedMails", func(r *Readings) { r.Failed = 4 }, func(r *Readings) { r.Failed = 5 }, 5},
		{"MailsInDoubt", func(r *Readings) { r.InDoubt = 4 }, func(r *Readings) { r.InDoubt = 5 }, 5},
		{"MailQuotaUsed", func(r *Readings) { r.Sent = 39_999 }, func(r *Readings) { r.Sent = 40_000 }, 80},
	} {
		r := healthy()
		tt.within(&r)
		if g := r.of(tt.metric); g.Breached() {
			t.Errorf("%s: got a breach at %v, want none", tt.metric, g.Value)
		}
		tt.breached(&r)
		for _, g := range r.Gauges(now) {
			if g.Breached() != (g.Metric == tt.metric) {
				t.Errorf("%s: got breach %v of %s at %v", tt.metric, g.Breached(), g.Metric, g.Value)
			}
		}
		if g := r.of(tt.metric); g.Value != tt.value || !g.Known {
			t.Errorf("%s: got %v, want %v", tt.metric, g.Value, tt.value)
		}
	}
}

func TestDailyRunThatIsNotOnRecordIsABreach(t *testing.T) {
	r := healthy()
	r.DailyRun = time.Time{}
	if g := r.of("HoursSinceDailyRun"); g.Known || !g.Breached() {
		t.Errorf("got %+v, want a breach without a value", g)
	}
}

func TestUnknownQuotaIsUnused(t *testing.T) {
	r := healthy()
	r.Sent, r.Quota = 7, 0
	if g := r.of("MailQuotaUsed"); g.Value != 0 || g.Breached() {
		t.Errorf("got %v %% used of an unknown quota, want 0", g.Value)
	}
}

// TestNoAgeIsNegative has a clock that was set back, so that everything on record is of the future.
func TestNoAgeIsNegative(t *testing.T) {
	r := Readings{DailyRun: now.Add(time.Minute), Oldest: map[int]time.Time{}}
	for _, rank := range notice.Ranks {
		r.Oldest[rank] = now.AddDate(0, 0, 3)
	}
	for _, g := range r.Gauges(now) {
		if g.Value != 0 || g.Breached() {
			t.Errorf("%s: got %v, want 0", g.Metric, g.Value)
		}
	}
}

func TestRulesAreComplete(t *testing.T) {
	if Ours != logging.Namespace {
		t.Errorf("got the namespace %s, want that of the log", Ours)
	}
	seen := map[string]bool{}
	for _, r := range Rules {
		for _, text := range []string{r.ID, r.Name, r.Namespace + " " + r.Metric} {
			if strings.TrimSpace(text) == "" || seen[text] {
				t.Errorf("%s: got %q twice or empty", r.ID, text)
			}
			seen[text] = true
		}
		if !strings.HasSuffix(r.Breach, ".") || r.Guide == "" || r.Period%time.Minute != 0 || r.Periods < 1 ||
			r.Threshold <= 0 {
			t.Errorf("%s: got %+v", r.ID, fmt.Sprint(r))
		}
		// A metric that is published every few minutes has a value in each period, whenever that begins.
		if r.gauge != nil && r.Period < 2*PublishEvery {
			t.Errorf("%s: got a period of %v, want two of %v", r.ID, r.Period, PublishEvery)
		}
	}
}
