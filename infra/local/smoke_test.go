package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/infra/localdata"
	"marketplace/infra/smoke"
	"marketplace/shared/config"
)

// front is a proxy before the server, as a CDN is. Its fault changes answers.
type front struct {
	*httptest.Server
	env   *testEnv
	fault atomic.Pointer[func(*http.Response)]
}

// newFront starts a server whose SITE_URL is the proxy before it.
func newFront(t *testing.T) *front {
	f := new(front)
	var target atomic.Pointer[url.URL]
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target.Load())
			r.Out.Header.Set("Accept-Encoding", "identity") // faults change text
		},
		ModifyResponse: func(r *http.Response) error {
			if fault := f.fault.Load(); fault != nil {
				(*fault)(r)
			}
			return nil
		},
	}
	f.Server = httptest.NewServer(proxy)
	t.Cleanup(f.Close)
	f.env = newTestEnvWith(t, localdata.Dir(t.TempDir()), config.Config{SiteURL: f.URL})
	u, err := url.Parse(f.env.URL)
	if err != nil {
		t.Fatal(err)
	}
	target.Store(u)
	return f
}

// smoke checks the site through the proxy.
func (f *front) smoke(t *testing.T, o smoke.Options) (report string, ok bool) {
	t.Helper()
	var out bytes.Buffer
	o.Site = f.URL
	ok = smoke.Run(t.Context(), o, time.Hour, &out)
	return out.String(), ok
}

func TestSmokeTestPassesOnTheLocalServer(t *testing.T) {
	f := newFront(t)
	report, ok := f.smoke(t, smoke.Options{})
	if !ok || strings.Count(report, "ok      ") != 9 || !strings.HasSuffix(report, "9 checks, 0 failed\n") {
		t.Errorf("got %t and\n%s", ok, report)
	}
	if mails := f.env.outbox(); len(mails) > 0 {
		t.Errorf("a check that only reads sent %v", mails)
	}
}

