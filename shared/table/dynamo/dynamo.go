// Package dynamo keeps a table.Table in a DynamoDB table: production's storage.
//
// An item has the attributes PK, SK, type, schema, version, expires (the TTL attribute, seconds since 1970) and data,
// a map with the members of Row.Data, so that rows can be read in the DynamoDB console. The caller makes the client,
// whose retries of lost and throttled requests are relied on; collisions of transactions are repeated here.
package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"marketplace/shared/table"
)

// API is what a table calls of a *dynamodb.Client.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (
		*dynamodb.TransactWriteItemsOutput, error)
}

// Table is a table in DynamoDB.
type Table struct {
	client API
	name   string
}

var _ table.Table = (*Table)(nil)

// New names a table; nothing is asked of DynamoDB before the first call.
func New(client API, name string) *Table { return &Table{client: client, name: name} }

// Get reads a row; see table.Table.
func (t *Table) Get(ctx context.Context, key table.Key) (table.Row, error) {
	if err := table.CheckKey(key); err != nil {
		return table.Row{}, err
	}
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &t.name,
		Key:            keyItem(key),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return table.Row{}, t.failed(ctx, err, "read "+key.String())
	}
	if len(out.Item) == 0 {
		return table.Row{}, fmt.Errorf("%w: %v", table.ErrNotFound, key)
	}
	return decode(out.Item)
}

// Query reads a page; see table.Table.
//
// DynamoDB allows one condition on the sort key, and BETWEEN includes both ends. So To is excluded by starting a
// descending page at it, or by dropping the last row of an ascending page.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := table.CheckQuery(q); err != nil {
		return table.Page{}, err
	}
	q, empty := clamp(q)
	if empty {
		return table.Page{}, ended(ctx)
	}
	input := &dynamodb.QueryInput{
		TableName:                 &t.name,
		ConsistentRead:            aws.Bool(true),
		ScanIndexForward:          aws.Bool(!q.Descending),
		Limit:                     aws.Int32(int32(q.Limit)),
		KeyConditionExpression:    aws.String("PK = :pk"),
		ExpressionAttributeValues: item{":pk": text(q.PK)},
	}
	if q.After != "" {
		input.ExclusiveStartKey = keyItem(table.Key{PK: q.PK, SK: q.After})
	}
	switch {
	case q.From != "" && q.To != "":
		*input.KeyConditionExpression += " AND SK BETWEEN :from AND :to"
	case q.From != "":
		*input.KeyConditionExpression += " AND SK >= :from"
	case q.To != "":
		*input.KeyConditionExpression += " AND SK < :to"
	}
	if q.From != "" {
		input.ExpressionAttributeValues[":from"] = text(q.From)
	}
	if q.To != "" {
		input.ExpressionAttributeValues[":to"] = text(q.To)
	}
	out, err := t.client.Query(ctx, input)
	if err != nil {
		return table.Page{}, t.failed(ctx, err, "query "+q.PK)
	}
	return page(out, q.To)
}

// clamp fills in the limit and moves After to where DynamoDB accepts it: within the range. A range that cannot hold a
// row is empty; DynamoDB would call it an error.
func clamp(q table.Query) (clamped table.Query, empty bool) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	q.Limit = min(q.Limit, 1000)
	if q.To != "" && q.From >= q.To {
		return q, true
	}
	if q.Descending {
		if q.To != "" && (q.After == "" || q.After >= q.To) {
			q.After = ""
			if q.From != "" {
				q.After = q.To
			}
		}
		return q, q.After != "" && q.After <= q.From
	}
	if q.After < q.From {
		q.After = ""
	}
	return q, q.To != "" && q.After >= q.To
}

func page(out *dynamodb.QueryOutput, to string) (page table.Page, err error) {
	for _, item := range out.Items {
		row, err := decode(item)
		if err != nil {
			return table.Page{}, err
		}
		if to != "" && row.SK >= to {
			return page, nil
		}
		page.Rows = append(page.Rows, row)
	}
	if len(out.LastEvaluatedKey) > 0 {
		key, err := decodeKey(out.LastEvaluatedKey)
		if err != nil {
			return table.Page{}, err
		}
		page.Next = key.SK
	}
	return page, nil
}

// ended returns the error of a call whose context has ended, if it has.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
	}
	return nil
}

// failed returns the error that the caller of a failed call gets.
func (t *Table) failed(ctx context.Context, err error, doing string) error {
	if errors.As(err, new(*types.ResourceNotFoundException)) {
		return fmt.Errorf("table/dynamo: %s: there is no table %s in this account and region: %w", doing, t.name, err)
	}
	if e := ended(ctx); e != nil {
		return fmt.Errorf("%w: table/dynamo: %s: %v", e, doing, err)
	}
	if transient(err) {
		return fmt.Errorf("%w: table/dynamo: %s: %w", table.ErrUnavailable, doing, err)
	}
	return fmt.Errorf("table/dynamo: %s: %w", doing, err)
}
