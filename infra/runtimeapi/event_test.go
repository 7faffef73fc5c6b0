package runtimeapi_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"marketplace/infra/runtimeapi"
)

// decode parses an event into aws-lambda-go's type for it.
func decode[T any](t *testing.T, event []byte, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(event, &v); err != nil {
		t.Fatalf("%v\n%s", err, event)
	}
	return v
}

func TestEventsParseAsAWSLambdaGoTypes(t *testing.T) {
	at := time.Date(2018, 2, 26, 9, 30, 0, 0, time.UTC)

	r := httptest.NewRequest("POST", "/a%20b?c=d&c=e", strings.NewReader("x=y"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", "k=v; l=w")
	event, err := runtimeapi.HTTP(r)
	h := decode[events.APIGatewayV2HTTPRequest](t, event, err)
	if h.Version != "2.0" || h.RawPath != "/a b" || h.RequestContext.HTTP.Method != "POST" ||
		h.RawQueryString != "c=d&c=e" || len(h.Cookies) != 2 ||
		!h.IsBase64Encoded || h.Body != "eD15" || h.QueryStringParameters["c"] != "d,e" ||
		h.RequestContext.HTTP.SourceIP == "" {
		t.Errorf("HTTP: %+v", h)
	}

	event, err = runtimeapi.Schedule("daily", at)
	s := decode[struct {
		Source     string
		DetailType string `json:"detail-type"`
		Time       time.Time
		Resources  []string
	}](t, event, err)
	if s.Source != "aws.scheduler" || s.DetailType != "Scheduled Event" || !s.Time.Equal(at) ||
		!strings.HasSuffix(s.Resources[0], "/daily") {
		t.Errorf("schedule: %+v", s)
	}

	keys := map[string]any{"PK": "a", "SK": "b"}
	item := map[string]any{"PK": "a", "SK": "b", "version": 2, "done": true, "data": []byte("x"), "none": nil,
		"list": []any{"p", int64(1)}, "map": map[string]any{"q": 1.5}}
	event, err = runtimeapi.Stream("records", at, runtimeapi.Change{Keys: keys, New: item},
		runtimeapi.Change{Keys: keys, Old: item, New: item},
		runtimeapi.Change{Keys: keys, Old: item})
	d := decode[events.DynamoDBEvent](t, event, err)
	if len(d.Records) != 3 || d.Records[0].EventName != "INSERT" || d.Records[1].EventName != "MODIFY" ||
		d.Records[2].EventName != "REMOVE" {
		t.Fatalf("stream: %+v", d)
	}
	image := d.Records[0].Change.NewImage
	if image["version"].Number() != "2" || !image["done"].Boolean() || string(image["data"].Binary()) != "x" ||
		!image["none"].IsNull() ||
		image["list"].List()[1].Number() != "1" || image["map"].Map()["q"].Number() != "1.5" ||
		d.Records[2].Change.Keys["PK"].String() != "a" {
		t.Errorf("image: %+v", image)
	}
	if d.Records[2].Change.NewImage != nil || d.Records[0].Change.OldImage != nil {
		t.Errorf("got images for an insertion's old or a removal's new item: %+v", d)
	}
	if _, err := runtimeapi.Stream("records", at, runtimeapi.Change{Keys: map[string]any{"PK": at}}); err == nil {
		t.Error("a time in an item: got no error")
	}
}
