package store

import (
	"context"
	"fmt"

	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
)

// UndoRemoval has the mailer put a contact back who was removed and told so by an email. Once is enough: again, it does
// nothing.
func (s *Store) UndoRemoval(ctx context.Context, removed outbox.Mail) error {
	n := notice.ContactUndo(removed.Notice)
	c := s.begin()
	c.queue(n)
	if err := c.Commit(ctx); err != nil && !entity.IsConflictOn(err, rowkey.Mail(n.ID)) {
		return fmt.Errorf("store: undoing a removal: %w", err)
	}
	return nil
}

// RemovalUndone reports whether somebody undid the removal of a contact that an email told of.
func (s *Store) RemovalUndone(ctx context.Context, removed outbox.Mail) (bool, error) {
	return s.outbox.Exists(ctx, notice.ContactUndo(removed.Notice).ID)
}
