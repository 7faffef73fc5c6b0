package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"marketplace/shared/cloud"
	"marketplace/shared/cloud/signed"
)

// KMS is AWS KMS by its JSON 1.1 protocol: API and Keys. Several goroutines may use it.
type KMS struct{ client *signed.Client }

// Client is KMS with the region and credentials that Lambda gives a function in its environment.
func Client(getenv func(string) string, now func() time.Time) *KMS {
	return NewKMS(cloud.AWSConfig(getenv), now)
}

// NewKMS is KMS as configured; signed.New says what it takes of that.
func NewKMS(config aws.Config, now func() time.Time) *KMS {
	return &KMS{signed.New("kms", config, now)}
}

// Sign signs a SHA-256 digest: ECDSA_SHA_256, in DER.
func (k *KMS) Sign(ctx context.Context, keyID string, digest []byte) ([]byte, error) {
	in := struct {
		KeyId, MessageType, SigningAlgorithm string
		Message                              []byte
	}{keyID, "DIGEST", "ECDSA_SHA_256", digest}
	var out struct{ Signature []byte }
	if err := k.call(ctx, "Sign", in, &out); err != nil {
		return nil, err
	}
	if len(out.Signature) == 0 {
		return nil, errors.New("kms Sign: the answer holds no signature")
	}
	return out.Signature, nil
}

// GetPublicKey reads the public half of a key and what the key is for.
func (k *KMS) GetPublicKey(ctx context.Context, keyID string) (KeyData, error) {
	in := struct{ KeyId string }{keyID}
	var out KeyData
	err := k.call(ctx, "GetPublicKey", in, &out)
	return out, err
}

// answerLimit is far beyond what KMS answers.
const answerLimit = 64 << 10

// call has KMS do an operation (KMS API reference). Bytes are base64 in its JSON, as encoding/json has them.
func (k *KMS) call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("kms %s: %w", operation, err)
	}
	hash := sha256.Sum256(body)
	return k.client.Do(ctx, signed.Request{
		Operation: operation, Method: http.MethodPost, Address: k.client.Address(""), Path: "/",
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"TrentService." + operation}},
		Body:   bytes.NewReader(body), Size: int64(len(body)), SHA256: hex.EncodeToString(hash[:]),
		Answer: func(r io.Reader) error { return json.NewDecoder(io.LimitReader(r, answerLimit)).Decode(out) },
	})
}
