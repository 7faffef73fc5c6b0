package reminder_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/license"
	"marketplace/shared/reminder"
)

func day(t *testing.T, s string) license.Date {
	t.Helper()
	d, err := license.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func stage(t *testing.T, s string) reminder.Stage {
	t.Helper()
	got, err := reminder.ParseStage(s)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// switchedOn is the policy with every stage that a vendor may switch on.
var switchedOn = reminder.With(reminder.Switchable...)

func TestStageFallsOnTheSameDayOfAnEarlierMonthOrOnItsLast(t *testing.T) {
	for _, tt := range []struct{ expiration, stage, day string }{
		{"2018-08-31", "2m", "2018-06-30"},
		{"2018-08-31", "1m", "2018-07-31"},
		{"2018-07-31", "1m", "2018-06-30"},
		{"2018-12-31", "1m", "2018-11-30"},
		{"2018-04-29", "2m", "2018-02-28"},
		{"2018-04-30", "2m", "2018-02-28"},
		{"2020-04-29", "2m", "2020-02-29"},
		{"2020-04-30", "2m", "2020-02-29"},
		{"2018-03-31", "1m", "2018-02-28"},
		{"2020-03-31", "1m", "2020-02-29"},
		{"2018-03-01", "1m", "2018-02-01"},
		{"2020-02-29", "2m", "2019-12-29"},
		{"2020-02-29", "12m", "2019-02-28"},
		{"2021-02-28", "12m", "2020-02-28"},
		{"2018-01-31", "2m", "2017-11-30"},
		{"2018-01-15", "1m", "2017-12-15"},
		{"2100-04-30", "2m", "2100-02-28"},
		{"2000-04-30", "2m", "2000-02-29"},
		{"2018-03-07", "7d", "2018-02-28"},
		{"2020-03-07", "7d", "2020-02-29"},
		{"2018-01-03", "7d", "2017-12-27"},
		{"2018-08-31", "0d", "2018-08-31"},
		{"2018-12-25", "7d-after", "2019-01-01"},
		{"2020-02-22", "7d-after", "2020-02-29"},
		{"2018-02-22", "7d-after", "2018-03-01"},
	} {
		if got := stage(t, tt.stage).Day(day(t, tt.expiration)); got != day(t, tt.day) {
			t.Errorf("%s of %s: got %v, want %s", tt.stage, tt.expiration, got, tt.day)
		}
	}
}

func TestStagesFollowTheType(t *testing.T) {
	for _, tt := range []struct {
		of     license.Type
		policy reminder.Policy
		want   string // each stage with its day and the last day on which it may be sent
	}{
		{license.Production, reminder.Policy{}, "2m 06-30..08-31, 1m 07-31..08-31"},
		{license.Staging, reminder.Policy{}, "2m 06-30..08-31, 1m 07-31..08-31"},
		{license.Evaluation, reminder.Policy{}, "7d 08-24..08-31, 0d 08-31..08-31"},
		{license.Production, switchedOn,
			"2m 06-30..08-31, 1m 07-31..08-31, 7d 08-24..08-31, 0d 08-31..08-31, 7d-after 09-07..09-14"},
		{license.Staging, switchedOn,
			"2m 06-30..08-31, 1m 07-31..08-31, 7d 08-24..08-31, 0d 08-31..08-31, 7d-after 09-07..09-14"},
		{license.Evaluation, switchedOn, "7d 08-24..08-31, 0d 08-31..08-31"},
		{license.Production, reminder.With(reminder.DaysAfter(7), reminder.DaysBefore(7)),
			"2m 06-30..08-31, 1m 07-31..08-31, 7d 08-24..08-31, 7d-after 09-07..09-14"},
	} {
		l := license.License{Type: tt.of, Expiration: day(t, "2018-08-31")}
		var got []string
		for _, s := range tt.policy.Stages(l) {
			got = append(got, fmt.Sprintf("%s %s..%s", s, s.Day(l.Expiration).String()[5:],
				s.Through(l.Expiration).String()[5:]))
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: got %s, want %s", tt.of, strings.Join(got, ", "), tt.want)
		}
	}
}

func TestDueIsTheNewestStageWithinItsWindow(t *testing.T) {
	for _, tt := range []struct {
		of                license.Type
		today, sent, want string // sent is the day of the newest stage sent
	}{
		{license.Production, "2018-06-29", "", ""},
		{license.Production, "2018-06-30", "", "2m"},
		{license.Production, "2018-06-30", "2018-06-30", ""},
		{license.Production, "2018-07-30", "", "2m"},
		{license.Production, "2018-07-31", "", "1m"},
		{license.Production, "2018-07-31", "2018-06-30", "1m"},
		{license.Production, "2018-08-23", "2018-06-30", "1m"},
		{license.Production, "2018-08-23", "2018-07-31", ""},
		{license.Production, "2018-08-24", "2018-07-31", "7d"},
		{license.Production, "2018-08-30", "2018-07-31", "7d"},
		{license.Production, "2018-08-31", "2018-07-31", "0d"},
		{license.Production, "2018-08-31", "2018-08-31", ""},
		{license.Production, "2018-09-01", "", ""}, // too late for that of the last day, too early for the next
		{license.Production, "2018-09-06", "", ""},
		{license.Production, "2018-09-07", "2018-08-31", "7d-after"},
		{license.Production, "2018-09-14", "", "7d-after"},
		{license.Production, "2018-09-14", "2018-09-07", ""},
		{license.Production, "2018-09-15", "", ""},
		{license.Evaluation, "2018-08-23", "", ""},
		{license.Evaluation, "2018-08-24", "", "7d"},
		{license.Evaluation, "2018-08-31", "2018-08-24", "0d"},
		{license.Evaluation, "2018-09-07", "", ""},
	} {
		sent := license.Date{}
		if tt.sent != "" {
			sent = day(t, tt.sent)
		}
		l := license.License{Type: tt.of, Expiration: day(t, "2018-08-31")}
		got, due := switchedOn.Due(l, day(t, tt.today), sent)
		if due != (tt.want != "") || due && got.String() != tt.want {
			t.Errorf("%s, today %s, sent %q: got %s, %v, want %q", tt.of, tt.today, tt.sent, got, due, tt.want)
		}
	}
}

// A 30-day evaluation is the license generator's default.
func TestThirtyDayEvaluationIsRemindedTwice(t *testing.T) {
	l := license.License{Type: license.Evaluation, NotBefore: day(t, "2018-03-01"), Expiration: day(t, "2018-03-31")}
	if got := fmt.Sprint(reminder.Policy{}.Stages(l)); got != "[7d 0d]" {
		t.Errorf("got stages %s, want [7d 0d]", got)
	}
}

func TestStageOnOrBeforeTheFirstDayIsLeftOut(t *testing.T) {
	for notBefore, want := range map[string]string{
		"2018-06-29": "[2m 1m 7d 0d 7d-after]", "2018-06-30": "[1m 7d 0d 7d-after]", "2018-07-31": "[7d 0d 7d-after]",
		"2018-08-24": "[0d 7d-after]", "2018-08-31": "[7d-after]",
	} {
		l := license.License{Type: license.Production, NotBefore: day(t, notBefore), Expiration: day(t, "2018-08-31")}
		if got := fmt.Sprint(switchedOn.Stages(l)); got != want {
			t.Errorf("from %s: got stages %s, want %s", notBefore, got, want)
		}
	}
}

func TestSilencedLicenseGetsNoReminder(t *testing.T) {
	expiration := day(t, "2018-08-31")
	for want, l := range map[reminder.Silence]license.License{
		reminder.Revoked: {Revoked: expiration.Start()},
		reminder.Renewed: {Successor: "another"},
		reminder.Retired: {Retired: true},
		reminder.Muted:   {Mute: license.Mute{By: "sam"}},
	} {
		l.Type, l.Expiration = license.Production, expiration
		for today := expiration.AddDays(-70); !today.After(expiration.AddDays(20)); today = today.AddDays(1) {
			if s, due := switchedOn.Due(l, today, license.Date{}); due {
				t.Errorf("%s: got stage %s due on %v, want none", want, s, today)
			}
			if d, s := switchedOn.Next(l, today, license.Date{}); !d.IsZero() || !s.IsZero() {
				t.Errorf("%s: on %v, got next %v, %s, want none", want, today, d, s)
			}
			if got := reminder.Silenced(l, today); got != want || !switchedOn.Over(l, today) {
				t.Errorf("on %v: got silence %q, want %q and that the reminders are over", today, got, want)
			}
		}
	}
}

func TestMuteWithAnEndPutsRemindersOff(t *testing.T) {
	l := license.License{Type: license.Production, Expiration: day(t, "2018-08-31")}
	for _, tt := range []struct{ until, today, next, stage string }{
		{"2018-06-15", "2018-06-01", "2018-06-30", "2m"}, // it ends before the first stage
		{"2018-06-29", "2018-06-01", "2018-06-30", "2m"},
		{"2018-06-30", "2018-06-01", "2018-07-01", "2m"}, // the stage is sent late
		{"2018-07-30", "2018-06-01", "2018-07-31", "1m"},
		{"2018-08-30", "2018-08-30", "2018-08-31", "1m"},
		{"2018-08-31", "2018-06-01", "", ""},
		{"2018-06-15", "2018-06-16", "2018-06-30", "2m"},
	} {
		l.Mute = license.Mute{By: "sam", Until: day(t, tt.until)}
		next, s := reminder.Policy{}.Next(l, day(t, tt.today), license.Date{})
		if next.String() != tt.next || s.String() != tt.stage {
			t.Errorf("until %s, on %s: got %v, %s, want %s, %s", tt.until, tt.today, next, s, tt.next, tt.stage)
		}
	}
	l.Mute.Until = day(t, "2018-07-15")
	for today, want := range map[string]string{"2018-07-15": "", "2018-07-16": "2m"} {
		s, due := reminder.Policy{}.Due(l, day(t, today), license.Date{})
		if due != (want != "") || due && s.String() != want {
			t.Errorf("on %s: got %s, %v, want %q", today, s, due, want)
		}
	}
}

func TestPagesWarnFromTheFirstStageThroughTheLastDay(t *testing.T) {
	promise := reminder.Policy{}
	begun := func(first string) license.License {
		return license.License{Type: license.Staging, NotBefore: day(t, first)}
	}
	for name, tt := range map[string]struct {
		policy      reminder.Policy
		l           license.License
		first, last string
	}{
		"production":         {promise, license.License{Type: license.Production}, "2018-06-30", "2018-08-31"},
		"evaluation":         {promise, license.License{Type: license.Evaluation}, "2018-08-24", "2018-08-31"},
		"with more stages":   {switchedOn, license.License{Type: license.Production}, "2018-06-30", "2018-08-31"},
		"short term":         {promise, begun("2018-07-15"), "2018-07-31", "2018-08-31"},
		"too short a term":   {promise, begun("2018-08-15"), "2018-08-15", "2018-08-31"},
		"only a stage after": {reminder.With(reminder.DaysAfter(7)), begun("2018-08-15"), "2018-08-15", "2018-08-31"},
		"paused emails":      {promise, license.License{Mute: license.Mute{By: "sam"}}, "2018-06-30", "2018-08-31"},
		"renewed":            {promise, license.License{Successor: "l2"}, "", ""},
		"revoked":            {promise, license.License{Revoked: day(t, "2018-01-01").Start()}, "", ""},
		"retired":            {promise, license.License{Retired: true}, "", ""},
	} {
		tt.l.Expiration = day(t, "2018-08-31")
		var first, last license.Date
		for today := day(t, "2018-05-01"); today.Before(day(t, "2018-11-01")); today = today.AddDays(1) {
			if !tt.policy.Warns(tt.l, today) {
				continue
			}
			if first.IsZero() {
				first = today
			} else if last.AddDays(1) != today {
				t.Errorf("%s: got no warning between %v and %v", name, last, today)
			}
			last = today
		}
		if first.String() != tt.first || last.String() != tt.last {
			t.Errorf("%s: got warnings from %q through %q, want %q through %q", name, first, last, tt.first, tt.last)
		}
	}
}

func TestRemindersAreOverAfterTheLastWindow(t *testing.T) {
	for name, tt := range map[string]struct {
		policy reminder.Policy
		of     license.Type
		last   string
	}{
		"the promise":           {reminder.Policy{}, license.Production, "2018-08-31"},
		"with a stage after":    {switchedOn, license.Staging, "2018-09-14"},
		"an evaluation":         {switchedOn, license.Evaluation, "2018-08-31"},
		"switched on, no after": {reminder.With(reminder.DaysBefore(0)), license.Production, "2018-08-31"},
	} {
		l := license.License{Type: tt.of, Expiration: day(t, "2018-08-31")}
		last := day(t, tt.last)
		if got := tt.policy.Last(l); got != last {
			t.Errorf("%s: got the last day %v, want %v", name, got, last)
		}
		if tt.policy.Over(l, last) || !tt.policy.Over(l, last.AddDays(1)) {
			t.Errorf("%s: got that they are over %v on %v and %v the day after, want only the day after", name,
				tt.policy.Over(l, last), last, tt.policy.Over(l, last.AddDays(1)))
		}
	}
}

func TestWhenNamesTheDay(t *testing.T) {
	today := day(t, "2018-08-31")
	for days, want := range map[int]string{
		62: "in 62 days", 2: "in 2 days", 1: "tomorrow", 0: "today", -1: "yesterday", -2: "2 days ago", -7: "7 days ago",
	} {
		if got := reminder.When(today.AddDays(days), today); got != want {
			t.Errorf("%d days from today: got %q, want %q", days, got, want)
		}
	}
}

func TestPolicyIsParsed(t *testing.T) {
	production := license.License{Type: license.Production, Expiration: day(t, "2018-08-31")}
	for text, want := range map[string]string{
		"": "[2m 1m]", " , ": "[2m 1m]", "7d": "[2m 1m 7d]", "7d-after,0d,7d": "[2m 1m 7d 0d 7d-after]",
		"0d 7d": "[2m 1m 7d 0d]", "0d, 0d": "[2m 1m 0d]", "7d-after": "[2m 1m 7d-after]",
	} {
		p, err := reminder.ParsePolicy(text)
		if got := fmt.Sprint(p.Stages(production)); err != nil || got != want {
			t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"8d", "1m", "2m", "7", "7days", "d", "-7d", "7d-before", "7d;0d", "14d-after", "0d-after"} {
		if p, err := reminder.ParsePolicy(text); err == nil || len(p.Stages(production)) != 2 {
			t.Errorf("%q: got %v, want an error and no further stages", text, p.Stages(production))
		} else if !strings.Contains(err.Error(), "7d, 0d and 7d-after") {
			t.Errorf("%q: got %v, want the stages that there are", text, err)
		}
	}
}

func TestStageIsReadAsItIsWritten(t *testing.T) {
	for text, name := range map[string]string{
		"2m": "2 months before", "1m": "1 month before", "12m": "12 months before", "7d": "7 days before",
		"1d": "1 day before", "0d": "on the last day", "1d-after": "1 day after", "7d-after": "7 days after",
	} {
		s := stage(t, text)
		if s.String() != text || s.Name() != name || s.IsZero() || s.After() != strings.HasSuffix(text, "after") {
			t.Errorf("got %s, %q, want %s, %q", s, s.Name(), text, name)
		}
		data, err := json.Marshal(map[string]reminder.Stage{"stage": s})
		var back map[string]reminder.Stage
		if err == nil {
			err = json.Unmarshal(data, &back)
		}
		if err != nil || back["stage"] != s || string(data) != `{"stage":"`+text+`"}` {
			t.Errorf("got %s, %v, %v, want %s back", data, back, err, text)
		}
	}
	for _, text := range []string{
		"", "m", "d", "0m", "-1m", "2", "2M", "7D", "7d ", " 7d", "07d", "+7d", "7d-afte", "0d-after", "-7d-after",
		"2m-after", "7d-after-after", "7.5d", "9999999999999999999d", "7d,0d", "1y",
	} {
		if s, err := reminder.ParseStage(text); err == nil || !s.IsZero() {
			t.Errorf("%q: got stage %s, want an error", text, s)
		}
	}
	var none struct {
		Stage reminder.Stage `json:"stage,omitzero"`
	}
	if data, err := json.Marshal(none); err != nil || string(data) != "{}" {
		t.Errorf("no stage: got %s, %v, want it left out", data, err)
	}
	if err := json.Unmarshal([]byte(`{"stage":""}`), &none); err != nil || !none.Stage.IsZero() ||
		none.Stage.Name() != "" {
		t.Errorf("empty stage: got %s, %v, want none", none.Stage, err)
	}
	if err := json.Unmarshal([]byte(`{"stage":"2 months"}`), &none); err == nil {
		t.Error("2 months: got no error")
	}
}

// What follows counts days by walking from one to the next, and knows of the policy only what the vendor promises.

// walked is a stage whose day was walked to.
type walked struct {
	name         string
	day, through license.Date
}

// months walks to the month that is so many before, and there to the same day, or the last if there is none.
func months(d license.Date, n int) license.Date {
	walk := d
	for range n {
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

func days(d license.Date, n, step int) license.Date {
	for range n {
		d = d.AddDays(step)
	}
	return d
}

// walk finds the days of stages for a license, in their order. Of those that fall on one day it keeps none.
func walk(l license.License, names ...string) (list []walked) {
	for _, name := range names {
		w := walked{name: name, through: l.Expiration}
		n := 0
		for _, digit := range name {
			if digit >= '0' && digit <= '9' {
				n = 10*n + int(digit-'0')
			}
		}
		switch {
		case strings.HasSuffix(name, "m"):
			w.day = months(l.Expiration, n)
		case strings.HasSuffix(name, "-after"):
			w.day = days(l.Expiration, n, 1)
			w.through = days(w.day, 7, 1)
		default:
			w.day = days(l.Expiration, n, -1)
		}
		if l.NotBefore.IsZero() || l.NotBefore.Before(w.day) {
			list = append(list, w)
		}
	}
	slices.SortFunc(list, func(a, b walked) int { return cmp.Compare(a.day.String(), b.day.String()) })
	return list
}

// stagesOf names the stages of a type of license, with those that are switched on.
func stagesOf(of license.Type, extra ...string) []string {
	if of == license.Evaluation {
		return []string{"7d", "0d"}
	}
	return append([]string{"2m", "1m"}, extra...)
}

// dueOn returns the stage to send on a day, "" for none. sent is the day of the newest stage sent.
func dueOn(list []walked, today, sent license.Date) string {
	newest := walked{}
	for _, w := range list {
		if !today.Before(w.day) {
			newest = w
		}
	}
	if newest.name == "" || newest.through.Before(today) || !sent.IsZero() && !sent.Before(newest.day) {
		return ""
	}
	return newest.name
}

func TestEveryExpirationDayOfALeapAndANonLeapYear(t *testing.T) {
	types := []license.Type{license.Production, license.Staging, license.Evaluation}
	for _, year := range []int{2018, 2020} {
		for d := (license.Date{Year: year, Month: time.January, Day: 1}); d.Year == year; d = d.AddDays(1) {
			for _, of := range types {
				l := license.License{Type: of, Expiration: d}
				if of == license.Production {
					everyDay(t, reminder.Policy{}, l, walk(l, stagesOf(of)...))
				}
				everyDay(t, switchedOn, l, walk(l, stagesOf(of, "7d", "0d", "7d-after")...))
			}
		}
	}
}

// everyDay compares what a policy says on every day with the days walked to.
func everyDay(t *testing.T, p reminder.Policy, l license.License, list []walked) {
	t.Helper()
	sents := []license.Date{{}}
	for _, w := range list {
		sents = append(sents, w.day)
	}
	for today := l.Expiration.AddDays(-70); !today.After(l.Expiration.AddDays(20)); today = today.AddDays(1) {
		for _, sent := range sents {
			want := dueOn(list, today, sent)
			s, due := p.Due(l, today, sent)
			if due != (want != "") || due && s.String() != want {
				t.Fatalf("%s until %v, today %v, sent %q: got %s, %v, want %q", l.Type, l.Expiration, today, sent, s,
					due, want)
			}
		}
		want := !today.Before(list[0].day) && !l.Expiration.Before(today)
		if got := p.Warns(l, today); got != want {
			t.Fatalf("%s until %v, today %v: got a warning %v, want %v", l.Type, l.Expiration, today, got, want)
		}
	}
}

// TestHistories runs random policies over random days, some of them missed, as the daily run does.
func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := license.License{
			Type: rapid.SampledFrom([]license.Type{license.Production, license.Staging, license.Evaluation}).
				Draw(t, "type"),
			Expiration: license.Date{Year: 2018, Month: 1, Day: 1}.
				AddDays(rapid.IntRange(0, 3*365).Draw(t, "expiration")),
		}
		if rapid.Bool().Draw(t, "has a first day") {
			l.NotBefore = l.Expiration.AddDays(-rapid.IntRange(0, 400).Draw(t, "term"))
		}
		policy, list := drawPolicy(t, l)
		first := months(l.Expiration, 15)
		end := l.Expiration.AddDays(60)
		missed := drawMissed(t, first, end)
		mutes := map[license.Date]license.Mute{}
		for range rapid.IntRange(0, 3).Draw(t, "mutes") {
			on := first.AddDays(rapid.IntRange(0, first.DaysUntil(end)).Draw(t, "muted on"))
			m := license.Mute{}
			if rapid.Bool().Draw(t, "paused") {
				m.By = "sam"
				if rapid.Bool().Draw(t, "for a time") {
					m.Until = on.AddDays(rapid.IntRange(0, 100).Draw(t, "for days"))
				}
			}
			mutes[on] = m
		}
		run(t, policy, list, l, missed, mutes, first, end)
	})
}

// drawPolicy draws a policy with further stages, none of which falls on the day of another.
func drawPolicy(t *rapid.T, l license.License) (reminder.Policy, []walked) {
	names := stagesOf(l.Type)
	var extra []reminder.Stage
	for range rapid.IntRange(0, 4).Draw(t, "further stages") {
		n := rapid.IntRange(0, 40).Draw(t, "n")
		s, name := reminder.DaysBefore(n), fmt.Sprintf("%dd", n)
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 1:
			s, name = reminder.MonthsBefore(n/3+1), fmt.Sprintf("%dm", n/3+1)
		case 2:
			s, name = reminder.DaysAfter(n+1), fmt.Sprintf("%dd-after", n+1)
		}
		on := func(name string) license.Date {
			w := walk(license.License{Expiration: l.Expiration}, name)
			return w[0].day
		}
		if l.Type != license.Evaluation &&
			!slices.ContainsFunc(names, func(other string) bool { return on(other) == on(name) }) {
			names = append(names, name)
		}
		if l.Type == license.Evaluation || slices.Contains(names, name) {
			extra = append(extra, s)
		}
	}
	return reminder.With(slices.Compact(extra)...), walk(l, names...)
}

func drawMissed(t *rapid.T, first, end license.Date) map[license.Date]bool {
	missed := map[license.Date]bool{}
	if rapid.Bool().Draw(t, "days are missed") {
		for _, n := range rapid.SliceOf(rapid.IntRange(0, first.DaysUntil(end))).Draw(t, "missed") {
			for i := range rapid.IntRange(1, 45).Draw(t, "for days") {
				missed[first.AddDays(n+i)] = true
			}
		}
	}
	return missed
}

// run lives through the days of a license, and compares the policy with the days walked to.
func run(t *rapid.T, policy reminder.Policy, list []walked, l license.License, missed map[license.Date]bool,
	mutes map[license.Date]license.Mute, first, end license.Date) {
	sent := license.Date{}
	mailed := map[string]license.Date{}
	muted := func(on license.Date) bool {
		return l.Mute.By != "" && (l.Mute.Until.IsZero() || !l.Mute.Until.Before(on))
	}
	for today := first; !today.After(end); today = today.AddDays(1) {
		if m, ok := mutes[today]; ok {
			l.Mute = m
		}
		if missed[today] {
			continue
		}
		want := dueOn(list, today, sent)
		if muted(today) {
			want = ""
		}
		s, due := policy.Due(l, today, sent)
		if due != (want != "") || due && s.String() != want {
			t.Fatalf("%v: got %s, %v, want %q", today, s, due, want)
		}
		// The next reminder is the first that will be due if nothing else happens.
		wantNext, wantStage := license.Date{}, ""
		for on := today; !on.After(end); on = on.AddDays(1) {
			if wantStage = dueOn(list, on, sent); wantStage != "" && !muted(on) {
				wantNext = on
				break
			}
		}
		if wantNext.IsZero() {
			wantStage = ""
		}
		if next, stage := policy.Next(l, today, sent); next != wantNext || stage.String() != wantStage {
			t.Fatalf("%v: got next %v, %s, want %v, %s", today, next, stage, wantNext, wantStage)
		}
		if over := policy.Over(l, today); wantStage != "" && over && !muted(today) {
			t.Fatalf("%v: got that the reminders are over, and %s is to come", today, wantStage)
		}
		if !due {
			continue
		}
		if policy.Oldest(today).After(s.Day(l.Expiration)) {
			t.Fatalf("%v: %s of %v is due, and the run looks back to %v", today, s, s.Day(l.Expiration),
				policy.Oldest(today))
		}
		if on, twice := mailed[want]; twice {
			t.Fatalf("%s mailed on %v and %v", want, on, today)
		}
		mailed[want], sent = today, s.Day(l.Expiration)
	}
	if len(missed)+len(mutes) > 0 {
		return
	}
	for _, w := range list {
		if mailed[w.name] != w.day {
			t.Fatalf("a run every day: %s mailed on %q, its day is %v", w.name, mailed[w.name], w.day)
		}
	}
}
