package officehours

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// MaxWeeks is for how many weeks the office may be closed. Longer is taken for a mistyped date.
const MaxWeeks = 8

// Examples that errors give.
const (
	zoneExample    = "for example UTC or Europe/Zurich"
	hoursExample   = "for example Mon-Fri 09:00-17:00, or Mon-Thu 09:00-17:00, Fri 09:00-15:00"
	holidayExample = "for example 2026-12-25, 12-25 for every year, 2026-12-24..2027-01-01, or 12-24 09:00-12:00"
)

// In returns the hours in another time zone, an IANA name such as Europe/Zurich.
func (h Hours) In(zone string) (Hours, error) {
	z, ok := LoadZone(zone)
	if !ok {
		return Hours{}, fmt.Errorf("unknown time zone: use an IANA name, %s", zoneExample)
	}
	return h.changed(func(c *calendar) { c.zone = z })
}

// maxZone is the longest name of a time zone. The longest of the IANA database has 32 characters.
const maxZone = 64

// LoadZone returns the time zone of an IANA name. ok is false for anything else, also for names that mean the zone of
// this machine.
func LoadZone(name string) (zone *time.Location, ok bool) {
	if name == "" || name == "Local" || len(name) > maxZone {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// On returns the hours with others by weekday: days or ranges of days, each with when the office opens and closes,
// separated by commas. It is closed on days that are not named. For example Mon-Thu 09:00-17:00, Fri 09:00-15:00.
func (h Hours) On(week string) (Hours, error) {
	var parsed [7]span
	for _, item := range items(week) {
		days, hours, _ := strings.Cut(item, " ")
		first, last, isRange := strings.Cut(days, "-")
		if !isRange {
			last = first
		}
		from, ok1 := weekday(first)
		to, ok2 := weekday(last)
		if !ok1 || !ok2 {
			return Hours{}, fmt.Errorf("%q does not begin with weekdays: %s", item, hoursExample)
		}
		s, err := parseSpan(hours, hoursExample)
		if err != nil {
			return Hours{}, err
		}
		for d := from; ; d = (d + 1) % 7 {
			if parsed[d] != (span{}) && parsed[d] != s {
				return Hours{}, fmt.Errorf("%s has two different hours: %s", d, hoursExample)
			}
			parsed[d] = s
			if d == to {
				break
			}
		}
	}
	if parsed == ([7]span{}) {
		return Hours{}, fmt.Errorf("no day is open: %s", hoursExample)
	}
	return h.changed(func(c *calendar) { c.week = parsed })
}

// Except returns the hours with other holidays: dates such as 2026-12-25, days of every year such as 12-25, and ranges
// of either such as 2026-12-24..2027-01-01, separated by commas. The office is closed on them, or open as the times
// behind them say: 12-24 09:00-12:00. A date counts more than a day of every year. Times open the office on a weekday
// on which it is closed if they are those of a single date.
func (h Hours) Except(holidays string) (Hours, error) {
	dated, yearly := map[date]exception{}, map[monthDay]exception{}
	for _, item := range items(holidays) {
		days, hours, shortened := strings.Cut(item, " ")
		first, last, isRange := strings.Cut(days, "..")
		if !isRange {
			last = first
		}
		var e exception
		if shortened {
			s, err := parseSpan(hours, holidayExample)
			if err != nil {
				return Hours{}, err
			}
			e.span = s
		}
		from, everyYear, err := parseDay(first)
		if err != nil {
			return Hours{}, err
		}
		to, toEveryYear, err := parseDay(last)
		if err != nil {
			return Hours{}, err
		}
		e.extra = shortened && !isRange && !everyYear
		if everyYear && to < from { // over the end of the year
			to += 366 // of the next year
		}
		switch {
		case everyYear != toEveryYear:
			return Hours{}, fmt.Errorf("%q has a year on one side only: %s", item, holidayExample)
		case to < from:
			return Hours{}, fmt.Errorf("%q ends before it begins: %s", item, holidayExample)
		case to-from > 366:
			return Hours{}, fmt.Errorf("%q is longer than a year: %s", item, holidayExample)
		}
		for d := from; d <= to; d++ {
			twice := false
			if everyYear {
				twice = add(yearly, d.monthDay(), e)
			} else {
				twice = add(dated, d, e)
			}
			if twice {
				return Hours{}, fmt.Errorf("%s is listed twice with different hours: %s", listed(d, everyYear),
					holidayExample)
			}
		}
	}
	return h.changed(func(c *calendar) { c.dated, c.yearly = dated, yearly })
}

// add adds an exception and reports whether the day has another one. The same again is no contradiction.
func add[Day comparable](to map[Day]exception, d Day, e exception) (twice bool) {
	known, ok := to[d]
	if ok && known.span != e.span {
		return true
	}
	e.extra = e.extra || known.extra
	to[d] = e
	return false
}

// changed returns the hours after a change, checked.
func (h Hours) changed(change func(*calendar)) (Hours, error) {
	c := *h.calendar()
	change(&c)
	if err := c.check(); err != nil {
		return Hours{}, err
	}
	return Hours{&c}, nil
}

// leapYear is a year that has every day of a year. Days of every year are read as its dates.
const leapYear = 2000

// check makes sure that the office never stays closed for long. After 28 years the weekdays repeat.
func (c *calendar) check() error {
	start := dateOf(time.Date(leapYear, time.January, 1, 0, 0, 0, 0, time.UTC))
	if len(c.yearly) > 0 {
		everyYear := *c
		everyYear.dated = nil
		if err := everyYear.checkBetween(start, start+28*366, "01-02"); err != nil {
			return err
		}
	}
	dates := slices.Sorted(maps.Keys(c.dated))
	for i := 0; i < len(dates); i++ { // each run of dates without a gap longer than MaxWeeks
		from := dates[i]
		for i+1 < len(dates) && dates[i+1]-dates[i] <= 7*MaxWeeks {
			i++
		}
		if err := c.checkBetween(from-7*MaxWeeks, dates[i]+7*MaxWeeks, time.DateOnly); err != nil {
			return err
		}
	}
	return nil
}

// checkBetween refuses a time of more than MaxWeeks weeks without a business day. layout formats when it begins.
func (c *calendar) checkBetween(from, to date, layout string) error {
	closed := from // the first day of the time without a business day
	for d := from; d <= to; d++ {
		if c.span(d) != (span{}) {
			closed = d + 1
		}
		if d-closed+1 > 7*MaxWeeks {
			return fmt.Errorf("the office is closed for more than %d weeks from %s on: %s", MaxWeeks,
				closed.midnight().Format(layout), holidayExample)
		}
	}
	return nil
}

// items returns the items of a list, with single spaces in them. Empty ones are left out.
func items(list string) (found []string) {
	list = strings.ReplaceAll(list, "–", "-")
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.Join(strings.Fields(item), " "); item != "" {
			found = append(found, item)
		}
	}
	return found
}

// weekday reads the name of a weekday or its first three letters.
func weekday(name string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(name, d.String()) || strings.EqualFold(name, d.String()[:3]) {
			return d, true
		}
	}
	return 0, false
}

