package webtest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// Client asks a site without a network.
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
	return c.Do("POST", target, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

// Answer is what a site answered; it ends the test T where it is not what its methods want.
type Answer struct {
	T testing.TB
	*http.Response
	Body string
}

// WantStatus wants a status, and gives the answer back.
func (a *Answer) WantStatus(status int) *Answer {
	a.T.Helper()
	if a.StatusCode != status {
		a.T.Fatalf("status %d, want %d\n%s", a.StatusCode, status, a.Body)
	}
	return a
}

// WantRedirect wants what follows a form that was accepted: See Other, and where to.
func (a *Answer) WantRedirect(to string) {
	a.T.Helper()
	if got := a.WantStatus(http.StatusSeeOther).Header.Get("Location"); got != to {
		a.T.Fatalf("led to %s, want %s", got, to)
	}
}

// Page wants a page, and reads it.
func (a *Answer) Page() *goquery.Document {
	a.T.Helper()
	if ct := a.Header.Get("Content-Type"); ct != "text/html; charset=utf-8" {
		a.T.Fatalf("Content-Type %q", ct)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	if err != nil {
		a.T.Fatal(err)
	}
	return doc
}

// Text is what a reader sees of a selection, white space collapsed.
func Text(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }
