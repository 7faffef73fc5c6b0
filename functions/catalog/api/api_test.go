package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"marketplace/catalog/bundle"
	"marketplace/functions/catalog/api"
	"marketplace/shared/brand"
	"marketplace/shared/web/webtest/httpscript"
)

const (
	available = "developer-edition-6.7.1.717.zip"
	withdrawn = "developer-edition-6.7.0.717.zip"
)

func document(path, query, text string) bundle.Document {
	tag := path + query
	return bundle.Document{
		Path: path, Query: query, ContentType: "application/json",
		Identity: bundle.Body{Bytes: []byte(text), ETag: `"` + tag + `"`},
		Gzip:     bundle.Body{Bytes: []byte("\x1f\x8bgzip of " + text), ETag: `"` + tag + `-gz"`},
		Brotli:   bundle.Body{Bytes: []byte("\x8bbrotli of " + text), ETag: `"` + tag + `-br"`},
	}
}

func testBundle() *bundle.Bundle {
	return &bundle.Bundle{
		SiteURL: "https://editions.example.com",
		Documents: []bundle.Document{
			document("/editions.json", "", `{"6.7": []}`),
			document("/packages.json", "", `{"newest": {}}`),
			document("/packages.json", "version=6.7", `{"6.7": {}}`),
			document("/packages.json", "version=6.7.1", `{"6.7.1": {}}`),
			document("/catalog.json", "", `{"schema": 1}`),
		},
		Packages: []bundle.Package{
			{File: available, Edition: "developer", Version: "6.7.1", Size: 11, SHA256: strings.Repeat("ab", 32)},
			{File: withdrawn, Edition: "developer", Version: "6.7", Size: 10, SHA256: strings.Repeat("cd", 32),
				Withdrawn: "It does not start <script>alert(1)</script> & so on."},
			{File: "enterprise-edition-6.7.1.717.zip", Edition: "enterprise", Version: "6.7.1"},
		},
	}
}

func newHandler(o api.Options) *api.Handler {
	o.PackagesURL = "https://cdn.example.com/p/"
	o.Log = slog.New(slog.DiscardHandler)
	return api.New(testBundle(), o)
}

// TestScripts runs the conversations in testdata. A script with files in packages/ has them served as the local server
// does. Whatever is asked, any site's script may read the response, none is a 401, and errors are cached for a minute
// at most.
func TestScripts(t *testing.T) {
	httpscript.Run(t, "testdata", func(env *testscript.Env) (http.Handler, error) {
		t := env.T().(testing.TB)
		var o api.Options
		if dir := filepath.Join(env.WorkDir, "packages"); exists(dir) {
			o.Dir = dir
		}
		h := newHandler(o)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			header, status := rec.Header(), rec.Code
			if header.Get("Access-Control-Allow-Origin") != "*" || status == http.StatusUnauthorized {
				t.Errorf("%s %s: got %d %v, want any origin and no 401", r.Method, r.URL, status, header)
			}
			cache := header.Get("Cache-Control")
			if status >= 400 && status != 416 && cache != "no-store" && cache != "public, max-age=60" {
				t.Errorf("%s %s: got Cache-Control %q for an error", r.Method, r.URL, cache)
			}
			maps.Copy(w.Header(), header)
			w.WriteHeader(status)
			w.Write(rec.Body.Bytes())
		}), nil
	})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// ask sends a request; headers are "Name: value".
func ask(h http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("boom") }

func TestDocumentsComeInThePreferredCoding(t *testing.T) {
	f := newHandler(api.Options{})
	for _, test := range []struct{ accept, coding string }{
		{"", ""}, {"br", "br"}, {"gzip", "gzip"}, {"gzip, deflate, br, zstd", "br"}, {"gzip, deflate", "gzip"}, {"identity", ""},
		{"deflate", ""}, {"br;q=0", ""}, {"br;q=0.5, gzip;q=0.8", "gzip"}, {"br;q=0.8, gzip;q=0.8", "br"}, {"gzip;q=0.001", "gzip"},
		{"identity;q=0.5, gzip;q=0.4", ""}, {"identity, gzip;q=0.9", ""}, {"identity;q=0", ""}, {"identity;q=0, gzip", "gzip"},
		{"*", "br"}, {"*;q=0", ""}, {"*;q=0, gzip;q=0.1", "gzip"}, {"br;q=0, *", "gzip"}, {"br;q=0, gzip;q=0, *;q=0.5", ""},
		{"x-gzip", "gzip"}, {"GZIP;Q=1.000", "gzip"}, {" gzip ; q=0.7 ,, ", "gzip"}, {"gzip;foo=bar;q=0", ""},
		{"gzip;q=1.1", ""}, {"gzip;q=1.001", ""}, {"gzip;q=-1", ""}, {"gzip;q=0.1234", ""}, {"gzip;q=", ""}, {"gzip;q=x", ""}, {"gzip;q=01", ""},
		{";;;,,,=", ""}, {"gzip br", ""}, {"\x00\xff", ""},
	} {
		var headers []string
		if test.accept != "" {
			headers = []string{"Accept-Encoding: " + test.accept}
		}
		resp := ask(f, "GET", "/editions.json", headers...)
		want := map[string]string{"": "", "br": "\x8bbrotli of ",
			"gzip": "\x1f\x8bgzip of "}[test.coding] + `{"6.7": []}`
		if got := resp.Header.Get("Content-Encoding"); got != test.coding || body(t, resp) != want ||
			resp.StatusCode != 200 {
			t.Errorf("Accept-Encoding %q: got %q with %d, want %q", test.accept, got, resp.StatusCode, test.coding)
		}
		if resp.Header.Get("Vary") != "Accept-Encoding" || resp.Header.Get("Content-Type") != "application/json" ||
			!strings.HasPrefix(resp.Header.Get("Cache-Control"),
				"public, max-age=300, stale-while-revalidate=86400, stale-if-error=") {
			t.Errorf("Accept-Encoding %q: got %v", test.accept, resp.Header)
		}
	}
	if resp := ask(f, "GET", "/editions.json", "Accept-Encoding: gzip",
		"Accept-Encoding: br"); resp.Header.Get("Content-Encoding") != "br" {
		t.Errorf("two fields: got %v, want br", resp.Header)
	}
}

