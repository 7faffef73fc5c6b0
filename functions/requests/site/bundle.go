package site

import (
	"errors"
	"sync"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
)

// BundleCatalog is a source for Options.Catalog: the catalog in a prepared bundle, read when it is first asked for.
func BundleCatalog(open func() (*bundle.Bundle, error)) func() (*catalog.Catalog, error) {
	return sync.OnceValues(func() (*catalog.Catalog, error) {
		b, err := open()
		if err != nil {
			return nil, err
		}
		for _, d := range b.Documents {
			if d.Path == "/catalog.json" && d.Query == "" {
				return catalog.Decode(d.Identity.Bytes)
			}
		}
		return nil, errors.New("site: the bundle has no /catalog.json")
	})
}
