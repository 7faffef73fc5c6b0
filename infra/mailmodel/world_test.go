package mailmodel

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"marketplace/shared/reminder"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// world is one history: what is on record, what the provider accepted, and what by simple reckoning has to come of it.
type world struct {
	seed     uint64
	rng      *rand.Rand
	seeds    map[uint64]uint64 // how often each was used
	mutation string            // a fault that is broken in on purpose; "" for none
	now      time.Time
	shown    atomic.Pointer[time.Time] // a copy of now, for clock
	ids      int

	rows     *tabletest.Memory
	provider *provider
	people   *process // operators and customers
	reporter *process // receives the provider's events
	eyes     *process // sees everything, and nothing goes wrong with it
	mailer   *mailer  // that of the last run, if it still exists
	mailers  int
	dailies  int
	viewer   *process      // by whose clock a day is reckoned; nil: by that of people
	skewed   time.Duration // by how much clocks differ at most
	calm     bool          // nothing fails any more
	setBack  setBack
	wentBack int // days, in all
	running  int // mailers that run at this moment
	habits   habits
	usual    mode // what is usually wrong with the provider

	requests []*requested
	licenses []*licensed
	buyers   []*buyer // who has or had one
	extra    []string // stages that the vendor switched on
	policy   reminder.Policy
	told     map[reminding]string // the ID of the email that has a reminder
	emails   map[string]*email
	order    []*email       // by when they were queued
	commits  int            // transactions that were applied
	ready    map[string]int // how many there were when an email got ready, by the key of its row
	outage   outage

	pending    []event          // of the provider, not received yet
	suppressed map[string]scope // by address

	slots       map[string]int       // emails that ask an address to confirm requests, by address and day
	confirmedAt map[string]time.Time // when somebody last confirmed a request, by address
	reporting   *event               // the one that is being recorded

	lines   []string
	problem error
}

// habits are the likelihoods of a history, in a hundred.
type habits struct {
	tableDown, tableLost int // calls of the table
	cutOff, stall        int // runs of the mailer
	eventMissing         int
	eventLate            int
	eventTwice           int
	bounce, complaint    int
	returned, absent     int
	templateFails        int // emails whose letter cannot be written
}

func newWorld(seed uint64, mutation string) *world {
	w := &world{
		seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), mutation: mutation, rows: new(tabletest.Memory),
		seeds:  map[uint64]uint64{},
		emails: map[string]*email{}, told: map[reminding]string{}, ready: map[string]int{},
		suppressed: map[string]scope{}, slots: map[string]int{}, confirmedAt: map[string]time.Time{},
	}
	w.setNow(time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(w.choose(2*365*24*3600)) * time.Second))
	some := func(most int) int { return max(0, w.choose(2*most)-most) } // in half of the histories none
	w.habits = habits{
		tableDown: some(12), tableLost: some(12), cutOff: some(60), stall: some(50),
		eventMissing: some(100), eventLate: some(100), eventTwice: some(60),
		bounce: some(30), complaint: some(15), returned: some(40), absent: some(15), templateFails: some(20),
	}
	w.usual = mode(w.choose(int(modes)))
	w.provider = &provider{world: w, rejects: some(20)}
	w.setLimits()
	if w.chance(50) {
		w.skewed = 5 * time.Minute
	}
	if after := mutations[mutation].after; after || w.chance(60) {
		w.extra = []string{"7d", "0d", "7d-after"}
		if !after && w.chance(40) {
			w.extra = []string{one(w, w.extra)}
		}
	}
	var err error
	if w.policy, err = reminder.ParsePolicy(strings.Join(w.extra, " ")); err != nil {
		w.failf("%v", err)
	}
	table := plan{down: w.habits.tableDown, lost: w.habits.tableLost, concurrent: true}
	w.people, w.reporter = w.process("people", table), w.process("events", table)
	w.eyes = w.process("eyes", plan{})
	return w
}

// reseed makes what is drawn from now on depend on the history, a seed, and how often the history had that seed.
func (w *world) reseed(seed uint64) {
	w.seeds[seed]++
	w.rng = rand.New(rand.NewPCG(w.seed+w.seeds[seed], seed))
}

// record records an event.
func (w *world) record(r outbox.Report) error {
	if w.mutation == "events of accepted emails are ignored" &&
		(r.Outcome == outbox.Accepted || r.Outcome == outbox.Delivered) {
		return nil
	}
	p := w.reporter
	p.begin(p.plan)
	if !w.calm && w.chance(w.habits.cutOff/3) {
		p.plan.dieAt, p.plan.dieAfter, p.plan.concurrent = 1+w.choose(15), w.chance(50), false
	}
	defer func() { p.dead, p.plan.dieAt, p.plan.concurrent = false, 0, true }()
	_, err := p.store.RecordReport(context.Background(), r)
	return err
}

