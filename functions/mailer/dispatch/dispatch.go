// Package dispatch takes the mails of the outbox to the provider. How a mail is kept is shared/store's affair, how it is
// carried shared/mail's.
//
// A mail is claimed under a lease, sent, and recorded as sent. If the process dies in between, the lease runs out and the
// mail is sent again: it may go twice, which its row then says, and is never lost.
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

// Outbox is what is asked of the store.
type Outbox interface {
	PendingMail(ctx context.Context, after string, limit int) ([]string, error)
	Mail(ctx context.Context, id string) (store.Mail, error)
	ClaimMail(ctx context.Context, id string, lease time.Duration) (store.Mail, error)
	RecordSent(ctx context.Context, m store.Mail, providerID string) error
	RetryMail(ctx context.Context, m store.Mail, cause error, from time.Time) error
	ReleaseMail(ctx context.Context, m store.Mail) error
	FailMail(ctx context.Context, m store.Mail, cause error) error
	Suppressed(ctx context.Context, email string) (*store.Suppression, error)
	FailSuppressed(ctx context.Context, m store.Mail, why store.Suppression, task func(license.License) mail.Message) error
}

// Dispatcher sends what is pending. Several may run at once, in one process or in many.
type Dispatcher struct {
	Outbox Outbox
	Sender mail.Sender
	Now    func() time.Time // the clock of the outbox
	Log    *slog.Logger
	// Unreached writes the mail to sales about a license none of whose contacts can be reached.
	Unreached func(license.License) mail.Message
	// Lease is how long a mail belongs to who claimed it, and how long it waits when that one dies; 0: two minutes. A
	// sixth of it, and at most sendTimeout, is given to the sending.
	Lease time.Duration

	quota quotaCache
}

const (
	defaultLease = 2 * time.Minute
	// sendTimeout and recordTimeout bound the two steps of a mail. No mail is begun when less than both is left to run.
	sendTimeout   = 15 * time.Second
	recordTimeout = 5 * time.Second

	atOnce   = 8   // mails under way at the same time
	pageSize = 100 // of the pending mails

	// A mail that fails is tried again after a minute, then after twice as long each time up to maxPause, some 16 hours in all.
	firstPause  = time.Minute
	maxPause    = 4 * time.Hour
	maxAttempts = 12
)

// Run sends every mail that is to be sent now, at the rate that the provider allows. It stops early, keeping the rest, when
// the provider takes no more, or when the context's deadline comes near: the time to send and record one mail is kept free,
// so the deadline should be a minute away or more.
//
// The error says that mails could not be dealt with, or that the provider has to be set right (mail.ErrSetup); why is in
// the log. That the provider throttles is no error. The next run goes on where this one stopped.
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
	r.all()
	r.pace.stop()
	r.summarize()
	if errors.Is(context.Cause(r.begin), mail.ErrSetup) {
		return fmt.Errorf("dispatch: %w", mail.ErrSetup)
	}
	if n := r.failed.Load(); n > 0 {
		return fmt.Errorf("dispatch: %d errors, see the log", n)
	}
	return nil
}

// run is one Run.
type run struct {
	*Dispatcher
	ctx   context.Context         // of the whole run
	begin context.Context         // ends when no further mail is to be begun
	stop  context.CancelCauseFunc // ends begin
	pace  *pace

	lease, sendTimeout time.Duration

	sent, retried, dead, released, failed atomic.Int64
}

// all goes through the pending mails, page by page.
func (r *run) all() {
	var g errgroup.Group
	g.SetLimit(atOnce)
	defer g.Wait()
	after := ""
	for r.begin.Err() == nil {
		ids, err := r.Outbox.PendingMail(r.begin, after, pageSize)
		if err != nil {
			if r.begin.Err() == nil {
				r.fail("pending mails cannot be read", err)
			}
			return
		}
		if len(ids) > 0 && r.pace == nil {
			q := r.quota.get(r.begin, r)
			if q.Exhausted {
				r.stop(mail.ErrThrottled)
				return
			}
			r.pace = newPace(q.PerSecond)
		}
		for _, id := range ids {
			g.Go(func() error { r.one(id); return nil })
		}
		if len(ids) < pageSize {
			return
		}
		after = ids[len(ids)-1]
	}
}

// one deals with one pending mail.
func (r *run) one(id string) {
	if r.begin.Err() != nil {
		return
	}
	m, err := r.Outbox.ClaimMail(r.ctx, id, r.lease)
	switch {
	case errors.Is(err, store.ErrNotClaimed), err != nil && r.ctx.Err() != nil:
		return
	case err != nil:
		r.fail("a mail cannot be claimed", err, slog.String("mail", id))
		return
	case m.Attempts > maxAttempts:
		r.bury(m, fmt.Errorf("given up: begun %d times, and no answer kept", m.Attempts-1))
		return
	case r.suppressed(m):
		return
	}
	// The clock may have been moved, or waiting may have taken longer than the lease: then the mail is somebody else's.
	if !r.pace.wait(r.begin) || r.Now().Add(r.sendTimeout).After(m.NotBefore) {
		r.release(m)
		return
	}

	ctx, cancel := context.WithTimeout(r.ctx, r.sendTimeout)
	defer cancel()
	providerID, err := r.Sender.Send(ctx, m.Message)
	switch {
	case err == nil:
		r.settle(m, "sent", &r.sent, func(ctx context.Context) error { return r.Outbox.RecordSent(ctx, m, providerID) })
	case errors.Is(err, mail.ErrThrottled), errors.Is(err, mail.ErrSetup):
		r.Log.Warn("the provider takes no more", about(m), logging.Error(err))
		r.stop(err)
		r.release(m)
	case errors.Is(err, mail.ErrRejected):
		r.bury(m, err)
	default:
		m.MaybeTwice = true // what was answered is not known
		r.retry(m, err)
	}
}

