package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
)

// unknownPause is the pause of a mail that a newer version of the program has to send.
const unknownPause = time.Hour

// work sends a ready mail, or finds out why it is not to be sent.
func (r *run) work(f *flight) {
	m, err := r.Outbox.Read(r.ctx, f.ID)
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && !m.State.Status.Open():
		r.forget(f, m)
	case errors.Is(err, entity.ErrUnreadable), err == nil && !m.Known():
		r.park(f, m, err)
	case err != nil:
		r.fail("cannot read a mail", err, slog.String("mail", f.ID))
	case m.State.NotBefore.After(r.Now()): // it was paused after the last look
		r.skipFor(m.ID)
	case m.Expands():
		r.expand(m)
	case r.settledBefore(m):
	default:
		prepared := r.Now()
		if written, ok := r.prepare(&m); ok {
			r.send(f, m, written, prepared)
		}
	}
}

// settledBefore deals with a mail whose last call did not end with an outcome on record.
func (r *run) settledBefore(m outbox.Mail) bool {
	switch {
	case m.State.Status == outbox.Sending && m.State.Call.Fence > r.lease.Fence:
		r.takenOver()
	case m.State.Status == outbox.Sending:
		r.Log.Warn("a mailer was cut off while it sent a mail", "mail", m)
		r.doubt(m, "the mailer was cut off during the call", m.State.Call.At)
	case m.State.Status == outbox.InDoubt && m.State.Doubts >= maxDoubts:
		r.giveUp(m, fmt.Errorf("we do not know whether it was sent: %d calls ended without an answer", m.State.Doubts))
	default:
		return false
	}
	return true
}

// prepare writes the letter of a mail, unless the mail has no point any more or its address is suppressed. It notes
// which licenses of a digest the letter does not name, and passes on those whose contact its reader is no more.
func (r *run) prepare(m *outbox.Mail) (written mail.Message, ok bool) {
	records, err := r.Records.Records(r.ctx, m.Notice)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		r.drop(*m, "what it is about is no longer on record")
		return written, false
	case errors.Is(err, entity.ErrUnreadable):
		r.giveUp(*m, err)
		return written, false
	case err != nil:
		r.fail("cannot read what a mail is about", err, slog.Any("mail", *m))
		return written, false
	}
	if m.Kind == mail.LicenseExpiring {
		switch err := r.Records.PassOmitted(r.ctx, *m, records); {
		case errors.Is(err, entity.ErrUnreadable):
			r.giveUp(*m, err)
			return written, false
		case err != nil:
			r.fail("cannot pass on licenses of a mail", err, slog.Any("mail", *m))
			return written, false
		}
	}
	written, pointless, err := r.write(*m, records)
	switch {
	case err != nil:
		r.giveUp(*m, err)
		return written, false
	case pointless != "":
		if m.Kind == mail.LicenseExpiring && m.State.Attempts == 0 { // else its reader may have a letter
			m.State.Omitted = m.Notice.Omitted(records)
		}
		r.drop(*m, pointless)
		return written, false
	case input.Erased(written.To.Email): // whatever the notice says: it is the last look before the call
		r.drop(*m, "the recipient's data was erased")
		return written, false
	case r.failIfSuppressed(*m, written):
		return written, false
	}
	if m.Kind == mail.LicenseExpiring {
		m.State.Omitted = m.Notice.Omitted(records)
	}
	return written, true
}

// write writes the letter, or says why the mail is pointless. What panics is an error of this mail alone.
func (r *run) write(m outbox.Mail, records notice.Records) (written mail.Message, pointless string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("writing the letter: panic: %v", p)
		}
	}()
	if pointless = m.Pointless(records); pointless != "" {
		return written, pointless, nil
	}
	call := letter.Call{Attempt: m.State.Attempts + 1, MaybeTwice: m.MaybeTwice()}
	if written, err = r.Write(m.Notice, records, call); err != nil {
		err = fmt.Errorf("writing the letter: %w", err)
	}
	return written, "", err
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
		r.fail("cannot read whether an address is suppressed", err, slog.Any("mail", m))
	case why == nil || !why.Stops(m.Kind):
		return false
	default:
		r.Log.Warn("mail failed: its address is suppressed", "mail", m, "outcome", string(why.Outcome))
		r.count(&r.counts.failed)
		r.record(m.ID, "failed", func(ctx context.Context) error { return r.Records.FailSuppressed(ctx, m, *why) })
	}
	return true
}

// preparedFor is how long a letter may wait for its turn before it is written again.
const preparedFor = time.Second

// outdated reports whether a letter was written too long ago, or on another day: it says how many days are left.
func (r *run) outdated(prepared time.Time) bool {
	now := r.Now()
	return now.Sub(prepared) > preparedFor || license.DateOf(now) != license.DateOf(prepared)
}

// send calls the provider and records the outcome. prepared is when the letter was written.
func (r *run) send(f *flight, m outbox.Mail, written mail.Message, prepared time.Time) {
	if !r.waitForTurn(f) {
		return
	}
	if r.outdated(prepared) {
		var ok bool
		if written, ok = r.prepare(&m); !ok {
			return
		}
	}
	if !r.holdLease() {
		return
	}
	begun, err := r.mark(f, m, written)
	switch {
	case errors.Is(err, outbox.ErrChanged):
		return // an event of the provider settled it
	case err != nil:
		r.fail("cannot mark a mail", err, slog.Any("mail", m))
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, sendTimeout)
	defer cancel()
	providerID, err := r.Sender.Send(ctx, written)
	r.recordCall(begun, providerID, err)
}

// mark marks a mail as one whose call begins. This run does not begin it again before the outcome is on record.
func (r *run) mark(f *flight, m outbox.Mail, written mail.Message) (outbox.Mail, error) {
	ctx, cancel := context.WithTimeout(r.ctx, recordTimeout)
	defer cancel()
	r.mu.Lock()
	r.skip[m.ID], f.begun = true, true
	r.mu.Unlock()
	return r.Outbox.Begin(ctx, m, r.lease.Fence, written)
}

// skipFor leaves a mail to later runs.
func (r *run) skipFor(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skip[id] = true
}

// forget removes a mail that is not to be sent any more from the ready ones.
func (r *run) forget(f *flight, m outbox.Mail) {
	r.record(f.ID, "forgotten", func(ctx context.Context) error { return r.Outbox.Forget(ctx, f.Entry, m) })
}

// park pauses a mail that this version cannot read or does not know.
func (r *run) park(f *flight, m outbox.Mail, cause error) {
	r.Log.Error("a mail that a newer version of the program has to send", "mail", f.ID, "kind", string(m.Kind),
		logging.Error(cause))
	r.count(&r.counts.unknown)
	r.record(f.ID, "paused", func(ctx context.Context) error {
		return r.Outbox.Park(ctx, f.Entry, r.Now().Add(unknownPause))
	})
}
