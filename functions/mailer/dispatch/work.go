package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
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

	unknownPause = time.Hour // of a mail that a newer version queued
)

// errOutage ends a run in an outage.
var errOutage = errors.New("dispatch: the provider accepts nothing")

// eventWait is how long a mail in doubt waits for the provider's event.
func eventWait(rank int) time.Duration {
	if rank == notice.RankUrgent {
		return 5 * time.Minute
	}
	return 30 * time.Minute
}

// work sends a ready mail, or finds out why it is not to be sent.
func (r *run) work(e outbox.Entry) {
	m, err := r.Outbox.Read(r.ctx, e.ID)
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && !m.State.Status.Open():
		r.write(m, "forget", func(ctx context.Context) error { return r.Outbox.Forget(ctx, e) })
	case err != nil:
		r.tableFailed("cannot read a mail", err, slog.String("mail", e.ID))
	case m.State.NotBefore.After(r.Now()): // the clock went back
		r.skipFor(m.ID)
	case r.settledBefore(m):
	case !m.Known():
		r.Log.Error("a mail of a kind that this version does not know", "mail", m)
		r.count(&r.counts.unknown)
		r.write(m, "paused", func(ctx context.Context) error {
			return r.Outbox.Pause(ctx, m, "a newer version of the program has to send it", r.Now().Add(unknownPause), false)
		})
	default:
		if written, ok := r.prepare(m); ok {
			r.send(m, written)
		}
	}
}

// settledBefore deals with a mail whose last call did not end with an outcome on record.
func (r *run) settledBefore(m outbox.Mail) bool {
	switch {
	case m.State.Status == outbox.Sending && m.State.Call.Fence > r.lease.Fence:
		r.tableFailed("another mailer has taken over", outbox.ErrHeld)
	case m.State.Status == outbox.Sending && m.State.Call.Fence < r.lease.Fence:
		r.Log.Warn("a mailer was cut off while it sent a mail", "mail", m)
		r.doubt(m, "the mailer was cut off during the call", m.State.Call.At)
	case m.State.Status == outbox.InDoubt && m.State.Doubts >= maxDoubts:
		r.giveUp(m, fmt.Errorf("nobody knows whether it was sent: %d calls ended without an answer", m.State.Doubts))
	default:
		return false
	}
	return true
}

// prepare writes the letter of a mail, unless the mail has no point any more or its address is suppressed.
func (r *run) prepare(m outbox.Mail) (written mail.Message, ok bool) {
	records, err := r.Records.Records(r.ctx, m.Notice)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		r.drop(m, "what it is about is not on record any more")
		return written, false
	case fault.KindOf(err) == fault.Unavailable, r.ctx.Err() != nil:
		r.tableFailed("cannot read what a mail is about", err, slog.Any("mail", m))
		return written, false
	case err != nil:
		r.giveUp(m, err)
		return written, false
	}
	if why := m.Pointless(records); why != "" {
		r.drop(m, why)
		return written, false
	}
	written, err = r.writeLetter(m, records)
	if err != nil {
		r.giveUp(m, err)
		return written, false
	}
	return written, !r.failIfSuppressed(m, written)
}

// writeLetter writes the letter. A template that panics is an error of this mail alone.
func (r *run) writeLetter(m outbox.Mail, records notice.Records) (written mail.Message, err error) {
	call := letter.Call{Attempt: m.State.Attempts + 1, MaybeTwice: m.MaybeTwice()}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("writing the letter: panic: %v", p)
		}
	}()
	if written, err = r.Write(m.Notice, records, call); err != nil {
		return written, fmt.Errorf("writing the letter: %w", err)
	}
	return written, nil
}

// failIfSuppressed fails a mail to a suppressed address, and passes it on to the next contact. Mails to sales are
// always sent.
func (r *run) failIfSuppressed(m outbox.Mail, written mail.Message) bool {
	if m.Kind.ToSales() {
		return false
	}
	why, err := r.Records.Suppressed(r.ctx, written.To.Email)
	switch {
	case err != nil:
		r.tableFailed("cannot read whether an address is suppressed", err, slog.Any("mail", m))
	case why == nil:
		return false
	default:
		r.Log.Warn("mail failed: its address is suppressed", "mail", m, "outcome", string(why.Outcome))
		if r.write(m, "failed", func(ctx context.Context) error { return r.Records.FailSuppressed(ctx, m, *why) }) {
			r.count(&r.counts.failed)
		}
	}
	return true
}

