package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/logging"
	"marketplace/shared/table"
)

// answers says how each kind of fault is answered: with which status, and what its reader is told where the fault itself
// says nothing.
var answers = [...]struct {
	status int
	msg    string
}{
	fault.Internal:    {http.StatusInternalServerError, "Something went wrong on our side, and we have been told. Try again in a few minutes."},
	fault.Invalid:     {http.StatusBadRequest, "The request could not be understood."},
	fault.NotFound:    {http.StatusNotFound, "There is nothing at this address."},
	fault.Gone:        {http.StatusGone, "This is no longer offered."},
	fault.Conflict:    {http.StatusConflict, "Somebody else changed this at the same time. Load it again, and repeat your change."},
	fault.Forbidden:   {http.StatusForbidden, "You may not do this."},
	fault.TooLarge:    {http.StatusRequestEntityTooLarge, "What you sent is too large."},
	fault.Unsupported: {http.StatusUnsupportedMediaType, "This content type is not read here."},
	fault.Method:      {http.StatusMethodNotAllowed, "This address does not take requests of this method."},
	fault.RateLimited: {http.StatusTooManyRequests, "These were too many requests. Try again in a few minutes."},
	fault.Unavailable: {http.StatusServiceUnavailable, "The site cannot answer at the moment. Nothing was lost: try again in a few seconds."},
}

// retryAfter is when to try again what was unavailable or too much, in seconds.
const retryAfter = "5"

var errNoPage = fault.New(fault.NotFound, "There is no page at this address. It may have been cut or mistyped.")

// methodError is a method that the address does not take.
type methodError struct{ allow string }

func (e *methodError) Error() string { return "method not allowed; allowed: " + e.allow }

func forged(err error) error {
	return fault.Wrap(fault.Forbidden, err, "The form was sent from another site, so it was not taken. Open the page here, and send the form again.")
}

// kindOf is the kind of any error that a handler can return.
func kindOf(err error) fault.Kind {
	var (
		f        *fault.Error
		tooLarge *http.MaxBytesError
		method   *methodError
	)
	switch {
	case errors.As(err, &f):
		if int(f.Kind) >= len(answers) {
			return fault.Internal
		}
		return f.Kind
	case errors.As(err, &method):
		return fault.Method
	case errors.As(err, &tooLarge):
		return fault.TooLarge
	case errors.Is(err, table.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault.Unavailable
	case errors.Is(err, table.ErrConflict):
		return fault.Conflict
	}
	return fault.Internal
}

// Problem is an error as an API tells it (RFC 9457), with what is wrong field by field.
type Problem struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail"`
	Errors []fault.Field `json:"errors,omitempty"`
}

// ProblemOf is what the reader of an error is told. An invalid input is 422 where its fields are known, else 400.
func ProblemOf(err error) Problem {
	kind := kindOf(err)
	p := Problem{Type: "about:blank", Status: answers[kind].status, Detail: answers[kind].msg}
	var f *fault.Error
	if errors.As(err, &f) && kind != fault.Internal {
		if f.Msg != "" {
			p.Detail = f.Msg
		}
		if p.Errors = f.Fields; kind == fault.Invalid && len(f.Fields) > 0 {
			p.Status = http.StatusUnprocessableEntity
		}
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// ErrorView is the data of the page "error.html".
type ErrorView struct {
	Problem
	RequestID string // "" where there is none
	Query     string // as in View
}

// writeError answers with the error: a problem for programs, a page for people.
func (s *server) writeError(a *answer, r *http.Request, visitor *Visitor, err error) {
	p := ProblemOf(err)
	var method *methodError
	if errors.As(err, &method) {
		a.header.Set("Allow", method.allow)
	}
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		a.header.Set("Retry-After", retryAfter)
	}
	a.header.Set("Vary", "Accept")
	if wantsJSON(r) {
		if err := WriteJSON(a, p.Status, p); err == nil {
			a.header.Set("Content-Type", "application/problem+json")
			return
		}
	}
	query := s.query(r)
	view := View{Title: p.Title, Private: true, Query: query, Visitor: visitor, Data: ErrorView{p, s.requestID(r.Context()), query}}
	if err := s.pages.Render(a, p.Status, "error.html", view); err != nil {
		s.logError(r, fmt.Errorf("web: the page of an error: %w", err))
		a.body.Reset()
		a.header.Set("Content-Type", "text/html; charset=utf-8")
		a.status = p.Status
		fmt.Fprintf(a, "<!doctype html><html lang=en><meta charset=utf-8><title>%s</title><h1>%[1]s</h1><p>%s</p>",
			html.EscapeString(p.Title), html.EscapeString(p.Detail))
	}
}

// WriteJSON answers with v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("web: encoding a %T: %w", v, err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}

// logError tells the log of an error. What is about people stays out: neither what they typed nor what they were told of
// it, only which fields it was.
func (s *server) logError(r *http.Request, err error) {
	kind := kindOf(err)
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("kind", kind.String()), slog.String("method", r.Method), slog.String("route", r.Pattern),
		slog.String("request", s.requestID(r.Context())),
	}
	var (
		f        *fault.Error
		panicked *panicError
	)
	if errors.As(err, &f) && len(f.Fields) > 0 {
		names := make([]string, len(f.Fields))
		for i, field := range f.Fields {
			names[i] = loggable(field.Name)
		}
		attrs = append(attrs, slog.Any("fields", names))
	}
	switch kind {
	case fault.Internal:
		level = slog.LevelError
	case fault.Unavailable, fault.RateLimited:
		level = slog.LevelWarn
	}
	if level > slog.LevelInfo {
		attrs = append(attrs, logging.Error(err))
	}
	if errors.As(err, &panicked) {
		attrs = append(attrs, slog.String("stack", string(panicked.stack)))
	}
	s.log.LogAttrs(r.Context(), level, "request failed", attrs...)
}

// loggable is a field's name, unless a client made it up: then it could be anything.
func loggable(name string) string {
	if len(name) > 20 || strings.ContainsFunc(name, func(r rune) bool { return r|0x20 < 'a' || r|0x20 > 'z' }) {
		return "?"
	}
	return name
}
