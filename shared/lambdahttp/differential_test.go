package lambdahttp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"marketplace/shared/lambdahttp"
	"marketplace/shared/lambdahttp/lambdahttptest"
)

// twoWays sends the same request through a real net/http server and through event, adapter and answer.
type twoWays struct {
	server  *httptest.Server
	handler http.Handler
}

func newTwoWays(t testing.TB) *twoWays {
	w := &twoWays{}
	w.server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.handler.ServeHTTP(rw, r)
	}))
	w.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.server.Start()
	t.Cleanup(w.server.Close)
	return w
}

// request is what a client sends.
type request struct {
	method, target string // target: path and query, encoded
	header         http.Header
	body           string
}

// seen is what the client gets back, without what belongs to the connection.
type seen struct {
	status int
	header map[string]string
	body   string
}

func (s seen) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", s.status)
	for _, name := range slices.Sorted(maps.Keys(s.header)) {
		fmt.Fprintf(&b, "%s: %s\n", name, s.header[name])
	}
	fmt.Fprintf(&b, "\n%q", s.body)
	return b.String()
}

func look(t require, resp *http.Response) seen {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the response: %v", err)
	}
	s := seen{resp.StatusCode, map[string]string{}, string(body)}
	for name, values := range resp.Header {
		switch name {
		case "Date", "Connection", "Content-Length", "Trailer":
		case "Set-Cookie":
			s.header[name] = strings.Join(values, "\n")
		default:
			s.header[name] = strings.Join(values, ",")
		}
	}
	return s
}

// require is what *testing.T and *rapid.T have in common.
type require interface {
	Context() context.Context
	Fatalf(format string, args ...any)
	Helper()
}

func (w *twoWays) compare(t require, q request, h http.Handler) {
	t.Helper()
	var requests []string
	w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		requests = append(requests, describe(r))
		h.ServeHTTP(rw, r)
	})
	build := func() *http.Request {
		r, err := http.NewRequest(q.method, w.server.URL+q.target, strings.NewReader(q.body))
		if err != nil {
			t.Fatalf("%v", err)
		}
		r.Header = q.header.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("User-Agent", "test")
		if r.Header.Get("Accept-Encoding") == "" {
			r.Header.Set("Accept-Encoding", "identity") // or the client adds gzip and unpacks
		}
		return r
	}

	resp, err := http.DefaultTransport.RoundTrip(build())
	if err != nil {
		t.Fatalf("over net/http: %v", err)
	}
	want := look(t, resp)

	event, err := lambdahttptest.Event(build())
	if err != nil {
		t.Fatalf("%v", err)
	}
	answer, err := lambdahttp.New(w.handler, slog.New(slog.DiscardHandler)).Invoke(t.Context(), event)
	if err != nil {
		t.Fatalf("through the adapter: %v", err)
	}
	if resp, err = lambdahttptest.Response(answer); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	got := look(t, resp)

	if len(requests) != 2 || requests[0] != requests[1] {
		t.Fatalf("%s %s: the handler saw different requests: %s", q.method, q.target, strings.Join(requests, "\n--\n"))
	}
	if got.String() != want.String() {
		t.Fatalf("%s %s:\nadapter  %v\n\nnet/http %v", q.method, q.target, got, want)
	}
}

// describe prints what a handler can see of a request, without what only the gateway or only the connection adds.
func describe(r *http.Request) string {
	var b strings.Builder
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(&b, "%s %s?%s host=%s length=%d %q %v form=%q\n", r.Method, r.URL.Path, r.URL.RawQuery, r.Host,
		r.ContentLength, body, err, r.URL.Query())
	r.Body = io.NopCloser(bytes.NewReader(body))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		switch name {
		case "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port":
		case "Cookie":
			fmt.Fprintf(&b, "cookies: %v\n", r.Cookies())
		default:
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(r.Header[name], ","))
		}
	}
	return b.String()
}

