package customer

import (
	"slices"
	"strings"
	"testing"
)

func TestWordsLeaveOutLegalForms(t *testing.T) {
	for name, want := range map[string]string{
		"Example GmbH": "example", "Example AG": "example", "Example, Inc.": "example", "Example Ltd.": "example",
		"Example L.L.C.": "example", "Example S.A.": "example", "Example SARL": "example", "Example S.à r.l.": "example",
		"Example S.r.l.": "example", "Example B.V.": "example", "Example Oy": "example", "Example AB": "example",
		"Example A/S": "example", "Example Kft.": "example", "Example Sp. z o.o.": "example", "Example sp. z oo": "example",
		"Example PLC": "example", "Example Co., Ltd.": "example", "Example Corp.": "example", "Example e.V.": "example",
		"Example GmbH & Co. KG": "example", "AB Example": "example", "Example S.p.A.": "example", "Example Pty Ltd": "example",
		"Example d.o.o.": "example", "Example a.s.": "example", "Example Aktiengesellschaft": "example",
		"Müller & Söhne GmbH": "muller sohne", "Mueller & Soehne": "muller sohne", "Łódź Œuvre": "lodz ouvre",
		"Beauty Spa": "beauty spa", "EV Charging": "ev charging", "Sp Motors": "motors", "Acme Cobra": "acme cobra",
		"Agrar Holding": "agrar holding", "Johnson & Johnson": "johnson", "U.S. Steel": "steel", "Ærø A/S": "aro",
		// A name of nothing else.
		"AG": "ag", "SA Co": "sa co", "A/S": "", "": "", "!!": "", "GmbH X": "gmbh", "S.A. de C.V.": "de",
		"one two three four five six seven": "one two three four five six", "三菱電機": "三菱電機",
	} {
		if got := strings.Join(Words(name), " "); got != want {
			t.Errorf("Words(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestPersonWordsAreFirstAndLast(t *testing.T) {
	for name, want := range map[string]string{
		"Ana Example": "ana example", "Ana Maria de la Example": "ana example", "Ana": "ana", "": "", "J. R. Example": "example",
		"Mr Co": "mr co", "Jürgen Müller-Lüdenscheidt": "jurgen ludenscheidt", "Example, Ana": "example ana",
	} {
		if got := strings.Join(PersonWords(name), " "); got != want {
			t.Errorf("PersonWords(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSameNameKnowsSpellings(t *testing.T) {
	same := [][]string{
		{"Example AG", "EXAMPLE", "example ag.", " Example  A.G.", "Example, AG", "Ex-ample", "Éxample GmbH", "Exam ple Ltd", "Example A/S"},
		{"Müller & Söhne", "Mueller und Soehne GmbH", "Muller Sohne", "MÜLLER AND SÖHNE"},
		{"X Corp", "X", "x Inc."}, {"Y Corp"}, {"AG"}, {"GmbH"}, {"Example Bank AG"}, {"Example Two"}, {"三菱電機"},
		{"Straße AG", "STRASSE"},
	}
	for i, group := range same {
		for _, a := range group {
			for j, others := range same {
				for _, b := range others {
					if got := SameName(a, b); got != (i == j) {
						t.Errorf("SameName(%q, %q) = %v", a, b, got)
					}
				}
			}
		}
	}
	if SameName("", "") || SameName("…", "!") {
		t.Error("names without a letter are the same")
	}
}

func FuzzWords(f *testing.F) {
	for _, seed := range []string{"Example GmbH", "S.p.A.", "Sp. z o.o.", "\xff", "Ⅷ ㈱ e.V.", "a/b.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		words := Words(name)
		if len(words) > maxWords {
			t.Fatalf("Words(%q) = %q, more than %d", name, words, maxWords)
		}
		for _, w := range words {
			if len([]rune(w)) < 2 {
				t.Fatalf("Words(%q) = %q, one of them too short for its row", name, words)
			}
		}
		if again := Words(strings.ToUpper(strings.Join(words, " "))); len(words) > 1 && len(again) == 0 {
			t.Fatalf("Words(%q) = %q, which finds nothing", name, words)
		}
		if NameKey(name) != "" && !SameName(name, name) || slices.Contains(words, "") {
			t.Fatalf("%q is not its own name", name)
		}
	})
}
