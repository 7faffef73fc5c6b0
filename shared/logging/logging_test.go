package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAddressesInErrorsAreRedacted(t *testing.T) {
	var out bytes.Buffer
	log := New(&out, "test")
	log.Info("failed", Error(errors.New(`to "Ada" <ada.l+x@mail.example.org>: zoe@müller.example, ok`)))
	log.Info("fine", Error(nil))
	if s := out.String(); strings.Contains(s, "@") || !strings.Contains(s, "[redacted]") ||
		!strings.Contains(s, "[redacted], ok") {
		t.Errorf("got the log %s", s)
	}
}

func TestMetricsFollowTheEmbeddedMetricFormat(t *testing.T) {
	var out bytes.Buffer
	New(&out, "production").Info("mailer", "table", "t", Metrics(time.UnixMilli(1519637400123), Count("MailsSent", 3),
		Count("MailsDead", 0), Metric{"OldestMail", "Seconds", 1.5}))
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	want := map[string]any{
		"level": "INFO", "msg": "mailer", "table": "t", "MailsSent": 3.0, "MailsDead": 0.0,
		"OldestMail": 1.5, "Stage": "production",
		"_aws": map[string]any{
			"Timestamp": 1519637400123.0,
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": "Marketplace", "Dimensions": []any{[]any{"Stage"}},
				"Metrics": []any{map[string]any{"Name": "MailsSent", "Unit": "Count"},
					map[string]any{"Name": "MailsDead", "Unit": "Count"},
					map[string]any{"Name": "OldestMail", "Unit": "Seconds"}},
			}},
		},
	}
	if !reflect.DeepEqual(line, want) {
		t.Errorf("got the log %s", out.Bytes())
	}
}
