package runtimeapi_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/catalog"
	"marketplace/catalog/builtin"
	"marketplace/catalog/bundle"
	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
	"marketplace/infra/runtimeapi"
)

// newer returns a bundle of the sample metadata plus version 7.2, for the site of the built-in bundle, whose packages
// it keeps.
func newer(t *testing.T) *bundle.Bundle {
	t.Helper()
	names, err := fs.Glob(data.Files, "*.properties")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range names {
		text, err := data.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	versions := files["update-center-source.properties"]
	text := strings.Replace(string(versions.Data), "7.0,7.1\n", "7.0,7.1,7.2\n", 1)
	versions.Data = []byte(text + "\n7.2.description=New\n7.2.date=2018-06-18\n7.2.downloadUrl=https://downloads.example.com/7.2.zip\n7.2.changelogUrl=https://www.example.com/7.2\n")
	metadata, err := catalog.Read(files, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	before, err := builtin.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	c, err := metadata.Catalog(catalog.Options{SiteURL: before.SiteURL, Build: "2042"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := prepare.Bundle(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prepare.Keep(b, before); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPublishedCatalogIsServedByCompiledFunctions publishes a catalog other than the built-in one.
func TestPublishedCatalogIsServedByCompiledFunctions(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: compiles functions")
	}
	b := newer(t)
	file := b.Encode()
	var asked atomic.Int64
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1); r.URL.Path != "/catalog/bundle.bin" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", `"newer"`)
		w.Write(file)
	}))
	defer cdn.Close()
	there, nowhere := "BUNDLE_URL="+cdn.URL+"/catalog/bundle.bin", "BUNDLE_URL="+cdn.URL+"/nothing"

	// answering starts a function and sends it a first request. The function waits a second for the CDN; if that is too
	// short on a busy machine, answering tries another one.
	answering := func(name, path string, env []string) (*runtimeapi.Function, *http.Response) {
		for range 10 {
			asked.Store(0)
			f := launch(t, name, env)
			if asked.Load() != 0 {
				t.Errorf("%s: asked the CDN before its first request", name)
			}
			if first := send(t, f, "GET", path); !strings.Contains(f.Stdout(), "deadline exceeded") {
				return f, first
			}
		}
		t.Fatalf("%s: never got the published catalog in time", name)
		return nil, nil
	}

	f, _ := answering("catalog", "/editions.json", []string{"PACKAGES_URL=https://cdn.example.com/packages", there})
	for range 2 {
		for _, d := range b.Documents {
			resp := send(t, f, "GET", d.Path+"?"+d.Query, "Accept-Encoding: br")
			if resp.StatusCode != 200 || resp.Header.Get("ETag") != d.Brotli.ETag ||
				string(decompress(t, resp)) != string(d.Identity.Bytes) {
				t.Errorf("%s?%s: %d %v, not the published one", d.Path, d.Query, resp.StatusCode, resp.Header)
			}
		}
	}
	for _, p := range []string{"developer-edition-7.2.0.2042.zip", "developer-edition-7.1.0." + data.Build + ".zip"} {
		if resp := send(t, f, "GET", "/downloads/"+p); resp.StatusCode != 302 || resp.Header.Get("Location") != "https://cdn.example.com/packages/"+p {
			t.Errorf("%s: %d %v", p, resp.StatusCode, resp.Header)
		}
	}
	if asked.Load() != 1 || strings.Count(f.Stdout(), `"msg":"published catalog taken"`) != 1 {
		t.Errorf("looked %d times, and logged\n%s", asked.Load(), f.Stdout())
	}

	site := []string{
		"TABLE_NAME=none", "SITE_URL=http://localhost:8080", "SALES_EMAIL=sales@vendor.example",
		"PACKAGES_URL=https://cdn.example.com/packages",
	}
	for _, test := range []struct{ bundle, shown, other string }{
		{there, "developer-edition-7.2.0.2042.zip", data.Build},
		{nowhere, "developer-edition-7.1.0." + data.Build + ".zip", "2042"},
	} {
		_, first := answering("requests", "/editions/developer", append(site, test.bundle))
		page, err := goquery.NewDocumentFromReader(first.Body)
		if err != nil {
			t.Fatal(err)
		}
		if page.Find("a.download[href$='/downloads/"+test.shown+"']").Length() != 1 ||
			page.Find("a.download[href$='."+test.other+".zip']").Length() != 0 {
			t.Errorf("%s: the page does not show %s, or shows build %s", test.bundle, test.shown, test.other)
		}
	}
}
