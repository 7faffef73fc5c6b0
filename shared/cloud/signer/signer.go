// Package signer signs with keys that never leave AWS KMS: it has a crypto.Signer for license.Issuer, and reads public
// keys for the published key set. It is separate from cloud so that only the console links it.
package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"
)

// API is the part of KMS that a Signer uses. Its methods are named after KMS's operations: the IAM action is "kms:" and
// the name.
type API interface {
	// Sign signs a SHA-256 digest: ECDSA_SHA_256, in DER.
	Sign(ctx context.Context, keyID string, digest []byte) ([]byte, error)
}

// Keys is the part of KMS that an operator uses. Its methods are named after KMS's operations.
type Keys interface {
	// GetPublicKey reads the public half of a key and what the key is for.
	GetPublicKey(ctx context.Context, keyID string) (KeyData, error)
}

// KeyData describes an asymmetric KMS key.
type KeyData struct {
	PublicKey []byte // DER, as x509.ParsePKIXPublicKey reads it
	KeySpec   string // for example KeySpec
	KeyUsage  string // for example KeyUsage
}

// Properties of a key that can sign licenses (KMS developer guide, "Key spec reference").
const (
	KeySpec  = "ECC_NIST_P256"
	KeyUsage = "SIGN_VERIFY"
)

// timeout limits one signature including retries, because crypto.Signer has no context.
const timeout = 10 * time.Second

// Signer is a crypto.Signer over a KMS key of the spec ECC_NIST_P256. It is safe for concurrent use.
type Signer struct {
	api    API
	keyID  string
	public *ecdsa.PublicKey
}

// New returns a signer without calling KMS. keyID is the key's ARN or ID, never an alias: a rotation could move an
// alias to another key than its Kid means. license.Issuer verifies each signature with public, the key in the published
// key set.
func New(api API, keyID string, public *ecdsa.PublicKey) *Signer {
	return &Signer{api, keyID, public}
}

// Public returns the *ecdsa.PublicKey given to New.
func (s *Signer) Public() crypto.PublicKey { return s.public }

// Sign signs a SHA-256 digest in KMS. The signature is DER, as from ecdsa.PrivateKey. KMS has its own source of
// randomness, so Sign ignores its first argument.
func (s *Signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA256 || len(digest) != crypto.SHA256.Size() {
		return nil, errors.New("signer: KMS signs SHA-256 digests only")
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	signature, err := s.api.Sign(ctx, s.keyID, digest)
	if err != nil {
		return nil, fmt.Errorf("signer: KMS key %s: %w", s.keyID, err)
	}
	return signature, nil
}

// PublicKey reads the public half of a KMS key, for the operator who publishes it. It is an error if the key cannot
// sign licenses.
func PublicKey(ctx context.Context, keys Keys, keyID string) (*ecdsa.PublicKey, error) {
	data, err := keys.GetPublicKey(ctx, keyID)
	if err != nil {
		return nil, fmt.Errorf("signer: public key of KMS key %s: %w", keyID, err)
	}
	if data.KeyUsage != KeyUsage || data.KeySpec != KeySpec {
		return nil, fmt.Errorf("signer: KMS key %s is %q for %q, want %s for %s", keyID, data.KeySpec, data.KeyUsage,
			KeySpec, KeyUsage)
	}
	parsed, err := x509.ParsePKIXPublicKey(data.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("signer: public key of KMS key %s: %w", keyID, err)
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, fmt.Errorf("signer: public key of KMS key %s is not of P-256", keyID)
	}
	return public, nil
}
