// Package daily reminds customers that their licenses expire: once a day it puts the mails of all reminders that are
// due into the outbox, and one to sales about the unconfirmed requests; those that waited too long it closes.
// shared/reminder decides when a reminder is due, and functions/mailer sends the mails.
package daily

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
)

// Store is the part of the store that a Job calls.
type Store interface {
	DueReminders(ctx context.Context, through license.Date, f func(store.Due) error) error
	Customer(ctx context.Context, id string) (customer.Customer, error)
	ContractOf(ctx context.Context, l license.License) (customer.Contract, error)
	Reachable(ctx context.Context, contacts []license.Contact) (*license.Contact, error)
	RecordReminder(ctx context.Context, d store.Due, do store.Reminding) error
	RecordUnreached(ctx context.Context, l license.License) (told bool, err error)
	RecordNextKey(ctx context.Context, l license.License, stage reminder.Stage) (told bool, err error)
	CloseUnconfirmed(ctx context.Context, limit int) (n int, err error)
	TellUnconfirmed(ctx context.Context) (n int, err error)
}

// Options are what a Job needs; all are required.
type Options struct {
	Store Store
	Now   func() time.Time // the clock; the day is the day in UTC
	Log   *slog.Logger
}

// Job is the daily run.
type Job struct{ Options }

// New returns a Job.
func New(o Options) *Job { return &Job{o} }

const (
	atOnce = 16 // licenses processed concurrently
	passes = 3  // attempts at a license that others change at the same time
)

