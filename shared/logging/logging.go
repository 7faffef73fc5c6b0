// Package logging makes the logger of every program: slog as JSON lines. What is about people is not logged at all; an error
// that may quote an address goes through Error.
package logging

import (
	"io"
	"log/slog"
)

// New makes a logger that writes JSON lines.
func New(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, nil))
}
