// Package logging makes the logger of every function that deals with people: slog as JSON lines that keep names and addresses
// to themselves.
//
// A value of many parts is written only as far as it says itself what a log may have of it (slog.LogValuer), as the
// records of request, license, mail and store do: their IDs and states. Since slog does not ask what is inside of a slice, a
// map or another struct, of any other such value no more is written than its type. E-mail addresses are taken out of texts
// and errors. A name in a text is not found: who logs a text says what is in it.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
)

// New makes a logger that writes JSON lines.
func New(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: guard}))
}

// guard lets through of an attribute what a log may have of it. slog has asked its LogValuer before.
func guard(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(redact(a.Value.String()))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case error:
			a.Value = slog.AnyValue(redacted{v})
		case nil, embedded:
		default:
			if k := reflect.TypeOf(v).Kind(); k == reflect.String {
				a.Value = slog.StringValue(redact(reflect.ValueOf(v).String()))
			} else if k > reflect.Complex128 {
				a.Value = slog.StringValue(fmt.Sprintf("[redacted %T]", v))
			}
		}
	}
	return a
}
