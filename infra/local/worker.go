package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"marketplace/infra/localdata"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/table"
)

// remindersAt is the time of day (UTC) of the daily run, as in template.yaml.
const remindersAt = 6 * time.Hour

// job is what a Lambda without HTTP does when it is woken.
type job func(context.Context) error

// worker does what the table's stream and the schedules do in the cloud: it wakes the mailer when a mail is written,
// and runs the reminders every day.
type worker struct {
	clock     *localdata.Clock
	reminders job
	mailer    job
	sweep     job // removes what has expired, as DynamoDB does by itself
	log       *slog.Logger

	replan func(ctx context.Context, from time.Time) error // the reminders to come, after the clock went back

	wake chan struct{}
	mu   sync.Mutex // held while a job runs or the clock moves
}

// run works until the context ends.
func (w *worker) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := w.clock.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			w.deliver(ctx)
		case <-tick.C:
			// A day begins, or several while the computer slept. After a move this finds nothing left to do.
			if crossed(last, w.clock.Now()) > 0 {
				w.mu.Lock()
				w.do(ctx, "reminders", w.reminders)
				w.do(ctx, "sweep", w.sweep)
				w.mu.Unlock()
				w.deliver(ctx)
			}
			last = w.clock.Now()
		}
	}
}

// crossed counts the daily runs that fall due after from and by to.
func crossed(from, to time.Time) int {
	run := func(t time.Time) license.Date { return license.DateOf(t.Add(-remindersAt)) }
	return run(from).DaysUntil(run(to))
}

// deliver sends what is in the outbox. Who asked for it going away stops nothing.
func (w *worker) deliver(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.do(context.WithoutCancel(ctx), "mailer", w.mailer)
}

// move moves the clock. On the way forward every daily run takes place at its own time; having arrived, whatever is due
// by then is done too. On the way back nothing is sent, and the reminders to come are planned anew.
func (w *worker) move(ctx context.Context, to time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	from := w.clock.Now()
	for at := license.DateOf(from).Start().Add(remindersAt); at.Before(to) &&
		ctx.Err() == nil; at = at.Add(24 * time.Hour) {
		if at.Before(from) {
			continue
		}
		w.clock.Set(at)
		w.do(ctx, "reminders", w.reminders)
		w.do(ctx, "mailer", w.mailer)
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(err, w.clock.Keep()) // the days that were gone through are past, for a restart too
	}
	w.clock.Set(to)
	if to.After(from) {
		w.do(ctx, "reminders", w.reminders)
		w.do(ctx, "mailer", w.mailer)
	} else {
		w.do(ctx, "replan", func(ctx context.Context) error { return w.replan(ctx, from) })
	}
	return w.clock.Keep()
}

func (w *worker) do(ctx context.Context, name string, j job) {
	if err := j(ctx); err != nil && ctx.Err() == nil {
		w.log.ErrorContext(ctx, "job failed", "job", name, "err", err)
	}
}

// replan settles anew when licenses are to be reminded of, after the clock went back from a time to now: whatever had
// expired by then, or had its day behind it, waited for no reminder any more. In the cloud time does not go back.
func replan(ctx context.Context, s *store.Store, from, now time.Time) error {
	month, last := license.DateOf(now), license.DateOf(from).AddMonths(int(reminder.Default.Longest()))
	for month.Day = 1; !month.After(last); month = month.AddMonths(1) {
		err := s.LicensesExpiring(ctx, month, func(l store.Summary) error {
			recorded, err := s.License(ctx, l.ID)
			if err != nil {
				return err
			}
			if next, _ := reminder.Default.Next(recorded.License, license.DateOf(now),
				recorded.Reminded); next == recorded.NextReminder {
				return nil
			}
			if err := s.RecordReminder(ctx, store.Due{LicenseRecord: recorded}, 0, nil); !errors.Is(err,
				store.ErrDueChanged) {
				return err
			}
			return nil // whoever changed it planned it anew
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// streamed is a table that wakes the mailer when a mail is written, as the table's stream does in the cloud.
type streamed struct {
	table.Table
	wake chan<- struct{}
}

func (s streamed) Transact(ctx context.Context, writes ...table.Write) error {
	err := s.Table.Transact(ctx, writes...)
	if slices.ContainsFunc(writes, store.WakesMailer) {
		select {
		case s.wake <- struct{}{}:
		default: // it is awake already
		}
	}
	return err
}

// takeBack gives the mails free that a process before this one was sending when it was killed: the data belongs to one
// process at a time, so nobody is sending them now, and nobody need wait until their leases run out.
func takeBack(ctx context.Context, s *store.Store, now time.Time) error {
	const page = 100
	for after := ""; ; {
		ids, err := s.PendingMail(ctx, after, page)
		if err != nil {
			return err
		}
		for _, id := range ids {
			m, err := s.Mail(ctx, id)
			if err != nil {
				return err
			}
			if m.Leased {
				m.MaybeTwice = true
				if err := s.RetryMail(ctx, m, errors.New("the process that was sending it ended"), now); err != nil {
					return err
				}
			}
		}
		if len(ids) < page {
			return nil
		}
		after = ids[page-1]
	}
}
