package tabletest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"marketplace/shared/table"
)

// Memory is a table in memory, for tests and simulations that write too much for a disk. Its zero value is empty. It
// may be used from several goroutines.
type Memory struct {
	mu         sync.Mutex
	partitions map[string]*partition
}

// partition is the rows of a partition, and their sort keys in order.
type partition struct {
	rows map[string]table.Row
	keys []string
}

var _ table.Table = (*Memory)(nil)

// Get reads a row; see table.Table.
func (m *Memory) Get(ctx context.Context, key table.Key) (table.Row, error) {
	if err := table.CheckKey(key); err != nil {
		return table.Row{}, err
	}
	if err := ended(ctx); err != nil {
		return table.Row{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.row(key)
	if !ok {
		return table.Row{}, fmt.Errorf("%w: %v", table.ErrNotFound, key)
	}
	return copied(row), nil
}

// Query reads a page; see table.Table.
func (m *Memory) Query(ctx context.Context, q table.Query) (page table.Page, err error) {
	if err := table.CheckQuery(q); err != nil {
		return page, err
	}
	if err := ended(ctx); err != nil {
		return page, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.partitions[q.PK]
	if p == nil {
		return page, nil
	}
	found := p.found(q)
	page.Rows = make([]table.Row, 0, min(limit, len(found)))
	for _, sk := range found {
		if len(page.Rows) == limit {
			page.Next = page.Rows[limit-1].SK
			break
		}
		page.Rows = append(page.Rows, copied(p.rows[sk]))
	}
	return page, nil
}

// found returns the sort keys of the rows that a query asks for, in its order.
func (p *partition) found(q table.Query) []string {
	begin, _ := slices.BinarySearch(p.keys, q.From)
	end := len(p.keys)
	if q.To != "" {
		end, _ = slices.BinarySearch(p.keys, q.To)
	}
	if q.After != "" {
		at, exact := slices.BinarySearch(p.keys, q.After)
		switch {
		case q.Descending:
			end = min(end, at)
		case exact:
			begin = max(begin, at+1)
		default:
			begin = max(begin, at)
		}
	}
	if begin >= end {
		return nil
	}
	keys := p.keys[begin:end]
	if q.Descending {
		keys = slices.Clone(keys)
		slices.Reverse(keys)
	}
	return keys
}

// Transact applies all writes or none; see table.Table.
func (m *Memory) Transact(ctx context.Context, writes ...table.Write) error {
	return m.transact(ctx, writes, false)
}

// Replace is Transact, but each row keeps its own Version, as with dynamo.Whole.
func (m *Memory) Replace(ctx context.Context, writes ...table.Write) error {
	return m.transact(ctx, writes, true)
}

func (m *Memory) transact(ctx context.Context, writes []table.Write, asIs bool) error {
	if err := table.Check(writes); err != nil || len(writes) == 0 {
		return err
	}
	if err := ended(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var conflicts []table.Key
	for _, w := range writes {
		if row, _ := m.row(w.Row.Key); w.Expect != table.Any && row.Version != w.Expect {
			conflicts = append(conflicts, w.Row.Key)
		}
	}
	if conflicts != nil {
		return &table.ConflictError{Keys: conflicts}
	}
	for _, w := range writes {
		m.apply(w, asIs)
	}
	return nil
}

func (m *Memory) row(key table.Key) (row table.Row, ok bool) {
	if p := m.partitions[key.PK]; p != nil {
		row, ok = p.rows[key.SK]
	}
	return row, ok
}

func (m *Memory) apply(w table.Write, asIs bool) {
	row := w.Row
	p := m.partitions[row.PK]
	if p == nil {
		p = &partition{rows: map[string]table.Row{}}
		if m.partitions == nil {
			m.partitions = map[string]*partition{}
		}
		m.partitions[row.PK] = p
	}
	at, known := slices.BinarySearch(p.keys, row.SK)
	switch {
	case w.Delete && known:
		p.keys = slices.Delete(p.keys, at, at+1)
		delete(p.rows, row.SK)
	case w.Delete:
	default:
		if !known {
			p.keys = slices.Insert(p.keys, at, strings.Clone(row.SK))
		}
		row = copied(row)
		if !asIs {
			row.Version = p.rows[row.SK].Version + 1
		}
		row.Expires = row.Expires.UTC().Truncate(1e9)
		p.rows[row.SK] = row
	}
}

func copied(row table.Row) table.Row {
	row.Data = slices.Clone(row.Data)
	return row
}

func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
	}
	return nil
}
