package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"marketplace/functions/reminders/late"
	"marketplace/infra/localdata"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/outboxdir"
	"marketplace/shared/store/bridge"
	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
)

// lateEvery is how often late requests are looked for, as in template.yaml.
const lateEvery = late.Every

// remindersAt is the time of day (UTC) of the daily run, as in template.yaml.
const remindersAt = 6 * time.Hour

// job is a run of a Lambda without HTTP.
type job func(context.Context) error

// worker does what the stream and the schedules do in the cloud: it wakes the mailer when an email is written, and the
// issuer of bridge keys when one is asked for, and runs the reminders every day.
type worker struct {
	clock     *localdata.Clock
	reminders job
	late      job                                      // tells of late requests
	nextLate  func(context.Context) (time.Time, error) // when late has something to do next; zero: it has not
	bridges   job                                      // issues the bridge keys that are asked for; nil: none is
	mailer    job
	idle      func(context.Context) bool // reports that no email waits; nil if unknown
	expire    job                        // removes expired rows, as DynamoDB does by itself
	log       *slog.Logger

	replan  func(ctx context.Context, from time.Time) error // plans reminders after the clock went back
	publish func()                                          // publishes the provider's events that are due; nil: none

	wake chan struct{}
	mu   sync.Mutex // held while a job runs or the clock moves
	last time.Time  // of the clock: what fell due by then was done, by a tick or by a move
}

// run works until the context ends.
func (w *worker) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	sweep := time.NewTicker(time.Minute)
	defer sweep.Stop()
	w.mu.Lock()
	w.arrive()
	w.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			w.deliver(ctx)
		case <-sweep.C:
			w.deliver(ctx)
		case <-tick.C:
			w.tick(ctx)
		}
	}
}

// tick does what fell due since the last tick or move: a day begins, or several after the computer slept.
func (w *worker) tick(ctx context.Context) {
	w.mu.Lock()
	last := w.last
	now := w.arrive()
	daily := runsBetween(last, now) > 0
	if daily {
		w.do(ctx, "reminders", w.reminders)
		w.do(ctx, "expire", w.expire)
	}
	if now.Truncate(lateEvery).After(last) {
		w.do(ctx, "late requests", w.late)
	}
	w.mu.Unlock()
	if daily {
		w.deliver(ctx)
	}
	if w.publish != nil {
		w.publish()
	}
}

// arrive notes that everything is done up to now.
func (w *worker) arrive() time.Time {
	w.last = w.clock.Now()
	return w.last
}

// runsBetween counts the daily runs that fall due after from and by to.
func runsBetween(from, to time.Time) int {
	run := func(t time.Time) license.Date { return license.DateOf(t.Add(-remindersAt)) }
	return run(from).DaysUntil(run(to))
}

// deliver issues what bridge keys are asked for and sends the outbox, even if the visitor who caused it leaves.
func (w *worker) deliver(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bridges != nil {
		w.do(context.WithoutCancel(ctx), "bridge keys", w.bridges)
	}
	w.do(context.WithoutCancel(ctx), "mailer", w.mailer)
}

// move moves the clock. Forward, every job runs at its own time, the one for late requests whenever it has something to
// do, and on arrival the daily run and the mailer do what is due. Back, it sends nothing and plans the reminders anew.
func (w *worker) move(ctx context.Context, to time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.arrive()
	from := w.clock.Now()
	for at := license.DateOf(from).Start().Add(remindersAt); at.Before(to) &&
		ctx.Err() == nil; at = at.Add(24 * time.Hour) {
		if at.Before(from) {
			continue
		}
		w.tellLate(ctx, at)
		w.clock.Set(at)
		w.do(ctx, "reminders", w.reminders)
		w.deliverWaiting(ctx)
	}
	w.tellLate(ctx, to)
	if err := ctx.Err(); err != nil {
		return errors.Join(err, w.clock.Save()) // the days that have run stay past after a restart
	}
	w.clock.Set(to)
	if to.After(from) {
		w.do(ctx, "reminders", w.reminders)
		w.do(ctx, "mailer", w.mailer)
	} else {
		w.do(ctx, "replan", func(ctx context.Context) error { return w.replan(ctx, from) })
	}
	return w.clock.Save()
}

// tellLate moves the clock, up to a time, to each run of the job for late requests that has something to do.
func (w *worker) tellLate(ctx context.Context, through time.Time) {
	for last := w.clock.Now(); ctx.Err() == nil; last = w.clock.Now() {
		at, err := w.nextLate(ctx)
		if err != nil {
			w.log.ErrorContext(ctx, "cannot look for late requests", "err", err)
			return
		}
		run := at.Add(lateEvery - 1).Truncate(lateEvery)
		if !run.After(last) {
			run = last.Truncate(lateEvery).Add(lateEvery)
		}
		if at.IsZero() || run.After(through) {
			return
		}
		w.clock.Set(run)
		w.do(ctx, "late requests", w.late)
		w.deliverWaiting(ctx)
	}
}

// deliverWaiting sends the outbox unless it is known to be empty: looking at all of it each day of a year takes long.
func (w *worker) deliverWaiting(ctx context.Context) {
	if w.idle == nil || !w.idle(ctx) {
		w.do(ctx, "mailer", w.mailer)
	}
}

func (w *worker) do(ctx context.Context, name string, j job) {
	if err := j(ctx); err != nil && ctx.Err() == nil {
		w.log.ErrorContext(ctx, "job failed", "job", name, "err", err)
	}
}

// wakingTable is a table that wakes the mailer when an email is written, and the issuer of bridge keys when one is
// asked for, as the stream does in the cloud.
type wakingTable struct {
	table.Table
	wake    chan<- struct{}
	touched *atomic.Bool // set when an email gets ready or is paused
}

func (s wakingTable) Transact(ctx context.Context, writes ...table.Write) error {
	err := s.Table.Transact(ctx, writes...)
	if slices.ContainsFunc(writes, outbox.Waits) {
		s.touched.Store(true)
	}
	if slices.ContainsFunc(writes, outbox.Wakes) || slices.ContainsFunc(writes, bridge.Wakes) {
		select {
		case s.wake <- struct{}{}:
		default: // already awake
		}
	}
	return err
}

// recoverMails settles the mails that a killed process was sending: one whose file is in the folder was sent, and the
// others were not. The data belongs to one process at a time, so nobody sends them now, and nobody has to wait for the
// lease of the dead one.
func recoverMails(ctx context.Context, box *outbox.Box, sent *outboxdir.Dir, now time.Time) error {
	if err := box.EndLease(ctx); err != nil {
		return err
	}
	return box.EachReady(ctx, func(m outbox.Mail) error {
		if m.State.Status != outbox.Sending {
			return nil
		}
		if _, err := sent.Read(m.ID); fault.KindOf(err) == fault.NotFound {
			return box.Release(ctx, m)
		} else if err != nil {
			return err
		}
		return box.Settle(ctx, m.ID, m.State.Attempts, m.ID, now)
	})
}
