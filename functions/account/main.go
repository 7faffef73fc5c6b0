// Command account is the Lambda function of the customer's account: what a company has with us, for its contacts.
package main

import (
	"context"
	"log"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/catalog"
	"marketplace/catalog/builtin"
	"marketplace/functions/account/signin"
	"marketplace/functions/account/site"
	"marketplace/shared/cloud"
	"marketplace/shared/cloud/secretstore"
	"marketplace/shared/config"
	"marketplace/shared/lambdahttp"
	"marketplace/shared/livecatalog"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	"marketplace/shared/store"
	"marketplace/shared/store/contact"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/requester"
	accounts "marketplace/shared/store/signin"
)

func main() {
	c, err := config.Load(os.Getenv, "SITE_URL", "PACKAGES_URL", "TABLE_NAME", "SALES_EMAIL")
	if err != nil {
		log.Fatal(err)
	}
	if err := builtin.Check(c.SiteURL); err != nil {
		log.Fatal(err)
	}
	logger := logging.New(os.Stdout, c.Stage)
	keys := secret.Read(secret.Options[session.Keys]{
		Name: c.AccountSecret, Parse: session.ParseKeys, Now: time.Now, Log: logger,
		Source: func(ctx context.Context) (string, error) {
			if c.AccountSecret == "" {
				return c.AccountKeys, nil
			}
			return secretstore.Client(os.Getenv).GetSecretValue(ctx, c.AccountSecret)
		},
	})
	catalogs := livecatalog.New(livecatalog.Options[*catalog.Catalog]{
		BuiltIn: builtin.Bundle, URL: c.BundleURL, Make: catalog.FromBundle, Now: time.Now, Log: logger,
	})
	kept := delivery.New(store.New(cloud.Table(c, os.Getenv), store.Options{
		Now: time.Now, Reminders: c.Reminders, Retention: c.Retention, Hours: c.Hours,
	}))
	lambda.Start(lambdahttp.New(site.New(site.Options{
		Store: kept, Requester: requester.New(kept.Store), Contacts: contact.New(kept.Store), Reminders: kept,
		Personal: erasure.NewWishes(kept.Store),
		Gate: signin.New(signin.Options{
			SiteURL: c.SiteURL, Keys: keys, Accounts: kept, SignIns: accounts.New(kept.Store), Brand: c.Brand,
			Sales: mail.AddressOf(c.SalesEmail), Now: time.Now, Log: logger,
		}),
		Catalog: catalogs.Get, SiteURL: c.SiteURL, PackagesURL: c.PackagesURL, Sales: mail.AddressOf(c.SalesEmail),
		Brand: c.Brand, Now: time.Now, RequestID: lambdahttp.RequestID, Log: logger,
	}), logger).Behind(c.OriginKeys))
}
