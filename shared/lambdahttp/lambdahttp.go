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

	"marketplace/shared/response"
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
	w := newBuffer(r.Method)
	if p := h.run(w, r); p != nil {
		h.log.ErrorContext(r.Context(), "panic in handler", "panic", fmt.Sprint(p.value), "method", r.Method,
			"path", r.URL.Path, "request", RequestID(r.Context()), "stack", string(p.stack))
		return internalError(r.Method), nil
	}
	payload, err := encoded(r.Method, w)
	if err != nil {
		h.log.ErrorContext(r.Context(), "response not sent", "error", err, "method", r.Method, "path", r.URL.Path,
			"request", RequestID(r.Context()))
		return internalError(r.Method), nil
	}
	return payload, nil
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

// Record returns the encoded response that serve writes, for a function that prepares its responses. The method matters for
// HEAD only.
func Record(method string, serve func(http.ResponseWriter)) ([]byte, error) {
	w := newBuffer(method)
	serve(w)
	return encoded(method, w)
}

// internalError is the encoded response where the handler has none.
func internalError(method string) []byte {
	payload, _ := Record(method, func(w http.ResponseWriter) {
		w.Header().Set("Cache-Control", "no-store")
		response.NewProblem(http.StatusInternalServerError, "").Write(w)
	})
	return payload
}
