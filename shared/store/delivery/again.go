package delivery

import (
	"context"
	"fmt"

	"marketplace/shared/fault"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
)

// TryMailAgain queues a mail that was given up, and says so on the timeline of what it is about. It changes nothing if
// the mail is not given up. An unknown mail is a NotFound fault.
func (s *Store) TryMailAgain(ctx context.Context, id, by string) error {
	m, err := s.outbox.Read(ctx, id)
	if err != nil || m.State.Status != outbox.Failed {
		return err
	}
	c := s.begin()
	s.outbox.TryAgainIn(c.Changeset, m)
	if err := c.logMail(ctx, m, by, MailTriedAgain); err != nil {
		return err
	}
	err = c.Commit(ctx)
	if entity.IsConflictOn(err, rowkey.MailState(id)) {
		return nil // somebody else was faster
	}
	if err != nil {
		return fmt.Errorf("delivery: trying mail %s again: %w", id, err)
	}
	return nil
}

// TryFailedMailsAgain does the same for the mails that were given up, the newest first, at most limit. It returns how
// many there were.
func (s *Store) TryFailedMailsAgain(ctx context.Context, by string, limit int) (n int, err error) {
	failed, err := s.FailedMails(ctx, limit)
	if err != nil {
		return 0, err
	}
	for _, m := range failed {
		if err := s.TryMailAgain(ctx, m.ID, by); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// SendMailAgain queues a mail once more that was sent before, and says so on the timeline of what it is about. nonce
// tells one sending from another: what was queued with the same one is not queued again.
//
// It is a Conflict fault, which says why, if the mail has not been sent, has no point any more, or goes to a suppressed
// address. An unknown mail is a NotFound fault.
func (s *Store) SendMailAgain(ctx context.Context, id, by, nonce string) error {
	m, err := s.outbox.Read(ctx, id)
	if err != nil {
		return err
	}
	if m.State.Status != outbox.Sent {
		return fault.New(fault.Conflict, "This email has not been sent, so it cannot be sent again.")
	}
	n := m.Notice.Again(nonce)
	if err := s.sendable(ctx, n); err != nil {
		return err
	}
	c := s.begin()
	c.store.outbox.Queue(c.Changeset, n)
	if err := c.logMail(ctx, m, by, MailSentAgain); err != nil {
		return err
	}
	if err := c.Commit(ctx); err != nil && !entity.IsConflictOn(err, rowkey.Mail(n.ID)) {
		return fmt.Errorf("delivery: sending mail %s again: %w", id, err)
	}
	return nil
}

// sendable returns a Conflict fault if the mailer would not send a notice.
func (s *Store) sendable(ctx context.Context, n notice.Notice) error {
	records, err := s.Records(ctx, n)
	if fault.KindOf(err) == fault.NotFound {
		return fault.Wrap(fault.Conflict, err, "What this email is about is no longer on record.")
	}
	if err != nil {
		return err
	}
	if why := n.Pointless(records); why != "" {
		return fault.New(fault.Conflict, "The email was not sent again: %s.", why)
	}
	if n.Kind.ToSales() {
		return nil
	}
	to := n.To.Email
	if n.Kind.ToRequester() {
		to = records.Request.Email
	}
	switch why, err := s.Suppressed(ctx, to); {
	case err != nil:
		return err
	case why != nil && why.Stops(n.Kind):
		return fault.New(fault.Conflict, "We no longer email %s because an email was not delivered or was marked as "+
			"spam. Resume emails to this address first.", to)
	}
	return nil
}

// logMail says on the timeline of what a mail is about what somebody did with the mail.
func (c *changeset) logMail(ctx context.Context, m outbox.Mail, by string, action store.Action) error {
	return c.log(ctx, m, entity.Line{By: by, Action: action, Note: MailNote(m.Kind, m.To.Email)})
}
