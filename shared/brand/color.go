package brand

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Color is an opaque sRGB color. The zero value is none; black is refused with the other dark ones, see ParseColor.
type Color struct{ R, G, B uint8 }

// The backgrounds of site.css and of letters, on which the color and what follows from it have to be legible.
var (
	white    = Color{255, 255, 255}
	paper    = Color{0xee, 0xf1, 0xf4} // the darkest of the light ones
	darkCard = Color{0x25, 0x2d, 0x36} // the lightest of the dark ones
)

// Contrast ratios of WCAG 2.2.
const (
	enough = 4.5 // success criterion 1.4.3, level AA
	ample  = 7.0 // 1.4.6, level AAA: what is derived has it without losing anything
)

// ParseColor reads a color as "#0b5a87". White text has to be legible on it, and it on light backgrounds.
func ParseColor(text string) (Color, error) {
	digits, ok := strings.CutPrefix(text, "#")
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != 3 {
		return Color{}, errors.New("must be a color such as #0b5a87")
	}
	c := Color{b[0], b[1], b[2]}
	if c == (Color{}) {
		c = Color{1, 1, 1} // black, told from no color
	}
	if got := Contrast(c, paper); got < enough {
		return Color{}, fmt.Errorf("has a contrast of %.1f to the page's background; text needs %.1f: choose a "+
			"darker color", got, enough)
	}
	return c, nil
}

// String returns the color as CSS has it: "#0b5a87".
func (c Color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// IsZero reports whether there is no color.
func (c Color) IsZero() bool { return c == Color{} }

// Hover is the color of a button under the pointer.
func (c Color) Hover() Color { return c.mix(Color{}, 0.25) }

// Tint is a light background for the color.
func (c Color) Tint() Color {
	for share := 0.9; share < 1; share += 0.01 {
		if t := c.mix(white, share); Contrast(c, t) >= enough {
			return t
		}
	}
	return white
}

// OnDark is the color for text on a dark background.
func (c Color) OnDark() Color {
	for share := 0.0; share < 1; share += 0.02 {
		if light := c.mix(white, share); Contrast(light, darkCard) >= ample {
			return light
		}
	}
	return white
}

// DarkTint is a dark background for OnDark.
func (c Color) DarkTint() Color { return c.mix(Color{0x0f, 0x15, 0x1b}, 0.8) }

// mix returns the color with a share of another one.
func (c Color) mix(other Color, share float64) Color {
	part := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-share) + float64(b)*share)) }
	return Color{part(c.R, other.R), part(c.G, other.G), part(c.B, other.B)}
}

// Contrast returns the contrast ratio of two colors, from 1 to 21, as WCAG 2.2 defines it.
func Contrast(a, b Color) float64 {
	light, dark := a.luminance(), b.luminance()
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func (c Color) luminance() float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
