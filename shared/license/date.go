package license

import (
	"encoding/json"
	"fmt"
	"time"
)

// Date is a calendar day without a time zone. Compared with the clock, it is a day in UTC. The zero Date is not a day.
// Compare dates with ==, Before and After.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day of t in UTC.
func DateOf(t time.Time) Date {
	y, m, d := t.UTC().Date()
	return Date{y, m, d}
}

// ParseDate reads a day in the form YYYY-MM-DD. A day that does not exist is an error.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a day in the form YYYY-MM-DD", s)
	}
	return DateOf(t), nil
}

// String returns YYYY-MM-DD, or "" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Start().Format(time.DateOnly)
}

// Long returns the day as emails, pages and the product show it: 05 Mar 2018.
func (d Date) Long() string { return d.Start().Format("02 Jan 2006") }

// YearMonth returns the month of the day, YYYY-MM. The zero Date has none.
func (d Date) YearMonth() string { return d.Start().Format("2006-01") }

// IsZero reports whether d is the zero Date.
func (d Date) IsZero() bool { return d == Date{} }

// Start returns the first instant of the day in UTC.
func (d Date) Start() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// End returns the first instant after the day in UTC: a license that is valid through d is valid before End.
func (d Date) End() time.Time { return d.AddDays(1).Start() }

func (d Date) Before(o Date) bool { return d.Start().Before(o.Start()) }
func (d Date) After(o Date) bool  { return o.Before(d) }

// AddDays returns the day n days later, or earlier if n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.Start().AddDate(0, 0, n)) }

// AddMonths returns the same day n calendar months later, or earlier if n is negative. A day that the month does not
// have becomes its last day: two months before 31 August is 30 June.
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Date{first.Year(), first.Month(), min(d.Day, last)}
}

// DaysUntil returns the number of days from d to o; negative if o is earlier.
func (d Date) DaysUntil(o Date) int { return int(o.Start().Sub(d.Start()) / (24 * time.Hour)) }

// MarshalJSON writes "YYYY-MM-DD", or "" for the zero Date.
func (d Date) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Date) UnmarshalJSON(data []byte) error {
	if len(data) == len(`"2006-01-02"`) { // a customer's account has thousands, so most are not decoded as JSON
		if parsed, err := ParseDate(string(data[1 : len(data)-1])); err == nil {
			*d = parsed
			return nil
		}
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s == "" {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(s)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
