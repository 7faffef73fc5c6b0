package tabletest

import (
	"context"
	"strings"
	"sync"
	"time"

	"marketplace/shared/table"
)

// Rounds is a table that counts the rounds of reads: how many follow one another at most. A read is of the round after
// the latest one of which a read had finished when it began, so reads that are made at once are one round. The further
// pages of a query are of the round of its first page.
//
// Each read takes a second, so that reads that are made at once overlap. It is for the bubble of a synctest.Test, where
// that costs nothing.
type Rounds struct {
	Table table.Table
	// Apart begins the partitions whose reads do not count; "" for none.
	Apart string

	mu      sync.Mutex
	reads   []Read
	done    int                 // the latest round of which a read has finished
	queries map[table.Query]int // the round of each query that began, without its page
}

// Read is a read with its round, from 1.
type Read struct {
	Round int
	What  string // the key, or the partition
}

var _ table.Table = (*Rounds)(nil)

// Reads returns the reads since the beginning or the last Reset, in the order in which they began.
func (t *Rounds) Reads() []Read {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reads
}

// Reset counts from zero again.
func (t *Rounds) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads, t.done, t.queries = nil, 0, nil
}

// Get is table.Table's.
func (t *Rounds) Get(ctx context.Context, key table.Key) (table.Row, error) {
	defer t.begin(key.PK, key.String(), nil)()
	return t.Table.Get(ctx, key)
}

// Query is table.Table's.
func (t *Rounds) Query(ctx context.Context, q table.Query) (table.Page, error) {
	defer t.begin(q.PK, q.PK, &q)()
	return t.Table.Query(ctx, q)
}

// Transact is table.Table's.
func (t *Rounds) Transact(ctx context.Context, writes ...table.Write) error {
	return t.Table.Transact(ctx, writes...)
}

// begin begins a read, which is a query if q is not nil, and returns what ends it.
func (t *Rounds) begin(pk, what string, q *table.Query) (end func()) {
	if t.Apart != "" && strings.HasPrefix(pk, t.Apart) {
		return func() {}
	}
	t.mu.Lock()
	round := t.done + 1
	if q != nil {
		round = t.roundOf(*q, round)
	}
	t.reads = append(t.reads, Read{round, what})
	t.mu.Unlock()
	time.Sleep(time.Second)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.done = max(t.done, round)
	}
}

// roundOf returns the round of a page of a query: that of its first page, if that was read before.
func (t *Rounds) roundOf(q table.Query, round int) int {
	further := q.After != ""
	q.After, q.Limit = "", 0
	if first, ok := t.queries[q]; further && ok {
		return first
	}
	if t.queries == nil {
		t.queries = map[table.Query]int{}
	}
	t.queries[q] = round
	return round
}
