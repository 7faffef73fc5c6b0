// Package awsprofile opens the table and the signing keys for a person at a terminal, with the usual AWS profile or environment. It stands apart
// from cloud because what finds a profile would cost every function two milliseconds of its start, though it never calls it.
package awsprofile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"marketplace/shared/cloud/signer"
	"marketplace/shared/table"
	"marketplace/shared/table/dynamo"
)

// Table is the table of that name, in the region that is configured.
func Table(ctx context.Context, name string) (table.Table, error) {
	cfg, err := configured(ctx)
	if err != nil {
		return nil, err
	}
	return dynamo.New(dynamodb.NewFromConfig(cfg), name), nil
}

// Keys is KMS, in the region that is configured. now is the clock that its requests are signed by.
func Keys(ctx context.Context, now func() time.Time) (signer.Keys, error) {
	cfg, err := configured(ctx)
	if err != nil {
		return nil, err
	}
	return signer.NewKMS(cfg, now), nil
}

func configured(ctx context.Context) (aws.Config, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, fmt.Errorf("awsprofile: AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, errors.New("awsprofile: no AWS region is configured; set AWS_REGION")
	}
	return cfg, nil
}
