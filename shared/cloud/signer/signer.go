// Package signer signs with a key that never leaves AWS KMS: a crypto.Signer for license.Issuer, and the reading of its public
// key for the published key set. It stands apart from cloud so that only the function that signs links it.
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

// API is what signing asks of KMS, by the names that operations have there: an IAM action is "kms:" and such a name.
type API interface {
	// Sign signs a SHA-256 digest: ECDSA_SHA_256, in DER.
	Sign(ctx context.Context, keyID string, digest []byte) ([]byte, error)
}

// Keys is what an operator asks of KMS, by the names that operations have there.
type Keys interface {
	// GetPublicKey reads the public half of a key and what the key is for.
	GetPublicKey(ctx context.Context, keyID string) (KeyData, error)
}

// KeyData is what KMS tells of an asymmetric key.
type KeyData struct {
	PublicKey []byte // DER, as x509.ParsePKIXPublicKey reads it
	KeySpec   string // such as KeySpec
	KeyUsage  string // such as KeyUsage
}

// Of a key that can sign licenses (KMS developer guide, "Key spec reference").
const (
	KeySpec  = "ECC_NIST_P256"
	KeyUsage = "SIGN_VERIFY"
)

// timeout is for one signature with its repetitions; crypto.Signer takes no context.
const timeout = 10 * time.Second

// Signer is a crypto.Signer over a KMS key of the spec ECC_NIST_P256. Several goroutines may use it.
type Signer struct {
	api    API
	keyID  string
	public *ecdsa.PublicKey
}

// New makes a signer without calling KMS. keyID is the key's ARN or ID; an alias would let a rotation change the key under
// its Kid. public is what the published key set has for it: license.Issuer checks each signature against that.
func New(api API, keyID string, public *ecdsa.PublicKey) *Signer {
	return &Signer{api, keyID, public}
}

// Public is the *ecdsa.PublicKey that New was given.
func (s *Signer) Public() crypto.PublicKey { return s.public }

// Sign has KMS sign a SHA-256 digest; the signature is DER, as ecdsa.PrivateKey gives it. KMS has its own source of randomness:
// rand is not read.
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

// PublicKey asks KMS for the public half of a key, for the operator who publishes it. A key that cannot sign licenses is an
// error.
func PublicKey(ctx context.Context, keys Keys, keyID string) (*ecdsa.PublicKey, error) {
	data, err := keys.GetPublicKey(ctx, keyID)
	if err != nil {
		return nil, fmt.Errorf("signer: public key of KMS key %s: %w", keyID, err)
	}
	if data.KeyUsage != KeyUsage || data.KeySpec != KeySpec {
		return nil, fmt.Errorf("signer: KMS key %s is %q for %q, want %s for %s", keyID, data.KeySpec, data.KeyUsage, KeySpec, KeyUsage)
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
