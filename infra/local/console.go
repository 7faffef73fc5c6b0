package main

import (
	"net/http"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/custompackage"
	"marketplace/functions/console/signin"
	"marketplace/functions/console/site"
	"marketplace/infra/local/devidp"
	"marketplace/shared/config"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	auditlog "marketplace/shared/store/audit"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/reply"
	"marketplace/shared/store/search"
)

// console is the sales console and its sign-in provider.
type console struct{ site, devIDP http.Handler }

// consoleParts are the parts of the console.
type consoleParts struct {
	Options
	config      config.Config
	store       *delivery.Store
	catalog     func() (*catalog.Catalog, error)
	issuer      license.Issuer
	sessionKeys session.Keys
	hashKeys    erasure.Keys
	now         func() time.Time
}

// The credentials of the console at the provider. They are no secret: both run in this process and ask for no password.
const (
	clientID     = "console"
	clientSecret = "local"
)

func newConsole(p consoleParts) (console, error) {
	issuer := p.config.SiteURL + devidp.Path
	provider, err := devidp.New(devidp.Options{
		Issuer: issuer, ClientID: clientID, ClientSecret: clientSecret,
		RedirectURI: p.config.SiteURL + signin.CallbackPath, SignedOutURI: p.config.SiteURL + signin.SignedOutPath,
		People: devidp.SamplePeople(), Now: p.now, Log: p.Log,
	})
	if err != nil {
		return console{}, err
	}
	return console{devIDP: provider, site: site.New(site.Options{
		Store: p.store, Search: search.New(p.store.Store), Eraser: erasure.New(p.store.Store, secret.Fixed(p.hashKeys)),
		Audit: auditlog.New(p.store.Store, p.config.Retention), Replies: reply.New(p.store.Table(), p.store.Now),
		Deletion: deletion.New(p.store.Store),
		Gate: signin.New(signin.Options{
			Issuer: issuer, ClientID: clientID, SiteURL: p.config.SiteURL,
			Secrets:  secret.Fixed(signin.Secrets{Keys: p.sessionKeys, ClientSecret: clientSecret}),
			Sessions: p.store, Directory: p.store, Brand: p.config.Brand,
			Now: p.now, Log: p.Log,
		}),
		Catalog:     p.catalog,
		Preview:     metadataOf(p.Preview, p.config.SiteURL, p.Now).bundle,
		Issuer:      func() (license.Issuer, error) { return p.issuer, nil },
		Packager:    custompackage.Folder{Jars: p.Data.Jars(), Out: p.Data.CustomPackages()},
		PackagesURL: p.config.PackagesURL, SiteURL: p.config.SiteURL, Sales: mail.AddressOf(p.config.SalesEmail),
		PublicMailDomains: p.config.PublicMailDomains, OneOperator: p.config.OneOperator,
		Brand: p.config.Brand, Now: p.now, Log: p.Log,
	})}, nil
}