func TestDownloadRedirectsAndIsCountedOnce(t *testing.T) {
	var lines writes
	f := newHandler(api.Options{Metrics: &lines, Stage: "production",
		Now: func() time.Time { return time.UnixMilli(1519637400123) }})
	for _, method := range []string{"HEAD", "GET"} {
		resp := ask(f, method, "/downloads/"+available)
		if resp.StatusCode != 302 || resp.Header.Get("Location") != "https://cdn.example.com/p/"+available ||
			resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %d %v", method, resp.StatusCode, resp.Header)
		}
	}
	ask(f, "GET", "/downloads/"+withdrawn)
	ask(f, "GET", "/editions.json")
	if len(lines) != 1 || !strings.HasSuffix(lines[0], "}\n") || strings.Count(lines[0], "\n") != 1 {
		t.Fatalf("metric lines: got %q", lines)
	}
	var m struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
		Stage, Edition, Version, File string
		Downloads                     int
	}
	d := json.NewDecoder(strings.NewReader(lines[0]))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || m.AWS.Timestamp != 1519637400123 || m.Downloads != 1 || m.File != available ||
		m.Stage != "production" || m.Edition != "developer" ||
		m.Version != "6.7.1" || len(m.AWS.CloudWatchMetrics) != 1 ||
		m.AWS.CloudWatchMetrics[0].Metrics[0].Name != "Downloads" ||
		!slices.Equal(m.AWS.CloudWatchMetrics[0].Dimensions[0], []string{"Stage", "Edition", "Version"}) {
		t.Errorf("%s: got %v", lines[0], err)
	}
}

type writes []string

func (w *writes) Write(p []byte) (int, error) { *w = append(*w, string(p)); return len(p), nil }

func TestDownloadsRedirectToTheSiteByDefault(t *testing.T) {
	resp := ask(api.New(testBundle(), api.Options{}), "GET", "/downloads/"+available)
	if got := resp.Header.Get("Location"); got != "https://editions.example.com/packages/"+available {
		t.Errorf("got Location %s", got)
	}
}

func TestHostilePackageNamesAreNotFound(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "secret.zip"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*api.Handler{newHandler(api.Options{}), newHandler(api.Options{Dir: dir})} {
		for _, name := range []string{"", "..", "../secret.zip", "..%2fsecret.zip", "%2e%2e/secret.zip",
			"a/../" + available, "./" + available,
			"%00", available + "%00", strings.ToUpper(available), available + "/", "%2f" + available, strings.Repeat("a", 9000), "%3Cscript%3E", "%FF"} {
			resp := ask(f, "GET", "/downloads/"+name)
			b := body(t, resp)
			if resp.StatusCode != 404 || strings.Contains(b, "<script") || strings.Contains(b, "secret") ||
				len(b) > 2000 {
				t.Errorf("%.40s: got %d %.200s, want 404", name, resp.StatusCode, b)
			}
		}
	}
}

func TestErrorPageShowsTheVendorsLook(t *testing.T) {
	page := body(t, ask(newHandler(api.Options{}), "GET", "/downloads/nothing.zip"))
	if !strings.Contains(page, "<p>SonarQube editions, packages and licenses.</p>") ||
		strings.Contains(page, "brand.") {
		t.Errorf("got another look than the built-in one: %s", page)
	}
	page = body(t, ask(newHandler(api.Options{Brand: brand.Brand{
		Vendor: "Acme & Sons", Product: "Acme Scan", Color: brand.Color{R: 0x7a, G: 0x1f, B: 0x5c},
	}}), "GET", "/downloads/nothing.zip"))
	if !strings.Contains(page, "<p>Acme Scan editions, packages and licenses from Acme &amp; Sons.</p>") ||
		!strings.Contains(page, `href="/static/brand.page.css"`) || strings.Contains(page, "SonarQube") {
		t.Errorf("got another look than the vendor's: %s", page)
	}
}

func TestPanicIsLoggedAndAnsweredWithoutItsCause(t *testing.T) {
	var log bytes.Buffer
	f := api.New(testBundle(), api.Options{Metrics: panicking{}, Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(&log, nil))})
	resp := ask(f, "GET", "/downloads/"+available)
	if resp.StatusCode != 500 || resp.Header.Get("Location") != "" ||
		resp.Header.Get("Access-Control-Allow-Origin") != "*" ||
		resp.Header.Get("Cache-Control") != "no-store" || !strings.Contains(log.String(), "boom") {
		t.Errorf("got %d %v, log %s", resp.StatusCode, resp.Header, log.String())
	}
	if text := body(t, resp); strings.Contains(text, "boom") {
		t.Errorf("the response shows the cause: %s", text)
	}
}

func TestPatternsAreMuxPatterns(t *testing.T) {
	mux := http.NewServeMux()
	f := newHandler(api.Options{})
	for _, p := range api.Patterns() {
		mux.Handle(p, f)
	}
	for _, target := range []string{"/editions.json", "/packages.json?version=6.7", "/catalog.json",
		"/downloads/" + available} {
		if resp := ask(mux, "GET", target); resp.StatusCode >= 400 {
			t.Errorf("%s: got %d", target, resp.StatusCode)
		}
	}
}
