package license

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"marketplace/shared/properties"
)

var day = Date{2018, 3, 1}

// sample returns a key that can be signed.
func sample() Key {
	return Key{
		Kid: "test-1", ID: "l1", Type: Production, Organization: "Acme AG", Server: "0A1B2C3D-AWHW8w9JtzBzSrmf9GQX",
		Edition: Developer,
		Plugins: []string{"license", "cpp"}, MaxLoc: 5_000_000, Expiration: day.AddMonths(12), Issued: day,
	}
}

// drawKey draws any key that the format can represent.
func drawKey(t *rapid.T) Key {
	id := rapid.StringMatching(`[A-Za-z0-9._-]{1,64}`)
	list := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9]{1,8}`), 0, 5, rapid.ID[string])
	date := rapid.Custom(func(t *rapid.T) Date {
		return Date{2000, 1, 1}.AddDays(rapid.IntRange(0, 40_000).Draw(t, "day"))
	})
	k := Key{
		Kid: id.Draw(t, "kid"), ID: id.Draw(t, "id"), Type: rapid.SampledFrom(Types).Draw(t, "type"),
		Organization: rapid.StringN(1, 60, -1).Draw(t, "organization"),
		Server: Server(rapid.SampledFrom([]string{"20110407133530", "1a2b3c4d5e6f708", "AWHW8w9JtzBzSrmf9GQX",
			"0A1B2C3D-AW-W8w9J_zBz-rmf9GQ-"}).Draw(t, "server")),
		Edition:   rapid.SampledFrom(Editions).Draw(t, "edition"),
		Plugins:   append([]string{"license"}, list.Draw(t, "plugins")...),
		Languages: list.Draw(t, "languages"), Features: list.Draw(t, "features"),
		MaxLoc:  rapid.Int64Min(1).Draw(t, "maxLoc"),
		Support: rapid.Bool().Draw(t, "support"),
		Issued:  date.Draw(t, "issued"), NotBefore: rapid.OneOf(rapid.Just(Date{}), date).Draw(t, "notBefore"),
		Expiration: date.Draw(t, "expiration"),
	}
	if k.Plugins[len(k.Plugins)-1] == "license" {
		k.Plugins = []string{"license"}
	}
	return k
}

func TestCanonicalTextReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKey(t)
		text := string(k.Canonical())
		got, err := parseCanonical(text)
		if err != nil || !got.Equal(k) {
			t.Fatalf("%q is read as %+v, %v", text, got, err)
		}
		want := 15 - btoi(len(k.Languages) == 0) - btoi(len(k.Features) == 0) - btoi(k.NotBefore.IsZero())
		if strings.Count(text, "\n") != want {
			t.Fatalf("%q has not %d lines", text, want)
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestDifferentKeysHaveDifferentCanonicalTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawKey(t)
		b := a
		other := drawKey(t)
		for _, change := range []func(){
			func() { b.Kid = other.Kid }, func() { b.ID = other.ID }, func() { b.Type = other.Type },
			func() { b.Organization = other.Organization },
			func() { b.Server = other.Server }, func() { b.Edition = other.Edition },
			func() { b.Plugins = other.Plugins }, func() { b.Languages = other.Languages },
			func() { b.Features = other.Features }, func() { b.MaxLoc = other.MaxLoc },
			func() { b.Support = other.Support },
			func() { b.NotBefore = other.NotBefore }, func() { b.Expiration = other.Expiration },
			func() { b.Issued = other.Issued },
		} {
			if rapid.Bool().Draw(t, "change") {
				change()
			}
		}
		if same := bytes.Equal(a.Canonical(), b.Canonical()); same != a.Equal(b) {
			t.Fatalf("same text: %v, for\n%+v\n%+v", same, a, b)
		}
	})
}

func TestOrganizationNeverBreaksALine(t *testing.T) {
	for _, name := range []string{
		"a\nServer=x", "a\r\nb", "a\\", "\\u0041", "C:\\users", "=", ":", "#", "!", " a", "a ", "\t", "\u0085",
		"\u2028", "\x00", "\x7f", "Zoë", "李小龍", "🦊",
		"\xff", "\xed\xa0\x80", "a\\\nb", "Signature=", "\nSignature=x\n", "\ufeff", "\u202e",
	} {
		k := sample()
		k.Organization = name
		text := string(k.Canonical())
		props, err := properties.Parse(text)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		want := strings.ToValidUTF8(name, "\ufffd")
		if !utf8.ValidString(name) {
			want = string([]rune(name)) // each byte by itself
		}
		if got, _ := props.Get("Organization"); got != want {
			t.Errorf("%q is read as %q", name, got)
		}
		for i := range len(text) {
			if c := text[i]; c != '\n' && (c < ' ' || c > '~') {
				t.Errorf("%q puts the byte %#x into the key", name, c)
			}
		}
		if strings.Count(text, "\n") != 12 {
			t.Errorf("%q breaks a line: %q", name, text)
		}
	}
}

func TestReadIsExact(t *testing.T) {
	text, _ := signed(t, sample())
	if k, err := Read(text); err != nil || !k.Equal(sample()) {
		t.Fatalf("%+v, %v", k, err)
	}
	for name, changed := range map[string]string{
		"space before": " " + text, "line end after": text + "\n", "wrapped": text[:76] + "\n" + text[76:],
		"cut":              text[:len(text)-4],
		"too much padding": text + "=",
	} {
		k, err := Read(changed)
		var reason Reason
		if !errors.As(err, &reason) || !reason.Code.Unreadable() {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
}

// TestNoOtherTextReadsAsTheKey changes each character of a text in turn.
func TestNoOtherTextReadsAsTheKey(t *testing.T) {
	text, keys := signed(t, sample())
	for i := range len(text) {
		for _, c := range []byte("Ax4/=\n") {
			changed := text[:i] + string(c) + text[i+1:]
			if changed == text {
				continue
			}
			if _, err := Verify(changed, keys); err == nil {
				t.Fatalf("with %q for character %d it is still verified", c, i)
			}
		}
		for _, changed := range []string{text[:i] + text[i+1:], text[:i], text[:i] + "A" + text[i:]} {
			if _, err := Verify(changed, keys); err == nil {
				t.Fatalf("%q is verified", changed)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	text, _ := signed(f, sample())
	f.Add(text)
	f.Add("Rm9ybWF0PTEK=")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := read(text)
		if err != nil {
			return
		}
		again := base64.StdEncoding.EncodeToString([]byte(string(d.key.Canonical()) + "Signature=" +
			d.signature.String() + "\n"))
		if again != text {
			t.Errorf("%q was read, and is written %q", text, again)
		}
	})
}

// FuzzParseCanonical reaches past the base64, which a fuzzer seldom gets right.
func FuzzParseCanonical(f *testing.F) {
	f.Add(string(sample().Canonical()))
	f.Fuzz(func(t *testing.T, text string) {
		if k, err := parseCanonical(text); err == nil && string(k.Canonical()) != text {
			t.Errorf("%q was read, and is written %q", text, k.Canonical())
		}
	})
}
