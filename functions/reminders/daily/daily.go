// Package daily reminds customers that their licenses expire: once a day it puts the mails of all reminders that are
// due into the outbox, and one to sales about the unconfirmed requests; those that waited too long it closes. Then it
// deletes the requests that have expired. shared/reminder decides when a reminder is due, shared/retention when a
// request expires, and functions/mailer sends the mails.
package daily

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
)

// Store is the part of the store that a Job calls.
type Store interface {
	DueReminders(ctx context.Context, through license.Date, f func(store.Due) error) error
	NewPlanner() *delivery.Planner
	NewDigest(customer string, day license.Date, to license.Contact, ready time.Time, turn int) *outbox.Digest
	RecordReminder(ctx context.Context, d store.Due, do store.Reminding) error
	RecordUnreached(ctx context.Context, l license.License) (told bool, err error)
	RecordStopped(ctx context.Context, l license.License, contact license.Contact) error
	RecordNextKey(ctx context.Context, l license.License, stage reminder.Stage) (told bool, err error)
	CloseUnconfirmed(ctx context.Context, limit int) (n int, err error)
	TellUnconfirmed(ctx context.Context) (n int, err error)
	RecordDailyRun(ctx context.Context, day license.Date) error
}

// Deletion deletes the requests that have expired; deletion.Store implements it.
type Deletion interface {
	DeleteExpired(ctx context.Context, limit int) (n int, err error)
}

// Options are what a Job needs. AtOnce is optional.
type Options struct {
	Store    Store
	Deletion Deletion
	Now      func() time.Time // the clock; the day is the day in UTC
	Log      *slog.Logger

	AtOnce int // licenses processed concurrently; 0 means atOnce
}

// Job is the daily run.
type Job struct{ Options }

// New returns a Job.
func New(o Options) *Job {
	if o.AtOnce == 0 {
		o.AtOnce = atOnce
	}
	return &Job{o}
}

const (
	atOnce = 16
	passes = 3 // attempts at a license that others change at the same time
)

// Run closes the requests that nobody confirmed for long, tells sales of the other unconfirmed ones, and reminds of
// every license that is due by the end of today, UTC: all those of a customer of which one contact is reminded are one
// mail. At the end it deletes the requests that have expired. It may run any number of times: what was queued is no
// longer due, and a run catches up on missed days.
//
// If no contact of a license can be reached, Run tells sales once, and the license stays due: a later run reminds a
// contact who can be reached again. So does one whose contact unsubscribed. A license that fails for another reason
// does not delay the others. It stays due too, the log has the reason, and the error says how many failed. Only a run
// without an error is recorded as complete.
func (j *Job) Run(ctx context.Context) error {
	today := license.DateOf(j.Now())
	err := errors.Join(j.closeUnconfirmed(ctx), j.tellUnconfirmed(ctx), j.remindAll(ctx), j.deleteExpired(ctx))
	if err != nil {
		return err
	}
	return j.Store.RecordDailyRun(ctx, today)
}

// maxClosed is how many unconfirmed requests one run closes, so that a flood of them does not use up its time.
const maxClosed = 1000

// closeUnconfirmed closes the requests that nobody confirmed for long.
func (j *Job) closeUnconfirmed(ctx context.Context) error {
	n, err := j.Store.CloseUnconfirmed(ctx, maxClosed)
	if n > 0 {
		j.Log.Info("closed unconfirmed requests", "requests", n)
	}
	if err != nil {
		return fmt.Errorf("daily: %w", err)
	}
	return nil
}

// maxDeleted is how many expired requests one run deletes.
const maxDeleted = 2000

// deleteExpired deletes the requests that ended without a license and have expired.
func (j *Job) deleteExpired(ctx context.Context) error {
	n, err := j.Deletion.DeleteExpired(ctx, maxDeleted)
	if n > 0 {
		j.Log.Info("deleted expired requests", "requests", n)
	}
	if err != nil {
		return fmt.Errorf("daily: %w", err)
	}
	return nil
}

// tellUnconfirmed tells sales of the new unconfirmed requests, in at most one mail a day.
func (j *Job) tellUnconfirmed(ctx context.Context) error {
	n, err := j.Store.TellUnconfirmed(ctx)
	if err != nil {
		return fmt.Errorf("daily: %w", err)
	}
	if n > 0 {
		j.Log.Info("told sales of unconfirmed requests", "requests", n)
	}
	return nil
}

func (j *Job) remindAll(ctx context.Context) error {
	var queued, moved, told, failed int64
	var err error
	began := j.Now()
	today := license.DateOf(began) // until the end, also if that is on the next day
	run := &run{Job: j, today: today, began: began, planner: j.Store.NewPlanner(), digests: map[string]*digest{},
		turns: map[string]int{}}
	for range passes {
		p := pass{run: run}
		err = p.remindDue(ctx)
		queued, moved, told, failed = queued+p.queued.Load(), moved+p.moved.Load(), told+p.told.Load(),
			p.failed.Load()+p.changed.Load()
		if p.changed.Load() == 0 || err != nil {
			break
		}
	}
	err = errors.Join(err, run.releaseAll(ctx))
	j.Log.Info("reminders", "today", today.String(), "moved", moved, "emails", len(run.digests),
		logging.Metrics(j.Now(), logging.Count("RemindersQueued", queued), logging.Count("CustomersUnreached", told),
			logging.Count("RemindersFailed", failed)))
	if err != nil {
		return fmt.Errorf("daily: %w", err)
	}
	if failed > 0 {
		return fmt.Errorf("daily: due licenses without a reminder: %d; see the log", failed)
	}
	return nil
}

