package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"marketplace/functions/console/signin"
	"marketplace/shared/cloud/secretstore"
	"marketplace/shared/secret"
	"marketplace/shared/store/erasure"
)

// newKey returns what `openssl rand -base64 32` does.
func newKey() string {
	key := make([]byte, 32)
	rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}

// TestReplacedSecretsReachTheConsole replaces the console's secrets on moto as secrets.md says.
func TestReplacedSecretsReachTheConsole(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no Secrets Manager (infra/engines/with-moto.sh starts one)")
	}
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "")}
	client, store := secretsmanager.NewFromConfig(config), secretstore.New(config)
	console, hash := "console-"+rand.Text(), "hash-"+rand.Text()
	put := func(name, text string) {
		t.Helper()
		_, err := client.PutSecretValue(t.Context(),
			&secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &text})
		if err != nil {
			t.Fatal(err)
		}
	}
	oldHash := newKey()
	for name, text := range map[string]string{
		console: `{"session_keys":"` + newKey() + `","client_secret":"first"}`, hash: oldHash,
	} {
		_, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &text})
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	secrets := secret.Read(secret.Options[signin.Secrets]{
		Name: "console", Parse: signin.ParseSecrets, Now: func() time.Time { return now },
		Log:    slog.New(slog.NewTextHandler(&log, nil)),
		Source: func(ctx context.Context) (string, error) { return store.GetSecretValue(ctx, console) },
	})
	clientSecret := func() string {
		t.Helper()
		s, err := secrets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s.ClientSecret
	}
	for _, step := range []struct {
		put   string
		after time.Duration
		want  string
	}{
		{"", 0, "first"},
		{`{"session_keys":"` + newKey() + `","client_secret":"second"}`, 4*time.Minute + 59*time.Second, "first"},
		{"", time.Second, "second"},
		{`{"session_keys":"not a key","client_secret":"third"}`, 5 * time.Minute, "second"},
		{`no JSON`, 5 * time.Minute, "second"},
		{`{"session_keys":"` + newKey() + `","client_secret":"fourth"}`, 30 * time.Second, "fourth"},
	} {
		if step.put != "" {
			put(console, step.put)
		}
		now = now.Add(step.after)
		if got := clientSecret(); got != step.want {
			t.Errorf("%v after %q: got the client secret %q, want %q", step.after, step.put, got, step.want)
		}
	}
	if n := strings.Count(log.String(), "secret not read again"); n != 2 || strings.Contains(log.String(), "third") {
		t.Errorf("got %d warnings, want 2 without the text: %s", n, &log)
	}

	put(hash, newKey()+","+oldHash)
	text, err := store.GetSecretValue(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	both, err := erasure.ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	before, err := erasure.ParseKeys(oldHash)
	if err != nil {
		t.Fatal(err)
	}
	was, is := before.Hashes("ada@acme.example"), both.Hashes("ada@acme.example")
	if len(is) != 2 || is[0] == was[0] || !slices.Contains(is, was[0]) {
		t.Errorf("got the hashes %v, want a new one before %v", is, was)
	}
}
