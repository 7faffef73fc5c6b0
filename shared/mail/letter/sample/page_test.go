package sample_test

import (
	"testing"
	"testing/fstest"

	"marketplace/shared/mail/letter/sample"
	"marketplace/shared/web"
	"marketplace/shared/web/webtest"
)

func TestPageMatchesItsData(t *testing.T) {
	site := fstest.MapFS{
		"templates/site.html": {Data: []byte(`{{define "header"}}{{end}}{{define "footer"}}{{end}}`)},
	}
	webtest.CheckPages(t, web.Layers{sample.Templates, site}, map[string]any{"letter.html": sample.Page{}})
}
