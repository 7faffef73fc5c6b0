package webtest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// Client sends requests to a site without a network.
type Client struct {
	T       testing.TB
	Site    http.Handler
	Cookies []*http.Cookie // sent with each request
}

// Do sends a request; header is pairs of names and values.
func (c Client) Do(method, target, body string, header ...string) *Answer {
	c.T.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, cookie := range c.Cookies {
		r.AddCookie(cookie)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	c.Site.ServeHTTP(rec, r)
	return &Answer{T: c.T, Response: rec.Result(), Body: rec.Body.String()}
}

// Send posts a form as a browser does.
func (c Client) Send(target string, form url.Values) *Answer {
	c.T.Helper()
	return c.Do("POST", target, form.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

// Answer is a site's response. Its methods end the test T if it is not as expected.
type Answer struct {
	T testing.TB
	*http.Response
	Body string
}

// WantStatus checks the status and returns the answer.
func (a *Answer) WantStatus(status int) *Answer {
	a.T.Helper()
	if a.StatusCode != status {
		a.T.Fatalf("got status %d, want %d\n%s", a.StatusCode, status, a.Body)
	}
	return a
}

// WantRedirect checks the response to an accepted form: See Other, and the address.
func (a *Answer) WantRedirect(to string) {
	a.T.Helper()
	if got := a.WantStatus(http.StatusSeeOther).Header.Get("Location"); got != to {
		a.T.Fatalf("got Location %s, want %s", got, to)
	}
}

// Page checks that the answer is a page, and parses it.
func (a *Answer) Page() *goquery.Document {
	a.T.Helper()
	if ct := a.Header.Get("Content-Type"); ct != "text/html; charset=utf-8" {
		a.T.Fatalf("got Content-Type %q, want a page", ct)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	if err != nil {
		a.T.Fatal(err)
	}
	return doc
}

// Text returns the text of a selection with white space collapsed.
func Text(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }
