package tabletest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

func TestItemSizeIsWhatDynamoDBCounts(t *testing.T) {
	// PK and p, SK and s, type and t, schema and 1, version and 1, data: 3 + 3 + 5 + 8 + 9 + 4.
	const rest = 32
	for data, want := range map[string]int{
		`{}`:                    rest + 3,
		`{"a":"b"}`:             rest + 3 + 1 + 2,
		`{"a":"\u00e4"}`:        rest + 3 + 1 + 3,
		`{"a":1234}`:            rest + 3 + 1 + 1 + 3,
		`{"a":1200}`:            rest + 3 + 1 + 1 + 2,
		`{"a":-0.5}`:            rest + 3 + 1 + 1 + 2,
		`{"a":true,"b":null}`:   rest + 3 + 2*(1+1+1),
		`{"a":["b","c"]}`:       rest + 3 + 1 + 1 + 3 + 2*2,
		`{"a":{"b":{}}}`:        rest + 3 + 2 + 3 + 2 + 3,
		`{ "a" : [ ] }`:         rest + 3 + 1 + 1 + 3,
		`{"a":"<b>\n\"\u003c"}`: rest + 3 + 1 + 1 + 6,
	} {
		row := table.Row{Key: table.Key{PK: "p", SK: "s"}, Type: "t", Schema: 1, Data: json.RawMessage(data)}
		if got := tabletest.ItemSize(row); got != want {
			t.Errorf("%s: got %d bytes, want %d", data, got, want)
		}
		row.Expires = time.Unix(1519894800, 0)
		if got := tabletest.ItemSize(row); got != want+7+5 {
			t.Errorf("%s that expires: got %d bytes, want %d", data, got, want+12)
		}
	}
}

func TestMeterCountsUnits(t *testing.T) {
	m := &tabletest.Meter{Table: &tabletest.Memory{}}
	sized := func(pk string, kilobytes int) table.Row {
		return table.Row{Key: table.Key{PK: pk, SK: "s"}, Type: "t", Schema: 1,
			Data: json.RawMessage(`{"a":"` + strings.Repeat("x", kilobytes<<10-100) + `"}`)}
	}
	for _, tt := range []struct {
		name string
		do   func() error
		want tabletest.Use
	}{
		{"a small row", func() error { return m.Transact(t.Context(), table.Create(sized("a", 1))) },
			tabletest.Use{RowsWritten: 1, WriteUnits: 2}},
		{"two rows", func() error {
			return m.Transact(t.Context(), table.Set(sized("a", 3)), table.Create(sized("b", 9)))
		}, tabletest.Use{RowsWritten: 2, WriteUnits: 6 + 18}},
		{"a smaller row in place of a larger one", func() error { return m.Transact(t.Context(), table.Set(sized("a", 1))) },
			tabletest.Use{RowsWritten: 1, WriteUnits: 6}},
		{"a read", func() error { _, err := m.Get(t.Context(), sized("b", 1).Key); return err },
			tabletest.Use{Gets: 1, RowsRead: 1, ReadUnits: 3}},
		{"a read of nothing", func() error { _, _ = m.Get(t.Context(), table.Key{PK: "c", SK: "s"}); return nil },
			tabletest.Use{Gets: 1, ReadUnits: 1}},
		{"a query", func() error { _, err := m.Query(t.Context(), table.Query{PK: "a"}); return err },
			tabletest.Use{Queries: 1, RowsRead: 1, ReadUnits: 1}},
		{"a query for nothing", func() error { _, err := m.Query(t.Context(), table.Query{PK: "c"}); return err },
			tabletest.Use{Queries: 1, ReadUnits: 1}},
		{"a delete", func() error { return m.Transact(t.Context(), table.Delete(sized("b", 1).Key, table.Any)) },
			tabletest.Use{RowsWritten: 1, WriteUnits: 18}},
		{"a delete of nothing", func() error { return m.Transact(t.Context(), table.Delete(sized("b", 1).Key, table.Any)) },
			tabletest.Use{RowsWritten: 1, WriteUnits: 2}},
		{"a conflict", func() error { _ = m.Transact(t.Context(), table.Create(sized("a", 1))); return nil },
			tabletest.Use{}},
	} {
		m.Reset()
		if err := tt.do(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		s := m.Spent()
		if s.Use != tt.want || s.In("") != s.Use {
			t.Errorf("%s: got %+v in partitions with %+v, want %+v", tt.name, s.Use, s.In(""), tt.want)
		}
	}
}

func TestMeterKeepsTheContract(t *testing.T) {
	tabletest.Run(t, func(*testing.T) table.Table { return &tabletest.Meter{Table: &tabletest.Memory{}} })
}
