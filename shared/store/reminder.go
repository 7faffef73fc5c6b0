package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// ReminderQueued is an action on licenses that expire.
const ReminderQueued Action = "reminder queued"

// Due is a license whose reminders the policy wants checked on Day. Its row carries the whole license, so that the
// daily run reads nothing else: a license has at most one, which moves whenever the license changes.
type Due struct {
	LicenseRecord
	Day license.Date
}

// Policy says when customers are reminded.
func (s *Store) Policy() reminder.Policy { return s.policy }

// DueReminders passes every license whose reminders are due by the end of the day through to f, in the order of days.
// It looks back as far as the policy has a stage that is not too late. f may record reminders meanwhile. A row that
// cannot be decoded is skipped and reported in the returned error.
func (s *Store) DueReminders(ctx context.Context, through license.Date, f func(Due) error) error {
	return s.RemindersDue(ctx, s.policy.Oldest(through), through, f)
}

// RemindersDue passes every license whose next reminder is due on a day from first through last to f, in the order of
// days: see DueReminders.
func (s *Store) RemindersDue(ctx context.Context, first, last license.Date, f func(Due) error) error {
	var broken []error
	for q := range dueBetween(first, last) {
		err := s.table.Each(ctx, q, func(row table.Row) error {
			r, err := decodeDue(row)
			if err != nil {
				broken = append(broken, err)
				return nil
			}
			return f(Due{LicenseRecord: r, Day: r.NextReminder})
		})
		if err != nil {
			return fmt.Errorf("store: reminders due in %s: %w", q.PK, err)
		}
	}
	return errors.Join(broken...)
}

// dueBetween asks for the next reminders of the days from first through last, month by month.
func dueBetween(first, last license.Date) iter.Seq[table.Query] {
	return func(yield func(table.Query) bool) {
		for m := first; rowkey.DuePK(m) <= rowkey.DuePK(last); m = m.AddMonths(1) {
			if !yield(table.Query{PK: rowkey.DuePK(m), From: first.String(), To: last.AddDays(1).String()}) {
				return
			}
		}
	}
}

// decodeDue returns the license of a row of its next reminder, with the version of the license's own row.
func decodeDue(row table.Row) (LicenseRecord, error) {
	stored, err := entity.Decode[storedDue](row)
	stored.Version = stored.LicenseVersion
	return stored.LicenseRecord, err
}

// Upcoming returns the stages that the daily run will come to about a license from a day through another, if nothing
// changes: none before the day of its next reminder.
func (s *Store) Upcoming(r LicenseRecord, from, through license.Date) []reminder.Coming {
	switch {
	case r.NextReminder.IsZero():
		return nil
	case r.NextReminder.After(from):
		from = r.NextReminder
	}
	return s.policy.Upcoming(r.License, from, through, r.Reminded)
}

// daysAtOnce is how many days of a month UpcomingDue reads one after another.
const daysAtOnce = 7

// UpcomingDue passes every license that the daily run will come to through a day to f, in no order, one at a time. It
// reads the weeks at once, of each week at most limit licenses; complete is false if there are more.
func (s *Store) UpcomingDue(ctx context.Context, today, through license.Date, limit int, f func(LicenseRecord)) (
	complete bool, err error) {
	var mu sync.Mutex
	complete = true
	g, ctx := errgroup.WithContext(ctx)
	for from := s.policy.Oldest(today); !from.After(through); {
		last := from.AddDays(daysAtOnce - 1)
		if end := (license.Date{Year: from.Year, Month: from.Month, Day: 1}).AddMonths(1).AddDays(-1); last.After(end) {
			last = end
		}
		if last.After(through) {
			last = through
		}
		q := table.Query{PK: rowkey.DuePK(from), From: from.String(), To: last.AddDays(1).String()}
		g.Go(func() error {
			rows, more, err := s.table.First(ctx, q, limit)
			if err != nil {
				return fmt.Errorf("store: reminders due: %w", err)
			}
			for _, row := range rows {
				r, err := decodeDue(row)
				if err != nil {
					return err
				}
				mu.Lock()
				f(r)
				mu.Unlock()
			}
			mu.Lock()
			defer mu.Unlock()
			complete = complete && more == ""
			return nil
		})
		from = last.AddDays(1)
	}
	err = g.Wait()
	return complete, err
}

