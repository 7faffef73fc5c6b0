package catalog

import (
	"fmt"

	"marketplace/catalog/bundle"
)

// FromBundle reads the catalog that a prepared bundle carries, for the functions that have pages. The catalog function
// hands the bundle's bytes out as they are, and does without.
func FromBundle(b *bundle.Bundle) (*Catalog, error) {
	d, ok := b.Document(bundle.CatalogPath, "")
	if !ok {
		return nil, fmt.Errorf("catalog: the bundle has no %s", bundle.CatalogPath)
	}
	return Decode(d.Identity.Bytes)
}
