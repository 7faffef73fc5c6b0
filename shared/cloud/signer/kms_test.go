package signer

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
)

// transport is an HTTP client that calls a function instead of the network.
type transport func(*http.Request) (*http.Response, error)

func (t transport) Do(r *http.Request) (*http.Response, error) { return t(r) }

func response(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// kmsOver returns a KMS whose requests go to a transport, once each.
func kmsOver(t transport) *KMS {
	return NewKMS(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", "token"),
		HTTPClient:       t,
		RetryMaxAttempts: 1,
	})
}

func TestKMSAsksForASignatureOfTheDigest(t *testing.T) {
	var asked map[string]any
	kms := kmsOver(func(r *http.Request) (*http.Response, error) {
		got := fmt.Sprintf("%s %s %s", r.Method, r.URL, r.Header.Get("X-Amz-Target"))
		if want := "POST https://kms.us-east-1.amazonaws.com/ TrentService.Sign"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		return response(200, `{"KeyId":"arn:key","Signature":"c2lnbmVk"}`)
	})
	digest := make([]byte, 32)
	signature, err := kms.Sign(t.Context(), "arn:key", digest)
	if err != nil || string(signature) != "signed" {
		t.Errorf("got the signature %q, %v", signature, err)
	}
	want := map[string]any{
		"KeyId": "arn:key", "Message": base64.StdEncoding.EncodeToString(digest), "MessageType": "DIGEST",
		"SigningAlgorithm": "ECDSA_SHA_256",
	}
	if !maps.Equal(asked, want) {
		t.Errorf("got the request %v, want %v", asked, want)
	}
}

func TestKMSReadsThePublicKey(t *testing.T) {
	fake := newFake(t, elliptic.P256(), KeySpec)
	data, err := fake.GetPublicKey(t.Context(), "arn:key")
	if err != nil {
		t.Fatal(err)
	}
	kms := kmsOver(func(*http.Request) (*http.Response, error) {
		return response(200, fmt.Sprintf(`{"KeyId":"arn:key","KeySpec":%q,"KeyUsage":%q,"PublicKey":%q}`,
			data.KeySpec, data.KeyUsage, base64.StdEncoding.EncodeToString(data.PublicKey)))
	})
	public, err := PublicKey(t.Context(), kms, "arn:key")
	if err != nil || !public.Equal(&fake.key.PublicKey) {
		t.Errorf("got the key %v, %v", public, err)
	}
}

func TestKMSErrorIsReturned(t *testing.T) {
	kms := kmsOver(func(*http.Request) (*http.Response, error) {
		return response(400, `{"__type":"AccessDeniedException","message":"no"}`)
	})
	_, signErr := kms.Sign(t.Context(), "arn:key", make([]byte, 32))
	_, readErr := kms.GetPublicKey(t.Context(), "arn:key")
	for operation, err := range map[string]error{"Sign": signErr, "GetPublicKey": readErr} {
		var refusal smithy.APIError
		if !errors.As(err, &refusal) || refusal.ErrorCode() != "AccessDeniedException" ||
			!strings.Contains(err.Error(), operation) {
			t.Errorf("%s: got the error %v, want AccessDeniedException", operation, err)
		}
	}
}

func TestResponseWithoutASignatureIsAnError(t *testing.T) {
	for _, body := range []string{`{}`, `{"Signature":""}`, `{"Signature":"no base64!"}`, `{"Signature":`, ``,
		`<html>`} {
		kms := kmsOver(func(*http.Request) (*http.Response, error) { return response(200, body) })
		if signature, err := kms.Sign(t.Context(), "arn:key", make([]byte, 32)); err == nil {
			t.Errorf("%s: got the signature %x, want an error", body, signature)
		}
	}
}
