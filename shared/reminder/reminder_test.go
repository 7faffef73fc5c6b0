package reminder

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/license"
)

func day(t *testing.T, s string) license.Date {
	t.Helper()
	d, err := license.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestStageFallsOnTheSameDayOfAnEarlierMonthOrOnItsLast(t *testing.T) {
	for _, c := range []struct {
		expiration string
		stage      Stage
		day        string
	}{
		{"2018-08-31", 2, "2018-06-30"},
		{"2018-08-31", 1, "2018-07-31"},
		{"2018-07-31", 1, "2018-06-30"},
		{"2018-12-31", 1, "2018-11-30"},
		{"2018-04-29", 2, "2018-02-28"},
		{"2018-04-30", 2, "2018-02-28"},
		{"2020-04-29", 2, "2020-02-29"},
		{"2020-04-30", 2, "2020-02-29"},
		{"2018-03-31", 1, "2018-02-28"},
		{"2020-03-31", 1, "2020-02-29"},
		{"2018-03-01", 1, "2018-02-01"},
		{"2020-02-29", 2, "2019-12-29"},
		{"2020-02-29", 12, "2019-02-28"},
		{"2021-02-28", 12, "2020-02-28"},
		{"2018-01-31", 2, "2017-11-30"},
		{"2018-01-15", 1, "2017-12-15"},
		{"2100-04-30", 2, "2100-02-28"},
		{"2000-04-30", 2, "2000-02-29"},
	} {
		if got := c.stage.Day(day(t, c.expiration)); got != day(t, c.day) {
			t.Errorf("%d months before %s got %v, want %s", c.stage, c.expiration, got, c.day)
		}
	}
}

// monthsBefore counts days instead of computing them: it walks to the month before, then to the day that fits.
func monthsBefore(d license.Date, months int) license.Date {
	walk := d
	for range months {
		month := walk.Month
		for walk.Month == month {
			walk = walk.AddDays(-1)
		}
	}
	for walk.Day > d.Day {
		walk = walk.AddDays(-1)
	}
	return walk
}

func TestEveryExpirationDayOfALeapAndANonLeapYear(t *testing.T) {
	for _, year := range []int{2018, 2020} {
		for d := (license.Date{Year: year, Month: time.January, Day: 1}); d.Year == year; d = d.AddDays(1) {
			l := license.License{Expiration: d}
			two, one := monthsBefore(d, 2), monthsBefore(d, 1)
			for today := two.AddDays(-40); !today.After(d.AddDays(40)); today = today.AddDays(1) {
				want := Stage(0)
				switch {
				case today.Before(two), today.After(d):
				case today.Before(one):
					want = 2
				default:
					want = 1
				}
				stage, ok := Default.Due(l, today, 0)
				if ok != (want != 0) || ok && stage != want {
					t.Fatalf("expiration %v, today %v, nothing sent: stage %d %v, want %d", d, today, stage, ok, want)
				}
				stage, ok = Default.Due(l, today, 2)
				if ok != (want == 1) || ok && stage != 1 {
					t.Fatalf("expiration %v, today %v, two months sent: stage %d %v", d, today, stage, ok)
				}
				if stage, ok = Default.Due(l, today, 1); ok {
					t.Fatalf("expiration %v, today %v, one month sent: stage %d", d, today, stage)
				}
			}
		}
	}
}

func TestNextIsTodayIfDueElseTheDayOfTheNextStage(t *testing.T) {
	l := license.License{Expiration: day(t, "2018-08-31")}
	for _, c := range []struct {
		today string
		sent  Stage
		next  string // "" is none
	}{
		{"2018-01-01", 0, "2018-06-30"},
		{"2018-06-29", 0, "2018-06-30"},
		{"2018-06-30", 0, "2018-06-30"},
		{"2018-06-30", 2, "2018-07-31"},
		{"2018-07-04", 0, "2018-07-04"},
		{"2018-07-31", 2, "2018-07-31"},
		{"2018-08-10", 2, "2018-08-10"},
		{"2018-08-10", 0, "2018-08-10"},
		{"2018-07-31", 1, ""},
		{"2018-06-01", 1, ""},
		{"2018-08-31", 2, "2018-08-31"},
		{"2018-09-01", 0, ""},
	} {
		next, ok := Default.Next(l, day(t, c.today), c.sent)
		if ok != (c.next != "") || next.String() != c.next {
			t.Errorf("today %s, sent %d: next %q, want %q", c.today, c.sent, next, c.next)
		}
	}
}

func TestLicenseWithoutNeedGetsNoReminder(t *testing.T) {
	expiration, today := day(t, "2018-08-31"), day(t, "2018-07-15")
	for name, l := range map[string]license.License{
		"revoked":  {Revoked: today.Start()},
		"muted":    {Muted: true},
		"retired":  {Retired: true},
		"replaced": {Successor: "another"},
		"just begun, with less than a month to go": {NotBefore: day(t, "2018-08-10")},
	} {
		l.Expiration = expiration
		for today := today.AddDays(-60); !today.After(expiration); today = today.AddDays(1) {
			if s, ok := Default.Due(l, today, 0); ok {
				t.Errorf("%s: stage %d due on %v", name, s, today)
			}
			if d, ok := Default.Next(l, today, 0); ok {
				t.Errorf("%s: on %v, next %v", name, today, d)
			}
		}
	}
}

func TestStageBeforeTheLicenseBeginsDoesNotExist(t *testing.T) {
	l := license.License{NotBefore: day(t, "2018-06-30"), Expiration: day(t, "2018-08-31")}
	if s, ok := Default.Due(l, day(t, "2018-06-30"), 0); ok {
		t.Errorf("stage %d due on the first day", s)
	}
	if next, _ := Default.Next(l, day(t, "2018-06-30"), 0); next != day(t, "2018-07-31") {
		t.Errorf("next %v", next)
	}
}

func TestEmptyPolicyRemindsNobody(t *testing.T) {
	l := license.License{Expiration: day(t, "2018-08-31")}
	if _, ok := (Policy)(nil).Next(l, day(t, "2018-08-01"), 0); ok {
		t.Error("got a day, want none")
	}
	if (Policy)(nil).Longest() != 0 || Default.Longest() != 2 {
		t.Errorf("Longest: got %d for no policy and %d for Default, want 0 and 2", (Policy)(nil).Longest(),
			Default.Longest())
	}
}

// TestHistories runs the policy over random days, some of them missed, as the daily job does.
func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := Policy(rapid.SliceOfNDistinct(rapid.Map(rapid.IntRange(1, 14),
			func(n int) Stage { return Stage(n) }), 1, 5, rapid.ID[Stage]).Draw(t, "policy"))
		slices.SortFunc(policy, func(a, b Stage) int { return int(b - a) })
		expiration := license.Date{Year: 2018, Month: 1, Day: 1}.AddDays(rapid.IntRange(0, 3*365).Draw(t, "expiration"))
		l := license.License{Expiration: expiration}
		first := policy.Longest().Day(expiration).AddDays(-3)
		missed := map[license.Date]bool{}
		if rapid.Bool().Draw(t, "days are missed") {
			for _, n := range rapid.SliceOf(rapid.IntRange(0, first.DaysUntil(expiration))).Draw(t, "missed") {
				for i := range rapid.IntRange(1, 45).Draw(t, "for days") {
					missed[first.AddDays(n+i)] = true
				}
			}
		}

		sent := Stage(0)
		mailed := map[Stage]license.Date{}
		next, hasNext := policy.Next(l, first, sent)
		for today := first; !today.After(expiration.AddDays(5)); today = today.AddDays(1) {
			if missed[today] {
				continue
			}
			stage, due := policy.Due(l, today, sent)
			// A job that only looks on the day of Next finds the same.
			if looked := hasNext && !next.After(today); due && !looked {
				t.Fatalf("%v: stage %d is due, next day to look is %v %v", today, stage, next, hasNext)
			}
			if due {
				if day, twice := mailed[stage]; twice {
					t.Fatalf("stage %d mailed on %v and %v", stage, day, today)
				}
				if today.After(expiration) {
					t.Fatalf("stage %d mailed on %v, after %v", stage, today, expiration)
				}
				for _, s := range policy {
					if s < stage && !s.Day(expiration).After(today) {
						t.Fatalf("%v: stage %d mailed, but stage %d has come", today, stage, s)
					}
				}
				mailed[stage] = today
				sent = stage
			}
			next, hasNext = policy.Next(l, today, sent)
			if hasNext && !next.After(today) {
				t.Fatalf("%v: after the run the next day is %v", today, next)
			}
		}
		if len(missed) == 0 {
			for _, s := range policy {
				if mailed[s] != s.Day(expiration) {
					t.Fatalf("a run every day: stage %d mailed on %q, its day is %v", s, mailed[s], s.Day(expiration))
				}
			}
		}
		if ran := !missed[expiration]; ran && mailed[policy[len(policy)-1]].IsZero() {
			t.Fatal("the last stage was never mailed")
		}
	})
}
