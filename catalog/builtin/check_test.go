package builtin

import (
	"strings"
	"testing"

	"marketplace/catalog/bundle"
)

func TestProgramRefusesAnotherSite(t *testing.T) {
	const site, other = "https://licenses.example.com", "https://old.example.com"
	for _, tt := range []struct {
		built, site string
		ok          bool
	}{{site, site, true}, {other, site, false}, {site, "", false}, {"http://localhost:8080", site, true}} {
		err := check(&bundle.Bundle{SiteURL: tt.built}, tt.site)
		if (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), "built for the site "+tt.built) {
			t.Errorf("built for %s, deployed as %q: got %v", tt.built, tt.site, err)
		}
	}
	if err := Check(site); err != nil {
		t.Errorf("the committed bundle: %v", err)
	}
}
