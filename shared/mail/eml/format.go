// Package eml is how messages look on the wire: it writes a mail.Message as MIME (RFC 5322, 2045 to 2049) and reads one
// back. Who carries it is mail/ses's and mail/outboxdir's affair.
package eml

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"marketplace/shared/lazyregexp"
	"marketplace/shared/mail"
)

var messageID = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9_-]{0,199}$`)

// ValidID reports whether a message may have the ID: it becomes a Message-ID and the name of a file.
func ValidID(id string) bool { return messageID().MatchString(id) }

// Format writes a message as MIME: text and HTML as alternatives, attachments beside them. All bodies are base64: what
// was signed or is to be copied, such as a license key, comes out byte for byte, where quoted-printable would put "=" into
// its lines (CLIENT-CONTRACT §5). The Message-ID comes from m.ID, so that the same message sent again bears the same one;
// SES puts its own in its place.
//
// A message that nobody would take, or whose fields would write further headers, is a mail.ErrRejected that names no
// address; a bad from is a mail.ErrSetup.
func Format(m mail.Message, from mail.Address, date time.Time) ([]byte, error) {
	sender, err := from.Mailbox()
	if err != nil {
		return nil, fmt.Errorf("eml: %w: the sender is %w", mail.ErrSetup, err)
	}
	if err := check(m); err != nil {
		return nil, fmt.Errorf("eml: %w: %w", mail.ErrRejected, err)
	}
	to, err := m.To.Mailbox()
	if err != nil {
		return nil, fmt.Errorf("eml: %w: the recipient is %w", mail.ErrRejected, err)
	}

	msg := gomail.NewMsg(gomail.WithEncoding(gomail.EncodingB64), gomail.WithCharset(gomail.CharsetUTF8), gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(sender)
	msg.ToMailAddress(to)
	if m.ReplyTo != (mail.Address{}) {
		replyTo, err := m.ReplyTo.Mailbox()
		if err != nil {
			return nil, fmt.Errorf("eml: %w: the address for replies is %w", mail.ErrRejected, err)
		}
		msg.ReplyToMailAddress(replyTo)
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(date.UTC())
	msg.SetMessageIDWithValue(m.ID + sender.Address[strings.LastIndexByte(sender.Address, '@'):])
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answering machine answers
	if m.Unsubscribe != "" {
		msg.SetListUnsubscribe(m.Unsubscribe)
		if strings.HasPrefix(m.Unsubscribe, "https:") {
			msg.SetListUnsubscribePost()
		}
	}
	msg.SetBodyString(gomail.TypeTextPlain, wireLines(m.TextBody()))
	if html := m.HTMLBody(); html != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, wireLines(html))
	}
	for _, a := range m.Attachments {
		msg.AttachReadSeeker(a.Name, bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(a.ContentType)))
	}
	var out bytes.Buffer
	if _, err := msg.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("eml: writing mail %s: %w", m.ID, err)
	}
	return out.Bytes(), nil
}

// wireLines ends lines with CR LF, as text has them on the wire whatever its encoding (RFC 2046 §4.1.1).
func wireLines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// unsubscribe takes the addresses that fit a header as they are.
var unsubscribe = lazyregexp.New(`^(mailto|https):[!-;=?-~]{1,900}$`)

var contentType = lazyregexp.New(`^[a-z]+/[a-z0-9.+-]+(; (charset|method)=[A-Za-z0-9-]+)*$`)

func check(m mail.Message) error {
	switch {
	case !ValidID(m.ID):
		return fmt.Errorf("the ID %q does not fit a header", m.ID)
	case strings.ContainsFunc(m.Subject, unicode.IsControl) || len(m.Subject) > 900:
		return fmt.Errorf("the subject does not fit a header")
	case strings.TrimSpace(m.Text) == "":
		return fmt.Errorf("it has no text")
	case m.Unsubscribe != "" && !unsubscribe().MatchString(m.Unsubscribe):
		return fmt.Errorf("the address to unsubscribe at does not fit a header")
	}
	for i, a := range m.Attachments {
		if !contentType().MatchString(a.ContentType) || a.Name == "" || len(a.Name) > 100 || strings.ContainsFunc(a.Name, unicode.IsControl) {
			return fmt.Errorf("the name or type of attachment %d does not fit a header", i+1)
		}
	}
	return nil
}
