package main

import (
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"marketplace/infra/localdata"
)

// multipartForm returns the content type and body of a form sent by curl -F.
func multipartForm(t *testing.T, fields url.Values) (contentType, body string) {
	t.Helper()
	var b strings.Builder
	w := multipart.NewWriter(&b)
	for name, values := range fields {
		for _, value := range values {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.String()
}

func TestClockAcceptsBothFormEncodings(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	env.moveClock("2028-01-01T00:00:00Z")
	contentType, body := multipartForm(t, url.Values{"now": {" 2028-02-01T00:00:00Z\n"}})
	if resp, problem := env.do("POST", "/_local/clock", contentType, body); resp.StatusCode != http.StatusOK {
		t.Errorf("got %s %s, want 200", resp.Status, problem)
	}
	if passed := env.clock().Sub(time.Date(2028, 2, 1, 0, 0, 0, 0, time.UTC)); passed < 0 || passed > time.Minute {
		t.Errorf("got a clock %v ahead of the set time, want less than a minute", passed)
	}
}

func TestClockRefusesInvalidTimes(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	before := time.Now()
	for _, tt := range []struct {
		form url.Values
		want string
	}{
		{nil, "“now” is missing"},
		{url.Values{"Now": {"2028-03-01T10:00:00Z"}}, "“now” is missing"},
		{url.Values{"now": {"  "}}, "“now” is empty"},
		{url.Values{"now": {"2028-03-01T10:00:00Z", "2028-03-01T10:00:00Z"}}, "“now” was sent 2 times"},
		{url.Values{"now": {"tomorrow"}}, "RFC 3339 time, for example 2"},
		{url.Values{"now": {"2028-02-30T00:00:00Z"}}, "RFC 3339 time"},
		{url.Values{"now": {"2028-02-28"}}, "RFC 3339 time"},
		{url.Values{"now": {"9999-01-01T00:00:00Z"}}, "50 years"},
	} {
		contentType, body := multipartForm(t, tt.form)
		for contentType, body := range map[string]string{contentType: body,
			"application/x-www-form-urlencoded": tt.form.Encode()} {
			if resp, problem := env.do("POST", "/_local/clock", contentType,
				body); resp.StatusCode != http.StatusBadRequest || !strings.Contains(problem, tt.want) {
				t.Errorf("%v as %s: got %s %s, want %s", tt.form, contentType, resp.Status, problem, tt.want)
			}
		}
	}
	contentType, body := multipartForm(t, url.Values{"now": {"2028-03-01T10:00:00Z"},
		"more": {strings.Repeat("x", 1<<20)}})
	for _, tt := range []struct {
		contentType, body string
		status            int
	}{
		{"application/json", `{"now":"2028-03-01T10:00:00Z"}`, http.StatusUnsupportedMediaType},
		{"", "", http.StatusUnsupportedMediaType},
		{"multipart/form-data", body, http.StatusBadRequest},
		{contentType, body[:200], http.StatusBadRequest},
		{contentType, body, http.StatusRequestEntityTooLarge},
	} {
		if resp, problem := env.do("POST", "/_local/clock", tt.contentType, tt.body); resp.StatusCode != tt.status {
			t.Errorf("%q: got %s %s, want %d", tt.contentType, resp.Status, problem, tt.status)
		}
	}
	if now := env.clock(); now.Sub(before) > time.Hour {
		t.Errorf("after refused moves: got %v, want an unmoved clock", now)
	}
}
