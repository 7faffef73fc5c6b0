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

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"marketplace/shared/license"
)

// fakeKMS is a KMS with one key. It answers as KMS does: signatures and public keys in DER.
type fakeKMS struct {
	key  *ecdsa.PrivateKey
	spec types.KeySpec
	err  error
	last *kms.SignInput
}

func (f *fakeKMS) Sign(ctx context.Context, in *kms.SignInput, _ ...func(*kms.Options)) (*kms.SignOutput, error) {
	f.last = in
	if _, limited := ctx.Deadline(); !limited {
		return nil, errors.New("no deadline")
	}
	if f.err != nil {
		return nil, f.err
	}
	signature, err := ecdsa.SignASN1(rand.Reader, f.key, in.Message)
	return &kms.SignOutput{Signature: signature, SigningAlgorithm: in.SigningAlgorithm, KeyId: in.KeyId}, err
}

func (f *fakeKMS) GetPublicKey(_ context.Context, in *kms.GetPublicKeyInput, _ ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	der, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
	return &kms.GetPublicKeyOutput{PublicKey: der, KeySpec: f.spec, KeyUsage: types.KeyUsageTypeSignVerify, KeyId: in.KeyId}, err
}

func newFake(t *testing.T, curve elliptic.Curve, spec types.KeySpec) *fakeKMS {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeKMS{key: key, spec: spec}
}

func TestAnIssuerSignsWithKMS(t *testing.T) {
	fake := newFake(t, elliptic.P256(), types.KeySpecEccNistP256)
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
		ID: "l1", Type: license.Production, Organization: "Acme", Server: "AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer,
		Plugins: []string{"license"}, MaxLoc: 1, Expiration: day.AddMonths(12), Issued: day,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := license.Verify(text, issuer.Keys); err != nil {
		t.Error(err)
	}
	in := fake.last
	if *in.KeyId != "arn:key" || in.MessageType != types.MessageTypeDigest || in.SigningAlgorithm != types.SigningAlgorithmSpecEcdsaSha256 || len(in.Message) != 32 {
		t.Errorf("asked KMS for %+v", in)
	}
}

func TestWhatKMSRefusesIsAnError(t *testing.T) {
	fake := newFake(t, elliptic.P256(), types.KeySpecEccNistP256)
	fake.err = errors.New("AccessDenied")
	if _, err := New(fake, "arn:key", &fake.key.PublicKey).Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, fake.err) || !strings.Contains(err.Error(), "arn:key") {
		t.Errorf("Sign: %v", err)
	}
	if _, err := PublicKey(t.Context(), fake, "arn:key"); !errors.Is(err, fake.err) {
		t.Errorf("PublicKey: %v", err)
	}
}

func TestOnlySHA256DigestsAreSigned(t *testing.T) {
	fake := newFake(t, elliptic.P256(), types.KeySpecEccNistP256)
	s := New(fake, "arn:key", &fake.key.PublicKey)
	digest := sha512.Sum512(nil)
	for _, opts := range []crypto.Hash{crypto.SHA512, crypto.SHA256} {
		if _, err := s.Sign(nil, digest[:], opts); err == nil || fake.last != nil {
			t.Errorf("%v: a digest of 64 bytes was sent to KMS, %v", opts, err)
		}
	}
}

func TestAKeyThatCannotSignLicensesIsRefused(t *testing.T) {
	for name, fake := range map[string]*fakeKMS{
		"spec of another curve": newFake(t, elliptic.P384(), types.KeySpecEccNistP384),
		"key of another curve":  newFake(t, elliptic.P384(), types.KeySpecEccNistP256),
	} {
		if key, err := PublicKey(t.Context(), fake, "arn:key"); err == nil {
			t.Errorf("%s: %v", name, key)
		}
	}
}
