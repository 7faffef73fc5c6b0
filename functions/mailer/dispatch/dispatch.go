// Package dispatch sends the mails of the outbox through a provider. shared/store/outbox keeps them, shared/mail/letter
// writes them, and shared/mail knows the provider.
//
// One Dispatcher sends at a time, of all processes. It sends by rank, and within a rank in turns among the customers; it
// leaves a part of the provider's quota to mails of lower rank numbers. Each letter is written just before it is sent,
// from what is on record then. A call to the provider is marked before it is made: a mail whose call was cut off waits
// for the provider's event before it is sent again.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
)

// Outbox is the part of outbox.Box that a Dispatcher calls.
type Outbox interface {
	Acquire(ctx context.Context, length time.Duration) (*outbox.Lease, error)
	Ready(ctx context.Context, rank, shard, limit int) ([]outbox.Entry, error)
	Promote(ctx context.Context, shard, limit int) (int, error)
	Forget(ctx context.Context, e outbox.Entry) error
	Read(ctx context.Context, id string) (outbox.Mail, error)
	Begin(ctx context.Context, m outbox.Mail, fence int64, letter mail.Message) (outbox.Mail, error)
	RecordSent(ctx context.Context, m outbox.Mail, providerID string) error
	Settle(ctx context.Context, id string, attempt int, providerID string, at time.Time) error
	Pause(ctx context.Context, m outbox.Mail, cause string, from time.Time, counted bool) error
	Release(ctx context.Context, m outbox.Mail) error
	Doubt(ctx context.Context, m outbox.Mail, cause string, until time.Time) error
	Fail(ctx context.Context, m outbox.Mail, cause string) error
	Drop(ctx context.Context, m outbox.Mail, why string) error
}

// Records is the part of the store that a Dispatcher calls: what is on record about whom a mail is to.
type Records interface {
	Records(ctx context.Context, n notice.Notice) (notice.Records, error)
	Suppressed(ctx context.Context, email string) (*store.Suppression, error)
	FailSuppressed(ctx context.Context, m outbox.Mail, why store.Suppression) error
}

// Options are what a Dispatcher needs; the first five are required.
type Options struct {
	Outbox  Outbox
	Records Records
	Write   func(notice.Notice, notice.Records, letter.Call) (mail.Message, error) // letter.Writer.Write
	Sender  mail.Sender
	Now     func() time.Time // the clock of the outbox
	Log     *slog.Logger

	AtOnce int // mails sent concurrently; 0 means 8
	// Sleep waits, until the context ends at the longest; nil waits by the computer's clock.
	Sleep func(ctx context.Context, d time.Duration)
}

// Dispatcher sends what is ready.
type Dispatcher struct {
	Options
	quota quotaCache
}

