// Package dispatch sends the mails of the outbox through a provider. shared/store keeps them, and shared/mail knows the
// provider.
//
// A mail is claimed under a lease, sent, and recorded as sent. If the process dies in between, the lease expires and
// the mail is sent again: it is never lost, but it may arrive twice, and its row says so.
package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/store"
)

// Outbox is the part of the store that a Dispatcher calls.
type Outbox interface {
	PendingMail(ctx context.Context, after string, limit int) ([]string, error)
	Mail(ctx context.Context, id string) (store.Mail, error)
	ClaimMail(ctx context.Context, id string, lease time.Duration) (store.Mail, error)
	RecordSent(ctx context.Context, m store.Mail, providerID string) error
	RetryMail(ctx context.Context, m store.Mail, cause error, from time.Time) error
	ReleaseMail(ctx context.Context, m store.Mail) error
	FailMail(ctx context.Context, m store.Mail, cause error) error
	Suppressed(ctx context.Context, email string) (*store.Suppression, error)
	FailSuppressed(ctx context.Context, m store.Mail, why store.Suppression,
		task func(license.License) mail.Message) error
}

// Dispatcher sends pending mails. Several may run at once, in one process or in many.
type Dispatcher struct {
	Outbox Outbox
	Sender mail.Sender
	Now    func() time.Time // the clock of the outbox
	Log    *slog.Logger
	// Unreached writes the mail to sales about a license none of whose contacts can be reached.
	Unreached func(license.License) mail.Message
	// Lease is how long a claimed mail belongs to its Dispatcher, and how long it waits if that process dies; 0 means
	// two minutes. Sending gets a sixth of it, and at most sendTimeout.
	Lease time.Duration

	quota quotaCache
}

const (
	defaultLease = 2 * time.Minute
	// sendTimeout and recordTimeout limit the two steps of a mail. A run begins no mail unless it has time for both.
	sendTimeout   = 15 * time.Second
	recordTimeout = 5 * time.Second

	atOnce   = 8   // mails sent concurrently
	pageSize = 100 // pending mails read at once

	// A failed mail is retried after a minute, and then after twice as long each time up to maxPause: some 16 hours in
	// all.
	firstPause  = time.Minute
	maxPause    = 4 * time.Hour
	maxAttempts = 12
)

// Run sends every mail that is due, at the rate that the provider allows. It stops early, and keeps the rest, when the
// provider accepts no more or when too little time is left before the context's deadline to send and record another
// mail: the deadline should be at least a minute away.
//
// It returns an error if the table failed, or mail.ErrSetup if the provider's setup must be fixed; the log has the
// details. Throttling by the provider is no error. The next run continues with the rest.
func (d *Dispatcher) Run(ctx context.Context) error {
	r := &run{Dispatcher: d, ctx: ctx, lease: cmp.Or(d.Lease, defaultLease)}
	r.sendTimeout = min(sendTimeout, r.lease/6)
	r.begin, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		r.begin, cancel = context.WithDeadline(r.begin, deadline.Add(-sendTimeout-recordTimeout))
		defer cancel()
	}
	r.sendPending()
	r.limiter.stop()
	r.summarize()
	if errors.Is(context.Cause(r.begin), mail.ErrSetup) {
		return fmt.Errorf("dispatch: %w", mail.ErrSetup)
	}
	if n := r.errors.Load(); n > 0 {
		return fmt.Errorf("dispatch: %d errors; see the log", n)
	}
	return nil
}

// run is one Run.
type run struct {
	*Dispatcher
	ctx     context.Context         // of the whole run
	begin   context.Context         // done when the run must begin no further mail
	stop    context.CancelCauseFunc // cancels begin
	limiter *limiter

	lease, sendTimeout time.Duration

	sent, retried, failed, released, errors atomic.Int64
}

