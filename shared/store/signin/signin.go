// Package signin keeps the sign-ins of customers' contacts to their account: those that have begun, and the sessions
// that somebody signed out of. Separate from shared/store, since only the account's function needs it.
package signin

import (
	"context"
	"fmt"
	"time"

	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
)

// Actions in the audit.
const (
	SignedIn  entity.Action = "signed in to the account"
	SignedOut entity.Action = "signed out of the account"
)

// Store keeps sign-ins.
type Store struct{ kept *store.Store }

// New makes a Store over another.
func New(kept *store.Store) *Store { return &Store{kept} }

// RecordVisit notes that a contact opened the account of a customer. Nobody gets in whose visit is not in the audit.
func (s *Store) RecordVisit(ctx context.Context, customer string) error {
	c := s.kept.Table().Begin()
	c.Audit(rowkey.CustomerPK(customer), entity.Line{By: store.Customer, Action: SignedIn, Customer: customer})
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("signin: recording a visit: %w", err)
	}
	return nil
}

// EndSession notes that somebody signed out of the session with an ID. The row contains nothing else, and may be
// dropped after the time at which the session would have ended anyway. Ending a session again changes nothing.
func (s *Store) EndSession(ctx context.Context, id string, until time.Time) error {
	key := rowkey.EndedVisit(id)
	row := entity.Encode(key, rowkey.TypeSession, struct{}{})
	row.Expires = until
	c := s.kept.Table().Begin()
	c.Create(row)
	c.Audit(key.PK, entity.Line{By: store.Customer, Action: SignedOut})
	if err := c.Commit(ctx); err != nil && !entity.IsConflictOn(err, key) {
		return fmt.Errorf("signin: ending a session: %w", err)
	}
	return nil
}

// SessionEnded reports whether somebody signed out of the session with an ID.
func (s *Store) SessionEnded(ctx context.Context, id string) (bool, error) {
	version, err := s.kept.Table().Version(ctx, rowkey.EndedVisit(id))
	if err != nil {
		return false, fmt.Errorf("signin: looking for the end of a session: %w", err)
	}
	return version > 0, nil
}
