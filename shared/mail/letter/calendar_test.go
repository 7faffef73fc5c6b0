package letter

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
)

// component is a component of a calendar.
type component struct {
	name       string
	properties map[string]string // by name with parameters; values still escaped
	parts      []component
}

var (
	contentLine  = regexp.MustCompile(`^([A-Z-]+)((?:;[A-Z-]+=[^";:,]+)*):(.*)$`)
	dateValue    = regexp.MustCompile(`^\d{8}$`)
	instantValue = regexp.MustCompile(`^\d{8}T\d{6}Z$`)
)

// parseCalendar reads a calendar strictly (RFC 5545): CR LF, lines of at most 75 bytes, UTF-8 in each, no controls,
// components that end in their order, each property once.
func parseCalendar(data string) (component, error) {
	if !strings.HasSuffix(data, "\r\n") {
		return component{}, fmt.Errorf("no CR LF at the end")
	}
	var unfolded []string
	for i, line := range strings.Split(strings.TrimSuffix(data, "\r\n"), "\r\n") {
		switch {
		case len(line) > 75:
			return component{}, fmt.Errorf("line %d has %d bytes", i+1, len(line))
		case !utf8.ValidString(line):
			return component{}, fmt.Errorf("line %d cuts a character", i+1)
		case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7F }):
			return component{}, fmt.Errorf("line %d has control characters: %q", i+1, line)
		case strings.HasPrefix(line, " ") && i > 0:
			unfolded[len(unfolded)-1] += line[1:]
		default:
			unfolded = append(unfolded, line)
		}
	}
	var open []component
	for _, line := range unfolded {
		m := contentLine.FindStringSubmatch(line)
		if m == nil {
			return component{}, fmt.Errorf("not a content line: %q", line)
		}
		switch name, value := m[1]+m[2], m[3]; {
		case name == "BEGIN":
			open = append(open, component{name: value, properties: map[string]string{}})
		case len(open) == 0:
			return component{}, fmt.Errorf("%q is outside a component", line)
		case name == "END":
			last := open[len(open)-1]
			if last.name != value {
				return component{}, fmt.Errorf("%s ends as %s", last.name, value)
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				if line != unfolded[len(unfolded)-1] {
					return component{}, fmt.Errorf("text after the calendar")
				}
				return last, nil
			}
			open[len(open)-1].parts = append(open[len(open)-1].parts, last)
		default:
			here := open[len(open)-1].properties
			if _, twice := here[name]; twice {
				return component{}, fmt.Errorf("%s appears twice", name)
			}
			here[name] = value
		}
	}
	return component{}, fmt.Errorf("no END")
}

// textValue unescapes a value of type TEXT. Escapes unknown to RFC 5545 §3.3.11, bare commas and semicolons are errors.
func textValue(s string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ',' || c == ';':
			return "", fmt.Errorf("a bare %c in %q", c, s)
		case c != '\\':
			out.WriteByte(c)
		case i+1 == len(s):
			return "", fmt.Errorf("%q ends with a backslash", s)
		default:
			i++
			switch s[i] {
			case '\\', ',', ';':
				out.WriteByte(s[i])
			case 'n', 'N':
				out.WriteByte('\n')
			default:
				return "", fmt.Errorf("an unknown escape in %q", s)
			}
		}
	}
	return out.String(), nil
}

// checkCalendar parses the calendar of a license and returns its event and that event's texts.
func checkCalendar(t interface {
	Fatalf(string, ...any)
	Helper()
}, l license.License) (event component, texts map[string]string) {
	t.Helper()
	data := string(letters.calendar(l))
	c, err := parseCalendar(data)
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	if c.name != "VCALENDAR" || c.properties["VERSION"] != "2.0" || c.properties["PRODID"] == "" ||
		len(c.parts) != 1 || c.parts[0].name != "VEVENT" {
		t.Fatalf("not a calendar of one event:\n%s", data)
	}
	if _, scheduled := c.properties["METHOD"]; scheduled || strings.Contains(calendarType, "method") {
		t.Fatalf("the event is a scheduling message, which needs an ORGANIZER:\n%s", data)
	}
	event, texts = c.parts[0], map[string]string{}
	for _, name := range []string{"UID", "SUMMARY", "DESCRIPTION"} {
		if texts[name], err = textValue(event.properties[name]); err != nil || texts[name] == "" {
			t.Fatalf("%s: %v in\n%s", name, err, data)
		}
	}
	if p := event.properties; !instantValue.MatchString(p["DTSTAMP"]) ||
		!dateValue.MatchString(p["DTSTART;VALUE=DATE"]) || !dateValue.MatchString(p["DTEND;VALUE=DATE"]) {
		t.Fatalf("dates of the event:\n%s", data)
	}
	for _, alarm := range event.parts {
		description, err := textValue(alarm.properties["DESCRIPTION"])
		if alarm.name != "VALARM" || alarm.properties["ACTION"] != "DISPLAY" || err != nil || description == "" {
			t.Fatalf("an alarm: %v in\n%s", err, data)
		}
	}
	return event, texts
}

