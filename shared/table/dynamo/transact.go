package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"marketplace/shared/table"
)

// Attempts at a transaction that collides with others, with exponential backoff and full jitter.
const (
	attempts  = 10
	firstWait = 20 * time.Millisecond
	lastWait  = time.Second
)

// Transact applies all writes or none; see table.Table.
//
// Even a single write goes through TransactWriteItems, at twice the price of a PutItem: only a transaction has a token
// (valid for ten minutes) by which DynamoDB knows a repeated request. A PutItem whose answer was lost would meet its
// own row when repeated, and count it as somebody else's. For the same reason all attempts of a call share one token.
func (t *Table) Transact(ctx context.Context, writes ...table.Write) error {
	return t.transact(ctx, writes, false)
}

// transact is Transact; rows that are written as they are keep their own Version.
func (t *Table) transact(ctx context.Context, writes []table.Write, asIs bool) error {
	if err := table.Check(writes); err != nil || len(writes) == 0 {
		return err
	}
	input := &dynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String(rand.Text())}
	for _, w := range writes {
		item, err := t.transactItem(w, asIs)
		if err != nil {
			return err
		}
		input.TransactItems = append(input.TransactItems, item)
	}
	wait := firstWait
	for attempt := 1; ; attempt++ {
		_, err := t.client.TransactWriteItems(ctx, input)
		if err == nil {
			return nil
		}
		again, err := t.refused(ctx, err, writes)
		if !again || attempt == attempts {
			return err
		}
		select {
		case <-time.After(mathrand.N(wait)):
		case <-ctx.Done():
			return ended(ctx)
		}
		wait = min(2*wait, lastWait)
	}
}

func (t *Table) transactItem(w table.Write, asIs bool) (types.TransactWriteItem, error) {
	key := keyItem(w.Row.Key)
	var condition *string
	values := item{}
	names := map[string]string{}
	switch {
	case w.Expect == 0:
		condition = aws.String("attribute_not_exists(PK)")
	case w.Expect > 0:
		condition = aws.String("#version = :expected")
		names["#version"] = versionName
		values[":expected"] = number(w.Expect)
	}
	if w.Delete {
		if w.Expect <= 0 {
			names, values = nil, nil // DynamoDB refuses empty maps
		}
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &t.name, Key: key, ConditionExpression: condition,
			ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		}}, nil
	}

	// An update of every attribute, not a put: only an update can count the version up whatever it was.
	data, err := encodeData(w.Row.Data)
	if err != nil {
		return types.TransactWriteItem{}, fmt.Errorf("table/dynamo: %v: %w", w.Row.Key, err)
	}
	expression := "SET #type = :type, #schema = :schema, #data = :data"
	for name, attribute := range map[string]string{
		"#type": typeName, "#schema": schemaName, "#data": dataName, "#version": versionName, "#expires": expiresName,
	} {
		names[name] = attribute
	}
	values[":type"], values[":schema"], values[":data"] = text(w.Row.Type), number(int64(w.Row.Schema)), data
	counted := " ADD #version :version"
	values[":version"] = number(1)
	if asIs {
		values[":version"], counted = number(w.Row.Version), ""
		expression += ", #version = :version"
	}
	if w.Row.Expires.IsZero() {
		expression += " REMOVE #expires"
	} else {
		expression += ", #expires = :expires"
		values[":expires"] = number(w.Row.Expires.Unix())
	}
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &t.name, Key: key, ConditionExpression: condition,
		UpdateExpression:         aws.String(expression + counted),
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
	}}, nil
}

// refused returns the error that Transact returns after a failed attempt, and whether to try again first.
func (t *Table) refused(ctx context.Context, err error, writes []table.Write) (again bool, meaning error) {
	doing := "transact " + strconv.Itoa(len(writes)) + " writes, first " + writes[0].Row.Key.String()
	if errors.As(err, new(*types.TransactionInProgressException)) {
		return true, t.failed(ctx, err, doing)
	}
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return false, t.failed(ctx, err, doing)
	}
	var conflicts []table.Key
	var invalid error
	for i, reason := range cancelled.CancellationReasons {
		switch code := aws.ToString(reason.Code); code {
		case "ConditionalCheckFailed":
			if i < len(writes) {
				conflicts = append(conflicts, writes[i].Row.Key)
			}
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			again = true
		case "ValidationError", "ItemCollectionSizeLimitExceeded":
			invalid = fmt.Errorf("%w: table/dynamo: %s: write %d: %s: %s", table.ErrLimit, doing, i, code,
				aws.ToString(reason.Message))
		}
	}
	switch {
	case conflicts != nil:
		return false, &table.ConflictError{Keys: conflicts}
	case invalid != nil:
		return false, invalid
	case again:
		return true, fmt.Errorf("%w: table/dynamo: %s: %w", table.ErrUnavailable, doing, err)
	}
	return false, fmt.Errorf("table/dynamo: %s: %w", doing, err)
}

// transient reports whether the same request may succeed later: after errors that the SDK retries, and after any
// failure between the request and its answer.
func transient(err error) bool {
	retryable := retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
	var send *smithyhttp.RequestSendError
	var read *smithy.DeserializationError
	return retryable || errors.As(err, &send) || errors.As(err, &read)
}
