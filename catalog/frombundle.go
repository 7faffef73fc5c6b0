package catalog

import (
	"fmt"

	"marketplace/catalog/bundle"
)

// FromBundle reads the catalog in a prepared bundle, for the functions with pages. The catalog function serves the
// bundle's bytes as they are and does not need it.
func FromBundle(b *bundle.Bundle) (*Catalog, error) {
	d, ok := b.Document(bundle.CatalogPath, "")
	if !ok {
		return nil, fmt.Errorf("catalog: the bundle has no %s", bundle.CatalogPath)
	}
	return Decode(d.Identity.Bytes)
}
