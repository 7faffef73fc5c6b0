package tabletest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"marketplace/shared/table"
)

// object makes Data of exactly n bytes.
func object(n int) json.RawMessage {
	return json.RawMessage(`{"s":"` + strings.Repeat("x", n-len(`{"s":""}`)) + `"}`)
}

// nest makes Data of so many levels.
func nest(depth int) json.RawMessage {
	return json.RawMessage(strings.Repeat(`{"a":`, depth-1) + `{}` + strings.Repeat(`}`, depth-1))
}

func number(text string) json.RawMessage { return json.RawMessage(`{"n":` + text + `}`) }

// creates makes writes of n rows of one partition.
func creates(n int, data json.RawMessage) (writes []table.Write) {
	for i := range n {
		r := row("many", fmt.Sprintf("%03d", i), 0)
		r.Data = data
		writes = append(writes, table.Create(r))
	}
	return writes
}

var limitTests = []test{
	{"accepts the most that it allows", func(t *testing.T, tab table.Table) {
		longest := table.Key{PK: strings.Repeat("p", table.MaxPK), SK: strings.Repeat("é", table.MaxSK/2)}
		list := func(element string, n int) json.RawMessage {
			return json.RawMessage(`{"l":[` + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + `]}`)
		}
		most := table.MaxRowSize - len("note")
		for name, data := range map[string]json.RawMessage{
			"text":          object(most),
			"empty lists":   list(`[]`, most/5-5),
			"empty objects": list(`{}`, most/5-5),
			"digits":        list(`7`, most/4-5),
			"numbers":       list(`1234`, most/6-5),
			"empty strings": list(`""`, most/4),
			"trues":         list(`true`, most/6),
			"escapes":       list(`"\u00e9\u00e9\u00e9\ud83d\ude00"`, most/34),
			"deepest":       nest(table.MaxDepth),
			"deepest list": json.RawMessage(`{"a":` + strings.Repeat(`[`, table.MaxDepth-1) +
				strings.Repeat(`]`, table.MaxDepth-1) + `}`),
			"long member name": json.RawMessage(`{"` + strings.Repeat("n", 60_000) + `":1}`),
			"largest number":   number("9.9999999999999999999999999999999999999e125"),
			"smallest number":  number("-1E-130"),
		} {
			want := table.Row{Key: longest, Type: "note", Data: data}
			if err := tab.Transact(t.Context(), table.Set(want)); err != nil {
				t.Errorf("%s, %d bytes: %v", name, len(data), err)
				continue
			}
			got := get(t, tab, longest)
			want.Version = got.Version
			same(t, got, want)
		}
	}},
	{"accepts 100 writes", func(t *testing.T, tab table.Table) {
		transact(t, tab, creates(100, json.RawMessage(`{}`))...)
		if got := pages(t, tab, table.Query{PK: "many"}); len(got) != 100 {
			t.Errorf("got %d rows; want 100", len(got))
		}
	}},
	{"accepts almost 4 MB in one transaction", func(t *testing.T, tab table.Table) {
		transact(t, tab, creates(10, object(table.MaxRowSize-len("note")))...)
		if got := pages(t, tab, table.Query{PK: "many"}); len(got) != 10 {
			t.Errorf("got %d rows; want 10", len(got))
		}
	}},
	{"refuses what is over a limit, and changes nothing", func(t *testing.T, tab table.Table) {
		there := row("p", "there", 1)
		transact(t, tab, table.Create(there))
		there.Version = 1
		with := func(data string) []table.Write {
			r := row("p", "s", 0)
			r.Data = json.RawMessage(data)
			return []table.Write{table.Create(r)}
		}
		refused := map[string][]table.Write{
			"101 writes": creates(101, json.RawMessage(`{}`)),
			"over 4 MB":  creates(11, object(table.MaxRowSize-len("note"))),
			"a key twice": {table.Create(row("p", "s", 1)),
				table.Delete(table.Key{PK: "p", SK: "s"}, table.Any)},
			"an expectation below Any": {{Row: row("p", "s", 1), Expect: -2}},
			"a row too large":          with(string(object(table.MaxRowSize - len("note") + 1))),
			"too many small values":    with(`{"l":[` + strings.Repeat(`[],`, table.MaxRowSize/5) + `[]]}`),
			"too deep":                 with(string(nest(table.MaxDepth + 1))),
			"39 digits":                with(string(number("123456789012345678901234567890123456789"))),
			"39 digits and a point":    with(string(number("-0.00123456789012345678901234567890123456789e9"))),
			"a number too large":       with(string(number("1e126"))),
			"a number too small":       with(string(number("9.9e-131"))),
			"an exponent too large":    with(string(number("1e99999999999999999999"))),
			"a member without a name":  with(`{"a":[{"" : 1}]}`),
			"no Data":                  with(``),
			"an array":                 with(`[]`),
			"null":                     with(`null`),
			"half an object":           with(`{"a":`),
			"two objects":              with(`{}{}`),
			"Data that is not UTF-8":   with("{\"a\":\"\xff\"}"),
			"a Type that is not UTF-8": {table.Create(table.Row{Key: table.Key{PK: "p", SK: "s"}, Type: "\xff",
				Data: json.RawMessage(`{}`)})},
		}
		for i, key := range badKeys() {
			refused[fmt.Sprintf("bad key %d", i)] = []table.Write{table.Create(table.Row{Key: key,
				Data: json.RawMessage(`{}`)})}
			refused[fmt.Sprintf("delete of bad key %d", i)] = []table.Write{table.Delete(key, table.Any)}
		}
		for name, writes := range refused {
			change := row("p", "there", 2)
			if len(writes) < 100 {
				writes = append([]table.Write{table.Set(change)}, writes...)
			}
			if err := tab.Transact(t.Context(), writes...); !errors.Is(err, table.ErrLimit) {
				t.Errorf("%s: got %v; want ErrLimit", name, err)
			}
			same(t, get(t, tab, there.Key), there)
		}
		if got := pages(t, tab, table.Query{PK: "many"}); len(got) > 0 {
			t.Errorf("got rows %q", got)
		}
	}},
}
