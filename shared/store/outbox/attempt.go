package outbox

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Begin marks that the provider is about to be called with the letter, and keeps the letter. The caller then says how
// the call ended: RecordSent, Pause, Release, Doubt or Fail. ErrChanged if the mail must not be sent by this call.
func (b *Box) Begin(ctx context.Context, m Mail, fence int64, letter mail.Message) (Mail, error) {
	if !m.State.Status.Open() {
		return Mail{}, ErrChanged
	}
	m.State.Attempts++
	m.State.Status = Sending
	m.State.SentTo = ""
	if !m.Kind.ToSales() && letter.To.Email != m.To.Email {
		m.State.SentTo = letter.To.Email
	}
	m.State.Call = &Call{Attempt: m.State.Attempts, Fence: fence, At: b.now()}
	expires := m.Expires()
	if expires.IsZero() {
		expires = b.keep.LetterExpires(b.now())
	}
	row, err := letterRow(letter, m.State.Attempts, expires)
	if err != nil {
		return Mail{}, err
	}
	c := b.table.Begin()
	c.Set(row)
	return b.write(ctx, c, m)
}

// RecordSent notes that the provider accepted a mail whose call began.
func (b *Box) RecordSent(ctx context.Context, m Mail, providerID string) error {
	if !m.State.Status.Open() {
		return ErrChanged
	}
	m.accept(m.State.Attempts, providerID, b.now())
	return b.close(ctx, b.table.Begin(), m)
}

// accept makes the state of a mail that the provider accepted.
func (m *Mail) accept(attempt int, providerID string, at time.Time) {
	m.State.Status, m.State.Attempt, m.State.ProviderID, m.State.Closed = Sent, attempt, providerID, at
	m.State.Call, m.State.Cause = nil, ""
}

// Pause returns a mail that was not sent, to be tried again at the time from. counted: the failure counts against the
// mail.
func (b *Box) Pause(ctx context.Context, m Mail, cause string, from time.Time, counted bool) error {
	if !m.State.Status.Open() {
		return ErrChanged
	}
	c := b.table.Begin()
	b.unqueue(c, m)
	m.State.Status, m.State.Call, m.State.Cause = Waiting, nil, cause
	if counted {
		m.State.Failures++
	}
	m.pause(c, from)
	_, err := b.write(ctx, c, m)
	return err
}

// Doubt notes that a mail may have been sent or not. It is tried again at the time until, unless Settle tells before.
func (b *Box) Doubt(ctx context.Context, m Mail, cause string, until time.Time) error {
	if !m.State.Status.Open() {
		return ErrChanged
	}
	c := b.table.Begin()
	b.unqueue(c, m)
	m.State.Status, m.State.Cause = InDoubt, cause
	m.State.Doubts++
	m.pause(c, until)
	_, err := b.write(ctx, c, m)
	return err
}

// pause moves a mail among the paused ones.
func (m *Mail) pause(c *entity.Changeset, until time.Time) {
	until = until.UTC().Truncate(time.Millisecond)
	if until.Equal(m.State.NotBefore) { // the change already deletes the row of that time
		until = until.Add(time.Millisecond)
	}
	m.State.NotBefore = until
	c.Set(m.waitingRow(m.laterKey()))
}

// Release returns a mail whose call was not made, or was refused for reasons that have nothing to do with it. It stays
// ready.
func (b *Box) Release(ctx context.Context, m Mail) error {
	if !m.State.Status.Open() {
		return ErrChanged
	}
	m.State.Status, m.State.Call = Waiting, nil
	_, err := b.write(ctx, b.table.Begin(), m)
	return err
}

// Fail gives a mail up, and lists it for people.
func (b *Box) Fail(ctx context.Context, m Mail, cause string) error {
	if !m.State.Status.Open() {
		return ErrChanged
	}
	c := b.table.Begin()
	b.FailIn(c, &m, cause)
	return b.close(ctx, c, m)
}

// FailIn is Fail as a part of a change. The caller commits it; a conflict with the row of the state (rowkey.MailState)
// means that the mail has changed.
func (b *Box) FailIn(c *entity.Changeset, m *Mail, cause string) {
	m.State.Status, m.State.Call, m.State.Cause, m.State.Closed = Failed, nil, cause, b.now()
	c.Set(m.failedRow())
}

// Drop closes a mail that has no point any more.
func (b *Box) Drop(ctx context.Context, m Mail, why string) error {
	if !m.State.Status.Open() {
		return ErrChanged
	}
	m.State.Status, m.State.Call, m.State.Cause, m.State.Closed = Pointless, nil, why, b.now()
	return b.close(ctx, b.table.Begin(), m)
}

// GuardIn makes a change conflict with every other change that guards the mail, or changes its state, since the mail
// was read.
func (b *Box) GuardIn(c *entity.Changeset, m Mail) { c.Update(m.stateRow(), m.version) }