func TestSmokeTestNamesEachFault(t *testing.T) {
	f := newFront(t)
	on := func(path string, fault func(*http.Response)) func(*http.Response) {
		return func(r *http.Response) {
			if strings.HasPrefix(r.Request.URL.Path, path) {
				fault(r)
			}
		}
	}
	set := func(name, value string) func(*http.Response) {
		return func(r *http.Response) { r.Header.Set(name, value) }
	}
	status := func(code int) func(*http.Response) { return func(r *http.Response) { r.StatusCode = code } }
	swap := func(old, with string) func(*http.Response) {
		return func(r *http.Response) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			body = bytes.ReplaceAll(body, []byte(old), []byte(with))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		}
	}
	for name, tt := range map[string]struct {
		fault func(*http.Response)
		want  string
	}{
		"CORS": {on("/editions.json", set("Access-Control-Allow-Origin", "https://other.example")),
			`FAILED  catalog: /editions.json: got Access-Control-Allow-Origin "https://other.example", want *`},
		"CORS of a download": {on("/downloads/", func(r *http.Response) { r.Header.Del("Access-Control-Allow-Origin") }),
			"FAILED  download: "},
		"not JSON":   {on("/catalog.json", swap("{", "<")), "FAILED  catalog: /catalog.json: got no JSON"},
		"no account": {on("/account", status(404)), "FAILED  account: /account: got status 404, want 303"},
		"account without a form": {on("/account/signin", swap(`name="email"`, `name="mail"`)),
			"FAILED  account: /account/signin: got a page that does not ask for an address"},
		"no catalog":       {on("/packages.json", status(502)), "FAILED  catalog: /packages.json: got status 502, want 200"},
		"another SITE_URL": {on("/editions.json", swap(f.URL+"/request", "https://old.example/request")), "FAILED  links: got a link to https://old.example/request"},
		"packages elsewhere": {on("/packages.json", swap(f.URL+"/downloads", "https://old.example")),
			"FAILED  links: got a package at https://old.example/"},
		"missing package found": {on("/downloads/none.zip", status(200)), "FAILED  missing package: "},
		"no range":              {on("/downloads/", status(200)), "ranges are ignored"},
		"wrong range":           {on("/downloads/", set("Content-Range", "bytes 0-9/10")), "want bytes 0-99"},
		"not a ZIP":             {on("/downloads/", swap("PK", "XX")), "got bytes that no ZIP begins with"},
		"type of the package":   {on("/downloads/", set("Content-Type", "text/html")), "want application/zip"},
		"form fails":            {on("/request/", status(500)), "FAILED  request form: /request/developer: got status 500"},
		"form without prefill":  {on("/request/", swap("AWHW8w9JtzBzSrmf9GQX", "")), "FAILED  request form: "},
		"key check without reasons": {on("/api/licenses/check", swap(`"reasons"`, `"others"`)),
			"FAILED  key check: "},
		"key check fails": {on("/api/licenses/check", status(503)), "FAILED  key check: /api/licenses/check: got status 503"},
		"no keys":         {on("/.well-known/", swap(`"keys"`, `"none"`)), "is the parameter LicenseKeys deployed?"},
		"no sign-in":      {on("/console/signin", status(500)), "FAILED  sign-in page: /console/signin: got status 500"},
		"sign-in leads elsewhere": {on("/console/signin", func(r *http.Response) {
			r.Header.Set("Location", strings.Replace(r.Header.Get("Location"), url.QueryEscape(f.URL), "https%3A%2F%2Fold.example", 1))
		}), "got the address to return to https://old.example/console/callback, want " + f.URL},
		"no PKCE": {on("/console/signin", func(r *http.Response) {
			r.Header.Set("Location", strings.Replace(r.Header.Get("Location"), "code_challenge=", "x=", 1))
		}), "no PKCE challenge"},
		"provider refuses": {on("/_local/", status(400)), "want its sign-in page"},
	} {
		t.Run(name, func(t *testing.T) {
			f.fault.Store(&tt.fault)
			report, ok := f.smoke(t, smoke.Options{})
			if ok || !strings.Contains(report, tt.want) {
				t.Errorf("got %t and\n%swant %q", ok, report, tt.want)
			}
		})
	}
}

func TestSmokeTestWithdrawsItsRequest(t *testing.T) {
	f := newFront(t)
	var link string
	report, ok := f.smoke(t, smoke.Options{Write: "ada@smoke.example", Link: func(string) string {
		link = f.env.page("/_local/outbox/"+f.env.outbox()[0].ID+"/html").
			Find("a[href*='confirm=']").AttrOr("href", "")
		return link
	}})
	if !ok || !strings.Contains(report, "was filed, emailed and withdrawn") {
		t.Errorf("got %t and\n%s", ok, report)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{u.Query().Get("token"), u.Query().Get("confirm")} {
		if secret == "" || strings.Contains(report, secret) {
			t.Errorf("%q is empty or in the report\n%s", secret, report)
		}
	}
}

func TestSmokeTestSaysWhatIsLeft(t *testing.T) {
	f := newFront(t)
	for name, tt := range map[string]struct {
		link func(string) string
		ok   bool
		want string
	}{
		"no link":        {nil, true, "is left: open the link in the email to ada@smoke.example"},
		"empty link":     {func(string) string { return "" }, true, "is left: open the link"},
		"another link":   {func(string) string { return f.URL + "/requests/x?token=a" }, false, "this is not the link"},
		"not an address": {func(string) string { return ":" }, false, "this is not the link"},
	} {
		t.Run(name, func(t *testing.T) {
			report, ok := f.smoke(t, smoke.Options{Write: "ada@smoke.example", Link: tt.link})
			if ok != tt.ok || !strings.Contains(report, tt.want) {
				t.Errorf("got %t and\n%swant %t and %q", ok, report, tt.ok, tt.want)
			}
		})
	}
}
