package delivery

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/alarm"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
)

// DailyRun is a complete run of the reminders.
type DailyRun struct {
	Day   license.Date `json:"day"`   // through which everything due was done
	Ended time.Time    `json:"ended"` // UTC
}

// DailyRunEnded is an action in the audit alone.
const DailyRunEnded store.Action = "daily run complete"

// RecordDailyRun notes that a daily run did everything that was due by a day.
func (s *Store) RecordDailyRun(ctx context.Context, day license.Date) error {
	c := s.table.Begin()
	c.Set(entity.Encode(rowkey.DailyRun(), rowkey.TypeRun, DailyRun{day, s.Now()}))
	c.Audit(rowkey.DailyRun().PK, entity.Line{By: store.System, Action: DailyRunEnded, Note: day.String()})
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("delivery: recording the daily run: %w", err)
	}
	return nil
}

// LastDailyRun reads the last complete daily run; the zero DailyRun if none is on record.
func (s *Store) LastDailyRun(ctx context.Context) (r DailyRun, err error) {
	if _, err = s.table.Get(ctx, rowkey.DailyRun(), &r); fault.KindOf(err) == fault.NotFound {
		return DailyRun{}, nil
	}
	return r, err
}

// Watched reads what the gauges are worked out from, except for the ready emails: who calls it has looked at these. All
// reads are made at once: two rows and four queries.
func (s *Store) Watched(ctx context.Context) (r alarm.Readings, err error) {
	now := s.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		last, err := s.LastDailyRun(ctx)
		r.DailyRun = last.Ended
		return err
	})
	g.Go(func() (err error) {
		r.Failed, r.InDoubt, err = s.outbox.Troubled(ctx, now.Add(-24*time.Hour), alarm.Most)
		return err
	})
	g.Go(func() (err error) {
		r.LateUntold, err = s.LateUntold(ctx, alarm.Most)
		return err
	})
	g.Go(func() error {
		p, err := s.outbox.Provider(ctx)
		r.Sent, r.Quota = p.SentLastDay(now), p.PerDay
		return err
	})
	if err := g.Wait(); err != nil {
		return alarm.Readings{}, fmt.Errorf("delivery: what the alarms watch: %w", err)
	}
	return r, nil
}
