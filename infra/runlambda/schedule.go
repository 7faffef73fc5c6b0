package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// timetable says when a schedule starts a run: an expression of EventBridge Scheduler (its user guide, "Schedule
// types"). It knows rate, and cron with numbers, *, ?, lists, ranges, steps and names of weekdays.
type timetable struct {
	every  time.Duration // of a rate; counted from begun
	begun  time.Time
	zone   *time.Location
	fields [6][]int // of a cron expression: minute, hour, day, month, weekday (Sunday is 1), year; nil is any
}

var units = map[string]time.Duration{
	"minute": time.Minute, "minutes": time.Minute, "hour": time.Hour, "hours": time.Hour,
	"day": 24 * time.Hour, "days": 24 * time.Hour,
}

// newTimetable reads an expression. A rate counts from when the schedule was made.
func newTimetable(expression, zone string, made time.Time) (t timetable, err error) {
	kind, rest, _ := strings.Cut(expression, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	words := strings.Split(inner, " ")
	t = timetable{begun: made}
	if t.zone, err = time.LoadLocation(zone); err != nil {
		return t, err
	}
	switch {
	case kind == "rate" && closed && len(words) == 2 && units[words[1]] > 0:
		n, err := strconv.Atoi(words[0])
		if err != nil || n < 1 || (n == 1) == strings.HasSuffix(words[1], "s") {
			return t, fmt.Errorf("%s is no rate", expression)
		}
		t.every = time.Duration(n) * units[words[1]]
		return t, nil
	case kind == "cron" && closed && len(words) == len(t.fields):
		limits := [6][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {1, 7}, {1970, 2199}}
		for i, word := range words {
			if t.fields[i], err = parseField(word, limits[i], i == 4); err != nil {
				return t, fmt.Errorf("%s: %w", expression, err)
			}
		}
		if (words[2] == "?") == (words[4] == "?") {
			return t, fmt.Errorf("%s: one of the day and the weekday is ?, and only one", expression)
		}
		return t, nil
	}
	return t, fmt.Errorf("%q is no schedule that is known here", expression)
}

// parseField returns the numbers that a field stands for, nil for all.
func parseField(field string, limit [2]int, weekday bool) (numbers []int, err error) {
	if field == "*" || field == "?" {
		return nil, nil
	}
	number := func(s string) int {
		if i := slices.Index([]string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}, s); weekday && i >= 0 {
			return i + 1
		}
		n, failed := strconv.Atoi(s)
		if failed != nil || n < limit[0] || n > limit[1] {
			err = fmt.Errorf("the field %s is not known here", field)
		}
		return n
	}
	for part := range strings.SplitSeq(field, ",") {
		span, every, stepped := strings.Cut(part, "/")
		first, last, isRange := strings.Cut(span, "-")
		from, to, step := limit[0], limit[1], 1
		if span != "*" {
			if from = number(first); isRange {
				to = number(last)
			} else if !stepped {
				to = from
			}
		}
		if stepped {
			n, failed := strconv.Atoi(every)
			if step = n; failed != nil || n < 1 {
				return nil, fmt.Errorf("the field %s is not known here", field)
			}
		}
		for n := from; err == nil && n <= to; n += step {
			numbers = append(numbers, n)
		}
	}
	return numbers, err
}

// next returns the first run after a time; zero if there is none within five years.
func (t timetable) next(after time.Time) time.Time {
	if t.every > 0 {
		return t.begun.Add((after.Sub(t.begun)/t.every + 1) * t.every)
	}
	in := func(i, n int) bool { return t.fields[i] == nil || slices.Contains(t.fields[i], n) }
	local := after.In(t.zone)
	for day := range 5 * 366 {
		d := time.Date(local.Year(), local.Month(), local.Day()+day, 0, 0, 0, 0, t.zone)
		if !in(2, d.Day()) || !in(3, int(d.Month())) || !in(4, int(d.Weekday())+1) || !in(5, d.Year()) {
			continue
		}
		for minute := range 24 * 60 {
			at := time.Date(d.Year(), d.Month(), d.Day(), minute/60, minute%60, 0, 0, t.zone)
			if in(1, minute/60) && in(0, minute%60) && at.After(after) {
				return at.UTC()
			}
		}
	}
	return time.Time{}
}
