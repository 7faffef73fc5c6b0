// Package lambdahttp runs an http.Handler as a Lambda function behind an API Gateway HTTP API, payload format 2.0: an event
// becomes the request that net/http would make of it, what the handler writes becomes the gateway's answer. Routing, errors and
// logging are the handler's; a panic that leaves it becomes a 500 and a log line, never a dead function.
//
// The format is described in AWS's "Create AWS Lambda proxy integrations for HTTP APIs".
package lambdahttp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Handler implements the Handler interface of aws-lambda-go, so that lambda.Start needs no reflection.
type Handler struct {
	handler http.Handler
	log     *slog.Logger
}

// New adapts h. Panics and answers that Lambda cannot carry go to log; nil is slog.Default().
func New(h http.Handler, log *slog.Logger) *Handler {
	if log == nil {
		log = slog.Default()
	}
	return &Handler{h, log}
}

// Invoke answers one event. The error is not nil when the event is not an HTTP API request; whatever the handler does is an
// answer.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := ParseEvent(payload)
	if err != nil {
		return nil, err
	}
	return h.Serve(ctx, e)
}

// Serve is Invoke for an event already read.
func (h *Handler) Serve(ctx context.Context, e *Event) ([]byte, error) {
	r, err := e.Request(ctx)
	if err != nil {
		return nil, err
	}
	w := newRecorder(r.Method)
	if p := h.run(w, r); p != nil {
		h.log.ErrorContext(r.Context(), "panic in handler", "panic", fmt.Sprint(p.value), "method", r.Method, "path", r.URL.Path,
			"request", RequestID(r.Context()), "stack", string(p.stack))
		return failure(r.Method), nil
	}
	answer, err := w.answer()
	if err != nil {
		h.log.ErrorContext(r.Context(), "answer not sent", "error", err, "method", r.Method, "path", r.URL.Path,
			"request", RequestID(r.Context()))
		return failure(r.Method), nil
	}
	return answer, nil
}

type panicked struct {
	value any
	stack []byte
}

func (h *Handler) run(w http.ResponseWriter, r *http.Request) (p *panicked) {
	defer func() {
		if v := recover(); v != nil {
			p = &panicked{v, debug.Stack()}
		}
	}()
	h.handler.ServeHTTP(w, r)
	return nil
}

// Record gives the answer that serve writes, for a function that prepares its answers. Method matters for HEAD only.
func Record(method string, serve func(http.ResponseWriter)) ([]byte, error) {
	w := newRecorder(method)
	serve(w)
	return w.answer()
}

// failure is the answer where the handler has none.
func failure(method string) []byte {
	w := newRecorder(method)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusInternalServerError)
	w.WriteString(`{"type":"about:blank","title":"Internal Server Error","status":500}`)
	answer, _ := w.answer()
	return answer
}
