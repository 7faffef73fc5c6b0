package request

import "log/slog"

// Logs may contain the ID, the state and the subject of a request, but nothing about the person.

// LogValue implements slog.LogValuer.
func (r Request) LogValue() slog.Value { return r.Summary().LogValue() }

// LogValue implements slog.LogValuer.
func (s Summary) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", s.ID), slog.String("state", string(s.State)),
		slog.String("kind", string(s.Kind)),
		slog.String("edition", string(s.Edition)), slog.String("server", string(s.Server)))
}

// LogValue implements slog.LogValuer.
func (d Details) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", string(d.Kind)), slog.String("edition", string(d.Edition)),
		slog.String("server", string(d.Server)))
}

// LogValue implements slog.LogValuer. It redacts everything, since people can type anything into any field.
func (Form) LogValue() slog.Value { return slog.StringValue("[redacted]") }
