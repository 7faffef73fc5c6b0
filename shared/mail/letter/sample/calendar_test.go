package sample

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	contentLine = regexp.MustCompile(`^([A-Z-]+)((?:;[A-Z-]+=[^";:,]+)*):(.*)$`)
	ofValue     = map[string]*regexp.Regexp{
		"DTSTAMP": regexp.MustCompile(`^\d{8}T\d{6}Z$`),
		"DTSTART": regexp.MustCompile(`^\d{8}$`),
		"DTEND":   regexp.MustCompile(`^\d{8}$`),
		"TRIGGER": regexp.MustCompile(`^-P\d+D$`),
		"UID":     regexp.MustCompile(`^\S+@\S+$`),
		"URL":     regexp.MustCompile(`^https://\S+$`),
		"VERSION": regexp.MustCompile(`^2\.0$`),
		"ACTION":  regexp.MustCompile(`^DISPLAY$`),
	}
	// componentNeeds has the properties that RFC 5545 requires once: §3.6, §3.6.1, §3.6.6.
	componentNeeds = map[string]string{
		"VCALENDAR": "PRODID VERSION",
		"VEVENT":    "UID DTSTAMP DTSTART DTEND SUMMARY",
		"VALARM":    "ACTION TRIGGER DESCRIPTION",
	}
	nestedIn = map[string]string{"VCALENDAR": "", "VEVENT": "VCALENDAR", "VALARM": "VEVENT"}
)

// checkCalendar returns what is wrong with a calendar file: its lines (RFC 5545 §3.1), the properties that its
// components need, and whether it is a scheduling message only if all of it says so (RFC 5546 §3.2.1).
func checkCalendar(data, contentType string) (problems []string) {
	report := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	type component struct {
		name  string
		count map[string]int
	}
	var open []component
	method, events, organizers := "", 0, 0
	for _, line := range unfold(data, report) {
		m := contentLine.FindStringSubmatch(line)
		if m == nil {
			report("not a content line: %q", line)
			continue
		}
		name, value := m[1], m[3]
		inside := ""
		if len(open) > 0 {
			inside = open[len(open)-1].name
		}
		switch {
		case name == "BEGIN":
			if in, known := nestedIn[value]; !known || in != inside {
				report("%s within %q", value, inside)
			}
			if value == "VEVENT" {
				events++
			}
			open = append(open, component{value, map[string]int{}})
			continue
		case len(open) == 0:
			report("%s outside of a component", name)
			continue
		case name == "END":
			if value != inside {
				report("%s ends within %s", value, inside)
				return problems
			}
			for need := range strings.FieldsSeq(componentNeeds[value]) {
				if n := open[len(open)-1].count[need]; n != 1 {
					report("%s has %d properties %s", value, n, need)
				}
			}
			open = open[:len(open)-1]
			continue
		}
		if open[len(open)-1].count[name]++; open[len(open)-1].count[name] > 1 {
			report("%s has a second %s", inside, name)
		}
		if form := ofValue[name]; form != nil && !form.MatchString(value) {
			report("%s is %q", name, value)
		}
		switch name {
		case "METHOD":
			method = value
		case "ORGANIZER":
			organizers++
		}
	}
	if len(open) > 0 || events != 1 {
		report("%d events, %d components without an end", events, len(open))
	}
	if (method != "") != (organizers == events) || method == "" && organizers > 0 {
		report("METHOD %q with %d ORGANIZERs", method, organizers)
	}
	if declared := strings.Contains(contentType, "method="); declared != (method != "") ||
		declared && !strings.Contains(contentType, "method="+method) {
		report("METHOD %q in a part of type %s", method, contentType)
	}
	return problems
}

// unfold returns the content lines of a calendar file.
func unfold(data string, report func(string, ...any)) (lines []string) {
	if !strings.HasSuffix(data, "\r\n") {
		report("no CR LF at the end")
	}
	for i, line := range strings.Split(strings.TrimSuffix(data, "\r\n"), "\r\n") {
		if len(line) > 75 {
			report("line %d has %d bytes, more than 75", i+1, len(line))
		}
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7F }) {
			report("line %d is cut within a character or has control characters: %q", i+1, line)
		}
		if rest, folded := strings.CutPrefix(line, " "); folded && i > 0 {
			lines[len(lines)-1] += rest
			continue
		}
		lines = append(lines, line)
	}
	return lines
}
