package logging

import (
	"log/slog"
	"strings"

	"marketplace/shared/lazyregexp"
)

// Error returns an attribute "error" with the text of an error, whose email addresses are redacted: an error may quote
// the address that it is about.
func Error(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.String("error", redact(err.Error()))
}

// redacted redacts an error only when slog writes it, because slog recovers from an Error method that panics.
type redacted struct{ error }

func (r redacted) Error() string { return redact(r.error.Error()) }

// redact replaces every email address in a text.
func redact(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	return address().ReplaceAllString(s, "[redacted]")
}

// address matches anything that could be an email address; it errs on the side of matching too much.
var address = lazyregexp.New(`[^\s<>"',;:()\[\]]+@[^\s<>"',;()\[\]]+`)
