// Package input holds the rules for typed text: a line, a message of several lines, a list, an email address. Accepted
// text is trimmed, valid UTF-8 and free of invisible characters, so it fits into mail headers, pages and tables.
package input

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"marketplace/shared/fault"
)

// Line reads one line of at most limit characters; an empty one is fine. The field's Policy says what happens to
// invisible characters; tabs and other blanks become spaces. What it refuses is an Invalid fault whose sentence begins
// with what, such as "The company".
func Line(field, what, s string, limit int) (string, error) {
	s, err := visible(field, what, s, blank)
	switch {
	case err != nil:
		return "", err
	case strings.ContainsFunc(s, isBreak):
		return "", fault.New(fault.Invalid, "%s contains line breaks. Write it on one line.", what)
	}
	return within(s, what, limit)
}

// maxLines is how many lines a text of several lines has at most.
const maxLines = 200

// Block reads a text of several lines and of at most limit characters; an empty one is fine. Its line breaks become LF,
// and of empty lines one after another one remains.
func Block(field, what, s string, limit int) (string, error) {
	s, err := visible(field, what, strings.ReplaceAll(s, "\r\n", "\n"), func(r rune) rune {
		if isBreak(r) {
			return '\n'
		}
		return r
	})
	if err != nil {
		return "", err
	}
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line != "" || len(lines) > 0 && lines[len(lines)-1] != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) > maxLines {
		return "", fault.New(fault.Invalid, "%s has %d lines. Shorten it to %d.", what, len(lines), maxLines)
	}
	return within(strings.TrimSpace(strings.Join(lines, "\n")), what, limit)
}

// visible maps the characters of a text, applies the field's policy and trims. Controls are refused, but for line
// breaks and tabs. A text that shows nothing is empty.
func visible(field, what, s string, mapped func(rune) rune) (string, error) {
	policy, known := Policy[field]
	if !known {
		return "", fault.New(fault.Internal, "input: no policy for the field %s", field)
	}
	if !utf8.ValidString(s) {
		return "", fault.New(fault.Invalid, "%s is not UTF-8 text.", what)
	}
	s = strings.TrimFunc(
		strings.Map(mapped, s),
		func(r rune) bool { return unicode.IsSpace(r) || IsInvisible(r) && !variation(r) },
	)
	shown := withoutInvisible(s, policy != Strip)
	if policy == Refuse && shown != s {
		return "", fault.New(fault.Invalid, "%s contains invisible characters. Delete it and type it again.", what)
	}
	if strings.ContainsFunc(shown, func(r rune) bool { return unicode.IsControl(r) && r != '\t' && !isBreak(r) }) {
		return "", fault.New(fault.Invalid, "%s contains control characters. Remove them.", what)
	}
	if shown = strings.TrimSpace(shown); !Visible(shown) {
		return "", nil
	}
	return shown, nil
}

func within(s, what string, limit int) (string, error) {
	if utf8.RuneCountInString(s) > limit {
		return "", fault.New(fault.Invalid, "%s is too long. Use at most %d characters.", what, limit)
	}
	return s, nil
}

// blank makes a space of every blank that is not one, such as the no-break space of a copied page.
func blank(r rune) rune {
	if r == '\t' || unicode.Is(unicode.Zs, r) {
		return ' '
	}
	return r
}

// isBreak reports the characters that end a line (UAX #14, BK, CR, LF, NL).
func isBreak(r rune) bool {
	switch r {
	case '\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// Fields parts a list as people type it or paste it: at commas, semicolons and white space, line breaks among it.
func Fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) })
}

// OneLine makes one line of what strangers wrote, for a header, a subject or a log of ours: no controls, nothing
// invisible, single blanks, and at most limit characters.
func OneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || isBreak(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(DropInvisible(s)), " ")
	if utf8.RuneCountInString(s) > limit {
		s = strings.TrimSpace(string([]rune(s)[:limit-1])) + "…"
	}
	return s
}

// Quote quotes typed text, shortened if it is long.
func Quote(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:60]) + "…"
	}
	return "“" + s + "”"
}

// clean is what is left of a typed text where it has to be ASCII: valid UTF-8 without anything invisible.
func clean(s string) string { return strings.TrimSpace(StripInvisible(strings.ToValidUTF8(s, ""))) }
