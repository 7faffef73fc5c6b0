package input

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"marketplace/shared/fault"
)

func TestLineRefusesControlsAndLineBreaks(t *testing.T) {
	for _, bad := range []string{"a\r\nBcc: b", "a\nb", "a\x00b", "a\x1bb", "a\u2028b", "a\x85b", "a\u0085b", "a\vb", "\xff"} {
		if got, err := Line("name", "The name", bad, 100); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Line(%q) = %q, %v, want an Invalid fault", bad, got, err)
		}
	}
	for _, good := range []string{"", "Ada Lovelace", `"><script>alert(1)</script>`, "李小龍", "Zoë 🦊", "=1+1"} {
		if got, err := Line("name", "The name", good, 100); err != nil || got != good {
			t.Errorf("Line(%q) = %q, %v", good, got, err)
		}
	}
}

func TestLineMakesSpacesOfOtherBlanks(t *testing.T) {
	for typed, want := range map[string]string{
		"Ana\u00a0Example": "Ana Example", "Ana\tExample": "Ana Example", "\u2003Ana\u202fExample\u3000": "Ana Example", "\r\nAna\r\n": "Ana",
	} {
		if got, err := Line("name", "The name", typed, 100); err != nil || got != want {
			t.Errorf("Line(%q) = %q, %v, want %q", typed, got, err, want)
		}
	}
}

// TestInvisibleCharactersByField holds the one table: what becomes of each invisible character, at the ends and inside.
func TestInvisibleCharactersByField(t *testing.T) {
	hidden := map[string]string{
		"soft hyphen": "\u00ad", "grapheme joiner": "\u034f", "Arabic letter mark": "\u061c", "Hangul filler": "\u3164",
		"Hangul choseong filler": "\u115f", "halfwidth filler": "\uffa0", "Khmer vowel": "\u17b4", "vowel separator": "\u180e",
		"zero-width space": "\u200b", "non-joiner": "\u200c", "joiner": "\u200d", "left-to-right mark": "\u200e",
		"right-to-left mark": "\u200f", "embedding": "\u202a", "pop": "\u202c", "override": "\u202e", "word joiner": "\u2060",
		"isolate": "\u2066", "pop isolate": "\u2069", "deprecated": "\u206a", "Braille blank": "\u2800", "byte order mark": "\ufeff",
		"annotation": "\ufff9", "tag": "\U000e0041", "language tag": "\U000e0001", "variation selector": "\ufe0f",
	}
	for field, policy := range Policy {
		for name, c := range hidden {
			if got, err := Line(field, "It", c+"AB"+c, 100); err != nil && policy != Refuse ||
				err == nil && got != "AB" {
				t.Errorf("%s: %s at the ends: got %q, %v, want AB", field, name, got, err)
			}
			got, err := Line(field, "It", "A"+c+"B", 100)
			if policy == Refuse && fault.KindOf(err) != fault.Invalid ||
				policy != Refuse && (err != nil || got != "AB") {
				t.Errorf("%s: %s inside: got %q, %v", field, name, got, err)
			}
			if got, err := Line(field, "It", c+c, 100); err == nil && got != "" {
				t.Errorf("%s: %s alone: got %q, want nothing", field, name, got)
			}
		}
	}
}

func TestJoinersThatASpellingNeedsStay(t *testing.T) {
	for _, s := range []string{"👩\u200d👩\u200d👧", "❤\ufe0f Health", "می\u200cخواهم", "क्\u200dष", "ශ්\u200dරී ලංකා", "葛󠄀城"} {
		for _, field := range []string{"name", "company", "message", "organization"} {
			if got, err := Line(field, "It", s, 100); err != nil || got != s {
				t.Errorf("%s: Line(%+q) = %+q, %v, want it unchanged", field, s, got, err)
			}
		}
	}
}

func TestFieldWithoutPolicyIsAnInternalFault(t *testing.T) {
	if _, err := Line("colour", "The colour", "red", 10); fault.KindOf(err) != fault.Internal {
		t.Errorf("got %v, want an Internal fault", err)
	}
}

func TestFieldsPartsAListAsItIsTyped(t *testing.T) {
	want := []string{"a@b.example", "c@d.example", "e-f_g"}
	for _, typed := range []string{
		"a@b.example c@d.example e-f_g", "a@b.example,c@d.example;e-f_g", " a@b.example ,\r\n\tc@d.example;\n e-f_g, ;",
		"a@b.example\u00a0c@d.example\u2003e-f_g",
	} {
		if got := Fields(typed); !slices.Equal(got, want) {
			t.Errorf("Fields(%q) = %q, want %q", typed, got, want)
		}
	}
	if got := Fields(" ,;\n"); len(got) > 0 {
		t.Errorf("got %q, want an empty list", got)
	}
}

func TestLimitsCountCharacters(t *testing.T) {
	if _, err := Line("name", "The name", strings.Repeat("é", 100), 100); err != nil {
		t.Errorf("100 characters: %v", err)
	}
	if _, err := Line("name", "The name", strings.Repeat("é", 101), 100); err == nil {
		t.Error("101 characters were accepted")
	}
}

func TestBlockKeepsLines(t *testing.T) {
	for typed, want := range map[string]string{
		" one\r\ntwo\n\tthree ":                       "one\ntwo\n\tthree",
		"one\rtwo\vthree\u2028four":                   "one\ntwo\nthree\nfour",
		"one\n\n\n\ntwo" + strings.Repeat("\n", 4000): "one\n\ntwo",
		"one  \n \u200b\n \n two":                     "one\n\n two",
		"\ufeffone\u200b":                             "one",
	} {
		if got, err := Block("message", "The message", typed, 100); err != nil || got != want {
			t.Errorf("Block(%.40q) = %q, %v, want %q", typed, got, err, want)
		}
	}
	if _, err := Block("message", "The message", strings.Repeat("x\n", 201), 4000); err == nil {
		t.Error("201 lines were accepted")
	}
	if _, err := Block("message", "The message", "a\x00b", 100); err == nil {
		t.Error("a control character was accepted")
	}
}

func TestAcceptedTextStaysAsItIsWhenReadAgain(t *testing.T) {
	fields := make([]string, 0, len(Policy))
	for f := range Policy {
		fields = append(fields, f)
	}
	slices.Sort(fields)
	text := rapid.StringOf(
		rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("a é\u200b\u200d\u202e\ufe0f👩❤\u00ad\u00a0\tमक\u094d"))),
	)
	rapid.Check(t, func(t *rapid.T) {
		field, typed := rapid.SampledFrom(fields).Draw(t, "field"), text.Draw(t, "typed")
		got, err := Line(field, "It", typed, 1000)
		if err != nil {
			return
		}
		if got != "" && !Visible(got) || !utf8.ValidString(got) {
			t.Fatalf("%q became %q, which shows nothing", typed, got)
		}
		if again, err := Line(field, "It", got, 1000); err != nil || again != got {
			t.Fatalf("%q became %q, and then %q, %v", typed, got, again, err)
		}
	})
}