// New returns a Dispatcher.
func New(o Options) *Dispatcher {
	if o.AtOnce == 0 {
		o.AtOnce = 8
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Dispatcher{Options: o}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

const (
	// leaseLength is how long a Dispatcher may send without renewing its lease, and how long the others wait if its
	// process dies. It is longer than sending and recording a mail.
	leaseLength = 30 * time.Second
	renewEvery  = 5 * time.Second
	// sendTimeout and recordTimeout limit the two steps of a mail. A run begins no mail unless it has time for both.
	sendTimeout   = 15 * time.Second
	recordTimeout = 5 * time.Second
)

// Run sends every mail that is ready, at the rate and within the quota that the provider allows. It ends early, and
// keeps the rest, when the provider accepts no more, in an outage, or when too little time is left before the context's
// deadline to send and record another mail: the deadline should be at least a minute away.
//
// outbox.ErrHeld means that another Dispatcher is sending, which finds every mail that was ready before. Other errors:
// the table failed, or mail.ErrSetup if the provider's setup must be fixed; the log has the details. The next run
// continues with the rest.
func (d *Dispatcher) Run(ctx context.Context) error {
	lease, err := d.Outbox.Acquire(ctx, leaseLength)
	if err != nil {
		return err
	}
	r := &run{
		Dispatcher: d, ctx: ctx, lease: lease, provider: lease.Provider,
		skip: map[string]bool{}, inFlight: map[string]bool{}, served: map[string]int{},
	}
	r.begin, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		r.begin, cancel = context.WithDeadline(r.begin, deadline.Add(-sendTimeout-recordTimeout))
		defer cancel()
	}
	r.sendAll()
	r.releaseLease()
	r.summarize()
	if errors.Is(context.Cause(r.begin), mail.ErrSetup) {
		return fmt.Errorf("dispatch: %w", mail.ErrSetup)
	}
	if r.counts.errors > 0 {
		return fmt.Errorf("dispatch: %d errors; see the log", r.counts.errors)
	}
	return nil
}

// run is one Run.
type run struct {
	*Dispatcher
	ctx   context.Context         // of the whole run
	begin context.Context         // done when the run must begin no further mail
	stop  context.CancelCauseFunc // cancels begin
	pace  pace

	mu       sync.Mutex // guards everything below
	lease    *outbox.Lease
	provider outbox.Provider
	queue    queue
	skip     map[string]bool // mails that this run must not begin: a call was made and its outcome is not on record
	inFlight map[string]bool // mails that are being worked on
	served   map[string]int  // mails begun, by customer
	onset    bool            // an outage has begun in this run
	counts   counts
}

// counts are what a run did.
type counts struct{ sent, paused, failed, pointless, doubted, released, unknown, errors int64 }

// sendAll sends until nothing is ready any more.
func (r *run) sendAll() {
	var g sync.WaitGroup
	defer g.Wait()
	slots := make(chan struct{}, r.AtOnce)
	for r.begin.Err() == nil {
		if !r.keepLease() || r.pausedByOutage() {
			return
		}
		slots <- struct{}{}
		e, ok := r.next()
		if !ok {
			<-slots
			if !r.waitForOthers() {
				return
			}
			continue
		}
		g.Add(1)
		go func() {
			defer g.Done()
			defer func() { <-slots }()
			defer r.done(e)
			r.work(e)
		}()
		if r.probing() {
			g.Wait() // its outcome decides whether there is a next one
		}
	}
}

// waitForOthers waits a moment for a mail that is being sent; false if there is none. What others send may leave work:
// a mail to the next contact.
func (r *run) waitForOthers() bool {
	r.mu.Lock()
	busy := len(r.inFlight) > 0
	r.mu.Unlock()
	if busy {
		r.Sleep(r.begin, 20*time.Millisecond)
	}
	return busy
}

func (r *run) done(e outbox.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inFlight, e.ID)
}

// keepLease renews the lease from time to time; false if the run has lost it.
func (r *run) keepLease() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Now()
	if now.Before(r.lease.Until.Add(renewEvery-leaseLength)) && !r.lease.Until.After(now.Add(leaseLength)) {
		return true
	}
	r.lease.Provider = r.provider
	if err := r.lease.Renew(r.ctx, leaseLength); err != nil {
		r.fail("cannot renew the lease", err)
		return false
	}
	return true
}

// mayBegin reports whether a call that begins now ends before the lease does.
func (r *run) mayBegin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begin.Err() == nil && r.Now().Add(sendTimeout).Before(r.lease.Until)
}

// releaseLease tells the next run what this one learned, also after this one was cancelled.
func (r *run) releaseLease() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), recordTimeout)
	defer cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease.Provider = r.provider
	if err := r.lease.Release(ctx); err != nil {
		r.fail("cannot release the lease", err)
	}
}

// fail logs an error of the table and begins no further mail. The caller holds mu.
func (r *run) fail(what string, err error, attrs ...any) {
	if r.ctx.Err() != nil {
		return
	}
	r.counts.errors++
	r.Log.Error(what, append(attrs, logging.Error(err))...)
	r.stop(err)
}

func (r *run) tableFailed(what string, err error, attrs ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail(what, err, attrs...)
}

// summarize logs what the run did, if anything.
func (r *run) summarize() {
	c, stopped := r.counts, ""
	if cause := context.Cause(r.begin); cause != nil {
		stopped = logging.Error(cause).Value.String()
	}
	if c == (counts{}) && stopped == "" {
		return
	}
	r.Log.Info("mails dispatched", "stopped", stopped, "released", c.released, "inDoubt", c.doubted,
		"pointless", c.pointless, logging.Metrics(r.Now(), slog.Int64("MailsSent", c.sent),
			slog.Int64("MailsRetried", c.paused), slog.Int64("MailsFailed", c.failed),
			slog.Int64("MailsUnknown", c.unknown), slog.Int64("MailErrors", c.errors)))
}