// pass processes every due license once.
type pass struct {
	*run
	queued  atomic.Int64 // reminders
	moved   atomic.Int64 // licenses that needed no reminder
	told    atomic.Int64 // licenses about which sales were told
	changed atomic.Int64 // licenses that somebody changed at the same time
	failed  atomic.Int64
}

func (p *pass) remindDue(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(p.AtOnce)
	defer g.Wait()
	return p.Store.DueReminders(ctx, p.today, func(d store.Due) error {
		g.Go(func() error { p.remind(ctx, d); return nil })
		return ctx.Err()
	})
}

// remind adds one license to the digest of the contact whose turn it is, or moves the license to its next day if none
// is due.
func (p *pass) remind(ctx context.Context, d store.Due) {
	plan, err := p.planner.Plan(ctx, d.LicenseRecord, p.began)
	if err == nil && plan.NextKey {
		err = p.tellNextKey(ctx, d.License, plan.Stage)
	}
	switch {
	case err != nil:
		p.fail(d, err)
		return
	case plan.Unreached:
		p.unreached(ctx, d)
		return
	case plan.Stopped: // it stays due: the contact may come back, or another's turn come
		if err := p.Store.RecordStopped(ctx, d.License, *plan.Turn); err != nil {
			p.fail(d, err)
		}
		return
	}
	switch err := p.record(ctx, d, plan); {
	case errors.Is(err, store.ErrDueChanged):
		p.changed.Add(1)
	case err != nil:
		p.fail(d, err)
	case plan.To != nil:
		p.queued.Add(1)
	default:
		p.moved.Add(1)
	}
}

func (p *pass) record(ctx context.Context, d store.Due, plan delivery.Plan) error {
	if plan.To == nil {
		return p.Store.RecordReminder(ctx, d, store.Reminding{Stage: plan.Stage})
	}
	to := p.digest(plan.Customer, *plan.To)
	to.Lock()
	defer to.Unlock()
	return p.Store.RecordReminder(ctx, d, store.Reminding{Stage: plan.Stage, Digest: to.Digest})
}

// tellNextKey tells sales that the next key is due under the contract of a license, which goes on. Of several licenses
// of a contract that expire on one day it names one.
func (p *pass) tellNextKey(ctx context.Context, l license.License, stage reminder.Stage) error {
	if !p.first(l, stage) {
		return nil
	}
	_, err := p.Store.RecordNextKey(ctx, l, stage)
	return err
}

func (p *pass) fail(d store.Due, err error) {
	p.failed.Add(1)
	p.Log.Error("no reminder for a due license", "license", d.License.ID, "due", d.Day.String(), logging.Error(err))
}

// unreached tells sales once that no contact of the license can be reached.
func (p *pass) unreached(ctx context.Context, d store.Due) {
	switch told, err := p.Store.RecordUnreached(ctx, d.License); {
	case err != nil:
		p.fail(d, err)
	case told:
		p.told.Add(1)
		p.Log.Warn("no contact of a license can be reached, told sales", "license", d.License.ID)
	}
}

// run is what the passes of a run share.
type run struct {
	*Job
	today   license.Date
	began   time.Time
	planner *delivery.Planner
	tasks   sync.Map // of the contracts, expirations and stages of which sales are told in this run

	mu      sync.Mutex
	digests map[string]*digest // by customer and contact
	turns   map[string]int     // digests of each customer, so that one with many does not hold back the others
}

// digest takes one license at a time.
type digest struct {
	sync.Mutex
	*outbox.Digest
}

// digest returns the digest of the run for a contact of a customer.
func (r *run) digest(customer string, to license.Contact) *digest {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := customer + " " + input.Mailbox(to.Email)
	d := r.digests[key]
	if d == nil {
		d = &digest{Digest: r.Store.NewDigest(customer, r.today, to, r.began, r.turns[customer])}
		r.digests[key] = d
		r.turns[customer]++
	}
	return d
}

// releaseAll makes the digests ready. Those that it cannot release get ready by themselves, later.
func (r *run) releaseAll(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(r.AtOnce)
	for _, key := range slices.Sorted(maps.Keys(r.digests)) {
		g.Go(func() error { return r.digests[key].Release(ctx) })
	}
	return g.Wait()
}

// first reports whether no other license of the contract with the expiration and stage was met in this run.
func (r *run) first(l license.License, stage reminder.Stage) bool {
	id, met := r.tasks.LoadOrStore(fmt.Sprint(l.Contract, l.Expiration, stage), l.ID)
	return !met || id == l.ID
}
