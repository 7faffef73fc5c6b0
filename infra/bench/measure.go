package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/infra/runtimeapi"
)

// target is a program and the request that measures it.
type target struct {
	name, bootstrap             string
	path, encoding, ifNoneMatch string
	event                       []byte
	env                         []string // in addition to Lambda's own
	benchmark                   string   // the Go benchmark of the same request, which counts allocations
	budget                      budget

	size        int64           // of the program, bytes
	cold        []time.Duration // start to the first call for an event
	first       []time.Duration // start to the first answer
	warm        []time.Duration // one request
	cpu         []time.Duration // per request, one for each batch
	memory      int64           // bytes at the end
	allocations int             // per request, -1 if unknown

	function *runtimeapi.Function
}

// budget is the limits of performance.md, "Budgets", as ratios to hello except for the size; zero means no limit. The
// catalog's budget is for brotli, which browsers ask for: any program takes longer to send a response many times the
// size of hello's.
type budget struct {
	cold, warm, cpu, allocations, megabytes float64
}

// measureCold starts every target n times, in rotating turns, so that disturbances of the machine affect all alike. An
// extra round at the beginning loads the programs into the page cache.
func measureCold(ctx context.Context, targets []*target, n int) error {
	for round := range n + 1 {
		for i := range targets {
			t := targets[(i+round)%len(targets)]
			begin := time.Now()
			f, err := runtimeapi.Start(ctx, runtimeapi.Options{Bootstrap: t.bootstrap, Env: t.env})
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			_, err = f.Invoke(ctx, t.event)
			first := time.Since(begin)
			f.Stop()
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			if round > 0 {
				t.cold, t.first = append(t.cold, f.Init), append(t.first, first)
			}
		}
	}
	return nil
}

// batch is the number of requests that a target gets in a row. The first batch does not count.
const batch = 250

// measureWarm runs all targets and sends n requests to each, in rotating batches.
func measureWarm(ctx context.Context, targets []*target, n int) error {
	for _, t := range targets {
		var err error
		if t.function, err = runtimeapi.Start(ctx, runtimeapi.Options{Bootstrap: t.bootstrap, Env: t.env}); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		defer t.function.Stop()
	}
	for round := range (n+batch-1)/batch + 1 {
		for i := range targets {
			t := targets[(i+round)%len(targets)]
			warm, cpu, err := t.requests(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			if round > 0 {
				t.warm, t.cpu = append(t.warm, warm...), append(t.cpu, cpu)
			}
		}
	}
	for _, t := range targets {
		t.memory = t.function.Memory()
	}
	return nil
}

func (t *target) requests(ctx context.Context) (warm []time.Duration, cpu time.Duration, err error) {
	before := t.function.CPU()
	for range batch {
		a, err := t.function.Invoke(ctx, t.event)
		if err != nil {
			return nil, 0, err
		}
		warm = append(warm, a.Took)
	}
	return warm, (t.function.CPU() - before) / batch, nil
}

// quantile returns the value that the share q of the values does not exceed, zero without values.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}
