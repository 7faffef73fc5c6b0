package site

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"marketplace/catalog/bundle"
	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
	"marketplace/shared/fault"
	"marketplace/shared/web/webtest"
)

// drafting is a console with a catalog that is to be published, in which the developer edition has another name.
func drafting(t *testing.T, siteURL string) *testEnv {
	t.Helper()
	c, err := data.Catalog(siteURL)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Editions {
		if c.Editions[i].Key == "developer" {
			c.Editions[i].Name = "Team Edition"
		}
	}
	b, err := prepare.Bundle(c)
	if err != nil {
		t.Fatal(err)
	}
	return newTestEnv(t, func(o *Options) {
		o.Preview = func(context.Context) (*bundle.Bundle, error) { return b, nil }
	})
}

func TestOnlyAdminsPreviewACatalog(t *testing.T) {
	w := drafting(t, siteURL)
	for who, want := range map[string]int{
		"": http.StatusSeeOther, vera: http.StatusForbidden, sam: http.StatusForbidden, ada: http.StatusOK,
	} {
		if got := w.get(who, "/console/marketplace").StatusCode; got != want {
			t.Errorf("%q: got %d, want %d", who, got, want)
		}
	}
}

func TestCatalogIsShownBeforeItIsPublished(t *testing.T) {
	w := drafting(t, siteURL)
	doc := w.get(ada, "/console/marketplace?version=6.7.1&edition=enterprise").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	if got := webtest.Text(doc.Find("[data-edition=developer] h3")); got != "Team Edition" {
		t.Errorf("got %q, want the name in the catalog that is to be published", got)
	}
	rows := doc.Find("#changes tbody tr")
	change := "name is “Team Edition”, was “Developer Edition”"
	if rows.Length() != 1 || !strings.Contains(webtest.Text(rows), change) {
		t.Errorf("got the differences %q", webtest.Text(rows))
	}
	to := doc.Find(".tabs a:not([aria-current])").AttrOr("href", "")
	published := w.get(ada, to).WantStatus(200).Page()
	if got := webtest.Text(published.Find("[data-edition=developer] h3")); got != "Developer Edition" {
		t.Errorf("%s: got %q, want the published name", to, got)
	}
	if published.Find("[data-edition=enterprise] .badge").Length() != 1 {
		t.Errorf("%s forgets the server", to)
	}
	button := published.Find("[data-edition=datacenter] a.button").AttrOr("href", "")
	if dialog := w.get(ada, button).WantStatus(200).Page(); dialog.Find("#dialog").Length() != 1 ||
		webtest.Text(dialog.Find(".tabs [aria-current]")) != "Published" {
		t.Errorf("%s forgets which catalog is shown", button)
	}
}

func TestSameCatalogAndOtherSiteAreSaid(t *testing.T) {
	c, err := sampleCatalog()
	if err != nil {
		t.Fatal(err)
	}
	b, err := prepare.Bundle(c)
	if err != nil {
		t.Fatal(err)
	}
	same := newTestEnv(t, func(o *Options) {
		o.Preview = func(context.Context) (*bundle.Bundle, error) { return b, nil }
	})
	if same.get(ada, "/console/marketplace").WantStatus(200).Page().Find("#same").Length() != 1 {
		t.Error("the page does not say that nothing changes")
	}
	doc := drafting(t, "https://staging.vendor.example").get(ada, "/console/marketplace").WantStatus(200).Page()
	if got := webtest.Text(doc.Find("#other-site")); !strings.Contains(got, "https://staging.vendor.example") {
		t.Errorf("got %q", got)
	}
}

func TestWithoutAPreviewThePublishedCatalogIsShown(t *testing.T) {
	for name, preview := range map[string]func(context.Context) (*bundle.Bundle, error){
		"none configured": nil,
		"none stored": func(context.Context) (*bundle.Bundle, error) {
			return nil, fault.New(fault.NotFound, "There is no catalog to preview.")
		},
	} {
		w := newTestEnv(t, func(o *Options) { o.Preview = preview })
		doc := w.get(ada, "/console/marketplace").WantStatus(200).Page()
		if doc.Find(".box").Length() != 4 || doc.Find("#no-draft").Length() != 1 || doc.Find(".tabs").Length() != 0 {
			t.Errorf("%s: got %q", name, webtest.Text(doc.Find("main")))
		}
	}
	broken := newTestEnv(t, func(o *Options) {
		o.Preview = func(context.Context) (*bundle.Bundle, error) { return bundle.Decode([]byte("no bundle")) }
	})
	broken.get(ada, "/console/marketplace").WantStatus(500)
}
