// Package cloud builds AWS clients for functions. It reads Lambda's environment directly, because
// config.LoadDefaultConfig costs a third of a cold start (performance.md, "What a cold start costs"); only
// cloud/awsprofile uses that.
package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"marketplace/shared/config"
	"marketplace/shared/table"
	"marketplace/shared/table/dynamo"
)

// AWSConfig returns the region and the credentials that Lambda gives a function. They are valid as long as the
// function's execution environment exists.
func AWSConfig(getenv func(string) string) aws.Config {
	return aws.Config{
		Region: getenv("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
	}
}

// Table returns the function's table: TABLE_NAME, at DYNAMODB_ENDPOINT if that is set.
func Table(c config.Config, getenv func(string) string) table.Table {
	return dynamo.New(dynamoClient(c, AWSConfig(getenv)), c.TableName)
}

// LocalTable returns a table on a local engine at DYNAMODB_ENDPOINT, and creates it if necessary. Its name is
// TABLE_NAME, or "marketplace" without one.
func LocalTable(ctx context.Context, c config.Config) (table.Table, error) {
	if c.TableName == "" {
		c.TableName = "marketplace"
	}
	// Local engines require credentials and accept any.
	client := dynamoClient(c, aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	if err := dynamo.CreateTable(ctx, client, c.TableName); err != nil {
		return nil, fmt.Errorf("cloud: table %s at %s: %w", c.TableName, c.DynamoDBEndpoint, err)
	}
	return dynamo.New(client, c.TableName), nil
}

func dynamoClient(c config.Config, cfg aws.Config) *dynamodb.Client {
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		if c.DynamoDBEndpoint != "" {
			o.BaseEndpoint = &c.DynamoDBEndpoint
		}
	})
}
