package web

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/brand"
	"marketplace/shared/fault"
)

func TestChosenOptionIsMarkedInEachKindOfField(t *testing.T) {
	pages := NewPages(fstest.MapFS{
		"templates/site.html": {Data: []byte(`{{define "header"}}{{end}}{{define "footer"}}{{end}}`)},
		"templates/page.html": {Data: []byte(`{{define "main"}}{{range .}}{{template "field" .}}{{end}}{{end}}`)},
	}, brand.Brand{})
	options := []Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B", Ticked: true},
		{Value: "c", Label: "C", Ticked: true}}
	rec := httptest.NewRecorder()
	err := pages.Render(rec, 200, "page.html", View{Data: []Field{
		{Name: "one", Type: "radio", Value: "b", Options: options}, {Name: "two", Type: "select", Value: "c", Options: options},
		{Name: "many", Type: "boxes", Options: options, Error: "No."},
	}})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(rec.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	for selector, want := range map[string][]string{
		`input[type=radio][name=one][checked]`:                          {"b"},
		`select#two option[selected]`:                                   {"c"},
		`input[type=checkbox][name=many][checked][aria-invalid="true"]`: {"b", "c"},
	} {
		got := doc.Find(selector).Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("value", "") })
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", selector, got, want)
		}
	}
	if id := (Field{Name: "many", Type: "boxes", Options: options}).Target(); doc.Find("#"+id).Length() != 1 {
		t.Errorf("nothing has the id %s", id)
	}
}

func TestErrorsAreShownAtTheirFields(t *testing.T) {
	name, email := Field{Name: "name"}, Field{Name: "email"}
	nothing, some := Field{Name: "extra", Type: "boxes"}, Field{Name: "many", Type: "boxes",
		Options: []Option{{Value: "a"}}}
	m := Mark([]fault.Field{
		{Name: "many", Msg: "too many"}, {Name: "hidden", Msg: "not on the page"}, {Name: "extra", Msg: "nothing to tick"}, {Name: "name", Msg: "too long"},
	}, &name, &email, &nothing, &some)
	if name.Error != "too long" || email.Error != "" || nothing.Error != "" || some.Error != "too many" {
		t.Errorf("fields %q, %q, %q, %q", name.Error, email.Error, nothing.Error, some.Error)
	}
	if len(m.Errors) != 2 || m.Errors[0].Name != "name" || m.Errors[1].Name != "many" ||
		m.Errors[1].Error != "too many" {
		t.Errorf("errors in the order of the page: got %+v", m.Errors)
	}
	if !slices.Equal(m.Stray, []string{"not on the page", "nothing to tick"}) {
		t.Errorf("stray %q", m.Stray)
	}
}