// ErrDueChanged means that the license changed since it was found due. The next run finds out what is due now.
var ErrDueChanged = errors.New("store: the license changed since it was found due")

// Reminding is what is done about a license that was found due.
type Reminding struct {
	Stage  reminder.Stage // zero: none is due, and the license only moves to the day of its next reminder
	Digest *outbox.Digest // of who is reminded; nil: nobody is
}

// NewDigest returns the digest of a day for a contact of a customer: see outbox.Box.NewDigest.
func (s *Store) NewDigest(customer string, day license.Date, to license.Contact, ready time.Time,
	turn int) *outbox.Digest {
	return s.outbox.NewDigest(customer, day, to, ready, turn)
}

// RecordReminder notes that the stage was dealt with for a license that was found due, adds the license to the digest,
// and moves it to the day of its next reminder, in one transaction. A contact who was reminded of the license before is
// not reminded again. ErrDueChanged if the license changed meanwhile.
func (s *Store) RecordReminder(ctx context.Context, d Due, do Reminding) error {
	of, known := rowkey.License(d.License.ID), do.Digest == nil
	due := notice.Due{License: d.License.ID, Expiration: d.License.Expiration, Stage: do.Stage}
	err := entity.Retry(func() error {
		c := s.begin()
		after := d.LicenseRecord
		if !do.Stage.IsZero() {
			after.Reminded = do.Stage.Day(d.License.Expiration)
		}
		c.schedule(&after)
		c.UpdateUnlogged(licenseEntity{d.LicenseRecord}, licenseEntity{after}, d.Version)
		if known {
			return dueChanged(c.Commit(ctx), of)
		}
		told, err := s.addDue(ctx, c, do.Digest, due, entity.Line{By: System, Action: ReminderQueued,
			Customer: d.License.Customer})
		known = told
		return dueChanged(err, of)
	})
	if err != nil && err != ErrDueChanged {
		return fmt.Errorf("store: reminder of license %s: %w", d.License.ID, err)
	}
	return err
}

func dueChanged(err error, license table.Key) error {
	if entity.IsConflictOn(err, license) {
		return ErrDueChanged
	}
	return err
}

// AddDue adds a license to a digest, with a line on the license's timeline, unless the contact was reminded of it
// before.
func (s *Store) AddDue(ctx context.Context, d *outbox.Digest, due notice.Due, line entity.Line) error {
	return entity.Retry(func() error {
		c := s.begin()
		c.Names(rowkey.License(due.License), "", d.To().Email) // the line outlives the digest
		told, err := s.addDue(ctx, c, d, due, line)
		if told {
			return nil
		}
		return err
	})
}

// addDue commits a change together with a license in a digest. The note of the line is the ID of the digest unless it
// has one. told says that the contact was reminded of the license before, in which case nothing was written.
func (s *Store) addDue(ctx context.Context, c *changeset, d *outbox.Digest, due notice.Due, line entity.Line) (
	told bool, err error) {
	id, err := d.AddIn(ctx, c.Changeset, due)
	if err != nil {
		return false, err
	}
	line.Note = cmp.Or(line.Note, id)
	c.Log(rowkey.License(due.License), line)
	if err = c.Commit(ctx); err != nil {
		d.Lost()
		return entity.IsConflictOn(err, rowkey.Reminded(due.Guard(d.To()))), err
	}
	d.Added(due)
	return false, nil
}

// RemindersToCome counts the licenses whose next reminder is due from a day through another, up to a limit.
func (s *Store) RemindersToCome(ctx context.Context, from, through license.Date, limit int) (n int, err error) {
	for q := range dueBetween(from, through) {
		more, err := s.table.Count(ctx, q, limit-n)
		if err != nil {
			return 0, fmt.Errorf("store: counting the reminders due in %s: %w", q.PK, err)
		}
		n += more
	}
	return n, nil
}
