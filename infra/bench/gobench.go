package main

import (
	"context"
	"os/exec"
	"path"
	"strconv"
	"strings"
)

// benchmark is one result of go test -bench, or the reason why there is none.
type benchmark struct {
	name        string // the package and the sub-benchmark, for example "api/br"
	what        string
	nanoseconds float64
	bytes       int
	allocations int
	p95         float64 // milliseconds; 0 if the benchmark does not report it
	problem     string
}

// benchmarks are the Go benchmarks that the project's budgets refer to.
var benchmarks = [...]struct {
	what, importPath, name string
	flags                  []string
}{
	{"catalog and all documents from release metadata", "marketplace/catalog", "BenchmarkGenerate", nil},
	{"one license request recorded on bolt", "marketplace/shared/store", "BenchmarkFileRequest", nil},
	{"hello's handler", "marketplace/infra/bench/hello", "BenchmarkInvoke", nil},
	{"the catalog's handler", "marketplace/functions/catalog/api", "BenchmarkInvoke", nil},
	{"the worst bodies that strangers can send", "marketplace/functions/requests/site", "BenchmarkWorstBody",
		[]string{"-benchtime", "20x"}},
	{"a page of the console", "marketplace/functions/console/site", "BenchmarkConsole", []string{"-benchtime", "200x"}},
}

// goBenchmarks runs the benchmarks. If short is set, the console's table has a tenth of the records.
func goBenchmarks(ctx context.Context, short bool) []benchmark {
	var results []benchmark
	for _, b := range benchmarks {
		args := append([]string{"test", "-run", "^$", "-bench", "^" + b.name + "$", "-benchmem"}, b.flags...)
		if short {
			args = append(args, "-short")
		}
		out, err := exec.CommandContext(ctx, "go", append(args, b.importPath)...).CombinedOutput()
		found := parse(string(out), path.Base(b.importPath), b.what)
		if len(found) == 0 {
			problem := "no such benchmark"
			if err != nil {
				problem = err.Error() + ": " + strings.TrimSpace(string(out))
			}
			found = []benchmark{{name: path.Base(b.importPath), what: b.what, problem: problem}}
		}
		results = append(results, found...)
	}
	return results
}

// parse reads lines such as "BenchmarkInvoke/br-2 463797 2440 ns/op 256 B/op 5 allocs/op"; further metrics may stand
// between.
func parse(output, pkg, what string) []benchmark {
	var results []benchmark
	for line := range strings.Lines(output) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		b := benchmark{name: pkg, what: what}
		if _, sub, ok := strings.Cut(fields[0], "/"); ok {
			if i := strings.LastIndexByte(sub, '-'); i >= 0 {
				sub = sub[:i]
			}
			b.name += "/" + sub
		}
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				continue
			}
			switch fields[i+1] {
			case "ns/op":
				b.nanoseconds = v
			case "B/op":
				b.bytes = int(v)
			case "allocs/op":
				b.allocations = int(v)
			case "p95-ms":
				b.p95 = v
			}
		}
		results = append(results, b)
	}
	return results
}

// allocations returns the allocations of the named result, or -1.
func allocations(results []benchmark, name string) int {
	for _, b := range results {
		if b.name == name && b.problem == "" {
			return b.allocations
		}
	}
	return -1
}
