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

// Read reads a key text that is exactly in the format: not a character more, and nothing lost. It verifies no
// signature. The error is a Reason, one of those that Unreadable lists.
func Read(text string) (Key, error) {
	d, err := read(text)
	return d.key, err
}

// read follows the steps that testdata/README.md gives to authors of other readers; which code a broken text gets
// depends on their order.
func read(text string) (document, error) {
	if text == "" {
		return document{}, newReason(Empty)
	}
	n := 0
	for n < len(text) && isBase64(text[n]) {
		n++
	}
	incomplete := NotBase64 // what a text is that ends too early
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
	if code := around(text, base64.StdEncoding.EncodeToString(raw), rest); code != "" {
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

// noKey is the reason of a text that is no key at all, and not a damaged one.
func noKey() Reason {
	r := newReason(NotBase64)
	r.Sentence = "This is not a license key: it does not begin with " + keyStart + "."
	return r
}

// around says how a text differs from the one key that it begins with; "" where it is that key. rest is what was read
// behind the key.
func around(text, key string, rest []byte) Code {
	behind, begins := strings.CutPrefix(text, key)
	switch {
	case text == key:
		return ""
	case bytes.HasPrefix(rest, []byte(formatStart)), begins && strings.HasPrefix(strings.TrimLeft(behind, white), keyStart):
		return SeveralKeys
	case begins || len(rest) > 0:
		return TextAfterKey
	case strings.HasPrefix(key, text):
		return Truncated // of its padding
	}
	return NotBase64
}

// decode takes characters of base64 without padding; one that is left over, and bits that are, are dropped.
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
