package input

import (
	"strings"
	"unicode"
)

// Invisible is what happens to invisible characters inside a text. At its ends they always go.
type Invisible int

const (
	// Strip removes all of them: the field is ASCII, and they came along with what was copied.
	Strip Invisible = iota
	// Drop removes them, but for the joiners that an emoji or a script needs.
	Drop
	// Refuse makes them an error: the text becomes part of a license key or of a mail header, so that nobody may
	// wonder what it says.
	Refuse
)

// Policy is what each field does about invisible characters, by the name of the field in forms and in JSON.
var Policy = map[string]Invisible{
	"email": Strip, "contacts": Strip, "serverId": Strip, "phone": Strip, "productVersion": Strip, "ncloc": Strip,
	"replaces": Strip, "idempotencyKey": Strip, "search": Strip,
	"name": Drop, "company": Drop, "country": Drop, "message": Drop,
	"organization": Refuse,
}

// invisible are the characters without a glyph: Unicode's Default_Ignorable_Code_Point, the annotation characters, and
// the blank of Braille. Controls and white space are not among them.
var invisible = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x00AD, 0x00AD, 1}, // soft hyphen
		{0x034F, 0x034F, 1}, // combining grapheme joiner
		{0x061C, 0x061C, 1}, // Arabic letter mark
		{0x115F, 0x1160, 1}, // Hangul fillers
		{0x17B4, 0x17B5, 1}, // Khmer inherent vowels
		{0x180B, 0x180F, 1}, // Mongolian variation selectors and vowel separator
		{0x200B, 0x200F, 1}, // zero-width space, joiners, marks of direction
		{0x202A, 0x202E, 1}, // embeddings and overrides of direction
		{0x2060, 0x206F, 1}, // word joiner, invisible operators, isolates of direction
		{0x2800, 0x2800, 1}, // blank of Braille
		{0x3164, 0x3164, 1}, // Hangul filler
		{0xFE00, 0xFE0F, 1}, // variation selectors
		{0xFEFF, 0xFEFF, 1}, // byte order mark
		{0xFFA0, 0xFFA0, 1}, // halfwidth Hangul filler
		{0xFFF0, 0xFFFB, 1}, // interlinear annotation
	},
	R32: []unicode.Range32{
		{0x1BCA0, 0x1BCA3, 1}, // shorthand format controls
		{0x1D173, 0x1D17A, 1}, // musical format controls
		{0xE0000, 0xE0FFF, 1}, // tags, variation selectors supplement
	},
}

const (
	zeroWidthNonJoiner = '\u200C'
	zeroWidthJoiner    = '\u200D'
)

// IsInvisible reports whether a character has no glyph of its own, such as a mark of direction or a zero-width space.
func IsInvisible(r rune) bool { return unicode.Is(invisible, r) }

// Visible reports whether a text shows anything at all.
func Visible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !IsInvisible(r) && !unicode.IsMark(r)
	})
}

// StripInvisible removes every invisible character.
func StripInvisible(s string) string { return withoutInvisible(s, false) }

// DropInvisible removes the invisible characters that change nothing but how others are read, and keeps the joiners and
// variation selectors of emoji and of the scripts that need them.
func DropInvisible(s string) string { return withoutInvisible(s, true) }

func withoutInvisible(s string, keepJoiners bool) string {
	if !strings.ContainsFunc(s, IsInvisible) {
		return s
	}
	runes := []rune(s)
	var kept []rune
	for i, r := range runes {
		if !IsInvisible(r) || keepJoiners && needed(r, kept, runes[i+1:]) {
			kept = append(kept, r)
		}
	}
	return string(kept)
}

// joining are the scripts whose spelling tells words apart by a joiner or its absence (Unicode, chapters 9 and 12 to
// 16).
var joining = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko, unicode.Mandaic, unicode.Devanagari,
	unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu,
	unicode.Kannada, unicode.Malayalam,
	unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Balinese, unicode.Javanese,
}

// needed reports whether an invisible character between what was kept and what follows is part of the spelling.
func needed(r rune, before, after []rune) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	switch {
	case variation(r):
		return pictograph(last) || unicode.Is(unicode.Han, last)
	case len(after) == 0 || r != zeroWidthJoiner && r != zeroWidthNonJoiner:
		return false
	case r == zeroWidthJoiner && (pictograph(last) || last == '\uFE0F') && pictograph(after[0]):
		return true
	}
	return unicode.In(last, joining...) && unicode.In(after[0], joining...)
}

// variation reports a variation selector, which chooses between two looks of the character before it.
func variation(r rune) bool { return 0xFE00 <= r && r <= 0xFE0F || 0xE0100 <= r && r <= 0xE01EF }

// pictograph reports whether a character is an emoji or one of the modifiers of its skin.
func pictograph(r rune) bool { return unicode.Is(unicode.So, r) || 0x1F3FB <= r && r <= 0x1F3FF }
