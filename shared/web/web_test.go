package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"marketplace/shared/brand"
	"marketplace/shared/fault"
	"marketplace/shared/response"
)

func filesOf(contents map[string]string) fstest.MapFS {
	files := fstest.MapFS{}
	for name, content := range contents {
		files["templates/"+name] = &fstest.MapFile{Data: []byte(content)}
	}
	return files
}

var pages = fstest.MapFS{
	"templates/site.html": {Data: []byte(`{{define "header"}}{{end}}{{define "footer"}}{{end}}`)},
	"templates/error.html": {
		Data: []byte(`{{define "main"}}<h1>{{.Status}}</h1><p>{{.Detail}}</p><i>{{.RequestID}}</i>{{end}}`),
	},
	"templates/page.html":  {Data: []byte(`{{define "main"}}<p>{{.Text}}</p>{{end}}`)},
	"templates/wrong.html": {Data: []byte(`{{define "main"}}<p>{{.Nothing}}</p>{{end}}`)},
}

// serve answers a request by a site of one route, and gives what was logged.
func serve(t *testing.T, handle HandlerFunc, r *http.Request) (*http.Response, string, string) {
	t.Helper()
	var log bytes.Buffer
	site := New(Options{
		Routes: routesTo(handle, "GET /page", "POST /page", "GET /api/thing", "GET /sub/{name}"),
		Pages:  NewPages(pages, brand.Brand{}), SiteURL: "https://site.example",
		Log:       slog.New(slog.NewTextHandler(&log, nil)),
		RequestID: func(context.Context) string { return "request-7" },
	})
	rec := httptest.NewRecorder()
	site.ServeHTTP(rec, r)
	return rec.Result(), rec.Body.String(), log.String()
}

func routesTo(handle HandlerFunc, patterns ...string) (routes []Route) {
	for _, p := range patterns {
		routes = append(routes, Route{Pattern: p, Handle: handle})
	}
	return routes
}

func failing(err error) HandlerFunc {
	return func(http.ResponseWriter, *http.Request) error { return err }
}

func TestEveryKindOfFaultHasAStatus(t *testing.T) {
	n := 0
	for ; !strings.HasPrefix(fault.Kind(n).String(), "fault.Kind("); n++ {
		if n >= len(answers) || answers[n].status < 400 || http.StatusText(answers[n].status) == "" ||
			answers[n].msg == "" {
			t.Errorf("%s has no answer", fault.Kind(n))
		}
	}
	if len(answers) != n {
		t.Errorf("%d answers for %d kinds", len(answers), n)
	}
}

