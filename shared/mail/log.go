package mail

import "log/slog"

// Logs may contain a message's ID, its kind and what it is about, but neither its recipient nor its text.

// LogValue implements slog.LogValuer.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", m.ID), slog.String("kind", string(m.Kind)), slog.String("about", m.About))
}

// LogValue implements slog.LogValuer.
func (Address) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// LogValue implements slog.LogValuer.
func (Attachment) LogValue() slog.Value { return slog.StringValue("[redacted]") }
