package tabletest

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"strings"
	"sync"

	"marketplace/shared/table"
)

// Meter is a table that counts the capacity units that DynamoDB would consume for the calls that it passes on: two
// write units for each kilobyte of a row, since every write is part of a transaction, and one read unit for each four
// kilobytes, since every read is consistent. It may be used from several goroutines.
//
// Sizes are those of the Amazon DynamoDB Developer Guide, "Item sizes and formats" and "Read and write operations".
type Meter struct {
	Table table.Table

	mu    sync.Mutex
	spent Spent
}

// Spent is what calls consumed.
type Spent struct {
	Use
	Transacts  int
	Partitions map[string]Use
	// Largest is the largest row written by its type, in bytes.
	Largest map[string]int
}

// Use is what calls consumed of the table, or of one partition.
type Use struct{ Gets, Queries, RowsRead, ReadUnits, RowsWritten, WriteUnits int }

func (u Use) plus(other Use, sign int) Use {
	return Use{
		u.Gets + sign*other.Gets, u.Queries + sign*other.Queries, u.RowsRead + sign*other.RowsRead,
		u.ReadUnits + sign*other.ReadUnits, u.RowsWritten + sign*other.RowsWritten,
		u.WriteUnits + sign*other.WriteUnits,
	}
}

// In sums what was consumed of the partitions whose keys begin with a prefix.
func (s Spent) In(prefix string) (sum Use) {
	for pk, use := range s.Partitions {
		if strings.HasPrefix(pk, prefix) {
			sum = sum.plus(use, 1)
		}
	}
	return sum
}

// Without returns the use without that of some partitions.
func (u Use) Without(others ...Use) Use {
	for _, other := range others {
		u = u.plus(other, -1)
	}
	return u
}

var _ table.Table = (*Meter)(nil)

// Spent returns what was consumed since the beginning or the last Reset.
func (m *Meter) Spent() Spent {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.spent
	s.Partitions, s.Largest = maps.Clone(s.Partitions), maps.Clone(s.Largest)
	return s
}

// Reset counts from zero again.
func (m *Meter) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spent = Spent{}
}

// Get is table.Table's.
func (m *Meter) Get(ctx context.Context, key table.Key) (table.Row, error) {
	row, err := m.Table.Get(ctx, key)
	use := Use{Gets: 1}
	size := 0
	if err == nil {
		use.RowsRead, size = 1, ItemSize(row)
	}
	m.read(key.PK, use, size)
	return row, err
}

// Query is table.Table's.
func (m *Meter) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := m.Table.Query(ctx, q)
	size := 0
	for _, row := range page.Rows {
		size += ItemSize(row)
	}
	m.read(q.PK, Use{Queries: 1, RowsRead: len(page.Rows)}, size)
	return page, err
}

// read counts a read of so many bytes, which costs a unit also if it found nothing.
func (m *Meter) read(pk string, use Use, size int) {
	use.ReadUnits = max(1, kilobytes(size, 4))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(pk, use)
}

func (m *Meter) add(pk string, use Use) {
	if m.spent.Partitions == nil {
		m.spent.Partitions = map[string]Use{}
	}
	m.spent.Use = m.spent.plus(use, 1)
	m.spent.Partitions[pk] = m.spent.Partitions[pk].plus(use, 1)
}

// Transact is table.Table's. It counts transactions that were applied; a row costs what the greater of its forms before
// and after does.
func (m *Meter) Transact(ctx context.Context, writes ...table.Write) error {
	before := make([]int, len(writes))
	for i, w := range writes {
		if row, err := m.Table.Get(ctx, w.Row.Key); err == nil {
			before[i] = ItemSize(row)
		}
	}
	err := m.Table.Transact(ctx, writes...)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spent.Transacts++
	for i, w := range writes {
		size := before[i]
		if !w.Delete {
			size = max(size, ItemSize(w.Row))
			m.grow(w.Row.Type, size)
		}
		m.add(w.Row.PK, Use{RowsWritten: 1, WriteUnits: 2 * max(1, kilobytes(size, 1))})
	}
	return nil
}

// grow notes the size of a row that was written.
func (m *Meter) grow(kind string, size int) {
	if m.spent.Largest == nil {
		m.spent.Largest = map[string]int{}
	}
	m.spent.Largest[kind] = max(m.spent.Largest[kind], size)
}

// kilobytes is a size in units of so many kilobytes, rounded up.
func kilobytes(size, unit int) int { return (size + unit<<10 - 1) / (unit << 10) }

// ItemSize is the size of a row as an item of DynamoDB, in bytes.
func ItemSize(row table.Row) int {
	size := len("PK"+row.PK+"SK"+row.SK+"type"+row.Type+"schema"+"version"+"data") + 2*numberSize("1")
	if !row.Expires.IsZero() {
		size += len("expires") + numberSize("1519894800")
	}
	d := json.NewDecoder(bytes.NewReader(row.Data))
	d.UseNumber()
	var data any
	if err := d.Decode(&data); err != nil {
		panic("tabletest: the data of a row is not JSON: " + err.Error())
	}
	return size + valueSize(data)
}

func valueSize(v any) (size int) {
	switch v := v.(type) {
	case string:
		return len(v)
	case json.Number:
		return numberSize(v.String())
	case []any:
		size = 3
		for _, element := range v {
			size += 1 + valueSize(element)
		}
		return size
	case map[string]any:
		size = 3
		for name, member := range v {
			size += 1 + len(name) + valueSize(member)
		}
		return size
	}
	return 1
}

// numberSize is one byte for two significant digits, and one more.
func numberSize(n string) int {
	digits := strings.Trim(strings.ReplaceAll(strings.TrimLeft(n, "-"), ".", ""), "0")
	return (len(digits)+1)/2 + 1
}
