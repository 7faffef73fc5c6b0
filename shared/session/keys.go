// Package session seals what browsers keep for us: who is signed in, and what a sign-in has begun. It also says how
// long a session lasts. Whose session it is, and what that person may do, is left to each function's signin package.
package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Keys encrypt and authenticate cookies with AES-256-GCM. The first key seals and all of them open, so a key can be
// replaced without signing anybody out: put the new one in front and remove the old one a day later.
type Keys struct{ all []cipher.AEAD }

// Empty reports whether there are no keys.
func (k Keys) Empty() bool { return len(k.all) == 0 }

// keySize is the size of a key in bytes: AES-256.
const keySize = 32

// ParseKeys reads keys: 32 bytes each in base64, with or without padding, separated by commas. Its errors do not show
// them.
func ParseKeys(list string) (Keys, error) {
	var k Keys
	for i, text := range strings.Split(list, ",") {
		raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
		if err != nil || len(raw) != keySize {
			return Keys{}, fmt.Errorf("session: session key %d is not %d bytes in base64", i+1, keySize)
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return Keys{}, fmt.Errorf("session: session key %d: %w", i+1, err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return Keys{}, fmt.Errorf("session: session key %d: %w", i+1, err)
		}
		k.all = append(k.all, aead)
	}
	return k, nil
}

// NewKey returns a random key for ParseKeys.
func NewKey() string {
	raw := make([]byte, keySize)
	_, _ = rand.Read(raw) // never fails
	return base64.StdEncoding.EncodeToString(raw)
}

// sealed is the text form. It is strict, so that nobody can alter the unused bits of the last character.
var sealed = base64.RawURLEncoding.Strict()

var errNotSealed = errors.New("session: not sealed with one of the keys for this purpose")

// Seal encrypts and authenticates data for a purpose. The result is a valid cookie value.
func (k Keys) Seal(purpose string, data []byte) string {
	return sealed.EncodeToString(k.all[0].Seal(nil, nil, data, []byte(purpose)))
}

// Open returns the data that was sealed for the same purpose, if nobody altered it.
func (k Keys) Open(purpose, text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") { // the decoder would skip them
		return nil, errNotSealed
	}
	box, err := sealed.DecodeString(text)
	if err != nil {
		return nil, errNotSealed
	}
	for _, key := range k.all {
		if data, err := key.Open(nil, nil, box, []byte(purpose)); err == nil {
			return data, nil
		}
	}
	return nil, errNotSealed
}
