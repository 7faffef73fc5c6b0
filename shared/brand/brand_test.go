package brand

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestZeroBrandIsTheBuiltInOne(t *testing.T) {
	if b := (Brand{}).OrDefault(); b.Product != "SonarQube" || b.Vendor != "" || b.HasSupport() || !b.Color.IsZero() {
		t.Errorf("got %+v", b)
	}
	if b := (Brand{Product: "Acme Scan"}).OrDefault(); b.Product != "Acme Scan" {
		t.Errorf("got the product %q", b.Product)
	}
}

// TestAnyAcceptedColorIsLegible tries colors from all over the space: whichever the configuration accepts gives text
// that WCAG 2.2 AA accepts, in both color schemes.
func TestAnyAcceptedColorIsLegible(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		text := Color{rapid.Uint8().Draw(t, "r"), rapid.Uint8().Draw(t, "g"), rapid.Uint8().Draw(t, "b")}.String()
		c, err := ParseColor(text)
		if err != nil {
			return
		}
		accepted++
		pageOfSite, darkPaper := Color{0xf6, 0xf7, 0xf9}, Color{0x0f, 0x15, 0x1b}
		for what, pair := range map[string][2]Color{
			"a link on the page":               {c, pageOfSite},
			"a link on a card":                 {c, white},
			"a link on a tinted box":           {c, c.Tint()},
			"a button":                         {white, c},
			"a button under the pointer":       {white, c.Hover()},
			"a link on the dark page":          {c.OnDark(), darkPaper},
			"a link on a dark card":            {c.OnDark(), darkCard},
			"a link on a dark tinted box":      {c.OnDark(), c.DarkTint()},
			"a button of a letter in the dark": {Color{0x0b, 0x1a, 0x29}, c.OnDark()},
		} {
			if got := Contrast(pair[0], pair[1]); got < 4.5 {
				t.Errorf("%s: %s: got the contrast %.2f of %s and %s, want 4.5", text, what, got, pair[0], pair[1])
			}
		}
	})
	if accepted == 0 {
		t.Error("no color was accepted")
	}
}

func TestColorsThatNobodyCouldReadAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"#ffcc00": "choose a darker color",
		"#fff":    "such as #0b5a87",
		"0b5a87":  "such as #0b5a87",
		"#0b5a8g": "such as #0b5a87",
		"red":     "such as #0b5a87",
	} {
		if c, err := ParseColor(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; want an error with %q", text, c, err, want)
		}
	}
	if c, err := ParseColor("#000000"); err != nil || c.IsZero() {
		t.Errorf("black: got %v, %v", c, err)
	}
}

// TestContrastIsThatOfWCAG holds Contrast against values that the W3C's own pages give.
func TestContrastIsThatOfWCAG(t *testing.T) {
	for _, tt := range []struct {
		a, b     Color
		from, to float64
	}{
		{Color{}, white, 21, 21},
		{white, white, 1, 1},
		{Color{0x76, 0x76, 0x76}, white, 4.54, 4.55},
		{white, Color{0x77, 0x77, 0x77}, 4.47, 4.48},
	} {
		if got := Contrast(tt.a, tt.b); got < tt.from-1e-9 || got > tt.to+1e-9 {
			t.Errorf("%s on %s: got %.3f, want %.2f to %.2f", tt.a, tt.b, got, tt.from, tt.to)
		}
	}
}

func TestLogoIsFetchedFromItsOriginAlone(t *testing.T) {
	for address, want := range map[string]string{
		"":                                    "",
		"/packages/logo.svg":                  "",
		"https://cdn.vendor.example/logo.svg": "https://cdn.vendor.example",
	} {
		if got := (Brand{LogoURL: address}).ImageSource(); got != want {
			t.Errorf("%q: got %q, want %q", address, got, want)
		}
	}
	for address, ok := range map[string]bool{
		"https://cdn.vendor.example/logo.svg": true, "/logo.svg": true, "//cdn.vendor.example/logo.svg": false,
		"http://cdn.vendor.example/logo.svg": false, "javascript:alert(1)": false, "logo.svg": false,
		"https://cdn.example;script-src/x": false,
	} {
		if err := CheckLogo(address); (err == nil) != ok {
			t.Errorf("%q: got %v, want accepted %t", address, err, ok)
		}
	}
}

func TestNamesFitALineOfAPage(t *testing.T) {
	for name, ok := range map[string]bool{
		"SonarQube": true, "Müller & Söhne": true, "": true, "a\nb": false, "<b>": false, `"x"`: false,
		strings.Repeat("x", 61): false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: got %v, want accepted %t", name, err, ok)
		}
	}
}
