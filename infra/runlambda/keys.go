package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"marketplace/infra/stack"
	"marketplace/shared/license"
)

// keys stand in for KMS: the keys of the template by their ARN. They sign digests alone. moto does not serve here,
// because it hashes a digest again as if it were the message, so that nobody could verify the signature.
type keys map[string]*ecdsa.PrivateKey

// newKeys makes the signing keys that the template has.
func newKeys(v values) (keys, error) {
	made := keys{}
	for _, id := range v.template.Resources("AWS::KMS::Key") {
		p := v.template.Properties(id)
		spec, usage := stack.Str(stack.At(p, "KeySpec")), stack.Str(stack.At(p, "KeyUsage"))
		if spec != "ECC_NIST_P256" || usage != "SIGN_VERIFY" {
			return nil, fmt.Errorf("%s: a key of %s for %s is not known here", id, spec, usage)
		}
		arn, err := v.resource(id, "Arn")
		if err != nil {
			return nil, err
		}
		if made[arn], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// public is the parameter LicenseKeys, made of the output LicenseSigners as `ops license-keys` makes it.
func (k keys) public(v values) (string, error) {
	signers, err := v.text(stack.At(v.template.Root, "Outputs", "LicenseSigners", "Value"))
	if err != nil {
		return "", fmt.Errorf("output LicenseSigners: %w", err)
	}
	var set license.KeySet
	for signer := range strings.FieldsSeq(signers) {
		name, arn, _ := strings.Cut(signer, "=")
		kid, types, _ := strings.Cut(name, ":")
		if k[arn] == nil {
			return "", fmt.Errorf("output LicenseSigners: there is no key %q", arn)
		}
		p := license.PublicKey{Kid: kid, MaxDays: license.MaxDaysOf(kid), Key: &k[arn].PublicKey}
		for t := range strings.SplitSeq(types, ",") {
			p.Types = append(p.Types, license.Type(t))
		}
		set = append(set, p)
	}
	return set.Compact()
}

// ServeHTTP implements Sign of KMS's JSON protocol.
func (k keys) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		KeyID            string `json:"KeyId"`
		Message          []byte
		MessageType      string
		SigningAlgorithm string
	}
	err := json.NewDecoder(r.Body).Decode(&in)
	key := k[in.KeyID]
	switch {
	case err != nil:
	case r.Header.Get("X-Amz-Target") != "TrentService.Sign" || in.MessageType != "DIGEST" ||
		in.SigningAlgorithm != "ECDSA_SHA_256" || len(in.Message) != sha256.Size:
		err = errors.New("UnsupportedOperationException")
	case key == nil:
		err = errors.New("NotFoundException")
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"__type": err.Error()})
		return
	}
	signature, err := key.Sign(rand.Reader, in.Message, crypto.SHA256)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{
		"KeyId": in.KeyID, "Signature": signature, "SigningAlgorithm": in.SigningAlgorithm,
	})
}
