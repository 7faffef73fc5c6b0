package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/token"
)

// ReminderQueued is an action on licenses that expire.
const ReminderQueued Action = "reminder queued"

// Due is a license whose reminders the policy wants checked on Day. Its row carries the whole license, so that the
// daily run reads nothing else: a license has at most one, which moves whenever the license changes.
type Due struct {
	LicenseRecord
	Day license.Date
}

// DueReminders passes every license whose reminders are due by the end of the day through to f, in the order of days.
// It looks back over the policy's longest stage; a license due before that has expired. f may record reminders
// meanwhile. A row that cannot be decoded is skipped and reported in the returned error.
func (s *Store) DueReminders(ctx context.Context, through license.Date, f func(Due) error) error {
	var broken []error
	first := through.AddMonths(-int(reminder.Default.Longest()))
	for m := first; rowkey.DuePK(m) <= rowkey.DuePK(through); m = m.AddMonths(1) {
		q := table.Query{PK: rowkey.DuePK(m), To: through.AddDays(1).String()}
		err := s.table.Each(ctx, q, func(row table.Row) error {
			stored, err := entity.Decode[storedDue](row)
			if err != nil {
				broken = append(broken, err)
				return nil
			}
			d := Due{LicenseRecord: stored.LicenseRecord, Day: stored.NextReminder}
			d.Version = stored.LicenseVersion
			return f(d)
		})
		if err != nil {
			return fmt.Errorf("store: reminders due in %s: %w", m.YearMonth(), err)
		}
	}
	return errors.Join(broken...)
}

// ErrDueChanged means that the license changed since it was found due. The next run finds out what is due now.
var ErrDueChanged = errors.New("store: the license changed since it was found due")

// Reminding is what is done about a license that was found due.
type Reminding struct {
	Stage reminder.Stage  // 0: none is due, and the license only moves to the day of its next reminder
	To    license.Contact // who is reminded
	// Ready is when the run began, and Turn the place of the mail among those of its customer in the run.
	Ready time.Time
	Turn  int
}

// RecordReminder notes that the stage was dealt with for a license that was found due, queues its mail, and moves the
// license to the day of its next reminder, in one transaction. A mail that was queued before is not queued again.
func (s *Store) RecordReminder(ctx context.Context, d Due, do Reminding) error {
	known := false
	of := rowkey.License(d.License.ID)
	n := notice.LicenseExpiring(d.License, do.Stage, do.To)
	if d.License.Type != license.Evaluation { // an evaluation is followed by a purchase, not by a renewal
		n.Nonce = token.Renewal.New()
	}
	err := entity.Retry(func() error {
		c := s.begin()
		after := d.LicenseRecord
		if do.Stage != 0 {
			after.Reminded = do.Stage
		}
		c.schedule(&after)
		c.UpdateUnlogged(licenseEntity{d.LicenseRecord}, licenseEntity{after}, d.Version)
		if do.Stage != 0 && !known {
			s.outbox.QueueTurn(c.Changeset, n, do.Ready, do.Turn)
			c.Log(of, entity.Line{By: System, Action: ReminderQueued, Note: n.ID})
		}
		err := c.Commit(ctx)
		if entity.IsConflictOn(err, of) {
			return ErrDueChanged
		}
		known = known || entity.IsConflictOn(err, rowkey.Mail(n.ID))
		return err
	})
	if err != nil && err != ErrDueChanged {
		return fmt.Errorf("store: reminder of license %s: %w", d.License.ID, err)
	}
	return err
}

// RemindersToCome counts the licenses whose next reminder is due from a day through another, up to a limit.
func (s *Store) RemindersToCome(ctx context.Context, from, through license.Date, limit int) (n int, err error) {
	for m := from; rowkey.DuePK(m) <= rowkey.DuePK(through); m = m.AddMonths(1) {
		q := table.Query{PK: rowkey.DuePK(m), From: from.String(), To: through.AddDays(1).String()}
		more, err := s.table.Count(ctx, q, limit-n)
		if err != nil {
			return 0, fmt.Errorf("store: counting the reminders due in %s: %w", m.YearMonth(), err)
		}
		n += more
	}
	return n, nil
}
