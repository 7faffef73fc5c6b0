// Package api serves the prepared catalog: the JSON documents that SonarQube and others read, and the links to the packages.
// The bytes come from a bundle (catalog/bundle), made where metadata is published; the pages for people belong to the requests
// function.
//
// The readers are scripts in browsers on foreign sites: every answer, of whatever status, allows any origin, and none
// is a 401 (client-contract.md §1).
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
	"marketplace/shared/lambdahttp"
)

// Options are where packages are and who is told about downloads. The zero value redirects to the site's own /packages and
// counts nothing.
type Options struct {
	// PackagesURL is the folder of the packages on the CDN; a download redirects to PackagesURL/file. Empty: SiteURL/packages.
	// The CDN has to allow any origin as well.
	PackagesURL string
	// Dir is a folder with the package files. When set they are served from it, without a redirect and without being counted.
	Dir string
	// Metrics takes one line in CloudWatch's embedded metric format for each redirect to a package; nil counts nothing.
	Metrics io.Writer
	// Now is the time of such a line; it has to be set where Metrics is.
	Now func() time.Time
	// Log takes panics and missing files; nil is slog.Default().
	Log *slog.Logger
}

// Handler is the catalog function: an http.Handler, and for Lambda an Invoke that gives the same answers without going through one.
type Handler struct {
	bundle  *bundle.Bundle
	options Options
	routes  []route
	adapter *lambdahttp.Handler

	mu      sync.Mutex
	answers map[reply][]byte // Lambda answers, made when first asked for
}

// New makes the function of a bundle, which must not change afterwards. It runs at every cold start, so it indexes nothing: the
// documents and packages of a bundle are dozens.
func New(b *bundle.Bundle, o Options) *Handler {
	if o.PackagesURL == "" {
		o.PackagesURL = b.SiteURL + "/packages"
	}
	o.PackagesURL = strings.TrimSuffix(o.PackagesURL, "/")
	if o.Log == nil {
		o.Log = slog.Default()
	}
	f := &Handler{bundle: b, options: o, routes: routes(), answers: make(map[reply][]byte)}
	f.adapter = lambdahttp.New(f, o.Log)
	return f
}

// question is what of a request decides the answer.
type question struct {
	path, query                         string // path decoded, query as written
	rest                                string // of the path, where the route is open
	acceptEncoding, ifNoneMatch, accept string // "" when missing; several headers joined with commas
}

// find returns the route of q's path and completes q.
func (h *Handler) find(q *question) (route, bool) {
	for _, r := range h.routes {
		if rest, ok := r.match(q.path); ok {
			q.rest = rest
			return r, true
		}
	}
	return route{}, false
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	open(w.Header())
	defer func() {
		if v := recover(); v != nil {
			h.options.Log.ErrorContext(r.Context(), "panic in handler", "panic", fmt.Sprint(v), "method", r.Method, "path", r.URL.Path,
				"request", lambdahttp.RequestID(r.Context()), "stack", string(debug.Stack()))
			clear(w.Header())
			open(w.Header())
			(&failure{status: http.StatusInternalServerError}).write(h, w, "")
		}
	}()
	q := question{
		path: r.URL.Path, query: r.URL.RawQuery,
		acceptEncoding: list(r.Header["Accept-Encoding"]), ifNoneMatch: list(r.Header["If-None-Match"]), accept: list(r.Header["Accept"]),
	}
	route, ok := h.find(&q)
	if !ok {
		(&failure{status: http.StatusNotFound, detail: "There is nothing at this path."}).write(h, w, q.accept)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		preflight(w)
		return
	default:
		w.Header().Set("Allow", allowed)
		(&failure{status: http.StatusMethodNotAllowed, detail: "This address can only be read."}).write(h, w, q.accept)
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

// open lets scripts of any origin read the answer.
func open(h http.Header) {
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

func list(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	return strings.Join(values, ",")
}

// Invoke answers an API Gateway event with what ServeHTTP answers. An answer that never changes is encoded once and handed out
// from then on; everything else takes the way through ServeHTTP.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := lambdahttp.ParseEvent(payload)
	if err != nil {
		return nil, err
	}
	if answer, ok := h.ready(e); ok {
		return answer, nil
	}
	return h.adapter.Serve(ctx, e)
}

// ready answers what has a reply. A panic is left to ServeHTTP, which meets it again and knows what to do.
func (h *Handler) ready(e *lambdahttp.Event) (answer []byte, ok bool) {
	defer func() {
		if recover() != nil {
			answer, ok = nil, false
		}
	}()
	if e.Method != http.MethodGet && e.Method != http.MethodHead || e.HasBody() || h.options.Dir != "" {
		return nil, false
	}
	q := question{
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
	if answer, err := h.prepare(p); err == nil {
		h.count(p)
		return answer, true
	}
	return nil, false
}

// prepare returns p as a Lambda answer. There are as many as documents, codings and packages make, whatever is asked.
func (h *Handler) prepare(p reply) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if answer, ok := h.answers[p]; ok {
		return answer, nil
	}
	method := http.MethodGet
	if p.head {
		method = http.MethodHead
	}
	answer, err := lambdahttp.Record(method, func(w http.ResponseWriter) {
		open(w.Header())
		p.write(h, w)
	})
	if err == nil {
		h.answers[p] = answer
	}
	return answer, err
}