func TestAdapterRespondsLikeNetHTTP(t *testing.T) {
	get := request{method: "GET", target: "/"}
	many := strings.Repeat("0123456789", 1000)
	tests := []struct {
		name    string
		request request
		handler http.HandlerFunc
	}{
		{"nothing written", get, func(w http.ResponseWriter, r *http.Request) {}},
		{"implicit 200", get, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }},
		{"first WriteHeader wins", get, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(201)
			w.WriteHeader(500)
			io.WriteString(w, "made")
		}},
		{"headers after WriteHeader are lost", get, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-A", "1")
			w.WriteHeader(200)
			w.Header().Set("X-B", "2")
			w.Header().Set("X-A", "3")
		}},
		{"informational status first", get, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</a.css>; rel=preload")
			w.WriteHeader(103)
			w.WriteHeader(404)
		}},
		{"content type is sniffed", get, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<!DOCTYPE html><p>hi") }},
		{"content type is sniffed over several writes", get, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<!DOC")
			io.WriteString(w, "TYPE html>")
		}},
		{"content type is sniffed for HEAD", request{method: "HEAD", target: "/"}, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<!DOC")
			io.WriteString(w, "TYPE html>"+many)
		}},
		{"no sniffing of a flushed answer", get, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, "<!DOCTYPE html>")
		}},
		{"no sniffing of compressed content", get, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			w.Write([]byte{1, 2, 255})
		}},
		{"content type can be suppressed", get, func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "<html>")
		}},
		{"204 has no body", get, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.WriteHeader(204)
			_, err := io.WriteString(w, "abc")
			w.Header().Set("X-Late", fmt.Sprint(err))
		}},
		{"304 has neither body nor content type", get, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("ETag", `"a"`)
			w.WriteHeader(304)
		}},
		{"HEAD has no body", request{method: "HEAD", target: "/x"}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, "hello")
		}},
		{"declared length cuts what is too much", get, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "5")
			io.WriteString(w, "hello")
			io.WriteString(w, " testEnv")
		}},
		{"several values and several cookies", get, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Accept-Encoding")
			w.Header().Add("Vary", "Origin")
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1,2", Path: "/"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", HttpOnly: true})
			w.WriteHeader(303)
		}},
		{"values stay on their line", get, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-A", " a\r\nSet-Cookie: b=c ")
			w.Header().Set("Bad Name", "x")
			w.Header()["lower"] = []string{"y"}
		}},
		{"bytes that are not text", get, func(w http.ResponseWriter, r *http.Request) { w.Write([]byte{0xff, 0xfe, 0, 1, 2}) }},
		{"control characters and quotes", get, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "\x00\x01\b\f\n\r\t\"\\/\x7f <é 😀 \u2028 \uFFFD>")
		}},
		{"large answer", get, func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				io.WriteString(w, many)
			}
		}},
		{"redirect", get, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other?a=b", http.StatusTemporaryRedirect)
		}},
		{"http.Error", get, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusTeapot) }},
		{"ranges", request{method: "GET", target: "/", header: http.Header{"Range": {"bytes=2-4"}}}, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("0123456789"))
		}},
		{"encoded path", request{method: "GET", target: "/a%20b/%C3%A9/100%25/x+y"}, echo},
		{"encoded slash", request{method: "GET", target: "/a%2Fb"}, echo},
		{"query as written", request{method: "GET", target: "/?a=1&a=2&b=%20+%2B&c&%zz=1&d=;"}, echo},
		{"headers with commas and several values", request{method: "GET", target: "/", header: http.Header{
			"Accept": {"text/html,application/json;q=0.9", "*/*;q=0.8"}, "If-None-Match": {`"a,b", W/"c"`}, "X-Empty": {""}}}, echo},
		{"cookies", request{method: "GET", target: "/", header: http.Header{"Cookie": {`a=1; b="2,3"; c=`}}}, echo},
		{"text body", request{method: "POST", target: "/", header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: "héllo\n\x01\"\\"}, echo},
		{"form body", request{method: "POST", target: "/", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, body: "a=1&b=%C3%A9+x"}, echo},
		{"binary body", request{method: "PUT", target: "/", header: http.Header{"Content-Type": {"application/zip"}}, body: "PK\x03\x04\xff\x00"}, echo},
		{"empty body", request{method: "POST", target: "/", header: http.Header{"Content-Type": {"application/json"}}}, echo},
	}
	ways := newTwoWays(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { ways.compare(t, test.request, test.handler) })
	}
}

func echo(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }

// TestRandomHandlersRespondLikeNetHTTP runs random requests against handlers that do random things in random order.
func TestRandomHandlersRespondLikeNetHTTP(t *testing.T) {
	ways := newTwoWays(t)
	line := rapid.StringMatching(`[ -~]{0,20}`)
	content := rapid.OneOf(rapid.String(), rapid.StringMatching(`<(html|!DOCTYPE HTML|p)>.{0,20}`),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 700).Draw(t, "bytes")) }))
	rapid.Check(t, func(t *rapid.T) {
		q := request{
			method: rapid.SampledFrom([]string{"GET", "HEAD", "POST", "OPTIONS", "DELETE"}).Draw(t, "method"),
			target: rapid.StringMatching(
				`(/([a-z.~+:@,;=-]|%2[0-9A-F]|%C3%A9){0,8}){1,3}(\?([a-z&=;+]|%[0-9a-f]{2}){0,12})?`).Draw(t, "target"),
			header: http.Header{},
		}
		for range rapid.IntRange(0, 4).Draw(t, "headers") {
			name := rapid.SampledFrom([]string{"Accept", "Accept-Encoding", "If-None-Match", "X-Thing",
				"Range"}).Draw(t, "name")
			q.header.Add(name, strings.TrimSpace(line.Draw(t, "value")))
		}
		if q.method == "POST" {
			q.body = content.Draw(t, "body")
			q.header.Set("Content-Type", rapid.SampledFrom([]string{"application/json",
				"application/x-www-form-urlencoded", "a/b"}).Draw(t, "type"))
			if !utf8.ValidString(q.body) {
				q.header.Set("Content-Type", "application/octet-stream")
			}
		}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{rapid.IntRange(0, 9).Draw(t, "kind"), rapid.SampledFrom(
				[]string{"X-A", "Vary", "Content-Type", "Content-Encoding", "Set-Cookie", "Location",
					"ETag"}).Draw(t, "header"),
				line.Draw(t, "line"),
				rapid.SampledFrom([]int{103, 200, 201, 204, 206, 302, 304, 404, 500}).Draw(t, "status"),
				content.Draw(t, "content")}
		}), 0, 8).Draw(t, "steps")
		ways.compare(t, q, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, s := range steps {
				s.do(w)
			}
		}))
	})
}

type step struct {
	kind         int
	header, line string
	status       int
	content      string
}

func (s step) do(w http.ResponseWriter) {
	switch s.kind {
	case 0, 1:
		w.Header().Set(s.header, s.line)
	case 2:
		w.Header().Add(s.header, s.line)
	case 3:
		w.Header().Del(s.header)
	case 4:
		w.WriteHeader(s.status)
	case 5:
		w.(http.Flusher).Flush()
	case 6:
		io.WriteString(w, s.content)
	default:
		w.Write([]byte(s.content))
	}
}
