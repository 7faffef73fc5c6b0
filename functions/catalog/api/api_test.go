package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/catalog/bundle"
	"marketplace/functions/catalog/api"
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
			{File: available, Edition: "developer", Version: "6.7.1", Size: 10, SHA256: strings.Repeat("ab", 32)},
			{File: withdrawn, Edition: "developer", Version: "6.7", Size: 10, SHA256: strings.Repeat("cd", 32),
				Withdrawn: "It does not start <script>alert(1)</script> & so on."},
			{File: "enterprise-edition-6.7.1.717.zip", Edition: "enterprise", Version: "6.7.1"},
		},
	}
}

func newFeed(o api.Options) *api.Handler {
	o.PackagesURL = "https://cdn.example.com/p/"
	o.Log = slog.New(slog.DiscardHandler)
	return api.New(testBundle(), o)
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

func TestEveryAnswerAllowsEveryOriginAndNoneIs401(t *testing.T) {
	dir := t.TempDir()
	broken := newFeed(api.Options{Metrics: panicking{}, Now: time.Now})
	lambda, local := newFeed(api.Options{}), newFeed(api.Options{Dir: dir})
	for _, test := range []struct {
		handler        http.Handler
		method, target string
		headers        []string
		status         int
	}{
		{lambda, "GET", "/editions.json", nil, 200},
		{lambda, "HEAD", "/editions.json", nil, 200},
		{lambda, "GET", "/editions.json", []string{"Origin: null", "Authorization: Basic eDp5", "Cookie: a=b"}, 200},
		{lambda, "GET", "/editions.json", []string{"If-None-Match: *"}, 304},
		{lambda, "GET", "/packages.json?version=6.7", nil, 200},
		{lambda, "GET", "/packages.json?version=5.6", nil, 404},
		{lambda, "GET", "/packages.json?version=%zz", nil, 400},
		{lambda, "GET", "/nothing", nil, 404},
		{lambda, "GET", "/", nil, 404},
		{lambda, "OPTIONS", "/editions.json", []string{"Access-Control-Request-Method: GET"}, 204},
		{lambda, "OPTIONS", "/nothing", nil, 404},
		{lambda, "POST", "/editions.json", nil, 405},
		{lambda, "DELETE", "/downloads/" + available, nil, 405},
		{lambda, "GET", "/downloads/" + available, nil, 302},
		{lambda, "GET", "/downloads/" + withdrawn, nil, 410},
		{lambda, "GET", "/downloads/none.zip", nil, 404},
		{local, "GET", "/downloads/" + available, nil, 503},
		{broken, "GET", "/downloads/" + available, nil, 500},
	} {
		resp := ask(test.handler, test.method, test.target, test.headers...)
		if resp.StatusCode != test.status || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %s: %d %v, want %d and any origin", test.method, test.target, resp.StatusCode, resp.Header, test.status)
		}
		if cache := resp.Header.Get("Cache-Control"); test.status >= 400 && cache != "no-store" && cache != "public, max-age=60" {
			t.Errorf("%s %s: an error is cached: %q", test.method, test.target, cache)
		}
		if strings.Contains(body(t, resp), "boom") {
			t.Errorf("%s %s: the answer shows the cause", test.method, test.target)
		}
	}
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("boom") }

func TestDocumentsInTheCodingAskedFor(t *testing.T) {
	f := newFeed(api.Options{})
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
		want := map[string]string{"": "", "br": "\x8bbrotli of ", "gzip": "\x1f\x8bgzip of "}[test.coding] + `{"6.7": []}`
		if got := resp.Header.Get("Content-Encoding"); got != test.coding || body(t, resp) != want || resp.StatusCode != 200 {
			t.Errorf("%q: %q %d, want %q", test.accept, got, resp.StatusCode, test.coding)
		}
		if resp.Header.Get("Vary") != "Accept-Encoding" || resp.Header.Get("Content-Type") != "application/json" ||
			!strings.HasPrefix(resp.Header.Get("Cache-Control"), "public, max-age=300, stale-while-revalidate=86400, stale-if-error=") {
			t.Errorf("%q: %v", test.accept, resp.Header)
		}
	}
	if resp := ask(f, "GET", "/editions.json", "Accept-Encoding: gzip", "Accept-Encoding: br"); resp.Header.Get("Content-Encoding") != "br" {
		t.Errorf("two headers: %v", resp.Header)
	}
}