// parseSpan reads when a day opens and closes, such as 09:00-17:00.
func parseSpan(text, example string) (s span, err error) {
	opens, closes, ok := strings.Cut(text, "-")
	from, ok1 := minutes(strings.TrimSpace(opens))
	to, ok2 := minutes(strings.TrimSpace(closes))
	switch {
	case !ok || !ok1 || !ok2:
		return span{}, fmt.Errorf("%q is not when a day opens and closes: %s", text, example)
	case to <= from:
		return span{}, fmt.Errorf("%q closes before it opens: %s", text, example)
	}
	return span{from, to}, nil
}

// minutes reads a time of day. 24:00 is the end of the day.
func minutes(text string) (int, bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// parseDay reads a date, or a day of every year, which is returned as that of leapYear.
func parseDay(text string) (d date, everyYear bool, err error) {
	full := text
	if everyYear = len(text) == len("12-25"); everyYear {
		full = fmt.Sprintf("%d-%s", leapYear, text)
	}
	t, err := time.Parse(time.DateOnly, full)
	switch {
	case err != nil && isDate(full):
		return 0, false, fmt.Errorf("%s does not exist: %s", text, holidayExample)
	case err != nil:
		return 0, false, fmt.Errorf("%q is not a date: %s", text, holidayExample)
	}
	return dateOf(t), everyYear, nil
}

// isDate reports whether a text has the form of a date.
func isDate(text string) bool {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0'
		}
		return r
	}, text)
	return digits == "0000-00-00"
}

// listed returns a day as the list of holidays has it.
func listed(d date, everyYear bool) string {
	if everyYear {
		return d.midnight().Format("01-02")
	}
	return d.midnight().Format(time.DateOnly)
}
