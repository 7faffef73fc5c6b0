// Package web is what the functions' sites share. It makes an http.Handler of a list of routes: every response has the
// security headers, every unsafe method is protected against forged requests, and every error is answered in one place,
// by its kind. It also has pages (Pages), form fields (Field), request bodies (ReadForm, ReadJSON) and static files.
//
// What a site shows and asks stays with the site. Nothing is parsed before it is needed: a cold start pays only for the
// page that it serves.
package web

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"

	"marketplace/shared/response"
)

// HandlerFunc answers a request or returns why it cannot. What it wrote before it failed is dropped, headers included.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Route is a line of a site's list: a pattern of http.ServeMux with its method, such as "GET /editions/{key}".
type Route struct {
	Pattern string
	Handle  HandlerFunc
	// AnyOrigin accepts forms from everywhere, without the check against forged requests: for what an address with a
	// secret in it allows, whoever sends it.
	AnyOrigin bool
	// Stream sends a response that is too large to be kept while it is still being written. An error after that breaks
	// the connection off, so that nobody mistakes the part that was sent for the whole.
	Stream bool
}

// Options configures a site.
type Options struct {
	Routes []Route
	Pages  *Pages
	// SiteURL is where people reach the site. A form sent from there is accepted even if a proxy hides the name by
	// which the browser knows the site.
	SiteURL string
	// Query returns what the links of an error page keep of a request's address (View.Query); nil keeps nothing.
	Query func(*http.Request) string
	// RequestID returns the request's ID in the log; nil means that requests have none.
	RequestID func(context.Context) string
	Log       *slog.Logger
}

type server struct {
	mux       *http.ServeMux
	pages     *Pages
	forgery   *http.CrossOriginProtection
	query     func(*http.Request) string
	requestID func(context.Context) string
	log       *slog.Logger
}

// New returns the site's handler, which also serves the static files. Conflicting patterns panic.
func New(o Options) http.Handler {
	s := &server{
		mux: http.NewServeMux(), pages: o.Pages, forgery: http.NewCrossOriginProtection(),
		query: o.Query, requestID: o.RequestID, log: o.Log,
	}
	if s.query == nil {
		s.query = func(*http.Request) string { return "" }
	}
	if s.requestID == nil {
		s.requestID = func(context.Context) string { return "" }
	}
	if u, err := url.Parse(o.SiteURL); err == nil && u.Host != "" {
		// An origin made of a scheme and a host is always valid.
		_ = s.forgery.AddTrustedOrigin(u.Scheme + "://" + u.Host)
	}
	for _, route := range append(o.Routes, staticRoutes(o.Pages)...) {
		s.mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, route) })
	}
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler, pattern := s.mux.Handler(r); pattern == "" {
		s.serve(w, r, Route{Handle: func(w http.ResponseWriter, r *http.Request) error {
			return s.unmatched(w, r, handler)
		}})
		return
	}
	s.mux.ServeHTTP(w, r)
}

// unmatched answers a request without a route: the mux knows whether the method or the address is wrong.
func (s *server) unmatched(w http.ResponseWriter, r *http.Request, mux http.Handler) error {
	answer := response.NewBuffer(r.Method, math.MaxInt)
	mux.ServeHTTP(answer, r)
	switch answer.Status() {
	case http.StatusMethodNotAllowed:
		return &methodError{allow: answer.Header().Get("Allow")}
	case http.StatusNotFound:
		if to := s.withoutSlash(r); to != "" {
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return nil
		}
		return errNoPage
	}
	return answer.SendTo(w)
}

// withoutSlash returns the request's address without the slash that people add at its end, "" if there is no such page.
func (s *server) withoutSlash(r *http.Request) string {
	path := strings.TrimRight(r.URL.Path, "/")
	if path == r.URL.Path || path == "" || strings.HasPrefix(path, "//") {
		return ""
	}
	u := &url.URL{Path: path, RawQuery: r.URL.RawQuery}
	if _, pattern := s.mux.Handler(&http.Request{Method: r.Method, Host: r.Host, URL: u}); pattern == "" {
		return ""
	}
	return u.String()
}

// bufferedOfStream is how many bytes of a streamed response are kept before it is sent.
const bufferedOfStream = 64 << 10

// serve runs a handler between the headers that every response has and the one place where errors are answered.
func (s *server) serve(w http.ResponseWriter, r *http.Request, route Route) {
	secure(w.Header(), r)
	out := response.NewBuffer(r.Method, math.MaxInt)
	if route.Stream {
		out = response.NewStream(r.Method, bufferedOfStream, w)
	}
	err := s.handle(out, r, route)
	if err != nil {
		s.logError(r, err)
		if out.Begun() {
			panic(http.ErrAbortHandler)
		}
		out = s.errorResponse(r, err)
	}
	_ = out.SendTo(w) // an error can only mean that the client is gone
}

// handle runs a handler, unless the request is forged.
func (s *server) handle(w http.ResponseWriter, r *http.Request, route Route) error {
	if !route.AnyOrigin {
		if err := s.forgery.Check(r); err != nil {
			return forged(err)
		}
	}
	return run(route.Handle, w, r)
}

// contentSecurityPolicy forbids inline scripts and styles, and everything from other sites.
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'"

// allowScripts lets a page run scripts that the site serves as files.
func allowScripts(h http.Header) {
	h.Set("Content-Security-Policy", policyOf(h)+"; script-src 'self'")
}

// allowReading lets the scripts of a page read from the site and from some other origins.
func allowReading(h http.Header, origins []string) {
	sources := strings.Join(append([]string{"'self'"}, origins...), " ")
	h.Set("Content-Security-Policy", policyOf(h)+"; connect-src "+sources)
}

// policyOf returns the policy that a handler has widened so far. The headers of secure are not in the handler's own
// ones, whose policy takes their place.
func policyOf(h http.Header) string {
	return cmp.Or(h.Get("Content-Security-Policy"), contentSecurityPolicy)
}

// allowImages lets a page show images of another origin.
func allowImages(h http.Header, origin string) {
	h.Set("Content-Security-Policy",
		strings.Replace(policyOf(h), "img-src 'self'", "img-src 'self' "+origin, 1))
}

// secure sets the headers that every response has; handlers may replace Cache-Control and Referrer-Policy.
func secure(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	// Not no-referrer: browsers would send "Origin: null" with the site's own forms, and without Sec-Fetch-Site those
	// look like a stranger's. Pages whose address is a secret set strict-origin, which passes no address on.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
