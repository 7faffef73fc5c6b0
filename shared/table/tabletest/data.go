package tabletest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"marketplace/shared/table"
)

var dataTests = []test{
	{"comes back equal as JSON", func(t *testing.T, tab table.Table) {
		for i, data := range []string{
			`{}`,
			` { "a" : 1 } `,
			`{"null":null,"true":true,"false":false}`,
			`{"empty":"","list":[],"object":{},"lists":[[],[[]],{}]}`,
			`{"int64":9223372036854775807,"uint64":18446744073709551615,"below":-9223372036854775808}`,
			`{"digits":12345678901234567890123456789012345678,"tiny":0.00000000000000000000000000000000000001234567}`,
			`{"zero":0,"minus":-0,"point":0.0,"exponent":0e5,"nought":0E-200,"far":0e400}`,
			`{"floats":[0.1,-2.5,3.0,1e2,1E+2,1e-7,1.7976931348623157e125,5e-130,100000000000000000000000]}`,
			`{"trailing":1.500,"leading":0.005,"twelve":12e0,"cents":19.90}`,
			`{"text":"é ﬀ 😀 \u0000 \u001f \u2028 \\ \" / \/ <script> & \r\n\t","ключ":"значение","😀":1}`,
			`{"PK":"a","SK":"b","type":"c","version":2,"data":{"data":3},"#n":4,":v":5,"a.b":6,"a b":7,"S":"s","M":{}}`,
			`{"order":[3,1,2,"b","a",null,false,{"z":1,"a":2}]}`,
			`{"big":"` + strings.Repeat("é", 50_000) + `"}`,
		} {
			want := table.Row{Key: table.Key{PK: "p", SK: fmt.Sprint(i)}, Version: 1, Data: json.RawMessage(data)}
			transact(t, tab, table.Create(want))
			got := get(t, tab, want.Key)
			same(t, got, want)
			if !json.Valid(got.Data) {
				t.Errorf("%s: not JSON", short(got.Data))
			}
		}
	}},
	{"decodes into integers as it was encoded from integers", func(t *testing.T, tab table.Table) {
		type counts struct {
			LOC  int64
			Even uint64
			Rate float64
		}
		want := counts{LOC: 20_000_000_000_000_000, Even: 1 << 63, Rate: 1e21}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		r := row("p", "s", 0)
		r.Data = data
		transact(t, tab, table.Create(r))
		var decoded counts
		if err := json.Unmarshal(get(t, tab, r.Key).Data, &decoded); err != nil || decoded != want {
			t.Errorf("got %+v, %v; want %+v", decoded, err, want)
		}
	}},
	{"of any kind comes back equal as JSON", func(t *testing.T, tab table.Table) {
		rapid.Check(t, func(rt *rapid.T) {
			want := row("p", "s", 0)
			want.Data = json.RawMessage(jsonObject(3).Draw(rt, "data"))
			if err := tab.Transact(t.Context(), table.Set(want)); err != nil {
				rt.Fatal(err)
			}
			got, err := tab.Get(t.Context(), want.Key)
			if err != nil {
				rt.Fatal(err)
			}
			want.Version = got.Version
			if err := difference(got, want); err != nil {
				rt.Fatal(err)
			}
		})
	}},
}

// jsonObject makes the text of an object of at most so many levels, each name once.
func jsonObject(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		names := rapid.SliceOfNDistinct(rapid.StringN(1, 10, -1), 0, 5, rapid.ID[string]).Draw(t, "names")
		var members []string
		for _, name := range names {
			members = append(members, quote(name)+":"+jsonValue(depth-1).Draw(t, "value"))
		}
		return "{" + strings.Join(members, ",") + "}"
	})
}

func jsonValue(depth int) *rapid.Generator[string] {
	kinds := []*rapid.Generator[string]{
		rapid.SampledFrom([]string{"null", "true", "false"}),
		rapid.Map(rapid.String(), quote),
		jsonNumber(),
	}
	if depth > 0 {
		inner := rapid.Deferred(func() *rapid.Generator[string] { return jsonValue(depth - 1) })
		list := rapid.Map(rapid.SliceOfN(inner, 0, 5),
			func(values []string) string { return "[" + strings.Join(values, ",") + "]" })
		kinds = append(kinds, list, rapid.Deferred(func() *rapid.Generator[string] { return jsonObject(depth) }))
	}
	return rapid.OneOf(kinds...)
}

// jsonNumber makes numbers of up to MaxDigits digits and every magnitude that is allowed.
func jsonNumber() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		digits := rapid.StringMatching(fmt.Sprintf(`[1-9][0-9]{0,%d}`, table.MaxDigits-1)).Draw(t, "digits")
		point := rapid.IntRange(1, len(digits)).Draw(t, "point")
		leading := rapid.IntRange(table.MinExponent, table.MaxExponent).Draw(t, "leading")
		text := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign") + digits[:point]
		if point < len(digits) {
			text += "." + digits[point:]
		}
		if exponent := leading - point + 1; exponent != 0 {
			text += fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"e", "E"}).Draw(t, "e"), exponent)
		}
		return text
	})
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON text
	}
	return string(text)
}
