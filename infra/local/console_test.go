package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"marketplace/infra/localdata"
)

// signIn signs a person in at the local provider and returns the cookies.
func (env *testEnv) signIn(person string) string {
	env.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		env.t.Fatal(err)
	}
	browser := testEnv{env.Server, env.t, http.Client{Jar: jar}}
	page, body := browser.do("GET", "/console", "", "")
	to, err := page.Request.URL.Parse(document(env.t, body).Find("a[href*='person="+person+"']").AttrOr("href", ""))
	if err != nil {
		env.t.Fatal(err)
	}
	if in, _ := browser.do("GET", to.String(), "", ""); in.Request.URL.Path != "/console" {
		env.t.Fatalf("signing in as %s: got %s, want /console", person, in.Request.URL)
	}
	site, err := url.Parse(env.URL)
	if err != nil {
		env.t.Fatal(err)
	}
	var pairs []string
	for _, c := range jar.Cookies(site) {
		pairs = append(pairs, c.String())
	}
	return strings.Join(pairs, "; ")
}

func TestSignOutEndsTheSession(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	session, other := env.signIn("sam"), env.signIn("sam")
	want := func(what, cookie string, page, form int) {
		t.Helper()
		if got, _ := env.do("GET", "/console/licenses", "", "", "Cookie", cookie); got.StatusCode != page {
			t.Errorf("%s, page: got %d, want %d", what, got.StatusCode, page)
		}
		got, body := env.do("POST", "/console/requests/01h/take", "application/x-www-form-urlencoded",
			"version=1&seen=01h", "Cookie", cookie)
		if got.StatusCode != form {
			t.Errorf("%s, form: got %d, want %d\n%.300s", what, got.StatusCode, form, body)
		}
	}
	want("signed in", session, 200, 404)
	if out, _ := env.do("POST", "/console/signout", "", "", "Cookie", session); out.StatusCode != 200 {
		t.Fatalf("signing out: got %d, want 200", out.StatusCode)
	}
	want("signed out", session, 303, 403)
	want("signed in elsewhere", other, 200, 404)
}
