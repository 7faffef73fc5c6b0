package logging

import (
	"log/slog"
	"time"
)

// Namespace is the CloudWatch namespace of all our metrics.
const Namespace = "Marketplace"

// StageDimension is the dimension of all our metrics: an account may have several deployments. New adds its value to
// every line.
const StageDimension = "Stage"

// Metric is a value that CloudWatch keeps.
type Metric struct {
	Name  string
	Unit  string // of CloudWatch: Count, Seconds, Percent, None
	Value any    // a number
}

// Count returns a metric that counts something.
func Count(name string, n int64) Metric { return Metric{name, "Count", n} }

// Metrics returns an attribute that turns a line of a logger of New into CloudWatch's embedded metric format: each
// metric is logged under its name, with the timestamp now. The line must not be in a group.
func Metrics(now time.Time, metrics ...Metric) slog.Attr {
	type definition struct{ Name, Unit string }
	definitions, attrs := make([]definition, len(metrics)), make([]slog.Attr, len(metrics))
	for i, m := range metrics {
		definitions[i], attrs[i] = definition{m.Name, m.Unit}, slog.Any(m.Name, m.Value)
	}
	aws := embedded{
		"Timestamp": now.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": Namespace, "Dimensions": [][]string{{StageDimension}}, "Metrics": definitions,
		}},
	}
	// slog writes the members of a group without a name into the line itself.
	return slog.Attr{Value: slog.GroupValue(append(attrs, slog.Any("_aws", aws))...)}
}

// embedded is the metadata that CloudWatch reads, besides the values.
type embedded map[string]any
