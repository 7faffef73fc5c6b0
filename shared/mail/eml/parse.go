package eml

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"time"

	"marketplace/shared/mail"
)

// Parsed is a message parsed from MIME.
type Parsed struct {
	mail.Message // without ID, Kind, About and Greeting, which MIME does not have
	Header       netmail.Header
	From         mail.Address
	Date         time.Time // UTC
}

// maxDepth is how deep multiparts may be nested.
const maxDepth = 4

// Parse reads a message that Format wrote: UTF-8, addresses and subject decoded, lines of text ending in \n. A
// truncated multipart message is an error.
func Parse(r io.Reader) (Parsed, error) {
	msg, err := netmail.ReadMessage(r)
	if err != nil {
		return Parsed{}, fmt.Errorf("eml: reading headers: %w", err)
	}
	m := Parsed{Header: msg.Header}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		return Parsed{}, fmt.Errorf("eml: subject: %w", err)
	}
	for name, a := range map[string]*mail.Address{"From": &m.From, "To": &m.To, "Reply-To": &m.ReplyTo} {
		if *a, err = address(msg.Header, name); err != nil {
			return Parsed{}, fmt.Errorf("eml: %s: %w", name, err)
		}
	}
	if m.Date, err = msg.Header.Date(); err != nil {
		return Parsed{}, fmt.Errorf("eml: date: %w", err)
	}
	m.Date = m.Date.UTC()
	for address := range strings.SplitSeq(msg.Header.Get("List-Unsubscribe"), ",") {
		address = strings.Trim(address, "<> ")
		if strings.HasPrefix(address, "http") {
			m.UnsubscribeURL = address
		} else {
			m.Unsubscribe = address
		}
	}
	if err := m.part(textproto.MIMEHeader(msg.Header), msg.Body, maxDepth); err != nil {
		return Parsed{}, fmt.Errorf("eml: %w", err)
	}
	return m, nil
}

// address returns the first mailbox of a header; the zero Address without that header.
func address(h netmail.Header, name string) (mail.Address, error) {
	if h.Get(name) == "" {
		return mail.Address{}, nil
	}
	list, err := h.AddressList(name)
	if err != nil {
		return mail.Address{}, err
	}
	return mail.Address{Name: list[0].Name, Email: list[0].Address}, nil
}

// part reads a part and its nested parts, at most left levels deep.
func (m *Parsed) part(h textproto.MIMEHeader, body io.Reader, left int) error {
	typ, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("content type: %w", err)
	}
	if strings.HasPrefix(typ, "multipart/") {
		if left == 0 {
			return fmt.Errorf("multiparts are nested too deep")
		}
		whole, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		// multipart.Reader does not report an end within the headers of a part.
		if !bytes.Contains(whole, []byte("--"+params["boundary"]+"--")) {
			return fmt.Errorf("%s: %w", typ, io.ErrUnexpectedEOF)
		}
		parts := multipart.NewReader(bytes.NewReader(whole), params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return fmt.Errorf("next part: %w", err)
			}
			if err := m.part(p.Header, p, left-1); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("part of type %s: %w", typ, err)
	}
	disposition, file, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	switch {
	case err == nil && disposition == "attachment":
		name, err := new(mime.WordDecoder).DecodeHeader(file["filename"])
		if err != nil {
			return fmt.Errorf("name of an attachment: %w", err)
		}
		delete(params, "name")
		m.Attachments = append(m.Attachments,
			mail.Attachment{Name: name, ContentType: mime.FormatMediaType(typ, params), Data: data})
	case typ == "text/plain":
		m.Text = strings.ReplaceAll(string(data), "\r\n", "\n")
	case typ == "text/html":
		m.HTML = strings.ReplaceAll(string(data), "\r\n", "\n")
	default:
		return fmt.Errorf("part of unexpected type %q", typ)
	}
	return nil
}
