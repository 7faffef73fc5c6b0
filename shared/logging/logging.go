// Package logging provides the logger of every function that handles personal data: JSON lines from slog without names
// and addresses.
//
// A struct is logged only through slog.LogValuer, with which the records of request, license, mail and store log their
// IDs and states. Of any other struct, slice or map only the type is logged, because slog does not call the LogValuers
// inside it. Email addresses are removed from texts and errors. Names in a text are not recognized, so log no text that
// may contain one.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
)

// New returns a logger that writes JSON lines. Each names the stage of the deployment, the dimension of all metrics.
func New(w io.Writer, stage string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: guard})).With(StageDimension, stage)
}

// guard redacts an attribute. slog has called its LogValuer before.
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