// Run closes the requests that nobody confirmed for long, tells sales of the other unconfirmed ones, and queues a
// reminder for every license that is due by the end of today, UTC. It may run any number of times: a queued reminder is
// no longer due, and a run catches up on missed days.
//
// If no contact of a license can be reached, Run tells sales once, and the license stays due: a later run reminds a
// contact who can be reached again. A license that fails for another reason does not delay the others. It stays due
// too, the log has the reason, and the error says how many failed.
func (j *Job) Run(ctx context.Context) error {
	today := license.DateOf(j.Now())
	return errors.Join(j.closeUnconfirmed(ctx), j.tellUnconfirmed(ctx), j.remindAll(ctx, today))
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

func (j *Job) remindAll(ctx context.Context, today license.Date) error {
	var queued, moved, told, failed int64
	var err error
	began, turns := j.Now(), &turns{next: map[string]int{}}
	known := &customers{store: j.Store, now: j.Now}
	for range passes {
		p := pass{Job: j, today: today, began: began, turns: turns, customers: known}
		err = p.remindDue(ctx)
		queued, moved, told, failed = queued+p.queued.Load(), moved+p.moved.Load(), told+p.told.Load(),
			p.failed.Load()+p.changed.Load()
		if p.changed.Load() == 0 || err != nil {
			break
		}
	}
	j.Log.Info("reminders", "today", today.String(), "moved", moved,
		logging.Metrics(j.Now(), slog.Int64("RemindersQueued", queued), slog.Int64("CustomersUnreached", told),
			slog.Int64("RemindersFailed", failed)))
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
	*Job
	today license.Date
	began time.Time // when the run began
	turns *turns
	// customers are those that the run has read.
	customers *customers

	queued  atomic.Int64 // reminders
	moved   atomic.Int64 // licenses that needed no reminder
	told    atomic.Int64 // licenses about which sales were told
	changed atomic.Int64 // licenses that somebody changed at the same time
	failed  atomic.Int64
}

func (p *pass) remindDue(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(atOnce)
	defer g.Wait()
	return p.Store.DueReminders(ctx, p.today, func(d store.Due) error {
		g.Go(func() error { p.remind(ctx, d); return nil })
		return ctx.Err()
	})
}

// remind queues the reminder for one license, or moves the license to its next day if none is due.
func (p *pass) remind(ctx context.Context, d store.Due) {
	do := store.Reminding{Ready: p.began}
	stage, due := reminder.Default.Due(d.License, p.today, d.Reminded)
	if due {
		if err := p.tellNextKey(ctx, d.License, stage); err != nil {
			p.fail(d, err)
			return
		}
		contacts, err := p.customers.contacts(ctx, d.License)
		var to *license.Contact
		if err == nil {
			to, err = p.Store.Reachable(ctx, contacts)
		}
		switch {
		case err != nil:
			p.fail(d, err)
			return
		case to == nil:
			p.unreached(ctx, d, contacts)
			return
		}
		n := notice.LicenseExpiring(d.License, stage, *to)
		if due = p.hasPoint(n, d.License, contacts); due {
			do.Stage, do.To, do.Turn = stage, *to, p.turns.take(n.Customer)
		}
	}
	err := p.Store.RecordReminder(ctx, d, do)
	switch {
	case errors.Is(err, store.ErrDueChanged):
		p.changed.Add(1)
	case err != nil:
		p.fail(d, err)
	case due:
		p.queued.Add(1)
	default:
		p.moved.Add(1)
	}
}

// tellNextKey tells sales that the next key is due under the contract of a license, if that goes on. Of several
// licenses of a contract that expire on one day it names one.
func (p *pass) tellNextKey(ctx context.Context, l license.License, stage reminder.Stage) error {
	c, err := p.customers.contract(ctx, l)
	if err != nil || !c.Outlives(l) || !p.customers.first(l, stage) {
		return err
	}
	_, err = p.Store.RecordNextKey(ctx, l, stage)
	return err
}

// hasPoint reports whether the mailer would send a notice about a license today.
func (p *pass) hasPoint(n notice.Notice, l license.License, contacts []license.Contact) bool {
	r := notice.Records{Licenses: []license.License{l}, Contacts: contacts, Today: p.today}
	return n.Pointless(r) == ""
}

func (p *pass) fail(d store.Due, err error) {
	p.failed.Add(1)
	p.Log.Error("no reminder for a due license", "license", d.License.ID, "due", d.Day.String(), logging.Error(err))
}

// unreached tells sales once that no contact of the license can be reached.
func (p *pass) unreached(ctx context.Context, d store.Due, contacts []license.Contact) {
	switch told, err := p.Store.RecordUnreached(ctx, d.License); {
	case err != nil:
		p.fail(d, err)
	case told:
		p.told.Add(1)
		p.Log.Warn("no contact of a license can be reached, told sales", "license", d.License.ID, "contacts",
			len(contacts))
	}
}

// customers reads each customer and each contract of a run once: most of them have several licenses due.
type customers struct {
	store     Store
	now       func() time.Time
	known     cache[customer.Customer]
	contracts cache[customer.Contract]
	tasks     sync.Map // of the contracts, expirations and stages of which sales are told in this run
}

// contacts returns who is written to about the renewal of a license, in that order.
func (c *customers) contacts(ctx context.Context, l license.License) ([]license.Contact, error) {
	list, err := customer.WithSurvivor(l.Customer, func(id string) (customer.Customer, error) {
		return c.known.get(id, func() (customer.Customer, error) { return c.store.Customer(ctx, id) })
	})
	return customer.Readers(list, customer.Renewals, l.Instance, c.now()), err
}

// contract returns the contract of a license; the zero Contract if it has none.
func (c *customers) contract(ctx context.Context, l license.License) (customer.Contract, error) {
	if l.Contract == "" {
		return customer.Contract{}, nil
	}
	return c.contracts.get(l.Contract, func() (customer.Contract, error) {
		found, err := c.store.ContractOf(ctx, l)
		if fault.KindOf(err) == fault.NotFound {
			return customer.Contract{}, nil
		}
		return found, err
	})
}

// first reports whether no other license of the contract with the expiration and stage was met in this run.
func (c *customers) first(l license.License, stage reminder.Stage) bool {
	id, met := c.tasks.LoadOrStore(fmt.Sprint(l.Contract, l.Expiration, stage), l.ID)
	return !met || id == l.ID
}

// cache keeps what was read once, by key. Only what could not be read is read again.
type cache[V any] struct {
	mu    sync.Mutex
	known map[string]func() (V, error)
}

func (c *cache[V]) get(key string, read func() (V, error)) (V, error) {
	c.mu.Lock()
	once := c.known[key]
	if once == nil {
		once = sync.OnceValues(read)
		if c.known == nil {
			c.known = map[string]func() (V, error){}
		}
		c.known[key] = once
	}
	c.mu.Unlock()
	found, err := once()
	if err != nil {
		c.mu.Lock()
		delete(c.known, key)
		c.mu.Unlock()
	}
	return found, err
}

// turns numbers the reminders of each customer in a run, so that a customer with many does not hold back the others.
type turns struct {
	mu   sync.Mutex
	next map[string]int
}

func (t *turns) take(customer string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next[customer]++
	return t.next[customer] - 1
}