func TestConditionalRequests(t *testing.T) {
	f := newFeed(api.Options{})
	for _, test := range []struct {
		field  string
		status int
	}{
		{`"/editions.json"`, 304}, {`W/"/editions.json"`, 304}, {`"a", "/editions.json"`, 304}, {`"a,b" ,W/"c",, "/editions.json"`, 304}, {`*`, 304}, {` * `, 304},
		{`"/editions.json-br"`, 200}, {`/editions.json`, 200}, {`"/editions.json`, 200}, {``, 200}, {`"a" b "/editions.json"`, 200}, {`w/"/editions.json"`, 200},
		{`*, "a"`, 200}, {`W/`, 200}, {`W/W/"/editions.json"`, 200}, {`"`, 200}, {`,`, 200},
	} {
		resp := ask(f, "GET", "/editions.json", "If-None-Match: "+test.field)
		if resp.StatusCode != test.status || resp.Header.Get("ETag") != `"/editions.json"` || resp.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d %v, want %d", test.field, resp.StatusCode, resp.Header, test.status)
		}
		if b := body(t, resp); test.status == 304 && (b != "" || resp.Header.Get("Content-Type") != "" || resp.Header.Get("Content-Encoding") != "") {
			t.Errorf("%s: 304 with content: %v %q", test.field, resp.Header, b)
		}
	}
	resp := ask(f, "HEAD", "/editions.json", "Accept-Encoding: br", `If-None-Match: "/editions.json", "/editions.json-br"`)
	if resp.StatusCode != 304 || resp.Header.Get("ETag") != `"/editions.json-br"` {
		t.Errorf("list with the coding's tag: %d %v", resp.StatusCode, resp.Header)
	}
}

func TestPackagesOfAVersion(t *testing.T) {
	f := newFeed(api.Options{})
	for _, test := range []struct{ query, want string }{
		{"", "newest"}, {"?", "newest"}, {"?version=", "newest"}, {"?version=6.7", "6.7"}, {"?version=6.7.1", "6.7.1"}, {"?version=6%2E7", "6.7"},
		{"?version=6.7&version=9", "6.7"}, {"?version=9&version=6.7", ""}, {"?other=1&%zz&;=;&version=6.7&%", "6.7"}, {"?Version=9", "newest"},
		{"?%76ersion=6.7", "6.7"}, {"?version=6.7.0", ""}, {"?version=6.7%26x", ""}, {"?version=../6.7", ""}, {"?version=+6.7", ""},
	} {
		resp := ask(f, "GET", "/packages.json"+test.query)
		got := map[string]any{}
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			t.Errorf("%s: %v", test.query, err)
		}
		if _, ok := got[test.want]; test.want != "" && !ok || (resp.StatusCode == 200) != (test.want != "") {
			t.Errorf("%s: %d %v, want %q", test.query, resp.StatusCode, got, test.want)
		}
	}
}

func TestErrorsAreProblems(t *testing.T) {
	f := newFeed(api.Options{})
	for target, status := range map[string]int{"/x": 404, "/packages.json?version=x": 404, "/packages.json?version=%": 400} {
		resp := ask(f, "GET", target, "Accept: text/html")
		var p struct {
			Type, Title, Detail string
			Status              int
		}
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || resp.Header.Get("Content-Type") != "application/problem+json" ||
			p.Status != status || p.Title == "" || p.Detail == "" {
			t.Errorf("%s: %d %+v %v", target, resp.StatusCode, p, err)
		}
	}
	if resp := ask(f, "PATCH", "/catalog.json"); resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("PATCH: %d %v", resp.StatusCode, resp.Header)
	}
	if resp := ask(f, "OPTIONS", "/catalog.json"); resp.Header.Get("Access-Control-Allow-Methods") != "GET, HEAD" {
		t.Errorf("OPTIONS: %v", resp.Header)
	}
}

