package input

import (
	"slices"
	"strings"
	"testing"
)

func TestEmail(t *testing.T) {
	for _, good := range []string{"ada@example.com", "a.b+c@sub.example.co.uk", "jurgen@müller.example", "a@x.io",
		" ada@example.com ", "o'hara@example.com"} {
		if got, err := Email(good); err != nil || got != strings.TrimSpace(good) {
			t.Errorf("Email(%q): got %q, %v", good, got, err)
		}
	}
	for _, bad := range []string{
		"", "ada", "ada@localhost", "@example.com", "ada@example.com, eve@example.com", "Ada <ada@example.com>",
		"<ada@example.com>",
		"ada@example.com\r\nBcc: eve@example.com", "ada@@example.com", "ada@example..com", "ada@[127.0.0.1]",
		"ada@example.com.", "ada@.example.com",
		strings.Repeat("a", 250) + "@example.com", "ada\u202e@example.com", "ada@exam ple.com", "ada@example.com (Ada)",
		"jürgen@example.com", `"ada b"@example.com`, "ada@exa_mple.com", "ada@-example.com", "ada@example-.com",
		"ada@example.c", strings.Repeat("a", 65) + "@example.com",
	} {
		if got, err := Email(bad); err == nil {
			t.Errorf("Email(%q): got %q, want an error", bad, got)
		}
	}
}

func TestLineRefusesInvisibleCharacters(t *testing.T) {
	for _, bad := range []string{"a\r\nBcc: b", "a\nb", "a\x00b", "a\x1bb", "a\u2028b", "a\u202eb", "a\u2066b",
		"a\x85b", "\xff"} {
		if got, err := Line(bad, "The name", 100); err == nil {
			t.Errorf("Line(%q): got %q, want an error", bad, got)
		}
	}
	for _, good := range []string{"", "Ada Lovelace", `"><script>alert(1)</script>`, "李小龍", "Zoë 🦊", "=1+1"} {
		if got, err := Line(good, "The name", 100); err != nil || got != good {
			t.Errorf("Line(%q): got %q, %v", good, got, err)
		}
	}
}

func TestFieldsSplitsTypedLists(t *testing.T) {
	want := []string{"a@b.example", "c@d.example", "e-f_g"}
	for _, typed := range []string{
		"a@b.example c@d.example e-f_g", "a@b.example,c@d.example;e-f_g", " a@b.example ,\r\n\tc@d.example;\n e-f_g, ;",
		"a@b.example\u00a0c@d.example\u2003e-f_g",
	} {
		if got := Fields(typed); !slices.Equal(got, want) {
			t.Errorf("Fields(%q): got %q, want %q", typed, got, want)
		}
	}
	if got := Fields(" ,;\n"); len(got) > 0 {
		t.Errorf("separators only: got %q, want nothing", got)
	}
}

func TestLimitsCountCharacters(t *testing.T) {
	if _, err := Line(strings.Repeat("é", 100), "The name", 100); err != nil {
		t.Errorf("100 characters: got %v, want no error", err)
	}
	if _, err := Line(strings.Repeat("é", 101), "The name", 100); err == nil {
		t.Error("101 characters: got no error")
	}
}

func TestBlockKeepsLines(t *testing.T) {
	got, err := Block(" one\r\ntwo\n\tthree ", "The message", 100)
	if err != nil || got != "one\ntwo\n\tthree" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := Block("one\rtwo", "The message", 100); err == nil {
		t.Error("lone CR: got no error")
	} else if strings.Contains(err.Error(), "line breaks") {
		t.Errorf("got %q, want an error that allows line breaks", err)
	}
}
