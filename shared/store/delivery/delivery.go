// Package delivery keeps what became of mails: what the provider reported, which addresses get no mail any more, who is
// written to next, and what sales did about it. Each change is one transaction with what follows from it. The mails
// themselves are in shared/store/outbox, and what they are about is in shared/store.
package delivery

import (
	"context"

	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
)

// Store is a store.Store with what became of its mails.
type Store struct {
	*store.Store
	table  *entity.Table
	outbox *outbox.Box
}

// New returns a Store over kept and its table.
func New(kept *store.Store) *Store { return &Store{kept, kept.Table(), kept.Outbox()} }

// changeset is a change while it is worked out.
type changeset struct {
	*entity.Changeset
	store *Store
	tasks int // for sales: see tellUnreachedToo
}

func (s *Store) begin() *changeset { return &changeset{Changeset: s.table.Begin(), store: s} }

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
