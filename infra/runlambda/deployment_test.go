package main

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// noon is when the stack of these tests is made.
var noon = time.Date(2026, time.November, 30, 12, 0, 0, 0, time.UTC)

// readText reads a template as the server does, without engines.
func readText(t *testing.T, text string, parameters map[string]string) (deployment, error) {
	t.Helper()
	v := values{template: parse(t, text), stack: "test", parameters: map[string]string{
		"SiteUrl": "http://localhost:8080", "PackagesUrl": "http://localhost:8080/p", "MailIdentity": "vendor.example",
		"SalesEmail": "sales@vendor.example", "OidcIssuer": "http://localhost:8080/people", "OidcClientId": "console",
	}, secrets: map[string]string{"ConsoleSecret": "arn:console", "HashSecret": "arn:hash",
		"AccountSecret": "arn:account"}}
	for name, value := range parameters {
		v.parameters[name] = value
	}
	if err := v.checkParameters(); err != nil {
		return deployment{}, err
	}
	return read(v, noon)
}

func TestEnvironmentIsTheTemplates(t *testing.T) {
	d, err := readText(t, readTemplate(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{
		"CatalogFunction": {"BUNDLE_URL=http://localhost:8080/p/catalog/bundle.bin", "STAGE=production"},
		"MailerFunction": {"MAIL_FROM=Editions and Licenses <licensing@vendor.example>", "TABLE_NAME=test-Table",
			"SES_CONFIGURATION_SET=test-MailConfigurationSet"},
		"AccountFunction": {"ACCOUNT_SECRET=arn:account"},
		"BridgeFunction": {"BRIDGE_SIGNERS=" +
			"production-bridge-1=arn:aws:kms:eu-central-1:123456789012:key/test-BridgeKey"},
		"ConsoleFunction": {"OIDC_ISSUER=http://localhost:8080/people", "CONSOLE_SECRET=arn:console",
			"PACKAGES_BUCKET=test-packagesbucket", "LICENSE_SIGNERS=" +
				"production-evaluation-1=arn:aws:kms:eu-central-1:123456789012:key/test-EvaluationKey," +
				"production-production-1=arn:aws:kms:eu-central-1:123456789012:key/test-ProductionKey"},
	} {
		for _, variable := range want {
			if !slices.Contains(d.functions[id].env, variable) {
				t.Errorf("%s: got %q, want %s among them", id, d.functions[id].env, variable)
			}
		}
	}
	if got := d.functions["ConsoleFunction"].timeout; got != 29*time.Second {
		t.Errorf("got a timeout of %v", got)
	}
}

// TestWhatNothingDoesIsAnError changes the template into what could not be run as written.
func TestWhatNothingDoesIsAnError(t *testing.T) {
	for _, tt := range []struct {
		name, old, new, want string
		parameters           map[string]string
	}{
		{name: "a resource that does not exist", old: "TABLE_NAME: !Ref Table", new: "TABLE_NAME: !Ref Tabel",
			want: "there is no Tabel"},
		{name: "an attribute that nothing stands for", old: "TABLE_NAME: !Ref Table",
			new: "TABLE_NAME: !GetAtt Table.TableId", want: "!GetAtt Table.TableId"},
		{name: "a function of CloudFormation", old: "STAGE: !Ref Stage", new: `STAGE: !Join ["", [!Ref Stage]]`,
			want: "Join is not known"},
		{name: "a rule of a pattern", old: `{"prefix":"OUTBOX#1#"}`, new: `{"suffix":"OUTBOX#1#"}`, want: "suffix"},
		{name: "a rule of a subscription", old: "{eventType: [Send]}", new: "{eventType: [{exists: true}]}",
			want: "exists"},
		{name: "a kind of event", old: "Type: ScheduleV2", new: "Type: S3", want: "an event of type S3"},
		{name: "a property of a source", old: "            BatchSize: 1000",
			new: "            TumblingWindowInSeconds: 5", want: "TumblingWindowInSeconds"},
		{name: "another payload", old: "Properties: {ApiId: !Ref Api, Method: ANY, Path: /console}",
			new:  `Properties: {ApiId: !Ref Api, Method: ANY, Path: /console, PayloadFormatVersion: "1.0"}`,
			want: "PayloadFormatVersion is 1.0"},
		{name: "a throttle of no route", old: "        ANY /catalog.json:", new: "        GET /catalog.json:",
			want: "GET /catalog.json"},
		{name: "a schedule", old: "cron(0 6 * * ? *)", new: "cron(0 6 L * ? *)", want: "the field L"},
		{name: "a zone", old: "ScheduleExpressionTimezone: UTC", new: "ScheduleExpressionTimezone: Europe/Berne",
			want: "Europe/Berne"},
		{name: "a queue that does not exist", old: "Queue: !GetAtt MailOutcomeQueue.Arn",
			new: "Queue: arn:aws:sqs:eu-central-1:123456789012:gone", want: "no queue"},
		{name: "a value that the parameter refuses", parameters: map[string]string{"TimeZone": "Europe /Zurich"},
			want: "TimeZone"},
		{name: "a parameter that does not exist", parameters: map[string]string{"Zone": "UTC"}, want: "Zone"},
		{name: "a resource that is not made", old: "TABLE_NAME: !Ref Table", new: "TABLE_NAME: !Ref UserPool",
			want: "UserPool is not made"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := readTemplate(t)
			if !strings.Contains(text, tt.old) {
				t.Fatalf("the template has no %q", tt.old)
			}
			_, err := readText(t, strings.Replace(text, tt.old, tt.new, 1), tt.parameters)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got the error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRoutesAreChosenAsAPIGatewayDoes(t *testing.T) {
	d, err := readText(t, readTemplate(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{deployment: d}
	for request, want := range map[string]string{
		"GET /":                         "$default",
		"GET /editions.json":            "ANY /editions.json",
		"GET /editions":                 "$default",
		"POST /request/developer":       "POST /request/{edition}",
		"GET /request/developer":        "$default",
		"POST /request/developer/x":     "$default",
		"POST /request/":                "$default",
		"POST /requests/1/confirmation": "POST /requests/{id}/confirmation",
		"GET /console":                  "ANY /console",
		"GET /console/":                 "$default",
		"GET /console/requests/1":       "ANY /console/{proxy+}",
		"GET /consoles":                 "$default",
		"GET /account":                  "ANY /account",
		"GET /account/signin":           "ANY /account/{proxy+}",
		"POST /account/signin":          "POST /account/signin",
		"POST /account/instances/1/key": "ANY /account/{proxy+}",
		"GET /downloads/a.zip":          "ANY /downloads/{proxy+}",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got, ok := s.route(method, path); !ok || got.key != want {
			t.Errorf("%s: got the route %s, want %s", request, got.key, want)
		}
	}
}

func TestMoreExactRouteWins(t *testing.T) {
	s := &Server{deployment: deployment{routes: []route{
		{key: "$default"}, {key: "greedy", method: "ANY", path: "/a/{p+}"}, {key: "any", method: "ANY", path: "/a/{x}"},
		{key: "get", method: "GET", path: "/a/{x}"}, {key: "text", method: "ANY", path: "/a/b"},
	}}}
	for request, want := range map[string]string{
		"GET /a/b": "text", "GET /a/c": "get", "POST /a/c": "any", "GET /a/b/c": "greedy", "GET /": "$default",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got, _ := s.route(method, path); got.key != want {
			t.Errorf("%s: got the route %s, want %s", request, got.key, want)
		}
	}
}

func TestLimitLetsABurstPassAndThenItsRate(t *testing.T) {
	l := limit{rate: 2, burst: 3}
	passed := func(at time.Time) (n int) {
		for range 10 {
			if l.take(at) {
				n++
			}
		}
		return n
	}
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{0, 3}, {0, 0}, {time.Second, 2}, {time.Minute, 3}} {
		if got := passed(noon.Add(tt.after)); got != tt.want {
			t.Errorf("after %v: %d of 10 passed, want %d", tt.after, got, tt.want)
		}
	}
}

func TestAPIAnswersByItselfWhatNoFunctionGets(t *testing.T) {
	s := &Server{options: Options{Now: func() time.Time { return noon }}, deployment: deployment{routes: []route{
		{key: "GET /a", method: "GET", path: "/a", limit: &limit{}},
	}}}
	for target, want := range map[string]string{
		"http://localhost/a": `429 {"message":"Too Many Requests"}`,
		"http://localhost/b": `404 {"message":"Not Found"}`,
	} {
		answer := httptest.NewRecorder()
		s.serveAPI(answer, httptest.NewRequest("GET", target, nil))
		if got := fmt.Sprint(answer.Code, " ", strings.TrimSpace(answer.Body.String())); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
}
