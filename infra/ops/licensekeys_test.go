package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"

	"marketplace/shared/cloud/signer"
	"marketplace/shared/license"
)

// vault is a KMS with a key under every ID.
type vault struct{ t *testing.T }

func (v vault) GetPublicKey(context.Context, string) (signer.KeyData, error) {
	key, err := license.GenerateSigner()
	if err != nil {
		v.t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		v.t.Fatal(err)
	}
	return signer.KeyData{PublicKey: der, KeyUsage: signer.KeyUsage, KeySpec: signer.KeySpec}, nil
}

func TestKeySetIsReadableByTheFunctions(t *testing.T) {
	set, err := keySet(t.Context(), vault{t}, []string{"evaluation-1:EVALUATION=arn:a",
		"production-1:PRODUCTION,STAGING=arn:b"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 3500 {
		t.Errorf("two keys take %d bytes", len(data))
	}
	read, err := license.ParseKeySet(data)
	if err != nil {
		t.Fatal(err)
	}
	production, ok := read.Find("production-1")
	if len(read) != 2 || !ok || !production.MaySign(license.Staging) || production.MaySign(license.Evaluation) {
		t.Errorf("read back: %+v", read)
	}
}

func TestKidOfBridgeKeysIsHeldToTheirDays(t *testing.T) {
	set, err := keySet(t.Context(), vault{t}, []string{"test-production-1:PRODUCTION,STAGING=arn:a",
		"test-bridge-1:EVALUATION,PRODUCTION,STAGING=arn:b"})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := printKeySet(&out, set, true); err != nil {
		t.Fatal(err)
	}
	read, err := license.ParseKeySet([]byte(out.String()))
	if err != nil || read[0].MaxDays != 0 || read[1].MaxDays != license.BridgeDays {
		t.Errorf("%q reads as %+v, %v", out.String(), read, err)
	}
}

func TestMalformedKeyArgumentsAreRefused(t *testing.T) {
	for _, arg := range []string{"", "a", "a=b", "a:TRIAL=b", ":EVALUATION=b", "a:EVALUATION=", "a:EVALUATION"} {
		if set, err := keySet(t.Context(), vault{t}, []string{arg}); err == nil {
			t.Errorf("%q gave %v", arg, set)
		}
	}
}
