package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"marketplace/shared/table"
)

// WholeAPI is what a Whole calls of a *dynamodb.Client.
type WholeAPI interface {
	API
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// Whole is a table for an operator who restores it: it reads all rows, and writes rows as they are. No function does.
type Whole struct {
	table *Table
	scan  WholeAPI
}

// NewWhole names a table; nothing is asked of DynamoDB before the first call.
func NewWhole(client WholeAPI, name string) *Whole { return &Whole{New(client, name), client} }

// Each passes every row of the table to f, in no order, until f fails. Reads are consistent.
func (w *Whole) Each(ctx context.Context, f func(table.Row) error) error {
	in := &dynamodb.ScanInput{TableName: &w.table.name, ConsistentRead: aws.Bool(true)}
	for {
		out, err := w.scan.Scan(ctx, in)
		if err != nil {
			return w.table.failed(ctx, err, "scan")
		}
		for _, item := range out.Items {
			row, err := decode(item)
			if err == nil {
				err = f(row)
			}
			if err != nil {
				return err
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// Replace is table.Transact, but each row keeps its own Version instead of getting the next one.
func (w *Whole) Replace(ctx context.Context, writes ...table.Write) error {
	return w.table.transact(ctx, writes, true)
}
