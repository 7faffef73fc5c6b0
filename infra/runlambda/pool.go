package main

import (
	"context"
	"errors"
	"sync"

	"marketplace/infra/runtimeapi"
)

// pool runs a function in as many execution environments as it has events at once, as Lambda does.
type pool struct {
	options runtimeapi.Options
	running chan struct{} // of the account: a new one has room for ten invocations of all functions

	mu      sync.Mutex
	idle    []*runtimeapi.Function
	started []*runtimeapi.Function
	runs    int
	failed  int
}

// concurrency is what a new account of AWS allows to run at once.
const concurrency = 10

// invoke sends an event to an environment and returns the function's answer. One that missed its deadline or ended is
// not used again. The invocation outlives whoever waits for it.
func (p *pool) invoke(ctx context.Context, event []byte) ([]byte, error) {
	ctx = context.WithoutCancel(ctx)
	p.running <- struct{}{}
	defer func() { <-p.running }()
	f, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := f.Invoke(ctx, event)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs++
	if err != nil {
		p.failed++
	}
	if errors.Is(err, runtimeapi.ErrEnded) || errors.Is(err, runtimeapi.ErrTimeout) {
		f.Stop()
		return nil, err
	}
	p.idle = append(p.idle, f)
	return answer.Payload, err
}

// take returns an idle environment, or a new one.
func (p *pool) take(ctx context.Context) (*runtimeapi.Function, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		f := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return f, nil
	}
	p.mu.Unlock()
	f, err := runtimeapi.Start(ctx, p.options)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.started = append(p.started, f)
	p.mu.Unlock()
	return f, nil
}

// output returns what all environments logged.
func (p *pool) output() (text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.started {
		text += f.Stdout() + f.Stderr()
	}
	return text
}

// close ends all environments.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.started {
		f.Stop()
	}
}
