// Command hello is a minimal Go function behind an HTTP API. The benchmark measures all others as a ratio to it, so it
// is written in the usual way and not tuned.
package main

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func hello(_ context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       `{"message":"hello"}`,
	}, nil
}

func main() { lambda.Start(hello) }
