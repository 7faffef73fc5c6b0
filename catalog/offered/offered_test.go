package offered_test

import (
	"testing"

	"marketplace/catalog/bundle"
	"marketplace/catalog/offered"
	"marketplace/catalog/published"
)

func TestBuiltInBundleHasTheCatalog(t *testing.T) {
	b, err := published.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	c, err := offered.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Edition("developer"); !ok {
		t.Error("no developer edition")
	}
}

func TestBundleWithoutACatalogIsRefused(t *testing.T) {
	if _, err := offered.Read(&bundle.Bundle{}); err == nil {
		t.Error("an empty bundle has a catalog")
	}
	for _, text := range []string{"", "{", `{"format":1}`, `{"format":2,"versions":[{"version":"6.7"}]}`} {
		b := &bundle.Bundle{Documents: []bundle.Document{{Path: bundle.CatalogPath, Identity: bundle.Body{Bytes: []byte(text)}}}}
		if _, err := offered.Read(b); err == nil {
			t.Errorf("%q is a catalog", text)
		}
	}
}
