package store

import (
	"context"

	"marketplace/shared/store/outbox"
)

// MailsAbout reads the mails about a request or a license with what the provider reported about them, in the order in
// which they were queued: the newest ones, at most limit.
func (s *Store) MailsAbout(ctx context.Context, id string, limit int) ([]outbox.Mail, error) {
	list, err := s.outbox.About(ctx, id)
	return list[max(0, len(list)-limit):], err
}
