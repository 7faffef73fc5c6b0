// Package entity reads entities from a table.Table, works out changes of them, and commits each change as one
// transaction. It knows neither what the entities are nor under which keys they are kept: that is shared/store and
// shared/store/rowkey.
//
// Errors of the table become faults here, so that nobody above shared/store needs to know the table.
package entity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/fault"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Table is a table.Table that is read and written as entities.
type Table struct {
	rows       table.Table
	now        func() time.Time
	newEventID func() string // in the order of the calls
	keepAudit  func(at time.Time) (expires time.Time)
}

// Open makes a Table. newEventID makes IDs whose order is that of the calls, also within a millisecond.
func Open(rows table.Table, now func() time.Time, newEventID func() string) *Table {
	return &Table{rows: rows, now: now, newEventID: newEventID}
}

// KeepAudit has rows of the audit expire when a policy says; without one, they never do.
func (t *Table) KeepAudit(policy func(at time.Time) (expires time.Time)) { t.keepAudit = policy }

// Get reads the entity under a key into v, and returns its version; a NotFound fault without a message if there is
// none.
func (t *Table) Get(ctx context.Context, key table.Key, v any) (version int64, err error) {
	row, err := t.rows.Get(ctx, key)
	if errors.Is(err, table.ErrLimit) { // no key can be like this, so nothing is kept under it
		return 0, fault.Wrap(fault.NotFound, err, "")
	}
	if err != nil {
		return 0, fmt.Errorf("store: reading %v: %w", key, failure(err))
	}
	if err := json.Unmarshal(row.Data, v); err != nil {
		return 0, unreadable(key, err)
	}
	return row.Version, nil
}

// Version reads the version of a row; 0 if there is none.
func (t *Table) Version(ctx context.Context, key table.Key) (int64, error) {
	version, err := t.Get(ctx, key, &struct{}{})
	if fault.KindOf(err) == fault.NotFound {
		return 0, nil
	}
	return version, err
}

// Each passes every row of a query to f until f fails. Like First and Count, it skips index rows that have expired:
// their entities have too, and the engine drops each in its own time.
func (t *Table) Each(ctx context.Context, q table.Query, f func(table.Row) error) error {
	return failure(table.All(ctx, t.rows, q, func(row table.Row) error {
		if t.expired(row) {
			return nil
		}
		return f(row)
	}))
}

// EachKept is Each with the rows that have expired and that the engine has not dropped yet.
func (t *Table) EachKept(ctx context.Context, q table.Query, f func(table.Row) error) error {
	return failure(table.All(ctx, t.rows, q, f))
}

func (t *Table) expired(row table.Row) bool {
	return !row.Expires.IsZero() && row.Type == string(rowkey.TypeIndex) && !t.now().Before(row.Expires)
}

// most is the largest page to ask for.
const most = 1000

// First reads the first n rows of a query, however few a page of the table has. next is where the rest of the query
// begins, for Query.After; "" if these were all.
func (t *Table) First(ctx context.Context, q table.Query, n int) (rows []table.Row, next string, err error) {
	for n > 0 {
		q.Limit = min(n+1-len(rows), most) // one more tells whether there is a rest
		page, err := t.rows.Query(ctx, q)
		if err != nil {
			return nil, "", fmt.Errorf("store: querying %s: %w", q.PK, failure(err))
		}
		rows = append(rows, slices.DeleteFunc(page.Rows, t.expired)...)
		if len(rows) > n {
			return rows[:n], rows[n-1].SK, nil
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	return rows, "", nil
}

// Count counts the rows of a query, up to a limit.
func (t *Table) Count(ctx context.Context, q table.Query, limit int) (n int, err error) {
	for n < limit {
		q.Limit = min(limit-n, most)
		page, err := t.rows.Query(ctx, q)
		if err != nil {
			return n, fmt.Errorf("store: counting %s: %w", q.PK, failure(err))
		}
		n += len(slices.DeleteFunc(page.Rows, t.expired))
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	return n, nil
}

// Encode makes a row of an entity. Entities are plain data: encoding them cannot fail.
func Encode(key table.Key, kind rowkey.Type, v any) table.Row {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: encoding a %s: %v", kind, err))
	}
	return table.Row{Key: key, Type: string(kind), Schema: 1, Data: data}
}

// Decode reads an entity from a row that a query returned.
func Decode[T any](row table.Row) (T, error) {
	var v T
	if err := json.Unmarshal(row.Data, &v); err != nil {
		return v, unreadable(row.Key, err)
	}
	return v, nil
}

// DecodeMany is Decode for many rows, on all processors: the largest customers have thousands.
func DecodeMany[T any](rows []table.Row) ([]T, error) {
	list := make([]T, len(rows))
	var g errgroup.Group
	size := max(100, (len(rows)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	for from := 0; from < len(rows); from += size {
		g.Go(func() (err error) {
			for i := from; i < min(from+size, len(rows)) && err == nil; i++ {
				list[i], err = Decode[T](rows[i])
			}
			return err
		})
	}
	return list, g.Wait()
}

// ErrUnreadable means that a row is not of the shape that this version of the program knows: a newer version wrote it,
// or somebody changed it by hand.
var ErrUnreadable = errors.New("store: the row cannot be decoded")

func unreadable(key table.Key, err error) error {
	return fault.Wrap(fault.Internal, fmt.Errorf("%w: %v: %w", ErrUnreadable, key, err), "")
}

// failure turns an error of the table into a fault. Faults and other errors stay what they are.
func failure(err error) error {
	_, known := errors.AsType[*fault.Error](err)
	switch {
	case known:
		return err
	case errors.Is(err, table.ErrNotFound):
		return fault.Wrap(fault.NotFound, err, "")
	case errors.Is(err, table.ErrConflict):
		return fault.Wrap(fault.Conflict, err,
			"Someone else changed this first, so your change was not saved. Reload the page and try again.")
	case errors.Is(err, table.ErrUnavailable):
		return fault.Wrap(fault.Unavailable, err, "")
	case errors.Is(err, table.ErrLimit):
		return fault.Wrap(fault.TooLarge, err, "This is too much to save or look up at once.")
	}
	return err
}

// Missing adds a sentence for people to a NotFound fault from Get. Other errors are returned unchanged.
func Missing(err error, format string, args ...any) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.Wrap(fault.NotFound, err, format, args...)
	}
	return err
}

// attempts is how often Retry makes a change.
const attempts = 20

// Retry makes a change by reading, deciding and committing, again and again while other changes get in its way.
func Retry(change func() error) (err error) {
	for range attempts {
		if err = change(); !errors.Is(err, table.ErrConflict) {
			return err
		}
	}
	return err
}

// IsConflictOn reports whether a change was not committed because of a row.
func IsConflictOn(err error, key table.Key) bool {
	conflict, ok := errors.AsType[*table.ConflictError](err)
	return ok && slices.Contains(conflict.Keys, key)
}

// parallel is how many rows GetAll reads at once.
const parallel = 128

// GetAll reads the entities under keys, several at once, in the order of the keys; one that is missing is skipped.
func GetAll[T any](ctx context.Context, t *Table, keys []table.Key) (list []T, versions []int64, err error) {
	found, at := make([]T, len(keys)), make([]int64, len(keys))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, key := range keys {
		g.Go(func() error {
			var err error
			if at[i], err = t.Get(ctx, key, &found[i]); fault.KindOf(err) == fault.NotFound {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	for i, version := range at {
		if version != 0 {
			list, versions = append(list, found[i]), append(versions, version)
		}
	}
	return list, versions, nil
}
