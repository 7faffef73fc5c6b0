// Package site is the sales console: the queue of license requests, a page for each request and each license with its
// actions, what expires, and exports. All its addresses are in routes.go, each with the role that it needs.
//
// functions/console/signin says who is signed in and with which role, shared/store what a change means, and
// functions/console/generator what a license becomes.
package site

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
	"marketplace/functions/console/generator"
	"marketplace/functions/console/signin"
	"marketplace/shared/brand"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/letter/sample"
	"marketplace/shared/marketplace/preview"
	"marketplace/shared/web"
)

// Gate signs people in; *signin.Gate implements it.
type Gate interface {
	// Routes returns the addresses of signing in and out, open to everybody.
	Routes() []web.Route
	// Require returns a handler that admits people with the role or a higher one.
	Require(signin.Role, web.HandlerFunc) web.HandlerFunc
}

// Options configure the console.
type Options struct {
	Store    Store
	Search   Search
	Audit    Audit
	Eraser   Eraser
	Deletion Deletion
	// Replies keeps the templates of replies.
	Replies Replies
	Gate    Gate
	// Catalog returns the current catalog. It is called for each page or mail that needs it.
	Catalog func() (*catalog.Catalog, error)
	// Preview returns the catalog that is to be published. If there is none, the error is a NotFound fault. nil: there
	// never is one.
	Preview func(context.Context) (*bundle.Bundle, error)
	// Issuer returns the signer of license keys. It is called when a license is issued.
	Issuer func() (license.Issuer, error)
	// Packager builds custom packages; nil: the console offers none.
	Packager generator.Packager
	// PackagesURL is where customers download packages, without a slash at the end; custom ones are below /tailored/.
	PackagesURL string
	SiteURL     string       // where customers reach the site, without a slash at the end
	Sales       mail.Address // where customers write to
	// ExportLimit is the largest export in bytes, for a host that cannot stream; 0: exports are streamed without a
	// limit.
	ExportLimit int
	// PublicMailDomains are further domains that are no customer's (customer.CheckDomain).
	PublicMailDomains []string
	OneOperator       bool // sales are one person, as in generator.Options
	Now               func() time.Time
	Brand             brand.Brand
	RequestID         func(context.Context) string
	Log               *slog.Logger
}

type site struct {
	store       Store
	index       Search
	eraser      Eraser
	deletion    Deletion
	replies     Replies
	audit       Audit
	catalog     func() (*catalog.Catalog, error)
	draft       func(context.Context) (*bundle.Bundle, error)
	mail        letter.Writer
	pages       *web.Pages
	generator   *generator.Generator
	exportLimit int
	publicMail  []string // domains, as in Options
	oneOperator bool
	now         func() time.Time
	log         *slog.Logger
}

// New returns the console's handler.
func New(o Options) http.Handler {
	s := &site{
		store: o.Store, index: o.Search, audit: o.Audit, eraser: o.Eraser, deletion: o.Deletion,
		replies: o.Replies, catalog: o.Catalog, draft: o.Preview,
		pages: web.NewPages(web.Layers{templates, sample.Templates, preview.Templates}, o.Brand),
		mail: letter.Writer{
			URL: o.SiteURL, Packages: o.PackagesURL, Sales: o.Sales, Reminders: o.Store.Policy(),
			Hours: o.Store.Hours(), Brand: o.Brand,
		},
		exportLimit: o.ExportLimit,
		publicMail:  o.PublicMailDomains,
		oneOperator: o.OneOperator,
		now:         func() time.Time { return o.Now().UTC() },
		log:         o.Log,
	}
	s.generator = generator.New(generator.Options{
		Records: o.Store, Search: o.Search, Catalog: o.Catalog, Issuer: o.Issuer, Packager: o.Packager,
		Letters: s.mail, Now: o.Now, PublicMailDomains: o.PublicMailDomains,
		OneOperator: o.OneOperator,
	})
	routes := o.Gate.Routes()
	for _, r := range s.routes() {
		handle := o.Gate.Require(r.least, s.readColleagues(r.names, web.ShowVisitor(visitor, r.handle)))
		routes = append(routes, web.Route{Pattern: r.pattern, Handle: handle, Stream: r.stream})
	}
	return web.New(web.Options{Routes: routes, Pages: s.pages, SiteURL: o.SiteURL, RequestID: o.RequestID, Log: o.Log})
}

func visitor(r *http.Request) *web.Visitor {
	p := signin.PersonOf(r.Context())
	return &web.Visitor{Name: p.Name, Email: p.Email, Role: p.Role.String()}
}

// logBy logs what somebody took out of the console, beside the audit.
func (s *site) logBy(r *http.Request, did string, attrs ...slog.Attr) {
	attrs = append([]slog.Attr{slog.Any("by", signin.PersonOf(r.Context()))}, attrs...)
	s.log.LogAttrs(r.Context(), slog.LevelInfo, did, attrs...)
}

// operator returns who makes the request, as timelines name them: by email address.
func operator(r *http.Request) string { return signin.PersonOf(r.Context()).Email }

// canEdit reports whether the person who is signed in may change requests and licenses.
func canEdit(r *http.Request) bool { return signin.PersonOf(r.Context()).Role >= signin.Sales }

// canAdmin reports whether the person who is signed in may merge customers and read the audit.
func canAdmin(r *http.Request) bool { return signin.PersonOf(r.Context()).Role >= signin.Admin }

func (s *site) today() license.Date { return license.DateOf(s.now()) }

// Sections of the console, as its navigation names them.
const (
	inQueue    = "queue"
	inLicenses = "licenses"
	inOverview = "overview"
	inReminder = "reminders"
	inExport   = "export"
	inLetters  = "letters"
	inErase    = "erase"
	inSettings = "settings"
	inAudit    = "audit"
)

// render answers with a page, with the signed-in person in its header.
func (s *site) render(w http.ResponseWriter, r *http.Request, status int, page, section, title string, data any) error {
	return s.pages.Render(w, status, page, web.View{
		Title: title, Private: true, Section: section, Visitor: visitor(r), Data: data,
	})
}

//go:embed templates
var templates embed.FS
