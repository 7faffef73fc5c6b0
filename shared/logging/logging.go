// Package logging makes the logger of every program: slog as JSON lines. Names and addresses of people redact themselves.
package logging

import (
	"io"
	"log/slog"
)

// New makes a logger that writes JSON lines.
func New(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, nil))
}

// Personal is a text about a person (a name, an e-mail address, what they wrote) that must never reach a log. Logged, it
// shows only that something was there.
type Personal string

// LogValue implements slog.LogValuer.
func (p Personal) LogValue() slog.Value {
	if p == "" {
		return slog.StringValue("")
	}
	return slog.StringValue("[redacted]")
}
