package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"marketplace/shared/table"
)

// EndSession notes that somebody signed out of the console's session of an ID. The row says nothing else, and may be
// dropped after the time at which the session would have ended anyway. To end a session twice is to end it once.
func (s *Store) EndSession(ctx context.Context, id string, until time.Time) error {
	row := encode(endedSessionKey(id), rowSession, struct{}{})
	row.Expires = until
	if err := s.table.Transact(ctx, table.Create(row)); err != nil && !errors.Is(err, table.ErrConflict) {
		return fmt.Errorf("store: ending a session: %w", err)
	}
	return nil
}

// SessionEnded reports whether somebody signed out of the session of an ID.
func (s *Store) SessionEnded(ctx context.Context, id string) (bool, error) {
	switch _, err := s.table.Get(ctx, endedSessionKey(id)); {
	case err == nil:
		return true, nil
	case errors.Is(err, table.ErrNotFound):
		return false, nil
	default:
		return false, fmt.Errorf("store: looking for the end of a session: %w", err)
	}
}
