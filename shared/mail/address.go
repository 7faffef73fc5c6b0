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

// AddressOf is a mailbox as the configuration has it.
func AddressOf(a mail.Address) Address { return Address{Name: a.Name, Email: a.Address} }

// MaxName is how much of a person's or a company's name goes into a header, in characters.
const MaxName = 100

// Mailbox is the address as it goes onto the wire: the name on one line and cut where it is long, the domain in ASCII
// (RFC 5891). What no provider takes is an error that does not repeat it: line breaks and the like, a missing domain, and
// letters beyond ASCII before the @, for which SES has no way.
func (a Address) Mailbox() (*mail.Address, error) {
	parsed, err := mail.ParseAddress(a.Email)
	if err != nil || parsed.Name != "" || parsed.Address != a.Email || strings.ContainsFunc(a.Email, unfit) {
		return nil, fmt.Errorf("not an e-mail address")
	}
	at := strings.LastIndexByte(a.Email, '@')
	local, domain := a.Email[:at], a.Email[at+1:]
	if strings.ContainsFunc(local, func(r rune) bool { return r > unicode.MaxASCII }) {
		return nil, fmt.Errorf("an e-mail address with letters beyond ASCII before the @")
	}
	if domain, err = idna.Lookup.ToASCII(domain); err != nil {
		return nil, fmt.Errorf("an e-mail address with an impossible domain")
	}
	// A backslash stands for itself nowhere in a header; not every reader undoes what net/mail writes for it.
	name := strings.ReplaceAll(OneLine(a.Name, MaxName), `\`, "/")
	return &mail.Address{Name: name, Address: local + "@" + domain}, nil
}

func unfit(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || Invisible(r) }
