// Package signer signs with a key that never leaves AWS KMS: a crypto.Signer for license.Issuer, and the reading of its public
// key for the published key set. It stands apart from cloud so that only the function that signs links KMS.
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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// API is what is called of a *kms.Client.
type API interface {
	Sign(context.Context, *kms.SignInput, ...func(*kms.Options)) (*kms.SignOutput, error)
	GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
}

// Client is KMS with the region and credentials that Lambda gives a function in its environment.
func Client(getenv func(string) string) *kms.Client {
	return kms.New(kms.Options{
		Region: getenv("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
	})
}

// timeout is for one signature with the SDK's retries; crypto.Signer takes no context.
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
	out, err := s.api.Sign(ctx, &kms.SignInput{
		KeyId: &s.keyID, Message: digest,
		MessageType:      types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	if err != nil {
		return nil, fmt.Errorf("signer: KMS key %s: %w", s.keyID, err)
	}
	return out.Signature, nil
}

// PublicKey asks KMS for the public half of a key, for the operator who publishes it. A key that cannot sign licenses is an
// error.
func PublicKey(ctx context.Context, api API, keyID string) (*ecdsa.PublicKey, error) {
	out, err := api.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(keyID)})
	if err != nil {
		return nil, fmt.Errorf("signer: public key of KMS key %s: %w", keyID, err)
	}
	if out.KeyUsage != types.KeyUsageTypeSignVerify || out.KeySpec != types.KeySpecEccNistP256 {
		return nil, fmt.Errorf("signer: KMS key %s is %s for %s, want %s for %s", keyID,
			out.KeySpec, out.KeyUsage, types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify)
	}
	parsed, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("signer: public key of KMS key %s: %w", keyID, err)
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, fmt.Errorf("signer: public key of KMS key %s is not of P-256", keyID)
	}
	return public, nil
}
