package mail

import "log/slog"

// What a log may have of a message: its ID, what it is for, and what it is about; not who reads it, nor what it says.

// LogValue implements slog.LogValuer.
func (m Message) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", m.ID), slog.String("kind", string(m.Kind)), slog.String("about", m.About))
}

// LogValue implements slog.LogValuer.
func (Address) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// LogValue implements slog.LogValuer.
func (Attachment) LogValue() slog.Value { return slog.StringValue("[redacted]") }
