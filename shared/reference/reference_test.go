package reference

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestParseReadsWhatPeopleType(t *testing.T) {
	for _, typed := range []string{
		"C-7K3Q9F", "c-7k3q9f", "C7K3Q9F", "c7k3q9f", "C 7K3 Q9F", "C-7K3-Q9F", " C-7K3Q9F\n", "C-7K3Q9F.", `"C-7K3Q9F"`,
		"“C-7K3Q9F.”", "(C-7K3Q9F)", "#C-7K3Q9F", "C\u20117K3Q9F", "C\u20137K3Q9F", "C - 7K3Q9F", "C\u22127K3Q9F",
		"C-7K3\u200bQ9F", "\ufeffC-7K3Q9F\u2069", "C-7K\u00ad3Q9F", "<C-7K3Q9F>!", "C_7K3Q9F", "C\u00a07K3Q9F",
	} {
		if got, ok := Parse(typed); !ok || got != "C-7K3Q9F" {
			t.Errorf("Parse(%q) = %q, %v, want C-7K3Q9F", typed, got, ok)
		}
	}
	for typed, want := range map[string]Reference{
		"k-oIl1o0": "K-011100", "R-000000": "R-000000", "r-zzzzzz": "R-ZZZZZZ", "K-KKKKKK": "K-KKKKKK",
	} {
		if got, ok := Parse(typed); !ok || got != want || got.Kind() != Kind(want[:1]) {
			t.Errorf("Parse(%q) = %q, %v, want %q", typed, got, ok, want)
		}
	}
}

func TestParseRefusesEverythingElse(t *testing.T) {
	for _, typed := range []string{
		"", ".", "C", "C-", "C-7K3Q9", "C-7K3Q9FA", "A-7K3Q9F", "7-7K3Q9F", "C-7K3Q9U", "C-7K3Q.9F", "C-7K3Q9É", "C-ſK3Q9F",
		"customer C-7K3Q9F", "CC-7K3Q9F", "C-７K3Q9F", "01c6x2m4vj8q0n5r7t9w3y1z2b", strings.Repeat("-", 1000) + "C-7K3Q9F",
	} {
		if got, ok := Parse(typed); ok {
			t.Errorf("Parse(%q) = %q, want nothing", typed, got)
		}
	}
	for _, bad := range []Reference{"", "C", "C-", "c-7K3Q9F", "C-7k3q9f", "C-7K3Q9", "X-7K3Q9F", "C-7K3Q9O", "C-7K3-9F"} {
		if k := bad.Kind(); k != "" {
			t.Errorf("got kind %q of %q, want none", k, bad)
		}
	}
}

func TestNewReferencesAreReadBack(t *testing.T) {
	seen := map[Reference]bool{}
	for _, k := range []Kind{Customer, Contract, Request} {
		for range 200 {
			r, err := New(k, rand.Reader)
			if err != nil || r.Kind() != k || seen[r] {
				t.Fatalf("New(%s) = %q, %v, of kind %q, seen before: %v", k, r, err, r.Kind(), seen[r])
			}
			if again, ok := Parse(strings.ToLower(string(r))); !ok || again != r {
				t.Errorf("%s reads back as %q, %v", r, again, ok)
			}
			seen[r] = true
		}
	}
	if r, err := New(Contract, bytes.NewReader([]byte{0, 31, 32, 63, 64, 255})); err != nil || r != "K-0Z0Z0Z" {
		t.Errorf("got %q, %v, want each byte's last five bits", r, err)
	}
}

func TestNewReportsWhatWentWrong(t *testing.T) {
	cause := errors.New("no entropy")
	if r, err := New(Customer, iotest.ErrReader(cause)); !errors.Is(err, cause) || r != "" {
		t.Errorf("got %q, %v, want the reader's error", r, err)
	}
	if r, err := New("X", rand.Reader); err == nil || r != "" {
		t.Errorf("got %q, %v for a kind that does not exist", r, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"C-7K3Q9F", "“k7k3 q9f”.", "R\u2011oil-oil", "C-7K3Q9\u0130", "ǅ-000000", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := Parse(text)
		if !ok {
			return
		}
		if r.Kind() == "" {
			t.Fatalf("Parse(%q) = %q, which is no reference", text, r)
		}
		if again, ok := Parse(string(r)); !ok || again != r {
			t.Fatalf("Parse(%q) = %q, and that becomes %q", text, r, again)
		}
	})
}
