package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine makes text from anywhere harmless in a header, a subject or a line of a mail: one line, no controls, no
// invisible characters that change the writing direction, white space collapsed, and at most limit characters.
func OneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case Invisible(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(strings.Join(strings.Fields(s), " "), limit)
}

// Invisible reports characters without a glyph that change how others are read: marks, embeddings, overrides and
// isolates of direction, and spaces without width. The joiners that hold an emoji together are not among them.
func Invisible(r rune) bool {
	switch {
	case r == '\u061C', r == '\u200B', r == '\u200E', r == '\u200F', r == '\uFEFF',
		'\u202A' <= r && r <= '\u202E', '\u2060' <= r && r <= '\u206F':
		return true
	}
	return false
}

// cut shortens a text to at most limit characters.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:limit-1])) + "…"
}
