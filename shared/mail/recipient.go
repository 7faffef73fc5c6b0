package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"html"
	"strings"
	"unicode"

	"marketplace/shared/input"
	"marketplace/shared/license"
)

// GreetingSlot is where Message.Text and Message.HTML have the greeting: a control character (SUBSTITUTE), which
// input.OneLine removes from everything else that a message says.
const GreetingSlot = "\x1a"

// TextBody returns the text as it is sent, with the greeting in its place.
func (m Message) TextBody() string { return strings.ReplaceAll(m.Text, GreetingSlot, m.Greeting) }

// HTMLBody returns the HTML as it is sent, with the greeting in its place.
func (m Message) HTMLBody() string {
	return strings.ReplaceAll(m.HTML, GreetingSlot, html.EscapeString(m.Greeting))
}

// AddressedTo returns the message with c as its recipient, greeted by name.
func (m Message) AddressedTo(c license.Contact) Message {
	m.To = Address{Name: input.OneLine(c.Name, MaxName), Email: c.Email}
	m.Greeting = Greeting(c.Name)
	return m
}

// RecipientID returns the end of the ID of a message that exists once per recipient: eight characters of a hash of the
// mailbox, so that each spelling of an address has the same one.
func RecipientID(email string) string {
	sum := sha256.Sum256([]byte(input.Mailbox(email)))
	return hex.EncodeToString(sum[:4])
}

// Greeting returns the line that greets a person, by name where PersonName finds one.
func Greeting(name string) string {
	if name = PersonName(name); name != "" {
		return "Hello " + name + ","
	}
	return "Hello,"
}

// PersonName returns the name if it looks like a person's: letters, spaces, and the few signs that names have.
// Anything else, such as a web address or the text of an advertisement, gives "".
func PersonName(name string) string {
	name = input.OneLine(name, MaxName)
	runes := []rune(name)
	if len(runes) > 60 {
		return ""
	}
	for i, r := range runes {
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r), r == ' ', r == '-', r == '\'', r == '’', r == '\u200D',
			r == '\u200C':
		case r == '.' && (i == len(runes)-1 || runes[i+1] == ' '):
		default:
			return ""
		}
	}
	return name
}
