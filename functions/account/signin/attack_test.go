package signin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	mailed "marketplace/shared/mail/notice"
	"marketplace/shared/secret"
	signins "marketplace/shared/store/signin"
	"marketplace/shared/store/storetest"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// Attacks on signing in, each by somebody who has all but one thing.

// TestSessionNamesTheEmailThatSignedIn opens the cookie of a session.
func TestSessionNamesTheEmailThatSignedIn(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	code := b.begin(ana)
	link := e.deliver()
	b.enter(link, code).WantRedirect(Home)
	id, _, _ := strings.Cut(strings.TrimPrefix(link, siteURL+SignInPath+"/"), "?")
	if got, want := e.sessionOf(b).Mail, mailed.IDOf(id, mailed.Link); got != want {
		t.Errorf("got the email %q, want %q", got, want)
	}
}

// sessionOf opens the cookie of a browser's session.
func (e *testEnv) sessionOf(b *browser) (s Session) {
	e.t.Helper()
	r := httptest.NewRequest("GET", Home, nil)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	ok, err := CookiesOf(siteURL, secret.Fixed(e.keys)).Read(r, sessionCookie, &s)
	if err != nil || !ok {
		e.t.Fatalf("got no session: %v", err)
	}
	return s
}

// TestOneLinkUsedAtOnceSignsInOnce has many browsers send the right code at the same moment.
func TestOneLinkUsedAtOnceSignsInOnce(t *testing.T) {
	e := newTestEnv(t)
	code := e.browser().begin(ana)
	id, nonce := linkParts(t, e.deliver())
	kept := signins.New(e.kept.Store)
	const browsers = 16
	errs := make([]error, browsers)
	var all sync.WaitGroup
	for i := range browsers {
		all.Go(func() { _, errs[i] = kept.Enter(context.Background(), id, nonce, code) })
	}
	all.Wait()
	in := 0
	for _, err := range errs {
		switch {
		case err == nil:
			in++
		case fault.KindOf(err) != fault.Gone && fault.KindOf(err) != fault.Conflict:
			t.Errorf("got %v", err)
		}
	}
	if in != 1 {
		t.Errorf("got %d browsers signed in, want 1", in)
	}
}

// TestGuessesAtOnceAreCounted has many guesses of the code sent at the same moment: no more than five are looked at.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	e := newTestEnv(t)
	code := e.browser().begin(ana)
	id, nonce := linkParts(t, e.deliver())
	kept := signins.New(e.kept.Store)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	const guesses = 40
	errs := make([]error, guesses)
	var all sync.WaitGroup
	for i := range guesses {
		all.Go(func() { _, errs[i] = kept.Enter(context.Background(), id, nonce, wrong) })
	}
	all.Wait()
	looked := 0
	for _, err := range errs {
		if fault.KindOf(err) == fault.Invalid {
			looked++
		}
	}
	if looked >= signins.MaxWrong {
		t.Errorf("got %d guesses looked at, want fewer than %d", looked, signins.MaxWrong)
	}
	for range signins.MaxWrong { // those that met others were not looked at
		_, _ = kept.Enter(t.Context(), id, nonce, wrong)
	}
	if _, err := kept.Enter(t.Context(), id, nonce, code); fault.KindOf(err) != fault.Gone {
		t.Errorf("got %v for the right code after all guesses, want Gone", err)
	}
}

// linkParts are the ID and the secret of a link.
func linkParts(t *testing.T, link string) (id, nonce string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, SignInPath+"/"), token.AccountLink.Read(u.Query().Get("token"))
}

// TestCodeOfOneLinkOpensNoOther begins twice: the code of one sign-in with the link of the other is a wrong code.
func TestCodeOfOneLinkOpensNoOther(t *testing.T) {
	e := newTestEnv(t)
	mine, others := e.browser(), e.browser() // a stranger begins with the same address
	strangers := others.begin(ana)
	e.deliver()
	code := mine.begin(ana)
	link := e.deliver()
	if code != strangers {
		others.enter(link, strangers).WantStatus(http.StatusUnprocessableEntity)
	}
	others.get(Home).WantRedirect(SignInPath)
	mine.enter(link, code).WantRedirect(Home)
}

// TestClockSetBackOpensNothing sets the clock back to before the email was sent, and to before the session began.
func TestClockSetBackOpensNothing(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	code := b.begin(ana)
	link := e.deliver()
	sent := e.now
	e.now = sent.Add(-2 * time.Minute)
	b.enter(link, code).WantStatus(http.StatusGone)
	e.now = sent
	b.enter(link, code).WantRedirect(Home)
	e.now = sent.Add(-2 * time.Minute)
	b.get(Home).WantRedirect(SignInPath)
}

