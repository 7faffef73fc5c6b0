package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseReadsBenchmarkOutput(t *testing.T) {
	got := parse("goos: linux\n"+
		"BenchmarkInvoke/br-2   \t  463797\t      2440 ns/op\t     256 B/op\t       5 allocs/op\n"+
		"BenchmarkGenerate \t 10 \t 1500000.5 ns/op \t 33 MB/s \t 12 B/op \t 3 allocs/op\nPASS\n", "api", "x")
	want := []benchmark{{name: "api/br", what: "x", nanoseconds: 2440, bytes: 256, allocations: 5},
		{name: "api", what: "x", nanoseconds: 1500000.5, bytes: 12, allocations: 3}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if n := allocations(got, "api/br"); n != 5 {
		t.Errorf("got %d allocations, want 5", n)
	}
	if n := allocations(got, "missing"); n != -1 {
		t.Errorf("got %d allocations of an unknown benchmark, want -1", n)
	}
}

func TestQuantileOfValues(t *testing.T) {
	values := []time.Duration{5, 1, 4, 2, 3}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 3, 1: 5, 0.99: 5} {
		if got := quantile(values, q); got != want {
			t.Errorf("%v: got %d, want %d", q, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("no values: got a quantile other than zero")
	}
}

func TestBudgetsAreCompared(t *testing.T) {
	row := func(b budget) *target {
		return &target{name: "it", cold: []time.Duration{100}, warm: []time.Duration{100}, cpu: []time.Duration{100},
			size: 7_000_000, allocations: 5, budget: b}
	}
	all := budget{cold: 1.10, warm: 1, cpu: 1, allocations: 1, megabytes: 7}
	for _, test := range []struct {
		name   string
		budget budget
		change func(*target)
		over   string
	}{
		{"all at the limit", all, func(t *target) { t.cold[0] = 110 }, ""},
		{"cold", all, func(t *target) { t.cold[0] = 111 }, "it: cold start"},
		{"warm", all, func(t *target) { t.warm[0] = 101 }, "it: warm p50"},
		{"CPU", all, func(t *target) { t.cpu[0] = 101 }, "it: CPU"},
		{"allocations", all, func(t *target) { t.allocations = 6 }, "it: allocations"},
		{"size", all, func(t *target) { t.size++ }, "it: binary"},
		{"without a budget", budget{}, func(t *target) { t.cold[0], t.warm[0], t.size = 900, 900, 9e9 }, ""},
		{"not measured", all, func(t *target) { t.allocations = -1 }, ""},
	} {
		measured := row(test.budget)
		test.change(measured)
		var out strings.Builder
		within := printBudgets(&out, []*target{row(budget{}), measured})
		var over []string
		for line := range strings.Lines(out.String()) {
			if strings.HasSuffix(strings.TrimSpace(line), "over") {
				over = append(over, line)
			}
		}
		if within != (test.over == "") || len(over) > 1 ||
			test.over != "" && (len(over) != 1 || !strings.HasPrefix(over[0], test.over)) {
			t.Errorf("%s: within %v\n%s", test.name, within, &out)
		}
	}
}

func TestFailedBenchmarkIsNamed(t *testing.T) {
	if err := unmeasured([]benchmark{{name: "hello"}}); err != nil {
		t.Errorf("got %v for benchmarks that were measured", err)
	}
	err := unmeasured([]benchmark{{name: "hello"}, {name: "site", problem: "exit status 1"}})
	if err == nil || !strings.Contains(err.Error(), "site") || strings.Contains(err.Error(), "hello") {
		t.Errorf("got %v, want the benchmark that failed", err)
	}
}
