package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// TestMoto signs with moto's KMS, an independent implementation.
func TestMoto(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no KMS to sign with (infra/engines/with-moto.sh starts one)")
	}
	api := NewKMS(aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	made, err := api.client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: KeySpec, KeyUsage: KeyUsage})
	if err != nil {
		t.Fatal(err)
	}
	arn := *made.KeyMetadata.Arn

	// moto gives the key spec under its deprecated name only, so PublicKey would refuse the key.
	data, err := api.GetPublicKey(t.Context(), arn)
	if err != nil || data.KeyUsage != KeyUsage {
		t.Fatalf("got the key %+v, %v", data, err)
	}
	parsed, err := x509.ParsePKIXPublicKey(data.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := parsed.(*ecdsa.PublicKey)
	digest := sha256.Sum256([]byte("a license"))
	signature, err := New(api, arn, public).Sign(nil, digest[:], crypto.SHA256)
	hashed := sha256.Sum256(digest[:]) // moto hashes digests as if they were messages
	if err != nil || !ecdsa.VerifyASN1(public, hashed[:], signature) {
		t.Errorf("got the signature %x, %v", signature, err)
	}

	var notFound *types.NotFoundException
	if _, err := api.Sign(t.Context(), "00000000-0000-0000-0000-000000000000", digest[:]); !errors.As(err, &notFound) {
		t.Errorf("unknown key: got the error %v, want NotFoundException", err)
	}
}
