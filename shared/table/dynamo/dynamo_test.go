package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"marketplace/shared/table"
	"marketplace/shared/table/dynamo"
)

func dummy(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
}

// fake answers the transactions that it is sent with one error after the other, then nil; it keeps what it was sent.
type fake struct {
	dynamo.API
	errs []error
	sent []*dynamodb.TransactWriteItemsInput
	item map[string]types.AttributeValue
}

func (f *fake) TransactWriteItems(_ context.Context, in *dynamodb.TransactWriteItemsInput,
	_ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	f.sent = append(f.sent, in)
	if len(f.sent) <= len(f.errs) {
		return nil, f.errs[len(f.sent)-1]
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

func (f *fake) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput,
	error) {
	return &dynamodb.GetItemOutput{Item: f.item}, nil
}

func cancelled(codes ...string) error {
	err := &types.TransactionCanceledException{Message: aws.String("cancelled")}
	for _, code := range codes {
		err.CancellationReasons = append(err.CancellationReasons, types.CancellationReason{Code: aws.String(code)})
	}
	return fmt.Errorf("operation error: %w", err)
}

func times(n int, err error) (errs []error) {
	for range n {
		errs = append(errs, err)
	}
	return errs
}

func create(sk string) table.Write {
	return table.Create(table.Row{Key: table.Key{PK: "p", SK: sk}, Data: json.RawMessage(`{}`)})
}

func TestTransactRepeatsWhatCollidesAndTellsTheRest(t *testing.T) {
	collision := cancelled("None", "TransactionConflict")
	throttled := &types.ThrottlingException{Message: aws.String("slow down")}
	tests := []struct {
		name     string
		errs     []error
		want     error // nil: applied
		attempts int
	}{
		{"a collision passes", []error{collision}, nil, 2},
		{"a throttled row passes", []error{cancelled("ThrottlingError", "None"),
			cancelled("None", "ProvisionedThroughputExceeded")}, nil, 3},
		{"its own earlier attempt is still under way", []error{&types.TransactionInProgressException{}}, nil, 2},
		{"a collision does not pass", times(50, collision), table.ErrUnavailable, 10},
		{"a row changed", []error{cancelled("None", "ConditionalCheckFailed")}, table.ErrConflict, 1},
		{"a row changed and another collides", []error{cancelled("TransactionConflict", "ConditionalCheckFailed")},
			table.ErrConflict, 1},
		{"a row changed after a collision", []error{collision, cancelled("None", "ConditionalCheckFailed")},
			table.ErrConflict, 2},
		{"a row that DynamoDB refuses", []error{cancelled("ValidationError", "None")}, table.ErrLimit, 1},
		{"throttled in spite of the SDK's retries", []error{throttled}, table.ErrUnavailable, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &fake{errs: test.errs}
				err := dynamo.New(client, "t").Transact(t.Context(), create("a"), create("b"))
				if !errors.Is(err, test.want) {
					t.Errorf("got %v; want %v", err, test.want)
				}
				if len(client.sent) != test.attempts {
					t.Errorf("%d attempts; want %d", len(client.sent), test.attempts)
				}
				for _, in := range client.sent {
					if *in.ClientRequestToken == "" || *in.ClientRequestToken != *client.sent[0].ClientRequestToken {
						t.Errorf("attempts bear different tokens")
					}
				}
			})
		})
	}
}

func TestConflictNamesTheRowsWhoseConditionFailed(t *testing.T) {
	client := &fake{errs: []error{cancelled("ConditionalCheckFailed", "None", "TransactionConflict",
		"ConditionalCheckFailed")}}
	err := dynamo.New(client, "t").Transact(t.Context(), create("a"), create("b"), create("c"), create("d"))
	var conflict *table.ConflictError
	if !errors.As(err, &conflict) || fmt.Sprint(conflict.Keys) != "[p/a p/d]" {
		t.Errorf("got %v; want a conflict of p/a and p/d", err)
	}
}

func TestEachTransactionHasATokenOfItsOwn(t *testing.T) {
	client := &fake{}
	tab := dynamo.New(client, "t")
	for range 2 {
		if err := tab.Transact(t.Context(), create("a")); err != nil {
			t.Fatal(err)
		}
	}
	a, b := *client.sent[0].ClientRequestToken, *client.sent[1].ClientRequestToken
	if a == b || len(a) > 36 {
		t.Errorf("got tokens %q and %q; want two of at most 36 characters", a, b)
	}
}