// sendPending sends the pending mails, page by page.
func (r *run) sendPending() {
	var g errgroup.Group
	g.SetLimit(atOnce)
	defer g.Wait()
	after := ""
	for r.begin.Err() == nil {
		ids, err := r.Outbox.PendingMail(r.begin, after, pageSize)
		if err != nil {
			if r.begin.Err() == nil {
				r.logError("cannot read pending mails", err)
			}
			return
		}
		if len(ids) > 0 && r.limiter == nil {
			q := r.quota.get(r.begin, r)
			if q.Exhausted() {
				r.stop(mail.ErrThrottled)
				return
			}
			r.limiter = newLimiter(q.PerSecond)
		}
		for _, id := range ids {
			g.Go(func() error { r.send(id); return nil })
		}
		if len(ids) < pageSize {
			return
		}
		after = ids[len(ids)-1]
	}
}

// send claims one pending mail, sends it and records the outcome.
func (r *run) send(id string) {
	if r.begin.Err() != nil {
		return
	}
	m, err := r.Outbox.ClaimMail(r.ctx, id, r.lease)
	switch {
	case errors.Is(err, store.ErrNotClaimed), err != nil && r.ctx.Err() != nil:
		return
	case err != nil:
		r.logError("cannot claim a mail", err, slog.String("mail", id))
		return
	case m.Attempts > maxAttempts:
		r.giveUp(m, fmt.Errorf("given up after %d attempts without a recorded outcome", m.Attempts-1))
		return
	case r.failIfSuppressed(m):
		return
	}
	// If somebody moved the clock, or waiting took longer than the lease, the mail may belong to another Dispatcher.
	if !r.limiter.wait(r.begin) || r.Now().Add(r.sendTimeout).After(m.NotBefore) {
		r.release(m)
		return
	}

	ctx, cancel := context.WithTimeout(r.ctx, r.sendTimeout)
	defer cancel()
	providerID, err := r.Sender.Send(ctx, m.Message)
	switch {
	case err == nil:
		r.record(m, "sent", &r.sent, func(ctx context.Context) error { return r.Outbox.RecordSent(ctx, m, providerID) })
	case errors.Is(err, mail.ErrThrottled), errors.Is(err, mail.ErrSetup):
		r.Log.Warn("the provider accepts no more mails", about(m), logging.Error(err))
		r.stop(err)
		r.release(m)
	case errors.Is(err, mail.ErrRejected):
		r.giveUp(m, err)
	default:
		m.MaybeTwice = true // the provider may have accepted it
		r.retry(m, err)
	}
}

// failIfSuppressed fails a mail to a suppressed address, and passes it on to the next contact. Mails to sales are
// always sent.
func (r *run) failIfSuppressed(m store.Mail) bool {
	if m.Message.Kind.ToSales() {
		return false
	}
	why, err := r.Outbox.Suppressed(r.ctx, m.Message.To.Email)
	switch {
	case err != nil:
		r.logError("cannot read whether an address is suppressed", err, about(m))
		r.release(m)
	case why == nil:
		return false
	default:
		r.Log.Warn("mail failed: its address is suppressed", about(m), slog.String("outcome", string(why.Outcome)))
		r.record(m, "failed", &r.failed, func(ctx context.Context) error {
			return r.Outbox.FailSuppressed(ctx, m, *why, r.Unreached)
		})
	}
	return true
}

func (r *run) retry(m store.Mail, cause error) {
	if m.Attempts >= maxAttempts {
		r.giveUp(m, cause)
		return
	}
	from := r.Now().Add(pause(m.Attempts))
	r.Log.Warn("mail not sent, will retry", about(m), slog.Int("attempts", m.Attempts), slog.Time("from", from),
		logging.Error(cause))
	r.record(m, "retried", &r.retried, func(ctx context.Context) error {
		return r.Outbox.RetryMail(ctx, m, cause,
			from)
	})
}

// pause returns the time between the n-th attempt and the next.
func pause(n int) time.Duration {
	return min(firstPause<<(n-1), maxPause)
}

