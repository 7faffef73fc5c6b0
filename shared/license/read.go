package license

import (
	"bytes"
	"encoding/base64"
	"strings"
)

const (
	keyStart      = "Rm9ybWF0P" // how base64 of formatStart begins
	formatStart   = "Format="
	signatureLine = "\nSignature="
	white         = " \t\r\n"
)

// document is a key text taken apart.
type document struct {
	key       Key
	signed    []byte // what stands before "Signature="
	signature signature
}

// Read reads a key text that is exactly in the format: not a character more, and nothing lost. It verifies no signature. The
// error is a Reason, one of those that Unreadable lists.
func Read(text string) (Key, error) {
	d, err := read(text)
	return d.key, err
}

// read follows the steps that testdata/README.md gives to authors of other readers; which code a broken text gets depends on
// their order.
func read(text string) (document, error) {
	if text == "" {
		return document{}, newReason(Empty)
	}
	head, tail := cutBase64(text)
	incomplete := Truncated
	if tail != "" {
		incomplete = NotBase64
	}
	switch {
	case !strings.HasPrefix(text, keyStart) && tail == "":
		return document{}, newReason(WrongFormat, "it is not a license key at all")
	case !strings.HasPrefix(text, keyStart):
		return document{}, newReason(NotBase64)
	case len(head)%4 != 0:
		return document{}, newReason(incomplete)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(head)
	if err != nil {
		return document{}, newReason(NotBase64)
	}

	if line, _, ended := bytes.Cut(raw, []byte("\n")); !ended {
		return document{}, newReason(incomplete)
	} else if string(line) != formatStart+format {
		return document{}, newReason(UnknownFormat)
	}
	before, after, found := bytes.Cut(raw, []byte(signatureLine))
	encoded, rest, ended := bytes.Cut(after, []byte("\n"))
	switch next := strings.TrimLeft(tail, white); {
	case !found || !ended:
		return document{}, newReason(incomplete)
	case bytes.HasPrefix(rest, []byte(formatStart)), len(rest) == 0 && strings.HasPrefix(next, keyStart):
		return document{}, newReason(SeveralKeys)
	case len(rest) > 0, tail != "":
		return document{}, newReason(TextAfterKey)
	}

	d := document{signed: raw[:len(before)+1]}
	if d.key, err = parseCanonical(string(d.signed)); err != nil {
		return document{}, newReason(WrongFormat, err.Error())
	}
	if d.signature, err = parseSignature(string(encoded)); err != nil {
		return document{}, newReason(WrongFormat, "the signature is not written as the format has it")
	}
	return d, nil
}

// cutBase64 cuts a text behind its first stretch of base64 characters and the padding that follows them.
func cutBase64(text string) (head, tail string) {
	n := 0
	for n < len(text) && isBase64(text[n]) {
		n++
	}
	for n < len(text) && text[n] == '=' {
		n++
	}
	return text[:n], text[n:]
}

func isBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}
