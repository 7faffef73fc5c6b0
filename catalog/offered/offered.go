// Package offered is the catalog as the functions with pages know it: what the prepared bundle says, read as data. The catalog
// function hands the bundle's bytes out as they are, and does without.
package offered

import (
	"fmt"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
)

// Read gives the catalog that a bundle says.
func Read(b *bundle.Bundle) (*catalog.Catalog, error) {
	d, ok := b.Document(bundle.CatalogPath, "")
	if !ok {
		return nil, fmt.Errorf("offered: the bundle has no %s", bundle.CatalogPath)
	}
	return catalog.Decode(d.Identity.Bytes)
}
