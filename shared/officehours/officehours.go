// Package officehours knows when the vendor's office is open: a time zone, hours by weekday, and holidays. It decides
// when a reply is due and writes times as people read them. It leaves to others what a late reply leads to.
package officehours

import "time"

// Hours is when the office is open. The zero value is Monday to Friday, 09:00 to 17:00 UTC, without holidays. In, On
// and Except make others; each accepts only what has a business day at least every MaxWeeks weeks.
type Hours struct{ c *calendar }

// calendar is what Hours are made of. It never changes once it is in use.
type calendar struct {
	zone   *time.Location
	week   [7]span // by time.Weekday
	dated  map[date]exception
	yearly map[monthDay]exception
}

// span is when the office is open on a day, in minutes after midnight. The zero span is a day on which it is closed.
type span struct{ opens, closes int }

// exception is the hours of a day other than those of its weekday.
type exception struct {
	span
	extra bool // also on a weekday on which the office is closed
}

// usual are the hours of the zero value.
var usual = calendar{zone: time.UTC, week: [7]span{
	time.Monday: {9 * 60, 17 * 60}, time.Tuesday: {9 * 60, 17 * 60}, time.Wednesday: {9 * 60, 17 * 60},
	time.Thursday: {9 * 60, 17 * 60}, time.Friday: {9 * 60, 17 * 60},
}}

func (h Hours) calendar() *calendar {
	if h.c == nil {
		return &usual
	}
	return h.c
}

// Zone returns the time zone of the office.
func (h Hours) Zone() *time.Location { return h.calendar().zone }

// Due returns when the reply to what was received is due, in UTC: one business day later. What is received during
// office hours is due at the same local time of the next business day, or at the nearest time at which the office is
// open that day. Anything else counts from the next opening, and is due when that day closes.
//
// Of two times, the later one is never due earlier. In an hour that the clocks repeat, the second one counts as its
// end; a local time that they skip is that of the change.
func (h Hours) Due(received time.Time) time.Time {
	c := h.calendar()
	day, opens, closes := c.next(received)
	if received.Before(opens) {
		return closes.UTC()
	}
	sinceMidnight := c.clock(received).Sub(day.midnight())
	day, opens, closes = c.next(closes)
	due := c.at(day, sinceMidnight)
	switch {
	case due.Before(opens):
		due = opens
	case due.After(closes):
		due = closes
	}
	return due.UTC()
}

// Add returns the first time by which the office was open for d since t, in UTC. Without d it is t.
func (h Hours) Add(t time.Time, d time.Duration) time.Time {
	for d > 0 {
		_, opens, closes := h.calendar().next(t)
		if t.Before(opens) {
			t = opens
		}
		step := min(d, closes.Sub(t))
		t, d = t.Add(step), d-step
	}
	return t.UTC()
}

// Open reports whether the office is open at t. It is when it opens, and is not when it closes.
func (h Hours) Open(t time.Time) bool {
	_, opens, _ := h.calendar().next(t)
	return !t.Before(opens)
}

// Away reports whether the office is closed at t for all of that day or for more than a night, and when it opens again.
func (h Hours) Away(t time.Time) (back time.Time, away bool) {
	c := h.calendar()
	today := dateOf(c.clock(t))
	day, opens, _ := c.next(t)
	away = t.Before(opens) && (!c.business(today) || day > today+1)
	return opens.UTC(), away
}

// next returns the first business day that closes after t.
func (c *calendar) next(t time.Time) (day date, opens, closes time.Time) {
	// The day before: where the clocks are set back at midnight, its last hour comes twice.
	for day = dateOf(c.clock(t)) - 1; ; day++ {
		if opens, closes = c.hours(day); opens.Before(closes) && t.Before(closes) {
			return day, opens, closes
		}
	}
}

// hours returns when a day opens and closes; the same time twice if it does not open.
func (c *calendar) hours(day date) (opens, closes time.Time) {
	s := c.span(day)
	return c.at(day, time.Duration(s.opens)*time.Minute), c.at(day, time.Duration(s.closes)*time.Minute)
}

// business reports whether the office opens on a day. It does not on one that the zone skips, whatever is configured.
func (c *calendar) business(day date) bool {
	opens, closes := c.hours(day)
	return opens.Before(closes)
}

// span returns the configured hours of a day.
func (c *calendar) span(day date) span {
	weekday := c.week[day.midnight().Weekday()]
	e, ok := c.dated[day]
	if !ok {
		e, ok = c.yearly[day.monthDay()]
	}
	if !ok || weekday == (span{}) && !e.extra {
		return weekday
	}
	return e.span
}

// farthest is more than any zone is away from UTC, and more than any one sets its clocks back by.
const farthest = 48 * time.Hour

// at returns the first time at which the clocks of the zone show a time of day or a later one.
func (c *calendar) at(day date, sinceMidnight time.Duration) time.Time {
	clock := day.midnight().Add(sinceMidnight)
	for t := clock.Add(-farthest); ; {
		_, end := t.In(c.zone).ZoneBounds()
		shown := clock.Add(-offset(t, c.zone))
		if shown.Before(t) {
			shown = t
		}
		if end.IsZero() || shown.Before(end) {
			return shown
		}
		t = end
	}
}

// clock returns the latest time of day that the clocks of the zone have shown by t, as if it were one of UTC. It is
// that of t, unless the clocks were just set back.
func (c *calendar) clock(t time.Time) time.Time {
	latest := t.UTC().Add(offset(t, c.zone))
	for s := t; ; {
		start, _ := s.In(c.zone).ZoneBounds()
		if start.IsZero() || t.Sub(start) > farthest {
			return latest
		}
		s = start.Add(-1)
		if before := start.UTC().Add(offset(s, c.zone)); before.After(latest) {
			latest = before
		}
	}
}

func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// date is a day of the calendar, counted from 1970-01-01.
type date int

// monthDay is a day of every year.
type monthDay struct {
	month time.Month
	day   int
}

const day = 24 * time.Hour

// dateOf returns the date of a time of UTC.
func dateOf(t time.Time) date {
	return date(t.Truncate(day).Unix() / int64(day/time.Second))
}

// midnight returns the beginning of the date in UTC.
func (d date) midnight() time.Time {
	return time.Unix(int64(d)*int64(day/time.Second), 0).UTC()
}

func (d date) monthDay() monthDay {
	t := d.midnight()
	return monthDay{t.Month(), t.Day()}
}
