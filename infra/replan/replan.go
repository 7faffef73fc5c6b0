// Package replan makes up for a clock that is set back by days, as only the local server lets people do.
package replan

import (
	"context"
	"errors"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
)

// Reminders plans reminders anew after the clock went back from a time to now: licenses that had expired by then, or
// whose day had passed, waited for no reminder. Stages of days to come count as not dealt with, so what was left out
// then is looked at again; nobody is reminded of one twice, since the rows that say who was reminded stay. In the cloud
// time never goes back.
func Reminders(ctx context.Context, s *store.Store, from, now time.Time) error {
	today, policy := license.DateOf(now), s.Policy()
	month, last := policy.Oldest(today), license.DateOf(from).AddMonths(3)
	for month.Day = 1; !month.After(last); month = month.AddMonths(1) {
		err := s.LicensesExpiring(ctx, month, func(recorded store.LicenseRecord) error {
			reminded := recorded.Reminded
			if reminded.After(today) {
				recorded.Reminded = dealtWith(policy, recorded.License, today)
			}
			next, _ := policy.Next(recorded.License, today, recorded.Reminded)
			if next == recorded.NextReminder && recorded.Reminded == reminded {
				return nil
			}
			if err := s.RecordReminder(ctx, store.Due{LicenseRecord: recorded}, store.Reminding{}); !errors.Is(err,
				store.ErrDueChanged) {
				return err
			}
			return nil // the other change planned it
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dealtWith returns the day of a license's newest stage that has come by a day; zero if none has.
func dealtWith(policy reminder.Policy, l license.License, today license.Date) (day license.Date) {
	for _, s := range policy.Stages(l) {
		if on := s.Day(l.Expiration); !on.After(today) {
			day = on
		}
	}
	return day
}
