// Package late tells colleagues of license requests whose reply is overdue: every ten minutes it queues the mails to
// their reviewers and to sales. shared/request decides whose turn it is, and functions/mailer sends the mails.
package late

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"marketplace/shared/logging"
)

// Store is the part of the store that a Job calls.
type Store interface {
	TellLate(ctx context.Context) (told int, err error)
}

// Every is how often the schedule starts the job.
const Every = 10 * time.Minute

// Options are what a Job needs.
type Options struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
}

// Job tells of late requests.
type Job struct{ Options }

// New returns a Job.
func New(o Options) *Job { return &Job{o} }

// Run tells of the requests that have become late since the run before. It may run any number of times, also at once:
// nobody is told twice of a deadline. A run catches up on missed ones. A request that fails does not keep others back,
// and the next run tries it again.
func (j *Job) Run(ctx context.Context) error {
	n, err := j.Store.TellLate(ctx)
	if n > 0 {
		j.Log.Info("told of late requests", logging.Metrics(j.Now(), logging.Count("LateRequestsTold", int64(n))))
	}
	if err != nil {
		return fmt.Errorf("late: %w", err)
	}
	return nil
}
