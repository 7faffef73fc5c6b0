package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reminder"
	"marketplace/shared/table"
)

// Due is a license on whose reminders the policy wants a look taken on Day. Its row carries the whole license as it is on
// record, so that the daily run reads nothing else: a license has at most one, which moves whenever the license changes.
type Due struct {
	LicenseRecord
	Day license.Date
}

// dueRow is a Due as it is stored.
type dueRow struct {
	LicenseRecord
	LicenseVersion int64 `json:"licenseVersion"` // of the license's own row
}

// dueWrites move a license's reminder from the day on which it waited, if any, to r.NextReminder, if any. r.Version is
// the one that the license's row gets in the same transaction.
func dueWrites(was license.Date, r LicenseRecord) (writes []table.Write) {
	id, next := r.License.ID, r.NextReminder
	if !was.IsZero() && was != next {
		writes = append(writes, table.Delete(dueKey(was, id), table.Any))
	}
	if !next.IsZero() {
		row := encode(dueKey(next, id), rowDue, dueRow{LicenseRecord: r, LicenseVersion: r.Version})
		// Nobody looks at a reminder that a run missed by more than the policy's longest stage: see DueReminders.
		row.Expires = r.License.Expiration.AddMonths(1).End()
		writes = append(writes, table.Set(row))
	}
	return writes
}

// DueReminders gives f every license whose reminders want a look by the end of the day through, in the order of days.
// Days that were missed are caught up with as far back as a license can still be valid when it is found there: the
// policy's longest stage. f may record reminders while the reading goes on. A row that cannot be decoded keeps no other
// from f; the error at the end tells of it.
func (s *Store) DueReminders(ctx context.Context, through license.Date, f func(Due) error) error {
	var broken []error
	first := through.AddMonths(-int(reminder.Default.Longest()))
	for m := first; duePK(m) <= duePK(through); m = m.AddMonths(1) {
		q := table.Query{PK: duePK(m), To: through.AddDays(1).String()}
		err := table.All(ctx, s.table, q, func(row table.Row) error {
			stored, err := decode[dueRow](row)
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

// ErrDueChanged: the license changed since it was found due; what is to be done about it now, the next run finds out.
var ErrDueChanged = errors.New("store: the license changed since it was found due")

// RecordReminder notes that the stage was dealt with for a license that was found due, puts its messages into the outbox
// and moves the license to the day of its next reminder: one transaction. A message whose ID is in the outbox already is
// not put there again. stage 0 notes nothing and only moves the license.
func (s *Store) RecordReminder(ctx context.Context, d Due, stage reminder.Stage, messages []mail.Message) error {
	if stage != 0 {
		d.Reminded = stage
	}
	messages = slices.Clone(messages)
	for range attempts {
		writes := s.licenseWrites(d.LicenseRecord)
		for _, m := range messages {
			writes = append(writes, s.outboxWrites(m)...)
			writes = append(writes, s.eventWrite(licenseKey(d.License.ID), System, ReminderQueued, m.ID, nil))
		}
		err := s.table.Transact(ctx, writes...)
		var conflict *table.ConflictError
		if !errors.As(err, &conflict) {
			if err != nil {
				return fmt.Errorf("store: reminder of license %s: %w", d.License.ID, err)
			}
			return nil
		}
		if slices.Contains(conflict.Keys, licenseKey(d.License.ID)) {
			return ErrDueChanged
		}
		messages = slices.DeleteFunc(messages, func(m mail.Message) bool {
			return slices.Contains(conflict.Keys, mailKey(m.ID))
		})
	}
	return fmt.Errorf("store: reminder of license %s: %w", d.License.ID, table.ErrConflict)
}
