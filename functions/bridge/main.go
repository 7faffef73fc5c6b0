// Command bridge is the Lambda function that issues bridge keys. The table's stream invokes it when one is asked for,
// and a schedule does so every ten minutes. Nothing else can sign with its key, and it with no other.
package main

import (
	"log"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/catalog"
	"marketplace/catalog/builtin"
	"marketplace/functions/bridge/issue"
	"marketplace/shared/cloud"
	"marketplace/shared/cloud/signer"
	"marketplace/shared/config"
	"marketplace/shared/license"
	"marketplace/shared/livecatalog"
	"marketplace/shared/logging"
	"marketplace/shared/store"
	"marketplace/shared/store/bridge"
)

func main() {
	c, err := config.Load(os.Getenv, "TABLE_NAME", "BRIDGE_SIGNERS")
	if err != nil {
		log.Fatal(err)
	}
	logger := logging.New(os.Stdout, c.Stage)
	catalogs := livecatalog.New(livecatalog.Options[*catalog.Catalog]{
		BuiltIn: builtin.Bundle, URL: c.BundleURL, Make: catalog.FromBundle, Now: time.Now, Log: logger,
	})
	kept := store.New(cloud.Table(c, os.Getenv), store.Options{
		Now: time.Now, Reminders: c.Reminders, Retention: c.Retention, Hours: c.Hours,
	})
	lambda.Start(issue.New(issue.Options{
		Store: bridge.New(kept),
		Issuer: func() (license.Issuer, error) {
			return signer.Issuer(signer.Client(os.Getenv), c.LicenseKeys, c.BridgeSigners)
		},
		Catalog: catalogs.Get, Now: time.Now, Log: logger,
	}))
}
