// Package token makes, reads and compares the secret tokens that links, forms and cookies carry. Each Kind has a row in
// infra/docs/tokens.md: what it opens, for how long and who gets it. Where a token is kept is left to its user.
package token

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
)

// Kind is what a token is for. Its methods do the same for every kind: a search for a kind's name finds who makes,
// reads and compares its tokens.
type Kind string

// The tokens of requests and of the mails to their customers.
const (
	Form         Kind = "form"         // the form's own idempotency key
	Status       Kind = "status"       // the private link to a request
	Confirmation Kind = "confirmation" // confirms a request's mailbox
	Renewal      Kind = "renewal"      // the bound link of a reminder
	Answer       Kind = "answer"       // a contact's yes or no
	Undo         Kind = "undo"         // takes a removed contact back
)

// The tokens of the customer's account.
const (
	AccountLink Kind = "account-link" // opens the form in which the code of a sign-in is typed
)

// The tokens of the console.
const (
	SignIn  Kind = "sign-in" // ties a sign-in to the browser that began it
	Session Kind = "session" // names a session
	Package Kind = "package" // the unguessable part of a custom package's address
)

// Kinds are all kinds.
var Kinds = []Kind{Form, Status, Confirmation, Renewal, Answer, Undo, AccountLink, SignIn, Session, Package}

// Length is the length of a token in characters: 130 random bits in base32 (RFC 4648 §6).
const Length = 26

// New returns a new token: Length capitals and digits.
func (Kind) New() string { return rand.Text() }

// NewCode returns a code of six digits, which a person types. It is no token: whoever may try a million of them has it,
// so it counts only together with a token, and a few tries end that.
func NewCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic("token: " + err.Error()) // it never fails
	}
	return fmt.Sprintf("%06d", n)
}

// Read returns the token in a link as mail programs and people pass it on: in any case of letters, with characters that
// surrounded the link, and with remains of quoted-printable (RFC 2045 §6.7). What is no token yields some other text.
func (Kind) Read(s string) string {
	s = strings.ToUpper(s)
	whole, rest := characters(s), characters(strings.ReplaceAll(s, "=3D", ""))
	switch {
	case len(whole) == Length: // 3D in it is its own, even behind the = of a soft line break
		return whole
	case len(rest) != Length && len(whole) == Length+2: // from token=3D…, of which the = is lost
		return strings.TrimPrefix(whole, "3D")
	}
	return rest
}

// characters returns those of a text that a token can have.
func characters(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' || '2' <= r && r <= '7' {
			return r
		}
		return -1
	}, s)
}

// Same reports whether two tokens are the same, in a time that does not depend on where they differ. No token, "", is
// never the same.
func (Kind) Same(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
