package license

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// PublicKey verifies licenses with its Kid. The algorithm is ECDSA over P-256 with SHA-256. It belongs to the Kid: a
// key text cannot choose another.
type PublicKey struct {
	Kid     string
	Types   []Type // types that it may sign; evaluation and production have separate keys
	From    Date   // the first Issued day that it may sign; zero: any
	Through Date   // the last one; zero: still in use. Set it to retire the key; licenses signed before stay valid
	// MaxDays is on how many days a license may be valid, NotBefore and Expiration included; 0: on any number. Only a
	// Kid of bridge keys has it (bridge.go), and every one has.
	MaxDays int
	Key     *ecdsa.PublicKey
}

// MaySign reports whether p may sign a license of the type.
func (p PublicKey) MaySign(t Type) bool { return slices.Contains(p.Types, t) }

// MaySignOn reports whether p may sign on the day.
func (p PublicKey) MaySignOn(issued Date) bool {
	return !issued.Before(p.From) && (p.Through.IsZero() || !issued.After(p.Through))
}

// KeySet lists the public keys that verify licenses, oldest first. Add a new Kid at the end, never reuse it for
// another key, and remove a stolen one. In JSON it is a JWK Set (RFC 7517), published at
// /.well-known/license-keys.json (license-keys.md, "Public keys"), whose keys have members of our own in addition to
// the registered ones:
//
//	license_types    array of EVALUATION, PRODUCTION, STAGING: what the key may sign
//	issued_from      YYYY-MM-DD: the first day, by the license's Issued, on which it may sign; left out: any
//	issued_through   YYYY-MM-DD: the last one; left out: none yet
//	max_days         number, of a Kid of bridge keys: on how many days a license may be valid that the key signs, its
//	                 NotBefore and its Expiration included; left out: on any number
type KeySet []PublicKey

// Find returns the key of a Kid.
func (s KeySet) Find(kid string) (PublicKey, bool) {
	i := slices.IndexFunc(s, func(p PublicKey) bool { return p.Kid == kid })
	if i < 0 {
		return PublicKey{}, false
	}
	return s[i], true
}

// ParseKeySet reads a JWK Set, or what Compact writes, and validates every key in it.
func ParseKeySet(data []byte) (KeySet, error) {
	if text := strings.TrimSpace(string(data)); !strings.HasPrefix(text, "{") {
		s, err := parseCompact(text)
		if err != nil {
			return nil, fmt.Errorf("license: reading a key set: %w", err)
		}
		return s, nil
	}
	var s KeySet
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("license: reading a key set: %w", err)
	}
	return s, nil
}

type jwk struct {
	Type         string `json:"kty"`
	Curve        string `json:"crv"`
	Use          string `json:"use"`
	Algorithm    string `json:"alg"`
	Kid          string `json:"kid"`
	X            string `json:"x"`
	Y            string `json:"y"`
	LicenseTypes []Type `json:"license_types"`
	From         Date   `json:"issued_from,omitzero"`
	Through      Date   `json:"issued_through,omitzero"`
	MaxDays      *int   `json:"max_days,omitempty"`
}

type jwkSet struct {
	Keys []jwk `json:"keys"`
}

// MarshalJSON writes the JWK Set. A key that ParseKeySet would refuse is an error.
func (s KeySet) MarshalJSON() ([]byte, error) {
	set := jwkSet{Keys: make([]jwk, 0, len(s))}
	for _, p := range s {
		if p.Key == nil || p.Key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("license: key %s is not on P-256", p.Kid)
		}
		point, err := p.Key.Bytes()
		if err != nil {
			return nil, fmt.Errorf("license: key %s: %w", p.Kid, err)
		}
		k := jwk{
			Type: "EC", Curve: "P-256", Use: "sig", Algorithm: "ES256", Kid: p.Kid,
			X: base64.RawURLEncoding.EncodeToString(point[1:33]), Y: base64.RawURLEncoding.EncodeToString(point[33:]),
			LicenseTypes: p.Types, From: p.From, Through: p.Through,
		}
		if p.MaxDays != 0 {
			k.MaxDays = &p.MaxDays
		}
		set.Keys = append(set.Keys, k)
	}
	if _, err := set.keys(); err != nil {
		return nil, err
	}
	return json.Marshal(set)
}

// UnmarshalJSON reads what MarshalJSON writes and skips unknown members.
func (s *KeySet) UnmarshalJSON(data []byte) error {
	var set jwkSet
	if err := json.Unmarshal(data, &set); err != nil {
		return err
	}
	keys, err := set.keys()
	if err != nil {
		return err
	}
	*s = keys
	return nil
}

func (set jwkSet) keys() (KeySet, error) {
	if set.Keys == nil {
		return nil, errors.New("the member keys is missing")
	}
	s := make(KeySet, 0, len(set.Keys))
	for _, k := range set.Keys {
		switch _, twice := s.Find(k.Kid); {
		case !identifier().MatchString(k.Kid):
			return nil, fmt.Errorf("%q is not a key ID", k.Kid)
		case twice:
			return nil, fmt.Errorf("key %s is listed twice", k.Kid)
		case k.Type != "EC" || k.Curve != "P-256" || k.Use != "sig" || k.Algorithm != "ES256":
			return nil, fmt.Errorf("key %s is not EC on P-256 for ES256 signatures", k.Kid)
		case len(k.LicenseTypes) == 0 || slices.ContainsFunc(k.LicenseTypes, func(t Type) bool { return !t.Valid() }):
			return nil, fmt.Errorf("key %s: license_types %q are not license types", k.Kid, k.LicenseTypes)
		}
		maxDays, err := bridgeDays(k.Kid, k.MaxDays)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.Kid, err)
		}
		x, errX := base64.RawURLEncoding.Strict().DecodeString(k.X)
		y, errY := base64.RawURLEncoding.Strict().DecodeString(k.Y)
		if errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
			return nil, fmt.Errorf("key %s: x and y are not 32 bytes each in base64url", k.Kid)
		}
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.Kid, err)
		}
		s = append(s, PublicKey{Kid: k.Kid, Types: k.LicenseTypes, From: k.From, Through: k.Through, MaxDays: maxDays,
			Key: public})
	}
	return s, nil
}
