package store

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
)

// SignedOut is an action in the audit alone.
const SignedOut Action = "signed out"

// EndSession notes that somebody signed out of the console's session with an ID. The row contains nothing else, and may
// be dropped after the time at which the session would have ended anyway. Ending a session again changes nothing. The
// audit has who signed out, and not of which session.
func (s *Store) EndSession(ctx context.Context, id, by string, until time.Time) error {
	key := rowkey.EndedSession(id)
	row := entity.Encode(key, rowkey.TypeSession, struct{}{})
	row.Expires = until
	c := s.begin()
	c.Create(row)
	c.Audit(rowkey.SignedIn(by), entity.Line{By: by, Action: SignedOut})
	if err := c.Commit(ctx); err != nil && !entity.IsConflictOn(err, key) {
		return fmt.Errorf("store: ending a session: %w", err)
	}
	return nil
}

// SessionEnded reports whether somebody signed out of the session with an ID.
func (s *Store) SessionEnded(ctx context.Context, id string) (bool, error) {
	version, err := s.table.Version(ctx, rowkey.EndedSession(id))
	if err != nil {
		return false, fmt.Errorf("store: looking for the end of a session: %w", err)
	}
	return version > 0, nil
}
