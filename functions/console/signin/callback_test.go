package signin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"marketplace/infra/local/devidp"
	"marketplace/shared/session"
)

// answered returns the address that the provider redirects a browser to, without following it.
func (c *console) answered(t *testing.T, b *browser) *url.URL {
	t.Helper()
	page := b.do("GET", c.URL+SignInPath+"?return=/console/requests/r1")
	b.stay = true
	back := b.choose(page, "Sam Okoye")
	b.stay = false
	to, err := back.Location()
	if err != nil {
		t.Fatalf("%d %s: %v", back.StatusCode, back.body, err)
	}
	return to
}

// altered returns the address with another value of a parameter.
func altered(u *url.URL, name, value string) string {
	q := u.Query()
	q.Set(name, value)
	return u.Scheme + "://" + u.Host + u.Path + "?" + q.Encode()
}

func TestCallbackRefusesAnswersOfNoAttempt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		reason string
		call   func(c *console, b *browser, to *url.URL) answer
	}{
		{"another state", "the state is not from this browser",
			func(_ *console, b *browser, to *url.URL) answer { return b.do("GET", altered(to, "state", "x")) }},
		{"no state", "the state is not from this browser",
			func(_ *console, b *browser, to *url.URL) answer { return b.do("GET", altered(to, "state", "")) }},
		{"another code", "the code is not valid",
			func(_ *console, b *browser, to *url.URL) answer { return b.do("GET", altered(to, "code", "x")) }},
		{"no code", "the code is not valid",
			func(_ *console, b *browser, to *url.URL) answer { return b.do("GET", altered(to, "code", "")) }},
		{"another browser", "the state is not from this browser",
			func(_ *console, _ *browser, to *url.URL) answer { return newBrowser(t).do("GET", to.String()) }},
		{"a later attempt", "the state is not from this browser", func(c *console, b *browser, to *url.URL) answer {
			b.do("GET", c.URL+SignInPath)
			return b.do("GET", to.String())
		}},
		{"too late for the code", "the code is not valid", func(c *console, b *browser, to *url.URL) answer {
			c.move(2 * time.Minute)
			return b.do("GET", to.String())
		}},
		{"too late for the attempt", "the state is not from this browser",
			func(c *console, b *browser, to *url.URL) answer {
				c.move(attemptLife)
				return b.do("GET", to.String())
			}},
		{"a clock that was set back", "the state is not from this browser",
			func(c *console, b *browser, to *url.URL) answer {
				c.move(-time.Hour)
				return b.do("GET", to.String())
			}},
		{"a code that was used", "the code is not valid", func(c *console, b *browser, to *url.URL) answer {
			at, _ := url.Parse(c.URL)
			kept := b.Jar.Cookies(at)
			if a := b.do("GET", to.String()); a.StatusCode != 200 {
				t.Errorf("used at first: %d", a.StatusCode)
			}
			b.Jar.SetCookies(at, kept)
			return b.do("GET", to.String())
		}},
		{"another PKCE verifier", "the code is not valid", func(c *console, b *browser, to *url.URL) answer {
			state := to.Query().Get("state")
			at, _ := url.Parse(c.URL)
			b.Jar.SetCookies(at, c.sealed(t, attemptCookie,
				attempt{State: state, Verifier: "v", Begun: c.Now().Unix()}))
			return b.do("GET", to.String())
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newConsole(t)
			b := newBrowser(t)
			a := tt.call(c, b, c.answered(t, b))
			if a.StatusCode != 400 || a.text("h1") != "This sign-in cannot be completed" ||
				a.text("main a.button") != "Start again" {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
			if log := c.log.String(); strings.Contains(log, "ERROR") || !strings.Contains(log, tt.reason) {
				t.Errorf("log: %s", c.log)
			}
		})
	}
}

// sealed returns cookies as the gate sets them.
func (c *console) sealed(t *testing.T, of string, v any) []*http.Cookie {
	t.Helper()
	rec := &recorder{header: http.Header{}}
	if err := c.gate.cookies.Set(t.Context(), rec, of, v, time.Hour); err != nil {
		t.Fatal(err)
	}
	return (&http.Response{Header: rec.header}).Cookies()
}

type recorder struct{ header http.Header }

func (r *recorder) Header() http.Header       { return r.header }
func (*recorder) Write(p []byte) (int, error) { return len(p), nil }
func (*recorder) WriteHeader(int)             {}

