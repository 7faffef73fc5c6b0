package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.etcd.io/bbolt"

	"marketplace/shared/table"
)

// Fill calls f with a table that starts with the rows of t. Everything that f writes is committed to t at once when f
// returns, and nothing if f fails or the process ends before. Until then others read t as it was, and wait to write. f
// must not write to t itself, nor use its table afterwards. It is for large writes that are all or nothing.
func (t *Table) Fill(ctx context.Context, f func(table.Table) error) error {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", table.ErrUnavailable, ctx.Err())
	}
	defer func() { <-t.turn }()
	return unavailable(t.db.Update(func(tx *bbolt.Tx) error {
		uncommitted := &filling{rows: tx.Bucket(rowsBucket)}
		if err := f(uncommitted); err != nil {
			return err
		}
		return uncommitted.broken
	}))
}

// filling is a table inside one transaction of bolt, which only one goroutine may use at a time.
type filling struct {
	mu     sync.Mutex
	rows   *bbolt.Bucket
	broken error // the error that left a transaction half applied
}

func (t *filling) Get(ctx context.Context, key table.Key) (row table.Row, err error) {
	if err := table.CheckKey(key); err != nil {
		return table.Row{}, err
	}
	err = t.do(ctx, func() error {
		row, err = read(t.rows, key)
		return err
	})
	return row, err
}

func (t *filling) Query(ctx context.Context, q table.Query) (page table.Page, err error) {
	if err := table.CheckQuery(q); err != nil {
		return table.Page{}, err
	}
	err = t.do(ctx, func() error {
		page, err = readPage(t.rows, q)
		return err
	})
	return page, err
}

// Transact applies all writes or none; they are on disk when Fill returns.
func (t *filling) Transact(ctx context.Context, writes ...table.Write) error {
	if err := table.Check(writes); err != nil || len(writes) == 0 {
		return err
	}
	return t.do(ctx, func() error {
		err := write(t.rows, writes)
		if err != nil && !errors.Is(err, table.ErrConflict) {
			t.broken = err
		}
		return err
	})
}

func (t *filling) do(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return f()
}
