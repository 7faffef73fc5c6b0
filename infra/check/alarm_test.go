package check

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"marketplace/shared/alarm"
)

// checkAlarms: the template has an alarm for each rule, with what the rule says, and each tells people. Other alarms
// watch metrics that AWS measures by itself.
func checkAlarms(t template, rules []alarm.Rule) (problems []string) {
	real := map[string]map[string]string{}
	for _, r := range rules {
		real[r.ID] = alarmOf(r)
	}
	alarms := slices.DeleteFunc(t.resources("AWS::CloudWatch::Alarm"), func(id string) bool {
		return real[id] == nil && measuredByAWS(t.properties(id))
	})
	problems = differ("template.yaml", "the alarm", alarms, slices.Sorted(maps.Keys(real)))
	for _, id := range alarms {
		properties := t.properties(id)
		for key, want := range real[id] {
			if got := t.property(at(properties, key)); got != want {
				problems = append(problems, fmt.Sprintf("%s: %s is %q, want %q", id, key, got, want))
			}
		}
		for _, key := range keysOf(properties) {
			if _, known := real[id][key]; !known {
				problems = append(problems, fmt.Sprintf("%s: %s is not compared with its rule", id, key))
			}
		}
	}
	return append(problems, checkAlarmTopic(t)...)
}

// alarmOf returns the properties of the alarm of a rule, as property writes them. All have the stage of the template.
func alarmOf(r alarm.Rule) map[string]string {
	p := map[string]string{
		"AlarmDescription": r.Description(), "Namespace": r.Namespace,
		"MetricName": r.Metric, "Statistic": r.Statistic, "Period": strconv.Itoa(int(r.Period / time.Second)),
		"EvaluationPeriods": strconv.Itoa(r.Periods), "Threshold": strconv.FormatFloat(r.Threshold, 'f', -1, 64),
		"ComparisonOperator": string(r.Comparison), "TreatMissingData": string(r.Missing),
		"AlarmActions": "Alarms", "OKActions": "Alarms", "Dimensions": "",
	}
	if r.Namespace == alarm.Ours {
		p["Dimensions"] = "Stage=" + stageRef
	}
	return p
}

// stageRef stands for the parameter with the stage, which is no sample: another stage's alarms are not those of ours.
const stageRef = "!Ref Stage"

// property writes a property of an alarm on one line: a list by its items, a dimension as name=value.
func (t template) property(v any) string {
	var items []string
	for _, item := range list(v) {
		name, value := str(at(item, "Name")), at(item, "Value")
		switch {
		case name == "":
			items = append(items, t.resolved(item))
		case at(value, "Ref") == "Stage":
			items = append(items, name+"="+stageRef)
		default:
			items = append(items, name+"="+t.resolved(value))
		}
	}
	return strings.Join(items, ",")
}

// checkAlarmTopic: the topic of the alarms has the subscriber that a parameter names, if any.
func checkAlarmTopic(t template) (problems []string) {
	topic := at(t.root, "Resources", "Alarms", "Type")
	if topic != "AWS::SNS::Topic" || at(t.properties("Alarms"), "KmsMasterKeyId") != nil {
		problems = append(problems, "Alarms is not a topic that CloudWatch can publish to")
	}
	const id = "AlarmSubscription"
	p, condition := t.properties(id), str(at(t.root, "Resources", id, "Condition"))
	if at(p, "TopicArn", "Ref") != "Alarms" || at(p, "Protocol") != "email" ||
		at(p, "Endpoint", "Ref") != "AlarmEmail" {
		problems = append(problems, "nobody is told of the alarms")
	}
	if got := fmt.Sprint(at(t.root, "Conditions", condition)); got != "map[Not:[map[Equals:[map[Ref:AlarmEmail] ]]]]" {
		problems = append(problems, fmt.Sprintf("%s: without an address, the deployment fails: %s", id, got))
	}
	return problems
}

// checkAlarmPage: the table of operations.md lists the rules, and what each says.
func checkAlarmPage(page string, rules []alarm.Rule) []string {
	var documented, real []string
	for _, row := range tableUnder(page, "Alarms") {
		documented = append(documented, strings.Join(row, " | "))
	}
	for _, r := range rules {
		real = append(real, strings.Join([]string{"`" + r.ID + "`", "`" + r.Metric + "`", string(r.Unit), limit(r),
			lasting(r), string(r.Missing)}, " | "))
	}
	return differ(operationsFile, "the row", documented, real)
}

// limit says when a rule is breached.
func limit(r alarm.Rule) string {
	text := "more than "
	if r.Comparison == alarm.AtLeast {
		text = "at least "
	}
	return text + strconv.FormatFloat(r.Threshold, 'f', -1, 64)
}

// lasting says for how long the limit has to be breached.
func lasting(r alarm.Rule) string {
	return fmt.Sprintf("%d min", int(r.Period/time.Minute)*r.Periods)
}

// checkGuides: the runbook that an alarm refers to is there, and names the alarm.
func checkGuides(rules []alarm.Rule, pages map[string]string) (problems []string) {
	for _, r := range rules {
		switch page, ok := pages["infra/runbooks/"+r.Guide]; {
		case !ok:
			problems = append(problems, fmt.Sprintf("%s: there is no runbook %s", r.ID, r.Guide))
		case !strings.Contains(page, "`"+r.ID+"`"):
			problems = append(problems, fmt.Sprintf("%s: its runbook %s does not name it", r.ID, r.Guide))
		}
	}
	return problems
}

