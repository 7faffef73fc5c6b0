// Package reminder decides when a customer is reminded that a license expires: pure functions of the license, the day,
// and the reminders sent before. functions/reminders acts on it, and everything that warns of an expiration follows it.
package reminder

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/shared/license"
)

// Policy says which stages a license has, by its type. The zero Policy is the promise of the vendor: two months and one
// month before the last day; of an evaluation, 7 days before and on the last day.
type Policy struct {
	extra []Stage // of all types but evaluations
}

// Switchable are the stages that a vendor may switch on for production and staging licenses.
var Switchable = []Stage{DaysBefore(7), DaysBefore(0), DaysAfter(7)}

// With returns the policy with more stages for production and staging licenses.
func With(extra ...Stage) Policy { return Policy{extra} }

// ParsePolicy reads the stages that are switched on, such as "7d 0d 7d-after"; "" is the zero Policy.
func ParsePolicy(text string) (Policy, error) {
	var p Policy
	for _, word := range strings.Fields(strings.ReplaceAll(text, ",", " ")) {
		s, err := ParseStage(word)
		if err != nil || !slices.Contains(Switchable, s) {
			return Policy{}, fmt.Errorf("reminder: %q is none of 7d, 0d and 7d-after", word)
		}
		if !slices.Contains(p.extra, s) {
			p.extra = append(p.extra, s)
		}
	}
	return p, nil
}

var (
	always      = []Stage{MonthsBefore(2), MonthsBefore(1)}
	evaluations = []Stage{DaysBefore(7), DaysBefore(0)}
)

// Stages returns the stages of a license, the earliest first: those of its type after its first day. A stage on or
// before that day is left out, since the customer has only just received the license.
func (p Policy) Stages(l license.License) (stages []Stage) {
	all := slices.Concat(always, p.extra)
	if l.Type == license.Evaluation {
		all = evaluations
	}
	for _, s := range all {
		if l.NotBefore.IsZero() || s.Day(l.Expiration).After(l.NotBefore) {
			stages = append(stages, s)
		}
	}
	slices.SortStableFunc(stages, func(a, b Stage) int { return b.Day(l.Expiration).DaysUntil(a.Day(l.Expiration)) })
	return stages
}

// Due returns the stage to send today: the newest one due, unless it or a later one was sent, or it is too late for it.
// Earlier stages whose day was missed are skipped. sent is the day of the newest stage sent for this expiration; zero:
// none.
func (p Policy) Due(l license.License, today, sent license.Date) (Stage, bool) {
	s := p.Newest(l, today)
	return s, !s.IsZero() && s.Day(l.Expiration).After(sent) && Silenced(l, today) == ""
}

// Newest returns the stage whose time it is today, sent or not: the newest one that is due, and not too late; the zero
// Stage for none.
func (p Policy) Newest(l license.License, today license.Date) (newest Stage) {
	for _, s := range p.Stages(l) {
		if !s.Day(l.Expiration).After(today) {
			newest = s
		}
	}
	if newest.IsZero() || today.After(newest.Through(l.Expiration)) {
		return Stage{}
	}
	return newest
}

// Next returns the first day from today on with a stage to send, and the stage: today if one is due; the zero Date if
// no more will be.
func (p Policy) Next(l license.License, today, sent license.Date) (license.Date, Stage) {
	if until := l.Mute.Until; l.Mute.On(today) && !until.IsZero() {
		today = until.AddDays(1)
	}
	if s, due := p.Due(l, today, sent); due {
		return today, s
	}
	if Silenced(l, today) != "" {
		return license.Date{}, Stage{}
	}
	for _, s := range p.Stages(l) {
		if day := s.Day(l.Expiration); day.After(today) && day.After(sent) {
			return day, s
		}
	}
	return license.Date{}, Stage{}
}

// Coming is a stage that the daily run will come to, and the day on which it does.
type Coming struct {
	Day   license.Date
	Stage Stage
}

// Upcoming returns the stages that the daily run comes to from a day through another, if nothing changes until then:
// each on its own day, or on the day on which it is made up for. sent is as for Due.
func (p Policy) Upcoming(l license.License, from, through, sent license.Date) (list []Coming) {
	for {
		day, stage := p.Next(l, from, sent)
		if stage.IsZero() || day.After(through) {
			return list
		}
		list = append(list, Coming{day, stage})
		from, sent = day, stage.Day(l.Expiration)
	}
}

// Silent returns the stages from a day through another on whose days the license is silenced. It is what Upcoming
// leaves out.
func (p Policy) Silent(l license.License, from, through, sent license.Date) (list []Coming) {
	loud := l
	loud.Revoked, loud.Successor, loud.Retired, loud.Mute = time.Time{}, "", false, license.Mute{}
	for _, c := range p.Upcoming(loud, from, through, sent) {
		if Silenced(l, c.Day) != "" {
			list = append(list, c)
		}
	}
	return list
}

// Silence is why nobody is reminded of a license, as the end of a sentence such as "Not sent: the license was revoked";
// "" if somebody is.
type Silence string

const (
	Revoked Silence = "the license was revoked"
	Renewed Silence = "the license has been renewed"
	Retired Silence = "the instance was retired"
	Muted   Silence = "the reminders are paused"
)

// Silenced returns why nobody is reminded of a license as of today, whatever its expiration.
func Silenced(l license.License, today license.Date) Silence {
	switch {
	case !l.Revoked.IsZero():
		return Revoked
	case l.Successor != "":
		return Renewed
	case l.Retired:
		return Retired
	case l.Mute.On(today):
		return Muted
	}
	return ""
}

// Over reports whether a license gets no reminders as of today: it is silenced, or it is too late for all.
func (p Policy) Over(l license.License, today license.Date) bool {
	return Silenced(l, today) != "" || today.After(p.Last(l))
}

// Last returns the last day on which a stage of a license may still be sent: at least its expiration.
func (p Policy) Last(l license.License) license.Date {
	last := l.Expiration
	for _, s := range p.Stages(l) {
		if through := s.Through(l.Expiration); through.After(last) {
			last = through
		}
	}
	return last
}

// Oldest returns the first day of a stage that can still be sent today, for whatever license.
func (p Policy) Oldest(today license.Date) license.Date {
	oldest := today
	for _, s := range slices.Concat(always, evaluations, p.extra) {
		if day := s.Day(today); oldest.After(day) { // those after the last day are sent late for days, not months
			oldest = day
		}
	}
	return oldest.AddMonths(-1) // so that the run also meets, and clears away, what it is too late for
}

// Warns reports whether people are told today, wherever the license is shown, that it expires soon: from the day of its
// first stage through its last day; always, if its term is too short for a stage. Reminders that are paused are emails
// that are not sent: pages warn.
func (p Policy) Warns(l license.License, today license.Date) bool {
	if why := Silenced(l, today); why != "" && why != Muted {
		return false
	}
	first := l.NotBefore
	if stages := p.Stages(l); len(stages) > 0 && !stages[0].After() {
		first = stages[0].Day(l.Expiration)
	}
	return !first.After(today) && !today.After(l.Expiration)
}

// When says when a license expires, as of today: "in 30 days", "tomorrow", "today", "yesterday", or "7 days ago".
func When(expiration, today license.Date) string {
	switch days := today.DaysUntil(expiration); {
	case days < -1:
		return fmt.Sprintf("%d days ago", -days)
	case days == -1:
		return "yesterday"
	case days == 0:
		return "today"
	case days == 1:
		return "tomorrow"
	default:
		return fmt.Sprintf("in %d days", days)
	}
}
