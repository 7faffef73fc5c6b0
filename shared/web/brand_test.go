package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/brand"
)

// branded serves a page of a vendor, and the static files.
func branded(t *testing.T, look brand.Brand) (site http.Handler, page *goquery.Document, policy string) {
	t.Helper()
	files := fstest.MapFS{
		"templates/site.html": {Data: []byte(`{{define "header"}}{{template "mark"}}{{end}}
{{define "footer"}}{{template "support-link" brand}}{{end}}`)},
		"templates/page.html": {Data: []byte(`{{define "main"}}<p>{{brand.Product}} by {{brand.Vendor}}</p>{{end}}`)},
	}
	pages := NewPages(files, look)
	site = New(Options{
		Routes: routesTo(func(w http.ResponseWriter, _ *http.Request) error {
			return pages.Render(w, http.StatusOK, "page.html", View{Title: "Page", Script: "timezone.js"})
		}, "GET /page"),
		Pages: pages, Log: slog.New(slog.DiscardHandler),
	})
	rec := httptest.NewRecorder()
	site.ServeHTTP(rec, httptest.NewRequest("GET", "/page", nil))
	doc, err := goquery.NewDocumentFromReader(rec.Body)
	if err != nil || rec.Code != http.StatusOK {
		t.Fatalf("got %d, %v", rec.Code, err)
	}
	return site, doc, rec.Header().Get("Content-Security-Policy")
}

func TestPageShowsTheVendorsLook(t *testing.T) {
	site, page, policy := branded(t, brand.Brand{
		Vendor: "Acme & Sons", Product: "Acme Scan", LogoURL: "https://cdn.acme.example/logo.svg",
		Color: brand.Color{R: 0x7a, G: 0x1f, B: 0x5c}, SupportEmail: "help@acme.example",
	})
	if got := page.Find("main p").Text(); got != "Acme Scan by Acme & Sons" {
		t.Errorf("got the text %q", got)
	}
	logo := page.Find("img.logo")
	if logo.AttrOr("src", "") != "https://cdn.acme.example/logo.svg" || logo.AttrOr("alt", "") != "Acme & Sons" {
		t.Errorf("got the logo %v", logo.Nodes)
	}
	if !strings.Contains(policy, "img-src 'self' https://cdn.acme.example data:;") ||
		!strings.HasPrefix(policy, "default-src 'none'; ") || !strings.Contains(policy, "; script-src 'self'") {
		t.Errorf("got the policy %q, want the usual one with the logo's origin and scripts", policy)
	}
	if to := page.Find("body > a[href^='mailto:']").AttrOr("href", ""); to != "mailto:help@acme.example" {
		t.Errorf("got the support address %q", to)
	}
	sheets := page.Find("link[rel=stylesheet]").Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("href", "")
	})
	if len(sheets) != 2 || !strings.HasPrefix(sheets[0], "/static/site.") {
		t.Fatalf("got the style sheets %q, want the brand's after the site's", sheets)
	}
	for address, want := range map[string]string{
		sheets[1]: "--fill: #7a1f5c", page.Find("link[rel=icon]").AttrOr("href", ""): `fill="#7a1f5c"`,
		"/favicon.ico": `fill="#7a1f5c"`, "/static/brand.page.css": "--fill: #7a1f5c",
	} {
		rec := httptest.NewRecorder()
		site.ServeHTTP(rec, httptest.NewRequest("GET", address, nil))
		if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: got %d %.200s, want it to contain %s", address, rec.Code, rec.Body, want)
		}
	}
}

func TestPageIsTheBuiltInOneWithoutAVendor(t *testing.T) {
	site, page, policy := branded(t, brand.Brand{})
	if got := page.Find("main p").Text(); got != "SonarQube by " {
		t.Errorf("got the text %q", got)
	}
	if page.Find("svg .mark").Length() != 1 || page.Find("img").Length() != 0 || page.Find("body > a").Length() != 1 {
		t.Error("got a logo or a support address that nobody configured")
	}
	if page.Find("link[rel=stylesheet]").Length() != 1 || !strings.Contains(policy, "img-src 'self' data:;") {
		t.Errorf("got a style sheet of a vendor, or the policy %q", policy)
	}
	rec := httptest.NewRecorder()
	site.ServeHTTP(rec, httptest.NewRequest("GET", "/static/brand.page.css", nil))
	if rec.Code != http.StatusNotFound {
		t.Errorf("got %d for the colors of no vendor, want 404", rec.Code)
	}
}
