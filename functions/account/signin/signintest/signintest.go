// Package signintest signs people in to the account without an email, for tests.
package signintest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"marketplace/functions/account/signin"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	"marketplace/shared/token"
)

// Cookie returns the cookie of a session of the person with an address, at a customer with an ID, that began now.
func Cookie(t testing.TB, keys session.Keys, siteURL, email, customer string, now time.Time) *http.Cookie {
	t.Helper()
	rec := httptest.NewRecorder()
	s := signin.Session{ID: token.Session.New(), Email: email, Customer: customer, Times: session.Begin(now)}
	cookies := signin.CookiesOf(siteURL, secret.Fixed(keys))
	if err := cookies.Set(t.Context(), rec, signin.CookieName, s, s.Remaining(now)); err != nil {
		t.Fatal(err)
	}
	return rec.Result().Cookies()[0]
}
