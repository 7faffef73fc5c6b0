// Package site is what customers see and use: the editions and their packages, the form and the API that take license
// requests, the page that follows one, and the check of license keys. Its addresses are all in routes.go.
//
// What a request needs is decided in shared/request, what is kept of it in shared/store, what its mails say in shared/mail, what is
// right about a key in shared/license.
package site

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// Store is where license requests are kept; shared/store is one.
type Store interface {
	// FileRequest records a request and the mails about it. The same details under a token that came before are the same
	// request, with created false; other details are store.ErrReused, with the request that the token made.
	FileRequest(ctx context.Context, d request.Details, token string, mails func(request.Request) []mail.Message) (r request.Request, created bool, err error)
	// Request reads a request; a NotFound fault where there is none.
	Request(ctx context.Context, id string) (request.Request, error)
	// RequestByToken reads a request for who holds its private link; a wrong token is a NotFound fault as well.
	RequestByToken(ctx context.Context, id, token string) (request.Request, error)
	// RequestTimeline reads what happened to a request, oldest first.
	RequestTimeline(ctx context.Context, id string) ([]store.Event, error)
	// License reads a license; a NotFound fault where there is none.
	License(ctx context.Context, id string) (store.LicenseRecord, error)
}

// Options are what the site is made of.
type Options struct {
	Store Store
	// Catalog gives what is offered. It is called for each page that shows it, and may change between calls.
	Catalog func() (*catalog.Catalog, error)
	// Keys gives the public keys with which licenses are verified. It is called when a key is checked and when they are
	// published, and may change between calls: a rotation needs no restart.
	Keys      func() (license.KeySet, error)
	Now       func() time.Time
	SiteURL   string       // where customers reach the site, without a slash at the end
	Sales     mail.Address // whom customers write to, and who is told of their requests
	RequestID func(context.Context) string
	Log       *slog.Logger
}

type site struct {
	store   Store
	catalog func() (*catalog.Catalog, error)
	keys    func() (license.KeySet, error)
	now     func() time.Time
	mail    letter.Writer
	pages   *web.Pages
	log     *slog.Logger
}

// New makes the site's handler.
func New(o Options) http.Handler {
	s := &site{
		store: o.Store, catalog: o.Catalog, keys: o.Keys, now: o.Now,
		mail: letter.Writer{URL: o.SiteURL, Sales: o.Sales}, pages: web.NewPages(templates), log: o.Log,
	}
	return allowAnyOrigin(web.New(web.Options{
		Routes: s.routes(), Pages: s.pages, SiteURL: o.SiteURL, RequestID: o.RequestID, Log: o.Log,
		Query: func(r *http.Request) string { return linkQuery(r.URL.Query()) },
	}))
}

// allowAnyOrigin lets scripts of any origin read what is said of an address with a JSON document's name. A mistyped address of the
// catalog arrives here, and the catalog's readers are to see every answer (CLIENT-CONTRACT §1). All of it is public.
func allowAnyOrigin(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, ".json") {
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		h.ServeHTTP(w, r)
	})
}

//go:embed templates
var templates embed.FS
