package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAddressesInErrorsAreRedacted(t *testing.T) {
	var out bytes.Buffer
	log := New(&out)
	log.Info("failed", Error(errors.New(`to "Ada" <ada.l+x@mail.example.org>: zoe@müller.example, ok`)))
	log.Info("fine", Error(nil))
	if s := out.String(); strings.Contains(s, "@") || !strings.Contains(s, "[redacted]") ||
		!strings.Contains(s, "[redacted], ok") {
		t.Errorf("got the log %s", s)
	}
}

func TestMetricsFollowTheEmbeddedMetricFormat(t *testing.T) {
	var out bytes.Buffer
	New(&out).Info("mailer", "table", "t", Metrics(time.UnixMilli(1519637400123), slog.Int("MailsSent", 3),
		slog.Int("MailsDead", 0)))
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	want := map[string]any{
		"level": "INFO", "msg": "mailer", "table": "t", "MailsSent": 3.0, "MailsDead": 0.0,
		"_aws": map[string]any{
			"Timestamp": 1519637400123.0,
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": "Marketplace", "Dimensions": []any{[]any{}},
				"Metrics": []any{map[string]any{"Name": "MailsSent", "Unit": "Count"},
					map[string]any{"Name": "MailsDead", "Unit": "Count"}},
			}},
		},
	}
	if !reflect.DeepEqual(line, want) {
		t.Errorf("got the log %s", out.Bytes())
	}
}
