// Package reminder decides when a customer is reminded that a license expires: a pure function of the license, the day
// and the reminders sent before. functions/reminders acts on it.
package reminder

import (
	"marketplace/shared/license"
)

// Stage is one reminder: the number of calendar months, at least one, before a license's expiration. 0 is no stage.
type Stage int

// Policy lists the stages, the earliest reminder (most months) first.
type Policy []Stage

// Default is the promise of the vendor: two months and one month before.
var Default = Policy{2, 1}

// Day returns the day on which the stage is due for a license that expires on expiration.
func (s Stage) Day(expiration license.Date) license.Date { return expiration.AddMonths(-int(s)) }

// Due returns the stage to send today: the newest one due, unless it or a later one was sent. Earlier stages whose day
// was missed are skipped. sent is the newest stage sent for this expiration, 0 for none.
func (p Policy) Due(l license.License, today license.Date, sent Stage) (Stage, bool) {
	var newest Stage
	for _, s := range p.stages(l, today) {
		if !s.Day(l.Expiration).After(today) {
			newest = s
		}
	}
	return newest, newest.follows(sent)
}

// Next returns the first day from today on with a stage to send: today if one is due, false if no more will be.
func (p Policy) Next(l license.License, today license.Date, sent Stage) (license.Date, bool) {
	if _, due := p.Due(l, today, sent); due {
		return today, true
	}
	for _, s := range p.stages(l, today) {
		if day := s.Day(l.Expiration); day.After(today) && s.follows(sent) {
			return day, true
		}
	}
	return license.Date{}, false
}

// Longest returns the stage with the most months, 0 for an empty policy: no reminder is due earlier before an
// expiration.
func (p Policy) Longest() Stage {
	if len(p) == 0 {
		return 0
	}
	return p[0]
}

// stages returns the stages of a license as of today, earliest first; none if reminders are over.
func (p Policy) stages(l license.License, today license.Date) Policy {
	if Over(l, today) {
		return nil
	}
	return p.Within(l)
}

// Over reports whether a license gets no more reminders: it was muted or revoked, its instance was retired, a successor
// replaced it, or it has expired.
func Over(l license.License, today license.Date) bool {
	return l.Muted || l.Retired || l.Successor != "" || !l.Revoked.IsZero() || today.After(l.Expiration)
}

// Within returns the stages within the term of a license, earliest first. A stage on or before the license's first day
// is left out, since the customer has only just received the license.
func (p Policy) Within(l license.License) Policy {
	for i, s := range p {
		if l.NotBefore.IsZero() || s.Day(l.Expiration).After(l.NotBefore) {
			return p[i:]
		}
	}
	return nil
}

// follows reports whether s comes after the stage that was sent.
func (s Stage) follows(sent Stage) bool { return s != 0 && (sent == 0 || s < sent) }
