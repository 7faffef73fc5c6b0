package input

import (
	"strings"
	"unicode"

	"marketplace/shared/fault"
)

// MaxPhone is the longest telephone number, in characters.
const MaxPhone = 40

// Phone reads a telephone number: one line with some digits, however it is written. Dashes become hyphens and spaces
// blanks; an empty one is fine.
func Phone(s string) (string, error) {
	s, err := Line("phone", "The phone number", s, MaxPhone)
	if err != nil || s == "" {
		return "", err
	}
	digits := 0
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Pd, r), r == '\u2212', r == '\u2043':
			return '-'
		case unicode.IsDigit(r):
			digits++
		}
		return r
	}, s)
	if digits < 3 {
		return "", fault.New(fault.Invalid, "Enter a phone number, for example +41 22 555 01 23.")
	}
	return s, nil
}
