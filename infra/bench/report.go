package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"
)

func printTargets(out io.Writer, targets []*target) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "\tcold start\t×\tto 1st answer\t×\twarm p50\t×\tp99\tCPU/request\t×\tallocs\tmemory\tbinary\t×")
	base := targets[0]
	for _, t := range targets {
		allocs := "?"
		if t.allocations >= 0 {
			allocs = fmt.Sprint(t.allocations)
		}
		fmt.Fprintf(w, "%s\t%.2f ms\t%.2f\t%.2f ms\t%.2f\t%.0f µs\t%.2f\t%.0f µs\t%.0f µs\t%.2f\t%s\t%.1f MB\t%.2f "+
			"MB\t%.2f\n", t.name,
			milliseconds(median(t.cold)), ratio(median(t.cold), median(base.cold)),
			milliseconds(median(t.first)), ratio(median(t.first), median(base.first)),
			microseconds(median(t.warm)), ratio(median(t.warm), median(base.warm)),
			microseconds(quantile(t.warm, 0.99)),
			microseconds(median(t.cpu)), ratio(median(t.cpu), median(base.cpu)),
			allocs, float64(t.memory)/1e6, float64(t.size)/1e6, float64(t.size)/float64(base.size))
	}
}

// printBudgets compares the targets with their budgets and reports whether all are within. It leaves out what could not
// be measured.
func printBudgets(out io.Writer, targets []*target) bool {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "\nbudget\tmeasured\tat most\t")
	within := true
	row := func(name string, measured, limit float64) {
		if limit == 0 || math.IsNaN(measured) || math.IsInf(measured, 0) {
			return
		}
		verdict := "PASS"
		if measured > limit {
			verdict, within = "over", false
		}
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%s\n", name, measured, limit, verdict)
	}
	base := targets[0]
	for _, t := range targets[1:] {
		row(t.name+": cold start ×", ratio(median(t.cold), median(base.cold)), t.budget.cold)
		row(t.name+": warm p50 ×", ratio(median(t.warm), median(base.warm)), t.budget.warm)
		row(t.name+": CPU per request ×", ratio(median(t.cpu), median(base.cpu)), t.budget.cpu)
		if t.allocations >= 0 && base.allocations > 0 {
			row(t.name+": allocations ×", float64(t.allocations)/float64(base.allocations), t.budget.allocations)
		}
		row(t.name+": binary, MB", float64(t.size)/1e6, t.budget.megabytes)
	}
	return within
}

func printBenchmarks(out io.Writer, results []benchmark) {
	if len(results) == 0 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "\nGo benchmark\t\ttime\tp95\tmemory\tallocations")
	for _, b := range results {
		if b.problem != "" {
			fmt.Fprintf(w, "%s\t%s\tnot measured: %.300s\n", b.name, b.what, b.problem)
			continue
		}
		p95 := ""
		if b.p95 > 0 {
			p95 = fmt.Sprintf("%.1f ms", b.p95)
		}
		fmt.Fprintf(w, "%s\t%s\t%v\t%s\t%.1f kB\t%d\n", b.name, b.what,
			time.Duration(b.nanoseconds).Round(10*time.Nanosecond), p95, float64(b.bytes)/1e3, b.allocations)
	}
}

func median(values []time.Duration) time.Duration { return quantile(values, 0.5) }
func milliseconds(d time.Duration) float64        { return float64(d) / 1e6 }
func microseconds(d time.Duration) float64        { return float64(d) / 1e3 }
func ratio(a, b time.Duration) float64            { return float64(a) / float64(b) }
