// Package site is the public site: the editions and their packages, license requests by form and API, their status
// pages, and the key check. Its addresses are in routes.go.
//
// shared/request decides what a request needs, shared/store keeps it and queues its emails, and shared/license
// evaluates keys.
package site

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"marketplace/catalog"
	"marketplace/shared/brand"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/marketplace/preview"
	"marketplace/shared/officehours"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/retention"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web"
)

// Store keeps license requests. shared/store implements it.
type Store interface {
	// FileRequest records a request and its emails. What was filed with the same token before is returned with created
	// false.
	FileRequest(ctx context.Context, f store.Filing) (r request.Request, created bool, err error)
	// ToConfirm reads the open requests that the secret of one of them confirms. A wrong secret is a NotFound fault.
	ToConfirm(ctx context.Context, id, secret string) ([]request.Request, error)
	// ConfirmRequests notes that the person behind an address sent some of the requests of ToConfirm.
	ConfirmRequests(ctx context.Context, id, secret string, ids ...string) error
	// DenyRequests closes some of the requests of ToConfirm, which that person did not send.
	DenyRequests(ctx context.Context, id, secret string, ids ...string) error
	// SendConfirmation queues the email that confirms a request again. Too many are a RateLimited fault, and a Conflict
	// fault means that there is nothing to confirm.
	SendConfirmation(ctx context.Context, id string) error
	// CorrectEmail changes the address of a request from one to another and queues the emails about it.
	CorrectEmail(ctx context.Context, id, from, to string) error
	// Request reads a request. An unknown one is a NotFound fault.
	Request(ctx context.Context, id string) (request.Request, error)
	// RequestByToken reads a request for the holder of its private link. A wrong token is a NotFound fault too.
	RequestByToken(ctx context.Context, id, token string) (request.Request, error)
	// RequestTimeline reads the events of a request, oldest first.
	RequestTimeline(ctx context.Context, id string) ([]store.Event, error)
	// License reads a license. An unknown one is a NotFound fault.
	License(ctx context.Context, id string) (store.LicenseRecord, error)
	// Licenses reads licenses, without those that are not on record.
	Licenses(ctx context.Context, ids ...string) ([]store.LicenseRecord, error)
	// Policy says when customers are reminded, and from when on pages warn.
	Policy() reminder.Policy
	// Retention says how long personal data is kept.
	Retention() retention.Policy
	// Hours says when the office is open, and a reply is due.
	Hours() officehours.Hours
	// Mail reads an email about a request, a license or a customer by its ID, or the end of it. An unknown one is a
	// NotFound fault.
	Mail(ctx context.Context, about, what string) (outbox.Mail, error)
	// RequestOfLink reads the open request that came through the links about a license to a contact.
	RequestOfLink(ctx context.Context, l request.Link) (r request.Request, open bool, err error)
	// AnswerRequest notes what a contact answered when asked whether a request is theirs. The newest answer counts. A
	// Conflict fault means that the request was closed, or has changed since.
	AnswerRequest(ctx context.Context, id, contact string, yes bool) error
	// UndoRemoval has the mailer put a contact back who was removed and told so by an email. Again, it does nothing.
	UndoRemoval(ctx context.Context, removed outbox.Mail) error
	// RemovalUndone reports whether UndoRemoval was called for an email.
	RemovalUndone(ctx context.Context, removed outbox.Mail) (bool, error)
	// Unsubscribe stops the reminders of the licenses that a digest named to its reader, and Resubscribe resumes them.
	// Again, they do nothing.
	Unsubscribe(ctx context.Context, digest outbox.Mail) error
	Resubscribe(ctx context.Context, digest outbox.Mail) error
	// UnsubscribedFrom returns the IDs of the licenses from whose reminders the reader of a digest has unsubscribed.
	UnsubscribedFrom(ctx context.Context, digest outbox.Mail) ([]string, error)
	// MailsAbout reads the emails about a request or a license, oldest first, with what the provider reported.
	MailsAbout(ctx context.Context, id string, limit int) ([]outbox.Mail, error)
}

// Options configures the site.
type Options struct {
	Store     Store
	Requester Requester
	// Catalog returns the current catalog. It is called for each page and may change between calls.
	Catalog func() (*catalog.Catalog, error)
	// Keys returns the public keys of our licenses. It is called for each check and may change between calls, so a
	// rotation needs no restart.
	Keys    func() (license.KeySet, error)
	Now     func() time.Time
	SiteURL string // public address, without a trailing slash
	// PackagesURL is where package ZIPs are kept, without a trailing slash; custom packages are under tailored/.
	PackagesURL string
	Sales       mail.Address // whom customers write to, and who is notified of requests
	Brand       brand.Brand
	RequestID   func(context.Context) string
	Log         *slog.Logger
}

type site struct {
	requester Requester
	store     Store
	catalog   func() (*catalog.Catalog, error)
	keys      func() (license.KeySet, error)
	now       func() time.Time
	mail      letter.Writer
	brand     brand.Brand
	pages     *web.Pages
	log       *slog.Logger
}

// New returns the handler of the site.
func New(o Options) http.Handler {
	s := &site{
		store: o.Store, requester: o.Requester, catalog: o.Catalog, keys: o.Keys, now: o.Now,
		mail: letter.Writer{URL: o.SiteURL, Sales: o.Sales, Packages: o.PackagesURL, Hours: o.Store.Hours(),
			Brand: o.Brand},
		brand: o.Brand.OrDefault(), log: o.Log,
		pages: web.NewPages(web.Layers{templates, preview.Templates}, o.Brand),
	}
	return allowAnyOrigin(web.New(web.Options{
		Routes: s.routes(), Pages: s.pages, SiteURL: o.SiteURL, RequestID: o.RequestID, Log: o.Log,
		Query: func(r *http.Request) string { return linkQuery(r.URL.Query()) },
	}))
}

// allowAnyOrigin lets scripts of any origin read the answers about editions, and those to addresses that look like a
// JSON document. Mistyped addresses of the catalog arrive here, and its readers must see every answer
// (client-contract.md §1). All of it is public.
func allowAnyOrigin(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, ".json") || strings.HasPrefix(r.URL.Path, "/api/editions/") {
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		h.ServeHTTP(w, r)
	})
}

//go:embed templates
var templates embed.FS
