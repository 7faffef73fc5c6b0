package web

import (
	"slices"
	"time"
)

// Gauge shows how much of a license's lines of code a server uses, for the template "gauge". Its zero value shows
// nothing.
type Gauge struct {
	Loc   int64     // the lines of code that were told last
	Told  time.Time // when; zero: never
	Limit int64     // how many the license allows
	Next  int64     // the next larger limit that a license can have; 0: none
	// More leads to the request for more lines of code, and Tell to the form that tells them; "" leaves them out.
	More string
	Tell string
}

// Close is from which part of its limit on a gauge warns, in percent.
const Close = 80

// NewGauge returns the gauge of a license; limits are those that a license can have, ascending.
func NewGauge(loc int64, told time.Time, limit int64, limits []int64) Gauge {
	g := Gauge{Loc: loc, Told: told, Limit: limit}
	if i := slices.IndexFunc(limits, func(n int64) bool { return n > max(limit, loc) }); i >= 0 {
		g.Next = limits[i]
	}
	return g
}

// Known reports whether the lines of code were told.
func (g Gauge) Known() bool { return !g.Told.IsZero() }

// Percent is how much of the limit is used, rounded down, so that it is 100 at the limit alone.
func (g Gauge) Percent() int64 {
	if g.Limit <= 0 {
		return 0
	}
	return int64(float64(g.Loc) / float64(g.Limit) * 100)
}

// Width is the part of the bar that is filled, from 0 to 100.
func (g Gauge) Width() int64 { return min(max(g.Percent(), 0), 100) }

// Over is by how many lines of code the limit is exceeded; 0 if it is not.
func (g Gauge) Over() int64 { return max(g.Loc-g.Limit, 0) }

// Left is how many lines of code are left.
func (g Gauge) Left() int64 { return max(g.Limit-g.Loc, 0) }

// IsClose reports whether the limit is nearly reached.
func (g Gauge) IsClose() bool { return g.Over() == 0 && g.Percent() >= Close }

// Tone is that of the bar.
func (g Gauge) Tone() string {
	switch {
	case !g.Known():
		return ""
	case g.Over() > 0:
		return "bad"
	case g.IsClose():
		return "warn"
	}
	return "good"
}
