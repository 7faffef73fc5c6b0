package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"marketplace/shared/license"
)

// fakeKMS is a KMS with one key.
type fakeKMS struct {
	key    *ecdsa.PrivateKey
	spec   string
	usage  string
	err    error  // of every call
	keyID  string // of the last Sign
	digest []byte // of the last Sign
}

func (f *fakeKMS) Sign(ctx context.Context, keyID string, digest []byte) ([]byte, error) {
	if _, limited := ctx.Deadline(); !limited {
		return nil, errors.New("the context has no deadline")
	}
	if f.err != nil {
		return nil, f.err
	}
	f.keyID, f.digest = keyID, digest
	return ecdsa.SignASN1(rand.Reader, f.key, digest)
}

func (f *fakeKMS) GetPublicKey(context.Context, string) (KeyData, error) {
	if f.err != nil {
		return KeyData{}, f.err
	}
	der, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
	return KeyData{PublicKey: der, KeySpec: f.spec, KeyUsage: f.usage}, err
}

func newFake(t *testing.T, curve elliptic.Curve, spec string) *fakeKMS {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeKMS{key: key, spec: spec, usage: KeyUsage}
}

func TestIssuerSignsWithKMS(t *testing.T) {
	fake := newFake(t, elliptic.P256(), KeySpec)
	public, err := PublicKey(t.Context(), fake, "arn:key")
	if err != nil || !public.Equal(&fake.key.PublicKey) {
		t.Fatalf("public key %v, %v", public, err)
	}
	day := license.Date{Year: 2018, Month: 3, Day: 1}
	issuer := license.Issuer{
		Keys:    license.KeySet{{Kid: "kms-1", Types: []license.Type{license.Production}, Key: public}},
		Signers: map[string]crypto.Signer{"kms-1": New(fake, "arn:key", public)},
	}
	text, err := issuer.Issue(license.Key{
		ID: "l1", Type: license.Production, Organization: "Acme", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer,
		Plugins: []string{"license"}, MaxLoc: 1, Expiration: day.AddMonths(12), Issued: day,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := license.Verify(text, issuer.Keys); err != nil {
		t.Error(err)
	}
	if fake.keyID != "arn:key" || len(fake.digest) != 32 {
		t.Errorf("KMS key %s signed %d bytes, want arn:key and 32", fake.keyID, len(fake.digest))
	}
}

func TestKMSErrorNamesTheKey(t *testing.T) {
	fake := newFake(t, elliptic.P256(), KeySpec)
	fake.err = errors.New("access denied")
	_, err := New(fake, "arn:key", &fake.key.PublicKey).Sign(nil, make([]byte, 32), crypto.SHA256)
	if !errors.Is(err, fake.err) || !strings.Contains(err.Error(), "arn:key") {
		t.Errorf("Sign: got the error %v", err)
	}
	if _, err := PublicKey(t.Context(), fake, "arn:key"); !errors.Is(err, fake.err) ||
		!strings.Contains(err.Error(), "arn:key") {
		t.Errorf("PublicKey: got the error %v", err)
	}
}

func TestOnlySHA256DigestsAreSigned(t *testing.T) {
	fake := newFake(t, elliptic.P256(), KeySpec)
	s := New(fake, "arn:key", &fake.key.PublicKey)
	digest := sha512.Sum512(nil)
	for _, opts := range []crypto.Hash{crypto.SHA512, crypto.SHA256} {
		if _, err := s.Sign(nil, digest[:], opts); err == nil || fake.digest != nil {
			t.Errorf("%v: a digest of 64 bytes was sent to KMS, %v", opts, err)
		}
	}
}

func TestKeyThatCannotSignLicensesIsRefused(t *testing.T) {
	agreeing := newFake(t, elliptic.P256(), KeySpec)
	agreeing.usage = "KEY_AGREEMENT"
	for name, fake := range map[string]*fakeKMS{
		"spec of another curve": newFake(t, elliptic.P384(), "ECC_NIST_P384"),
		"key of another curve":  newFake(t, elliptic.P384(), KeySpec),
		"another curve's spec":  newFake(t, elliptic.P256(), "ECC_SECG_P256K1"),
		"another usage":         agreeing,
	} {
		if key, err := PublicKey(t.Context(), fake, "arn:key"); err == nil {
			t.Errorf("%s: got the key %v, want an error", name, key)
		}
	}
}
