package api_test

import (
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/functions/catalog/api"
	"marketplace/shared/lambdahttp"
	"marketplace/shared/lambdahttp/lambdahttptest"
)

// pair answers events by Invoke and by ServeHTTP behind the ordinary adapter, and keeps the downloads that each
// counted.
type pair struct {
	fast, slow           *api.Handler
	fastCount, slowCount writes
	adapter              *lambdahttp.Handler
}

func newPair() *pair {
	p := new(pair)
	now := func() time.Time { return time.UnixMilli(1519637400123) }
	p.fast = newHandler(api.Options{Metrics: &p.fastCount, Now: now})
	p.slow = newHandler(api.Options{Metrics: &p.slowCount, Now: now})
	p.adapter = lambdahttp.New(p.slow, nil)
	return p
}

func (p *pair) compare(t *testing.T, event []byte) {
	t.Helper()
	want, wantErr := p.adapter.Invoke(t.Context(), event)
	for range 2 { // encoded, and reused
		got, err := p.fast.Invoke(t.Context(), event)
		if (err == nil) != (wantErr == nil) || string(got) != string(want) {
			t.Fatalf("%s\nInvoke   %s %v\nadapter  %s %v", event, got, err, want, wantErr)
		}
	}
	if len(p.fastCount) != 2*len(p.slowCount) || len(p.slowCount) > 0 && p.fastCount[0] != p.slowCount[0] {
		t.Fatalf("%s\ncounted %q, adapter %q", event, p.fastCount, p.slowCount)
	}
	p.fastCount, p.slowCount = nil, nil
}

func TestReusedResponsesEqualTheHandlers(t *testing.T) {
	p := newPair()
	targets := []string{"/editions.json?x=1", "/packages.json?version=5", "/packages.json?version=%zz", "/",
		"/downloads/", "/downloads/" + available,
		"/downloads/" + withdrawn, "/downloads/none.zip", "/downloads/..%2f" + available, "//editions.json", "/editions.json/"}
	tags := []string{"", "*", `"none"`}
	for _, d := range testBundle().Documents {
		target := d.Path
		if d.Query != "" {
			target += "?" + d.Query
		}
		targets = append(targets, target)
		tags = append(tags, d.Identity.ETag, "W/"+d.Gzip.ETag, `"x", `+d.Brotli.ETag)
	}
	n := 0
	for _, target := range targets {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "get"} {
			for _, accept := range []string{"", "br", "gzip", "identity", "gzip;q=0.5, br;q=0.4", "*;q=0",
				"garbage;;;"} {
				for _, tag := range tags {
					r := httptest.NewRequest("GET", target, nil)
					r.Method = method
					r.Header.Set("Accept", "application/json")
					if accept != "" {
						r.Header.Set("Accept-Encoding", accept)
					}
					if tag != "" {
						r.Header.Set("If-None-Match", tag)
					}
					event, err := lambdahttptest.Event(r)
					if err != nil {
						t.Fatal(err)
					}
					p.compare(t, event)
					n++
				}
			}
		}
	}
	t.Logf("%d events", n)
}

func TestReusedResponsesEqualTheHandlersForOddEvents(t *testing.T) {
	p := newPair()
	for _, event := range []string{
		`{"version":"2.0","rawPath":"/editions.json","requestContext":{"http":{"method":"GET"}},"body":"!","isBase64Encoded":true}`,
		`{"version":"2.0","rawPath":"/editions.json","requestContext":{"http":{"method":"GET"}},"body":"text"}`,
		`{"version":"2.0","rawPath":"/v1/editions.json","requestContext":{"stage":"v1","http":{"method":"GET"}}}`,
		`{"version":"2.0","rawPath":"\/\u0065ditions.json","headers":{"Accept-Encoding":"gzip","accept-encoding":"br;q=0.5","IF-NONE-MATCH":"*"},"requestContext":{"http":{"method":"HEAD"}}}`,
		`{"version":"1.0","rawPath":"/editions.json","requestContext":{"http":{"method":"GET"}}}`,
		`{"version":"2.0","rawPath":"/editions.json?","requestContext":{"http":{"method":"GET"}}}`,
		`{"Records":[]}`, `{`, ``,
	} {
		p.compare(t, []byte(event))
	}
}

