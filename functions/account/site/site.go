// Package site is a customer's account: what the company has with us, and what its contacts may do about it. All its
// addresses are in routes.go.
//
// functions/account/signin says who makes a request and what the person sees of the customer (customer.Seen): handlers
// take instances, contracts and contacts from there alone, so that nobody sees or changes what is another's.
// shared/store says what a change means.
package site

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"time"

	"marketplace/catalog"
	"marketplace/functions/account/signin"
	"marketplace/shared/brand"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/web"
)

// Gate signs people in; *signin.Gate implements it.
type Gate interface {
	// Routes returns the addresses of signing in and out, open to everybody.
	Routes() []web.Route
	// Require returns a handler that admits contacts of a customer.
	Require(web.HandlerFunc) web.HandlerFunc
}

// Options configure the site.
type Options struct {
	Store     Store
	Requester Requester
	Contacts  Contacts
	Reminders Reminders
	Personal  PersonalData
	Gate      Gate
	// Catalog returns the current catalog. It is called for each page and may change between calls.
	Catalog     func() (*catalog.Catalog, error)
	SiteURL     string // public address, without a trailing slash
	PackagesURL string // where packages are downloaded, without a trailing slash
	Sales       mail.Address
	Brand       brand.Brand
	Now         func() time.Time
	RequestID   func(context.Context) string
	Log         *slog.Logger
}

type site struct {
	store     Store
	requester Requester
	contacts  Contacts
	reminders Reminders
	personal  PersonalData
	product   string // the name of the product
	catalog   func() (*catalog.Catalog, error)
	mail      letter.Writer
	pages     *web.Pages
	now       func() time.Time
	log       *slog.Logger
}

// New returns the handler of the site.
func New(o Options) http.Handler {
	s := &site{
		store: o.Store, requester: o.Requester, contacts: o.Contacts, reminders: o.Reminders, personal: o.Personal,
		product: o.Brand.OrDefault().Product,
		catalog: o.Catalog, pages: web.NewPages(templates, o.Brand),
		mail: letter.Writer{URL: o.SiteURL, Packages: o.PackagesURL, Sales: o.Sales, Hours: o.Store.Hours(),
			Brand: o.Brand},
		now: func() time.Time { return o.Now().UTC() }, log: o.Log,
	}
	routes := o.Gate.Routes()
	for _, r := range s.routes() {
		r.Handle = o.Gate.Require(web.ShowVisitor(visitor, r.Handle))
		routes = append(routes, r)
	}
	return web.New(web.Options{Routes: routes, Pages: s.pages, SiteURL: o.SiteURL, RequestID: o.RequestID, Log: o.Log})
}

// visitor returns who is signed in, as the header shows it. Its Role is the name of the customer.
func visitor(r *http.Request) *web.Visitor {
	v := signin.VisitOf(r.Context())
	name := v.Seen.Contact.Name
	if name == "" {
		name = v.Email
	}
	return &web.Visitor{Name: name, Email: v.Email, Role: v.Seen.Customer.Name}
}

// seen returns what the person who makes the request sees of the customer.
func seen(r *http.Request) *customer.Seen {
	s := signin.VisitOf(r.Context()).Seen
	return &s
}

// person returns the address of who makes the request.
func person(r *http.Request) string { return signin.VisitOf(r.Context()).Email }

// instance returns the instance that the address of a request names, if the person speaks for it; else a NotFound fault
// that does not say whether there is one.
func instance(r *http.Request) (customer.Instance, error) {
	if i := seen(r).Instance(r.PathValue("instance")); i != nil {
		return *i, nil
	}
	return customer.Instance{}, fault.New(fault.NotFound, "Your account has no installation at this address. "+
		"Someone may have moved it, or the link is incomplete.")
}

// instancePath returns the address under which the pages of an instance are.
func instancePath(i customer.Instance) string { return Home + "/instances/" + i.ID }

func (s *site) today() license.Date { return license.DateOf(s.now()) }

// Sections of the account, as its navigation names them.
const (
	inOverview = "overview"
	inRequests = "requests"
	inContacts = "contacts"
	inPersonal = "personal"
)

// render writes a page of the account.
func (s *site) render(w http.ResponseWriter, r *http.Request, status int, name string, v web.View) error {
	v.Private, v.Visitor = true, visitor(r)
	return s.pages.Render(w, status, name, v)
}

//go:embed templates
var templates embed.FS
