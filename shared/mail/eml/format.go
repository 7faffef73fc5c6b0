// Package eml writes a mail.Message as MIME (RFC 5322, 2045 to 2049) and parses it again. mail/ses and mail/outboxdir
// send and store the result.
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

// ValidID reports whether an ID can become a Message-ID and a file name.
func ValidID(id string) bool { return messageID().MatchString(id) }

// Format writes a message as MIME: text and HTML as alternatives, then the attachments. All bodies are base64, so
// that license keys arrive byte for byte: quoted-printable would put "=" into their lines (client-contract.md §5).
// The Message-ID comes from m.ID, so that a repeated message has the same one; SES replaces it.
//
// Format omits an invalid ReplyTo. It returns mail.ErrRejected, without any address, for a message that no provider
// accepts or whose fields would inject headers, and mail.ErrSetup for an invalid from.
func Format(m mail.Message, from mail.Address, date time.Time) ([]byte, error) {
	sender, err := from.Mailbox()
	if err != nil {
		return nil, fmt.Errorf("eml: %w: sender is %w", mail.ErrSetup, err)
	}
	if err := check(m); err != nil {
		return nil, fmt.Errorf("eml: %w: %w", mail.ErrRejected, err)
	}
	to, err := m.To.Mailbox()
	if err != nil {
		return nil, fmt.Errorf("eml: %w: recipient is %w", mail.ErrRejected, err)
	}

	msg := gomail.NewMsg(gomail.WithEncoding(gomail.EncodingB64), gomail.WithCharset(gomail.CharsetUTF8),
		gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(sender)
	msg.ToMailAddress(to)
	if replyTo, err := m.ReplyTo.Mailbox(); err == nil { // a customer's typo must not stop a mail to sales
		msg.ReplyToMailAddress(replyTo)
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(date.UTC())
	msg.SetMessageIDWithValue(m.ID + sender.Address[strings.LastIndexByte(sender.Address, '@'):])
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: suppresses automatic replies
	setUnsubscribe(msg, m)
	msg.SetBodyString(gomail.TypeTextPlain, wireLines(m.TextBody()))
	if html := m.HTMLBody(); html != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, wireLines(html))
	}
	for _, a := range m.Attachments {
		msg.AttachReadSeeker(a.Name, bytes.NewReader(a.Data),
			gomail.WithFileContentType(gomail.ContentType(a.ContentType)))
	}
	var out bytes.Buffer
	if _, err := msg.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("eml: writing mail %s: %w", m.ID, err)
	}
	return out.Bytes(), nil
}

// setUnsubscribe writes List-Unsubscribe, an address a line and https first: mail programs take the first that they
// know. With an https address List-Unsubscribe-Post says that one POST to it is enough (RFC 8058 §3.1).
func setUnsubscribe(msg *gomail.Msg, m mail.Message) {
	var addresses []string
	for _, a := range []string{m.UnsubscribeURL, m.Unsubscribe} {
		if a != "" {
			addresses = append(addresses, "<"+a+">")
		}
	}
	if len(addresses) == 0 {
		return
	}
	// Written as it is: an encoded word, or a fold within an address, would break it.
	msg.SetGenHeaderPreformatted(gomail.HeaderListUnsubscribe, strings.Join(addresses, ",\r\n "))
	if m.UnsubscribeURL != "" {
		msg.SetListUnsubscribePost()
	}
}

// wireLines ends lines with CR LF, which MIME text requires in every encoding (RFC 2046 §4.1.1).
func wireLines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// These match addresses that fit a header unescaped: no space or angle bracket, and no comma, at which lists are split.
// RFC 8058 allows https alone; the local server has none.
var (
	mailtoAddress = lazyregexp.New(`^mailto:[!-+\--;=?-~]{1,900}$`)
	webAddress    = lazyregexp.New(`^(https://|http://(localhost|127\.0\.0\.1)[:/])[!-+\--;=?-~]{1,900}$`)
)

var contentType = lazyregexp.New(`^[a-z]+/[a-z0-9.+-]+(; charset=[A-Za-z0-9-]+)?$`)

func check(m mail.Message) error {
	switch {
	case !ValidID(m.ID):
		return fmt.Errorf("ID %q does not fit a header", m.ID)
	case strings.ContainsFunc(m.Subject, unicode.IsControl) || len(m.Subject) > 900:
		return fmt.Errorf("subject does not fit a header")
	case strings.TrimSpace(m.Text) == "":
		return fmt.Errorf("no text")
	case m.Unsubscribe != "" && !mailtoAddress().MatchString(m.Unsubscribe),
		m.UnsubscribeURL != "" && !webAddress().MatchString(m.UnsubscribeURL):
		return fmt.Errorf("unsubscribe address does not fit a header")
	}
	for i, a := range m.Attachments {
		if !contentType().MatchString(a.ContentType) || a.Name == "" || len(a.Name) > 100 ||
			strings.ContainsFunc(a.Name, unicode.IsControl) {
			return fmt.Errorf("name or type of attachment %d does not fit a header", i+1)
		}
	}
	return nil
}
