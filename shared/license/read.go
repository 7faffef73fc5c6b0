package license

import (
	"bytes"
	"encoding/base64"
	"strings"
)

const (
	keyStart      = "Rm9ybWF0P" // base64 of formatStart
	formatStart   = "Format="
	signatureLine = "\nSignature="
	whitespace    = " \t\r\n"
)

// document is a parsed key text.
type document struct {
	key       Key
	signed    []byte // the text before "Signature="
	signature signature
}

// Read reads a key text that matches the format exactly. It does not verify the signature. The error is a Reason whose
// code is Unreadable.
func Read(text string) (Key, error) {
	d, err := read(text)
	return d.key, err
}

// read follows the steps in testdata/README.md for authors of other readers. Their order decides which code a broken
// text gets.
func read(text string) (document, error) {
	if text == "" {
		return document{}, newReason(Empty)
	}
	n := 0
	for n < len(text) && isBase64(text[n]) {
		n++
	}
	incomplete := NotBase64 // the code of a text that ends too early
	if strings.Trim(text[n:], "=") == "" {
		incomplete = Truncated
	}
	switch {
	case !strings.HasPrefix(text, keyStart) && incomplete == Truncated:
		return document{}, newReason(WrongFormat, "it does not start like one")
	case !strings.HasPrefix(text, keyStart):
		return document{}, noKey()
	}

	raw := decode(text[:n])
	if line, _, ended := bytes.Cut(raw, []byte("\n")); !ended {
		return document{}, newReason(incomplete)
	} else if string(line) != formatStart+format {
		return document{}, newReason(UnknownFormat)
	}
	before, after, found := bytes.Cut(raw, []byte(signatureLine))
	encoded, rest, ended := bytes.Cut(after, []byte("\n"))
	if !found || !ended {
		return document{}, newReason(incomplete)
	}
	raw = raw[:len(raw)-len(rest)]
	if code := surroundingCode(text, base64.StdEncoding.EncodeToString(raw), rest); code != "" {
		return document{}, newReason(code)
	}

	d := document{signed: raw[:len(before)+1]}
	var err error
	if d.key, err = parseCanonical(string(d.signed)); err != nil {
		return document{}, newReason(WrongFormat, err.Error())
	}
	if d.signature, err = parseSignature(string(encoded)); err != nil {
		return document{}, newReason(WrongFormat, "its signature has the wrong format")
	}
	return d, nil
}

// noKey returns the reason for a text that is not a key at all, rather than a damaged one.
func noKey() Reason {
	r := newReason(NotBase64)
	r.Sentence = "This is not a license key: it does not begin with " + keyStart + "."
	return r
}

// surroundingCode says how a text differs from the key that it begins with; "" if it does not. rest is the decoded text
// after the key.
func surroundingCode(text, key string, rest []byte) Code {
	after, begins := strings.CutPrefix(text, key)
	switch {
	case text == key:
		return ""
	case bytes.HasPrefix(rest, []byte(formatStart)), begins &&
		strings.HasPrefix(strings.TrimLeft(after, whitespace), keyStart):
		return SeveralKeys
	case begins || len(rest) > 0:
		return TextAfterKey
	case strings.HasPrefix(key, text):
		return Truncated // its padding is missing
	}
	return NotBase64
}

// decode decodes base64 without padding. It drops a single character or bits that are left over.
func decode(chars string) []byte {
	if len(chars)%4 == 1 {
		chars = chars[:len(chars)-1]
	}
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(chars)))
	n, _ := base64.RawStdEncoding.Decode(raw, []byte(chars)) // only characters of base64: it cannot fail
	return raw[:n]
}

func isBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}
