// Package jobs starts the job that a schedule names. What the jobs do is in functions/reminders/daily and
// functions/reminders/late.
package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Names of the jobs, as the schedules in template.yaml give them.
const (
	Daily = "daily"
	Late  = "late"
)

// Event is the input of a schedule.
type Event struct {
	Job string `json:"job"`
}

// Jobs are functions by the names of their jobs.
type Jobs map[string]func(context.Context) error

// Run runs the job that an event names.
func (j Jobs) Run(ctx context.Context, e Event) error {
	run, ok := j[e.Job]
	if !ok {
		return fmt.Errorf("jobs: no job is named %q, only %q", e.Job, slices.Sorted(maps.Keys(j)))
	}
	return run(ctx)
}
