// Command catalog is the Lambda function that hands out the prepared catalog and the links to the packages.
package main

import (
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/catalog/bundle"
	"marketplace/catalog/published"
	"marketplace/functions/catalog/feed"
	"marketplace/shared/config"
	"marketplace/shared/current"
)

func main() {
	c, err := config.Load(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	feeds := current.New(current.Options[*feed.Feed]{
		BuiltIn: published.Bundle, URL: c.BundleURL, Now: time.Now, Log: logger,
		Make: func(b *bundle.Bundle) (*feed.Feed, error) {
			return feed.New(b, feed.Options{PackagesURL: c.PackagesURL, Metrics: os.Stdout, Now: time.Now, Log: logger}), nil
		},
	})
	lambda.Start(feed.Current(feeds.Get))
}
