// Package reminder is the policy of when a customer is reminded that a license expires: a pure function of the license,
// the day and what was sent before. Who acts on it is functions/reminders.
package reminder

import (
	"marketplace/shared/license"
)

// Stage is one reminder: so many calendar months, at least one, before a license's expiration. 0 is no stage.
type Stage int

// Policy lists the stages, the earliest reminder (most months) first.
type Policy []Stage

// Default is what the vendor promises: two months and one month before.
var Default = Policy{2, 1}

// Day is when the stage falls due for a license that expires on expiration.
func (s Stage) Day(expiration license.Date) license.Date { return expiration.AddMonths(-int(s)) }

// Due is the stage to send today: the newest whose day has come, and none where it or a later one was sent. What an
// earlier stage would have said on a missed day is not sent after it. sent is the newest stage sent for this expiration,
// 0 where there was none.
func (p Policy) Due(l license.License, today license.Date, sent Stage) (Stage, bool) {
	var newest Stage
	for _, s := range p.stages(l, today) {
		if !s.Day(l.Expiration).After(today) {
			newest = s
		}
	}
	return newest, newest.follows(sent)
}

// Next is the first day from today on that has a stage to send: today where one is due, none where nothing will be.
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

// Longest is the stage with the most months, 0 of an empty policy: no reminder is due longer than this before an
// expiration.
func (p Policy) Longest() Stage {
	if len(p) == 0 {
		return 0
	}
	return p[0]
}

// stages are the stages that a license has as of today, earliest first: none where reminders are over.
func (p Policy) stages(l license.License, today license.Date) Policy {
	if Over(l, today) {
		return nil
	}
	return p.Within(l)
}

// Over reports whether nobody is to be reminded of a license any more: it was muted or revoked, another follows it, or it has
// expired.
func Over(l license.License, today license.Date) bool {
	return l.Muted || l.Successor != "" || !l.Revoked.IsZero() || today.After(l.Expiration)
}

// Within are the stages that the term of a license has, earliest first: none whose day is not behind the license's first
// day, since its customer has only just received it.
func (p Policy) Within(l license.License) Policy {
	for i, s := range p {
		if l.NotBefore.IsZero() || s.Day(l.Expiration).After(l.NotBefore) {
			return p[i:]
		}
	}
	return nil
}

// follows reports whether s is a stage that comes after what was sent.
func (s Stage) follows(sent Stage) bool { return s != 0 && (sent == 0 || s < sent) }
