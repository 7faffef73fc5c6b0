package license

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEvaluateExplainsReasons(t *testing.T) {
	text, keys := signed(t, sample())
	got := Evaluate(text, Instance{
		Server: "0A1B2C3D-AWHW8w9JtzBzSrmf9GQY", Loc: 6_000_000, Edition: Enterprise,
		Plugins: []string{"license", "cobol", "rpg"},
		Now:     time.Date(2019, 3, 2, 0, 0, 0, 0, time.UTC),
	}, keys)
	want := []Reason{
		{WrongServer, "The key is for server 0A1B2C3D-AWHW8w9JtzBzSrmf9GQX, " +
			"but this server is 0A1B2C3D-AWHW8w9JtzBzSrmf9GQY.", "", "replacement"},
		{Expired, "The key has expired: its last day was 01 Mar 2019 (UTC).",
			"Ask us for a renewal, then install the new key.", "renewal"},
		{LocExceeded, "The server has 6'000'000 lines of code, but the key covers 5'000'000.", "", "upgrade"},
		{PluginNotCovered, "The key does not cover these installed plugins: cobol, rpg.",
			"Please uninstall cobol, rpg, or ask us for a license that covers this.", "upgrade"},
		{WrongEdition, "The key is for the Developer Edition, but the server has the Enterprise Edition.", "",
			"upgrade"},
	}
	if len(got.Reasons) != len(want) || got.Valid() || !got.Authentic() {
		t.Fatalf("%+v", got)
	}
	for i, r := range got.Reasons {
		if want[i].Remedy == "" {
			want[i].Remedy = r.Remedy
		}
		if r != want[i] {
			t.Errorf("got %+v,\nwant %+v", r, want[i])
		}
	}
}

func TestWrongEditionRemedyNamesThePackage(t *testing.T) {
	for _, tt := range []struct {
		licensed, installed Edition
		want                Reason
	}{
		{Developer, DataCenter, Reason{WrongEdition,
			"The key is for the Developer Edition, but the server has the Data Center Edition.",
			"Install the Developer Edition package, or ask us for a license for the Data Center Edition.", "upgrade"}},
		{Developer, Community, Reason{WrongEdition,
			"The key is for the Developer Edition, but the server runs without its package.",
			"Choose Upgrade at the Developer Edition on the server's Marketplace page, " +
				"or install the package manually, then install the key.", ""}},
		{DataCenter, Community, Reason{WrongEdition,
			"The key is for the Data Center Edition, but the server runs without its package.",
			"Install the Data Center Edition package manually on every application node, then set the key.", ""}},
		{Community, Enterprise, Reason{WrongEdition,
			"The key is for the Community Edition, but the server has the Enterprise Edition.",
			"Uninstall the Enterprise Edition package, or ask us for a license.", "upgrade"}},
	} {
		k := sample()
		k.Edition = tt.licensed
		text, keys := signed(t, k)
		if got := Evaluate(text, Instance{Edition: tt.installed}, keys).Reasons; !slices.Equal(got, []Reason{tt.want}) {
			t.Errorf("%s on %s: %+v", tt.licensed, tt.installed, got)
		}
	}
}

func TestExpiredEvaluationAsksForANewLicense(t *testing.T) {
	k := sample()
	k.Type = Evaluation
	text, keys := signed(t, k)
	got := Evaluate(text, Instance{Now: k.Expiration.End()}, keys)
	if len(got.Reasons) != 1 || got.Reasons[0].Request != "new" ||
		got.Reasons[0].Remedy != "Ask us for a license, then install the new key." {
		t.Errorf("%+v", got.Reasons)
	}
}

func TestKeyContentIsNotExpandedInSentences(t *testing.T) {
	k := sample()
	k.Kid = "test-1"
	text, _ := signed(t, k)
	got := Evaluate(text, Instance{Plugins: []string{"$2", "$1"}}, nil)
	if s := got.Reasons[1].Sentence; s != "The key does not cover these installed plugins: $2, $1." {
		t.Error(s)
	}
}

