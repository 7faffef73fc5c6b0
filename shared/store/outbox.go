package store

import (
	"context"

	"marketplace/shared/mail"
	"marketplace/shared/store/outbox"
)

// MailsAbout reads the mails about a request or a license with what the provider reported about them, in the order in
// which they were queued: the newest ones, at most limit.
func (s *Store) MailsAbout(ctx context.Context, id string, limit int) ([]outbox.Mail, error) {
	list, err := s.outbox.About(ctx, id)
	return list[max(0, len(list)-limit):], err
}

// FailedMails lists the newest mails that were given up, at most limit.
func (s *Store) FailedMails(ctx context.Context, limit int) ([]outbox.FailedMail, error) {
	return s.outbox.Failed(ctx, limit)
}

// QueuedMails counts the mails that wait, each kind up to about a limit.
func (s *Store) QueuedMails(ctx context.Context, limit int) (outbox.Queued, error) {
	return s.outbox.Queued(ctx, limit)
}

// MailProvider reads what the mailers have learned about the provider.
func (s *Store) MailProvider(ctx context.Context) (outbox.Provider, error) {
	return s.outbox.Provider(ctx)
}

// Letter reads a mail as an attempt sent it; a NotFound fault if there is none (any more).
func (s *Store) Letter(ctx context.Context, id string, attempt int) (mail.Message, error) {
	return s.outbox.Letter(ctx, id, attempt)
}

// Arrived reports whether a mail arrived, as far as anybody knows: the recipient's server took it, and it did not come
// back.
func Arrived(m outbox.Mail) bool { return outbox.FateOf(m.Reports) == outbox.FateArrived }
