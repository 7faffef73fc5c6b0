// Command mailer is the Lambda function that sends the outbox's mails through SES. The table's stream invokes it when
// a mail is written, and a schedule does so every few minutes. It needs a timeout of at least a minute.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/functions/mailer/dispatch"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/ses"
	"marketplace/shared/store"
)

func main() {
	c, err := config.Load(os.Getenv, "TABLE_NAME", "MAIL_FROM", "SITE_URL", "SALES_EMAIL")
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(&dispatch.Dispatcher{
		Outbox: store.New(cloud.Table(c, os.Getenv), store.Options{Now: time.Now}),
		Sender: ses.New(ses.LambdaClient(os.Getenv, c.SESEndpoint),
			ses.Options{From: mail.AddressOf(c.MailFrom), ConfigurationSet: c.SESConfigurationSet, Now: time.Now}),
		Now:       time.Now,
		Log:       logging.New(os.Stdout),
		Unreached: letter.Writer{URL: c.SiteURL, Sales: mail.AddressOf(c.SalesEmail)}.LicenseUnreached,
	})
}
