// Package operator opens the table for a person at a terminal, with the usual AWS profile or environment. It stands apart
// from cloud because what finds a profile would cost every function two milliseconds of its start, though it never calls it.
package operator

import (
	"context"
	"errors"
	"fmt"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"marketplace/shared/table"
	"marketplace/shared/table/dynamo"
)

// Table is the table of that name, in the region that is configured.
func Table(ctx context.Context, name string) (table.Table, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("operator: AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("operator: no AWS region is configured; set AWS_REGION")
	}
	return dynamo.New(dynamodb.NewFromConfig(cfg), name), nil
}