// today is the day as whoever is looked over the shoulder sees it.
func (w *world) today() time.Time {
	if w.viewer == nil {
		return day(w.now)
	}
	return day(w.now.Add(w.viewer.skew))
}

// as reckons with the clock of a process.
func as[V any](w *world, p *process, f func() V) V {
	before := w.viewer
	defer func() { w.viewer = before }()
	w.viewer = p
	return f()
}

// clock returns the time. Unlike the field now, it may be read while another goroutine moves it.
func (w *world) clock() time.Time { return *w.shown.Load() }

func (w *world) setNow(t time.Time) {
	w.now = t
	w.shown.Store(&t)
}

func (w *world) newID() string {
	w.ids++
	return fmt.Sprintf("r%03d", w.ids)
}

// partitions are those of the outbox.
var partitions = func() []string {
	names := []string{"MAILER", "FAILEDMAIL"}
	for shard := range 16 {
		for _, of := range []string{"OUTBOX#1#", "OUTBOX#2#", "OUTBOX#3#", "LATER#"} {
			names = append(names, fmt.Sprintf("%s%x", of, shard))
		}
	}
	return names
}()

// with returns the rows of the outbox's partitions whose names begin with a prefix.
func (w *world) with(prefix string) (list []table.Row) {
	for _, pk := range partitions {
		if !strings.HasPrefix(pk, prefix) {
			continue
		}
		page, err := w.rows.Query(context.Background(), table.Query{PK: pk, Limit: 1000})
		if err != nil || page.Next != "" {
			w.failf("reading all of %s: %v", pk, err)
		}
		list = append(list, page.Rows...)
	}
	return list
}

// choose draws a number below n.
func (w *world) choose(n int) int { return w.rng.IntN(n) }

func (w *world) chance(inHundred int) bool { return w.choose(100) < inHundred }

func one[V any](w *world, list []V) V { return list[w.choose(len(list))] }

func (w *world) logf(format string, args ...any) {
	w.lines = append(w.lines, w.now.Format("2006-01-02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// failf notes that something is as it must not be. The first such thing ends the history.
func (w *world) failf(format string, args ...any) {
	if w.problem != nil {
		return
	}
	w.logf("WRONG: "+format, args...)
	const shown = 400
	w.problem = errors.New(fmt.Sprintf(format, args...) + "\n\t" +
		strings.Join(w.lines[max(0, len(w.lines)-shown):], "\n\t"))
}

// advance lets time pass. The provider's events arrive meanwhile.
func (w *world) advance(d time.Duration) {
	until := w.now.Add(d)
	for {
		due := -1
		for i, e := range w.pending {
			if !e.due.After(until) && (due < 0 || e.due.Before(w.pending[due].due)) {
				due = i
			}
		}
		if due < 0 {
			break
		}
		e := w.pending[due]
		w.pending = slices.Delete(w.pending, due, due+1)
		if e.due.After(w.now) {
			w.setNow(e.due)
		}
		w.deliver(e)
	}
	if until.After(w.now) {
		w.setNow(until)
	}
}

// event is an event of the provider on its way.
type event struct {
	due     time.Time
	email   *email
	report  outbox.Report
	repeats int
}

// report sends the events of a call that the provider accepted on their way.
func (w *world) report(c *call, providerID string) {
	send := func(outcome outbox.Outcome, status string) {
		e := event{email: c.email, report: outbox.Report{
			Mail: c.email.ID, Attempt: c.attempt, ProviderID: providerID, Recipient: c.message.To.Email,
			Outcome: outcome, Status: status, At: w.now,
		}}
		for copies := 1; copies > 0; copies-- {
			e.due = w.now.Add(time.Duration(1+w.choose(20)) * time.Second)
			if w.chance(w.habits.eventLate) {
				e.due = w.now.Add(time.Duration(w.choose(3600*12)) * time.Second)
			}
			if w.chance(w.habits.eventTwice) {
				copies++
			}
			if !w.chance(w.habits.eventMissing) {
				w.pending = append(w.pending, e)
			}
			if copies > 2 {
				break
			}
		}
	}
	send(outbox.Accepted, "")
	h := w.habits
	switch n := w.choose(100); {
	case n < h.bounce:
		send(outbox.Bounced, "5.1.1")
	case n < h.bounce+h.complaint:
		send(outbox.Delivered, "")
		send(outbox.Complained, "")
	case n < h.bounce+h.complaint+h.returned:
		if w.chance(30) {
			send(outbox.Delivered, "")
		}
		send(outbox.Returned, "4.4.7")
	case n < h.bounce+h.complaint+h.returned+h.absent:
		send(outbox.Delivered, "")
		send(outbox.Returned, "")
	default:
		send(outbox.Delivered, "")
	}
}