// checkPublished: a function publishes the metric of each rule of ours. code is that of all functions, and of the
// gauges.
func checkPublished(rules []alarm.Rule, code string) (problems []string) {
	for _, r := range rules {
		if r.Namespace == alarm.Ours && !strings.Contains(code, strconv.Quote(r.Metric)) {
			problems = append(problems, fmt.Sprintf("%s: no function counts %s", r.ID, r.Metric))
		}
	}
	return problems
}

func TestAlarmsAreDocumented(t *testing.T) {
	report(t, checkAlarmPage(read(t, operationsFile), alarm.Rules))
	report(t, checkGuides(alarm.Rules, tracked(t)))
}

func TestAlarmChecksFind(t *testing.T) {
	text := read(t, "template.yaml")
	for _, tt := range []struct{ old, new, want string }{
		{"  BounceRateAlarm:\n    Type: AWS::CloudWatch::Alarm", "  BounceRateAlarm:\n    Type: AWS::SNS::Topic",
			"the alarm BounceRateAlarm is missing"},
		{"MetricName: MailsUnknown", "MetricName: MailsStrange", `MailsUnknownAlarm: MetricName is "MailsStrange"`},
		{"Namespace: Marketplace", "Namespace: Market", `DailyRunAlarm: Namespace is "Market"`},
		{"Namespace: AWS/SES", "Namespace: SES", `BounceRateAlarm: Namespace is "SES"`},
		{"      Dimensions: [{Name: Stage, Value: !Ref Stage}]\n", "", "DailyRunAlarm: Dimensions is \"\""},
		{"[{Name: Stage, Value: !Ref Stage}]", "[{Name: Stage, Value: production}]",
			`DailyRunAlarm: Dimensions is "Stage=production"`},
		{"MetricName: Reputation.BounceRate\n", "MetricName: Reputation.BounceRate\n      Dimensions: [{Name: a, Value: b}]\n",
			`BounceRateAlarm: Dimensions is "a=b"`},
		{"Threshold: 26", "Threshold: 27", `DailyRunAlarm: Threshold is "27", want "26"`},
		{"Threshold: 0.001", "Threshold: 0.1", `ComplaintRateAlarm: Threshold is "0.1"`},
		{"ComparisonOperator: GreaterThanThreshold", "ComparisonOperator: LessThanThreshold",
			`DailyRunAlarm: ComparisonOperator is "LessThanThreshold"`},
		{"Period: 600", "Period: 60", `DailyRunAlarm: Period is "60"`},
		{"EvaluationPeriods: 3", "EvaluationPeriods: 1", `DailyRunAlarm: EvaluationPeriods is "1"`},
		{"TreatMissingData: breaching", "TreatMissingData: ignore", `DailyRunAlarm: TreatMissingData is "ignore"`},
		{"Statistic: Maximum", "Statistic: Average", `DailyRunAlarm: Statistic is "Average"`},
		{"AlarmDescription: 'No daily run", "AlarmDescription: 'The daily run", "DailyRunAlarm: AlarmDescription is"},
		{"      AlarmActions: [!Ref Alarms]\n", "", `DailyRunAlarm: AlarmActions is ""`},
		{"OKActions: [!Ref Alarms]", "OKActions: [!Ref MailEvents]", `DailyRunAlarm: OKActions is "MailEvents"`},
		{"      EvaluationPeriods: 3\n", "      EvaluationPeriods: 3\n      DatapointsToAlarm: 1\n",
			"DailyRunAlarm: DatapointsToAlarm is not compared"},
		{"Endpoint: !Ref AlarmEmail", "Endpoint: !Ref SalesEmail", "nobody is told of the alarms"},
		{"    Condition: HasAlarmEmail\n", "", "without an address, the deployment fails"},
	} {
		if !strings.Contains(text, tt.old) {
			t.Fatalf("template.yaml does not contain %q any more", tt.old)
		}
		tpl, err := parseTemplate(strings.Replace(text, tt.old, tt.new, 1))
		if err != nil {
			t.Fatal(err)
		}
		finds(t, checkAlarms(tpl, alarm.Rules), tt.want)
	}
	rule := alarm.Rule{ID: "A", Namespace: alarm.Ours, Metric: "Strange", Unit: alarm.Count, Threshold: 3,
		Period: time.Minute, Periods: 2, Missing: alarm.Breaching, Guide: "x" + markdown}
	const page = "\n## Alarms\n\n| a | m | u | l | f | d |\n|-|-|-|-|-|-|\n| `A` | `Strange` | Count | at least 3 | 2 min | breaching |\n"
	finds(t, checkAlarmPage(page, []alarm.Rule{rule}), "the row `A` | `Strange` | Count | more than 3 | 2 min | breaching is missing",
		"at least 3 | 2 min | breaching does not exist")
	finds(t, checkGuides([]alarm.Rule{rule}, nil), "A: there is no runbook x")
	finds(t, checkGuides([]alarm.Rule{rule}, map[string]string{"infra/runbooks/x" + markdown: "# X\n\n`B`\n"}),
		"does not name it")
	finds(t, checkPublished([]alarm.Rule{rule}, `"Usual"`), "A: no function counts Strange")
}
