// Package secretstore reads secrets from AWS Secrets Manager. It is separate from cloud so that only the console links
// it.
package secretstore

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"marketplace/shared/cloud"
)

// API is the part of Secrets Manager that we use. Its methods are named after its operations: the IAM action is
// "secretsmanager:" and the name.
type API interface {
	// GetSecretValue returns the current text of a secret, which an ARN or a name names.
	GetSecretValue(ctx context.Context, id string) (string, error)
}

// Store implements API with AWS Secrets Manager. It is safe for concurrent use.
type Store struct{ client *secretsmanager.Client }

// Client returns a Store with the region and credentials that Lambda gives a function.
func Client(getenv func(string) string) *Store { return New(cloud.AWSConfig(getenv)) }

// New returns a Store for an AWS configuration; its BaseEndpoint, if set, replaces AWS's own address.
func New(config aws.Config) *Store { return &Store{secretsmanager.NewFromConfig(config)} }

// GetSecretValue implements API. Its errors do not show the secret.
func (s *Store) GetSecretValue(ctx context.Context, id string) (string, error) {
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", err
	}
	if out.SecretString == nil {
		return "", errors.New("secretstore: the secret has no text")
	}
	return *out.SecretString, nil
}
