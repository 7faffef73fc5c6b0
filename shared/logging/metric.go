package logging

import (
	"log/slog"
	"time"
)

// Namespace is where CloudWatch keeps the metrics of every program.
const Namespace = "Marketplace"

// Metrics makes the line that it is logged with one of CloudWatch's embedded metric format: each count, under its own
// name, becomes a metric besides a member of the line. now is when they were counted.
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
	// A group without a name puts its members into the line itself.
	return slog.Attr{Value: slog.GroupValue(append(counts, slog.Any("_aws", aws))...)}
}

// embedded is what CloudWatch reads beside the counts.
type embedded map[string]any
