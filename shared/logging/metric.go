package logging

import (
	"log/slog"
	"time"
)

// Namespace is the CloudWatch namespace of all our metrics.
const Namespace = "Marketplace"

// Metrics returns an attribute that turns a log line into CloudWatch's embedded metric format: each count is logged
// under its name and becomes a metric, with the timestamp now.
func Metrics(now time.Time, counts ...slog.Attr) slog.Attr {
	type metric struct{ Name, Unit string }
	metrics := make([]metric, len(counts))
	for i, c := range counts {
		metrics[i] = metric{c.Key, "Count"}
	}
	aws := embedded{
		"Timestamp": now.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": Namespace, "Dimensions": [][]string{{}}, "Metrics": metrics,
		}},
	}
	// slog writes the members of a group without a name into the line itself.
	return slog.Attr{Value: slog.GroupValue(append(counts, slog.Any("_aws", aws))...)}
}

// embedded is the metadata that CloudWatch reads, besides the counts.
type embedded map[string]any
