// Package table is the narrow interface through which everything is stored: one table of versioned rows.
//
// Its comments are the contract that table/tabletest checks and that table/bolt (embedded) and table/dynamo
// (production) keep. shared/store says what the rows mean.
package table

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Limits that both engines refuse to exceed, with ErrLimit. They are DynamoDB's (Service, account, and table quotas;
// Item sizes and formats). Sizes are the greater of the JSON text's and of what DynamoDB counts, where `[]` is four
// bytes.
const (
	MaxWrites      = 100       // writes in one transaction
	MaxTransaction = 4 << 20   // bytes of all rows that a transaction puts
	MaxRowSize     = 390 << 10 // bytes of a row's Type and Data; DynamoDB allows an item of 400 KB, names included
	MaxPK          = 1024      // bytes of a partition key; 2048 in DynamoDB
	MaxSK          = 1024      // bytes of a sort key
	MaxDepth       = 30        // objects and arrays within one another, Data itself the first; 32 in DynamoDB
	MaxDigits      = 38        // significant digits of a number in Data
	MaxExponent    = 125       // a number's magnitude is 0, or at least 1e-130 and below 1e126
	MinExponent    = -130
)

var (
	// ErrNotFound means that there is no row with that key.
	ErrNotFound = errors.New("table: no such row")
	// ErrConflict means that a row did not have the expected version, and nothing was written. A *ConflictError says
	// which. Whoever called reads again and decides again; the same transaction repeated would fail again.
	ErrConflict = errors.New("table: a row changed")
	// ErrLimit means that the call can never succeed: too many writes, a row or a transaction too large, a key empty,
	// too long, with a NUL byte or not UTF-8, the same key twice in one transaction, an expectation below Any, Data
	// that is not a JSON object or holds what DynamoDB cannot: a number of too many digits, a member without a name,
	// too deep a nest.
	ErrLimit = errors.New("table: over a limit")
	// ErrUnavailable means that the engine did not answer, or throttled, after its own retries. A transaction may or
	// may not have been applied; repeating it with the same expected versions is safe: it returns ErrConflict if the
	// first attempt was applied. A call whose context ended is unavailable too, and its error is also the context's.
	ErrUnavailable = errors.New("table: unavailable")
)

// ConflictError says which rows of a transaction did not have their expected version. It is an ErrConflict.
type ConflictError struct{ Keys []Key }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%v: %v", ErrConflict, e.Keys)
}

func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// Key is a row's address: a partition, and a place in its order. Neither is empty nor holds a NUL byte; both are valid
// UTF-8 and compare byte by byte.
type Key struct{ PK, SK string }

func (k Key) String() string { return k.PK + "/" + k.SK }

// Row is what is stored under a key.
type Row struct {
	Key
	Type    string // what the row is, such as "request"; for readers of the table and for decoding
	Schema  int    // the version of Data's shape, from 1
	Version int64  // 1 when the row is created, one more with each write; set by the engine
	// Expires is when the engine may drop the row, at this second or later (DynamoDB TTL); zero: never. It is read
	// back as a whole second in UTC.
	Expires time.Time
	Data    json.RawMessage // a JSON object; read back equal as JSON, not necessarily byte for byte
}

// Any, as an expected version, writes whatever the row's version is. It is for rows that are only ever written together
// with the row that guards them, such as index rows.
const Any int64 = -1

// Write is one part of a transaction: a put or a delete of a row that is expected to have a version.
type Write struct {
	Row    Row   // of a delete, only the key
	Expect int64 // 0: the row must not exist; n > 0: it must have version n; Any: no condition
	Delete bool  // with Expect 0 it only makes sure that there is no such row
}

// Create writes a row that must not exist.
func Create(row Row) Write { return Write{Row: row} }

// Update writes a row that must still have the version it was read with.
func Update(row Row) Write { return Write{Row: row, Expect: row.Version} }

// Set writes a row whether or not it exists.
func Set(row Row) Write { return Write{Row: row, Expect: Any} }

// Delete deletes a row that must still have the version, or with Any whether or not it exists.
func Delete(key Key, version int64) Write {
	return Write{Row: Row{Key: key}, Expect: version, Delete: true}
}

// Query asks for the rows of one partition whose sort key is at least From and below To.
type Query struct {
	PK         string
	From, To   string // "" is an open end
	Descending bool
	Limit      int    // rows in a page at the most; 0 means 100, more than 1000 means 1000
	After      string // Page.Next of the page before, or any sort key: the page begins beyond it; "" begins
}

// Prefix asks for the rows of a partition whose sort key begins with an ASCII prefix that is not empty.
func Prefix(pk, prefix string) Query {
	last := len(prefix) - 1
	return Query{PK: pk, From: prefix, To: prefix[:last] + string(prefix[last]+1)}
}

// Page is a part of what a query found, in order.
type Page struct {
	Rows []Row
	// Next is for Query.After; "" when there is nothing more. A page may be short, even empty, and still have a Next:
	// whoever wants n rows reads until there are n.
	Next string
}

// Table is a table of rows. Its methods may be called from several goroutines at once, and give up when the context
// ends. Reads are consistent: they see every transaction that was answered before they began.
type Table interface {
	// Get reads a row; ErrNotFound where there is none.
	Get(ctx context.Context, key Key) (Row, error)

	// Query reads a page of a partition. A row that is written or deleted between pages may be in either state;
	// every other row is returned exactly once. A query may see part of a concurrent transaction.
	Query(ctx context.Context, q Query) (Page, error)

	// Transact applies all writes or none, and has them on disk when it returns nil. It fails with ErrConflict where a
	// row does not have its expected version. The engine itself repeats what is lost on the way and what collides with
	// another transaction in flight, so that a write of its own never counts as somebody else's.
	// At most MaxWrites, each key once. Without writes it does nothing.
	Transact(ctx context.Context, writes ...Write) error
}

// All reads a query to its end, page by page, and passes each row to f until f fails.
func All(ctx context.Context, t Table, q Query, f func(Row) error) error {
	for {
		page, err := t.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, row := range page.Rows {
			if err := f(row); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}
