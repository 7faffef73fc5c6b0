package catalog_test

import (
	"testing"

	"marketplace/catalog"
	"marketplace/catalog/builtin"
	"marketplace/catalog/bundle"
)

func TestBuiltInBundleHasTheCatalog(t *testing.T) {
	b, err := builtin.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.FromBundle(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Edition("developer"); !ok {
		t.Error("no developer edition")
	}
}

func TestBundleWithoutACatalogIsRefused(t *testing.T) {
	if _, err := catalog.FromBundle(&bundle.Bundle{}); err == nil {
		t.Error("an empty bundle has a catalog")
	}
	for _, text := range []string{"", "{", `{"format":1}`, `{"format":2,"versions":[{"version":"6.7"}]}`} {
		b := &bundle.Bundle{Documents: []bundle.Document{{Path: bundle.CatalogPath,
			Identity: bundle.Body{Bytes: []byte(text)}}}}
		if _, err := catalog.FromBundle(b); err == nil {
			t.Errorf("%q is a catalog", text)
		}
	}
}