func TestTransactGivesUpBetweenAttemptsWhenTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		client := &fake{errs: times(50, cancelled("TransactionConflict"))}
		err := dynamo.New(client, "t").Transact(ctx, create("a"))
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("got %v; want ErrUnavailable and the context's error", err)
		}
	})
}

func TestNumbersAreSentWithAllTheirDigits(t *testing.T) {
	client := &fake{}
	row := table.Row{Key: table.Key{PK: "p", SK: "s"},
		Data: json.RawMessage(`{"n":12345678901234567890.123456789012345678}`)}
	if err := dynamo.New(client, "t").Transact(t.Context(), table.Create(row)); err != nil {
		t.Fatal(err)
	}
	values := client.sent[0].TransactItems[0].Update.ExpressionAttributeValues
	n := values[":data"].(*types.AttributeValueMemberM).Value["n"].(*types.AttributeValueMemberN).Value
	if n != "12345678901234567890.123456789012345678" {
		t.Errorf("sent %s", n)
	}
}

func TestAnItemEditedByHandIsAnErrorThatNamesTheAttribute(t *testing.T) {
	whole := func() map[string]types.AttributeValue {
		return map[string]types.AttributeValue{
			"PK": &types.AttributeValueMemberS{Value: "p"}, "SK": &types.AttributeValueMemberS{Value: "s"},
			"type": &types.AttributeValueMemberS{Value: "note"}, "schema": &types.AttributeValueMemberN{Value: "1"},
			"version": &types.AttributeValueMemberN{Value: "1"}, "data": &types.AttributeValueMemberM{},
		}
	}
	key := table.Key{PK: "p", SK: "s"}
	if _, err := dynamo.New(&fake{item: whole()}, "t").Get(t.Context(), key); err != nil {
		t.Fatalf("a whole item: %v", err)
	}
	set := &types.AttributeValueMemberSS{Value: []string{"a"}}
	for name, value := range map[string]types.AttributeValue{
		"type": nil, "schema": set, "version": &types.AttributeValueMemberN{Value: "1.5"}, "expires": set,
		"data": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{set}},
		}},
	} {
		item := whole()
		item[name] = value
		_, err := dynamo.New(&fake{item: item}, "t").Get(t.Context(), key)
		if err == nil || errors.Is(err, table.ErrUnavailable) || errors.Is(err, table.ErrNotFound) {
			t.Errorf("%s: got %v; want a plain error", name, err)
			continue
		}
		t.Log(err)
	}
}

// calls makes each call of a table once.
func calls(ctx context.Context, tab table.Table) map[string]error {
	_, get := tab.Get(ctx, table.Key{PK: "p", SK: "s"})
	_, query := tab.Query(ctx, table.Query{PK: "p"})
	return map[string]error{"Get": get, "Query": query, "Transact": tab.Transact(ctx, create("s"))}
}

func TestAnEngineThatDoesNotAnswerIsUnavailable(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	cuts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte(`{"Item":`))
	}))
	defer cuts.Close()
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer down.Close()
	drops := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter,
		*http.Request) {
		panic(http.ErrAbortHandler)
	}))
	defer drops.Close()
	for name, endpoint := range map[string]string{
		"refuses connections": closed.URL, "cuts its answers": cuts.URL, "answers 503": down.URL,
		"drops connections": drops.URL,
	} {
		for call, err := range calls(t.Context(), dynamo.New(client(endpoint, once), "t")) {
			if !errors.Is(err, table.ErrUnavailable) {
				t.Errorf("%s: %s: got %v; want ErrUnavailable", name, call, err)
			}
		}
	}
}

// once has a client try once, so that no test waits.
func once(o *dynamodb.Options) { o.RetryMaxAttempts = 1 }

func TestWhatAnOperatorMustMendIsNotUnavailable(t *testing.T) {
	for code, want := range map[string]string{
		"ResourceNotFoundException": "there is no table licenses",
		"AccessDeniedException":     "AccessDeniedException",
		"ValidationException":       "ValidationException",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"no"}`, code)
		}))
		defer server.Close()
		for call, err := range calls(t.Context(), dynamo.New(client(server.URL, once), "licenses")) {
			if err == nil || errors.Is(err, table.ErrUnavailable) || errors.Is(err, table.ErrLimit) ||
				!contains(err, want) {
				t.Errorf("%s: %s: got %v; want an error that says %q", code, call, err, want)
			}
		}
	}
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }
