// Package bolt keeps a table.Table in one file of the local disk, without a server or a network: for `make run` and
// tests.
//
// A file belongs to one process at a time. Every transaction is on disk before it is answered; those that wait for the
// disk at the same time are committed together. Expired rows stay until Sweep.
package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"marketplace/shared/table"
)

// maxPage is how many bytes of rows a page holds before it ends, as in DynamoDB, so that short pages occur locally too.
const maxPage = 1 << 20

var rowsBucket = []byte("rows")

// Table is a table in a file. Close it.
type Table struct {
	db   *bbolt.DB
	turn chan struct{} // held by whoever commits

	mu      sync.Mutex
	waiting []*transaction
}

var _ table.Table = (*Table)(nil)

// Open opens the file, or creates it in a folder that exists. It fails when another process has it open.
func Open(path string) (*Table, error) {
	db, err := open(path)
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("table/bolt: another process has %s open; is the server running?", path)
	case errors.Is(err, errDamaged):
		return nil, fmt.Errorf("table/bolt: %s %w. "+
			"Put back a copy of it, or delete the folder %s to start with new data", path, err, filepath.Dir(path))
	case err != nil:
		return nil, fmt.Errorf("table/bolt: open %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(rowsBucket)
		return err
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("table/bolt: prepare %s: %w", path, err)
	}
	return &Table{db: db, turn: make(chan struct{}, 1)}, nil
}

// Close waits for the calls under way and releases the file. Calls after it fail with ErrUnavailable.
func (t *Table) Close() error {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	return t.db.Close()
}

// Get reads a row; see table.Table.
func (t *Table) Get(ctx context.Context, key table.Key) (row table.Row, err error) {
	if err := table.CheckKey(key); err != nil {
		return table.Row{}, err
	}
	err = t.view(ctx, func(rows *bbolt.Bucket) error {
		row, err = read(rows, key)
		return err
	})
	return row, err
}

func read(rows *bbolt.Bucket, key table.Key) (table.Row, error) {
	value := rows.Get(address(key))
	if value == nil {
		return table.Row{}, fmt.Errorf("%w: %v", table.ErrNotFound, key)
	}
	return decode(key, value)
}

// Query reads a page; see table.Table.
func (t *Table) Query(ctx context.Context, q table.Query) (page table.Page, err error) {
	if err := table.CheckQuery(q); err != nil {
		return table.Page{}, err
	}
	err = t.view(ctx, func(rows *bbolt.Bucket) error {
		page, err = readPage(rows, q)
		return err
	})
	return page, err
}

func readPage(rows *bbolt.Bucket, q table.Query) (page table.Page, err error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	size := 0
	next := walk(rows.Cursor(), q)
	for key, value := next(); key != nil; key, value = next() {
		if len(page.Rows) == limit || size > maxPage {
			page.Next = page.Rows[len(page.Rows)-1].SK
			return page, nil
		}
		row, err := decode(table.Key{PK: q.PK, SK: string(key[len(q.PK)+1:])}, value)
		if err != nil {
			return page, err
		}
		page.Rows = append(page.Rows, row)
		size += len(key) + len(value)
	}
	return page, nil
}

func (t *Table) view(ctx context.Context, f func(rows *bbolt.Bucket) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
	}
	return unavailable(t.db.View(func(tx *bbolt.Tx) error { return f(tx.Bucket(rowsBucket)) }))
}

// unavailable marks the engine's own errors.
func unavailable(err error) error {
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
	}
	return err
}

// walk returns a function that returns the query's rows one after the other, and nil after the last.
func walk(cursor *bbolt.Cursor, q table.Query) func() (key, value []byte) {
	partition := address(table.Key{PK: q.PK})
	from := append(bytes.Clone(partition), q.From...)
	to := append(bytes.Clone(partition), q.To...)
	if q.To == "" {
		to[len(to)-1]++ // past the partition: the NUL byte between the keys becomes a one
	}
	within := func(key, value []byte) ([]byte, []byte) {
		if key == nil || bytes.Compare(key, from) < 0 || bytes.Compare(key, to) >= 0 {
			return nil, nil
		}
		return key, value
	}

	after := append(bytes.Clone(partition), q.After...)
	step, start := cursor.Next, from
	if q.Descending {
		step, start = cursor.Prev, to
	}
	if q.After != "" && q.Descending && bytes.Compare(after, to) < 0 {
		start = after
	}
	if q.After != "" && !q.Descending && bytes.Compare(after, from) >= 0 {
		start = append(after, 0)
	}
	begun := false
	return func() ([]byte, []byte) {
		if begun {
			return within(step())
		}
		begun = true
		key, value := cursor.Seek(start)
		if !q.Descending {
			return within(key, value)
		}
		if key == nil {
			return within(cursor.Last())
		}
		return within(cursor.Prev())
	}
}

// Sweep deletes the rows that had expired by now, as DynamoDB does by itself in its own time, and returns their number.
func (t *Table) Sweep(now time.Time) (int, error) {
	swept := 0
	err := t.db.Update(func(tx *bbolt.Tx) error {
		rows := tx.Bucket(rowsBucket)
		var expired [][]byte
		err := rows.ForEach(func(key, value []byte) error {
			h, _, err := decodeHeader(value)
			if err == nil && h.expires != never && h.expires < now.Unix() {
				expired = append(expired, bytes.Clone(key))
			}
			return err
		})
		for _, key := range expired {
			err = errors.Join(err, rows.Delete(key))
		}
		swept = len(expired)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("table/bolt: sweep: %w", unavailable(err))
	}
	return swept, nil
}
