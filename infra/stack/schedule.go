package stack

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are the same wherever the rules run
)

// checkSchedules: every schedule is one of the page, is switched on, runs in a zone that exists, and keeps what it
// could not start.
func checkSchedules(c *checker) {
	var rows []string
	functions := c.Template.Functions()
	for _, id := range c.Template.Resources(functionType) {
		f := functions[id]
		old := events(f, "Schedule", "CloudWatchEvent", "EventBridgeRule")
		c.want(len(old) == 0, id, "%v: use ScheduleV2, which knows time zones", Keys(old))
		schedules := events(f, "ScheduleV2")
		for _, name := range Keys(schedules) {
			c.schedule(id+"."+name, schedules[name])
			zone := Text(At(schedules[name], "ScheduleExpressionTimezone"))
			if zone == "missing" {
				zone = "–"
			}
			input := "–"
			if given, ok := At(schedules[name], "Input").(string); ok {
				input = "`" + given + "`"
			}
			rows = append(rows, strings.Join([]string{"`" + id + "`", "`" + name + "`",
				"`" + Text(At(schedules[name], "ScheduleExpression")) + "`", zone, input}, " | "))
		}
	}
	c.rows("Schedules", rows)
	for _, id := range c.Template.Resources("") {
		kind := c.Template.Type(id)
		scheduled := kind == "AWS::Events::Rule" && At(c.Template.Properties(id), "ScheduleExpression") != nil
		c.want(kind != "AWS::Scheduler::Schedule" && !scheduled, id, "a schedule beside those of functions")
	}
}

func (c *checker) schedule(where string, p any) {
	c.only(where, p, "OmitName", "ScheduleExpression", "ScheduleExpressionTimezone", "DeadLetterConfig",
		"RetryPolicy", "State", "Description", "Input", "FlexibleTimeWindow")
	c.is(where, p, "OmitName", "true") // a name has to be unique among the account's stacks
	c.is(where, p, "State", "missing", "ENABLED")
	c.is(where, p, "DeadLetterConfig", "{Arn: !GetAtt FailedRuns.Arn}")
	c.is(where, p, "FlexibleTimeWindow", "missing", "{Mode: OFF}")
	expression := Str(At(p, "ScheduleExpression"))
	c.want(validSchedule(expression), where, "%q is no schedule", expression)
	zone, given := At(p, "ScheduleExpressionTimezone").(string)
	if _, err := time.LoadLocation(zone); given && (err != nil || zone == "" || zone == "Local") {
		c.add(where, "there is no time zone %q", zone)
	}
	c.want(given || !strings.HasPrefix(expression, "cron("), where, "it does not say in which time zone")
	for _, key := range Keys(At(p, "RetryPolicy")) {
		n := number(At(p, "RetryPolicy", key))
		switch key {
		case "MaximumRetryAttempts":
			c.want(n <= 2, where, "it starts a run up to %d times again", n)
		case "MaximumEventAgeInSeconds":
			c.want(n >= 60 && n <= 86400, where, "%s is %d, want 60 to 86400", key, n)
		default:
			c.add(where, "no rule says what RetryPolicy.%s has to be", key)
		}
	}
}

var rate = regexp.MustCompile(`^rate\((\d+) (minute|hour|day)(s?)\)$`)

// validSchedule reports whether EventBridge Scheduler takes an expression (its user guide, "Schedule types"). Of cron
// expressions it knows numbers, *, ?, lists, ranges and steps.
func validSchedule(s string) bool {
	if m := rate.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n > 0 && (n == 1) == (m[3] == "")
	}
	inner, ok := strings.CutPrefix(s, "cron(")
	inner, closed := strings.CutSuffix(inner, ")")
	fields := strings.Split(inner, " ")
	if !ok || !closed || len(fields) != 6 {
		return false
	}
	limits := [][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {1, 7}, {1970, 2199}}
	for i, field := range fields {
		if !validField(field, limits[i], i) {
			return false
		}
	}
	return (fields[2] == "?") != (fields[4] == "?") // exactly one of the two kinds of days is left open
}

var days = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

func validField(field string, limit [2]int, place int) bool {
	if field == "*" {
		return true
	}
	if field == "?" {
		return place == 2 || place == 4
	}
	for _, part := range strings.FieldsFunc(field, func(r rune) bool { return strings.ContainsRune(",-/", r) }) {
		n, err := strconv.Atoi(part)
		named := place == 4 && slices.Contains(days, part)
		if !named && part != "*" && (err != nil || n < limit[0] || n > limit[1]) {
			return false
		}
	}
	return field != ""
}