func TestReusedResponsesEqualThoseOfNetHTTP(t *testing.T) {
	f := newHandler(api.Options{})
	server := httptest.NewServer(f)
	defer server.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, target := range []string{"/editions.json", "/packages.json?version=6.7", "/downloads/" + available,
		"/downloads/" + withdrawn, "/none"} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT"} {
			for _, coding := range []string{"identity", "gzip", "br"} {
				build := func() *http.Request {
					r, err := http.NewRequest(method, server.URL+target, nil)
					if err != nil {
						t.Fatal(err)
					}
					r.Header.Set("Accept-Encoding", coding)
					return r
				}
				want, err := client.Do(build())
				if err != nil {
					t.Fatal(err)
				}
				event, err := lambdahttptest.Event(build())
				if err != nil {
					t.Fatal(err)
				}
				answer, err := f.Invoke(t.Context(), event)
				if err != nil {
					t.Fatal(err)
				}
				got, err := lambdahttptest.Response(answer)
				if err != nil {
					t.Fatal(err)
				}
				delete(want.Header, "Date")
				if method != "HEAD" {
					delete(want.Header, "Content-Length")
				}
				if got.StatusCode != want.StatusCode || body(t, got) != body(t, want) {
					t.Errorf("%s %s %s: got %d, net/http %d", method, target, coding, got.StatusCode, want.StatusCode)
				}
				for name := range want.Header {
					if !slices.Equal(got.Header[name], want.Header[name]) {
						t.Errorf("%s %s %s: %s: got %q, net/http %q", method, target, coding, name, got.Header[name],
							want.Header[name])
					}
				}
				if len(got.Header) != len(want.Header) {
					t.Errorf("%s %s %s: got %v, net/http %v", method, target, coding, got.Header, want.Header)
				}
			}
		}
	}
}

func TestInvokeAnswersAPanic(t *testing.T) {
	f := newHandler(api.Options{Metrics: panicking{}, Now: time.Now})
	event, err := lambdahttptest.Event(httptest.NewRequest("GET", "/downloads/"+available, nil))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := f.Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := lambdahttptest.Response(answer)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 500 || resp.Header.Get("Access-Control-Allow-Origin") != "*" ||
		resp.Header.Get("Location") != "" {
		t.Errorf("%s", answer)
	}
}

func FuzzReusedResponsesEqualTheHandlers(f *testing.F) {
	for _, target := range []string{"/editions.json", "/packages.json?version=6.7", "/downloads/" + available, "/x"} {
		event, err := lambdahttptest.Event(httptest.NewRequest("GET", target, nil))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(event)
	}
	f.Add([]byte(`{"version":"2.0","rawPath":"\/editions.json","headers":{"Accept-Encoding":"gzip","accept-encoding":"br;q=0.5","if-none-match":"*"},"requestContext":{"stage":"editions.json","http":{"method":"HEAD"}},"body":"!","isBase64Encoded":true}`))
	f.Fuzz(func(t *testing.T, event []byte) {
		newPair().compare(t, event)
	})
}

// BenchmarkInvoke is read by infra/bench, which compares its allocations with hello's.
func BenchmarkInvoke(b *testing.B) {
	for _, test := range []struct{ name, target, accept, tag string }{
		{"br", "/editions.json", "gzip, deflate, br", ""},
		{"identity", "/editions.json", "identity", ""},
		{"304", "/editions.json", "gzip, deflate, br", `"/editions.json-br"`},
		{"download", "/downloads/" + available, "gzip, deflate, br", ""},
	} {
		b.Run(test.name, func(b *testing.B) {
			r := httptest.NewRequest("GET", test.target, nil)
			r.Header.Set("Accept-Encoding", test.accept)
			if test.tag != "" {
				r.Header.Set("If-None-Match", test.tag)
			}
			event, err := lambdahttptest.Event(r)
			if err != nil {
				b.Fatal(err)
			}
			f := newHandler(api.Options{Metrics: io.Discard, Now: time.Now})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Invoke(b.Context(), event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestOnlyTheDistributionGetsTheCatalog(t *testing.T) {
	h := newHandler(api.Options{Origin: lambdahttp.OriginKeys{sha256.Sum256([]byte("key"))}})
	for key, want := range map[string]string{"key": `{"statusCode":200,`, "another": `{"statusCode":403,`} {
		r := httptest.NewRequest("GET", "/editions.json", nil)
		r.Header.Set("X-Origin-Key", key)
		event, err := lambdahttptest.Event(r)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // encoded, and reused
			got, err := h.Invoke(t.Context(), event)
			if err != nil || !strings.HasPrefix(string(got), want) ||
				!strings.Contains(string(got), `"access-control-allow-origin":"*"`) {
				t.Errorf("%s: got %.200s, %v; want %s", key, got, err, want)
			}
		}
	}
}
