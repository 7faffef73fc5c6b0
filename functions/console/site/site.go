// Package site is the sales console: the queue of license requests, the page of each request and each license with what
// can be done there, what expires, and exports. Its addresses are all in routes.go, each with the role that it needs.
//
// Who somebody is and what a role is, functions/console/signin knows; what a change means, shared/store. The license
// generator's own rules are in functions/console/generator.
package site

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"time"

	"marketplace/catalog"
	"marketplace/functions/console/generator"
	"marketplace/functions/console/signin"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/web"
)

// Gate lets people in; *signin.Gate is one.
type Gate interface {
	// Routes are the addresses of signing in and out, open to everybody.
	Routes() []web.Route
	// Require lets those through to the handler who have the role or a higher one.
	Require(signin.Role, web.HandlerFunc) web.HandlerFunc
}

// Options are what the console is made of.
type Options struct {
	Store Store
	Gate  Gate
	// Catalog gives what is offered. It is called for each page or mail that needs it.
	Catalog func() (*catalog.Catalog, error)
	// Issuer signs license keys. It is called when a license is issued.
	Issuer func() (license.Issuer, error)
	// Packager makes tailored packages; nil: none are made.
	Packager generator.Packager
	// PackagesURL is where customers get packages, without a slash at the end; tailored ones are below /tailored/.
	PackagesURL string
	SiteURL     string       // where customers reach the site, without a slash at the end
	Sales       mail.Address // whom customers write to
	// ExportLimit is the largest export in bytes, for a host that takes answers only as a whole; 0: exports are streamed, and
	// have no limit.
	ExportLimit int
	Now         func() time.Time
	RequestID   func(context.Context) string
	Log         *slog.Logger
}

type site struct {
	store       Store
	catalog     func() (*catalog.Catalog, error)
	mail        letter.Writer
	pages       *web.Pages
	generator   *generator.Generator
	exportLimit int
	now         func() time.Time
	log         *slog.Logger
}

// New makes the console's handler.
func New(o Options) http.Handler {
	d := &site{
		store: o.Store, catalog: o.Catalog, mail: letter.Writer{URL: o.SiteURL, Packages: o.PackagesURL, Sales: o.Sales}, pages: web.NewPages(templates),
		exportLimit: o.ExportLimit,
		now:         func() time.Time { return o.Now().UTC() },
		log:         o.Log,
	}
	d.generator = generator.New(generator.Options{
		Records: o.Store, Catalog: o.Catalog, Issuer: o.Issuer, Packager: o.Packager, Letters: d.mail, Now: o.Now,
	})
	routes := o.Gate.Routes()
	for _, r := range d.routes() {
		routes = append(routes, web.Route{Pattern: r.pattern, Handle: o.Gate.Require(r.least, web.ShowVisitor(visitor, r.handle)), Stream: r.stream})
	}
	return web.New(web.Options{Routes: routes, Pages: d.pages, SiteURL: o.SiteURL, RequestID: o.RequestID, Log: o.Log})
}

func visitor(r *http.Request) *web.Visitor {
	p := signin.PersonOf(r.Context())
	return &web.Visitor{Name: p.Name, Email: p.Email, Role: p.Role.String()}
}

// by is who acts, as timelines name them.
func by(r *http.Request) string { return signin.PersonOf(r.Context()).Email }

// acts reports whether who is signed in may change something.
func acts(r *http.Request) bool { return signin.PersonOf(r.Context()).Role >= signin.Sales }

func (s *site) today() license.Date { return license.DateOf(s.now()) }

// Sections of the console, as its navigation names them.
const (
	inQueue    = "queue"
	inLicenses = "licenses"
	inOverview = "overview"
	inExport   = "export"
)

// render shows a page to who is signed in.
func (s *site) render(w http.ResponseWriter, r *http.Request, status int, page, section, title string, data any) error {
	return s.pages.Render(w, status, page, web.View{
		Title: title, Private: true, Section: section, Visitor: visitor(r), Data: data,
	})
}

//go:embed templates
var templates embed.FS