// suppressed deals with a mail whose reader's address takes no mail any more: it is given up, and the next contact gets it.
// Mails to sales always go.
func (r *run) suppressed(m store.Mail) bool {
	if m.Message.Kind.ToSales() {
		return false
	}
	why, err := r.Outbox.Suppressed(r.ctx, m.Message.To.Email)
	switch {
	case err != nil:
		r.fail("it is not known whether an address takes mail", err, about(m))
		r.release(m)
	case why == nil:
		return false
	default:
		r.Log.Warn("a mail is given up: its address is suppressed", about(m), slog.String("outcome", string(why.Outcome)))
		r.settle(m, "dead", &r.dead, func(ctx context.Context) error {
			return r.Outbox.FailSuppressed(ctx, m, *why, r.Unreached)
		})
	}
	return true
}

func (r *run) retry(m store.Mail, cause error) {
	if m.Attempts >= maxAttempts {
		r.bury(m, cause)
		return
	}
	from := r.Now().Add(pause(m.Attempts))
	r.Log.Warn("a mail was not sent, to be tried again", about(m), slog.Int("attempts", m.Attempts), slog.Time("from", from), logging.Error(cause))
	r.settle(m, "retried", &r.retried, func(ctx context.Context) error { return r.Outbox.RetryMail(ctx, m, cause, from) })
}

// pause is how long after the n-th attempt the next one is made.
func pause(n int) time.Duration {
	return min(firstPause<<(n-1), maxPause)
}

func (r *run) bury(m store.Mail, cause error) {
	r.Log.Error("a mail is given up", about(m), slog.Int("attempts", m.Attempts), logging.Error(cause))
	r.settle(m, "dead", &r.dead, func(ctx context.Context) error { return r.Outbox.FailMail(ctx, m, cause) })
}

func (r *run) release(m store.Mail) {
	r.settle(m, "released", &r.released, func(ctx context.Context) error { return r.Outbox.ReleaseMail(ctx, m) })
}

// settle records how a claimed mail ended, and counts it. It goes on when the run is called off: the provider cannot be
// asked afterwards. A record whose answer was lost shows in the mail, which is under no lease any more.
func (r *run) settle(m store.Mail, how string, count *atomic.Int64, record func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), recordTimeout)
	defer cancel()
	wait := 100 * time.Millisecond
	for {
		err := record(ctx)
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
			r.fail("how a mail ended cannot be recorded", err, about(m), slog.String("ended", how))
			return
		}
	}
	count.Add(1)
}

func (r *run) fail(what string, err error, attrs ...any) {
	r.failed.Add(1)
	r.Log.Error(what, append(attrs, logging.Error(err))...)
}

// about says which mail a line of the log is about, without anything of its reader's.
func about(m store.Mail) slog.Attr {
	return slog.Group("", "mail", m.Message.ID, "kind", m.Message.Kind, "about", m.Message.About)
}

// summarize logs what the run did, where it did anything.
func (r *run) summarize() {
	sent, retried, dead, released, failed := r.sent.Load(), r.retried.Load(), r.dead.Load(), r.released.Load(), r.failed.Load()
	stopped := ""
	if cause := context.Cause(r.begin); cause != nil {
		stopped = logging.Error(cause).Value.String()
	}
	if sent+retried+dead+released+failed == 0 && stopped == "" {
		return
	}
	r.Log.Info("mails dispatched", "stopped", stopped, "released", released,
		logging.Metrics(r.Now(), slog.Int64("MailsSent", sent), slog.Int64("MailsRetried", retried), slog.Int64("MailsDead", dead), slog.Int64("MailErrors", failed)))
}

// quotaCache remembers the provider's quota for a while: SES answers for it once a second at most.
type quotaCache struct {
	mu    sync.Mutex
	quota mail.Quota
	until time.Time
}

const (
	quotaAge = time.Minute
	// cautious is the rate where the provider does not tell: what SES allows everybody.
	cautious = 1
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
		r.Log.Warn("the provider's quota is not known", logging.Error(err))
		if errors.Is(err, mail.ErrSetup) {
			r.stop(err)
		}
		return mail.Quota{PerSecond: cautious}
	}
	c.quota, c.until = q, now.Add(quotaAge)
	return q
}

// pace lets so many mails pass in a second.
type pace struct {
	first  chan struct{}
	ticker *time.Ticker // nil: as many as come
}

func newPace(perSecond float64) *pace {
	if perSecond <= 0 {
		return &pace{}
	}
	p := &pace{make(chan struct{}, 1), time.NewTicker(time.Duration(float64(time.Second) / perSecond))}
	p.first <- struct{}{}
	return p
}

// wait waits for the turn of one mail; false when the context ended instead.
func (p *pace) wait(ctx context.Context) bool {
	if p.ticker != nil {
		select {
		case <-p.first:
		case <-p.ticker.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

func (p *pace) stop() {
	if p != nil && p.ticker != nil {
		p.ticker.Stop()
	}
}
