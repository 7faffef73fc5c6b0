package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"os"
	"testing"

	"marketplace/shared/cloud/signed"
	"marketplace/shared/cloud/signed/signedtest"
)

// TestMoto signs with moto's KMS, an independent server.
func TestMoto(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no KMS to sign with (infra/engines/with-moto.sh starts one)")
	}
	kms := NewKMS(signedtest.Config(endpoint, nil), signedtest.Now)
	var made struct{ KeyMetadata struct{ Arn string } }
	if err := kms.call(t.Context(), "CreateKey", map[string]string{"KeySpec": KeySpec, "KeyUsage": KeyUsage}, &made); err != nil {
		t.Fatal(err)
	}
	arn := made.KeyMetadata.Arn

	// moto says the spec by the older name only, so PublicKey refuses its keys.
	data, err := kms.GetPublicKey(t.Context(), arn)
	if err != nil || data.KeyUsage != KeyUsage {
		t.Fatalf("%+v, %v", data, err)
	}
	parsed, err := x509.ParsePKIXPublicKey(data.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := parsed.(*ecdsa.PublicKey)
	digest := sha256.Sum256([]byte("a license"))
	signature, err := New(kms, arn, public).Sign(nil, digest[:], crypto.SHA256)
	hashed := sha256.Sum256(digest[:]) // moto hashes digests as if they were messages
	if err != nil || !ecdsa.VerifyASN1(public, hashed[:], signature) {
		t.Errorf("signature %x, %v", signature, err)
	}

	var refusal *signed.Error
	if _, err := kms.Sign(t.Context(), "00000000-0000-0000-0000-000000000000", digest[:]); !errors.As(err, &refusal) || refusal.Code != "NotFoundException" {
		t.Errorf("a key that is not there: %v", err)
	}
}
