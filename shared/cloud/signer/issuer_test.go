package signer

import (
	"crypto"
	"crypto/elliptic"
	"encoding/json"
	"strings"
	"testing"

	"marketplace/shared/license"
)

func TestIssuerFollowsTheConfiguration(t *testing.T) {
	fake := newFake(t, elliptic.P256(), KeySpec)
	keys, err := json.Marshal(license.KeySet{{Kid: "e1", Types: []license.Type{license.Evaluation},
		Key: &fake.key.PublicKey}})
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := Issuer(fake, string(keys), " e1=arn:aws:kms:eu-central-1:1:key/a=b ")
	if err != nil || len(issuer.Keys) != 1 || len(issuer.Signers) != 1 {
		t.Fatalf("%+v, %v", issuer, err)
	}
	digest := make([]byte, 32)
	if _, err := issuer.Signers["e1"].Sign(nil, digest, crypto.SHA256); err != nil ||
		fake.keyID != "arn:aws:kms:eu-central-1:1:key/a=b" {
		t.Errorf("signed with %v, %v", fake.keyID, err)
	}
	for signers, want := range map[string]string{
		"": "not a Kid", "e1": "not a Kid", "e1=": "not a Kid", "e1=arn,": "not a Kid",
		"e2=arn": "not among the published",
	} {
		if _, err := Issuer(fake, string(keys), signers); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got the error %v, want %q", signers, err, want)
		}
	}
	if _, err := Issuer(fake, "{", "e1=arn"); err == nil {
		t.Error("a broken key set: got no error")
	}
}
