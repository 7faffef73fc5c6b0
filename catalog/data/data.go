// Package data is the sample release metadata: the files of this folder, in the vendor's format (package catalog), for
// product versions 6.7 to 7.1. The versions, ranges, jar names and dates are real; the sentences are this project's.
package data

import (
	"embed"
	"time"

	"marketplace/catalog"
)

// Files is the metadata, for catalog.Read.
//
//go:embed *.properties
var Files embed.FS

// Build is the build number of the sample packages.
const Build = "1042"

// gathered is when the metadata was put together.
var gathered = time.Date(2018, time.June, 30, 0, 0, 0, 0, time.UTC)

// Catalog makes the catalog of the sample metadata for the site at siteURL.
func Catalog(siteURL string) (*catalog.Catalog, error) {
	metadata, err := catalog.Read(Files, gathered)
	if err != nil {
		return nil, err
	}
	return metadata.Catalog(catalog.Options{SiteURL: siteURL, Build: Build})
}
