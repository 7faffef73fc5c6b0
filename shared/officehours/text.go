package officehours

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	dayLayout   = "Monday 02 Jan 2006"
	hourLayout  = "15:04"
	shortLayout = "Mon 02 Jan, 15:04"
)

// Deadline returns a time as it follows "by", in the zone of the office: "Monday 28 Dec 2026, 17:30 (Zurich time)". At
// midnight it names the day that ends: "the end of Monday 28 Dec 2026 (Zurich time)".
func (h Hours) Deadline(t time.Time) string {
	local := t.In(h.Zone())
	if local.Hour() == 0 && local.Minute() == 0 {
		return "the end of " + local.AddDate(0, 0, -1).Format(dayLayout) + " (" + zoneTime(local) + ")"
	}
	return h.Time(t)
}

// DeadlineIn returns Deadline, and what the clocks of a reader show if they show something else: "Monday 28 Dec 2026,
// 17:30 (Zurich time), which is 11:30 in New York". zone is an IANA name; one that LoadZone does not know adds nothing.
func (h Hours) DeadlineIn(t time.Time, zone string) string {
	text := h.Deadline(t)
	theirs, ok := LoadZone(zone)
	if !ok || offset(t, theirs) == offset(t, h.Zone()) {
		return text
	}
	ours, local := t.In(h.Zone()), t.In(theirs)
	layout := hourLayout
	if local.Format(time.DateOnly) != ours.Format(time.DateOnly) {
		layout = dayLayout + ", " + hourLayout
	}
	return text + ", which is " + local.Format(layout) + " " + inPlace(local)
}

// Time returns a time in the zone of the office: "Monday 28 Dec 2026, 17:30 (Zurich time)".
func (h Hours) Time(t time.Time) string { return h.format(t, dayLayout+", "+hourLayout) }

// Short returns a time of these days as a list has it: "Mon 28 Dec, 17:30 (Zurich time)".
func (h Hours) Short(t time.Time) string { return h.format(t, shortLayout) }

func (h Hours) format(t time.Time, layout string) string {
	local := t.In(h.Zone())
	text, zone := local.Format(layout), zoneTime(local)
	if zone == "UTC" {
		return text + " UTC"
	}
	return text + " (" + zone + ")"
}

// Week returns the hours by weekday: "Monday to Thursday, 09:00–17:00, and Friday, 09:00–15:00 (Zurich time)". t is
// when it is read: some zones have a name by their distance from UTC only, which changes.
func (h Hours) Week(t time.Time) string {
	c := h.calendar()
	var parts []string
	for i := range c.week { // from Monday on
		first := time.Weekday((i + 1) % 7)
		s, before := c.week[first], c.week[i]
		if s == (span{}) || s == before && first != time.Monday {
			continue
		}
		last := first
		for last != time.Sunday && c.week[(last+1)%7] == s {
			last = (last + 1) % 7
		}
		parts = append(parts, days(first, last)+", "+s.String())
	}
	return sentence(parts) + " (" + zoneTime(t.In(c.zone)) + ")"
}

func days(first, last time.Weekday) string {
	switch {
	case first == last:
		return first.String()
	case (first+1)%7 == last:
		return first.String() + " and " + last.String()
	}
	return first.String() + " to " + last.String()
}

// sentence joins the parts of an enumeration that have commas in them.
func sentence(parts []string) string {
	if n := len(parts); n > 1 {
		parts = append(slices.Clone(parts[:n-1]), "and "+parts[n-1])
	}
	return strings.Join(parts, ", ")
}

func (s span) String() string {
	if s == (span{}) {
		return "closed"
	}
	return fmt.Sprintf("%02d:%02d–%02d:%02d", s.opens/60, s.opens%60, s.closes/60, s.closes%60)
}

// Holiday is a day with other hours than its weekday.
type Holiday struct {
	Date  string // "Friday 25 Dec 2026"
	Hours string // "closed", or "09:00–12:00"
}

// Holidays lists the holidays of the next year from the day of t on, the earliest first.
func (h Hours) Holidays(t time.Time) (list []Holiday) {
	c := h.calendar()
	today := dateOf(c.clock(t))
	for d := today; d < today+365; d++ {
		if s := c.span(d); s != c.week[d.midnight().Weekday()] {
			list = append(list, Holiday{d.midnight().Format(dayLayout), s.String()})
		}
	}
	return list
}

// WarnDays is how long before its end RunsOut warns of a list of holidays.
const WarnDays = 60

// RunsOut reports whether the listed dates end within WarnDays of t, or have ended, and returns the last one: "Friday
// 01 Jan 2027". A list without dates does not end.
func (h Hours) RunsOut(t time.Time) (last string, soon bool) {
	c := h.calendar()
	if len(c.dated) == 0 {
		return "", false
	}
	end := slices.Max(slices.Collect(maps.Keys(c.dated)))
	return end.midnight().Format(dayLayout), end-dateOf(c.clock(t)) <= WarnDays
}

// ZoneTime names the time of a zone to people: "Zurich time", "UTC".
func (h Hours) ZoneTime(t time.Time) string { return zoneTime(t.In(h.Zone())) }

// zoneTime names the zone of a time: "Zurich time", "UTC", "UTC-05:00".
func zoneTime(t time.Time) string {
	if city, ok := place(t); ok {
		return city + " time"
	}
	return distance(t)
}

// inPlace says where a time is that of: "in Zurich", "UTC".
func inPlace(t time.Time) string {
	if city, ok := place(t); ok {
		return "in " + city
	}
	return distance(t)
}

// place returns the place that a time's zone is named for. Zones of no place are known by their distance from UTC.
func place(t time.Time) (city string, ok bool) {
	area, rest, found := strings.Cut(t.Location().String(), "/")
	if !found || area == "Etc" || area == "SystemV" {
		return "", false
	}
	return strings.ReplaceAll(rest[strings.LastIndex(rest, "/")+1:], "_", " "), true
}

// distance returns how far a time's zone is from UTC: "UTC", "UTC+05:30".
func distance(t time.Time) string {
	if _, seconds := t.Zone(); seconds == 0 {
		return "UTC"
	}
	return "UTC" + t.Format("-07:00")
}
