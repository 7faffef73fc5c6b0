// Package retention says how long personal data is kept: the policy, whose periods a vendor may set, and the categories
// of what is kept, of whom and why. It knows no storage: shared/store gives its rows the times that the policy returns,
// functions/reminders deletes what is due, and the public page about personal data lists the categories.
package retention

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/license"
)

// Period is a length of time: of days, or of calendar months.
type Period struct{ Days, Months int }

// String returns the period as people read it: "180 days", "1 month".
func (p Period) String() string {
	n, unit := p.Days, "day"
	if p.Months > 0 {
		n, unit = p.Months, "month"
	}
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

// short returns the period as the configuration has it: 180d, 13m.
func (p Period) short() string {
	if p.Months > 0 {
		return strconv.Itoa(p.Months) + "m"
	}
	return strconv.Itoa(p.Days) + "d"
}

// after returns the time a period later.
func (p Period) after(t time.Time) time.Time { return t.AddDate(0, p.Months, p.Days) }

// Policy says how long what a vendor may decide about is kept. The zero Policy is the default.
type Policy struct {
	requests, letters, audit Period
}

// setting is a period of the policy that the configuration may set.
type setting struct {
	name    string
	of      func(*Policy) *Period
	initial Period
	least   Period
	why     string // least
}

var settings = []setting{
	{"requests", func(p *Policy) *Period { return &p.requests }, Period{Days: 180}, Period{Days: 90},
		"for 90 days, the same form sent twice is one request"},
	{"letters", func(p *Policy) *Period { return &p.letters }, Period{Months: 13}, Period{Months: 1},
		"reports about an email that did not arrive come later than it"},
	{"audit", func(p *Policy) *Period { return &p.audit }, Period{Months: 36}, Period{Months: 12},
		"an audit covers a year"},
}

// longest bounds what a period may be set to.
const longest = 120 // months

// ParsePolicy reads a policy such as "requests 180d, letters 13m, audit 36m", in days or calendar months. What it does
// not name keeps its default.
func ParsePolicy(text string) (Policy, error) {
	var p Policy
	seen := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		words := strings.Fields(item)
		if len(words) == 0 {
			continue
		}
		i := slices.IndexFunc(settings, func(s setting) bool { return s.name == words[0] })
		if i < 0 || len(words) != 2 {
			return Policy{}, fmt.Errorf("%q is not a period: write one as requests 180d, letters 13m or audit 36m",
				strings.TrimSpace(item))
		}
		s := settings[i]
		period, err := parsePeriod(words[1])
		if err != nil {
			return Policy{}, fmt.Errorf("%s: %w", s.name, err)
		}
		if period.compare(s.least) < 0 {
			return Policy{}, fmt.Errorf("%s: %s is too short: keep them for at least %s, since %s", s.name, words[1],
				s.least, s.why)
		}
		if seen[s.name] {
			return Policy{}, fmt.Errorf("%s: set it once", s.name)
		}
		seen[s.name] = true
		*s.of(&p) = period
	}
	return p, nil
}

func parsePeriod(text string) (Period, error) {
	n, err := strconv.Atoi(text[:len(text)-1])
	if err != nil || n < 1 {
		return Period{}, errors.New("write a number of days or months, such as 180d or 13m")
	}
	var p Period
	switch text[len(text)-1] {
	case 'd':
		p.Days = n
	case 'm':
		p.Months = n
	default:
		return Period{}, errors.New("write a number of days or months, such as 180d or 13m")
	}
	if p.compare(Period{Months: longest}) > 0 {
		return Period{}, fmt.Errorf("%s is too long: set at most %d months", text, longest)
	}
	return p, nil
}

// compare compares two periods, a month as 30 days.
func (p Period) compare(o Period) int { return cmp.Compare(p.Days+30*p.Months, o.Days+30*o.Months) }

// String returns the whole policy as ParsePolicy reads it.
func (p Policy) String() string {
	var parts []string
	for _, s := range settings {
		parts = append(parts, s.name+" "+p.period(s.name).short())
	}
	return strings.Join(parts, ", ")
}

func (p Policy) period(name string) Period {
	for _, s := range settings {
		if s.name == name {
			return cmp.Or(*s.of(&p), s.initial)
		}
	}
	panic("retention: no setting " + name)
}

// Requests is how long requests that ended without a license are kept after they were closed.
func (p Policy) Requests() Period { return p.period("requests") }

// Letters is how long the letters of sent emails are kept.
func (p Policy) Letters() Period { return p.period("letters") }

// Audit is how long the audit is kept, and whom of the staff it names after the last sign-in.
func (p Policy) Audit() Period { return p.period("audit") }

// RequestExpires returns when a request that was closed without a license at a time expires: at the end of a day (UTC),
// so that people can be told the day.
func (p Policy) RequestExpires(closed time.Time) time.Time {
	return license.DateOf(p.Requests().after(closed.UTC())).End()
}

// LetterExpires returns when the letter of an email that was sent at a time expires.
func (p Policy) LetterExpires(sent time.Time) time.Time { return p.Letters().after(sent) }

// AuditExpires returns when the audit of a time expires.
func (p Policy) AuditExpires(at time.Time) time.Time { return p.Audit().after(at) }

// ColleagueExpires returns when a member of the staff who last signed in at a time is forgotten: with what the audit
// says about them.
func (p Policy) ColleagueExpires(signedIn time.Time) time.Time { return p.Audit().after(signedIn) }
