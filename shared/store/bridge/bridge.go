// Package bridge keeps the requests for bridge keys: a key that works for a few days on a new server ID, ahead of the
// replacement that sales prepare. Separate from shared/store, since the functions that take such requests and the one
// that issues the keys need it alone.
package bridge

import (
	"context"
	"fmt"
	"strings"

	"marketplace/shared/store"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Store keeps requests for bridge keys with everything else on record.
type Store struct{ *store.Store }

// New makes a Store over the one that keeps everything else.
func New(s *store.Store) *Store { return &Store{s} }

// Pending lists the requests that wait for their bridge key, the oldest first, by ID.
func (s *Store) Pending(ctx context.Context) (ids []string, err error) {
	err = s.Table().Each(ctx, table.Query{PK: rowkey.BridgesPK}, func(row table.Row) error {
		ids = append(ids, row.SK)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("bridge: pending requests: %w", err)
	}
	return ids, nil
}

// Wakes reports whether a write is a new request for a bridge key. The table's stream does the same by the partition's
// name.
func Wakes(w table.Write) bool {
	return !w.Delete && strings.HasPrefix(w.Row.PK, rowkey.BridgesPK)
}
