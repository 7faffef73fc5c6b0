package logging

import (
	"log/slog"
	"strings"

	"marketplace/shared/lazyregexp"
)

// Error is an error as a log may have it: under "error", with every e-mail address in its text redacted. What failed may
// quote the address that it failed for.
func Error(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.String("error", redact(err.Error()))
}

// redacted is an error whose text is made only when it is written, where slog bears with an Error that panics.
type redacted struct{ error }

func (r redacted) Error() string { return redact(r.error.Error()) }

// redact takes every e-mail address out of a text.
func redact(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	return address().ReplaceAllString(s, "[redacted]")
}

// address takes what may be an e-mail address, rather too much than too little.
var address = lazyregexp.New(`[^\s<>"',;:()\[\]]+@[^\s<>"',;()\[\]]+`)
