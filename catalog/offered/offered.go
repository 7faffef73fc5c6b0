// Package offered is the catalog as the functions with pages know it: what the prepared bundle says, read as data. The catalog
// function hands the bundle's bytes out as they are, and does without.
package offered

import (
	"errors"
	"sync"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
)

// FromBundle gives the catalog in a prepared bundle, which is opened and read when it is first asked for.
func FromBundle(open func() (*bundle.Bundle, error)) func() (*catalog.Catalog, error) {
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
		return nil, errors.New("offered: the bundle has no /catalog.json")
	})
}
