package secretstore

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// transport is an HTTP client that calls a function instead of the network.
type transport func(*http.Request) (*http.Response, error)

func (t transport) Do(r *http.Request) (*http.Response, error) { return t(r) }

// storeThatGets returns a store whose requests get a response, once each.
func storeThatGets(status int, body string, asked *string) *Store {
	return New(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "token"),
		RetryMaxAttempts: 1,
		HTTPClient: transport(func(r *http.Request) (*http.Response, error) {
			sent, err := io.ReadAll(r.Body)
			if asked != nil {
				*asked = r.Header.Get("X-Amz-Target") + " " + string(sent)
			}
			return &http.Response{StatusCode: status, Header: http.Header{},
				Body: io.NopCloser(strings.NewReader(body))}, err
		}),
	})
}

func TestStoreReadsTheCurrentText(t *testing.T) {
	var asked string
	store := storeThatGets(200, `{"ARN":"arn:s","SecretString":"{\"session_keys\":\"k\"}"}`, &asked)
	text, err := store.GetSecretValue(t.Context(), "arn:s")
	if err != nil || text != `{"session_keys":"k"}` {
		t.Errorf("got %q, %v", text, err)
	}
	if want := `secretsmanager.GetSecretValue {"SecretId":"arn:s"}`; asked != want {
		t.Errorf("asked for %s, want %s", asked, want)
	}
}

func TestErrorsDoNotShowTheSecret(t *testing.T) {
	for name, store := range map[string]*Store{
		"refused":      storeThatGets(400, `{"__type":"AccessDeniedException","message":"no"}`, nil),
		"binary":       storeThatGets(200, `{"ARN":"arn:s","SecretBinary":"c2VjcmV0"}`, nil),
		"not readable": storeThatGets(200, `{"SecretString":"hidden`, nil),
	} {
		if text, err := store.GetSecretValue(t.Context(), "arn:s"); err == nil || text != "" ||
			strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
}

// TestMoto reads and changes a secret in moto's Secrets Manager, an independent implementation.
func TestMoto(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no Secrets Manager to read from (infra/engines/with-moto.sh starts one)")
	}
	store := New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	name, first, second := "licensing/console", "first", "second"
	made, err := store.client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: &name, SecretString: &first,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{name, *made.ARN} {
		if text, err := store.GetSecretValue(t.Context(), id); err != nil || text != first {
			t.Errorf("%s: got %q, %v", id, text, err)
		}
	}
	if _, err := store.client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &name, SecretString: &second,
	}); err != nil {
		t.Fatal(err)
	}
	if text, err := store.GetSecretValue(t.Context(), name); err != nil || text != second {
		t.Errorf("changed: got %q, %v", text, err)
	}
}