func TestErrorsAreAnsweredByTheirKind(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		status int
		detail string
	}{
		{"a fault with a sentence", fault.New(fault.Gone, "It was withdrawn."), 410, "It was withdrawn."},
		{"a fault without a sentence", &fault.Error{Kind: fault.NotFound}, 404, "There is no page at this address."},
		{"a wrapped fault", fmt.Errorf("deeper: %w", fault.New(fault.Forbidden, "No.")), 403, "No."},
		{"wrong fields", &fault.Error{Kind: fault.Invalid, Msg: "Look.", Fields: fault.Fields{{Name: "a", Msg: "Bad."}}}, 422, "Look."},
		{"wrong as a whole", fault.New(fault.Invalid, "What?"), 400, "What?"},
		{"an unknown error", errors.New("secret cause"), 500, answers[fault.Internal].msg},
		{"an internal fault", fault.Wrap(fault.Internal, errors.New("secret cause"), "secret words"), 500, answers[fault.Internal].msg},
		{"a fault of no known kind", fault.New(200, "secret words"), 500, answers[fault.Internal].msg},
		{"storage that does not answer", fmt.Errorf("store: %w", fault.Wrap(fault.Unavailable, errors.New("no answer"), "")), 503, answers[fault.Unavailable].msg},
		{"storage that changed", fmt.Errorf("store: %w", fault.Wrap(fault.Conflict, errors.New("a row changed"), "")), 409, answers[fault.Conflict].msg},
		{"a time that ran out", context.DeadlineExceeded, 503, answers[fault.Unavailable].msg},
		{"a large body", &http.MaxBytesError{Limit: 1}, 413, answers[fault.TooLarge].msg},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/page", nil)
			page, body, _ := serve(t, failing(tt.err), r)
			if page.StatusCode != tt.status || !strings.Contains(body, "<p>"+tt.detail+"</p>") {
				t.Errorf("page: got %d %s", page.StatusCode, body)
			}
			if strings.Contains(body, "secret") {
				t.Errorf("page shows the cause: %s", body)
			}
			if after := page.Header.Get("Retry-After"); (after != "") != (tt.status == 503) {
				t.Errorf("Retry-After %q", after)
			}

			problem, body, log := serve(t, failing(tt.err), httptest.NewRequest("GET", "/api/thing", nil))
			var p response.Problem
			if err := json.Unmarshal([]byte(body), &p); err != nil {
				t.Fatal(err)
			}
			if problem.Header.Get("Content-Type") != "application/problem+json" || p.Status != tt.status ||
				p.Detail != tt.detail || p.Title != http.StatusText(tt.status) {
				t.Errorf("problem: got %s %+v", problem.Header.Get("Content-Type"), p)
			}
			if level := "level=ERROR"; strings.Contains(log, level) != (tt.status == 500) ||
				!strings.Contains(log, "request=request-7") {
				t.Errorf("log: got %s", log)
			}
		})
	}
}

func TestProgramsGetProblemsAndBrowsersPages(t *testing.T) {
	for accept, wantJSON := range map[string]bool{ // all cases are in shared/response
		"":                                  false,
		"application/json":                  true,
		"application/json, text/html;q=0.1": true,
		"application/*":                     true,
		"text/html;q=0, application/json":   true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8": false,
	} {
		r := httptest.NewRequest("GET", "/page", nil)
		r.Header.Set("Accept", accept)
		got, _, _ := serve(t, failing(errNoPage), r)
		if json := got.Header.Get("Content-Type") == "application/problem+json"; json != wantJSON {
			t.Errorf("Accept %q: got %s", accept, got.Header.Get("Content-Type"))
		}
	}
}

func TestFailedHandlerLeavesNothingBehind(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("secret cause") },
		"a panic":  func() error { panic("secret cause") },
		"an abort": func() error { panic(http.ErrAbortHandler) },
	} {
		got, body, log := serve(t, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("X-Half", "done")
			w.Header().Set("Cache-Control", "public")
			w.WriteHeader(http.StatusCreated)
			io.WriteString(w, "half an answer")
			return fail()
		}, httptest.NewRequest("GET", "/page", nil))
		if got.StatusCode != 500 || got.Header.Get("X-Half") != "" || got.Header.Get("Cache-Control") != "no-store" ||
			strings.Contains(body, "half") || strings.Contains(body, "secret") {
			t.Errorf("%s: got %d %v %s", name, got.StatusCode, got.Header, body)
		}
		if !strings.Contains(log, "level=ERROR") ||
			strings.Contains(name, "panic") && !strings.Contains(log, "web_test.go") {
			t.Errorf("%s: log %s", name, log)
		}
	}
}

