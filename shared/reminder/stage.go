package reminder

import (
	"fmt"
	"strconv"
	"strings"

	"marketplace/shared/license"
)

// Stage is one reminder: a number of calendar months or days before the last day of a license, or of days after it. Its
// text, which is stored and a part of IDs, is "2m", "7d", "0d" for the last day, or "7d-after". The zero Stage is none.
type Stage struct {
	months int // before the last day
	days   int // before the last day; negative: after it
	set    bool
}

// MonthsBefore returns the stage n calendar months before the last day, at least one. A day that the earlier month does
// not have is its last.
func MonthsBefore(n int) Stage { return Stage{months: n, set: true} }

// DaysBefore returns the stage n days before the last day; 0 is the last day itself.
func DaysBefore(n int) Stage { return Stage{days: n, set: true} }

// DaysAfter returns the stage n days after the last day, at least one.
func DaysAfter(n int) Stage { return Stage{days: -n, set: true} }

// IsZero reports whether s is no stage.
func (s Stage) IsZero() bool { return !s.set }

// After reports whether the stage is after the last day.
func (s Stage) After() bool { return s.days < 0 }

// Day returns the day on which the stage is due for a license with the last day.
func (s Stage) Day(last license.Date) license.Date {
	if s.months > 0 {
		return last.AddMonths(-s.months)
	}
	return last.AddDays(-s.days)
}

// lateAfter is for how many days a stage after the last day may be sent late.
const lateAfter = 7

// Through returns the last day on which the stage may be sent late for a license with the last day: that day itself,
// or a week after the stage's own day if that is later.
func (s Stage) Through(last license.Date) license.Date {
	if s.After() {
		return s.Day(last).AddDays(lateAfter)
	}
	return last
}

const after = "-after"

// String returns the stage's text; "" for none.
func (s Stage) String() string {
	switch {
	case !s.set:
		return ""
	case s.months > 0:
		return strconv.Itoa(s.months) + "m"
	case s.After():
		return strconv.Itoa(-s.days) + "d" + after
	}
	return strconv.Itoa(s.days) + "d"
}

// Name returns the stage as people read it, such as "2 months before", "on the last day", or "7 days after".
func (s Stage) Name() string {
	switch {
	case !s.set:
		return ""
	case s.months > 0:
		return count(s.months, "month") + " before"
	case s.After():
		return count(-s.days, "day") + " after"
	case s.days == 0:
		return "on the last day"
	}
	return count(s.days, "day") + " before"
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}

// MarshalText implements encoding.TextMarshaler.
func (s Stage) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Stage) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*s = Stage{}
		return nil
	}
	*s, err = ParseStage(string(text))
	return err
}

// ParseStage reads the text of a stage.
func ParseStage(text string) (Stage, error) {
	number, isAfter := strings.CutSuffix(text, after)
	var s Stage
	if digits, ok := strings.CutSuffix(number, "m"); ok {
		n, err := strconv.Atoi(digits)
		if err == nil && n > 0 {
			s = MonthsBefore(n)
		}
	} else if digits, ok := strings.CutSuffix(number, "d"); ok {
		n, err := strconv.Atoi(digits)
		switch {
		case err != nil || n < 0:
		case isAfter:
			s = DaysAfter(n)
		default:
			s = DaysBefore(n)
		}
	}
	if s.IsZero() || s.String() != text {
		return Stage{}, fmt.Errorf("reminder: %q is not a stage such as 2m, 7d, 0d or 7d-after", text)
	}
	return s, nil
}
