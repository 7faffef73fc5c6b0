package dispatch

import (
	"context"
	"encoding/json"

	"marketplace/shared/logging"
)

// Invoke is the Lambda function, as aws-lambda-go's lambda.Handler. It sends what is pending, whether a schedule or the
// table's stream invoked it: the payload only decides the answer.
//
// The answer to the stream is always a success: a stream would deliver the same records again until they are a day old,
// while the schedule retries pending mails anyway. For every other caller a failed run is an error.
func (d *Dispatcher) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	err := d.Run(ctx)
	if err != nil && !fromStream(payload) {
		return nil, err
	}
	if err != nil {
		d.Log.Error("the run failed", logging.Error(err))
	}
	return []byte(`{"batchItemFailures":[]}`), nil
}

// fromStream reports whether a payload is a batch of a DynamoDB stream.
func fromStream(payload []byte) bool {
	var event struct {
		Records []struct {
			EventSource string `json:"eventSource"`
		}
	}
	return json.Unmarshal(payload, &event) == nil && len(event.Records) > 0 &&
		event.Records[0].EventSource == "aws:dynamodb"
}
