package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// oneLine makes a text harmless in a header, a subject or a line of a mail: one line, no controls, nothing invisible that
// turns the direction of what follows, white space collapsed, and at most limit characters.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case invisible(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(strings.Join(strings.Fields(s), " "), limit)
}

// invisible reports the characters that a reader does not see and that change how others are read: marks, embeddings,
// overrides and isolates of direction, and spaces without width. The joiners that hold an emoji together are not among them.
func invisible(r rune) bool {
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

// textWidth is how long the lines of a text body get where they can be broken.
const textWidth = 76

// wrap breaks a text at spaces into lines of at most width characters; a longer word, such as an address, stays whole.
func wrap(s string, width int) (lines []string) {
	line, length := "", 0
	for _, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
			line, length = word, n
		case length+1+n <= width:
			line, length = line+" "+word, length+1+n
		default:
			lines = append(lines, line)
			line, length = word, n
		}
	}
	if length > 0 {
		lines = append(lines, line)
	}
	return lines
}
