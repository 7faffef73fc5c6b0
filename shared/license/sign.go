package license

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"marketplace/shared/input"
)

// Domain prefixes the canonical text when it is signed, so that a signature made for another purpose is not valid for a
// license.
const Domain = "sonarqube-license-v1\n"

// MaxText is the longest key text that Sign writes, in characters. Typical texts have about 700.
const MaxText = 8 << 10

// MaxOrganization is the longest name of an organization in a key, in characters.
const MaxOrganization = 200

// Sign returns k as a key text: Canonical, then "Signature=" and the signature with LF, all in one line of base64. It
// refuses keys that Read would not read back, organizations with invisible characters, and plugins without "license",
// which the client needs (client-contract.md §5).
//
// The signature is ECDSA over P-256 with SHA-256 of Domain and the canonical text, written as in JWS ES256 (RFC 7518
// §3.4): r and s, 32 bytes each, in base64url without padding. s is the smaller of the two possible values, so that
// only the signer can write a second text of the same key.
func Sign(signer crypto.Signer, k Key) (string, error) {
	if err := k.check(); err != nil {
		return "", fmt.Errorf("license: key %s was not signed: %w", k.ID, err)
	}
	public, ok := signer.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return "", fmt.Errorf("license: key %s was not signed: the signer %s is not ECDSA over P-256", k.ID, k.Kid)
	}
	canonical := k.Canonical()
	der, err := signer.Sign(rand.Reader, digest(canonical), crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("license: signing key %s with %s: %w", k.ID, k.Kid, err)
	}
	s, err := fromDER(der)
	if err != nil {
		return "", fmt.Errorf("license: signing key %s with %s: %w", k.ID, k.Kid, err)
	}
	text := base64.StdEncoding.EncodeToString(fmt.Appendf(canonical, "%s%s\n", signatureLine[1:], s))
	if len(text) > MaxText {
		return "", fmt.Errorf("license: key %s has %d characters, more than %d", k.ID, len(text), MaxText)
	}
	return text, nil
}

// check returns why k cannot be signed.
func (k Key) check() error {
	switch line, err := input.Line("organization", "The organization", k.Organization, MaxOrganization); {
	case err != nil:
		return err
	case line != k.Organization:
		return errors.New("the organization has white space around it")
	}
	back, err := parseCanonical(string(k.Canonical()))
	switch {
	case err != nil:
		return err
	case !back.Equal(k):
		return errors.New("it would not read back as the same key")
	case !slices.Contains(k.Plugins, licensePlugin):
		return fmt.Errorf("the plugins do not include %q", licensePlugin)
	case k.NotBefore.After(k.Expiration):
		return errors.New("it would expire before it becomes valid")
	}
	return nil
}

func digest(canonical []byte) []byte {
	h := sha256.New()
	h.Write([]byte(Domain))
	h.Write(canonical)
	return h.Sum(nil)
}

// signature holds r and s, 32 bytes each, big-endian.
type signature [64]byte

func (s signature) String() string { return base64.RawURLEncoding.EncodeToString(s[:]) }

// parseSignature reads what String writes.
func parseSignature(encoded string) (s signature, err error) {
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return s, err
	}
	copy(s[:], decoded)
	if s.String() != encoded {
		return s, errors.New("not 64 bytes in base64url")
	}
	return s, nil
}

// fromDER converts the signature of a crypto.Signer and chooses the smaller s.
func fromDER(der []byte) (out signature, err error) {
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
		return out, errors.New("the signer did not return an ECDSA signature in DER")
	}
	order := elliptic.P256().Params().N
	if v.R.Sign() <= 0 || v.S.Sign() <= 0 || v.R.Cmp(order) >= 0 || v.S.Cmp(order) >= 0 {
		return out, errors.New("the signer returned a signature out of range")
	}
	if high(v.S) {
		v.S.Sub(order, v.S)
	}
	v.R.FillBytes(out[:32])
	v.S.FillBytes(out[32:])
	return out, nil
}

// verifies reports whether s is the signature of the canonical text. It refuses the larger s.
func (s signature) verifies(public *ecdsa.PublicKey, canonical []byte) bool {
	r, v := new(big.Int).SetBytes(s[:32]), new(big.Int).SetBytes(s[32:])
	return !high(v) && ecdsa.Verify(public, digest(canonical), r, v)
}

// high reports whether s is in the upper half of the curve's order.
func high(s *big.Int) bool {
	return s.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) > 0
}