func TestPageThatCannotBeRenderedIsAFault(t *testing.T) {
	site := NewPages(pages, brand.Brand{})
	for _, name := range []string{"wrong.html", "missing.html"} {
		got, body, log := serve(t, func(w http.ResponseWriter, _ *http.Request) error {
			return site.Render(w, 200, name, View{Data: struct{ Text string }{"x"}})
		}, httptest.NewRequest("GET", "/page", nil))
		if got.StatusCode != 500 || !strings.Contains(body, "<h1>500</h1>") || !strings.Contains(log, name) {
			t.Errorf("%s: got %d %s %s", name, got.StatusCode, body, log)
		}
	}
	broken := New(Options{
		Routes: routesTo(failing(fault.New(fault.Gone, "<b>It went.</b>")), "GET /page"),
		Pages:  NewPages(fstest.MapFS{}, brand.Brand{}), Log: slog.New(slog.DiscardHandler),
	})
	rec := httptest.NewRecorder()
	broken.ServeHTTP(rec, httptest.NewRequest("GET", "/page", nil))
	if rec.Code != 410 || !strings.Contains(rec.Body.String(), "&lt;b&gt;It went.") {
		t.Errorf("without any page: got %d %s", rec.Code, rec.Body)
	}
}

func TestUnknownAddresses(t *testing.T) {
	ok := failing(nil)
	for _, tt := range []struct {
		method, target string
		status         int
		header, value  string
	}{
		{"GET", "/nothing", 404, "", ""},
		{"GET", "/page/", 301, "Location", "/page"},
		{"GET", "/page//?serverId=a&ncloc=1", 307, "Location", "/page/?serverId=a&ncloc=1"}, // the mux cleans, then we
		{"GET", "/page/?serverId=a&ncloc=1", 301, "Location", "/page?serverId=a&ncloc=1"},
		{"GET", "/nothing/", 404, "", ""},
		{"GET", "//page/", 307, "Location", "/page/"}, // and never //page, which is another host
		{"DELETE", "/page", 405, "Allow", "GET, HEAD, POST"},
		{"HEAD", "/page", 200, "Content-Length", "0"},
		{"HEAD", "/nothing", 404, "", ""},
		{"POST", "/page", 200, "", ""},
	} {
		got, _, _ := serve(t, ok, httptest.NewRequest(tt.method, tt.target, nil))
		if got.StatusCode != tt.status || tt.header != "" && got.Header.Get(tt.header) != tt.value {
			t.Errorf(
				"%s %s: got %d, %s: %q",
				tt.method,
				tt.target,
				got.StatusCode,
				tt.header,
				got.Header.Get(tt.header),
			)
		}
	}
}

func TestHEADIsGETWithoutBody(t *testing.T) {
	hello := func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, "hello")
		return err
	}
	got, body, _ := serve(t, hello, httptest.NewRequest("HEAD", "/page", nil))
	if got.StatusCode != 200 || got.Header.Get("Content-Length") != "5" || body != "" {
		t.Errorf("%d, length %s, body %q", got.StatusCode, got.Header.Get("Content-Length"), body)
	}
}

func TestEveryResponseHasSecurityHeaders(t *testing.T) {
	for _, target := range []string{"/page", "/nothing", "/page/", "/static/site.css",
		NewPages(pages, brand.Brand{}).Static("site.css"), "/favicon.ico", "/api/thing"} {
		for _, secure := range []bool{false, true} {
			r := httptest.NewRequest("GET", target, nil)
			if secure {
				r.TLS = &tls.ConnectionState{}
			}
			got, _, _ := serve(t, failing(nil), r)
			for name, want := range map[string]string{
				"Content-Security-Policy": "default-src 'none'; ", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
				"Cross-Origin-Opener-Policy": "same-origin",
			} {
				if !strings.HasPrefix(got.Header.Get(name), want) {
					t.Errorf("%s: %s: got %q", target, name, got.Header.Get(name))
				}
			}
			if strict := got.Header.Get("Strict-Transport-Security") != ""; strict != secure {
				t.Errorf("%s over TLS %v: strict %v", target, secure, strict)
			}
		}
	}
}

