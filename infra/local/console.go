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
	"marketplace/shared/store"
)

// console is the sales console, and the provider that its people sign in with.
type console struct{ site, devIDP http.Handler }

// consoleParts are what it is made of.
type consoleParts struct {
	Options
	config      config.Config
	kept        *store.Store
	offered     func() (*catalog.Catalog, error)
	issuer      license.Issuer
	sessionKeys signin.Keys
	now         func() time.Time
}

// What the console and the provider know of each other. It is no secret: both are in this process, and ask for no
// password.
const (
	clientID     = "console"
	clientSecret = "local"
)

func newConsole(p consoleParts) (console, error) {
	issuer := p.config.SiteURL + devidp.Path
	provider, err := devidp.New(devidp.Options{
		Issuer: issuer, ClientID: clientID, ClientSecret: clientSecret,
		RedirectURI: p.config.SiteURL + signin.CallbackPath, SignedOutURI: p.config.SiteURL + signin.SignedOutPath,
		People: devidp.Invented(), Now: p.now, Log: p.Log,
	})
	if err != nil {
		return console{}, err
	}
	return console{devIDP: provider, site: site.New(site.Options{
		Store: p.kept,
		Gate: signin.New(signin.Options{
			Issuer: issuer, ClientID: clientID, ClientSecret: clientSecret, SiteURL: p.config.SiteURL,
			Keys: p.sessionKeys, Sessions: p.kept, Now: p.now, Log: p.Log,
		}),
		Catalog:     p.offered,
		Issuer:      func() (license.Issuer, error) { return p.issuer, nil },
		Packager:    custompackage.Folder{Jars: p.Data.Jars(), Out: p.Data.Tailored()},
		PackagesURL: p.config.PackagesURL, SiteURL: p.config.SiteURL, Sales: mail.AddressOf(p.config.SalesEmail),
		Now: p.now, Log: p.Log,
	})}, nil
}