func TestCalendarHasTheExpiryDateAndAlarms(t *testing.T) {
	l := testLicense()
	l.Organization = `Müller, Söhne; Töchter \ Co. — ` + strings.Repeat("Bürobedarf ", 12)
	event, texts := checkCalendar(t, l)
	for name, want := range map[string]string{
		"UID":                "license-01c6x2m4vj8q0n5r7t9w3y1z2b@licenses.example.com",
		"DTSTAMP":            "20180226T000000Z",
		"DTSTART;VALUE=DATE": "20180831",
		"DTEND;VALUE=DATE":   "20180901",
		"URL": letters.URL +
			"/request/developer?kind=renewal&ncloc=2000000&serverId=4A6F8E2B-AWHW8w9JtzBzSrmf9GQX",
		"TRANSP": "TRANSPARENT",
	} {
		if got := event.properties[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	wantSummary := "SonarQube Developer Edition license expires: " + strings.TrimSpace(l.Organization)
	if got := texts["SUMMARY"]; got != wantSummary {
		t.Errorf("SUMMARY: got %q, want %q", got, wantSummary)
	}
	first, second, _ := strings.Cut(texts["DESCRIPTION"], "\n")
	if !strings.Contains(first, "31 Aug 2018, 23:59:59 UTC") ||
		second != "Request the next license in time: "+event.properties["URL"] {
		t.Errorf("DESCRIPTION: got %q", texts["DESCRIPTION"])
	}
	var triggers []string
	for _, alarm := range event.parts {
		triggers = append(triggers, alarm.properties["TRIGGER"])
	}
	if got := strings.Join(triggers, " "); got != "-P62D -P31D" {
		t.Errorf("alarms %s", got)
	}
	if again, _ := checkCalendar(t, l); fmt.Sprint(again) != fmt.Sprint(event) {
		t.Error("the same license gives a different event")
	}
}

func TestCalendarAndLetterPromiseOnlyRemindersThatWeSend(t *testing.T) {
	for _, tt := range []struct {
		from   string
		typ    license.Type
		policy reminder.Policy

		alarms, promise string
	}{
		{"2018-03-01", license.Production, reminder.Policy{}, "-P62D -P31D",
			"reminds you 2 months and 1 month before. We will email you then, too."},
		{"2018-06-30", license.Staging, reminder.Policy{}, "-P31D",
			"reminds you 1 month before. We will email you then, too."},
		{"2018-08-01", license.Production, reminder.Policy{}, "", "The term is too short for reminders."},
		{"2018-08-01", license.Evaluation, reminder.Policy{}, "-P7D -P0D",
			"reminds you 7 days before and on the last day. We will email you then, too."},
		{"2018-08-30", license.Evaluation, reminder.Policy{}, "-P0D",
			"reminds you on the last day. We will email you then, too."},
		{"2018-03-01", license.Production, switched, "-P62D -P31D -P7D -P0D",
			"reminds you 2 months, 1 month and 7 days before, and on the last day. We will email you then, too."},
		{"2018-03-01", license.Production, reminder.With(reminder.DaysAfter(7)), "-P62D -P31D",
			"reminds you 2 months and 1 month before. We will email you then, too."},
		{"2018-08-31", license.Production, reminder.With(reminder.DaysAfter(7)), "",
			"The term is too short for reminders."},
	} {
		d := testDelivery()
		d.Licenses = d.Licenses[:1]
		d.Licenses[0].NotBefore, _ = license.ParseDate(tt.from)
		d.Licenses[0].Type = tt.typ
		w := letters
		w.Reminders = tt.policy
		c, err := parseCalendar(string(w.calendar(d.Licenses[0])))
		if err != nil {
			t.Fatal(err)
		}
		var triggers []string
		for _, alarm := range c.parts[0].parts {
			triggers = append(triggers, alarm.properties["TRIGGER"])
		}
		if got := strings.Join(triggers, " "); got != tt.alarms {
			t.Errorf("%s from %s: alarms %q, want %q", tt.typ, tt.from, got, tt.alarms)
		}
		text := strings.Join(strings.Fields(w.LicenseKey("m1", d).Text), " ")
		if !strings.Contains(text, "contains the expiry date and "+tt.promise) &&
			!strings.Contains(text, "contains the expiry date. "+tt.promise) {
			t.Errorf("%s from %s: the letter does not say %q:\n%s", tt.typ, tt.from, tt.promise, text)
		}
	}
}

func TestReminderPromisesOnlyAlarmsThatAreStillToCome(t *testing.T) {
	l := testLicense()
	for days, want := range map[int]string{
		62: "contains the expiry date and reminds you 1 month before. We will email you then, too.",
		31: "contains the expiry date.",
		0:  "contains the expiry date.",
	} {
		text := strings.Join(strings.Fields(reminded(l, zoe, l.Expiration.AddDays(-days)).Text), " ")
		if !strings.Contains(text, want+" No longer using") {
			t.Errorf("%d days left: want %q in\n%s", days, want, text)
		}
	}
}

func TestReminderHasTheCalendarFileOfTheKey(t *testing.T) {
	d := testDelivery()
	l := d.Licenses[0]
	ofKey := letters.LicenseKey("m1", d).Attachments
	ofReminder := reminded(l, zoe, l.Expiration.AddDays(-62)).Attachments
	if len(ofReminder) != 1 || ofReminder[0].Name != ofKey[2].Name || !bytes.Equal(ofReminder[0].Data, ofKey[2].Data) {
		t.Error("got another calendar file, want the same bytes, so that no calendar has the event twice")
	}
}

func TestCalendarSurvivesEveryName(t *testing.T) {
	for _, s := range append(hostile, "a\\n,;b", "END:VEVENT\r\nEND:VCALENDAR", strings.Repeat("😀", 80)) {
		l := testLicense()
		l.Organization, l.ID, l.Server, l.Edition = s, s, license.Server(s), license.Edition(s)
		checkCalendar(t, l)
	}
	rapid.Check(t, func(t *rapid.T) {
		l := testLicense()
		l.Organization, l.ID = rapid.String().Draw(t, "organization"), rapid.String().Draw(t, "id")
		_, texts := checkCalendar(t, l)
		want := "SonarQube Developer Edition license expires: " + input.OneLine(l.Organization, maxValue)
		if got := texts["SUMMARY"]; got != input.OneLine(want, maxValue) {
			t.Fatalf("SUMMARY: got %q, want %q", got, want)
		}
	})
}
