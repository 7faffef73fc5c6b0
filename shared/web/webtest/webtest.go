// Package webtest helps to test sites: a client without a network, and checks that apply to every page.
package webtest

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/jba/templatecheck"

	"marketplace/shared/brand"
	"marketplace/shared/web"
)

// ForeignScript selects scripts other than the site's own files, none of which a page may have.
const ForeignScript = `script:not([src^="/static/"]), script[src]:not(:empty)`

// CheckPages checks every page in the folder "templates" of files against the type of what it shows: each field, method
// and function that a template names exists, in every branch. data has a value of that type for each file but
// site.html, nil for a page that shows nothing.
func CheckPages(t *testing.T, files fs.FS, data map[string]any) {
	t.Helper()
	paths, err := fs.Glob(files, "templates/*.html")
	if err != nil || len(paths) == 0 {
		t.Fatalf("got %d templates, %v", len(paths), err)
	}
	pages := web.NewPages(files, brand.Brand{})
	for _, file := range paths {
		name := path.Base(file)
		if name == "site.html" {
			continue
		}
		value, ok := data[name]
		if !ok {
			t.Errorf("page %s: give a value of its data", name)
			continue
		}
		page, err := pages.Template(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if value == nil {
			value = struct{}{}
		}
		if err := templatecheck.CheckHTML(page.Lookup("main"), value); err != nil {
			t.Errorf("page %s: %v", name, err)
		}
		around, err := page.Clone()
		if err == nil {
			_, err = around.New("main").Parse("<p></p>")
		}
		if err == nil {
			err = templatecheck.CheckHTML(around.Lookup("layout.html"), web.View{})
		}
		if err != nil {
			t.Errorf("around page %s: %v", name, err)
		}
	}
}

// CheckPage checks the rules for every page: one heading and a title, unique IDs, references to IDs that exist, a label
// for each field, and no inline code, which the Content-Security-Policy forbids.
func CheckPage(t *testing.T, doc *goquery.Document) {
	t.Helper()
	if n := doc.Find("h1").Length(); n != 1 {
		t.Errorf("got %d h1, want 1", n)
	}
	title := strings.TrimSpace(doc.Find("title").Text())
	if title == "" || doc.Find("html[lang]").Length() != 1 || doc.Find("main#main").Length() != 1 {
		t.Error("title, lang or main is missing")
	}
	ids := make(map[string]bool)
	doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		if id := s.AttrOr("id", ""); ids[id] {
			t.Errorf("the ID %q is not unique", id)
		} else {
			ids[id] = true
		}
	})
	doc.Find("a[href^='#'], label[for], [aria-describedby], [aria-labelledby]").Each(func(_ int, s *goquery.Selection) {
		refs := s.AttrOr("for", "") + " " + s.AttrOr("aria-describedby", "") + " " + s.AttrOr("aria-labelledby", "")
		if id, ok := strings.CutPrefix(s.AttrOr("href", ""), "#"); ok {
			refs += " " + id
		}
		for _, id := range strings.Fields(refs) {
			if !ids[id] {
				t.Errorf("no element has the ID %q", id)
			}
		}
	})
	doc.Find("input:not([type=hidden]), textarea, select").Each(func(_ int, s *goquery.Selection) {
		if doc.Find("label[for='"+s.AttrOr("id", "")+"']").Length() != 1 {
			t.Errorf("field %q has no label", s.AttrOr("name", ""))
		}
	})
	if doc.Find(ForeignScript+", style, [style], [onclick]").Length() > 0 {
		t.Error("got inline code, which the Content-Security-Policy forbids")
	}
}
