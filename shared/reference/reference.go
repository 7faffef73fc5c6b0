// Package reference defines the short references by which people name customers, contracts and requests: C-7K3Q9F.
// They open pages of the console only. That no two are equal is left to shared/store.
package reference

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"marketplace/shared/input"
)

// Reference is a short reference: a Kind, a dash and six characters of Crockford's base 32, in capitals.
type Reference string

// Kind is what a reference names.
type Kind string

const (
	Customer Kind = "C"
	Contract Kind = "K"
	Request  Kind = "R"
)

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool { return k == Customer || k == Contract || k == Request }

// alphabet is Crockford's base 32: digits and capitals without I, L, O and U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// size is the number of characters after the dash; five bits each.
const size = 6

// New returns a reference of the kind, drawn from random. An error is that of random, or of a kind that does not exist.
func New(k Kind, random io.Reader) (Reference, error) {
	if !k.Valid() {
		return "", fmt.Errorf("reference: there is no kind %q", string(k))
	}
	var drawn [size]byte
	if _, err := io.ReadFull(random, drawn[:]); err != nil {
		return "", fmt.Errorf("reference: drawing one of kind %s: %w", k, err)
	}
	for i, b := range drawn {
		drawn[i] = alphabet[int(b)%len(alphabet)] // even: 32 divides 256
	}
	return Reference(string(k) + "-" + string(drawn[:])), nil
}

// Parse reads a text that is a reference and nothing else, as people type or paste it: in any case, with dashes, blanks
// or neither, in quotes, with a full stop behind it, with invisible characters, and with the letters O, I and L for the
// digits 0 and 1. ok is false for any other text.
func Parse(text string) (r Reference, ok bool) {
	if len(text) > maxText {
		return "", false
	}
	text = strings.TrimFunc(input.StripInvisible(text), surrounds)
	var read strings.Builder
	for i, c := range text {
		switch {
		case i > 0 && separates(c):
		case i == 0:
			read.WriteRune(unicode.ToUpper(c))
			read.WriteByte('-')
		default:
			c = character(c)
			if c == 0 {
				return "", false
			}
			read.WriteRune(c)
		}
	}
	r = Reference(read.String())
	return r, len(r) == len("C-")+size && Kind(r[:1]).Valid()
}

// maxText bounds the length, in bytes, of a text that can be a reference.
const maxText = 200

// Kind returns what the reference names; "" if it is none.
func (r Reference) Kind() Kind {
	k, rest, _ := strings.Cut(string(r), "-")
	if !Kind(k).Valid() || len(rest) != size || strings.Trim(rest, alphabet) != "" {
		return ""
	}
	return Kind(k)
}

// character returns the character of the alphabet that a typed one stands for; 0 for none.
func character(c rune) rune {
	if c > unicode.MaxASCII {
		return 0
	}
	switch c = unicode.ToUpper(c); {
	case c == 'O':
		return '0'
	case c == 'I', c == 'L':
		return '1'
	case !strings.ContainsRune(alphabet, c):
		return 0
	}
	return c
}

// surrounds reports the characters around a reference: quotes, brackets, blanks, a # and a full stop.
func surrounds(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }

// separates reports the characters inside a reference that do not count: dashes of any kind and blanks.
func separates(c rune) bool {
	return unicode.IsSpace(c) || unicode.Is(unicode.Pd, c) || c == '_' || c == '\u2212'
}
