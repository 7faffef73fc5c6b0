package tabletest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"marketplace/shared/table"
)

// Faulty is a table that fails when it is told to and counts what is asked of it. It may be used from several
// goroutines.
type Faulty struct {
	Table table.Table
	// Fault says what happens to a call; nil lets all pass. It may itself wait, or make other calls of Table first, to
	// be the other writer who was faster.
	Fault func(Call) Fault
	// ShortPages makes queries return one row a page, and every other page empty with a Next, as the contract allows.
	ShortPages bool

	mu     sync.Mutex
	empty  bool // the next page, if it is not the first of a query
	calls  int
	counts Counts
}

// Call is a call that is about to be made.
type Call struct {
	N      int           // from 1, in the order of arrival
	Op     string        // "get", "query" or "transact"
	Key    table.Key     // of a get
	Query  table.Query   // of a query
	Writes []table.Write // of a transact
}

// Fault is what happens to a call. The zero Fault is none.
type Fault struct {
	Before error         // the call is not made and fails with this
	Delay  time.Duration // the call is made so much later, or not at all if the context ends meanwhile
	After  error         // the call is made, its answer is lost, and it fails with this
}

var (
	// Down fails a call before it is made.
	Down = Fault{Before: fmt.Errorf("%w: made so by a test", table.ErrUnavailable)}
	// Lost makes the call and loses its answer.
	Lost = Fault{After: fmt.Errorf("%w: answer lost by a test", table.ErrUnavailable)}
)

// Counts is what was asked of a table and what passed through it. Calls whose answer was lost count; calls that were
// never made count only as Failed.
type Counts struct {
	Gets, Queries, Transacts int // calls made
	RowsRead                 int // by gets that found their row, and by queries
	RowsWritten              int // put or deleted by transactions that were applied
	Failed                   int // calls that failed because Fault said so
}

var _ table.Table = (*Faulty)(nil)

// Counts returns the counts since the beginning or the last Reset.
func (f *Faulty) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts
}

// Reset counts, and numbers calls, from zero again.
func (f *Faulty) Reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.counts = 0, Counts{}
}

// Get is table.Table's, with faults.
func (f *Faulty) Get(ctx context.Context, key table.Key) (table.Row, error) {
	lost, err := f.begin(ctx, Call{Op: "get", Key: key})
	if err != nil {
		return table.Row{}, err
	}
	row, err := f.Table.Get(ctx, key)
	done := Counts{Gets: 1}
	if err == nil {
		done.RowsRead = 1
	}
	f.add(done)
	if lost != nil {
		return table.Row{}, lost
	}
	return row, err
}

// Query is table.Table's, with faults.
func (f *Faulty) Query(ctx context.Context, q table.Query) (table.Page, error) {
	lost, err := f.begin(ctx, Call{Op: "query", Query: q})
	if err != nil {
		return table.Page{}, err
	}
	page, err := f.query(ctx, q)
	f.add(Counts{Queries: 1, RowsRead: len(page.Rows)})
	if lost != nil {
		return table.Page{}, lost
	}
	return page, err
}

func (f *Faulty) query(ctx context.Context, q table.Query) (table.Page, error) {
	if !f.ShortPages {
		return f.Table.Query(ctx, q)
	}
	q.Limit = 1
	page, err := f.Table.Query(ctx, q)
	f.mu.Lock()
	defer f.mu.Unlock()
	if q.After != "" {
		f.empty = !f.empty
		if f.empty && len(page.Rows) > 0 {
			return table.Page{Next: q.After}, err
		}
	}
	if len(page.Rows) > 0 {
		page.Next = page.Rows[0].SK // also after the last row
	}
	return page, err
}

// Transact is table.Table's, with faults.
func (f *Faulty) Transact(ctx context.Context, writes ...table.Write) error {
	lost, err := f.begin(ctx, Call{Op: "transact", Writes: writes})
	if err != nil {
		return err
	}
	err = f.Table.Transact(ctx, writes...)
	done := Counts{Transacts: 1}
	if err == nil {
		done.RowsWritten = len(writes)
	}
	f.add(done)
	if lost != nil {
		return lost
	}
	return err
}

// begin lets a call fail or wait; lost is the error to give in the place of the call's answer, if any.
func (f *Faulty) begin(ctx context.Context, call Call) (lost, err error) {
	f.mu.Lock()
	f.calls++
	call.N = f.calls
	f.mu.Unlock()
	if f.Fault == nil {
		return nil, nil
	}
	fault := f.Fault(call)
	if fault.Before == nil && fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-ctx.Done():
			fault.Before = fmt.Errorf("%w: %w", table.ErrUnavailable, ctx.Err())
		}
	}
	if fault.Before != nil || fault.After != nil {
		f.add(Counts{Failed: 1})
	}
	return fault.After, fault.Before
}

func (f *Faulty) add(done Counts) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.Gets += done.Gets
	f.counts.Queries += done.Queries
	f.counts.Transacts += done.Transacts
	f.counts.RowsRead += done.RowsRead
	f.counts.RowsWritten += done.RowsWritten
	f.counts.Failed += done.Failed
}
