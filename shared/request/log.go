package request

import "log/slog"

// What a log may have of a request: its ID, its state, and what it is for; nothing of who asks.

// LogValue implements slog.LogValuer.
func (r Request) LogValue() slog.Value { return r.Summary().LogValue() }

// LogValue implements slog.LogValuer.
func (s Summary) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", s.ID), slog.String("state", string(s.State)), slog.String("kind", string(s.Kind)),
		slog.String("edition", string(s.Edition)), slog.String("server", string(s.Server)))
}

// LogValue implements slog.LogValuer.
func (d Details) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", string(d.Kind)), slog.String("edition", string(d.Edition)), slog.String("server", string(d.Server)))
}

// LogValue implements slog.LogValuer. Anything may have been typed into any field.
func (Form) LogValue() slog.Value { return slog.StringValue("[redacted]") }
