// Package data is the sample release metadata: the files of this folder, in the vendor's format (package catalog), for product
// versions 6.7 to 7.1. The versions, ranges, jar names and dates are real; the sentences are this project's.
package data

import "embed"

// Files are the metadata, for catalog.Read.
//
//go:embed *.properties
var Files embed.FS

// Build is the build number of the sample packages.
const Build = "1042"
