package prepare_test

import (
	"errors"
	"strings"
	"testing"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
	"marketplace/catalog/prepare"
)

// published is a bundle with the editions of each version.
func published(t *testing.T, editions map[string][]string) *bundle.Bundle {
	t.Helper()
	c := &catalog.Catalog{Format: catalog.Format}
	for _, v := range []string{"6.7", "7.0"} {
		if len(editions[v]) > 0 {
			c.Versions = append(c.Versions, catalog.ProductVersion{Version: v, Editions: editions[v]})
		}
	}
	return &bundle.Bundle{
		Documents: []bundle.Document{{Path: bundle.CatalogPath, Identity: bundle.Body{Bytes: c.JSON()}}},
	}
}

func TestEditionThatWouldDisappearIsRefused(t *testing.T) {
	before := published(t, map[string][]string{"6.7": {"community", "developer"}, "7.0": {"community"}})
	for _, test := range []struct {
		name string
		now  map[string][]string
		want string
	}{
		{"same", map[string][]string{"6.7": {"community", "developer"}, "7.0": {"community"}}, ""},
		{"more", map[string][]string{"6.7": {"community", "developer", "enterprise"}, "7.0": {"community", "developer"}}, ""},
		{"one edition", map[string][]string{"6.7": {"community"}, "7.0": {"community"}}, "version 6.7 would lose the developer edition"},
		{"a version", map[string][]string{"6.7": {"community", "developer"}}, "version 7.0 would lose the community edition"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := prepare.CheckRemoval(published(t, test.now), before)
			if (err == nil) != (test.want == "") ||
				err != nil && (!errors.Is(err, prepare.ErrRemoval) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
