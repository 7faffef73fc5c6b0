package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"math"
	"net/http"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/logging"
	"marketplace/shared/response"
)

// answers has the status of each kind of fault, and what its reader is told if the fault itself says nothing.
var answers = [...]struct {
	status int
	msg    string
}{
	fault.Internal: {http.StatusInternalServerError,
		"Something went wrong on our side, and we have been notified. Try again in a few minutes."},
	fault.Invalid:  {http.StatusBadRequest, "We could not read what you sent. Go back and try again."},
	fault.NotFound: {http.StatusNotFound, "There is no page at this address."},
	fault.Gone:     {http.StatusGone, "This is no longer available."},
	fault.Conflict: {http.StatusConflict,
		"Someone else changed this first. Reload the page and make your change again."},
	fault.Forbidden:   {http.StatusForbidden, "Your account does not have permission for this."},
	fault.TooLarge:    {http.StatusRequestEntityTooLarge, "What you sent is too large. Shorten it and send it again."},
	fault.Unsupported: {http.StatusUnsupportedMediaType, "This content type is not supported here."},
	fault.Method:      {http.StatusMethodNotAllowed, "This page cannot be opened this way. Open it from a link."},
	fault.RateLimited: {http.StatusTooManyRequests, "Too many requests. Try again in a few minutes."},
	fault.Unavailable: {http.StatusServiceUnavailable,
		"The site is temporarily unavailable. What you sent may not have been saved; try again in a few seconds."},
}

// retryAfter tells clients of an overload when to try again, in seconds.
const retryAfter = "5"

var errNoPage = fault.New(fault.NotFound, "There is no page at this address. The link may be incomplete or mistyped.")

// methodError is a method that the address does not support.
type methodError struct{ allow string }

func (e *methodError) Error() string { return "method not allowed; allowed: " + e.allow }

func forged(err error) error {
	return fault.Wrap(
		fault.Forbidden,
		err,
		"We did not accept the form because it was sent from another site. "+
			"Open the form on this site and send it again.",
	)
}

// kindOf returns the kind of any error that a handler can return.
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
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault.Unavailable
	}
	return fault.Internal
}

// ProblemOf returns what the reader of an error is told. An invalid input is 422 if its fields are known, else 400.
func ProblemOf(err error) response.Problem {
	kind := kindOf(err)
	status, detail := answers[kind].status, answers[kind].msg
	var fields []fault.Field
	var f *fault.Error
	if errors.As(err, &f) && kind != fault.Internal {
		if f.Msg != "" {
			detail = f.Msg
		}
		if fields = f.Fields; kind == fault.Invalid && len(fields) > 0 {
			status = http.StatusUnprocessableEntity
		}
	}
	p := response.NewProblem(status, detail)
	p.Errors = fields
	return p
}

// ErrorView is the data of the page "error.html".
type ErrorView struct {
	response.Problem
	RequestID string // "" if there is none
	Query     string // as in View
}

// errorResponse answers with the error: a problem for programs, a page for people.
func (s *server) errorResponse(r *http.Request, err error) *response.Buffer {
	p := ProblemOf(err)
	b := errorBuffer(r, p, err)
	if wantsJSON(r) {
		p.Write(b)
		return b
	}
	query := s.query(r)
	view := View{
		Title: p.Title, Private: true, Query: query,
		Data: ErrorView{Problem: p, RequestID: s.requestID(r.Context()), Query: query},
	}
	if known, ok := errors.AsType[*visitorError](err); ok {
		view.Visitor = known.visitor
	}
	if renderErr := s.pages.Render(b, p.Status, "error.html", view); renderErr != nil {
		s.logError(r, fmt.Errorf("web: the page of an error: %w", renderErr))
		b = errorBuffer(r, p, err)
		b.Header().Set("Content-Type", "text/html; charset=utf-8")
		b.WriteHeader(p.Status)
		fmt.Fprintf(b, "<!doctype html><html lang=en><meta charset=utf-8><title>%s</title><h1>%[1]s</h1><p>%s</p>",
			html.EscapeString(p.Title), html.EscapeString(p.Detail))
	}
	return b
}

// errorBuffer returns an empty response with the headers that belong to the error.
func errorBuffer(r *http.Request, p response.Problem, err error) *response.Buffer {
	b := response.NewBuffer(r.Method, math.MaxInt)
	b.Header().Set("Vary", "Accept")
	if method, ok := errors.AsType[*methodError](err); ok {
		b.Header().Set("Allow", method.allow)
	}
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		b.Header().Set("Retry-After", retryAfter)
	}
	return b
}

// wantsJSON reports whether an error is reported to a program: under /api/, or if the client prefers JSON to a page.
func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || response.PrefersJSON(strings.Join(r.Header.Values("Accept"), ","))
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

// logError logs an error without personal data: neither what people typed nor what they were told, only the fields'
// names.
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

// loggable returns the name of a field, and "?" for one that a client may have made up.
func loggable(name string) string {
	notLetter := func(r rune) bool { return r|0x20 < 'a' || r|0x20 > 'z' }
	if len(name) > 20 || strings.ContainsFunc(name, notLetter) {
		return "?"
	}
	return name
}
