// Package awsprofile opens the table, the packages, the queue of failed runs, the signing keys and secrets for an
// operator at a terminal, with the usual AWS profile or environment. It is separate from cloud because loading a
// profile would add two milliseconds to every cold start of a function that links it, even without a call.
package awsprofile

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"marketplace/shared/cloud/failedruns"
	"marketplace/shared/cloud/packagestore"
	"marketplace/shared/cloud/secretstore"
	"marketplace/shared/cloud/signer"
	"marketplace/shared/cloud/stackcontrol"
	"marketplace/shared/table"
	"marketplace/shared/table/dynamo"
)

// Table returns the table with that name in the configured region.
func Table(ctx context.Context, name string) (table.Table, error) {
	cfg, err := load(ctx)
	if err != nil {
		return nil, err
	}
	return dynamo.New(dynamodb.NewFromConfig(cfg), name), nil
}

// Whole returns the table with that name for its restoration, on the engine at an endpoint if that is not "".
func Whole(ctx context.Context, name, endpoint string) (*dynamo.Whole, error) {
	if endpoint != "" { // engines require credentials and accept any
		local := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint,
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}
		return dynamo.NewWhole(dynamodb.NewFromConfig(local), name), nil
	}
	cfg, err := load(ctx)
	if err != nil {
		return nil, err
	}
	return dynamo.NewWhole(dynamodb.NewFromConfig(cfg), name), nil
}

// Control returns what stops, starts and takes down stacks in the configured region.
func Control(ctx context.Context) (*stackcontrol.Control, error) {
	cfg, err := load(ctx)
	if err != nil {
		return nil, err
	}
	return stackcontrol.New(cfg), nil
}

// Keys returns KMS in the configured region.
func Keys(ctx context.Context) (signer.Keys, error) {
	cfg, err := load(ctx)
	if err != nil {
		return nil, err
	}
	return signer.NewKMS(cfg), nil
}

// Packages returns S3 in the configured region.
func Packages(ctx context.Context) (*packagestore.S3, error) {
	cfg, err := load(ctx)
	if err != nil {
		return nil, err
	}
	return packagestore.NewS3(cfg), nil
}

// FailedRuns returns the queue of failed runs at an address.
func FailedRuns(ctx context.Context, url string) (*failedruns.Queue, error) {
	cfg, err := load(ctx)
	if err != nil {
		return nil, err
	}
	return failedruns.Open(cfg, url), nil
}

// Secret returns the text of a secret, which an ARN or a name names.
func Secret(ctx context.Context, id string) (string, error) {
	cfg, err := load(ctx)
	if err != nil {
		return "", err
	}
	return secretstore.New(cfg).GetSecretValue(ctx, id)
}

func load(ctx context.Context) (aws.Config, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, fmt.Errorf("awsprofile: AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, errors.New("awsprofile: no AWS region is configured; set AWS_REGION")
	}
	return cfg, nil
}
