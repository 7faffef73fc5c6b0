// Package builtin is the bundle that is built into the functions. The committed one is made from catalog/data for a
// site on the local machine; the build of a deployment replaces it (go build -overlay, see the Makefile).
// shared/livecatalog gets what is published after the build.
package builtin

import (
	_ "embed"
	"fmt"
	"strings"

	"marketplace/catalog/bundle"
)

//go:generate go run ../../infra/ops bundle -metadata ../data -site-url http://localhost:8080 -build 1042 -sample-jars -out bundle.bin

//go:embed bundle.bin
var file []byte

// Bundle opens the bundle, in microseconds.
func Bundle() (*bundle.Bundle, error) { return bundle.Decode(file) }

// Check refuses a site other than the one that the program was built for, since the catalog's links would lead
// customers to that one. The committed bundle, which is for the local machine, goes with any site.
func Check(site string) error {
	b, err := Bundle()
	if err != nil {
		return err
	}
	return check(b, site)
}

func check(b *bundle.Bundle, site string) error {
	if b.SiteURL == site || !strings.HasPrefix(b.SiteURL, "https://") {
		return nil
	}
	return fmt.Errorf("builtin: the program was built for the site %s, but SITE_URL is %s: build it with that "+
		"SITE_URL, or deploy it with that SiteUrl", b.SiteURL, site)
}
