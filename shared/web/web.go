// Package web is what the sites of the functions share: one list of routes becomes an http.Handler in which every answer
// carries the security headers, every unsafe method is protected against forged requests, and every error becomes one
// answer, chosen by its kind. Around it: pages (Pages), form fields (Field), bodies (ReadForm, ReadJSON), static files.
//
// What a site shows and asks stays with the site. Nothing is parsed before it is needed: a function's cold start pays for
// the page that it serves and for no other.
package web

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strings"
)

// HandlerFunc answers a request, or says why it cannot. What it wrote before it failed is dropped, headers and all.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Route is a line of a site's list: a pattern of http.ServeMux with its method, such as "GET /editions/{key}".
type Route struct {
	Pattern string
	Handle  HandlerFunc
	// Stream lets an answer that is too large to be kept go out as it is written: see stream.
	Stream bool
}

// Options are what a site is made of.
type Options struct {
	Routes []Route
	Pages  *Pages
	// SiteURL is where people reach the site. A form that was sent from there is let in, even where a proxy hides the
	// name under which the browser knows the site.
	SiteURL string
	// Query gives what the links of an error's page keep of a request's address: View.Query; nil: nothing.
	Query func(*http.Request) string
	// RequestID gives the ID under which the log knows the request; nil: requests have none.
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

// New makes the site's handler. Beside the routes it serves the static files. Patterns that contradict each other panic.
func New(o Options) http.Handler {
	s := &server{
		mux: http.NewServeMux(), pages: o.Pages, forgery: http.NewCrossOriginProtection(), query: o.Query, requestID: o.RequestID,
		log: o.Log,
	}
	if s.query == nil {
		s.query = func(*http.Request) string { return "" }
	}
	if s.requestID == nil {
		s.requestID = func(context.Context) string { return "" }
	}
	if u, err := url.Parse(o.SiteURL); err == nil && u.Host != "" {
		// An origin of a scheme and a host is never refused.
		_ = s.forgery.AddTrustedOrigin(u.Scheme + "://" + u.Host)
	}
	for _, route := range append(o.Routes, staticRoutes...) {
		s.mux.Handle(route.Pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, route) }))
	}
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler, pattern := s.mux.Handler(r); pattern == "" {
		s.serve(w, r, Route{Handle: func(w http.ResponseWriter, r *http.Request) error { return s.unmatched(w, r, handler) }})
		return
	}
	s.mux.ServeHTTP(w, r)
}

// unmatched answers where no route is meant: the mux knows whether the method or the address is at fault.
func (s *server) unmatched(w http.ResponseWriter, r *http.Request, mux http.Handler) error {
	verdict := newAnswer(r)
	mux.ServeHTTP(verdict, r)
	switch verdict.status {
	case http.StatusMethodNotAllowed:
		return &methodError{allow: verdict.header.Get("Allow")}
	case http.StatusNotFound:
		if to := s.withoutSlash(r); to != "" {
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return nil
		}
		return errNoPage
	}
	verdict.sendTo(w)
	return nil
}

// withoutSlash is the address of the request without the slash at its end, where there is a page: people add one.
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

// serve runs a handler between the headers that every answer has and the one place where errors are answered.
func (s *server) serve(w http.ResponseWriter, r *http.Request, route Route) {
	secure(w.Header(), r)
	r, visit := withVisit(r)
	out := &stream{answer: newAnswer(r), to: w, limit: math.MaxInt}
	if route.Stream {
		out.limit = keptOfStream
	}
	err := s.forgery.Check(r)
	if err != nil {
		err = forged(err)
	} else {
		err = run(route.Handle, out, r)
	}
	if err != nil {
		s.logError(r, err)
		if out.begun {
			panic(http.ErrAbortHandler)
		}
		out.answer = newAnswer(r)
		s.writeError(out.answer, r, visit.visitor, err)
	}
	if !out.begun {
		out.sendTo(w)
	}
}

// secure sets the headers that every answer has; handlers may replace those of caching and of the referrer.
func secure(h http.Header, r *http.Request) {
	// The site has no inline script or style, and none of anybody else.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	// Not no-referrer: with it, browsers send "Origin: null" along with the site's own forms, and those that do not send
	// Sec-Fetch-Site could not be told from a stranger's. Pages without forms whose address is a secret set it.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
