package signin

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"marketplace/infra/local/devidp"
)

// session returns the browser's session cookie.
func (b *browser) session(c *console) *http.Cookie {
	b.t.Helper()
	at, err := url.Parse(c.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, have := range b.Jar.Cookies(at) {
		if have.Name == sessionCookie {
			return have
		}
	}
	b.t.Fatal("no session")
	return nil
}

// asks asks for a page with a cookie.
func (c *console) asks(method string, with *http.Cookie) *http.Response {
	return c.sends(method, "/console/requests/r1", with)
}

// sends sends a request with a cookie; nil for none.
func (c *console) sends(method, path string, with *http.Cookie) *http.Response {
	rec := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, nil)
	if with != nil {
		r.Header.Set("Cookie", with.Name+"="+with.Value)
	}
	c.Config.Handler.ServeHTTP(rec, r)
	return rec.Result()
}

func TestAlteredSessionIsRefusedAndCleared(t *testing.T) {
	c := newConsole(t)
	good := c.signedIn(t, "Sam Okoye").session(c)
	if got := c.asks("POST", good); got.StatusCode != 200 {
		t.Fatalf("unaltered: %d", got.StatusCode)
	}
	c.changes = 0
	check := func(what, value string) {
		t.Helper()
		for method, status := range map[string]int{"GET": 303, "POST": 403} {
			got := c.asks(method, &http.Cookie{Name: good.Name, Value: value})
			if got.StatusCode != status {
				t.Errorf("%s: %s gives %d", what, method, got.StatusCode)
			}
			if cleared := got.Cookies(); len(cleared) != 1 || cleared[0].Name != good.Name ||
				cleared[0].MaxAge != -1 || cleared[0].Value != "" {
				t.Errorf("%s: %s clears %v", what, method, cleared)
			}
		}
	}
	for i := range len(good.Value) {
		for bit := range 8 {
			altered := []byte(good.Value)
			altered[i] ^= 1 << bit
			check("a bit of the text", string(altered))
		}
	}
	box, err := base64.RawURLEncoding.DecodeString(good.Value)
	if err != nil {
		t.Fatal(err)
	}
	for i := range box {
		for bit := range 8 {
			box[i] ^= 1 << bit
			check("a bit of the box", base64.RawURLEncoding.EncodeToString(box))
			box[i] ^= 1 << bit
		}
	}
	for what, value := range map[string]string{
		"nothing": "", "half": good.Value[:len(good.Value)/2], "one short": good.Value[:len(good.Value)-1],
		"twice":  good.Value + good.Value,
		"padded": good.Value + "=", "a line's end": good.Value[:8] + "\n" + good.Value[8:], "short": "AAAA",
	} {
		check(what, value)
	}
	if c.changes != 0 {
		t.Errorf("%d changes", c.changes)
	}
}

func TestCookieOpensForItsOwnPurposeOnly(t *testing.T) {
	c := newConsole(t)
	s := newSession(Person{Email: "a@b.example", Role: Admin}, c.Now())
	if got := c.asks("GET", c.sealed(t, sessionCookie, s)[0]); got.StatusCode != 200 {
		t.Fatalf("a session: %d", got.StatusCode)
	}
	other := c.sealed(t, attemptCookie, s)[0]
	other.Name = sessionCookie
	if got := c.asks("GET", other); got.StatusCode != 303 {
		t.Errorf("an attempt's cookie for a session's: %d", got.StatusCode)
	}
}