func TestOnlyAuthenticKeysAreBelieved(t *testing.T) {
	text, keys := signed(t, sample())
	for name, tt := range map[string]struct {
		text string
		keys KeySet
		want bool
	}{"ours": {text, keys, true}, "unknown Kid": {text, nil, false}, "cut": {text[:100], keys, false}} {
		if got := Evaluate(tt.text, Instance{Server: "20110407133530"}, tt.keys); got.Authentic() != tt.want {
			t.Errorf("%s: authentic %v, %v", name, got.Authentic(), got.Reasons)
		}
	}
}

func TestCodesAreListedInOrder(t *testing.T) {
	all := Codes()
	for i, c := range all {
		if slices.Index(all, c) != i {
			t.Errorf("%s is listed twice", c)
		}
	}
	if !Empty.Unreadable() || !WrongFormat.Unreadable() || UnknownKid.Unreadable() || Code("x").Unreadable() {
		t.Error("Unreadable is not of the texts that cannot be read")
	}
	if WrongEdition.Warning() || !ServerUpgraded.Warning() || !LocNearlyReached.Warning() || Code("x").Warning() {
		t.Error("Warning is not of the warnings")
	}
}

func TestLines(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1'000", 5_000_000: "5'000'000", -1234: "-1'234",
		9223372036854775807: "9'223'372'036'854'775'807", -9223372036854775808: "-9'223'372'036'854'775'808"} {
		if got := Lines(n); got != want {
			t.Errorf("Lines(%d) = %s, want %s", n, got, want)
		}
	}
}

// TestUnmangleUndoesRandomManglings puts a key through random manglings, one after the other.
func TestUnmangleUndoesRandomManglings(t *testing.T) {
	text, _ := signed(t, sample())
	every := func(s string, n int, by string) string {
		var out strings.Builder
		for ; len(s) > n; s = s[n:] {
			out.WriteString(s[:n] + by)
		}
		return out.String() + s
	}
	rapid.Check(t, func(t *rapid.T) {
		mangled := text
		if rapid.Bool().Draw(t, "unpadded") {
			mangled = strings.TrimRight(mangled, "=")
		}
		if rapid.Bool().Draw(t, "urlSafe") {
			mangled = strings.NewReplacer("+", "-", "/", "_").Replace(mangled)
		}
		width := rapid.IntRange(5, 100).Draw(t, "width")
		by := rapid.SampledFrom([]string{"", "\n", "\r\n", " ", "\n> ", "\r\n>> ", "=\n", "=\r\n", "<br>", "\u00a0",
			"\u200b", "<br/>\n", "&nbsp;", "\n\t"}).Draw(t, "by")
		mangled = every(mangled, width, by)
		before := rapid.SampledFrom([]string{"", "\ufeff", "Key: ", "> ", "<p>", "\"", "-----BEGIN-----\n",
			"Dear Ada,\nRm9ybWF0P is how it begins:\n"}).Draw(t, "before")
		after := rapid.SampledFrom([]string{"", "\n", "\n\nKind regards,\nBob", "</p>", "\"",
			"\n-----END-----"}).Draw(t, "after")
		if got, undone := Unmangle(before + mangled + after); got != text {
			t.Fatalf("Unmangle(%q) = %q, %v", before+mangled+after, got, undone)
		}
	})
}

func TestUnmangleChangesNoContent(t *testing.T) {
	for _, organization := range []string{"Acme", "Acme A", "Acme AG"} { // ends in every padding
		k := sample()
		k.Organization = organization
		text, keys := signed(t, k)
		for i := range text {
			for _, changed := range []string{text[:i] + "h" + text[i+1:], text[:i] + text[i+1:],
				text[:i] + "*" + text[i+1:], text[:i]} {
				got, undone := Unmangle(changed)
				if got == text && changed != text && len(undone) == 0 {
					t.Fatalf("%q was mended without a word", changed)
				}
				if _, err := Verify(got, keys); err == nil && got != text {
					t.Fatalf("%q became another key", changed)
				}
			}
		}
	}
}
