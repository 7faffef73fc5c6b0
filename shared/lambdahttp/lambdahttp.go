// Package lambdahttp runs an http.Handler as a Lambda function behind an API Gateway HTTP API, payload format 2.0: it
// turns an event into the request that net/http would make of it, and what the handler writes into the gateway's
// response. The handler does routing, errors and logging; its panic becomes a 500 and a log line, never a dead
// function.
//
// AWS describes the format in "Create AWS Lambda proxy integrations for HTTP APIs".
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
	origin  OriginKeys
}

// New adapts h. It logs panics and responses that Lambda cannot carry; a nil log is slog.Default().
func New(h http.Handler, log *slog.Logger) *Handler {
	if log == nil {
		log = slog.Default()
	}
	return &Handler{handler: h, log: log}
}

// Invoke answers one event. It returns an error only for an event that is not an HTTP API request: whatever the handler
// does is a response.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := ParseEvent(payload)
	if err != nil {
		return nil, err
	}
	if !h.origin.Admit(e) {
		return h.origin.Refusal(e), nil
	}
	return h.Serve(ctx, e)
}

// Serve is Invoke for a parsed event.
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

// Record returns the encoded response that serve writes, for a function that prepares its responses. The method matters
// for HEAD only.
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
