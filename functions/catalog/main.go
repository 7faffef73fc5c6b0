// Command catalog is the Lambda function that hands out the prepared catalog and the links to the packages.
//
// Environment: PACKAGES_URL is the folder of the packages on the CDN, SITE_URL's /packages when it is not set. What the
// catalog says is in the binary (catalog/published).
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"marketplace/catalog/published"
	"marketplace/functions/catalog/feed"
)

func main() {
	b, err := published.Bundle()
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(feed.New(b, feed.Options{
		PackagesURL: os.Getenv("PACKAGES_URL"),
		Metrics:     os.Stdout,
		Now:         time.Now,
	}))
}
