package letter

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/spreadsheet"
)

const calendarType = "text/calendar; charset=utf-8"

// calendar returns the expiration of a license as a calendar file (RFC 5545): an all-day event in the calendar's own
// time zone, with an alarm on each day on which we send a reminder. The same license gives the same bytes, so that a
// calendar does not get a second event.
//
// The file has no METHOD, so it is an event to import and no scheduling message (RFC 5545 §3.7.2). METHOD:PUBLISH would
// need an ORGANIZER (RFC 5546 §3.2.1), for which Outlook asks for an answer to a meeting.
func (w Writer) calendar(l license.License) []byte {
	title := fmt.Sprintf("%s %s license expires: %s", w.product(), l.Edition.Name(), l.Organization)
	renew := w.requestURL(l.Edition, l.Server, l.MaxLoc, nextKind(l.Type))
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
	for _, stage := range w.alarms(l) {
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

// nextKind is what follows a license of a type: the purchase of one after an evaluation, else a renewal.
func nextKind(t license.Type) request.Kind {
	if t == license.Evaluation {
		return request.New
	}
	return request.Renewal
}

// alarms are the stages that the calendar file of a license reminds of: those on or before the last day.
func (w Writer) alarms(l license.License) []reminder.Stage {
	return slices.DeleteFunc(w.Reminders.Stages(l), reminder.Stage.After)
}

// calendarText says what the calendar file of a license contains, as of a day; the zero Date for its first.
func (w Writer) calendarText(l license.License, today license.Date) string {
	const file = "The attached calendar file contains the expiry date"
	alarms := slices.DeleteFunc(w.alarms(l), func(s reminder.Stage) bool {
		return !today.IsZero() && !s.Day(l.Expiration).After(today)
	})
	switch {
	case len(alarms) > 0:
		return file + " and reminds you " + stageNames(alarms) + ". We will email you then, too."
	case today.IsZero():
		return file + ". The term is too short for reminders."
	}
	return file + "."
}

// stageNames lists stages: "2 months and 1 month before", "2 months, 1 month and 7 days before, and on the last day".
func stageNames(stages []reminder.Stage) string {
	const ago = " before"
	var before, others []string
	for _, s := range stages {
		if name, isBefore := strings.CutSuffix(s.Name(), ago); isBefore {
			before = append(before, name)
		} else {
			others = append(others, s.Name())
		}
	}
	if len(before) == 0 {
		return enumerate(others)
	}
	list := enumerate(before) + ago
	switch {
	case len(others) == 0:
		return list
	case len(before) == 1:
		return enumerate(append([]string{list}, others...))
	}
	return list + ", and " + enumerate(others)
}

// enumerate joins words: "a", "a and b", "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// maxCalendars is how many calendar files a reminder has at most.
const maxCalendars = 10

// expiryFiles returns the calendar files of the licenses of a digest that expire and whose contract ends; of more than
// maxCalendars licenses, one list of all.
func (w Writer) expiryFiles(d digest) (files []mail.Attachment) {
	if len(d.licenses) > maxCalendars {
		return []mail.Attachment{d.list()}
	}
	for _, of := range d.licenses {
		if !goesOn(of) && !d.over(of) {
			files = append(files, mail.Attachment{
				Name: fileName(of.License, ".ics"), ContentType: calendarType, Data: w.calendar(of.License),
			})
		}
	}
	return files
}

// calendarNote says what the files of a digest are for; ok is false if it has none.
func (w Writer) calendarNote(d digest) (n note, ok bool) {
	files := w.expiryFiles(d)
	switch {
	case len(files) == 0:
		return note{}, false
	case len(d.licenses) == 1:
		return note{Title: "Add the expiry date to your calendar",
			Text: w.calendarText(d.licenses[0].License, d.today)}, true
	case len(d.licenses) > maxCalendars:
		return note{Title: "All licenses in one list", Text: fmt.Sprintf("The attached file %s lists these %s "+
			"with their last days. It opens in a spreadsheet.", listName, licenses(len(d.licenses)))}, true
	case len(files) == 1:
		return note{Title: "Add the expiry date to your calendar",
			Text: "The attached calendar file contains the expiry date of the license to renew."}, true
	}
	return note{Title: "Add the expiry dates to your calendar",
		Text: "Each of the attached calendar files contains the expiry date of one license."}, true
}

// listName is the name of the list of licenses.
const listName = "licenses.csv"

// list returns the licenses of a digest for a spreadsheet. It has no private links, since lists are passed on.
func (d digest) list() mail.Attachment {
	var b bytes.Buffer
	rows := spreadsheet.NewWriter(&b, "Last day", "Environment", "Edition", "License type", "Server ID",
		"Lines of code", "Organization", "Contract", "License ID", "Next step")
	for _, of := range d.licenses {
		l, next := of.License, "Renew"
		switch {
		case goesOn(of):
			next = "None: we will send the next key"
		case l.Type == license.Evaluation:
			next = "Request a license"
		}
		rows.Add(l.Expiration.String(), environmentOf(of), l.Edition.Name(), typeName(l.Type), string(l.Server),
			strconv.FormatInt(l.MaxLoc, 10), l.Organization, string(of.Contract), l.ID, next)
	}
	rows.Flush()
	return mail.Attachment{Name: listName, ContentType: "text/csv; charset=utf-8", Data: b.Bytes()}
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
