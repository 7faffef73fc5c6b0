package stack

import (
	"strings"
	"testing"
)

func TestScheduleExpressions(t *testing.T) {
	for s, want := range map[string]bool{
		"cron(0 6 * * ? *)": true, "cron(0/15 8-17 ? * MON-FRI *)": true, "cron(0 6 1,15 * ? 2027)": true,
		"rate(1 minute)": true, "rate(5 minutes)": true, "rate(2 days)": true,
		"": false, "rate(1 minutes)": false, "rate(5 minute)": false, "rate(0 minutes)": false,
		"rate(60 seconds)": false, "cron(0 6 * * * *)": false, "cron(0 6 ? * ? *)": false, "cron(0 6 * * ?)": false,
		"cron(60 6 * * ? *)": false, "cron(0 24 * * ? *)": false, "cron(0 6 * * ? *": false, "0 6 * * ? *": false,
		"cron(0 6 ? * MONDAY *)": false,
	} {
		if got := validSchedule(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	tpl, err := Parse("A: !GetAtt [B, Arn]\nC: {Fn::GetAtt: [B, Arn]}\nD: !Sub a${B}\nE: &x {a: 1}\nF: *x\n")
	if err != nil {
		t.Fatal(err)
	}
	const want = "{A: !GetAtt B.Arn, C: !GetAtt B.Arn, D: !Sub a${B}, E: {a: 1}, F: {a: 1}}"
	if got := Text(tpl.Root); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for text, want := range map[string]string{"A: 1\nB: 2\nA: 3\n": "line 3: A is there twice", "": "empty", "{": "yaml"} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got the error %v, want %q", text, err, want)
		}
	}
}

func TestCirclesAndStrangeReferencesAreFindings(t *testing.T) {
	tpl, err := Parse(`
Resources:
  A: {Type: AWS::SQS::Queue, DependsOn: B, Properties: {X: !GetAtt C.Arn}}
  B: {Type: AWS::SQS::Queue, Properties: {X: !Sub "${A.Arn}", Y: !GetAtt A.Size, Z: "${A}"}}
`)
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{Input: Input{Template: tpl}}
	checkReferences(c)
	var found []string
	for _, f := range c.findings {
		found = append(found, f.String())
	}
	all := strings.Join(found, "\n")
	for _, want := range []string{"A → B → A", "there is no C", "A has no attribute Size", `"${A}" needs !Sub`} {
		if !strings.Contains(all, want) {
			t.Errorf("got %q, want %q", found, want)
		}
	}
}
