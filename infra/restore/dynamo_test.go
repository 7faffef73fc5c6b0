package restore_test

import (
	"context"
	"crypto/rand"
	"os"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"marketplace/infra/restore"
	"marketplace/shared/table"
	"marketplace/shared/table/dynamo"
)

// onEngine makes a table on the engine at DYNAMODB_ENDPOINT, with the rows of another.
func onEngine(t *testing.T, client *dynamodb.Client, from snapshot) *dynamo.Whole {
	t.Helper()
	name := "restore-" + rand.Text()
	if err := dynamo.CreateTable(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in := &dynamodb.DeleteTableInput{TableName: &name}
		if _, err := client.DeleteTable(context.Background(), in); err != nil {
			t.Error(err)
		}
	})
	w := dynamo.NewWhole(client, name)
	for rows := range slices.Chunk(from, 50) {
		var writes []table.Write
		for _, row := range rows {
			writes = append(writes, table.Write{Row: row})
		}
		if err := w.Replace(t.Context(), writes...); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func TestRestorationOnDynamoDBIsThatInMemory(t *testing.T) {
	endpoint := os.Getenv("DYNAMODB_ENDPOINT")
	if endpoint == "" {
		t.Skip("DYNAMODB_ENDPOINT names no engine; infra/engines/with-dynoxide.sh and with-dynamodb-local.sh do")
	}
	client := dynamodb.NewFromConfig(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}, func(o *dynamodb.Options) { o.BaseEndpoint = &endpoint })
	h := newHistory(t)
	copied, tab := onEngine(t, client, h.copy), onEngine(t, client, h.memory.Rows())
	o := restore.Options{Copy: copied, Table: tab, Now: h.clock}
	p, err := restore.Compare(t.Context(), o)
	h.must(err)
	h.must(p.Apply(t.Context()))
	want := h.restored()
	equal(t, "the report", p.Report, want)
	again, err := restore.Compare(t.Context(), o)
	h.must(err)
	if !again.Nothing() {
		t.Errorf("got %v put and %v deleted once more", again.Put, again.Deleted)
	}

	// Both tables are the same now: neither lacks a row of the other.
	inMemory := onEngine(t, client, h.memory.Rows())
	p, err = restore.Compare(t.Context(), restore.Options{Copy: tab, Table: inMemory, Now: h.clock})
	h.must(err)
	if !p.Nothing() {
		t.Errorf("the engine's table is not that in memory: %v put, %v deleted", p.Put, p.Deleted)
	}
}
