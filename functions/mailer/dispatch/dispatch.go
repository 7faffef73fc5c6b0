// Package dispatch sends the mails of the outbox through a provider. shared/store/outbox keeps them, shared/mail/letter
// writes them, and shared/mail knows the provider.
//
// Of all processes, one Dispatcher sends at a time. It sends by rank, and within a rank in turns among customers; it
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

	"marketplace/shared/alarm"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
)

// Outbox is the part of outbox.Box that a Dispatcher calls.
type Outbox interface {
	Acquire(ctx context.Context, length time.Duration) (*outbox.Lease, error)
	Ready(ctx context.Context, rank, shard, limit int) ([]outbox.Entry, error)
	Promote(ctx context.Context, shard, limit int) (int, error)
	Forget(ctx context.Context, e outbox.Entry, m outbox.Mail) error
	OldestReady(ctx context.Context) (outbox.Oldest, error)
	Park(ctx context.Context, e outbox.Entry, until time.Time) error
	Read(ctx context.Context, id string) (outbox.Mail, error)
	Begin(ctx context.Context, m outbox.Mail, fence int64, letter mail.Message) (outbox.Mail, error)
	RecordSent(ctx context.Context, m outbox.Mail, providerID string) error
	Settle(ctx context.Context, id string, attempt int, providerID string, at time.Time) error
	Pause(ctx context.Context, m outbox.Mail, cause string, from time.Time, counted bool) error
	Release(ctx context.Context, m outbox.Mail) error
	Doubt(ctx context.Context, m outbox.Mail, cause string, until time.Time) error
	Fail(ctx context.Context, m outbox.Mail, cause string) error
	Drop(ctx context.Context, m outbox.Mail, why string) error
	Expand(ctx context.Context, m outbox.Mail, into []notice.Notice) error
}

// Records is the part of delivery.Store that a Dispatcher calls: what is on record about the subject and the address of
// a mail.
type Records interface {
	Records(ctx context.Context, n notice.Notice) (notice.Records, error)
	Suppressed(ctx context.Context, email string) (*delivery.Suppression, error)
	FailSuppressed(ctx context.Context, m outbox.Mail, why delivery.Suppression) error
	PassOmitted(ctx context.Context, m outbox.Mail, records notice.Records) error
}

// Expander says what a notice becomes that expands (notice.Notice.Expands), and does before what the notice asks for.
// It may be asked again about the same notice, and answers with the same IDs.
//
// A *notice.PointlessError says that the notice has no point any more, and a NotFound fault that its subject is no
// longer on record. After an Unavailable or a Conflict fault it is asked again. Others are failures of the notice.
type Expander interface {
	Expand(ctx context.Context, n notice.Notice) ([]notice.Notice, error)
}

// Options are what a Dispatcher needs. Watched, AtOnce and Sleep are optional.
type Options struct {
	Outbox   Outbox
	Records  Records
	Expander Expander
	Write    func(notice.Notice, notice.Records, letter.Call) (mail.Message, error) // letter.Writer.With
	Sender   mail.Sender
	Now      func() time.Time // the clock of the outbox
	Log      *slog.Logger

	// Watched reads what the gauges are worked out from, but for the ready mails; nil publishes no gauges.
	Watched func(ctx context.Context) (alarm.Readings, error)

	AtOnce int // mails sent concurrently; 0 means 8
	// Sleep waits, until the context ends at the longest; nil waits by the computer's clock.
	Sleep func(ctx context.Context, d time.Duration)
}

// Dispatcher sends what is ready.
type Dispatcher struct {
	Options
	quota     quotaCache
	pace      pace
	published published
}