func TestUnsafeMethodsAreProtectedAgainstForgery(t *testing.T) {
	for _, tt := range []struct {
		header, value string
		status        int
	}{
		{"", "", 200}, // no browser: an API client
		{"Sec-Fetch-Site", "same-origin", 200},
		{"Sec-Fetch-Site", "none", 200},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Origin", "https://site.example", 200},
		{"Origin", "https://evil.example", 403},
		{"Origin", "null", 403},
	} {
		r := httptest.NewRequest("POST", "/page", nil)
		if tt.header != "" {
			r.Header.Set(tt.header, tt.value)
		}
		if got, _, _ := serve(t, failing(nil), r); got.StatusCode != tt.status {
			t.Errorf("%s: %s: got %d, want %d", tt.header, tt.value, got.StatusCode, tt.status)
		}
		r = httptest.NewRequest("GET", "/page", nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if got, _, _ := serve(t, failing(nil), r); got.StatusCode != 200 {
			t.Errorf("a link from elsewhere: got %d", got.StatusCode)
		}
	}
}

func TestRouteForAnyOriginAcceptsFormsFromEverywhere(t *testing.T) {
	site := New(Options{
		Routes: append(routesTo(failing(nil), "POST /other"),
			Route{Pattern: "POST /page", Handle: failing(nil), AnyOrigin: true}),
		Pages: NewPages(pages, brand.Brand{}), SiteURL: "https://site.example", Log: slog.New(slog.DiscardHandler),
	})
	for path, want := range map[string]int{"/page": 200, "/other": 403} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			r := httptest.NewRequest("POST", path, nil)
			r.Header.Set(name, value)
			rec := httptest.NewRecorder()
			site.ServeHTTP(rec, r)
			if got := rec.Code; got != want {
				t.Errorf("%s with %s: got %d, want %d", path, name, got, want)
			}
		}
	}
}

func TestStaticFilesAreCachedByContent(t *testing.T) {
	for name, contentType := range map[string]string{"site.css": "text/css; charset=utf-8",
		"favicon.svg": "image/svg+xml"} {
		address := NewPages(pages, brand.Brand{}).Static(name)
		got, body, _ := serve(t, failing(nil), httptest.NewRequest("GET", address, nil))
		if got.StatusCode != 200 || got.Header.Get("Content-Type") != contentType ||
			!strings.Contains(got.Header.Get("Cache-Control"), "immutable") || body == "" {
			t.Errorf("%s: got %d %v", name, got.StatusCode, got.Header)
		}
	}
	old, body, _ := serve(t, failing(nil), httptest.NewRequest("GET", "/static/site.0123456789abcdef.css", nil))
	if old.StatusCode != 200 || old.Header.Get("Cache-Control") != "no-store" || body == "" {
		t.Errorf("of another release: got %d %q", old.StatusCode, old.Header.Get("Cache-Control"))
	}
	for _, target := range []string{"/static/none.0123456789abcdef.css", "/static/site.css", "/static/..",
		"/static/%2e%2e%2fweb.go"} {
		if got, _, _ := serve(t, failing(nil), httptest.NewRequest("GET", target, nil)); got.StatusCode == 200 {
			t.Errorf("%s: got %d", target, got.StatusCode)
		}
	}
}

func TestLogsHaveNoPersonalData(t *testing.T) {
	const person = "jane.doe@customer.example"
	for name, err := range map[string]error{
		"fields":         &fault.Error{Kind: fault.Invalid, Msg: person, Fields: fault.Fields{{Name: "email", Msg: person}, {Name: person, Msg: person}}},
		"a cause":        fmt.Errorf("store: [EMAIL#%s/REQUEST#1]: %w", person, fault.Wrap(fault.Unavailable, errors.New(person), "")),
		"a sentence":     fault.New(fault.NotFound, "%s", person),
		"internal":       fault.Wrap(fault.Internal, errors.New("MAIL <"+person+">"), "%s", person),
		"a quoted cause": fmt.Errorf("sending to %q", person),
	} {
		_, _, log := serve(t, failing(err), httptest.NewRequest("GET", "/page?email="+person, nil))
		if strings.Contains(log, "jane") || !strings.Contains(log, "kind=") {
			t.Errorf("%s: got %s", name, log)
		}
	}
}

