package check

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/functions/reminders/jobs"
	"marketplace/functions/reminders/late"
)

// schedules are when the jobs of the reminders function start, by their names.
var schedules = map[string]string{
	jobs.Daily: "cron(0 6 * * ? *)",
	jobs.Late:  fmt.Sprintf("cron(0/%d * * * ? *)", late.Every/time.Minute),
}

// checkSchedules: each job of the reminders function has one schedule, in UTC, whose constant input names it, and what
// the schedule cannot deliver is kept.
func checkSchedules(t template, want map[string]string) (problems []string) {
	f, got := t.functions()["RemindersFunction"], map[string]bool{}
	for _, name := range keysOf(f["Events"]) {
		p := at(f["Events"], name, "Properties")
		var e jobs.Event
		err := json.Unmarshal([]byte(str(at(p, "Input"))), &e)
		if err != nil || want[e.Job] == "" || got[e.Job] {
			problems = append(problems,
				fmt.Sprintf("the schedule %s names no job of its own: %s", name, at(p, "Input")))
			continue
		}
		got[e.Job] = true
		expression, zone := str(at(p, "ScheduleExpression")), str(at(p, "ScheduleExpressionTimezone"))
		if at(f["Events"], name, "Type") != "ScheduleV2" || expression != want[e.Job] || zone != "UTC" {
			problems = append(problems, fmt.Sprintf("the job %s starts at %s %s, want %s UTC", e.Job, expression, zone,
				want[e.Job]))
		}
		if at(p, "DeadLetterConfig", "Arn") == nil {
			problems = append(problems, fmt.Sprintf("the schedule %s loses what it cannot deliver", name))
		}
	}
	for _, job := range slices.Sorted(maps.Keys(want)) {
		if !got[job] {
			problems = append(problems, fmt.Sprintf("nothing starts the job %s", job))
		}
	}
	return problems
}

func TestJobsHaveTheirSchedules(t *testing.T) {
	text := read(t, "template.yaml")
	tpl, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkSchedules(tpl, schedules))
	const no = " names no job of its own: "
	for _, tt := range []struct {
		old, new string
		want     []string
	}{
		{`Input: '{"job":"late"}'`, `Input: '{"job":"daily"}'`,
			[]string{"the schedule Late" + no, "nothing starts the job late"}},
		{`Input: '{"job":"late"}'`, `Input: '{"job":"weekly"}'`,
			[]string{"the schedule Late" + no, "nothing starts the job late"}},
		{`            Input: '{"job":"daily"}'` + "\n", "",
			[]string{"the schedule Daily" + no, "nothing starts the job daily"}},
		{"cron(0/10 * * * ? *)", "cron(0 10 * * ? *)", []string{"the job late starts at cron(0 10 * * ? *) UTC"}},
		{"cron(0 6 * * ? *)", "cron(0 8 * * ? *)", []string{"the job daily starts at cron(0 8 * * ? *) UTC"}},
		{"ScheduleExpressionTimezone: UTC", "ScheduleExpressionTimezone: Europe/Zurich", []string{"Europe/Zurich, want"}},
		{`Input: '{"job":"daily"}'` + "\n            DeadLetterConfig: {Arn: !GetAtt FailedRuns.Arn}\n",
			`Input: '{"job":"daily"}'` + "\n", []string{"the schedule Daily loses what it cannot deliver"}},
	} {
		if !strings.Contains(text, tt.old) {
			t.Fatalf("template.yaml does not contain %q any more", tt.old)
		}
		broken, err := parseTemplate(strings.Replace(text, tt.old, tt.new, 1))
		if err != nil {
			t.Fatal(err)
		}
		finds(t, checkSchedules(broken, schedules), tt.want...)
	}
}
