// Package input holds the rules for what people type, wherever it is typed: a line, a message of several lines, a list, an
// e-mail address. What passes is trimmed, valid UTF-8 and holds no character that a reader does not see, so that it can stand in
// a mail's header, a page and a table.
package input

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"marketplace/shared/fault"
	"marketplace/shared/lazyregexp"
)

// MaxEmail is how long an e-mail address may be, in characters: RFC 5321 §4.5.3.1.3, less the angle brackets.
const MaxEmail = 254

// Line takes one line of at most limit characters; an empty one is fine. What it refuses is an Invalid fault whose sentence
// begins with what, such as "The company".
func Line(s, what string, limit int) (string, error) {
	return check(s, what, limit, Hidden, "control characters or line breaks")
}

// Block takes a text of several lines and of at most limit characters; an empty one is fine. Its line breaks come out
// as LF.
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

// Fields parts a list as people type it or paste it: at commas, semicolons and white space, line breaks among it.
func Fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) })
}

// Hidden reports characters that a reader does not see and that change what others read: controls, line separators, and
// the marks that turn the direction of writing.
func Hidden(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

// An address that mail can be sent to everywhere: its local part is ASCII and not quoted, since SES takes no other, and its
// domain is of labels as IDNA knows them. Whether there is such a mailbox, only sending tells.
var (
	localPart = lazyregexp.New("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$")
	domain    = lazyregexp.New(`^([\p{L}\p{N}]([\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?\.)+[\p{L}\p{N}]([\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])+$`)
)

// Email takes a bare e-mail address, without a name and without angle brackets, whose domain has a dot.
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
		return "", fault.New(fault.Invalid, "We cannot send email to %s because of the characters before the @. Enter another address.", Quote(s))
	}
	return s, nil
}

// Quote shows what was typed, cut where it is long.
func Quote(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:60]) + "…"
	}
	return "“" + s + "”"
}
