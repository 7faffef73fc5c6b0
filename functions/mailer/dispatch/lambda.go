package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"marketplace/shared/logging"
	"marketplace/shared/store/outbox"
)

// A run that the stream woke waits for another one to end, in case that one has looked for the last time before the
// mail was written. A run that lasts longer looks again.
const (
	waitForOther = 3 * time.Second
	askOther     = 200 * time.Millisecond
)

// Invoke is the Lambda function, as aws-lambda-go's lambda.Handler. It sends what is ready, whether a schedule or the
// table's stream invoked it: the payload only decides the answer.
//
// A run that the schedule started also publishes the gauges, if they have not just been.
//
// The answer to the stream is always a success: a stream would deliver the same records again until they are a day old,
// while the schedule finds every mail anyway. For every other caller a failed run is an error.
func (d *Dispatcher) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	woken := fromStream(payload)
	run := d.sweep
	if woken {
		run = d.Run
	}
	err := run(ctx)
	for waited := askOther; woken && errors.Is(err, outbox.ErrHeld) && waited <= waitForOther; waited += askOther {
		d.Sleep(ctx, askOther)
		err = run(ctx)
	}
	switch {
	case err == nil, errors.Is(err, outbox.ErrHeld):
	case !woken:
		return nil, err
	default:
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
