package signer

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"marketplace/shared/cloud"
)

// KMS implements API and Keys with AWS KMS. It is safe for concurrent use.
type KMS struct{ client *kms.Client }

// Client returns a KMS client with the region and credentials that Lambda gives a function.
func Client(getenv func(string) string) *KMS { return NewKMS(cloud.AWSConfig(getenv)) }

// NewKMS returns a KMS client for an AWS configuration; its BaseEndpoint, if set, replaces AWS's own address.
func NewKMS(config aws.Config) *KMS { return &KMS{kms.NewFromConfig(config)} }

// Sign signs a SHA-256 digest: ECDSA_SHA_256, in DER.
func (k *KMS) Sign(ctx context.Context, keyID string, digest []byte) ([]byte, error) {
	out, err := k.client.Sign(ctx, &kms.SignInput{
		KeyId: &keyID, Message: digest, MessageType: types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	if err != nil {
		return nil, err
	}
	if len(out.Signature) == 0 {
		return nil, errors.New("kms Sign: the response has no signature")
	}
	return out.Signature, nil
}

// GetPublicKey reads the public half of a key and what the key is for.
func (k *KMS) GetPublicKey(ctx context.Context, keyID string) (KeyData, error) {
	out, err := k.client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &keyID})
	if err != nil {
		return KeyData{}, err
	}
	return KeyData{PublicKey: out.PublicKey, KeySpec: string(out.KeySpec), KeyUsage: string(out.KeyUsage)}, nil
}
