package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestConflictErrorIsErrConflictAndNamesItsKeys(t *testing.T) {
	err := fmt.Errorf("issue: %w", &ConflictError{Keys: []Key{{"p", "a"}, {"p", "b"}}})
	if !errors.Is(err, ErrConflict) || errors.Is(err, ErrUnavailable) {
		t.Errorf("%v is not ErrConflict alone", err)
	}
	if !strings.Contains(err.Error(), "p/a p/b") {
		t.Errorf("%q does not name the keys", err)
	}
}

func TestPrefixHoldsExactlyWhatBeginsWithIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[\x01-\x7f]{1,3}`).Draw(t, "prefix")
		sk := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\x01-\x7f]{1,3}.?`),
			rapid.Map(rapid.String(), func(s string) string { return prefix + s })).Draw(t, "sk")
		q := Prefix("p", prefix)
		if got, want := sk >= q.From && sk < q.To, strings.HasPrefix(sk, prefix); got != want {
			t.Fatalf("%q, prefix %q: got %v", sk, prefix, got)
		}
	})
}

func TestNumbersAreCountedBySignificantDigitsAndMagnitude(t *testing.T) {
	tests := []struct {
		number string
		digits int // -1: refused
	}{
		{"0", 0}, {"-0.000", 0}, {"0e999999999999999999999", 0}, {"7", 1}, {"-70", 1}, {"0.0070", 1}, {"1.5e3", 2},
		{"10.01", 4},
		{"9.9e125", 2}, {"1e126", -1}, {"0.1e126", 1}, {"10e125", -1}, {"1e-130", 1}, {"0.1e-129", 1}, {"1e-131", -1},
		{"0.01e-129", -1},
		{"1E+125", 1}, {"1e999999999999999999999", -1}, {"1e-999999999999999999999", -1},
		{strings.Repeat("9", 38), 38}, {strings.Repeat("9", 39), -1}, {strings.Repeat("9", 38) + "000", 38},
		{"0." + strings.Repeat("0", 50) + strings.Repeat("9", 38), 38}, {"1" + strings.Repeat("0", 37) + "1", -1},
		{"1" + strings.Repeat("0", 125), 1}, {"1" + strings.Repeat("0", 126), -1},
	}
	for _, test := range tests {
		digits, err := checkNumber(test.number)
		if err != nil {
			digits = -1
		}
		if digits != test.digits {
			t.Errorf("%s: got %d, %v; want %d", test.number, digits, err, test.digits)
		}
	}
}

// counted returns the bytes that DynamoDB counts for a decoded value (Item sizes and formats).
func counted(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case json.Number:
		digits, _ := checkNumber(v.String())
		return (digits+1)/2 + 1
	case []any:
		n := 3
		for _, element := range v {
			n += 1 + counted(element)
		}
		return n
	case map[string]any:
		n := 3
		for name, member := range v {
			n += 1 + len(name) + counted(member)
		}
		return n
	}
	return 1
}

func TestMeasureIsNeverBelowWhatDynamoDBCountsAndNotFarAbove(t *testing.T) {
	for _, data := range []string{
		`{}`, `[]`, `{"a":{}}`, `{"a":[[],[],{}]}`, `{"a":[true,false,null]}`, `{"a":"x\\\"y","b":""}`,
		`{"a" : [ 1 , -2.50 , 3e4 ] }`,
		`{"a":"é😀","é":"{[,:]}"}`, `{"a":"\u00e9\ud83d\ude00"}`,
	} {
		size, err := measure([]byte(data))
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		decoder := json.NewDecoder(strings.NewReader(data))
		decoder.UseNumber()
		var v any
		if err := decoder.Decode(&v); err != nil {
			t.Fatal(err)
		}
		slack := strings.Count(data, `{}`) + strings.Count(data, `[]`) + strings.Count(data,
			`\`)*6 + strings.Count(data, `1`)*9
		if want := counted(v); size < want || size > want+slack {
			t.Errorf("%s: got %d; want %d to %d", data, size, want, want+slack)
		}
	}
}

func FuzzCheckTakesWhatDecodesAndRefusesTheRest(f *testing.F) {
	for _, data := range []string{`{}`, ` {"a":[1e5,{"b":"\""}]}`, `{"":1}`, `{"a":1e400}`, `[]`, `{"a":"\ud800"}`,
		`{"a":tru}`, "{\"a\":\"\xff\"}", `{"a"`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := Check([]Write{Create(Row{Key: Key{"p", "s"}, Data: data})})
		if err != nil && !errors.Is(err, ErrLimit) {
			t.Fatalf("got %v; want ErrLimit", err)
		}
		var object map[string]any
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		if e := decoder.Decode(&object); err == nil && (e != nil || object == nil) {
			t.Fatalf("taken, and not a JSON object: %v", e)
		}
	})
}
