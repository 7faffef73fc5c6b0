package mailmodel

import (
	"context"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// process is a program that uses the table, and perhaps the provider. It may be cut off, or stall, at any step.
type process struct {
	world *world
	name  string
	store *delivery.Store
	plan  plan
	skew  time.Duration // of its clock

	oneAtATime sync.Mutex // held during a step: the search for a request's customers makes several calls at once
	mu         sync.Mutex
	calls      map[string]int // calls of the table, by what they are about
	steps      int
	dead       bool
	cancel     context.CancelFunc
	faults     int // calls that failed, or whose answer was lost
	lastStall  int // the step before which it stalled last

	applied  int // transactions that were applied
	appeared []*email

	// Of a mailer:
	fence         int64     // of the lease that it took last
	looked        time.Time // when it last read the ready emails of rank 1
	lookedAt      int       // how many transactions there were then
	lookedAtStep  int
	recordsAtStep int       // when it last read what is on record for an email
	expandedAt    time.Time // when it last read what an email becomes
	limitsRead    time.Time // when it last read the provider's limits
	sends         int       // calls of the provider in this run
	lastCall      time.Time // of this run
	call          *call     // the last one
}

// stalledSince reports whether the process stalled after a step.
func (p *process) stalledSince(step int) bool { return p.lastStall > step }

// plan is what goes wrong with a process. A step is a call of the table or the provider that is not one of several
// at once; they count from 1.
type plan struct {
	down, lost int // in a hundred calls of the table

	dieAt     int  // the step at which it is cut off; 0: none
	dieAfter  bool // the step is still done
	dieAtCall int  // the call of the provider during which it is cut off

	stallAt int    // the step before which it stalls
	stall   func() // what happens meanwhile

	cancelAt int // the step at which its context ends
	downFrom int // the step from which the table is down

	concurrent bool // all calls are several at once
}

func (w *world) process(name string, p plan) *process {
	proc := &process{world: w, name: name, plan: p, calls: map[string]int{}}
	if w.skewed > 0 && name != "people" && name != "eyes" {
		proc.skew = time.Duration(w.hash(name)) % w.skewed
	}
	proc.store = delivery.New(store.New(&tabletest.Faulty{Table: watched{w.rows, proc}, Fault: proc.fault},
		store.Options{Now: proc.clock, NewID: w.newID, Reminders: w.policy}))
	return proc
}

// clock is the time as the process sees it.
func (p *process) clock() time.Time { return p.world.clock().Add(p.skew) }

// now is clock for the goroutine that moves the time.
func (p *process) now() time.Time { return p.world.now.Add(p.skew) }

// begin makes the process ready for a run with a plan.
func (p *process) begin(pl plan) {
	p.plan, p.steps, p.appeared = pl, 0, nil
	p.lastStall, p.lookedAtStep, p.recordsAtStep, p.sends, p.lastCall = 0, 0, 0, 0, time.Time{}
}

// errGone is what a process is told that was cut off.
var errGone = fmt.Errorf("%w: the process was cut off", table.ErrUnavailable)

// fault says what happens to a call of the table.
func (p *process) fault(c tabletest.Call) tabletest.Fault {
	p.oneAtATime.Lock()
	dead := p.dead
	p.oneAtATime.Unlock()
	if dead {
		return tabletest.Fault{Before: errGone}
	}
	before, after := p.atRandom(c), error(nil)
	if before == tabletest.Lost.After {
		before, after = nil, before
	}
	if c.Op != "query" && !promotes(c) && !p.plan.concurrent {
		p.oneAtATime.Lock()
		gone, last := p.step()
		switch {
		case gone:
			before = errGone
		case last:
			after = errGone
		case p.plan.downFrom > 0 && p.steps >= p.plan.downFrom:
			before = tabletest.Down.Before
		}
		p.oneAtATime.Unlock()
	}
	if before != nil || after != nil {
		p.mu.Lock()
		p.faults++
		p.mu.Unlock()
	}
	if before != nil {
		after = nil
	}
	return tabletest.Fault{Before: before, After: after}
}

// promotes reports whether a call ends the pause of an email. The mailer makes several of them at once.
func promotes(c tabletest.Call) bool {
	return c.Op == "transact" && len(c.Writes) > 0 && c.Writes[0].Delete &&
		strings.HasPrefix(c.Writes[0].Row.PK, "LATER#")
}

// atRandom says whether a call fails by chance. It does not depend on the order of calls that are made at once.
func (p *process) atRandom(c tabletest.Call) error {
	if p.plan.down+p.plan.lost == 0 {
		return nil
	}
	about := c.Op + c.Query.PK + c.Query.From + c.Key.String()
	if len(c.Writes) > 0 {
		about += c.Writes[0].Row.PK + c.Writes[0].Row.SK
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[about]++
	down := p.plan.down * 100
	if c.Op == "query" { // a look is dozens of them
		down /= 20
	}
	switch n := p.world.hash(p.name+about+strconv.Itoa(p.calls[about])) % 10_000; {
	case n < down:
		return tabletest.Down.Before
	case n < down+p.plan.lost*100 && c.Op == "transact":
		return tabletest.Lost.After
	}
	return nil
}

// unsubscribing is what tells one unsubscription from another: it is random.
var unsubscribing = regexp.MustCompile(`stopped-[0-9a-z]{26}`)

// hash returns a number that depends on the history and a text.
func (w *world) hash(of string) int {
	h := fnv.New64a()
	h.Write(strconv.AppendUint(nil, w.seed, 10))
	h.Write(unsubscribing.ReplaceAll([]byte(of), []byte("stopped")))
	return int(h.Sum64() >> 33)
}

// step counts a step. gone: the process is cut off before it; last: it is cut off just after it.
func (p *process) step() (gone, last bool) {
	if p.dead {
		return true, false
	}
	const endless = 5_000
	if p.steps++; p.steps > endless {
		p.world.failf("%s does not end", p.name)
		p.dead = true
		return true, false
	}
	if p.steps == p.plan.stallAt {
		p.world.logf("%s stalls at step %d", p.name, p.steps)
		p.lastStall = p.steps
		if p.call != nil && !p.call.recorded {
			p.call.halted = true
		}
		p.plan.stall()
		p.world.logf("%s continues", p.name)
	}
	if p.steps == p.plan.cancelAt && p.cancel != nil {
		p.world.logf("%s: its context ends at step %d", p.name, p.steps)
		p.cancel()
	}
	if p.steps != p.plan.dieAt {
		return false, false
	}
	p.world.logf("%s is cut off at step %d", p.name, p.steps)
	p.dead = true
	return !p.plan.dieAfter, p.plan.dieAfter
}

func (p *process) sleep(ctx context.Context, d time.Duration) {
	if !p.dead && ctx.Err() == nil {
		p.world.advance(d)
	}
}

// Send is mail.Sender's.
func (p *process) Send(ctx context.Context, m mail.Message) (string, error) {
	gone, last := p.step()
	if p.sends++; !gone && p.sends == p.plan.dieAtCall {
		p.world.logf("%s is cut off during a call", p.name)
		p.dead, last = true, true
	}
	if gone {
		return "", errGone
	}
	c := p.world.beginCall(p, m)
	p.call = c
	id, err := p.world.provider.send(ctx, c)
	c.ended = p.world.now
	if last {
		c.result = cutOff
		return "", errGone
	}
	p.world.endCall(c)
	return id, err
}

// Quota is mail.Sender's.
func (p *process) Quota(context.Context) (mail.Quota, error) {
	if gone, last := p.step(); gone || last {
		return mail.Quota{}, errGone
	}
	q, err := p.world.provider.limits()
	if err == nil {
		p.limitsRead = p.world.now
	}
	return q, err
}

// watched is the table as a process has it: the world learns of every transaction.
type watched struct {
	*tabletest.Memory
	process *process
}

// usable is the context of a call: one that ends because another of the calls at once failed is not told apart.
func (t watched) usable(ctx context.Context) context.Context {
	if t.process.plan.cancelAt > 0 {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

func (t watched) Get(ctx context.Context, key table.Key) (table.Row, error) {
	return t.Memory.Get(t.usable(ctx), key)
}

func (t watched) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if strings.HasPrefix(q.PK, "OUTBOX#1#") {
		t.process.mu.Lock()
		t.process.looked, t.process.lookedAt = t.process.world.now, t.process.world.commits
		t.process.lookedAtStep = t.process.steps
		t.process.mu.Unlock()
	}
	return t.Memory.Query(t.usable(ctx), q)
}

// failf fails the world: a change has no row of the audit, or a row tells of no change.
func (t watched) failf(format string, args ...any) {
	as(t.process.world, t.process, func() error { t.process.world.failf(format, args...); return nil })
}

func (t watched) Transact(ctx context.Context, writes ...table.Write) error {
	t.process.mu.Lock()
	defer t.process.mu.Unlock()
	if write := mutations[t.process.world.mutation].write; write != nil {
		writes = slices.Clone(writes)
		for i := range writes {
			write(&writes[i].Row)
		}
	}
	audited := storetest.Audited{Table: t.Memory, Fail: t.failf}
	if err := audited.Transact(t.usable(ctx), writes...); err != nil {
		return err
	}
	t.process.applied++
	as(t.process.world, t.process, func() error { t.process.world.watch(t.process, writes); return nil })
	return nil
}