// TestFormsOfOtherSitesAreRefused sends every form of the gate as another site's page would: none signs a browser in,
// begins anything, chooses a company, or signs out.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	b.signIn(pia).WantRedirect(ChoosePath)
	attacker := e.browser() // who is a contact, and plants the own sign-in
	code := attacker.begin(ana)
	link := strings.TrimPrefix(e.deliver(), siteURL)
	before := len(e.rows.Rows())
	for _, target := range []string{SignInPath, link, ChoosePath, SignOutPath} {
		for _, from := range []map[string]string{
			{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
			{"Sec-Fetch-Site": "same-site", "Origin": "https://downloads.vendor.example"},
			{"Origin": "https://evil.example"}, {"Origin": "null"},
		} {
			form := url.Values{"email": {ana}, "code": {code}, "customer": {storetest.CustomerID("Acme AG")}}
			r := httptest.NewRequest("POST", target, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, value := range from {
				r.Header.Set(name, value)
			}
			for _, c := range b.cookies {
				r.AddCookie(c)
			}
			w := httptest.NewRecorder()
			e.handler.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden || len(w.Result().Cookies()) != 0 {
				t.Errorf("%s from %v: got %d with the cookies %v", target, from, w.Code, w.Result().Cookies())
			}
		}
	}
	if got := len(e.rows.Rows()); got != before {
		t.Errorf("got %d rows, want %d", got, before)
	}
	b.do("POST", ChoosePath, url.Values{"customer": {storetest.CustomerID("Acme AG")}}).WantRedirect(Home)
	attacker.enter(link, code).WantRedirect(Home) // it was not used up
}

// TestPageOfALinkNamesWhoItSignsIn shows the address to somebody who was sent another person's link and code.
func TestPageOfALinkNamesWhoItSignsIn(t *testing.T) {
	e := newTestEnv(t)
	e.browser().begin(ana)
	victim := e.browser()
	if page := victim.get(e.deliver()).WantStatus(200).Page(); !strings.Contains(page.Find(".lead").Text(), ana) {
		t.Errorf("got %s", page.Find(".lead").Text())
	}
}

// TestCookiesStayOfThisSite looks at each cookie that is set.
func TestCookiesStayOfThisSite(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	b.signIn(pia)
	b.begin(pia)
	if len(b.cookies) < 2 {
		t.Fatalf("got the cookies %v", b.cookies)
	}
	for name, c := range b.cookies {
		if !strings.HasPrefix(name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
			c.Path != "/" || c.Domain != "" || strings.Contains(c.Value, "pia") {
			t.Errorf("got the cookie %s", c)
		}
	}
}

// TestOneCookieIsNoOther passes each sealed cookie off as each other one.
func TestOneCookieIsNoOther(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	b.signIn(ana).WantRedirect(Home)
	begun := e.browser()
	begun.begin(ana)
	for _, from := range begun.cookies {
		forged := e.browser()
		c := *from
		c.Name = "__Host-" + sessionCookie
		forged.cookies[c.Name] = &c
		forged.get(Home).WantRedirect(SignInPath)
	}
	session := *b.cookies["__Host-"+sessionCookie]
	session.Name = "__Host-" + attemptCookie
	forged := e.browser()
	forged.cookies[session.Name] = &session
	forged.get(sentPath).WantRedirect(SignInPath)
}

// TestReturnStaysInTheAccount tries what browsers read as another host, and what would loop.
func TestReturnStaysInTheAccount(t *testing.T) {
	for _, to := range []string{
		"//evil.example", "///evil.example/account", "https:evil.example", "https:/account", `/\evil.example`,
		`/account/\evil.example`, "/account/../console", "/account/..%2f..%2fconsole", "/account/%2e%2e/console",
		"/account//evil.example", "/account@evil.example", "/accounts", "/account\r\nLocation: https://evil.example",
		"/account/%0d%0aX: y", "javascript:alert(1)", "/account/" + strings.Repeat("a", 3000), "/account/signin",
		"/account/signin/x?token=y", "/account/signout", "/account/customers?return=/account", "account",
	} {
		if got := returnPath(to); got != Home && !strings.HasPrefix(got, "/account/%0d%0a") {
			t.Errorf("%q: got %q, want the overview", to, got)
		}
	}
}

// TestNarrowedContactIsNarrowedAtOnce takes installations from a contact who is signed in.
func TestNarrowedContactIsNarrowedAtOnce(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	b.signIn(ana).WantRedirect(Home)
	s := e.sessionOf(b)
	gate := New(Options{SiteURL: siteURL, Keys: secret.Fixed(e.keys), Accounts: e.kept,
		SignIns: signins.New(e.kept.Store), Now: func() time.Time { return e.now }})
	seen, ok, err := gate.seen(t.Context(), s)
	if err != nil || !ok || !seen.Whole || len(seen.Instances) != 1 {
		t.Fatalf("got %+v, %v, %v", seen, ok, err)
	}
	e.edit(func(c *customer.Customer) { c.Contacts[0].Instances = []string{"another"} })
	seen, ok, err = gate.seen(t.Context(), s)
	if err != nil || !ok || seen.Whole || len(seen.Instances) != 0 || len(seen.Contracts) != 0 {
		t.Errorf("got %+v, %v, %v, want nothing", seen, ok, err)
	}
}

// TestLargeAndStrangeBodiesAreRefused sends what no form sends.
func TestLargeAndStrangeBodiesAreRefused(t *testing.T) {
	e := newTestEnv(t)
	code := e.browser().begin(ana)
	link := e.deliver()
	b := e.browser()
	before := len(e.rows.Rows())
	for _, target := range []string{SignInPath, link, ChoosePath} {
		if target == ChoosePath {
			b.signIn(pia).WantRedirect(ChoosePath)
			before = len(e.rows.Rows())
		}
		b.do("POST", target, url.Values{"email": {strings.Repeat("a", web.MaxBody)}}).
			WantStatus(http.StatusRequestEntityTooLarge)
	}
	for _, typed := range []string{"ana@acme.example\r\nBcc: eve@evil.example", "ana@acme.example\x00@evil.example",
		strings.Repeat("a", 300) + "@acme.example", "ana@acme.example,eve@evil.example", "ana@[127.0.0.1]"} {
		b.do("POST", SignInPath, url.Values{"email": {typed}}).WantStatus(http.StatusUnprocessableEntity)
	}
	if got := len(e.rows.Rows()); got != before {
		t.Errorf("got %d rows, want %d", got, before)
	}
	e.browser().enter(link, code).WantRedirect(Home)
}
