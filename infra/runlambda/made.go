package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"marketplace/infra/stack"
)

// makeSecrets makes the secrets of the template in moto's Secrets Manager, each with a first value as CloudFormation
// makes it.
func makeSecrets(ctx context.Context, v values, endpoint string) error {
	for _, id := range v.template.Resources("AWS::SecretsManager::Secret") {
		made := stack.At(v.template.Properties(id), "GenerateSecretString")
		if made == nil {
			return fmt.Errorf("%s: only a secret that is generated is known here", id)
		}
		var random struct{ RandomPassword string }
		length, err := strconv.Atoi(stack.Str(stack.At(made, "PasswordLength")))
		if err != nil {
			return fmt.Errorf("%s: PasswordLength: %w", id, err)
		}
		err = call(ctx, endpoint, "secretsmanager", "secretsmanager.GetRandomPassword", map[string]any{
			"PasswordLength": length, "ExcludePunctuation": stack.At(made, "ExcludePunctuation") == "true",
		}, &random)
		if err != nil {
			return err
		}
		text := random.RandomPassword
		if key, ok := stack.At(made, "GenerateStringKey").(string); ok {
			members := map[string]string{}
			template := stack.Str(stack.At(made, "SecretStringTemplate"))
			if err := json.Unmarshal([]byte(template), &members); err != nil {
				return fmt.Errorf("%s: SecretStringTemplate: %w", id, err)
			}
			members[key] = text
			whole, err := json.Marshal(members)
			if err != nil {
				return err
			}
			text = string(whole)
		}
		var secret struct{ ARN string }
		if err := call(ctx, endpoint, "secretsmanager", "secretsmanager.CreateSecret",
			map[string]any{"Name": v.stack + "-" + id, "SecretString": text}, &secret); err != nil {
			return err
		}
		v.secrets[id] = secret.ARN
	}
	return nil
}

// makeTables makes the tables of the template in the DynamoDB engine, and returns the ARN of each one's stream by its
// logical ID.
func makeTables(ctx context.Context, v values, endpoint string) (map[string]string, error) {
	streams := map[string]string{}
	for _, id := range v.template.Resources("AWS::DynamoDB::Table") {
		p := v.template.Properties(id)
		name, err := v.resource(id, "")
		if err != nil {
			return nil, err
		}
		view := stack.Str(stack.At(p, "StreamSpecification", "StreamViewType"))
		var made struct {
			TableDescription struct{ LatestStreamArn string }
		}
		err = call(ctx, endpoint, "dynamodb", "DynamoDB_20120810.CreateTable", map[string]any{
			"TableName": name, "BillingMode": stack.At(p, "BillingMode"), "KeySchema": stack.At(p, "KeySchema"),
			"AttributeDefinitions": stack.At(p, "AttributeDefinitions"),
			"StreamSpecification":  map[string]any{"StreamEnabled": view != "", "StreamViewType": view},
		}, &made)
		if err != nil {
			return nil, err
		}
		if attribute := stack.At(p, "TimeToLiveSpecification", "AttributeName"); attribute != nil {
			ttl := map[string]any{"AttributeName": attribute, "Enabled": true}
			err := call(ctx, endpoint, "dynamodb", "DynamoDB_20120810.UpdateTimeToLive",
				map[string]any{"TableName": name, "TimeToLiveSpecification": ttl}, nil)
			if err != nil {
				return nil, err
			}
		}
		if err := warm(ctx, endpoint, name); err != nil {
			return nil, err
		}
		streams[id] = made.TableDescription.LatestStreamArn
	}
	return streams, nil
}

// warm runs a transaction, because an engine's first one takes longer than the functions wait.
func warm(ctx context.Context, endpoint, table string) error {
	key := map[string]any{"PK": map[string]string{"S": "WARM"}, "SK": map[string]string{"S": "WARM"}}
	for _, write := range []map[string]any{
		{"Put": map[string]any{"TableName": table, "Item": key, "ConditionExpression": "attribute_not_exists(PK)"}},
		{"Delete": map[string]any{"TableName": table, "Key": key}},
	} {
		if err := call(ctx, endpoint, "dynamodb", "DynamoDB_20120810.TransactWriteItems",
			map[string]any{"TransactItems": []any{write}}, nil); err != nil {
			return err
		}
	}
	return nil
}

// makeBuckets makes the buckets of the template in moto's S3.
func makeBuckets(ctx context.Context, v values, endpoint string) error {
	for _, id := range v.template.Resources("AWS::S3::Bucket") {
		name, err := v.resource(id, "")
		if err != nil {
			return err
		}
		body := strings.NewReader(`<CreateBucketConfiguration><LocationConstraint>` + region +
			`</LocationConstraint></CreateBucketConfiguration>`)
		r, err := http.NewRequestWithContext(ctx, http.MethodPut, endpoint+"/"+name, body)
		if err != nil {
			return err
		}
		sign(r, "s3")
		if _, err := send(r); err != nil {
			return fmt.Errorf("making the bucket %s: %w", name, err)
		}
	}
	return nil
}
