// Command catalog is the Lambda function that serves the prepared catalog and the links to the packages.
package main

import (
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/catalog/builtin"
	"marketplace/catalog/bundle"
	"marketplace/functions/catalog/api"
	"marketplace/shared/config"
	"marketplace/shared/livecatalog"
)

func main() {
	c, err := config.Load(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	catalogs := livecatalog.New(livecatalog.Options[*api.Handler]{
		BuiltIn: builtin.Bundle, URL: c.BundleURL, Now: time.Now, Log: logger,
		Make: func(b *bundle.Bundle) (*api.Handler, error) {
			o := api.Options{
				PackagesURL: c.PackagesURL, Metrics: os.Stdout, Stage: c.Stage, Now: time.Now, Log: logger,
				Origin: c.OriginKeys, Brand: c.Brand,
			}
			return api.New(b, o), nil
		},
	})
	lambda.Start(api.Live(catalogs.Get))
}