// send calls the provider and records the outcome.
func (r *run) send(m outbox.Mail, written mail.Message) {
	if !r.wait() || r.moreUrgent(m.Rank()) || !r.mayBegin() {
		return
	}
	begun, err := r.Outbox.Begin(r.ctx, m, r.lease.Fence, written)
	switch {
	case errors.Is(err, outbox.ErrChanged):
		return // an event of the provider settled it
	case err != nil:
		r.tableFailed("cannot mark a mail", err, slog.Any("mail", m))
		return
	}
	m = begun
	r.skipFor(m.ID) // it must not be called again before the outcome is on record
	ctx, cancel := context.WithTimeout(r.ctx, sendTimeout)
	defer cancel()
	providerID, err := r.Sender.Send(ctx, written)
	r.recordCall(m, providerID, err)
}

// recordCall records how a call to the provider ended.
func (r *run) recordCall(m outbox.Mail, providerID string, err error) {
	switch {
	case err == nil:
		r.accepted()
		r.write(m, "sent", func(ctx context.Context) error {
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
	case !r.refused(m.ID, cause):
		r.release(m)
	case m.State.Failures+1 >= maxFailures:
		r.giveUp(m, cause)
	default:
		from := r.Now().Add(pause(m.State.Failures + 1))
		r.Log.Warn("mail not sent, will retry", "mail", m, "from", from, logging.Error(cause))
		r.write(m, "paused", func(ctx context.Context) error {
			return r.Outbox.Pause(ctx, m, said(cause), from, true)
		})
		r.count(&r.counts.paused)
	}
}

// pause is the time between the n-th failure of a mail and the next attempt.
func pause(n int) time.Duration { return min(firstPause<<(n-1), maxPause) }

func (r *run) doubt(m outbox.Mail, cause string, since time.Time) {
	until := since.Add(eventWait(m.Rank()))
	r.count(&r.counts.doubted)
	r.write(m, "in doubt", func(ctx context.Context) error { return r.Outbox.Doubt(ctx, m, cause, until) })
}

func (r *run) release(m outbox.Mail) {
	r.count(&r.counts.released)
	r.write(m, "released", func(ctx context.Context) error { return r.Outbox.Release(ctx, m) })
}

func (r *run) giveUp(m outbox.Mail, cause error) {
	r.Log.Error("mail failed", "mail", m, logging.Error(cause))
	r.count(&r.counts.failed)
	r.write(m, "failed", func(ctx context.Context) error { return r.Outbox.Fail(ctx, m, said(cause)) })
}

func (r *run) drop(m outbox.Mail, why string) {
	r.Log.Info("mail not sent: it has no point any more", "mail", m, "why", why)
	r.count(&r.counts.pointless)
	r.write(m, "pointless", func(ctx context.Context) error { return r.Outbox.Drop(ctx, m, why) })
}

// skipFor leaves a mail to later runs.
func (r *run) skipFor(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skip[id] = true
}

// said is an error as the outbox keeps it, without addresses.
func said(err error) string { return logging.Error(err).Value.String() }

func (r *run) count(n *int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n++
}

// write records the outcome of a mail, also after the run was cancelled, since nobody can ask the provider later. It
// reports whether it is on record. If the mail has changed, an event of the provider, or a mailer that took this one for
// dead, has recorded it.
func (r *run) write(m outbox.Mail, outcome string, write func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), recordTimeout)
	defer cancel()
	wait := 100 * time.Millisecond
	for {
		err := write(ctx)
		if err == nil || errors.Is(err, outbox.ErrChanged) {
			r.mu.Lock()
			delete(r.skip, m.ID)
			r.mu.Unlock()
			return true
		}
		r.Sleep(ctx, wait)
		if wait *= 2; ctx.Err() != nil || wait > recordTimeout {
			r.tableFailed("cannot record the outcome of a mail", err, slog.Any("mail", m),
				slog.String("outcome", outcome))
			return false
		}
	}
}