func TestDownloadRedirectsAndIsCountedOnce(t *testing.T) {
	var lines writes
	f := newFeed(api.Options{Metrics: &lines, Now: func() time.Time { return time.UnixMilli(1519637400123) }})
	for _, method := range []string{"HEAD", "GET"} {
		resp := ask(f, method, "/downloads/"+available)
		if resp.StatusCode != 302 || resp.Header.Get("Location") != "https://cdn.example.com/p/"+available || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", method, resp.StatusCode, resp.Header)
		}
	}
	ask(f, "GET", "/downloads/"+withdrawn)
	ask(f, "GET", "/editions.json")
	if len(lines) != 1 || !strings.HasSuffix(lines[0], "}\n") || strings.Count(lines[0], "\n") != 1 {
		t.Fatalf("metric lines: %q", lines)
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
		Edition, Version, File string
		Downloads              int
	}
	d := json.NewDecoder(strings.NewReader(lines[0]))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || m.AWS.Timestamp != 1519637400123 || m.Downloads != 1 || m.File != available || m.Edition != "developer" ||
		m.Version != "6.7.1" || len(m.AWS.CloudWatchMetrics) != 1 || m.AWS.CloudWatchMetrics[0].Metrics[0].Name != "Downloads" ||
		!slices.Equal(m.AWS.CloudWatchMetrics[0].Dimensions[0], []string{"Edition", "Version"}) {
		t.Errorf("%s: %v", lines[0], err)
	}
}

type writes []string

func (w *writes) Write(p []byte) (int, error) { *w = append(*w, string(p)); return len(p), nil }

func TestPackagesAreTheSitesWhereNoPlaceIsNamed(t *testing.T) {
	resp := ask(api.New(testBundle(), api.Options{}), "GET", "/downloads/"+available)
	if got := resp.Header.Get("Location"); got != "https://editions.example.com/packages/"+available {
		t.Errorf("Location: %s", got)
	}
}

func TestDownloadServesTheFileLocally(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, available), []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFeed(api.Options{Dir: dir})
	etag := `"` + strings.Repeat("ab", 32) + `"`
	for _, test := range []struct {
		method  string
		headers []string
		status  int
		body    string
	}{
		{"GET", nil, 200, "0123456789"},
		{"GET", []string{"Accept-Encoding: gzip, br"}, 200, "0123456789"},
		{"HEAD", nil, 200, ""},
		{"GET", []string{"Range: bytes=2-4"}, 206, "234"},
		{"GET", []string{"Range: bytes=2-4", "If-Range: " + etag}, 206, "234"},
		{"GET", []string{"Range: bytes=2-4", `If-Range: "other"`}, 200, "0123456789"},
		{"GET", []string{"Range: bytes=20-"}, 416, "invalid range: failed to overlap\n"},
		{"GET", []string{"If-None-Match: " + etag}, 304, ""},
	} {
		resp := ask(f, test.method, "/downloads/"+available, test.headers...)
		if b := body(t, resp); resp.StatusCode != test.status || b != test.body || resp.Header.Get("Content-Encoding") != "" ||
			resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %v: %d %q %v", test.method, test.headers, resp.StatusCode, b, resp.Header)
		}
		if test.status < 300 && (resp.Header.Get("Content-Type") != "application/zip" || resp.Header.Get("ETag") != etag ||
			resp.Header.Get("Content-Disposition") != `attachment; filename="`+available+`"`) {
			t.Errorf("%s %v: %v", test.method, test.headers, resp.Header)
		}
	}
}

