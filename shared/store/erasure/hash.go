package erasure

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"marketplace/shared/input"
)

// Keys are the secret keys of the hashes that stay of erased people. The first one makes new hashes; with all of them
// an address is recognised, so a key can be replaced: put the new one in front, and keep the old one.
type Keys struct{ all [][]byte }

// keySize is the size of a key in bytes.
const keySize = 32

// ParseKeys reads keys: 32 bytes each in base64, with or without padding, separated by commas. Its errors do not show
// them.
func ParseKeys(list string) (k Keys, err error) {
	for i, text := range strings.Split(list, ",") {
		raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
		if err != nil || len(raw) != keySize {
			return Keys{}, fmt.Errorf("erasure: hash key %d is not %d bytes in base64", i+1, keySize)
		}
		k.all = append(k.all, raw)
	}
	return k, nil
}

// Hashes are those of an address under each key: the same for every spelling (input.Mailbox). An address that took the
// place of another has the hash in it, and the row of an erased person has it as its sort key.
func (k Keys) Hashes(email string) []string { return k.sums(input.Mailbox(email)) }

// sums are the hashes of a text under each key.
func (k Keys) sums(text string) (list []string) {
	for _, key := range k.all {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		list = append(list, hex.EncodeToString(h.Sum(nil)[:16]))
	}
	return list
}

// Address is the address that takes the place of those with a hash.
func Address(hash string) string { return "erased-" + hash + "@" + input.ErasedDomain }

// Name is the name that takes the place of those of erased people.
const Name = "Erased person"
