package mail

import (
	"crypto/sha256"
	"encoding/hex"
	htmltemplate "html/template"
	"strings"

	"marketplace/shared/license"
)

// ReaderID ends the ID of a message that there is once for each reader: eight characters of the reader's address, in
// whatever case it is written.
func ReaderID(email string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(email)))
	return hex.EncodeToString(sum[:4])
}

// Readdressed is the same message to another reader, greeted by the other's name. Its ID is the message's with the ReaderID
// of the other at its end, in the place of the first reader's.
func (m Message) Readdressed(to license.Contact) Message {
	before, after := greeting(m.To.Name), greeting(to.Name)
	m.ID = strings.TrimSuffix(m.ID, "-"+ReaderID(m.To.Email)) + "-" + ReaderID(to.Email)
	m.To = Address{Name: oneLine(to.Name, maxName), Email: to.Email}
	m.Text = strings.Replace(m.Text, before, after, 1)
	m.HTML = strings.Replace(m.HTML, htmltemplate.HTMLEscapeString(before), htmltemplate.HTMLEscapeString(after), 1)
	return m
}
