package check

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"marketplace/shared/alarm"
)

// dimensionOf is what a namespace of AWS's names the resources by that its metrics are of.
var dimensionOf = map[string]struct{ name, kind string }{
	"AWS/ApiGateway": {"ApiId", "AWS::Serverless::HttpApi"},
	"AWS/Lambda":     {"FunctionName", "AWS::Serverless::Function"},
	"AWS/DynamoDB":   {"TableName", "AWS::DynamoDB::Table"},
}

// searched finds the dimensions, the stage and the metric of a search.
var searched = regexp.MustCompile(`^SEARCH\('\{Marketplace,([\w,]+)\} Stage="\$\{Stage\}" ` +
	`MetricName="(\w+)"', 'Sum', 86400\)$`)

// checkDashboard: the dashboard shows metrics that functions publish, of its own stage and resources, each as its alarm
// counts it, and the errors of every function. code is that of all functions.
func checkDashboard(t template, code string) (problems []string) {
	fail := func(format string, args ...any) {
		problems = append(problems, "Dashboard: "+fmt.Sprintf(format, args...))
	}
	var body struct {
		Widgets []struct {
			Properties struct {
				Title, Stat, Region string
				Metrics             [][]any
			}
		}
	}
	text := str(at(t.properties("Dashboard"), "DashboardBody", "Sub"))
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return []string{"Dashboard: " + err.Error()}
	}
	errorsOf := t.resources("AWS::Serverless::Function")
	for _, w := range body.Widgets {
		if w.Properties.Region != "${AWS::Region}" {
			fail("%q is of %s", w.Properties.Title, w.Properties.Region)
		}
		var before []string
		for _, row := range w.Properties.Metrics {
			stat, search := w.Properties.Stat, ""
			if options, ok := row[len(row)-1].(map[string]any); ok {
				row, search = row[:len(row)-1], str(options["expression"])
				if options["stat"] != nil {
					stat = str(options["stat"])
				}
			}
			if search != "" {
				m := searched.FindStringSubmatch(search)
				if m == nil || !strings.Contains(code, strconv.Quote(m[2])) ||
					!strings.Contains(code, `"`+strings.ReplaceAll(m[1], ",", `", "`)+`"}`) {
					fail("no function publishes what it searches for: %s", search)
				}
				continue
			}
			before = spelledOut(row, before)
			if len(before) != 4 {
				fail("%q has the metric %q", w.Properties.Title, before)
				continue
			}
			if problem := shows(t, before, stat, code); problem != "" {
				fail("%q: %s", w.Properties.Title, problem)
			}
			if before[1] == "Errors" {
				errorsOf = slices.DeleteFunc(errorsOf, func(id string) bool { return before[3] == "${"+id+"}" })
			}
		}
	}
	if len(errorsOf) > 0 {
		fail("it lacks the errors of %s", errorsOf)
	}
	return problems
}

// spelledOut writes a row of metrics without CloudWatch's short forms, which point to the row before.
func spelledOut(row []any, before []string) (full []string) {
	for i, cell := range row {
		switch {
		case cell == "...":
			full = append(full, before[min(i, len(before)):max(0, len(before)-(len(row)-1-i))]...)
		case cell == "." && i < len(before):
			full = append(full, before[i])
		default:
			full = append(full, str(cell))
		}
	}
	return full
}

// shows says what is wrong with a metric on the dashboard, if anything.
func shows(t template, metric []string, stat, code string) string {
	namespace, name, dimension, value := metric[0], metric[1], metric[2], metric[3]
	if namespace != alarm.Ours {
		of, known := dimensionOf[namespace]
		id := strings.TrimSuffix(strings.TrimPrefix(value, "${"), "}")
		if !known || dimension != of.name || at(t.root, "Resources", id, "Type") != of.kind {
			return fmt.Sprintf("%s %s is not of a resource: %s %s", namespace, name, dimension, value)
		}
		return ""
	}
	if dimension != "Stage" || value != "${Stage}" {
		return name + " is not of the stage: " + dimension + " " + value
	}
	if !strings.Contains(code, strconv.Quote(name)) {
		return "no function counts " + name
	}
	want := "Sum"
	for _, r := range alarm.Rules {
		if r.Metric == name {
			want = r.Statistic
		}
	}
	if stat != want {
		return name + " is shown as " + stat + ", want " + want
	}
	return ""
}

func TestSpelledOutMetrics(t *testing.T) {
	before := []string{"AWS/ApiGateway", "Count", "ApiId", "x"}
	for _, tt := range []struct {
		row  []any
		want string
	}{
		{[]any{"A", "B", "C", "d"}, "A B C d"},
		{[]any{".", "4xx", ".", "."}, "AWS/ApiGateway 4xx ApiId x"},
		{[]any{"..."}, "AWS/ApiGateway Count ApiId x"},
		{[]any{"...", "y"}, "AWS/ApiGateway Count ApiId y"},
	} {
		if got := strings.Join(spelledOut(tt.row, before), " "); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.row, got, tt.want)
		}
	}
}
