// Package store keeps requests, licenses, the outbox, the timeline and the console's ended sessions in a table.Table. It is
// written once for every engine. What a row means is said in the file of its entity; rows.go lists every key.
//
// Each change is one transaction that carries the entity, its index rows, its timeline and the mails that it causes:
// a reader never sees one without the others.
package store

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"marketplace/shared/fault"
	"marketplace/shared/table"
)

// Store keeps the entities in a table. It may be used from several goroutines at once.
type Store struct {
	table      table.Table
	now        func() time.Time
	newID      func() string
	newEventID func() string // in the order of the calls, also within a millisecond
}

// Options are what a Store needs besides its table. The zero Options will not do: Now is needed.
type Options struct {
	Now   func() time.Time // the clock
	NewID func() string    // makes an ID; nil: a lower-case ULID of Now and crypto/rand
}

// New makes a Store over a table.
func New(t table.Table, o Options) *Store {
	s := &Store{table: t, now: func() time.Time { return o.Now().UTC() }, newID: o.NewID}
	if s.newID == nil {
		s.newID = func() string { return NewID(s.now()) }
	}
	inOrder := &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}
	s.newEventID = func() string { return lowerULID(s.now(), inOrder) }
	return s
}

// NewID makes the ID of an entity: a ULID of the time and 80 random bits, in lower case.
func NewID(now time.Time) string { return lowerULID(now, rand.Reader) }

func lowerULID(now time.Time, entropy io.Reader) string {
	return strings.ToLower(ulid.MustNew(ulid.Timestamp(now), entropy).String())
}

// get reads the entity under a key into v, and gives the version that it has.
func (s *Store) get(ctx context.Context, key table.Key, v any) (version int64, err error) {
	row, err := s.table.Get(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("store: reading %v: %w", key, err)
	}
	if err := json.Unmarshal(row.Data, v); err != nil {
		return 0, fmt.Errorf("store: decoding %v: %w", key, err)
	}
	return row.Version, nil
}

// notFound turns the table's ErrNotFound into a fault with a sentence for people. An ID that no key can hold is none either.
func notFound(err error, format string, args ...any) error {
	if errors.Is(err, table.ErrNotFound) || errors.Is(err, table.ErrLimit) {
		return fault.Wrap(fault.NotFound, err, format, args...)
	}
	return err
}

// encode makes a row of an entity. Entities are plain data: encoding them cannot fail.
func encode(key table.Key, kind rowType, v any) table.Row {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: encoding a %s: %v", kind, err))
	}
	return table.Row{Key: key, Type: string(kind), Schema: 1, Data: data}
}

// at gives a row the version with which it was read, for table.Update.
func at(row table.Row, version int64) table.Row {
	row.Version = version
	return row
}

// sameSecret compares two secrets in a time that tells nothing of them.
func sameSecret(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
