package logging

import (
	"log/slog"

	"marketplace/shared/pattern"
)

// Error is an error as a log may have it: under "error", with every e-mail address in its text redacted. What failed may
// quote the address that it failed for.
func Error(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.String("error", address().ReplaceAllString(err.Error(), "[redacted]"))
}

// address takes what may be an e-mail address, rather too much than too little.
var address = pattern.Lazy(`[^\s<>"',;:()\[\]]+@[^\s<>"',;()\[\]]+`)
