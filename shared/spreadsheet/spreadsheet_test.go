package spreadsheet

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCellsAreNotFormulas(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "Acme AG": "Acme AG", "a-b": "a-b", "jane@customer.example": "jane@customer.example", "a =1": "a =1",
		"1,200": "1,200",
		"=1+1":  "'=1+1", "+41 22": "'+41 22", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t'=1", "\r=1": "'\r'=1",
		"\n=1": "'\n'=1", "＝1": "'＝1",
		`"=1+1`: `"'=1+1`, `'=1`: `''=1`, "  =1": "  '=1", `" =1"`: `" '=1"`, "a;=1": "a;'=1", "a,@x": "a,'@x",
		"a\n- b": "a\n'- b", "a\t+1": "a\t'+1", "a|=1": "a|'=1",
		"a; \"=1": "a; \"'=1", "a\n\nb": "a\n\nb", "==": "'==",
	} {
		if got := EscapeFormulas(cell); got != want {
			t.Errorf("%q: got %q, want %q", cell, got, want)
		}
	}
}

// isFormula reports whether some program sees a formula in a cell, wherever it separates cells.
func isFormula(cell string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(cell, separatesCells), func(part string) bool {
		part = strings.TrimLeft(part, ` "`)
		return part != "" && strings.ContainsRune("=+-@", rune(part[0]))
	})
}

func FuzzEscapeFormulas(f *testing.F) {
	for _, s := range []string{"=1", "a;=1", "\"=1\"", "\t\r\n=", "＝"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		safe := EscapeFormulas(cell)
		if isFormula(safe) {
			t.Errorf("%q became %q", cell, safe)
		}
		without := func(s string) string { return strings.ReplaceAll(s, "'", "") }
		if utf8.ValidString(cell) && without(safe) != without(cell) {
			t.Errorf("EscapeFormulas(%q) = %q, which changes the text", cell, safe)
		}
	})
}

func TestFileIsWhatSpreadsheetsExpect(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, "one", "two")
	if err := w.Add("=1", "a, b\nü"); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil || b.String() != "\uFEFFone,two\r\n'=1,\"a, b\r\nü\"\r\n" {
		t.Errorf("got %q, %v", b.String(), err)
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestFlushTellsOfAFailedWrite(t *testing.T) {
	w := NewWriter(full{}, "one")
	if err := errors.Join(w.Add("a"), w.Flush()); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("got %v, want the error", err)
	}
}