func TestTokenNonceMustMatchTheAttempt(t *testing.T) {
	c := newConsole(t)
	b := newBrowser(t)
	to := c.answered(t, b)
	// What the provider signs has the nonce of the address that the browser was sent to: another one there, and the
	// attempt's is not met.
	page := b.do("GET", c.URL+SignInPath)
	with := altered(page.Request.URL, "nonce", "another")
	b.stay = true
	back, err := b.choose(b.do("GET", with), "Ada Brandt").Location()
	b.stay = false
	if err != nil {
		t.Fatal(err)
	}
	if a := b.do("GET", back.String()); a.StatusCode != 403 || a.text("h1") != "We could not verify who you are" {
		t.Errorf("another nonce: %d %s", a.StatusCode, a.body)
	}
	if a := b.do("GET", to.String()); a.StatusCode != 400 {
		t.Errorf("the first attempt afterwards: %d", a.StatusCode)
	}
}

func TestCallbackRedirectsSignedInPeopleHome(t *testing.T) {
	c := newConsole(t)
	b := newBrowser(t)
	to := c.answered(t, b)
	if a := b.do("GET", to.String()); a.Request.URL.Path != "/console/requests/r1" {
		t.Fatalf("signed in: %s", a.Request.URL)
	}
	if a := b.do("GET", to.String()); a.StatusCode != 200 || a.Request.URL.Path != "/console" {
		t.Errorf("back by the browser's button: %d %s", a.StatusCode, a.Request.URL)
	}
}

func TestCallbackExplainsProviderErrors(t *testing.T) {
	for code, want := range map[string]struct {
		status int
		log    string
	}{
		"access_denied":           {403, "cancelled"},
		"temporarily_unavailable": {503, "level=WARN"},
		"server_error":            {503, "level=WARN"},
		"unauthorized_client":     {403, "level=WARN"},
		"jane@customer.example":   {403, "of no known form"},
	} {
		c := newConsole(t)
		b := newBrowser(t)
		to := c.answered(t, b)
		a := b.do("GET", altered(to, "error", code)+"&error_description=jane%40customer.example+%3Cscript%3E")
		if a.StatusCode != want.status || strings.Contains(a.body, "jane") || strings.Contains(a.body, "<script>") {
			t.Errorf("%s: %d %s", code, a.StatusCode, a.body)
		}
		if log := c.log.String(); !strings.Contains(log, want.log) || strings.Contains(log, "jane") {
			t.Errorf("%s: log %s", code, log)
		}
		if retry := a.Header.Get("Retry-After") != ""; retry != (want.status == 503) {
			t.Errorf("%s: Retry-After %v", code, retry)
		}
		forged := newBrowser(t)
		if a := forged.do("GET", altered(to, "error", code)); a.StatusCode != 400 {
			t.Errorf("%s, of no attempt: %d", code, a.StatusCode)
		}
	}
}

func TestUnusableProviderIsReported(t *testing.T) {
	for _, tt := range []struct {
		name   string
		adjust func(*Options, *devidp.Options)
		status int
		log    string
	}{
		{"nobody there", func(o *Options, _ *devidp.Options) { o.Issuer = "http://127.0.0.1:1" }, 503, "level=WARN"},
		{"no provider", func(o *Options, _ *devidp.Options) { o.Issuer = o.SiteURL + "/console" }, 503, "level=WARN"},
		{"of another name", func(_ *Options, p *devidp.Options) { p.Issuer += "/other" }, 503, "level=WARN"},
		{"a slash too much", func(o *Options, _ *devidp.Options) { o.Issuer += "/" }, 500, "did not match"},
	} {
		c := newConsole(t, tt.adjust)
		b := newBrowser(t)
		a := b.do("GET", c.URL+"/console/requests/r1")
		if a.StatusCode != tt.status || !strings.Contains(c.log.String(), tt.log) {
			t.Errorf("%s: %d, log %s", tt.name, a.StatusCode, c.log)
		}
		if strings.Contains(a.body, "127.0.0.1") || strings.Contains(a.body, "did not match") {
			t.Errorf("%s: the page shows the cause: %s", tt.name, a.body)
		}
		if href, _ := a.page.Find("main a.button").Attr("href"); tt.status == 503 &&
			href != SignInPath+"?return=%2Fconsole%2Frequests%2Fr1" {
			t.Errorf("%s: to try again: %q", tt.name, href)
		}
		if out := b.do("POST", c.URL+SignOutPath); tt.status == 503 &&
			(out.StatusCode != 200 || out.text("h1") != "You are signed out of the console") {
			t.Errorf("%s: signing out: %d %s", tt.name, out.StatusCode, out.body)
		}
	}
}

func TestUnknownClientIsReported(t *testing.T) {
	c := newConsole(t, func(o *Options, _ *devidp.Options) {
		o.Secrets = fixed(t, session.NewKey(), "another")
	})
	b := newBrowser(t)
	if a := b.do("GET", c.answered(t, b).String()); a.StatusCode != 500 ||
		!strings.Contains(c.log.String(), "invalid_client") {
		t.Errorf("%d, log %s", a.StatusCode, c.log)
	}
}