// New returns a Dispatcher.
func New(o Options) *Dispatcher {
	if o.AtOnce == 0 {
		o.AtOnce = 8
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Dispatcher{Options: o, pace: pace{turn: make(chan struct{}, 1)}}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// A mail is begun only if there is time to mark its call, to make it, and to record its outcome: both before the
// context's deadline and before the lease ends.
const (
	sendTimeout   = 15 * time.Second
	recordTimeout = 5 * time.Second // to mark a call as begun, and to record its outcome
	mailTimeout   = recordTimeout + sendTimeout + recordTimeout
)

// Run sends every mail that is ready, at the rate and within the quota that the provider allows. It ends early, and
// keeps the rest, when the provider accepts no more, in an outage, or when too little time is left before the context's
// deadline to send and record another mail: the deadline should be at least a minute away.
//
// outbox.ErrHeld means that another Dispatcher is sending, which finds every mail that was ready before. Other errors:
// the table failed, or mail.ErrSetup if the provider's setup must be fixed; the log has the details. The next run
// continues with the rest.
func (d *Dispatcher) Run(ctx context.Context) error { return d.runAnd(ctx, func(*run) {}) }

// runAnd is Run; end is called with the run when it begins no further mail.
func (d *Dispatcher) runAnd(ctx context.Context, end func(*run)) error {
	lease, err := d.Outbox.Acquire(ctx, leaseLength)
	if err != nil {
		return err
	}
	r := newRun(ctx, d, lease)
	defer r.stop(nil)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		r.begin, cancel = context.WithDeadline(r.begin, deadline.Add(-mailTimeout))
		defer cancel()
	}
	r.sendAll()
	end(r)
	cause := context.Cause(r.begin)
	r.releaseLease(cause)
	r.summarize(cause)
	switch {
	case errors.Is(cause, outbox.ErrHeld):
		return outbox.ErrHeld
	case errors.Is(cause, mail.ErrSetup):
		return fmt.Errorf("dispatch: %w", mail.ErrSetup)
	case r.counts.errors > 0:
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

	leasing chan struct{} // held by whoever renews the lease
	looking chan struct{} // held by whoever looks at what is ready

	mu       sync.Mutex // guards everything below; nobody calls the table or the provider while holding it
	lease    *outbox.Lease
	provider outbox.Provider
	queue    queue
	flights  map[string]*flight // mails that are being worked on
	skip     map[string]bool    // mails that this run must not begin (again)
	served   map[string]int     // mails taken, by customer
	released outbox.Oldest      // among the mails that were taken and are ready again
	onset    bool               // an outage has begun in this run
	counts   counts
}

// flight is a mail that is being worked on.
type flight struct {
	outbox.Entry
	rank     int
	begun    bool // its call to the provider is marked
	givesWay bool // it was not begun, because a more urgent mail is ready
}

// counts are what a run did.
type counts struct{ sent, paused, failed, pointless, expanded, doubted, released, unknown, errors int64 }

func newRun(ctx context.Context, d *Dispatcher, lease *outbox.Lease) *run {
	r := &run{
		Dispatcher: d, ctx: ctx, lease: lease, provider: lease.Provider,
		leasing: make(chan struct{}, 1), looking: make(chan struct{}, 1),
		queue:   queue{ready: map[int][]outbox.Entry{}},
		flights: map[string]*flight{}, skip: map[string]bool{}, served: map[string]int{},
		released: outbox.Oldest{},
	}
	r.begin, r.stop = context.WithCancelCause(ctx)
	return r
}

// sendAll sends until nothing is ready any more.
func (r *run) sendAll() {
	var g sync.WaitGroup
	defer g.Wait()
	slots := make(chan struct{}, r.AtOnce)
	for r.begin.Err() == nil {
		slots <- struct{}{}
		if !r.holdLease() {
			return
		}
		f := r.next()
		if f == nil {
			<-slots
			if !r.waitForOthers() {
				return
			}
			continue
		}
		g.Go(func() {
			defer func() { <-slots }()
			defer r.land(f)
			r.work(f)
		})
		if !f.Expands && r.probing() {
			g.Wait() // its outcome decides whether there is a next one
		}
	}
}

// waitForOthers waits a moment for mails that are being worked on; false if there are none. They may leave work: a mail
// to the next contact, or a mail that waited for a more urgent one to begin.
func (r *run) waitForOthers() bool {
	if !r.busy() {
		return false
	}
	r.Sleep(r.begin, 20*time.Millisecond)
	return true
}

func (r *run) busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.flights) > 0
}

// fail logs an error of the table, and ends the run.
func (r *run) fail(what string, err error, attrs ...any) {
	if r.ctx.Err() != nil {
		return
	}
	r.count(&r.counts.errors)
	r.Log.Error(what, append(attrs, logging.Error(err))...)
	r.stop(err)
}

func (r *run) count(n *int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

// summarize logs what the run did, if anything. cause is why it ended early.
func (r *run) summarize(cause error) {
	c, stopped := r.counts, ""
	if cause != nil {
		stopped = said(cause)
	}
	if c == (counts{}) && stopped == "" {
		return
	}
	r.Log.Info("mails dispatched", "stopped", stopped, "released", c.released, "inDoubt", c.doubted,
		"pointless", c.pointless, "expanded", c.expanded, logging.Metrics(r.Now(), logging.Count("MailsSent", c.sent),
			logging.Count("MailsRetried", c.paused), logging.Count("MailsFailed", c.failed),
			logging.Count("MailsUnknown", c.unknown), logging.Count("MailErrors", c.errors)))
}
