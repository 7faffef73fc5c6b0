package dispatch

import (
	"context"
	"encoding/json"

	"marketplace/shared/logging"
)

// Invoke is the Lambda function, as aws-lambda-go's lambda.Handler. Whatever wakes it, a schedule or the table's stream,
// it sends what is pending: the payload tells only who is to be answered.
//
// The stream is answered that every record was dealt with, whatever became of the mails: they stay pending, and the
// schedule comes back to them, where a stream would deliver the same records again until they are a day old. To everybody
// else a failed run is an error, so that it is seen.
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
	return json.Unmarshal(payload, &event) == nil && len(event.Records) > 0 && event.Records[0].EventSource == "aws:dynamodb"
}
