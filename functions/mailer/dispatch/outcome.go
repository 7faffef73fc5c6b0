package dispatch

import (
	"context"
	"errors"
	"time"

	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
)

const (
	maxDoubts = 3 // calls whose outcome nobody knows, before a mail is given up

	// A mail that fails is tried again after a minute, and then after twice as long each time up to maxPause: some 16
	// hours in all.
	firstPause  = time.Minute
	maxPause    = 4 * time.Hour
	maxFailures = 12
)

// pause is the time between the n-th failure of a mail and the next attempt.
func pause(n int) time.Duration { return min(firstPause<<(n-1), maxPause) }

// eventWait is how long a mail in doubt waits for the provider's event.
func eventWait(rank int) time.Duration {
	if rank == notice.RankUrgent {
		return 5 * time.Minute
	}
	return 30 * time.Minute
}

// recordCall records how a call to the provider ended.
func (r *run) recordCall(m outbox.Mail, providerID string, err error) {
	switch {
	case err == nil:
		r.accepted()
		r.record(m.ID, "sent", func(ctx context.Context) error {
			err := r.Outbox.RecordSent(ctx, m, providerID)
			if errors.Is(err, outbox.ErrChanged) { // an event came first, or a mailer that took this one for dead
				err = r.Outbox.Settle(ctx, m.ID, m.State.Attempts, providerID, r.Now())
			}
			return err
		})
	case errors.Is(err, mail.ErrThrottled), errors.Is(err, mail.ErrSetup):
		r.Log.Warn("the provider accepts no more mails", "mail", m, logging.Error(err))
		r.stop(err)
		r.release(m)
	case errors.Is(err, mail.ErrRejected):
		r.giveUp(m, err)
	case errors.Is(err, mail.ErrNotSent):
		r.notSent(m, err)
	default:
		r.refused(m.ID, err)
		r.Log.Warn("a mail is in doubt", "mail", m, logging.Error(err))
		r.doubt(m, said(err), r.Now())
	}
}

// notSent tries a mail again later that was not sent for certain.
func (r *run) notSent(m outbox.Mail, cause error) {
	switch {
	case r.refused(m.ID, cause):
		r.release(m)
	case m.State.Failures+1 >= maxFailures:
		r.giveUp(m, cause)
	default:
		from := r.Now().Add(pause(m.State.Failures + 1))
		r.Log.Warn("mail not sent, will retry", "mail", m, "from", from, logging.Error(cause))
		r.count(&r.counts.paused)
		r.record(m.ID, "paused", func(ctx context.Context) error {
			return r.Outbox.Pause(ctx, m, said(cause), from, true)
		})
	}
}

// doubt lets a mail wait for an event of the provider about a call of the time since.
func (r *run) doubt(m outbox.Mail, cause string, since time.Time) {
	if now := r.Now(); since.After(now) { // the clock went back
		since = now
	}
	r.count(&r.counts.doubted)
	r.record(m.ID, "in doubt", func(ctx context.Context) error {
		return r.Outbox.Doubt(ctx, m, cause, since.Add(eventWait(m.Rank())))
	})
}

func (r *run) release(m outbox.Mail) {
	r.mu.Lock()
	r.counts.released++
	r.released.Add(m.Rank(), m.ReadySince())
	r.mu.Unlock()
	r.record(m.ID, "released", func(ctx context.Context) error { return r.Outbox.Release(ctx, m) })
}

func (r *run) giveUp(m outbox.Mail, cause error) {
	r.Log.Error("mail failed", "mail", m, logging.Error(cause))
	r.count(&r.counts.failed)
	r.record(m.ID, "failed", func(ctx context.Context) error { return r.Outbox.Fail(ctx, m, said(cause)) })
}

func (r *run) drop(m outbox.Mail, why string) {
	r.Log.Info("mail not sent: it has no point any more", "mail", m, "why", why)
	r.count(&r.counts.pointless)
	r.record(m.ID, "pointless", func(ctx context.Context) error { return r.Outbox.Drop(ctx, m, why) })
}

// said is an error as the outbox keeps it, without addresses.
func said(err error) string { return logging.Error(err).Value.String() }

// record records the outcome of a mail, also after the run was cancelled, since nobody can ask the provider later. If
// the mail has changed, an event of the provider, or a mailer that took this one for dead, has recorded it.
func (r *run) record(id, outcome string, write func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), recordTimeout)
	defer cancel()
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		err := write(ctx)
		if err == nil || errors.Is(err, outbox.ErrChanged) {
			r.mu.Lock()
			delete(r.skip, id)
			r.mu.Unlock()
			return
		}
		if r.Sleep(ctx, wait); ctx.Err() != nil || wait > recordTimeout {
			r.count(&r.counts.errors)
			r.Log.Error("cannot record the outcome of a mail", "mail", id, "outcome", outcome, logging.Error(err))
			r.stop(err)
			return
		}
	}
}
