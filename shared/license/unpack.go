package license

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// packedStart is the beginning of a key in base64 twice.
const packedStart = "Um05eWJXRjBQ"

// maxParts is the most parts of an email that are read, in all its layers.
const maxParts = 50

// unpack returns texts that a pasted text contains in another form: the parts of a saved email, and the content of a
// second layer of base64.
func unpack(pasted string) (texts []string) {
	if m, err := mail.ReadMessage(strings.NewReader(strings.TrimLeft(pasted, whitespace+"\ufeff"))); err == nil &&
		(m.Header.Get("Content-Type") != "" || m.Header.Get("Mime-Version") != "" || m.Header.Get("Message-Id") != "") {
		left := maxParts
		texts = parts(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, &left)
	}
	tokens := scan(pasted, false)
	if start := tokens.find(0, packedStart); start >= 0 {
		texts = append(texts, string(decode(tokens[start:].characters())))
	}
	return texts
}

// characters returns the characters of base64 up to the first other one.
func (l tokenList) characters() string {
	var out strings.Builder
	for _, t := range l {
		if t.char == 0 || t.char == '=' {
			break
		}
		out.WriteByte(t.char)
	}
	return out.String()
}

// parts returns the texts of a part of an email (RFC 2045, RFC 2046), including attachments and attached emails.
func parts(contentType, encoding string, body io.Reader, left *int) (texts []string) {
	if *left--; *left < 0 {
		return nil
	}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	kind, parameters, _ := mime.ParseMediaType(contentType)
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		r := multipart.NewReader(body, parameters["boundary"])
		for {
			p, err := r.NextRawPart()
			if err != nil {
				return texts
			}
			texts = append(texts, parts(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p,
				left)...)
		}
	case kind == "message/rfc822":
		m, err := mail.ReadMessage(body)
		if err != nil {
			return nil
		}
		return parts(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, left)
	}
	text, _ := io.ReadAll(body) // for a broken part, as much as could be read
	return []string{string(text)}
}
