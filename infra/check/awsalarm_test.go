package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/alarm"
)

// measuredByAWS reports whether an alarm watches a metric that AWS publishes without our doing. SES's are among the
// rules.
func measuredByAWS(properties any) bool {
	namespace := str(at(properties, "Namespace"))
	return strings.HasPrefix(namespace, "AWS/") && namespace != alarm.SES
}

// awsAlarms returns the rows of operations.md for the alarms of a template that watch AWS's own metrics, and what is
// wrong with them.
func awsAlarms(t template, file string) (rows, problems []string) {
	for _, id := range t.resources("AWS::CloudWatch::Alarm") {
		p := t.properties(id)
		if !measuredByAWS(p) {
			continue
		}
		for _, key := range []string{"AlarmActions", "OKActions"} {
			if t.property(at(p, key)) != "Alarms" {
				problems = append(problems, fmt.Sprintf("%s: %s: %s tells nobody", file, id, key))
			}
		}
		if at(p, "TreatMissingData") != "notBreaching" {
			problems = append(problems, fmt.Sprintf("%s: %s: nothing happening is an alarm", file, id))
		}
		statistic, limit := str(at(p, "Statistic"))+str(at(p, "ExtendedStatistic")), ""
		switch operator := str(at(p, "ComparisonOperator")); operator {
		case string(alarm.Above):
			limit = "more than "
		case string(alarm.AtLeast):
			limit = "at least "
		default:
			problems = append(problems, fmt.Sprintf("%s: %s: its comparison is %s", file, id, operator))
		}
		what, _, _ := strings.Cut(str(at(p, "AlarmDescription")), " See ")
		rows = append(rows, fmt.Sprintf("`%s` | `%s` `%s`, %s | %s%s | %s x %s s | %s", id, at(p, "Namespace"),
			at(p, "MetricName"), statistic, limit, at(p, "Threshold"), at(p, "EvaluationPeriods"), at(p, "Period"),
			what))
	}
	return rows, problems
}

// checkAWSAlarms compares the alarms of both templates with the table of operations.md. Every function has one for its
// errors.
func checkAWSAlarms(t, edge template, page string) (problems []string) {
	rows, problems := awsAlarms(t, "template.yaml")
	more, moreProblems := awsAlarms(edge, "infra/edge.yaml")
	var documented []string
	for _, row := range tableUnder(page, "Alarms of AWS's own metrics") {
		documented = append(documented, strings.Join(row, " | "))
	}
	for id := range t.functions() {
		watched := "[map[Name:FunctionName Value:map[Ref:" + id + "]]]"
		if !slices.ContainsFunc(t.resources("AWS::CloudWatch::Alarm"), func(alarm string) bool {
			p := t.properties(alarm)
			return at(p, "MetricName") == "Errors" && fmt.Sprint(at(p, "Dimensions")) == watched
		}) {
			problems = append(problems, "nobody is told of errors of "+id)
		}
	}
	return append(append(problems, moreProblems...), differ(operationsFile, "the row", documented,
		append(rows, more...))...)
}

func TestAlarmsOfAWSMetricsAreDocumented(t *testing.T) {
	text, edgeText, page := read(t, "template.yaml"), read(t, "infra/edge.yaml"), read(t, operationsFile)
	tpl, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	edge, err := parseTemplate(edgeText)
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkAWSAlarms(tpl, edge, page))
	for _, tt := range []struct{ old, new, want string }{
		{"{Name: FunctionName, Value: !Ref MailEventsFunction}", "{Name: FunctionName, Value: !Ref MailerFunction}",
			"nobody is told of errors of MailEventsFunction"},
		{"Threshold: 60000", "Threshold: 61000", "the row `StreamAgeAlarm`"},
		{"ExtendedStatistic: p95", "ExtendedStatistic: p50", "the row `ApiLatencyAlarm`"},
		{"  FailedRunsAlarm:\n", "  FailedAlarm:\n", "the row `FailedAlarm`"},
	} {
		if !strings.Contains(text, tt.old) {
			t.Fatalf("template.yaml does not contain %q any more", tt.old)
		}
		changed, err := parseTemplate(strings.Replace(text, tt.old, tt.new, 1))
		if err != nil {
			t.Fatal(err)
		}
		problems := checkAWSAlarms(changed, edge, page)
		if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, tt.want) }) {
			t.Errorf("got the problems %q, want %q", problems, tt.want)
		}
	}
}
