package lambdahttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"marketplace/shared/lambdahttp"
	"marketplace/shared/lambdahttp/lambdahttptest"
)

const minimal = `{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET"}}}`

func invoke(t *testing.T, event string, h http.HandlerFunc) *http.Response {
	t.Helper()
	answer, err := lambdahttp.New(h, slog.New(slog.DiscardHandler)).Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := lambdahttptest.Response(answer)
	if err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	return resp
}

func TestEventBecomesARequest(t *testing.T) {
	const event = `{"version":"2.0","routeKey":"$default","rawPath":"/prod/a/b c%2F","rawQueryString":"x=1&x=%202","cookies":["a=1","b=2"],
	 "headers":{"host":"api.example.com","x-forwarded-proto":"https","accept":"a,b","Accept":"c"},
	 "requestContext":{"domainName":"d.example.com","requestId":"id-1","stage":"prod","unknown":[1,{"a":null}],
	  "http":{"method":"POST","path":"/ignored","protocol":"HTTP/2.0","sourceIp":"2001:db8::1","userAgent":"u"}},
	 "body":"aGk=","isBase64Encoded":true,"pathParameters":null,"timeEpoch":-1.5e3}`
	called := false
	invoke(t, event, func(w http.ResponseWriter, r *http.Request) {
		called = true
		body, _ := io.ReadAll(r.Body)
		for _, test := range []struct{ name, got, want string }{
			{"method", r.Method, "POST"},
			{"path, decoded once by the gateway, without the stage", r.URL.Path, "/a/b c%2F"},
			{"path on the wire", r.URL.EscapedPath(), "/a/b%20c%252F"},
			{"request URI", r.RequestURI, "/a/b%20c%252F?x=1&x=%202"},
			{"query", r.URL.RawQuery, "x=1&x=%202"},
			{"host", r.Host, "api.example.com"},
			{"host in the headers", r.Header.Get("Host"), ""},
			{"remote address", r.RemoteAddr, "[2001:db8::1]:0"},
			{"protocol", r.Proto, "HTTP/2.0"},
			{"header in two spellings", strings.Join(r.Header["Accept"], "|"), "a,b|c"},
			{"cookies", r.Header.Get("Cookie"), "a=1; b=2"},
			{"body", string(body), "hi"},
			{"request id", lambdahttp.RequestID(r.Context()), "id-1"},
		} {
			if test.got != test.want {
				t.Errorf("%s: got %q, want %q", test.name, test.got, test.want)
			}
		}
		if r.ContentLength != 2 || r.ProtoMajor != 2 || r.TLS == nil {
			t.Errorf("length %d, major %d, TLS %v", r.ContentLength, r.ProtoMajor, r.TLS)
		}
	})
	if !called {
		t.Error("the handler was not called")
	}
}

func TestStageIsRemovedFromThePath(t *testing.T) {
	for _, test := range []struct{ path, stage, want string }{
		{"/a", "$default", "/a"}, {"/$default/a", "$default", "/$default/a"}, {"/prod/a", "prod", "/a"}, {"/prod", "prod", "/"},
		{"/prod/", "prod", "/"}, {"/production", "prod", "/production"}, {"/a", "prod", "/a"}, {"/prod/prod/a", "prod", "/prod/a"},
	} {
		event := strings.Replace(minimal, `"rawPath":"/"`, `"rawPath":"`+test.path+`"`, 1)
		event = strings.Replace(event, `{"http"`, `{"stage":"`+test.stage+`","http"`, 1)
		e, err := lambdahttp.ParseEvent([]byte(event))
		if err != nil {
			t.Fatal(err)
		}
		if e.Path != test.want {
			t.Errorf("%s at stage %s: got %s, want %s", test.path, test.stage, e.Path, test.want)
		}
	}
}

func TestDeadlineReachesTheHandler(t *testing.T) {
	deadline := time.Date(2018, 2, 26, 9, 30, 0, 0, time.UTC)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	h := lambdahttp.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d, ok := r.Context().Deadline(); !ok || !d.Equal(deadline) {
			t.Errorf("deadline %v, %v", d, ok)
		}
	}), nil)
	if _, err := h.Invoke(ctx, []byte(minimal)); err != nil {
		t.Fatal(err)
	}
}