func (r *run) giveUp(m store.Mail, cause error) {
	r.Log.Error("mail failed", about(m), slog.Int("attempts", m.Attempts), logging.Error(cause))
	r.record(m, "failed", &r.failed, func(ctx context.Context) error { return r.Outbox.FailMail(ctx, m, cause) })
}

func (r *run) release(m store.Mail) {
	r.record(m, "released", &r.released, func(ctx context.Context) error { return r.Outbox.ReleaseMail(ctx, m) })
}

// record writes the outcome of a claimed mail, and counts it. It does so even after the run was cancelled, since
// nobody can ask the provider later. If a write succeeded but its answer was lost, the mail no longer has a lease.
func (r *run) record(m store.Mail, outcome string, count *atomic.Int64, write func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), recordTimeout)
	defer cancel()
	wait := 100 * time.Millisecond
	for {
		err := write(ctx)
		if err == nil {
			break
		}
		if now, readErr := r.Outbox.Mail(ctx, m.Message.ID); readErr == nil && !now.Leased {
			break
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			r.logError("cannot record the outcome of a mail", err, about(m), slog.String("outcome", outcome))
			return
		}
	}
	count.Add(1)
}

func (r *run) logError(what string, err error, attrs ...any) {
	r.errors.Add(1)
	r.Log.Error(what, append(attrs, logging.Error(err))...)
}

// about identifies a mail in the log without naming its recipient.
func about(m store.Mail) slog.Attr {
	return slog.Group("", "mail", m.Message.ID, "kind", m.Message.Kind, "about", m.Message.About)
}

// summarize logs what the run did, if anything.
func (r *run) summarize() {
	sent, retried, failed, released := r.sent.Load(), r.retried.Load(), r.failed.Load(), r.released.Load()
	errs := r.errors.Load()
	stopped := ""
	if cause := context.Cause(r.begin); cause != nil {
		stopped = logging.Error(cause).Value.String()
	}
	if sent+retried+failed+released+errs == 0 && stopped == "" {
		return
	}
	r.Log.Info("mails dispatched", "stopped", stopped, "released", released,
		logging.Metrics(r.Now(), slog.Int64("MailsSent", sent), slog.Int64("MailsRetried", retried),
			slog.Int64("MailsDead", failed), slog.Int64("MailErrors", errs)))
}

// quotaCache keeps the provider's quota for a while: SES answers one such call a second.
type quotaCache struct {
	mu    sync.Mutex
	quota mail.Quota
	until time.Time
}

const (
	quotaAge = time.Minute
	// cautiousRate applies while the quota is unknown: SES allows it to every account.
	cautiousRate = 1
)

func (c *quotaCache) get(ctx context.Context, r *run) mail.Quota {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := r.Now()
	if now.Before(c.until) && c.until.Sub(now) <= quotaAge {
		return c.quota
	}
	q, err := r.Sender.Quota(ctx)
	if err != nil {
		r.Log.Warn("cannot read the provider's quota", logging.Error(err))
		if errors.Is(err, mail.ErrSetup) {
			r.stop(err)
		}
		return mail.Quota{PerSecond: cautiousRate}
	}
	c.quota, c.until = q, now.Add(quotaAge)
	return q
}

// limiter limits the mails sent per second.
type limiter struct {
	first  chan struct{}
	ticker *time.Ticker // nil: no limit
}

func newLimiter(perSecond float64) *limiter {
	if perSecond <= 0 {
		return &limiter{}
	}
	l := &limiter{make(chan struct{}, 1), time.NewTicker(time.Duration(float64(time.Second) / perSecond))}
	l.first <- struct{}{}
	return l
}

// wait waits until the next mail may be sent; false if the context is done first.
func (l *limiter) wait(ctx context.Context) bool {
	if l.ticker != nil {
		select {
		case <-l.first:
		case <-l.ticker.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

func (l *limiter) stop() {
	if l != nil && l.ticker != nil {
		l.ticker.Stop()
	}
}