func TestDownloadOfHostileNamesIs404(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "secret.zip"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*api.Handler{newFeed(api.Options{}), newFeed(api.Options{Dir: dir})} {
		for _, name := range []string{"", "..", "../secret.zip", "..%2fsecret.zip", "%2e%2e/secret.zip", "a/../" + available, "./" + available,
			"%00", available + "%00", strings.ToUpper(available), available + "/", "%2f" + available, strings.Repeat("a", 9000), "%3Cscript%3E", "%FF"} {
			resp := ask(f, "GET", "/downloads/"+name)
			b := body(t, resp)
			if resp.StatusCode != 404 || strings.Contains(b, "<script") || strings.Contains(b, "secret") || len(b) > 2000 {
				t.Errorf("%.40s: %d %.200s", name, resp.StatusCode, b)
			}
		}
	}
}

func TestPagesSayWhatToDo(t *testing.T) {
	f := newFeed(api.Options{})
	for _, test := range []struct {
		name, title, says string
		links             []string
	}{
		{"none.zip", "No such package", "check the link", []string{"https://editions.example.com/editions/developer", "https://editions.example.com/editions/enterprise"}},
		{withdrawn, withdrawn + " was withdrawn", "It does not start <script>alert(1)</script> & so on.", []string{"https://editions.example.com/editions/developer"}},
	} {
		resp := ask(f, "GET", "/downloads/"+test.name, "Accept: text/html,application/xhtml+xml,*/*;q=0.8")
		doc, err := goquery.NewDocumentFromReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var links []string
		doc.Find("a").Each(func(_ int, a *goquery.Selection) { links = append(links, a.AttrOr("href", "")) })
		if doc.Find("h1").Text() != test.title || !strings.Contains(doc.Find("p").Text(), test.says) || !slices.Equal(links, test.links) ||
			doc.Find("script").Length() != 0 || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			html, _ := doc.Html()
			t.Errorf("%s: %v %s", test.name, links, html)
		}
		resp = ask(f, "GET", "/downloads/"+test.name, "Accept: application/json")
		var p struct{ Detail string }
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Detail == "" || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s as JSON: %+v %v", test.name, p, err)
		}
	}
}

func TestFailuresSayWhatTheyDependOnAndForHowLong(t *testing.T) {
	lambda, local := newFeed(api.Options{}), newFeed(api.Options{Dir: t.TempDir()})
	for _, test := range []struct {
		handler                   http.Handler
		target                    string
		vary, retryAfter, caching string
	}{
		{lambda, "/downloads/none.zip", "Accept", "", "public, max-age=60"},
		{lambda, "/downloads/" + withdrawn, "Accept", "", "public, max-age=60"},
		{local, "/downloads/" + available, "Accept", "60", "no-store"},
		{lambda, "/packages.json?version=5.6", "", "", "public, max-age=60"},
		{lambda, "/packages.json?version=%zz", "", "", "no-store"},
	} {
		for _, accept := range []string{"text/html", "application/json"} {
			h := ask(test.handler, "GET", test.target, "Accept: "+accept).Header
			if h.Get("Vary") != test.vary || h.Get("Retry-After") != test.retryAfter || h.Get("Cache-Control") != test.caching {
				t.Errorf("%s as %s: %v", test.target, accept, h)
			}
		}
	}
}

func TestPanicIsLogged(t *testing.T) {
	var log bytes.Buffer
	f := api.New(testBundle(), api.Options{Metrics: panicking{}, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	resp := ask(f, "GET", "/downloads/"+available)
	if resp.StatusCode != 500 || resp.Header.Get("Location") != "" || !strings.Contains(log.String(), "boom") {
		t.Errorf("%d %v, log %s", resp.StatusCode, resp.Header, log.String())
	}
}

func TestPatternsAreMuxPatterns(t *testing.T) {
	mux := http.NewServeMux()
	f := newFeed(api.Options{})
	for _, p := range api.Patterns() {
		mux.Handle(p, f)
	}
	for _, target := range []string{"/editions.json", "/packages.json?version=6.7", "/catalog.json", "/downloads/" + available} {
		if resp := ask(mux, "GET", target); resp.StatusCode >= 400 {
			t.Errorf("%s: %d", target, resp.StatusCode)
		}
	}
}
