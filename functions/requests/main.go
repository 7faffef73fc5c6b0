// Command requests is the Lambda function of the public site: editions, license requests, their status pages and the
// key check.
package main

import (
	"log"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/catalog"
	"marketplace/catalog/builtin"
	"marketplace/functions/requests/site"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/lambdahttp"
	"marketplace/shared/livecatalog"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/store/requester"
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
	catalogs := livecatalog.New(livecatalog.Options[*catalog.Catalog]{
		BuiltIn: builtin.Bundle, URL: c.BundleURL, Make: catalog.FromBundle, Now: time.Now, Log: logger,
	})
	kept := store.New(cloud.Table(c, os.Getenv), store.Options{
		Now: time.Now, Reminders: c.Reminders, Retention: c.Retention, Hours: c.Hours,
	})
	lambda.Start(lambdahttp.New(site.New(site.Options{
		Store:       kept,
		Requester:   requester.New(kept),
		Catalog:     catalogs.Get,
		Keys:        site.JSONKeys(c.LicenseKeys),
		Now:         time.Now,
		SiteURL:     c.SiteURL,
		PackagesURL: c.PackagesURL,
		Sales:       mail.AddressOf(c.SalesEmail),
		Brand:       c.Brand,
		RequestID:   lambdahttp.RequestID,
		Log:         logger,
	}), logger).Behind(c.OriginKeys))
}