func TestMalformedEventsHaveClearErrors(t *testing.T) {
	for _, test := range []struct{ event, want string }{
		{``, "an object expected at byte 0"},
		{`null`, "an object expected"},
		{`{}`, "its version is"},
		{`{"version":"1.0","httpMethod":"GET","path":"/"}`, `its version is "1.0"`},
		{`{"Records":[{"eventName":"INSERT"}]}`, "its version is"},
		{`{"version":"2.0"}`, "method is missing"},
		{`{"version":"2.0","requestContext":{"http":{"method":"GET"}}}`, "rawPath does not begin with a slash"},
		{`{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":7}}}`, "a string expected"},
		{`{"version":"2.0","headers":{"a":1}}`, "a string expected"},
		{`{"version":"2.0","cookies":"a"}`, "a list expected"},
		{minimal + `x`, "the end of the text expected"},
		{minimal[:len(minimal)-1], "where the text ends"},
		{strings.Replace(minimal, `"rawPath"`, `"body":"%%%","isBase64Encoded":true,"rawPath"`, 1), "not the base64"},
		{strings.Repeat(`{"a":`, 20000), "nest deeper"},
	} {
		answer, err := lambdahttp.New(http.NotFoundHandler(), nil).Invoke(t.Context(), []byte(test.event))
		if err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 300 {
			t.Errorf("%.80s: answer %s, error %v, want %q", test.event, answer, err, test.want)
		}
	}
}

func TestPanicBecomesA500AndALogLine(t *testing.T) {
	for _, value := range []any{"boom", http.ErrAbortHandler, context.Canceled} {
		var log bytes.Buffer
		h := lambdahttp.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Half", "done")
			io.WriteString(w, "half an ans")
			panic(value)
		}), slog.New(slog.NewJSONHandler(&log, nil)))
		answer, err := h.Invoke(t.Context(), []byte(minimal))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := lambdahttptest.Response(answer)
		if err != nil {
			t.Fatal(err)
		}
		var problem struct{ Status int }
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil || problem.Status != 500 ||
			resp.StatusCode != 500 ||
			resp.Header.Get("Content-Type") != "application/problem+json" || resp.Header.Get("X-Half") != "" {
			t.Errorf("%v: answer %s, %v", value, answer, err)
		}
		if strings.Contains(string(answer), "boom") {
			t.Errorf("the answer shows the cause: %s", answer)
		}
		var line map[string]any
		if err := json.Unmarshal(log.Bytes(), &line); err != nil || line["level"] != "ERROR" || line["path"] != "/" ||
			line["panic"] == "" ||
			!strings.Contains(line["stack"].(string), "lambdahttp_test") {
			t.Errorf("%v: log %s, %v", value, log.String(), err)
		}
	}
}

func TestResponseOverLambdasLimitIsA500(t *testing.T) {
	chunk := bytes.Repeat([]byte{0xff}, 1<<20)
	for _, megabytes := range []int{4, 5, 7, 100} {
		var failed error
		resp := invoke(t, minimal, func(w http.ResponseWriter, r *http.Request) {
			for range megabytes {
				if _, err := w.Write(chunk); err != nil {
					failed = err
					return
				}
			}
		})
		want := http.StatusInternalServerError
		if megabytes == 4 { // 5.6 MB as base64
			want = http.StatusOK
		}
		if resp.StatusCode != want {
			t.Errorf("%d MB: got %d, want %d", megabytes, resp.StatusCode, want)
		}
		if megabytes > 6 && failed == nil {
			t.Errorf("%d MB: the handler was not told", megabytes)
		}
	}
}

func TestOnlyUncompressedTextIsSentAsText(t *testing.T) {
	for _, test := range []struct {
		encoding, body string
		base64         bool
	}{{"", "text é", false}, {"", "\xff", true}, {"br", "looks like text", true}, {"", "", false}} {
		answer, err := lambdahttp.Record("GET", func(w http.ResponseWriter) {
			if test.encoding != "" {
				w.Header().Set("Content-Encoding", test.encoding)
			}
			io.WriteString(w, test.body)
		})
		if err != nil {
			t.Fatal(err)
		}
		var a struct{ IsBase64Encoded bool }
		if err := json.Unmarshal(answer, &a); err != nil || a.IsBase64Encoded != test.base64 {
			t.Errorf("%q %q: got %s %v", test.encoding, test.body, answer, err)
		}
	}
}

func TestHEADHasTheLength(t *testing.T) {
	answer, err := lambdahttp.Record("HEAD", func(w http.ResponseWriter) { io.WriteString(w, "hello") })
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"statusCode":200,"headers":{"content-length":"5","content-type":"text/plain; charset=utf-8"},"body":"","isBase64Encoded":false}`
	if string(answer) != want {
		t.Errorf("%s", answer)
	}
}
