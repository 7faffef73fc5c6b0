package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"marketplace/shared/cloud/signed"
	"marketplace/shared/cloud/signed/signedtest"
	"marketplace/shared/license"
)

// fakeKMS is a KMS with one key, which answers requests as KMS does: signatures and public keys in DER, in base64, in JSON.
type fakeKMS struct {
	t      *testing.T
	key    *ecdsa.PrivateKey
	spec   string
	usage  string
	refuse string         // the code of an error; "" for none
	last   map[string]any // what Sign was asked
}

// api is a client of it.
func (f *fakeKMS) api() *KMS {
	return NewKMS(signedtest.Config("", signedtest.Do(f.answer)), signedtest.Now)
}

func (f *fakeKMS) answer(r *http.Request) (*http.Response, error) {
	body, err := signedtest.Verify(r, "kms", signedtest.Keys)
	if err != nil {
		f.t.Error(err)
	}
	if where := r.Method + " " + r.URL.String(); where != "POST https://kms.us-east-1.amazonaws.com/" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		f.t.Errorf("KMS was asked with %s of %s", where, r.Header.Get("Content-Type"))
	}
	if f.refuse != "" {
		return signedtest.Answer(http.StatusBadRequest, fmt.Sprintf(`{"__type":%q,"message":"no"}`, f.refuse)), nil
	}
	var in struct {
		KeyId   string
		Message []byte
	}
	if err := json.Unmarshal(body, &in); err != nil {
		f.t.Error(err)
	}
	out := map[string]any{"KeyId": in.KeyId}
	switch target := r.Header.Get("X-Amz-Target"); target {
	case "TrentService.Sign":
		if _, limited := r.Context().Deadline(); !limited {
			return nil, errors.New("no deadline")
		}
		if err := json.Unmarshal(body, &f.last); err != nil {
			f.t.Error(err)
		}
		if out["Signature"], err = ecdsa.SignASN1(rand.Reader, f.key, in.Message); err != nil {
			return nil, err
		}
	case "TrentService.GetPublicKey":
		out["KeySpec"], out["CustomerMasterKeySpec"], out["KeyUsage"] = f.spec, f.spec, f.usage
		if out["PublicKey"], err = x509.MarshalPKIXPublicKey(&f.key.PublicKey); err != nil {
			return nil, err
		}
	default:
		f.t.Errorf("KMS was asked for %s", target)
	}
	answer, err := json.Marshal(out)
	return signedtest.Answer(http.StatusOK, string(answer)), err
}

func newFake(t *testing.T, curve elliptic.Curve, spec string) *fakeKMS {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeKMS{t: t, key: key, spec: spec, usage: KeyUsage}
}

func TestAnIssuerSignsWithKMS(t *testing.T) {
	fake := newFake(t, elliptic.P256(), KeySpec)
	public, err := PublicKey(t.Context(), fake.api(), "arn:key")
	if err != nil || !public.Equal(&fake.key.PublicKey) {
		t.Fatalf("public key %v, %v", public, err)
	}
	day := license.Date{Year: 2018, Month: 3, Day: 1}
	issuer := license.Issuer{
		Keys:    license.KeySet{{Kid: "kms-1", Types: []license.Type{license.Production}, Key: public}},
		Signers: map[string]crypto.Signer{"kms-1": New(fake.api(), "arn:key", public)},
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
	message, err := base64.StdEncoding.DecodeString(fmt.Sprint(fake.last["Message"]))
	delete(fake.last, "Message")
	want := map[string]any{"KeyId": "arn:key", "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
	if err != nil || len(message) != 32 || !maps.Equal(fake.last, want) {
		t.Errorf("asked KMS for %v and %x, %v", fake.last, message, err)
	}
}

func TestWhatKMSRefusesIsAnError(t *testing.T) {
	fake := newFake(t, elliptic.P256(), KeySpec)
	fake.refuse = "AccessDeniedException"
	var refusal *signed.Error
	if _, err := New(fake.api(), "arn:key", &fake.key.PublicKey).Sign(nil, make([]byte, 32), crypto.SHA256); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "arn:key") {
		t.Errorf("Sign: %v", err)
	}
	if _, err := PublicKey(t.Context(), fake.api(), "arn:key"); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("PublicKey: %v", err)
	}
}

func TestAnAnswerWithoutASignatureIsAnError(t *testing.T) {
	for _, body := range []string{`{}`, `{"Signature":""}`, `{"Signature":"no base64!"}`, `{"Signature":`, ``, `<html>`} {
		api := NewKMS(signedtest.Config("", signedtest.Do(func(*http.Request) (*http.Response, error) { return signedtest.Answer(200, body), nil })), signedtest.Now)
		if signature, err := api.Sign(t.Context(), "arn:key", make([]byte, 32)); err == nil {
			t.Errorf("%s: signature %x", body, signature)
		}
	}
}

func TestOnlySHA256DigestsAreSigned(t *testing.T) {
	fake := newFake(t, elliptic.P256(), KeySpec)
	s := New(fake.api(), "arn:key", &fake.key.PublicKey)
	digest := sha512.Sum512(nil)
	for _, opts := range []crypto.Hash{crypto.SHA512, crypto.SHA256} {
		if _, err := s.Sign(nil, digest[:], opts); err == nil || fake.last != nil {
			t.Errorf("%v: a digest of 64 bytes was sent to KMS, %v", opts, err)
		}
	}
}

func TestAKeyThatCannotSignLicensesIsRefused(t *testing.T) {
	agreeing := newFake(t, elliptic.P256(), KeySpec)
	agreeing.usage = "KEY_AGREEMENT"
	for name, fake := range map[string]*fakeKMS{
		"spec of another curve": newFake(t, elliptic.P384(), "ECC_NIST_P384"),
		"key of another curve":  newFake(t, elliptic.P384(), KeySpec),
		"another curve's spec":  newFake(t, elliptic.P256(), "ECC_SECG_P256K1"),
		"another usage":         agreeing,
	} {
		if key, err := PublicKey(t.Context(), fake.api(), "arn:key"); err == nil {
			t.Errorf("%s: %v", name, key)
		}
	}
}
