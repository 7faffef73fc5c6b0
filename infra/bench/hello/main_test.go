package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/shared/lambdahttp/lambdahttptest"
)

func TestHelloSaysHello(t *testing.T) {
	event, err := lambdahttptest.Event(httptest.NewRequest("GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := lambda.NewHandler(hello).Invoke(t.Context(), event)
	if err != nil || !strings.Contains(string(answer), `"statusCode":200`) {
		t.Errorf("%s %v", answer, err)
	}
}

func BenchmarkInvoke(b *testing.B) {
	r := httptest.NewRequest("GET", "/editions.json", nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	event, err := lambdahttptest.Event(r)
	if err != nil {
		b.Fatal(err)
	}
	h := lambda.NewHandler(hello)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Invoke(b.Context(), event); err != nil {
			b.Fatal(err)
		}
	}
}
