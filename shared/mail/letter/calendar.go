package letter

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"marketplace/shared/input"
	"marketplace/shared/license"
)

const calendarType = "text/calendar; charset=utf-8"

// calendar returns the expiration of a license as a calendar file (RFC 5545): an all-day event in the calendar's own
// time zone, with an alarm on each day on which we send a reminder. The same license gives the same bytes, so that a
// calendar does not get a second event.
//
// The file has no METHOD, so it is an event to import and no scheduling message (RFC 5545 §3.7.2). METHOD:PUBLISH would
// need an ORGANIZER (RFC 5546 §3.2.1), for which Outlook asks for an answer to a meeting.
func (w Writer) calendar(l license.License) []byte {
	title := fmt.Sprintf("SonarQube %s license expires: %s", l.Edition.Name(), l.Organization)
	renew := w.requestURL(l.Edition, l.Server, l.MaxLoc, followUpOf(l.Type).kind)
	var b calendarFile
	b.line("BEGIN", "VCALENDAR")
	b.line("VERSION", "2.0")
	b.line("PRODID", "-//"+text(host(w.URL))+"//Licenses//EN")
	b.line("BEGIN", "VEVENT")
	b.line("UID", text("license-"+l.ID+"@"+host(w.URL)))
	b.line("DTSTAMP", l.Issued.Start().Format("20060102T150405Z"))
	b.line("DTSTART;VALUE=DATE", l.Expiration.Start().Format("20060102"))
	b.line("DTEND;VALUE=DATE", l.Expiration.End().Format("20060102"))
	b.line("SUMMARY", text(title))
	b.line("DESCRIPTION",
		text(fmt.Sprintf("License %s for server %s is valid through %s.", l.ID, l.Server, lastSecond(l))),
		text("Request the next license in time: "+renew))
	b.line("URL", renew)
	b.line("TRANSP", "TRANSPARENT")
	for _, stage := range w.Reminders.Stages(l) {
		if stage.After() {
			continue
		}
		b.line("BEGIN", "VALARM")
		b.line("ACTION", "DISPLAY")
		b.line("TRIGGER", fmt.Sprintf("-P%dD", stage.Day(l.Expiration).DaysUntil(l.Expiration)))
		b.line("DESCRIPTION", text(title))
		b.line("END", "VALARM")
	}
	b.line("END", "VEVENT")
	b.line("END", "VCALENDAR")
	return []byte(b.String())
}

func host(site string) string {
	if u, err := url.Parse(site); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "localhost"
}

// text escapes a value of type TEXT (RFC 5545 §3.3.11).
func text(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`).Replace(input.OneLine(s, maxValue))
}

// calendarFile builds the lines of a calendar.
type calendarFile struct{ strings.Builder }

// line writes a content line, folded to at most 75 bytes without cutting a character (RFC 5545 §3.1). Several values
// are the lines of one TEXT.
func (c *calendarFile) line(name string, values ...string) {
	rest := name + ":" + strings.Join(values, `\n`)
	for limit := 75; len(rest) > limit; limit = 74 {
		end := limit
		for !utf8.RuneStart(rest[end]) {
			end--
		}
		c.WriteString(rest[:end] + "\r\n ")
		rest = rest[end:]
	}
	c.WriteString(rest + "\r\n")
}
