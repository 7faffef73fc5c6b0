package smoke

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/catalog/bundle"
)

// Faults of pages and of the catalog are in infra/local, which has a site. These are about what only a deployment has.

func report(t *testing.T, o Options, limit time.Duration) (string, bool) {
	t.Helper()
	var out bytes.Buffer
	ok := Run(t.Context(), o, limit, &out)
	return out.String(), ok
}

// answers is a server that answers a path, with its query if it has one, and 404 otherwise.
func answers(t *testing.T, byPath map[string]http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := byPath[r.URL.RequestURI()]; ok {
			h(w, r)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

func TestBucketBehindTheDistributionIsChecked(t *testing.T) {
	const site, other = "https://licenses.example.com", "https://old.example.com"
	made := func(site string) string { return string((&bundle.Bundle{SiteURL: site}).Encode()) }
	good := map[string]http.HandlerFunc{
		"/catalog/bundle.bin": says(200, made(site)),
		"/jars/any.jar":       says(403, ""),
	}
	for name, tt := range map[string]struct {
		path   string
		answer http.HandlerFunc
		want   string
	}{
		"good": {"", nil, "ok      published catalog: for this site, with 0 packages\n" +
			"ok      jars: not served\nok      listing: nobody can list the bucket\n"},
		"nothing published": {"/catalog/bundle.bin", says(404, ""), "got status 404, want 200: is a catalog published?"},
		"another site":      {"/catalog/bundle.bin", says(200, made(other)), "got one for " + other + ", want one for " + site},
		"damaged":           {"/catalog/bundle.bin", says(200, made(site)[1:]), "FAILED  published catalog: catalog bundle:"},
		"jars served":       {"/jars/any.jar", says(200, "PK"), "FAILED  jars: /jars/any.jar: got status 200, want 403"},
		"jars missing":      {"/jars/any.jar", says(404, ""), "FAILED  jars: /jars/any.jar: got status 404, want 403"},
		"list": {"/?list-type=2&prefix=tailored/", says(200, "<ListBucketResult>"),
			"FAILED  listing: /?list-type=2: got status 200, want 404 or 403"},
		"list with another status": {"/?list-type=2&prefix=tailored/", says(404, "<ListBucketResult>"),
			"FAILED  listing: got a list of the bucket"},
		"script cannot tell a missing package": {"/none.zip", func(w http.ResponseWriter, r *http.Request) {
			http.NotFound(w, r)
		}, "FAILED  missing package: "},
	} {
		t.Run(name, func(t *testing.T) {
			paths := map[string]http.HandlerFunc{tt.path: tt.answer}
			for path, h := range good {
				if path != tt.path {
					paths[path] = h
				}
			}
			packages := answers(t, paths)
			client := &http.Client{Transport: only{strings.TrimPrefix(packages, "http://")}}
			got, _ := report(t, Options{Site: site, Packages: packages, Client: client}, time.Hour)
			if !strings.Contains(got, tt.want) {
				t.Errorf("got\n%swant %q", got, tt.want)
			}
		})
	}
}

// only lets requests to one host through, and answers all others with 404 for any origin.
type only struct{ host string }

func (o only) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == o.host {
		return http.DefaultTransport.RoundTrip(r)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(http.StatusNotFound)
	return w.Result(), nil
}

func TestOpenAPIIsNamedWithoutItsAddress(t *testing.T) {
	closed := answers(t, map[string]http.HandlerFunc{"/editions.json": says(403, "")})
	open := answers(t, map[string]http.HandlerFunc{"/editions.json": says(200, "{}")})
	got, ok := report(t, Options{
		Site: "http://127.0.0.1:1", API: []string{closed, open, "http://secret-label.invalid"},
		Client: &http.Client{Transport: refusing{}},
	}, time.Hour)
	for _, want := range []string{"ok      API address 1: closed\n",
		"FAILED  API address 2: it: got status 200, want 403 or 404\n", "FAILED  API address 3: no answer: "} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%swant %q", got, want)
		}
	}
	if ok || strings.Contains(got, "secret-label") || strings.Contains(got, open) {
		t.Errorf("got %t and\n%swant no address of the API", ok, got)
	}
}

// refusing is a network in which names of .invalid lead nowhere.
type refusing struct{}

func (refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Host, ".invalid") {
		return nil, http.ErrHandlerTimeout
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestTimeLimitIsNamed(t *testing.T) {
	got, ok := report(t, Options{Site: "http://127.0.0.1:1"}, time.Nanosecond)
	if ok || !strings.Contains(got, "FAILED  catalog: the time limit of 1ns was reached\n") {
		t.Errorf("got %t and\n%s", ok, got)
	}
}

func TestAddressesAreChecked(t *testing.T) {
	for _, o := range []Options{
		{}, {Site: "licenses.example.com"}, {Site: "ftp://a.example"}, {Site: "https://a.example?x=1"},
		{Site: "https://a.example", Packages: "b"}, {Site: "https://a.example", API: []string{""}},
	} {
		if got, ok := report(t, o, time.Hour); ok || !strings.HasPrefix(got, "FAILED  address: ") {
			t.Errorf("%+v: got %t and %s", o, ok, got)
		}
	}
}

func TestNewestVersionIsTheLastOne(t *testing.T) {
	ordered := []string{"6.7", "6.7.1", "6.7.9", "6.7.10", "7.0"}
	if !slices.IsSortedFunc(ordered, compareVersions) {
		t.Error("versions are not ordered by their numbers")
	}
}
