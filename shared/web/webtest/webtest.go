// Package webtest holds what the tests of every site need.
package webtest

import (
	"io/fs"
	"testing"

	"github.com/jba/templatecheck"

	"marketplace/shared/web"
)

// CheckPages checks every page of a site against the type of what it shows: each field, method and function that a template
// names exists, in every branch. data has a value of that type for each file but site.html; nil for a page that shows
// nothing.
func CheckPages(t *testing.T, files fs.FS, data map[string]any) {
	t.Helper()
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		t.Fatal(err)
	}
	pages := web.NewPages(files)
	for _, name := range names {
		if name == "site.html" {
			continue
		}
		value, ok := data[name]
		if !ok {
			t.Errorf("page %s: what does it show?", name)
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
