package mail

import (
	"errors"
	"net/mail"
	"strings"

	"marketplace/shared/input"
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

// Mailbox is the address as it goes onto the wire: the name on one line and cut where it is long, the domain in
// ASCII. What it refuses, input.Email refuses too; the error does not repeat the address.
func (a Address) Mailbox() (*mail.Address, error) {
	wire, err := input.Wire(a.Email)
	if err != nil {
		return nil, errors.New("not an email address that mail can be sent to")
	}
	// A backslash stands for itself nowhere in a header; not every reader undoes what net/mail writes for it.
	name := strings.ReplaceAll(input.OneLine(a.Name, MaxName), `\`, "/")
	return &mail.Address{Name: name, Address: wire}, nil
}