func TestSessionEndsWhenIdleOrOld(t *testing.T) {
	for _, tt := range []struct {
		name  string
		moves []time.Duration // with a request after each
		in    bool            // at the last one
	}{
		{"at once", []time.Duration{0}, true},
		{"used within the hour", []time.Duration{59*time.Minute + 59*time.Second}, true},
		{"idle for an hour", []time.Duration{time.Hour}, false},
		{"used again and again", []time.Duration{50 * time.Minute, 50 * time.Minute, 50 * time.Minute}, true},
		{"used, then idle", []time.Duration{50 * time.Minute, 61 * time.Minute}, false},
		{"used all day", []time.Duration{50 * time.Minute, 50 * time.Minute, 50 * time.Minute, 50 * time.Minute,
			50 * time.Minute,
			50 * time.Minute, 50 * time.Minute, 50 * time.Minute, 50 * time.Minute, 29*time.Minute + 59*time.Second},
			true},
		{"used for longer than eight hours",
			[]time.Duration{50 * time.Minute, 50 * time.Minute, 50 * time.Minute, 50 * time.Minute, 50 * time.Minute,
				50 * time.Minute, 50 * time.Minute, 50 * time.Minute, 50 * time.Minute, 30 * time.Minute}, false},
		{"a clock a little behind", []time.Duration{-30 * time.Second}, true},
		{"a clock set back by a month", []time.Duration{-30 * 24 * time.Hour}, false},
	} {
		c := newConsole(t)
		b := c.signedIn(t, "Vera Vogel")
		var a answer
		for _, d := range tt.moves {
			c.move(d)
			// Without the jar's own idea of time: the cookie's contents decide.
			a = b.do("GET", c.URL+"/console")
		}
		if in := a.Request.URL.Path == "/console"; in != tt.in {
			t.Errorf("%s: signed in: %v", tt.name, in)
		}
	}
}

func TestSessionIsRenewedWhenUsed(t *testing.T) {
	c := newConsole(t)
	cookie := c.signedIn(t, "Vera Vogel").session(c)
	for _, tt := range []struct {
		after  time.Duration
		maxAge int // of the cookie that comes; 0: none comes
	}{
		{30 * time.Second, 0},
		{30 * time.Second, 3600},
		{30 * time.Minute, 3600},
		{59 * time.Minute, 3600},
		{59 * time.Minute, 3600}, {59 * time.Minute, 3600}, {59 * time.Minute, 3600}, {59 * time.Minute, 3600},
		{59 * time.Minute, 3600},
		{59 * time.Minute, 36 * 60}, // what is left of eight hours
		{35 * time.Minute, 60},
	} {
		c.move(tt.after)
		got := c.asks("GET", cookie)
		if got.StatusCode != 200 {
			t.Fatalf("after %v: %d", tt.after, got.StatusCode)
		}
		renewed := got.Cookies()
		switch {
		case tt.maxAge == 0 && len(renewed) != 0:
			t.Errorf("after %v: %v", tt.after, renewed)
		case tt.maxAge != 0 && (len(renewed) != 1 || renewed[0].MaxAge != tt.maxAge):
			t.Errorf("after %v: %v, want Max-Age %d", tt.after, renewed, tt.maxAge)
		case tt.maxAge != 0:
			cookie = renewed[0]
		}
	}
}

func TestCookieAttributesProtectIt(t *testing.T) {
	for _, tt := range []struct {
		site, prefix string
		secure       bool
	}{
		{"https://licenses.example", "__Host-", true},
		{"http://localhost:8080", "", false},
	} {
		c := newConsole(t, func(o *Options, _ *devidp.Options) { o.SiteURL = tt.site })
		for _, of := range []string{sessionCookie, attemptCookie} {
			made := c.sealed(t, of, signedIn{})[0]
			if made.Name != tt.prefix+of || made.Path != "/" || made.Domain != "" || !made.HttpOnly ||
				made.Secure != tt.secure || made.SameSite != http.SameSiteLaxMode {
				t.Errorf("%s: %v", tt.site, made)
			}
		}
	}
}

func TestCookiesFitInBrowserLimits(t *testing.T) {
	c := newConsole(t, func(o *Options, _ *devidp.Options) { o.SiteURL = "https://licenses.example" })
	// As long as it can be: a name of 100 characters of four bytes, an address of 254.
	s := newSession(Person{Email: strings.Repeat("e", maxEmail), Name: strings.Repeat("\U0001F600", 100),
		Role: Viewer}, c.Now())
	if n := len(c.sealed(t, sessionCookie, s)[0].String()); n >= 4096 {
		t.Errorf("a session: %d bytes", n)
	}
	rec := httptest.NewRecorder()
	r := httptest.NewRequest("GET", SignInPath+"?return="+url.QueryEscape("/console/?q="+strings.Repeat("&",
		maxReturn-12)), nil)
	r.Host = strings.TrimPrefix(c.URL, "http://")
	c.Config.Handler.ServeHTTP(rec, r)
	made := rec.Result().Cookies()
	if len(made) != 1 || len(made[0].Raw) >= 4096 || len(made[0].Raw) < maxReturn {
		t.Errorf("an attempt: %d %v", rec.Code, made)
	}
}
