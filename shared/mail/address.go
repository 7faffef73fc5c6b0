package mail

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Address is a mailbox.
type Address struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

// AddressOf converts an address of the configuration.
func AddressOf(a mail.Address) Address { return Address{Name: a.Name, Email: a.Address} }

// MaxName is the longest name of a person or company in a header, in characters.
const MaxName = 100

// Mailbox returns the address for a header: the name on one line and of at most MaxName characters, the domain in ASCII
// (RFC 5891). Addresses that no provider accepts are errors that do not repeat the address: with line breaks, without a
// domain, or with letters beyond ASCII before the @, which SES does not support.
func (a Address) Mailbox() (*mail.Address, error) {
	parsed, err := mail.ParseAddress(a.Email)
	if err != nil || parsed.Name != "" || parsed.Address != a.Email || strings.ContainsFunc(a.Email, unfit) {
		return nil, fmt.Errorf("not an email address")
	}
	at := strings.LastIndexByte(a.Email, '@')
	local, domain := a.Email[:at], a.Email[at+1:]
	if strings.ContainsFunc(local, func(r rune) bool { return r > unicode.MaxASCII }) {
		return nil, fmt.Errorf("an email address with letters beyond ASCII before the @")
	}
	if domain, err = idna.Lookup.ToASCII(domain); err != nil {
		return nil, fmt.Errorf("an email address with an impossible domain")
	}
	// net/mail escapes a backslash in a header, and not every mail program unescapes it.
	name := strings.ReplaceAll(OneLine(a.Name, MaxName), `\`, "/")
	return &mail.Address{Name: name, Address: local + "@" + domain}, nil
}

func unfit(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || Invisible(r) }
