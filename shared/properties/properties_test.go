package properties_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/properties"
)

// texts are the corners of the format; java_test.go holds each of them against the JDK.
var texts = []struct {
	name string
	text string
	want map[string]string // nil: malformed
}{
	{"empty", "", map[string]string{}},
	{"plain", "a=1\nb=2\n", map[string]string{"a": "1", "b": "2"}},
	{"no line end", "a=1", map[string]string{"a": "1"}},
	{"CR LF and CR", "a=1\r\nb=2\rc=3", map[string]string{"a": "1", "b": "2", "c": "3"}},
	{"colon and blanks as separators", "a:1\nb 2\nc\t3\nd\f4\ne : 5\nf = 6",
		map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6"}},
	{"second separator belongs to the value", "a==1\nb:=2\nc = = 3\nd : : 4",
		map[string]string{"a": "=1", "b": "=2", "c": "= 3", "d": ": 4"}},
	{"key alone", "a\nb=\nc:", map[string]string{"a": "", "b": "", "c": ""}},
	{"no key", "=1", map[string]string{"": "1"}},
	{"leading blanks go, trailing stay", "  a = 1 \t\n", map[string]string{"a": "1 \t"}},
	{"other spaces are text", "a=\u00a01\v\u2028", map[string]string{"a": "\u00a01\v\u2028"}},
	{"comments", "# a=1\n! b=2\n  # c=3\nd=#4", map[string]string{"d": "#4"}},
	{"backslash does not continue a comment", "# a \\\nb=1", map[string]string{"b": "1"}},
	{"continuation", "a=1,\\\n   2,\\\r\n\t3\nb=4", map[string]string{"a": "1,2,3", "b": "4"}},
	{"continuation is no comment", "a=1\\\n#2", map[string]string{"a": "1#2"}},
	{"continuation of nothing may be a comment", "\\\n#2\na=1", map[string]string{"a": "1"}},
	{"blank line ends a continuation", "a=1\\\n\nb=2", map[string]string{"a": "1", "b": "2"}},
	{"continuation splits the key", "ab\\\n  c=1", map[string]string{"abc": "1"}},
	{"two backslashes do not continue", "a=1\\\\\nb=2", map[string]string{"a": "1\\", "b": "2"}},
	{"three do", "a=1\\\\\\\nb=2", map[string]string{"a": "1\\b=2"}},
	{"backslash at the end", "a=1\\", map[string]string{"a": "1"}},
	{"backslash and line end at the end", "a=1\\\n", map[string]string{"a": "1"}},
	{"lone backslash", "\\", map[string]string{"": ""}},
	{"lone backslash and LF", "\\\n", map[string]string{"": ""}},
	{"lone backslash and CR LF", "\\\r\n", map[string]string{}},
	{"lone backslash and blank line", "\\\n\n", map[string]string{}},
	{"lone backslash is eaten", "a=C:\\dir\\sub", map[string]string{"a": "C:dirsub"}},
	{"escapes", `a=\t\n\r\f\\\"\=\:\#\ x`, map[string]string{"a": "\t\n\r\f\\\"=:# x"}},
	{"escaped separators in a key", `a\=b\:c\ d=1`, map[string]string{"a=b:c d": "1"}},
	{"escaped newline keeps its blanks", "a=\\n  b", map[string]string{"a": "\n  b"}},
	{"unicode escapes", `\u0061=caf\u00e9\u00E9`, map[string]string{"a": "caféé"}},
	{"surrogate pair", `a=\uD83D\uDE00`, map[string]string{"a": "😀"}},
	{"surrogates without partner", `a=\uD83Dx\uDE00\uD83D\uD83D\uDE00`, map[string]string{"a": "\ufffdx\ufffd\ufffd😀"}},
	{"many u are malformed", `a=\uuu0061`, nil},
	{"cut escape", `a=\u00`, nil},
	{"cut escape in a key", `\u00=1`, nil},
	{"escape of no hexadecimal digits", `a=\u00g0`, nil},
	{"escape in a comment", "#\\u\na=1", map[string]string{"a": "1"}},
	{"escaped backslash before u", `a=\\u00`, map[string]string{"a": `\u00`}},
	{"escape over a continuation", "a=\\u00\\\n61", map[string]string{"a": "a"}},
	{"last of several wins", "a=1\nb=2\na=3", map[string]string{"a": "3", "b": "2"}},
	{"byte-order mark is text", "\ufeffa=1", map[string]string{"\ufeffa": "1"}},
	{"blanks only", "  \n\t\n\f", map[string]string{}},
	{"NUL", "a\x00=\x00", map[string]string{"a\x00": "\x00"}},
}

func TestParseMatchesJava(t *testing.T) {
	for _, test := range texts {
		t.Run(test.name, func(t *testing.T) {
			got, err := properties.Parse(test.text)
			if test.want == nil {
				if !errors.Is(err, properties.ErrEscape) {
					t.Fatalf("got %v, want a malformed escape", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(maps.Collect(got.All()), test.want) {
				t.Errorf("got %q, want %q", maps.Collect(got.All()), test.want)
			}
		})
	}
}

func TestMalformedEscapeReportsItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"a=1\n\n# c\nb=\\u12":       "line 4:",
		"a=1\r\nb=\\\r\n x\\uzzzz":  "line 2:",
		"a=1\rb=2\rc=\\u":           "line 3:",
		"\\\n\\\n  a=\\u\n":         "line 3:",
		"a=1\\\n2\\\n3\nb=\\u00 00": "line 4:",
	} {
		_, err := properties.Parse(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestRepeatedKeyKeepsFirstPositionAndLastValue(t *testing.T) {
	p, err := properties.Parse("c=1\na=2\nc=3\nb=4\nc=5\na=2")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key := range p.All() {
		keys = append(keys, key)
	}
	if !slices.Equal(keys, []string{"c", "a", "b"}) {
		t.Errorf("keys %q", keys)
	}
	if value, defined := p.Get("c"); value != "5" || !defined {
		t.Errorf("c = %q, %v", value, defined)
	}
	if _, defined := p.Get("d"); defined {
		t.Error("d is defined")
	}
}

func TestZeroValueIsEmpty(t *testing.T) {
	var p properties.Properties
	if _, defined := p.Get("a"); defined {
		t.Error("the zero value holds something")
	}
	for key := range p.All() {
		t.Errorf("the zero value holds %q", key)
	}
}

func FuzzParse(f *testing.F) {
	for _, test := range texts {
		f.Add(test.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := properties.Parse(text)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
	})
}
