// Package client reads a license key text as the open-source server does (client-contract.md §5): leniently, and only
// the edition and the plugins. Keys are read with it before they are sent, to see what the customer's server will
// read.
//
// It verifies neither the signature nor the terms; package license does.
package client

import (
	"strings"
	"unicode/utf8"

	"marketplace/shared/properties"
)

// License is what the server reads from a key.
type License struct {
	Edition string   // the edition's key as written: neither trimmed nor validated
	Plugins []string // distinct plugin keys as written, in order; at least one. "cpp, abap" contains " abap"
}

// Parse reads a key text. It reports false if the server would call the license invalid.
func Parse(text string) (License, bool) {
	props, err := properties.Parse(decodeUTF8(decodeBase64(trim(text))))
	if err != nil {
		return License{}, false
	}
	edition, _ := props.Get("Edition")
	list, _ := props.Get("Plugins")
	plugins := split(list)
	if strings.TrimFunc(edition, blank) == "" || len(plugins) == 0 {
		return License{}, false
	}
	return License{Edition: edition, Plugins: plugins}, true
}

// trim works as java.lang.String.trim: it drops characters up to the space, and no other white space.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// decodeBase64 accepts both alphabets, skips every other byte and stops at the first "=", wherever that is. Of the
// bits at the end, 6 are dropped, 12 give one byte and 18 give two.
func decodeBase64(s string) []byte {
	out := make([]byte, 0, len(s)/4*3+2)
	bits, sextets := uint32(0), 0
	for i := 0; i < len(s) && s[i] != '='; i++ {
		value, ok := sextet(s[i])
		if !ok {
			continue
		}
		bits = bits<<6 | value
		if sextets++; sextets == 4 {
			out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
			bits, sextets = 0, 0
		}
	}
	switch sextets {
	case 2:
		out = append(out, byte(bits>>4))
	case 3:
		out = append(out, byte(bits>>10), byte(bits>>2))
	}
	return out
}

func sextet(c byte) (uint32, bool) {
	switch {
	case 'A' <= c && c <= 'Z':
		return uint32(c - 'A'), true
	case 'a' <= c && c <= 'z':
		return uint32(c-'a') + 26, true
	case '0' <= c && c <= '9':
		return uint32(c-'0') + 52, true
	case c == '+' || c == '-':
		return 62, true
	case c == '/' || c == '_':
		return 63, true
	}
	return 0, false
}

// decodeUTF8 replaces malformed bytes by U+FFFD in the same portions as Java: an encoded surrogate is one portion,
// otherwise the bytes that could have begun a character are.
func decodeUTF8(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			size = malformed(b)
		}
		out.WriteRune(r)
		b = b[size:]
	}
	return out.String()
}

func malformed(b []byte) int {
	continues := func(i int) bool { return i < len(b) && b[i]&0xC0 == 0x80 }
	second := func(low, high byte) bool { return len(b) > 1 && low <= b[1] && b[1] <= high }
	switch c := b[0]; {
	case c == 0xE0 && !second(0xA0, 0xBF):
		return 1
	case c >= 0xE0 && c <= 0xEF && continues(1):
		if continues(2) {
			return 3
		}
		return 2
	case c == 0xF0 && second(0x90, 0xBF), c >= 0xF1 && c <= 0xF3 && continues(1), c == 0xF4 && second(0x80, 0x8F):
		if continues(2) {
			return 3
		}
		return 2
	}
	return 1
}

// split cuts at commas, drops empty pieces and keeps each piece once.
func split(list string) []string {
	var pieces []string
	seen := make(map[string]bool)
	for piece := range strings.SplitSeq(list, ",") {
		if piece != "" && !seen[piece] {
			seen[piece] = true
			pieces = append(pieces, piece)
		}
	}
	return pieces
}

// blank works as java.lang.Character.isWhitespace: it includes Unicode separators except non-breaking ones.
func blank(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', 0x1C, 0x1D, 0x1E, 0x1F, ' ', 0x1680, 0x2028, 0x2029, 0x205F, 0x3000:
		return true
	case 0x2007:
		return false
	}
	return 0x2000 <= r && r <= 0x200A
}
