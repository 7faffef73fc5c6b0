package preview_test

import (
	"testing"
	"testing/fstest"

	"marketplace/shared/marketplace/preview"
	"marketplace/shared/web"
	"marketplace/shared/web/webtest"
)

func TestPageMatchesItsData(t *testing.T) {
	site := fstest.MapFS{
		"templates/site.html": {Data: []byte(`{{define "header"}}{{end}}{{define "footer"}}{{end}}`)},
	}
	webtest.CheckPages(t, web.Layers{preview.Templates, site}, map[string]any{"marketplace.html": preview.View{}})
}