type brokenBody struct{ io.Reader }

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestBodiesAreReadWholeOrRefused(t *testing.T) {
	const urlencoded = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, contentType, body string
		kind                    fault.Kind
		ok                      bool
	}{
		{"a form", urlencoded, "name=J%C3%BCrg", 0, true},
		{"a form with its charset", urlencoded + "; charset=UTF-8", "name=J%C3%BCrg", 0, true},
		{"a form of the largest size", urlencoded, "name=J%C3%BCrg&x=" + strings.Repeat("y", MaxBody-17), 0, true},
		{"a byte too much", urlencoded, "name=J%C3%BCrg&x=" + strings.Repeat("y", MaxBody-16), fault.TooLarge, false},
		{"another charset", urlencoded + "; charset=latin1", "name=J%FCrg", fault.Unsupported, false},
		{"another type", "text/plain", "name=x", fault.Unsupported, false},
		{"a broken type", ";", "name=x", fault.Unsupported, false},
		{"bad encoding", urlencoded, "name=%z", fault.Invalid, false},
		{"bad text", urlencoded, "name=%ff", fault.Invalid, false},
		{"a bad name", urlencoded, "%ff=x", fault.Invalid, false},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.contentType)
		form, err := ReadForm(r)
		if (err == nil) != tt.ok || err != nil && fault.KindOf(err) != tt.kind {
			t.Errorf("%s: got %v", tt.name, err)
		}
		if tt.ok && form.Get("name") != "Jürg" {
			t.Errorf("%s: got %v", tt.name, form)
		}
	}

	cut := httptest.NewRequest("POST", "/", brokenBody{strings.NewReader(`{"name":`)})
	cut.Header.Set("Content-Type", "application/json")
	if _, err := ReadJSON(cut); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a cut body: got %v", err)
	}
	short := httptest.NewRequest("POST", "/", strings.NewReader("name=x"))
	short.Header.Set("Content-Type", urlencoded)
	short.ContentLength = 9
	if _, err := ReadForm(short); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a body shorter than announced: got %v", err)
	}
}

func TestFormsOfSeveralPartsAreReadWholeOrRefused(t *testing.T) {
	const ofParts = "multipart/form-data; boundary=b"
	part := func(name, value string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	file := "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nx\r\n"
	for _, tt := range []struct {
		name, contentType, body string
		kind                    fault.Kind
		ok                      bool
	}{
		{"one part", ofParts, part("name", "Jürg") + "--b--\r\n", 0, true},
		{"a file beside it", ofParts, file + part("name", "Jürg") + "--b--\r\n", 0, true},
		{"a form", "application/x-www-form-urlencoded", "name=J%C3%BCrg", 0, true},
		{"no end", ofParts, part("name", "Jürg"), fault.Invalid, false},
		{"no boundary", "multipart/form-data", part("name", "x"), fault.Invalid, false},
		{"bad text", ofParts, part("name", "\xff") + "--b--\r\n", fault.Invalid, false},
		{"too much", ofParts, part("name", strings.Repeat("x", MaxBody)) + "--b--\r\n", fault.TooLarge, false},
		{"mixed parts", "multipart/mixed; boundary=b", part("name", "x") + "--b--\r\n", fault.Unsupported, false},
		{"no type", "", "name=x", fault.Unsupported, false},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.contentType)
		form, err := ReadAnyForm(r)
		if (err == nil) != tt.ok || err != nil && fault.KindOf(err) != tt.kind {
			t.Errorf("%s: got %v", tt.name, err)
		}
		if tt.ok && form.Get("name") != "Jürg" {
			t.Errorf("%s: got %v", tt.name, form)
		}
	}
}

func TestNumbersAreFormattedForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1'000", 1234567: "1'234'567", -1000: "-1'000"} {
		if got := Number(n); got != want {
			t.Errorf("%d: got %s", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 KB", 89_400_000: "89.4 MB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: got %s", n, got)
		}
	}
}
