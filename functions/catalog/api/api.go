// Package api serves the prepared catalog: the JSON documents that SonarQube and others read, and the links to the
// packages. The bytes come from a bundle (catalog/bundle), made where metadata is published. The requests function has
// the pages for people.
//
// The readers are scripts in browsers on other sites: every response allows any origin, and none is a 401
// (client-contract.md §1).
package api

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"marketplace/catalog/bundle"
	"marketplace/shared/brand"
	"marketplace/shared/lambdahttp"
)

// Options says where the packages are and who counts downloads. The zero value redirects to the site's own /packages
// and counts nothing.
type Options struct {
	// PackagesURL is the folder of the packages on the CDN; a download redirects to PackagesURL/file. "" is
	// SiteURL/packages. The CDN has to allow any origin as well.
	PackagesURL string
	// Dir is a folder with the package files. If set, they are served from it, without a redirect and without being
	// counted.
	Dir string
	// Metrics receives one line in CloudWatch's embedded metric format for each redirect to a package; nil counts
	// nothing.
	Metrics io.Writer
	// Stage is the stage of the deployment, a dimension of those metrics.
	Stage string
	// Origin says which Lambda events came through the distribution; others are refused.
	Origin lambdahttp.OriginKeys
	// Brand is the vendor's look on the pages of errors.
	Brand brand.Brand
	// Now is the clock of those lines, required with Metrics.
	Now func() time.Time
	// Log receives panics and missing files; nil is slog.Default().
	Log *slog.Logger
}

// Handler is the catalog function: an http.Handler, and for Lambda an Invoke that gives the same responses without a
// detour through http.Request.
type Handler struct {
	bundle  *bundle.Bundle
	options Options
	routes  []route
	adapter *lambdahttp.Handler

	mu       sync.Mutex
	prepared map[reply][]byte // Lambda responses, encoded when first asked for
}

// New returns the handler of a bundle, which must not change afterwards. It runs at every cold start and so builds no
// index: a bundle has a few dozen documents and packages.
func New(b *bundle.Bundle, o Options) *Handler {
	if o.PackagesURL == "" {
		o.PackagesURL = b.SiteURL + "/packages"
	}
	o.PackagesURL = strings.TrimSuffix(o.PackagesURL, "/")
	if o.Log == nil {
		o.Log = slog.Default()
	}
	h := &Handler{bundle: b, options: o, routes: routes(), prepared: make(map[reply][]byte)}
	h.adapter = lambdahttp.New(h, o.Log)
	return h
}

// request is the part of an HTTP request that decides the response.
type request struct {
	path, query                         string // path decoded, query as written
	rest                                string // of the path, behind the route's prefix
	acceptEncoding, ifNoneMatch, accept string // "" if missing; several fields joined with commas
}

// find returns the route of r's path and completes r.
func (h *Handler) find(r *request) (route, bool) {
	for _, candidate := range h.routes {
		if rest, ok := candidate.match(r.path); ok {
			r.rest = rest
			return candidate, true
		}
	}
	return route{}, false
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	allowAnyOrigin(w.Header())
	defer func() {
		if v := recover(); v != nil {
			h.options.Log.ErrorContext(r.Context(), "panic in handler", "panic", fmt.Sprint(v), "method", r.Method,
				"path", r.URL.Path, "request", lambdahttp.RequestID(r.Context()), "stack", string(debug.Stack()))
			clear(w.Header())
			allowAnyOrigin(w.Header())
			(&failure{status: http.StatusInternalServerError}).write(h, w, "")
		}
	}()
	q := request{
		path: r.URL.Path, query: r.URL.RawQuery,
		acceptEncoding: joined(r.Header["Accept-Encoding"]),
		ifNoneMatch:    joined(r.Header["If-None-Match"]),
		accept:         joined(r.Header["Accept"]),
	}
	route, ok := h.find(&q)
	if !ok {
		(&failure{status: http.StatusNotFound, detail: "There is no document at this address."}).write(h, w, q.accept)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		preflight(w)
		return
	default:
		w.Header().Set("Allow", allowed)
		const detail = "This address is read-only: use GET or HEAD."
		(&failure{status: http.StatusMethodNotAllowed, detail: detail}).write(h, w, q.accept)
		return
	}
	p, failed := route.resolve(h, q)
	switch {
	case failed != nil:
		failed.write(h, w, q.accept)
	case p.file != nil && h.options.Dir != "":
		h.serveFile(w, r, p.file)
	default:
		p.head = r.Method == http.MethodHead
		h.count(p)
		p.write(h, w)
	}
}

const allowed = "GET, HEAD, OPTIONS"

// allowAnyOrigin lets the scripts of any site read the response.
func allowAnyOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
}

func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Allow", allowed)
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

func joined(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	return strings.Join(values, ",")
}

// Invoke answers an API Gateway event with what ServeHTTP answers. A response that never changes is encoded once and
// reused; all others go through ServeHTTP.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := lambdahttp.ParseEvent(payload)
	if err != nil {
		return nil, err
	}
	if !h.options.Origin.Admit(e) {
		return h.options.Origin.Refusal(e), nil
	}
	if encoded, ok := h.reuse(e); ok {
		return encoded, nil
	}
	return h.adapter.Serve(ctx, e)
}

// reuse answers an event that has a reply. After a panic it returns false: ServeHTTP meets the panic again and reports
// it.
func (h *Handler) reuse(e *lambdahttp.Event) (encoded []byte, ok bool) {
	defer func() {
		if recover() != nil {
			encoded, ok = nil, false
		}
	}()
	if e.Method != http.MethodGet && e.Method != http.MethodHead || e.HasBody() || h.options.Dir != "" {
		return nil, false
	}
	q := request{
		path: e.Path, query: e.Query,
		acceptEncoding: e.Header("accept-encoding"), ifNoneMatch: e.Header("if-none-match"),
	}
	route, ok := h.find(&q)
	if !ok {
		return nil, false
	}
	p, failed := route.resolve(h, q)
	if failed != nil {
		return nil, false
	}
	p.head = e.Method == http.MethodHead
	if encoded, err := h.encode(p); err == nil {
		h.count(p)
		return encoded, true
	}
	return nil, false
}

// encode returns p as a Lambda response. The map is bounded: replies are documents and packages, by coding, whatever is
// asked.
func (h *Handler) encode(p reply) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if encoded, ok := h.prepared[p]; ok {
		return encoded, nil
	}
	method := http.MethodGet
	if p.head {
		method = http.MethodHead
	}
	encoded, err := lambdahttp.Record(method, func(w http.ResponseWriter) {
		allowAnyOrigin(w.Header())
		p.write(h, w)
	})
	if err == nil {
		h.prepared[p] = encoded
	}
	return encoded, err
}
