// Command console is the Lambda function of the sales console.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // the runtime has no time zones

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/catalog"
	"marketplace/catalog/builtin"
	"marketplace/functions/console/signin"
	"marketplace/functions/console/site"
	"marketplace/shared/cloud"
	"marketplace/shared/cloud/packagestore"
	"marketplace/shared/cloud/secretstore"
	"marketplace/shared/cloud/signer"
	"marketplace/shared/config"
	"marketplace/shared/lambdahttp"
	"marketplace/shared/license"
	"marketplace/shared/livecatalog"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/secret"
	"marketplace/shared/store"
	"marketplace/shared/store/audit"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/reply"
	"marketplace/shared/store/search"
)

// exportLimit is the largest answer of a Lambda function (6 MB), less what encoding it as JSON adds.
const exportLimit = 4 << 20

func main() {
	c, err := config.Load(os.Getenv, "SITE_URL", "PACKAGES_URL", "PACKAGES_BUCKET", "TABLE_NAME", "SALES_EMAIL",
		"LICENSE_SIGNERS", "OIDC_ISSUER", "OIDC_CLIENT_ID")
	if err != nil {
		log.Fatal(err)
	}
	if err := builtin.Check(c.SiteURL); err != nil {
		log.Fatal(err)
	}
	logger := logging.New(os.Stdout, c.Stage)
	secrets, err := signInSecrets(c, logger)
	if err != nil {
		log.Fatal(err)
	}
	hashKeys, err := eraserKeys(c, logger)
	if err != nil {
		log.Fatal(err)
	}
	catalogs := livecatalog.New(livecatalog.Options[*catalog.Catalog]{
		BuiltIn: builtin.Bundle, URL: c.BundleURL, Make: catalog.FromBundle, Now: time.Now, Log: logger,
	})
	kept := delivery.New(store.New(cloud.Table(c, os.Getenv), store.Options{
		Now: time.Now, Reminders: c.Reminders, Retention: c.Retention, Hours: c.Hours,
	}))
	packages := packagestore.Bucket{API: packagestore.Client(os.Getenv), Name: c.PackagesBucket}
	lambda.Start(lambdahttp.New(site.New(site.Options{
		Store: kept, Search: search.New(kept.Store), Eraser: erasure.New(kept.Store, hashKeys),
		Audit: audit.New(kept.Store, c.Retention), Replies: reply.New(kept.Table(), kept.Now),
		Gate: signin.New(signin.Options{
			Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, SiteURL: c.SiteURL,
			Secrets: secrets, Sessions: kept, Directory: kept, Brand: c.Brand, Now: time.Now, Log: logger,
		}),
		Catalog: catalogs.Get, Preview: packages.Preview, Packager: packages, Deletion: deletion.New(kept.Store),
		Issuer: func() (license.Issuer, error) {
			return signer.Issuer(signer.Client(os.Getenv), c.LicenseKeys, c.LicenseSigners)
		},
		PackagesURL: c.PackagesURL, SiteURL: c.SiteURL, Sales: mail.AddressOf(c.SalesEmail), ExportLimit: exportLimit,
		PublicMailDomains: c.PublicMailDomains, OneOperator: c.OneOperator, Brand: c.Brand,
		Now: time.Now, RequestID: lambdahttp.RequestID, Log: logger,
	}), logger).Behind(c.OriginKeys))
}

// signInSecrets returns the secrets that CONSOLE_SECRET names, or without it those of the environment.
func signInSecrets(c config.Config, logger *slog.Logger) (secret.Value[signin.Secrets], error) {
	if c.ConsoleSecret == "" {
		secrets, err := signin.NewSecrets(c.SessionKeys, c.OIDCClientSecret)
		return secret.Fixed(secrets), err
	}
	return readSecret(c.ConsoleSecret, signin.ParseSecrets, logger), nil
}

// eraserKeys returns the keys that HASH_SECRET names, or without it those of the environment.
func eraserKeys(c config.Config, logger *slog.Logger) (secret.Value[erasure.Keys], error) {
	if c.HashSecret == "" {
		keys, err := erasure.ParseKeys(c.HashKey)
		return secret.Fixed(keys), err
	}
	return readSecret(c.HashSecret, erasure.ParseKeys, logger), nil
}

// readSecret is a secret of Secrets Manager, by its ARN.
func readSecret[T any](arn string, parse func(string) (T, error), logger *slog.Logger) secret.Value[T] {
	return secret.Read(secret.Options[T]{
		Name: arn, Parse: parse, Now: time.Now, Log: logger,
		Source: func(ctx context.Context) (string, error) {
			return secretstore.Client(os.Getenv).GetSecretValue(ctx, arn)
		},
	})
}
