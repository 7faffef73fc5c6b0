package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseReadsGoTestsOutput(t *testing.T) {
	got := parse("goos: linux\nBenchmarkInvoke/br-2   \t  463797\t      2440 ns/op\t     256 B/op\t       5 allocs/op\n"+
		"BenchmarkGenerate \t 10 \t 1500000.5 ns/op \t 33 MB/s \t 12 B/op \t 3 allocs/op\nPASS\n", "feed", "x")
	want := []benchmark{{name: "feed/br", what: "x", nanoseconds: 2440, bytes: 256, allocations: 5},
		{name: "feed", what: "x", nanoseconds: 1500000.5, bytes: 12, allocations: 3}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v", got)
	}
	if n := allocations(got, "feed/br"); n != 5 {
		t.Errorf("allocations %d", n)
	}
	if n := allocations(got, "missing"); n != -1 {
		t.Errorf("allocations %d of what was not measured", n)
	}
}

func TestQuantile(t *testing.T) {
	values := []time.Duration{5, 1, 4, 2, 3}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 3, 1: 5, 0.99: 5} {
		if got := quantile(values, q); got != want {
			t.Errorf("%v: %d, want %d", q, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("a quantile of nothing")
	}
}

func TestBudgetsAreJudged(t *testing.T) {
	row := func(name string, cold, warm time.Duration, size int64) *target {
		return &target{name: name, cold: []time.Duration{cold}, warm: []time.Duration{warm}, cpu: []time.Duration{100}, size: size, allocations: 5}
	}
	for _, test := range []struct {
		name   string
		change func(catalog, download *target)
		over   string
	}{
		{"within", func(*target, *target) {}, ""},
		{"cold", func(c, _ *target) { c.cold[0] = 112 }, "catalog br: cold start"},
		{"warm", func(c, _ *target) { c.warm[0] = 102 }, "catalog br: warm"},
		{"redirect cold", func(_, d *target) { d.cold[0] = 122 }, "download redirect: cold"},
		{"redirect warm", func(_, d *target) { d.warm[0] = 112 }, "download redirect: warm"},
		{"allocations", func(c, _ *target) { c.allocations = 6 }, "catalog br: allocations"},
		{"size", func(c, _ *target) { c.size = 7_100_000 }, "catalog: binary"},
	} {
		catalog, download := row("catalog br", 110, 100, 7_000_000), row("download redirect", 120, 110, 7_000_000)
		test.change(catalog, download)
		var out strings.Builder
		within := printBudgets(&out, []*target{row("hello", 100, 100, 6_000_000), catalog, download})
		var over []string
		for line := range strings.Lines(out.String()) {
			if strings.HasSuffix(strings.TrimSpace(line), "over") {
				over = append(over, line)
			}
		}
		if within != (test.over == "") || len(over) > 1 || test.over != "" && (len(over) != 1 || !strings.HasPrefix(over[0], test.over)) {
			t.Errorf("%s: within %v\n%s", test.name, within, &out)
		}
	}
}
