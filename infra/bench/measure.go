package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/infra/runtimeapi"
)

// target is a program and the one request that it is measured with.
type target struct {
	name, bootstrap             string
	path, encoding, ifNoneMatch string
	event                       []byte
	env                         []string // beside Lambda's own
	benchmark                   string   // the Go benchmark of the same request, for its allocations
	budget                      budget

	size        int64           // of the program, bytes
	cold        []time.Duration // start to the first call for an event
	first       []time.Duration // start to the first answer
	warm        []time.Duration // one request
	cpu         []time.Duration // per request, one for each batch
	memory      int64           // bytes at the end
	allocations int             // per request, -1 when not known

	function *runtimeapi.Function
}

// budget is what performance.md, "Budgets" allows, as ratios to hello but for the size; zero is not judged. The
// catalog's is for what browsers ask for, which is brotli: an answer many times hello's size takes longer to hand
// over, whoever makes it.
type budget struct {
	cold, warm, cpu, allocations, megabytes float64
}

// measureCold starts every target n times, in turns that rotate, so that what disturbs the machine disturbs all alike. A round
// before them brings the programs into the page cache.
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

// batch is how many requests a target gets in a row. The first batch is not counted.
const batch = 250

// measureWarm sends n requests to every target, in rotating batches, all targets running.
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

// quantile returns the value below which the share q of the values lies, zero without any.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}
