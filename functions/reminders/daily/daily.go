// Package daily reminds customers that their licenses expire: once a day it puts the mails of all reminders that are due
// up to that day into the outbox. When a reminder is due is shared/reminder's policy; functions/mailer sends the mails.
package daily

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
)

// Store is what is asked of the store.
type Store interface {
	DueReminders(ctx context.Context, through license.Date, f func(store.Due) error) error
	Reachable(ctx context.Context, contacts []license.Contact) (*license.Contact, error)
	RecordReminder(ctx context.Context, d store.Due, stage reminder.Stage, messages []mail.Message) error
	RecordUnreached(ctx context.Context, l license.License, task mail.Message) (told bool, err error)
}

// Letters writes the mails.
type Letters interface {
	LicenseExpiring(id string, l license.License, to license.Contact, today license.Date) mail.Message
	LicenseUnreached(l license.License) mail.Message
}

// Options are what a Job needs, all of them.
type Options struct {
	Store   Store
	Letters Letters
	Now     func() time.Time // the clock; the day is the day in UTC
	Log     *slog.Logger
}

// Job is the daily run.
type Job struct{ Options }

// New makes a Job.
func New(o Options) *Job { return &Job{o} }

const (
	atOnce = 16 // licenses under way at the same time
	passes = 3  // how often a license is looked at that others change meanwhile
)

// Run reminds of every license that is due by the end of today, UTC. It may be run as often as one likes: what was
// reminded of once is not due any more, and a day that was missed is caught up with.
//
// A license none of whose contacts can be reached becomes a task for sales, once, and stays due: where a contact is left or
// comes back, the next run reminds. A license that cannot be reminded of for another cause keeps none of the others waiting. It
// stays due as well, its cause is in the log, and the error says how many there were.
func (j *Job) Run(ctx context.Context) error {
	today := license.DateOf(j.Now())
	var queued, moved, told, failed int64
	var err error
	for range passes {
		p := pass{Job: j, today: today}
		err = p.all(ctx)
		queued, moved, told, failed = queued+p.queued.Load(), moved+p.moved.Load(), told+p.told.Load(), p.failed.Load()+p.changed.Load()
		if p.changed.Load() == 0 || err != nil {
			break
		}
	}
	j.Log.Info("reminders", "today", today.String(), "moved", moved,
		logging.Metrics(j.Now(), slog.Int64("RemindersQueued", queued), slog.Int64("CustomersUnreached", told), slog.Int64("RemindersFailed", failed)))
	if err != nil {
		return fmt.Errorf("daily: %w", err)
	}
	if failed > 0 {
		return fmt.Errorf("daily: no reminder of %d licenses that are due, see the log", failed)
	}
	return nil
}

// pass looks once at every license that is due.
type pass struct {
	*Job
	today license.Date

	queued  atomic.Int64 // a reminder was queued
	moved   atomic.Int64 // there was nothing to remind of
	told    atomic.Int64 // sales were told that nobody can be reached
	changed atomic.Int64 // somebody changed the license meanwhile
	failed  atomic.Int64
}

func (p *pass) all(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(atOnce)
	defer g.Wait()
	return p.Store.DueReminders(ctx, p.today, func(d store.Due) error {
		g.Go(func() error { p.one(ctx, d); return nil })
		return ctx.Err()
	})
}

// one reminds of one license, or finds that there is nothing to remind of and lets it move on.
func (p *pass) one(ctx context.Context, d store.Due) {
	var messages []mail.Message
	stage, due := reminder.Default.Due(d.License, p.today, d.Reminded)
	if due {
		to, err := p.Store.Reachable(ctx, d.License.Contacts)
		switch {
		case err != nil:
			p.fail(d, err)
			return
		case to == nil:
			p.unreached(ctx, d)
			return
		}
		messages = []mail.Message{p.Letters.LicenseExpiring(messageID(d.License, stage, *to), d.License, *to, p.today)}
	}
	err := p.Store.RecordReminder(ctx, d, stage, messages)
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

func (p *pass) fail(d store.Due, err error) {
	p.failed.Add(1)
	p.Log.Error("no reminder of a license that is due", "license", d.License.ID, "due", d.Day.String(), logging.Error(err))
}

// unreached tells sales, unless they know, that none of the license's contacts can be reached.
func (p *pass) unreached(ctx context.Context, d store.Due) {
	switch told, err := p.Store.RecordUnreached(ctx, d.License, p.Letters.LicenseUnreached(d.License)); {
	case err != nil:
		p.fail(d, err)
	case told:
		p.told.Add(1)
		p.Log.Warn("no contact of a license can be reached, sales are told", "license", d.License.ID, "contacts", len(d.License.Contacts))
	}
}

// messageID names the one reminder that a contact ever gets of a license, for an expiration and a stage.
func messageID(l license.License, stage reminder.Stage, to license.Contact) string {
	return fmt.Sprintf("%s-%s-%dm-%s", l.ID, l.Expiration, stage, mail.RecipientID(to.Email))
}
