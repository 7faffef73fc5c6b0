package site

import (
	"strings"
	"testing"

	"marketplace/shared/brand"
	"marketplace/shared/officehours"
)

func TestAnotherVendorsPagesNameTheirProduct(t *testing.T) {
	env := newTestEnv(t)
	env.brand = brand.Brand{Vendor: "Acme", Product: "Acme Scan", SupportURL: "https://help.acme.example"}
	env.open(officehours.Hours{})
	for _, target := range []string{
		"/", "/editions/community", "/editions/developer", "/editions/datacenter", "/terms", "/privacy", "/request",
		"/request/developer", "/request/community", "/licenses/check", "/nothing",
	} {
		page := env.get(target)
		if strings.Contains(page.Body, "SonarQube") || !strings.Contains(page.Body, "Acme Scan") {
			t.Errorf("%s names SonarQube, or not the product", target)
		}
		doc := page.Page()
		if got := doc.Find("footer p").Text(); got != "Acme Scan editions, packages and licenses from Acme." {
			t.Errorf("%s: got the footer %q", target, got)
		}
		if doc.Find("footer a[href='https://help.acme.example']").Length() != 1 {
			t.Errorf("%s does not link technical support", target)
		}
	}
}

func TestVendorsOwnTermsReplaceThePage(t *testing.T) {
	env := newTestEnv(t)
	if got := env.get("/editions/developer").Page().Find(".gate label a").AttrOr("href", ""); got != siteURL+"/terms" {
		t.Errorf("got the terms at %q, want the page", got)
	}
	env.brand = brand.Brand{TermsURL: "https://acme.example/terms"}
	env.open(officehours.Hours{})
	if got := env.get("/terms"); got.StatusCode != 302 || got.Header.Get("Location") != "https://acme.example/terms" {
		t.Errorf("got %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	doc := env.get("/editions/developer?serverId=AWHW8w9JtzBzSrmf9GQX").Page()
	for _, link := range []string{".gate label a", "footer a:contains('Terms')"} {
		if got := doc.Find(link).AttrOr("href", ""); got != "https://acme.example/terms" {
			t.Errorf("%s: got the terms at %q", link, got)
		}
	}
}
