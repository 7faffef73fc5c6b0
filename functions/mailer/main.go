// Command mailer is the Lambda function that sends the outbox's mails through SES. The table's stream invokes it when
// an urgent mail is written, and a schedule does so every minute. It needs a timeout of at least a minute.
package main

import (
	"log"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/catalog"
	"marketplace/catalog/builtin"
	"marketplace/functions/mailer/dispatch"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/livecatalog"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/ses"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
)

func main() {
	c, err := config.Load(os.Getenv, "TABLE_NAME", "MAIL_FROM", "SITE_URL", "PACKAGES_URL", "SALES_EMAIL")
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
	kept := delivery.New(store.New(cloud.Table(c, os.Getenv), store.Options{
		Now: time.Now, Reminders: c.Reminders, Retention: c.Retention, Hours: c.Hours,
	}))
	letters := letter.Writer{URL: c.SiteURL, Packages: c.PackagesURL, Sales: mail.AddressOf(c.SalesEmail),
		Reminders: c.Reminders, Hours: c.Hours, Brand: c.Brand}
	lambda.Start(dispatch.New(dispatch.Options{
		Outbox: kept.Outbox(), Records: kept, Expander: expansion.New(kept), Write: letters.With(catalogs.Get),
		Sender: ses.New(ses.LambdaClient(os.Getenv, c.SESEndpoint),
			ses.Options{From: mail.AddressOf(c.MailFrom), ConfigurationSet: c.SESConfigurationSet, Now: time.Now}),
		Watched: kept.Watched, Now: time.Now, Log: logger,
	}))
}
