package dynamo_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"marketplace/shared/table"
	"marketplace/shared/table/dynamo"
	"marketplace/shared/table/tabletest"
)

// engine returns a client of the engine that a test of this package runs on.
func engine(t *testing.T, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	endpoint := os.Getenv("DYNAMODB_ENDPOINT")
	if endpoint == "" {
		t.Skip("DYNAMODB_ENDPOINT names no engine; infra/engines/with-dynoxide.sh and with-dynamodb-local.sh do")
	}
	return client(endpoint, options...)
}

func client(endpoint string, options ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint,
		Region:       "us-east-1",
		Credentials:  aws.NewCredentialsCache(aws.CredentialsProviderFunc(dummy)),
	}, options...)
}

// createTable makes a table that lasts as long as the test, and returns its name.
func createTable(t *testing.T) string {
	t.Helper()
	client, name := engine(t), "test-"+rand.Text()
	t.Cleanup(func() {
		if _, err := client.DeleteTable(context.Background(),
			&dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Error(err)
		}
	})
	if err := dynamo.CreateTable(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t *testing.T, options ...func(*dynamodb.Options)) *dynamo.Table {
	t.Helper()
	return dynamo.New(engine(t, options...), createTable(t))
}

func TestDynamoKeepsTheContract(t *testing.T) {
	engine(t)
	tabletest.Run(t, func(t *testing.T) table.Table { return open(t) })
}

// losing is an HTTP client that loses the answers to the first attempts of each transaction: DynamoDB has applied it,
// and nobody knows.
type losing struct {
	lose int

	mu    sync.Mutex
	tries map[string]int
}

func (l *losing) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := http.DefaultClient.Do(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactWriteItems") {
		return resp, err
	}
	var sent struct{ ClientRequestToken string }
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries[sent.ClientRequestToken]++
	if l.tries[sent.ClientRequestToken] > l.lose {
		return resp, nil
	}
	resp.Body.Close()
	return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: syscall.ECONNRESET}
}

// withLosses returns a client whose SDK repeats without waiting.
func withLosses(l *losing) func(*dynamodb.Options) {
	return func(o *dynamodb.Options) {
		o.HTTPClient = l
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
}

func TestATransactionWhoseAnswerWasLostIsNotTakenForSomebodyElses(t *testing.T) {
	l := &losing{lose: 2, tries: map[string]int{}}
	tab := open(t, withLosses(l))
	row := table.Row{Key: table.Key{PK: "p", SK: "s"}, Data: json.RawMessage(`{"n":1}`)}
	index := table.Row{Key: table.Key{PK: "index", SK: "s"}, Data: json.RawMessage(`{}`)}
	for version := int64(0); version < 3; version++ {
		row.Version = version
		if err := tab.Transact(t.Context(), table.Update(row), table.Set(index)); err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
	}
	for _, key := range []table.Key{row.Key, index.Key} {
		if got, err := tab.Get(t.Context(), key); err != nil || got.Version != 3 {
			t.Errorf("%v: got version %d, %v; want 3: each transaction applied once", key, got.Version, err)
		}
	}
	for token, tries := range l.tries {
		if tries != 3 {
			t.Errorf("token %s was sent %d times; want 3", token, tries)
		}
	}
}

func TestALostAnswerOfAllAttemptsIsUnavailableAndTheRepetitionTells(t *testing.T) {
	l := &losing{lose: 3, tries: map[string]int{}}
	tab := open(t, withLosses(l))
	if err := tab.Transact(t.Context(), create("s")); !errors.Is(err, table.ErrUnavailable) {
		t.Fatalf("got %v; want ErrUnavailable", err)
	}
	l.lose = 0
	if err := tab.Transact(t.Context(), create("s")); !errors.Is(err, table.ErrConflict) {
		t.Errorf("repeated: got %v; want ErrConflict", err)
	}
}

func TestAMissingTableIsSaidClearly(t *testing.T) {
	for call, err := range calls(t.Context(), dynamo.New(engine(t), "nowhere")) {
		if !contains(err, "there is no table nowhere") || errors.Is(err, table.ErrUnavailable) ||
			errors.Is(err, table.ErrNotFound) {
			t.Errorf("%s: got %v", call, err)
		}
	}
}

func TestCreateTableLeavesATableThatExists(t *testing.T) {
	client, name := engine(t), createTable(t)
	for range 2 {
		if err := dynamo.CreateTable(t.Context(), client, name); err != nil {
			t.Fatal(err)
		}
		err := dynamo.New(client, name).Transact(t.Context(), table.Set(create("s").Row))
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := dynamo.New(client, name).Get(t.Context(), table.Key{PK: "p", SK: "s"})
	if err != nil || got.Version != 2 {
		t.Errorf("got version %d, %v; want 2", got.Version, err)
	}
	described, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil || described.Table.StreamSpecification == nil || !*described.Table.StreamSpecification.StreamEnabled {
		t.Errorf("got %+v, %v; want a stream", described, err)
	}
	ttl, err := client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil || aws.ToString(ttl.TimeToLiveDescription.AttributeName) != "expires" {
		t.Errorf("got %+v, %v; want the TTL attribute expires", ttl, err)
	}
}
