package offered

import (
	"testing"

	"marketplace/catalog/bundle"
	"marketplace/catalog/published"
)

func TestPublishedBundleHasTheCatalog(t *testing.T) {
	opened := 0
	source := FromBundle(func() (*bundle.Bundle, error) { opened++; return published.Bundle() })
	if opened != 0 {
		t.Error("the bundle is opened before anybody asks")
	}
	for range 2 {
		c, err := source()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Edition("developer"); !ok {
			t.Error("no developer edition")
		}
	}
	if opened != 1 {
		t.Errorf("opened %d times", opened)
	}
	if _, err := FromBundle(func() (*bundle.Bundle, error) { return &bundle.Bundle{}, nil })(); err == nil {
		t.Error("an empty bundle has a catalog")
	}
}
