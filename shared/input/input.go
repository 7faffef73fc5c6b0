// Package input holds the rules for typed text: a line, a message of several lines, a list, an email address. Accepted
// text is trimmed, valid UTF-8 and free of invisible characters, so it fits into mail headers, pages and tables.
package input

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"marketplace/shared/fault"
	"marketplace/shared/lazyregexp"
)

// MaxEmail is the maximum length of an email address in characters: RFC 5321 §4.5.3.1.3 without the angle brackets.
const MaxEmail = 254

// Line accepts one line of at most limit characters; it may be empty. Its errors are Invalid faults whose sentence
// begins with what, such as "The company".
func Line(s, what string, limit int) (string, error) {
	return check(s, what, limit, Hidden, "control characters or line breaks")
}

// Block accepts a text of several lines and at most limit characters; it may be empty. It returns LF line breaks.
func Block(s, what string, limit int) (string, error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return check(s, what, limit, func(r rune) bool { return r != '\n' && r != '\t' && Hidden(r) }, "control characters")
}

func check(s, what string, limit int, refused func(rune) bool, names string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case !utf8.ValidString(s):
		return "", fault.New(fault.Invalid, "%s is not valid UTF-8 text.", what)
	case strings.ContainsFunc(s, refused):
		return "", fault.New(fault.Invalid, "%s contains %s. Remove them.", what, names)
	case utf8.RuneCountInString(s) > limit:
		return "", fault.New(fault.Invalid, "%s is too long. Use at most %d characters.", what, limit)
	}
	return s, nil
}

// Fields splits a typed or pasted list at commas, semicolons and white space, including line breaks.
func Fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) })
}

// Hidden reports invisible characters that change what others read: controls, line separators and bidirectional marks.
func Hidden(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r &&
		r <= '\u2069'
}

// label matches a domain label. A quantifier after it applies to all but its first character.
const label = `[\p{L}\p{N}]([\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])`

// These match addresses that mail can reach: an unquoted ASCII local part, since SES accepts no other, and a domain of
// IDNA labels. Whether the mailbox exists is known only after sending.
var (
	localPart = lazyregexp.New("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$")
	domain    = lazyregexp.New(`^(` + label + `?\.)+` + label + `+$`)
)

// Email accepts a bare email address, without a name or angle brackets, whose domain has a dot.
func Email(s string) (string, error) {
	s, err := Line(s, "The email address", MaxEmail)
	if err != nil {
		return "", err
	}
	if s == "" {
		return "", fault.New(fault.Invalid, "Enter an email address, for example name@example.com.")
	}
	at := strings.LastIndexByte(s, '@')
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || !domain().MatchString(s[at+1:]) {
		return "", fault.New(fault.Invalid, "%s is not an email address. Enter one like name@example.com.", Quote(s))
	}
	if !localPart().MatchString(s[:at]) {
		return "", fault.New(fault.Invalid,
			"We cannot send email to %s because of the characters before the @. Enter another address.", Quote(s))
	}
	return s, nil
}

// Quote quotes typed text, shortened if it is long.
func Quote(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:60]) + "…"
	}
	return "“" + s + "”"
}
