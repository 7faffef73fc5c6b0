package runtimeapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"marketplace/shared/lambdahttp/lambdahttptest"
)

// HTTP returns the event of an HTTP request, in API Gateway's payload format 2.0.
func HTTP(r *http.Request) ([]byte, error) { return lambdahttptest.Event(r) }

// Schedule returns the event that EventBridge Scheduler sends for a schedule without an input.
func Schedule(name string, at time.Time) ([]byte, error) {
	return json.Marshal(map[string]any{
		"version": "0", "id": "d32c5kddcf5bb8c3", "detail-type": "Scheduled Event", "source": "aws.scheduler",
		"account": "123456789012", "time": at.UTC().Format(time.RFC3339), "region": "eu-central-1",
		"resources": []string{"arn:aws:scheduler:eu-central-1:123456789012:schedule/default/" + name},
		"detail":    "{}",
	})
}

// Change is one change of an item in a DynamoDB table. Values are string, int, int64, float64, bool, []byte, nil, []any
// and map[string]any. New is nil for a removal, Old for an insertion.
type Change struct {
	Keys     map[string]any
	Old, New map[string]any
}

// Stream returns the event of a DynamoDB stream with new and old images, for changes of a table in order.
func Stream(table string, at time.Time, changes ...Change) ([]byte, error) {
	records := make([]any, 0, len(changes))
	for i, c := range changes {
		name := "MODIFY"
		image := map[string]any{
			"ApproximateCreationDateTime": at.Unix(), "SequenceNumber": fmt.Sprintf("%021d", i+1), "SizeBytes": 512,
			"StreamViewType": "NEW_AND_OLD_IMAGES",
		}
		var err error
		if image["Keys"], err = attributes(c.Keys); err != nil {
			return nil, err
		}
		if c.Old == nil {
			name = "INSERT"
		} else if image["OldImage"], err = attributes(c.Old); err != nil {
			return nil, err
		}
		if c.New == nil {
			name = "REMOVE"
		} else if image["NewImage"], err = attributes(c.New); err != nil {
			return nil, err
		}
		records = append(records, map[string]any{
			"eventID": fmt.Sprintf("%032x", i+1), "eventName": name, "eventVersion": "1.1",
			"eventSource": "aws:dynamodb",
			"awsRegion":   "eu-central-1", "dynamodb": image,
			"eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/" + table +
				"/stream/2018-02-26T00:00:00.000",
		})
	}
	return json.Marshal(map[string]any{"Records": records})
}

func attributes(item map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(item))
	for name, v := range item {
		a, err := attribute(v)
		if err != nil {
			return nil, fmt.Errorf("runtimeapi: attribute %s: %w", name, err)
		}
		out[name] = a
	}
	return out, nil
}

// attribute returns a value with DynamoDB's type descriptor.
func attribute(v any) (map[string]any, error) {
	switch v := v.(type) {
	case nil:
		return map[string]any{"NULL": true}, nil
	case string:
		return map[string]any{"S": v}, nil
	case int, int64, float64:
		return map[string]any{"N": fmt.Sprint(v)}, nil
	case bool:
		return map[string]any{"BOOL": v}, nil
	case []byte:
		return map[string]any{"B": v}, nil
	case []any:
		list := make([]any, len(v))
		for i := range v {
			var err error
			if list[i], err = attribute(v[i]); err != nil {
				return nil, err
			}
		}
		return map[string]any{"L": list}, nil
	case map[string]any:
		m, err := attributes(v)
		return map[string]any{"M": m}, err
	}
	return nil, fmt.Errorf("an item cannot contain a %T", v)
}
