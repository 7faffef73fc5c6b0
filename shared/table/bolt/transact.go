package bolt

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"marketplace/shared/table"
)

// transaction is a call of Transact on its way to the disk.
type transaction struct {
	writes []table.Write
	answer chan error // has room for the one answer
}

// Transact applies all writes or none; see table.Table. A commit of bolt costs a round trip to the disk whatever it
// holds, so whoever gets the turn to commit also commits what others wait for.
func (t *Table) Transact(ctx context.Context, writes ...table.Write) error {
	if err := table.Check(writes); err != nil || len(writes) == 0 {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
	}
	own := &transaction{writes: writes, answer: make(chan error, 1)}
	t.mu.Lock()
	t.waiting = append(t.waiting, own)
	t.mu.Unlock()

	select {
	case t.turn <- struct{}{}:
		t.commitWaiting()
		<-t.turn
	case err := <-own.answer:
		return err
	case <-ctx.Done():
		if t.withdraw(own) {
			return fmt.Errorf("%w: %w", table.ErrUnavailable, ctx.Err())
		}
	}
	return <-own.answer
}

// withdraw takes back a transaction that nobody has begun to commit.
func (t *Table) withdraw(own *transaction) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, own)
	if i < 0 {
		return false
	}
	t.waiting = slices.Delete(t.waiting, i, i+1)
	return true
}

// commitWaiting commits and answers everything that waits. The caller has the turn.
func (t *Table) commitWaiting() {
	t.mu.Lock()
	batch := t.waiting
	t.waiting = nil
	t.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	answers := make([]error, len(batch))
	err := t.db.Update(func(tx *bbolt.Tx) error {
		rows := tx.Bucket(rowsBucket)
		for i, own := range batch {
			if err := write(rows, own.writes); errors.Is(err, table.ErrConflict) {
				answers[i] = err
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	for i, own := range batch {
		if err != nil {
			answers[i] = fmt.Errorf("%w: table/bolt: commit: %w", table.ErrUnavailable, err)
		}
		own.answer <- answers[i]
	}
}

// write applies all writes, or none where there is a conflict; after any other error it may have applied some.
func write(rows *bbolt.Bucket, writes []table.Write) error {
	conflicts, err := conflicting(rows, writes)
	if err != nil {
		return err
	}
	if conflicts != nil {
		return &table.ConflictError{Keys: conflicts}
	}
	return apply(rows, writes)
}

// conflicting returns the keys whose rows do not have the expected version.
func conflicting(rows *bbolt.Bucket, writes []table.Write) (keys []table.Key, err error) {
	for _, w := range writes {
		if w.Expect == table.Any {
			continue
		}
		version, err := versionOf(rows, w.Row.Key)
		if err != nil {
			return nil, err
		}
		if version != w.Expect {
			keys = append(keys, w.Row.Key)
		}
	}
	return keys, nil
}

func apply(rows *bbolt.Bucket, writes []table.Write) error {
	for _, w := range writes {
		at := address(w.Row.Key)
		if w.Delete {
			if err := rows.Delete(at); err != nil {
				return fmt.Errorf("delete %v: %w", w.Row.Key, err)
			}
			continue
		}
		version, err := versionOf(rows, w.Row.Key)
		if err != nil {
			return err
		}
		row := w.Row
		row.Version = version + 1
		if err := rows.Put(at, encode(row)); err != nil {
			return fmt.Errorf("put %v: %w", w.Row.Key, err)
		}
	}
	return nil
}

// versionOf returns a row's version, 0 where there is no row.
func versionOf(rows *bbolt.Bucket, key table.Key) (int64, error) {
	value := rows.Get(address(key))
	if value == nil {
		return 0, nil
	}
	h, _, err := decodeHeader(value)
	if err != nil {
		return 0, fmt.Errorf("read %v: %w", key, err)
	}
	return h.version, nil
}