// DropIn is Drop as a part of a change, which the caller commits. It does nothing if the mail is being sent or closed.
func (b *Box) DropIn(c *entity.Changeset, m Mail, why string) {
	if m.State.Status != Waiting {
		return
	}
	m.State.Status, m.State.Cause, m.State.Closed = Pointless, why, b.now()
	b.CloseIn(c, m)
}

// ReviveIn makes a mail that had no point wait again, as a part of a change, which the caller commits: it is not sent
// before a time. It does nothing to other mails.
func (b *Box) ReviveIn(c *entity.Changeset, m Mail, notBefore time.Time) {
	if m.State.Status != Pointless {
		return
	}
	m.State = State{
		Status: Waiting, Attempts: m.State.Attempts, Doubts: m.State.Doubts, Omitted: m.State.Omitted,
	}
	m.pause(c, notBefore)
	c.Update(m.stateRow(), m.version)
}

// DeleteIn deletes a mail with its state as a part of a change, which the caller commits: a conflict means that the
// mail has changed. Its letters and reports are rows of their own.
func (b *Box) DeleteIn(c *entity.Changeset, m Mail) {
	if m.State.Status.Open() {
		b.unqueue(c, m)
	}
	if m.State.Status == Failed {
		c.Delete(m.failedRow().Key, table.Any)
	}
	if m.listed {
		c.Delete(rowkey.InDoubt(m.ID), table.Any)
	}
	c.Delete(rowkey.MailState(m.ID), m.version)
	c.Delete(rowkey.Mail(m.ID), 1) // it never changes
}

// close commits the change together with a mail that is not to be sent any more.
func (b *Box) close(ctx context.Context, c *entity.Changeset, m Mail) error {
	b.CloseIn(c, m)
	err := c.Commit(ctx)
	if entity.IsConflictOn(err, rowkey.MailState(m.ID)) {
		return ErrChanged
	}
	if err != nil {
		return fmt.Errorf("store: recording mail %s as %s: %w", m.ID, m.State.Status, err)
	}
	return nil
}

// CloseIn adds the state of a mail that is not to be sent any more to a change.
func (b *Box) CloseIn(c *entity.Changeset, m Mail) {
	b.unqueue(c, m)
	m.update(c)
}

// update writes the state of a mail, and lists the mail among those in doubt or takes it off that list.
func (m *Mail) update(c *entity.Changeset) {
	key, inDoubt := rowkey.InDoubt(m.ID), m.State.Status == InDoubt
	switch {
	case inDoubt && !m.listed:
		c.Set(entity.Encode(key, rowkey.TypeIndex, struct{}{}))
	case m.listed && !inDoubt:
		c.Delete(key, table.Any)
	}
	c.Update(m.stateRow(), m.version)
	m.listed = inDoubt
}

// unqueue takes a mail off the ready and the paused ones.
func (b *Box) unqueue(c *entity.Changeset, m Mail) {
	c.Delete(m.readyKey(), table.Any)
	if !m.State.NotBefore.IsZero() {
		c.Delete(m.laterKey(), table.Any)
	}
}

// write commits the change together with the state of a mail.
func (b *Box) write(ctx context.Context, c *entity.Changeset, m Mail) (Mail, error) {
	m.update(c)
	err := c.Commit(ctx)
	if entity.IsConflictOn(err, rowkey.MailState(m.ID)) {
		return Mail{}, ErrChanged
	}
	if err != nil {
		return Mail{}, fmt.Errorf("store: recording mail %s as %s: %w", m.ID, m.State.Status, err)
	}
	m.version++
	return m, nil
}

// Settle notes that the provider accepted a mail, as its own event or the answer to a call tells, whatever was known of
// the mail before: it ends a doubt, and a mail that was given up counts as sent after all. It changes nothing if the
// mail is known to be sent.
func (b *Box) Settle(ctx context.Context, id string, attempt int, providerID string, at time.Time) error {
	return entity.Retry(func() error {
		m, err := b.Read(ctx, id)
		if err != nil || m.State.Status == Sent {
			return err
		}
		c := b.table.Begin()
		if m.State.Status == Failed {
			c.Delete(m.failedRow().Key, table.Any)
		}
		m.accept(attempt, providerID, at.UTC())
		b.CloseIn(c, m)
		if err := c.Commit(ctx); err != nil {
			return fmt.Errorf("store: recording mail %s as %s: %w", id, m.State.Status, err)
		}
		return nil
	})
}

// TryAgainIn makes a mail that was given up ready again, as a part of a change, which the caller commits: its failures
// and doubts no longer count. The caller has made sure that the mail was given up.
func (b *Box) TryAgainIn(c *entity.Changeset, m Mail) {
	c.Delete(m.failedRow().Key, table.Any)
	m.State = State{
		Status: Waiting, Attempts: m.State.Attempts, Cause: m.State.Cause, MaybeSent: m.MaybeTwice(),
		Omitted: m.State.Omitted,
	}
	c.Set(m.waitingRow(m.readyKey()))
	c.Update(m.stateRow(), m.version)
}
