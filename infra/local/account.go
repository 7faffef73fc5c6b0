package main

import (
	"net/http"
	"time"

	"marketplace/catalog"
	"marketplace/functions/account/signin"
	"marketplace/functions/account/site"
	"marketplace/shared/config"
	"marketplace/shared/mail"
	"marketplace/shared/secret"
	"marketplace/shared/store/contact"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/requester"
	accounts "marketplace/shared/store/signin"
)

// newAccount makes the customer's account.
func newAccount(o Options, c config.Config, kept *delivery.Store, catalogs func() (*catalog.Catalog, error),
	now func() time.Time) (http.Handler, error) {
	keys, err := o.Data.AccountKeys()
	if err != nil {
		return nil, err
	}
	return site.New(site.Options{
		Store: kept, Requester: requester.New(kept.Store), Contacts: contact.New(kept.Store), Reminders: kept,
		Personal: erasure.NewWishes(kept.Store),
		Gate: signin.New(signin.Options{
			SiteURL: c.SiteURL, Keys: secret.Fixed(keys), Accounts: kept, SignIns: accounts.New(kept.Store),
			Sales: mail.AddressOf(c.SalesEmail), Brand: c.Brand, Now: now, Log: o.Log,
		}),
		Catalog: catalogs, SiteURL: c.SiteURL, PackagesURL: c.PackagesURL, Sales: mail.AddressOf(c.SalesEmail),
		Brand: c.Brand, Now: now, Log: o.Log,
	}), nil
}
