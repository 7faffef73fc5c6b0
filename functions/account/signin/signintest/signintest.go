// Package signintest signs people in to the account without an email, for tests.
package signintest

import (
	"context"
	"net/http"
	"time"

	"marketplace/functions/account/signin"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	"marketplace/shared/token"
)

// Mail is the ID of the email that signed people in.
const Mail = "sign-in-of-a-test-link"

// TB is a test, testing.TB or rapid.T.
type TB interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
}

// recorder takes the cookie.
type recorder struct{ header http.Header }

func (r recorder) Header() http.Header       { return r.header }
func (recorder) Write(b []byte) (int, error) { return len(b), nil }
func (recorder) WriteHeader(int)             {}

// Cookie returns the cookie of a session of the person with an address, at a customer with an ID, that began now.
func Cookie(t TB, keys session.Keys, siteURL, email, customer string, now time.Time) *http.Cookie {
	t.Helper()
	rec := recorder{http.Header{}}
	s := signin.Session{ID: token.Session.New(), Email: email, Mail: Mail, Customer: customer,
		Times: session.Begin(now)}
	cookies := signin.CookiesOf(siteURL, secret.Fixed(keys))
	if err := cookies.Set(t.Context(), rec, signin.CookieName, s, s.Remaining(now)); err != nil {
		t.Fatal(err)
	}
	return (&http.Response{Header: rec.header}).Cookies()[0]
}
