package officehours_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/officehours"
)

// written is a calendar by hand: when an office in Zurich, open from 09:00 to 18:00, opens and closes in UTC. 24 Dec is
// shortened, 25 Dec, 26 Dec and Good Friday are holidays, and summer time begins on 28 Mar 2027.
const written = `
2026-12-21 08:00 17:00 +1
2026-12-22 08:00 17:00 +1
2026-12-23 08:00 17:00 +1
2026-12-24 08:00 11:00 +1
2026-12-28 08:00 17:00 +1
2026-12-29 08:00 17:00 +1
2026-12-30 08:00 17:00 +1
2026-12-31 08:00 17:00 +1
2027-03-25 08:00 17:00 +1
2027-03-29 07:00 16:00 +2
2027-03-30 07:00 16:00 +2
`

// opening is a line of written.
type opening struct {
	from, to time.Time
	zone     time.Duration
}

func openings(t *testing.T) (list []opening) {
	for line := range strings.Lines(strings.TrimSpace(written)) {
		f := strings.Fields(line)
		at := func(clock string) time.Time { return instant(t, "UTC", f[0]+" "+clock) }
		zone, err := time.ParseDuration(f[3][1:] + "h")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, opening{at(f[1]), at(f[2]), zone})
	}
	return list
}

func TestDueFollowsACalendarByHand(t *testing.T) {
	h := office(t, zurich, "Mon-Fri 09:00-18:00", "2026-12-24 09:00-12:00, 12-25, 12-26, 2027-03-26")
	list := openings(t)
	for i, o := range list[:len(list)-1] {
		next := list[i+1]
		if next.from.Sub(o.from) > 7*24*time.Hour {
			continue // the weeks between are not written
		}
		for at := o.from; at.Before(next.from); at = at.Add(time.Minute) {
			want := next.to
			if at.Before(o.to) {
				clock := at.Add(o.zone).Sub(at.Add(o.zone).Truncate(24 * time.Hour))
				want = next.from.Add(next.zone).Truncate(24 * time.Hour).Add(clock - next.zone)
				if want.After(next.to) {
					want = next.to
				}
			}
			if got := h.Due(at); !got.Equal(want) {
				t.Fatalf("received at %v: got %v, want %v", at, got, want)
			}
			if got := h.Open(at); got != at.Before(o.to) {
				t.Fatalf("at %v: got open %v", at, got)
			}
		}
	}
}

// rules are office hours as a test draws them, and their answer for a time of day without any of our calendar.
type rules struct {
	zone      *time.Location
	week      [7][2]int // minutes
	holidays  map[string]bool
	shortened map[string][2]int
}

// open reports whether the clock on the wall shows a time at which the office is open.
func (r rules) open(at time.Time) bool {
	local := at.In(r.zone)
	span := r.week[local.Weekday()]
	if short, ok := r.shortened[local.Format(time.DateOnly)]; ok && span[1] > 0 {
		span = short
	}
	minute := local.Hour()*60 + local.Minute()
	return !r.holidays[local.Format(time.DateOnly)] && minute >= span[0] && minute < span[1]
}

// due walks from minute to minute. at is a whole minute.
func (r rules) due(at time.Time) time.Time {
	day := func(t time.Time) string { return t.In(r.zone).Format(time.DateOnly) }
	minute := func(t time.Time) string { return t.In(r.zone).Format("15:04") }
	t := at
	if !r.open(at) {
		for !r.open(t) {
			t = t.Add(time.Minute)
		}
		for r.open(t) {
			t = t.Add(time.Minute)
		}
		return t
	}
	for day(t) == day(at) || !r.open(t) {
		t = t.Add(time.Minute)
	}
	for r.open(t) && minute(t) < minute(at) {
		t = t.Add(time.Minute)
	}
	return t
}

// zones have summer time in either half of the year, odd distances from UTC, changes at midnight and by half an hour.
var zones = []string{"UTC", zurich, "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
	"America/Santiago", "Pacific/Apia", "Pacific/Kiritimati", "America/Havana", "Africa/Casablanca", "Asia/Beirut",
	"America/Nuuk", "Antarctica/Troll"}

// drawRules returns rules and the hours that they configure. With always, some days are open around the clock.
func drawRules(rt *rapid.T, first time.Time, always bool) (rules, officehours.Hours) {
	name := rapid.SampledFrom(zones).Draw(rt, "zone")
	zone, _ := officehours.LoadZone(name)
	r := rules{zone: zone, holidays: map[string]bool{}, shortened: map[string][2]int{}}
	quarter := rapid.IntRange(4*5, 4*22)
	span := func() [2]int {
		if always && rapid.Bool().Draw(rt, "around the clock") {
			return [2]int{0, 24 * 60}
		}
		a, b := quarter.Draw(rt, "time"), quarter.Draw(rt, "time")
		return [2]int{15 * min(a, b), 15*max(a, b) + 15}
	}
	text := func(s [2]int) string {
		return fmt.Sprintf("%02d:%02d-%02d:%02d", s[0]/60, s[0]%60, s[1]/60, s[1]%60)
	}
	var week, holidays []string
	for d := range r.week {
		if d == 3 || rapid.Bool().Draw(rt, "open") {
			r.week[d] = span()
			week = append(week, time.Weekday(d).String()+" "+text(r.week[d]))
		}
	}
	for range rapid.IntRange(0, 6).Draw(rt, "holidays") {
		date := first.AddDate(0, 0, rapid.IntRange(0, 20).Draw(rt, "day")).Format(time.DateOnly)
		_, known := r.shortened[date]
		switch weekday, _ := time.Parse(time.DateOnly, date); {
		case known || r.holidays[date]:
		case rapid.Bool().Draw(rt, "shortened") && r.week[weekday.Weekday()][1] > 0:
			r.shortened[date] = span()
			holidays = append(holidays, date+" "+text(r.shortened[date]))
		default:
			r.holidays[date] = true
			holidays = append(holidays, date)
		}
	}
	h, err := officehours.Hours{}.In(name)
	if err == nil {
		h, err = h.On(strings.Join(week, ","))
	}
	if err == nil {
		h, err = h.Except(strings.Join(holidays, ","))
	}
	if err != nil {
		rt.Fatal(err)
	}
	return r, h
}

// drawTime returns a minute of three weeks in which clocks change somewhere.
func drawTime(rt *rapid.T, first time.Time, label string) time.Time {
	return first.Add(time.Duration(rapid.IntRange(0, 21*24*60).Draw(rt, label)) * time.Minute)
}

var changes = []time.Time{
	time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, time.March, 18, 0, 0, 0, 0, time.UTC),
	time.Date(2026, time.October, 15, 0, 0, 0, 0, time.UTC), time.Date(2011, time.December, 15, 0, 0, 0, 0, time.UTC),
	time.Date(2026, time.December, 15, 0, 0, 0, 0, time.UTC), time.Date(1994, time.December, 20, 0, 0, 0, 0, time.UTC),
}

// The oracle walks the minutes by the clock on the wall. Its offices are closed in the hours in which clocks change.
func TestDueIsWhatAWalkThroughTheMinutesFinds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := rapid.SampledFrom(changes).Draw(rt, "weeks")
		r, h := drawRules(rt, first, false)
		at := drawTime(rt, first, "received")
		if got, want := h.Due(at), r.due(at); !got.Equal(want) {
			rt.Fatalf("received at %v: got %v, want %v", at.In(r.zone), got.In(r.zone), want.In(r.zone))
		}
		if got, want := h.Open(at), r.open(at); got != want {
			rt.Fatalf("at %v: got open %v, want %v", at.In(r.zone), got, want)
		}
	})
}

func TestDueIsInOfficeHoursAndNeverEarlierForWhatComesLater(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := rapid.SampledFrom(changes).Draw(rt, "weeks")
		_, h := drawRules(rt, first, true)
		at := drawTime(rt, first, "received")
		later := at.Add(time.Duration(rapid.IntRange(0, 3*60).Draw(rt, "minutes later")) * time.Minute)
		due := h.Due(at)
		switch {
		case !due.After(at):
			rt.Fatalf("received at %v: got due at %v", at, due)
		case h.Due(later).Before(due):
			rt.Fatalf("received at %v: got due at %v; later, due at %v", at, due, h.Due(later))
		case !h.Open(due) && !h.Open(due.Add(-time.Nanosecond)):
			rt.Fatalf("received at %v: got due at %v, when the office is closed", at, due)
		}
	})
}

// What is added is the time in which the office was open, counted by the minute.
func TestAddIsWhatAWalkThroughTheMinutesFinds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := rapid.SampledFrom(changes).Draw(rt, "weeks")
		r, h := drawRules(rt, first, false)
		at := drawTime(rt, first, "from")
		minutes := rapid.IntRange(0, 20*60).Draw(rt, "minutes")
		want := at
		for left := minutes; left > 0; want = want.Add(time.Minute) {
			if r.open(want) {
				left--
			}
		}
		if got := h.Add(at, time.Duration(minutes)*time.Minute); !got.Equal(want) {
			rt.Fatalf("%d minutes from %v: got %v, want %v", minutes, at, got, want)
		}
	})
}
