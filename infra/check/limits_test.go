package check

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	environmentLimit = 4096 // bytes of all names and values (Lambda quotas)
	usualLength      = 100  // of a parameter without a MaxLength, and of a resource's name or ARN
	newAccount       = 10   // functions that a new account may run at once
)

// lengths are the most that AWS gives these, in bytes.
var lengths = map[string]int{"AWS::Region": 25, "PackagesBucket": 63, "UserPool": 55, "EvaluationKey.Arn": 90,
	"ProductionKey.Arn": 90}

// longest returns how long a value of a function's environment may get, in bytes.
func (t template) longest(v any) int {
	if branches := list(at(v, "If")); len(branches) == 3 {
		return max(t.longest(branches[1]), t.longest(branches[2]))
	}
	text := str(v)
	if name := at(v, "Ref"); name != nil {
		text = "${" + str(name) + "}"
	} else if sub := at(v, "Sub"); sub != nil {
		text = str(sub)
	}
	return len(regexp.MustCompile(`\$\{[^}]+\}`).ReplaceAllStringFunc(text, func(s string) string {
		name := s[2 : len(s)-1]
		p := at(t.root, "Parameters", name)
		n, err := strconv.Atoi(str(at(p, "MaxLength")))
		if err != nil {
			n = cmp.Or(lengths[name], usualLength)
		}
		if values := list(at(p, "AllowedValues")); len(values) > 0 {
			n = len(slices.MaxFunc(values, func(a, b any) int { return len(str(a)) - len(str(b)) }).(string))
		}
		return strings.Repeat("x", n)
	}))
}

// checkLimits: what a deployment may contain stays below AWS's limits. Too large an environment fails only when it is
// deployed, and a new account's concurrency only when there is something to do.
func checkLimits(t template) (problems []string) {
	for id, f := range t.functions() {
		size := 0
		for _, name := range keysOf(at(f["Environment"], "Variables")) {
			size += len(name) + t.longest(at(f["Environment"], "Variables", name))
		}
		if size > environmentLimit {
			problems = append(problems, fmt.Sprintf("%s: its environment may have %d bytes, more than %d", id, size,
				environmentLimit))
		}
		timeout, _ := strconv.Atoi(str(f["Timeout"]))
		for _, name := range keysOf(f["Events"]) {
			p := at(f["Events"], name, "Properties")
			if age, err := strconv.Atoi(str(at(p, "MaximumRecordAgeInSeconds"))); err == nil && age < 3*timeout {
				problems = append(problems, fmt.Sprintf("%s: %s: a record is dropped before a second run", id, name))
			}
		}
	}
	concurrent := 0
	for _, f := range t.functions() {
		for _, name := range keysOf(f["Events"]) {
			limit := at(f["Events"], name, "Properties", "ScalingConfig", "MaximumConcurrency")
			n, _ := strconv.Atoi(str(limit))
			concurrent += n
		}
	}
	if concurrent > newAccount/2 {
		problems = append(problems, fmt.Sprintf("queues may take %d of the %d functions that a new account runs",
			concurrent, newAccount))
	}
	return problems
}

func TestLimitsOfAWSAreKept(t *testing.T) {
	text := read(t, "template.yaml")
	tpl, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkLimits(tpl))
	for _, tt := range []struct{ old, new, want string }{
		{"MaxLength: 1400", "MaxLength: 1900", "ConsoleFunction: its environment may have"},
		{"MaximumRecordAgeInSeconds: 1800", "MaximumRecordAgeInSeconds: 300", "Outbox: a record is dropped"},
		{"MaximumConcurrency: 2", "MaximumConcurrency: 5", "queues may take 7"},
	} {
		if !strings.Contains(text, tt.old) {
			t.Fatalf("template.yaml does not contain %q any more", tt.old)
		}
		changed, err := parseTemplate(strings.Replace(text, tt.old, tt.new, 1))
		if err != nil {
			t.Fatal(err)
		}
		if problems := checkLimits(changed); !slices.ContainsFunc(problems, func(p string) bool {
			return strings.Contains(p, tt.want)
		}) {
			t.Errorf("got the problems %q, want %q", problems, tt.want)
		}
	}
}
