package mailmodel

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"marketplace/shared/license"
)

// The oracle's own reading of the reminders. It walks the calendar day by day, and calls nothing of the policy's.

const aDay = 24 * time.Hour

func day(t time.Time) time.Time { return t.UTC().Truncate(aDay) }

// promised are the stages that every vendor has: two months and one month before the last day; of an evaluation, 7 days
// before and on the last day.
func (w *world) promised(k license.Type) []string {
	if k == license.Evaluation {
		return []string{"7d", "0d"}
	}
	return append([]string{"2m", "1m"}, w.extra...)
}

// begins returns the day of a stage of a license with a last day.
func begins(last time.Time, stage string) time.Time {
	switch stage {
	case "2m":
		return monthsBefore(last, 2)
	case "1m":
		return monthsBefore(last, 1)
	case "7d":
		return walk(last, -7)
	case "0d":
		return last
	case "7d-after":
		return walk(last, 7)
	}
	panic("no stage " + stage)
}

// ends returns the last day on which a stage may be sent late: the license's own, or day 14 after it.
func ends(last time.Time, stage string) time.Time {
	if stage == "7d-after" {
		return walk(last, 14)
	}
	return last
}

// walk goes some days forth, or back.
func walk(d time.Time, days int) time.Time {
	for ; days > 0; days-- {
		d = d.Add(aDay)
	}
	for ; days < 0; days++ {
		d = d.Add(-aDay)
	}
	return d
}

// monthsBefore walks back over the ends of months, and then on to the same day of the month, unless that month is
// shorter.
func monthsBefore(last time.Time, months int) time.Time {
	d := last
	for ends := 0; ends < months; {
		if d = walk(d, -1); d.Day() > walk(d, 1).Day() {
			ends++
		}
	}
	for d.Day() > last.Day() {
		d = walk(d, -1)
	}
	return d
}

// stage returns the stage whose time it is for a license: the newest that has begun, unless its time is over; "" for
// none. Stages on or before the first day of the license are none.
func (w *world) stage(l *licensed) (newest string) {
	today := w.today()
	for _, s := range w.promised(l.kind) {
		b := begins(l.expiration, s)
		if b.After(today) || !l.notBefore.IsZero() && !b.After(l.notBefore) {
			continue
		}
		if newest == "" || b.After(begins(l.expiration, newest)) {
			newest = s
		}
	}
	if newest != "" && today.After(ends(l.expiration, newest)) {
		return ""
	}
	return newest
}

// finished reports whether it is too late for every stage of a license.
func (w *world) finished(l *licensed) bool {
	last := l.expiration
	for _, s := range w.promised(l.kind) {
		if b := begins(l.expiration, s); l.notBefore.IsZero() || b.After(l.notBefore) {
			if e := ends(l.expiration, s); e.After(last) {
				last = e
			}
		}
	}
	return w.today().After(last)
}

func (w *world) expired(l *licensed) bool { return w.today().After(l.expiration) }

// follows reports whether a license of a kind may take the place of one of another.
func follows(k, old license.Type) bool {
	return k == old || old == license.Evaluation && k == license.Production
}

// renewed reports whether another license of the instance continues a license and outlives it.
func (w *world) renewed(l *licensed) bool {
	return slices.ContainsFunc(w.licenses, func(o *licensed) bool {
		return o != l && o.site == l.site && !o.revoked && follows(o.kind, l.kind) &&
			o.expiration.After(l.expiration) && !o.notBefore.After(walk(l.expiration, 1))
	})
}

// covered reports whether another license of the instance is valid today in the place of one.
func (w *world) covered(l *licensed) bool {
	today := w.today()
	return slices.ContainsFunc(w.licenses, func(o *licensed) bool {
		return o != l && o.site == l.site && !o.revoked && follows(o.kind, l.kind) &&
			!o.notBefore.After(today) && !today.After(o.expiration)
	})
}

func (w *world) muted(l *licensed) bool {
	return l.mute != nil && (l.mute.through.IsZero() || !w.today().After(l.mute.through))
}

// silent reports whether nobody is reminded of a license, whatever the day of its end.
func (w *world) silent(l *licensed) bool {
	return l.revoked || l.site.retired || w.muted(l) || w.renewed(l)
}

// over reports whether nobody is reminded of a license any more.
func (w *world) over(l *licensed) bool { return w.silent(l) || w.finished(l) }

// dueNow returns the stage that a license needs a letter for today, whoever gets it; "" for none.
func (w *world) dueNow(l *licensed) string {
	s := w.stage(l)
	if w.silent(l) || s == "7d-after" && w.covered(l) {
		return ""
	}
	return s
}

// needed reports whether an address has to be reminded of a license, by a letter about a customer.
func (w *world) needed(d due, customer, to string) bool {
	l := w.license(d.License)
	return slices.Contains(l.buyer().forRenewals(), to) && w.neededBy(d, customer, to)
}

// neededBy is needed, but the address may be no contact (any more).
func (w *world) neededBy(d due, customer, to string) bool {
	l := w.license(d.License)
	return w.dueNow(l) == d.Stage && d.Stage != "" && l.expiration.Format(time.DateOnly) == d.Expiration &&
		l.buyer().id() == customer && !l.unsubscribed[to]
}

// forgotten reports whether nobody is reminded of a license that is not over.
func (w *world) forgotten(l *licensed) bool {
	turn := w.sendable(l)
	return !w.over(l) && (turn == "" || l.unsubscribed[turn])
}

// when says when a license expires, as letters do.
func (w *world) when(l *licensed) string {
	switch days := int(l.expiration.Sub(w.today()) / aDay); {
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

// TestOracleCounts has the examples of the rules.
func TestOracleCounts(t *testing.T) {
	at := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct{ last, stage, begins, ends string }{
		{"2019-08-31", "2m", "2019-06-30", "2019-08-31"},
		{"2019-03-31", "1m", "2019-02-28", "2019-03-31"},
		{"2020-03-30", "1m", "2020-02-29", "2020-03-30"},
		{"2019-01-15", "2m", "2018-11-15", "2019-01-15"},
		{"2019-02-28", "1m", "2019-01-28", "2019-02-28"},
		{"2019-03-01", "7d", "2019-02-22", "2019-03-01"},
		{"2019-12-31", "0d", "2019-12-31", "2019-12-31"},
		{"2019-12-28", "7d-after", "2020-01-04", "2020-01-11"},
	} {
		if b, e := begins(at(c.last), c.stage), ends(at(c.last), c.stage); b != at(c.begins) || e != at(c.ends) {
			t.Errorf("%s of %s: got %v through %v, want %s through %s", c.stage, c.last, b, e, c.begins, c.ends)
		}
	}
}
