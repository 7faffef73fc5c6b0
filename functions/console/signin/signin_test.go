package signin

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/infra/local/devidp"
	"marketplace/shared/brand"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	"marketplace/shared/store"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
	"marketplace/shared/web"
)

// clock is the time of the console and of the provider.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// console is a small console behind the gate, with the local OIDC provider.
type console struct {
	*httptest.Server
	*clock
	gate    *Gate
	table   *tabletest.Faulty
	log     *bytes.Buffer
	changes int // how often something was changed
}

const clientSecret = "a secret: 100% & more" // to be encoded on its way

func newConsole(t *testing.T, adjust ...func(*Options, *devidp.Options)) *console {
	t.Helper()
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	c := &console{
		clock: &clock{now: time.Date(2018, 3, 1, 9, 0, 0, 0, time.UTC)}, table: &tabletest.Faulty{Table: engine},
		log: new(bytes.Buffer),
	}
	var mux http.ServeMux
	c.Server = httptest.NewServer(&mux)
	t.Cleanup(c.Server.Close)
	log := slog.New(slog.NewTextHandler(c.log, nil))
	kept := store.New(c.table, store.Options{Now: c.Now})
	own := Options{
		Issuer: c.URL + devidp.Path, ClientID: "console", SiteURL: c.URL,
		Secrets: fixed(t, session.NewKey(), clientSecret), Sessions: kept, Directory: kept, Now: c.Now, Log: log,
	}
	local := devidp.Options{
		Issuer: c.URL + devidp.Path, ClientID: "console", ClientSecret: clientSecret, RedirectURI: c.URL + CallbackPath,
		SignedOutURI: c.URL + SignedOutPath, Now: c.Now, Log: log,
		People: append(devidp.SamplePeople(),
			devidp.Person{Email: "una@vendor.example", Name: "Una Unverified", Groups: []string{"admin"},
				Unverified: true},
			devidp.Person{Email: "rolf@vendor.example", Name: "Rolf Role", Groups: []string{"superuser", "Admin", ""}}),
	}
	for _, f := range adjust {
		f(&own, &local)
	}
	provider, err := devidp.New(local)
	if err != nil {
		t.Fatal(err)
	}
	c.gate = New(own)
	mux.Handle(devidp.Path+"/", provider)
	mux.Handle("/", c.handler(log))
	return c
}

// fixed returns secrets that do not change.
func fixed(t *testing.T, sessionKeys, clientSecret string) secret.Value[Secrets] {
	t.Helper()
	secrets, err := NewSecrets(sessionKeys, clientSecret)
	if err != nil {
		t.Fatal(err)
	}
	return secret.Fixed(secrets)
}

// keys returns the console's keys.
func (c *console) keys(t *testing.T) session.Keys {
	t.Helper()
	keys, err := c.gate.cookies.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// handler returns a console of four addresses.
func (c *console) handler(log *slog.Logger) http.Handler {
	who := func(w http.ResponseWriter, r *http.Request) error {
		p := PersonOf(r.Context())
		_, err := fmt.Fprintf(w, "%s|%s|%s|%s", p.Email, p.Name, p.Role, r.URL.RequestURI())
		return err
	}
	change := func(w http.ResponseWriter, r *http.Request) error {
		c.changes++
		return who(w, r)
	}
	pages := web.NewPages(fstest.MapFS{
		"templates/site.html":  {Data: []byte(`{{define "header"}}{{end}}{{define "footer"}}{{end}}`)},
		"templates/error.html": {Data: []byte(`{{define "main"}}<h1>{{.Title}}</h1><p>{{.Detail}}</p>{{end}}`)},
	}, brand.Brand{})
	return web.New(web.Options{Pages: pages, SiteURL: c.URL, Log: log, Routes: append(c.gate.Routes(),
		web.Route{Pattern: "GET /console", Handle: c.gate.Require(Viewer, who)},
		web.Route{Pattern: "GET /console/requests/{id}", Handle: c.gate.Require(Viewer, who)},
		web.Route{Pattern: "POST /console/requests/{id}", Handle: c.gate.Require(Sales, change)},
		web.Route{Pattern: "POST /console/keys", Handle: c.gate.Require(Admin, change)},
	)})
}

// answer is a response with its body.
type answer struct {
	*http.Response
	body string
	page *goquery.Document
}

// text returns the text of the first element that matches, on one line.
func (a answer) text(selector string) string {
	return strings.Join(strings.Fields(a.page.Find(selector).First().Text()), " ")
}

// browser keeps cookies, and follows redirects and refreshes unless told to stay.
type browser struct {
	t *testing.T
	http.Client
	header http.Header // sent with every request
	stay   bool        // do not follow
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, Client: http.Client{Jar: jar}, header: http.Header{}}
	b.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
		if b.stay || len(via) > 10 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

func (b *browser) do(method, target string) answer {
	b.t.Helper()
	r, err := http.NewRequest(method, target, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	res, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, to, ok := strings.Cut(res.Header.Get("Refresh"), "0; url="); ok && !b.stay {
		return b.do("GET", to)
	}
	page, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res, string(body), page}
}

// choose follows a person's link on the provider's page, or the link to cancel.
func (b *browser) choose(on answer, name string) answer {
	b.t.Helper()
	href, ok := on.page.Find("main a").FilterFunction(func(_ int,
		s *goquery.Selection) bool {
		return s.Text() == name
	}).Attr("href")
	if !ok {
		b.t.Fatalf("%q cannot be chosen on %s: %s", name, on.Request.URL, on.body)
	}
	to, err := on.Request.URL.Parse(href)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do("GET", to.String())
}

// signedIn returns a browser in which a person is signed in.
func (c *console) signedIn(t *testing.T, name string) *browser {
	t.Helper()
	b := newBrowser(t)
	if a := b.choose(b.do("GET", c.URL+"/console"), name); a.StatusCode != 200 ||
		!strings.Contains(a.body, "|"+name+"|") {
		t.Fatalf("signing in as %s: %d %s", name, a.StatusCode, a.body)
	}
	return b
}

func TestSigningInReturnsToTheRequestedPage(t *testing.T) {
	c := newConsole(t)
	b := newBrowser(t)
	page := b.do("GET", c.URL+"/console/requests/r1?tab=history&q=a%26b")
	if page.Request.URL.Path != devidp.Path+"/authorize" || page.StatusCode != 200 {
		t.Fatalf("sent to %s: %d", page.Request.URL, page.StatusCode)
	}
	in := b.choose(page, "Lucía Marín")
	if want := "lucia@vendor.example|Lucía Marín|sales|/console/requests/r1?tab=history&q=a%26b"; in.body != want {
		t.Errorf("signed in: got %q, want %q", in.body, want)
	}
	if again := b.do("GET", c.URL+"/console"); again.Request.URL.Path != "/console" ||
		!strings.HasPrefix(again.body, "lucia@") {
		t.Errorf("the next page: %s %s", again.Request.URL, again.body)
	}
	if log := c.log.String(); strings.Count(log, `msg="signed in" by="lucia at vendor.example" role=sales`) != 1 {
		t.Errorf("the log does not tell who signed in: %s", log)
	}
	for _, secret := range []string{"lucia@", "Marín", clientSecret, "code=", "state="} {
		if strings.Contains(c.log.String(), secret) {
			t.Errorf("the log has %q: %s", secret, c.log)
		}
	}
}

// A form's way may lead to no other site (form-action), by redirects either, and a search may find the session ended.
func TestSigningInFromConsoleFormUsesARefreshPage(t *testing.T) {
	c := newConsole(t)
	b := newBrowser(t)
	b.stay = true
	b.header.Set("Sec-Fetch-Site", "same-origin")
	a := b.do("GET", c.URL+SignInPath)
	_, to, _ := strings.Cut(a.Header.Get("Refresh"), "0; url=")
	if href, _ := a.page.Find("main a").Attr("href"); a.StatusCode != 200 || to == "" || href != to ||
		!strings.HasPrefix(to, c.URL+devidp.Path+"/authorize?") {
		t.Errorf("%d, to %q, link %q", a.StatusCode, to, href)
	}
	b.header.Set("Sec-Fetch-Site", "cross-site")
	if a := b.do("GET", c.URL+SignInPath); a.StatusCode != 303 {
		t.Errorf("from elsewhere: %d", a.StatusCode)
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	c := newConsole(t)
	b := c.signedIn(t, "Sam Okoye")
	out := b.do("POST", c.URL+SignOutPath)
	if out.Request.URL.Path != SignedOutPath || out.text("h1") != "You are signed out" {
		t.Errorf("signed out at %s: %s", out.Request.URL, out.body)
	}
	if a := b.do("GET", c.URL+"/console"); a.text("h1") != "Sign in as…" {
		t.Errorf("after signing out: %s", a.body)
	}
	if a := b.do("GET", c.URL+SignOutPath); a.StatusCode != 405 {
		t.Errorf("signing out by a link: %d", a.StatusCode)
	}
	evil := c.signedIn(t, "Sam Okoye")
	evil.header.Set("Origin", "https://evil.example")
	if a := evil.do("POST", c.URL+SignOutPath); a.StatusCode != 403 {
		t.Errorf("signing out by a stranger's form: %d", a.StatusCode)
	}
}

func TestSigningOutAtProviders(t *testing.T) {
	const back = "https://licenses.example/console/signedout"
	for _, tt := range []struct{ name, issuer, auth, endpoint, want string }{
		{"standard", "https://id.example", "https://id.example/auth", "https://id.example/end?a=b",
			"https://id.example/end?a=b&client_id=c&post_logout_redirect_uri=" + url.QueryEscape(back)},
		{"Cognito", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab",
			"https://x.auth.eu-central-1.amazoncognito.com/oauth2/authorize", "",
			"https://x.auth.eu-central-1.amazoncognito.com/logout?client_id=c&logout_uri=" + url.QueryEscape(back)},
		{"none", "https://id.example", "https://id.example/auth", "", ""},
		{"a wrong one", "https://id.example", "https://id.example/auth", "javascript:alert(1)", ""},
	} {
		if got := endSession(tt.issuer, tt.auth, tt.endpoint, "c", back); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestRefusedPeopleAreToldWhy(t *testing.T) {
	for name, want := range map[string]string{
		"Nico Neumann":   "You do not have access yet",
		"Rolf Role":      "You do not have access yet",
		"Una Unverified": "Verify your email address",
		"Cancel":         "You are not signed in",
	} {
		c := newConsole(t)
		b := newBrowser(t)
		a := b.choose(b.do("GET", c.URL+"/console/requests/r1"), name)
		if a.StatusCode != 403 || a.text("h1") != want {
			t.Errorf("%s: %d %q", name, a.StatusCode, a.text("h1"))
		}
		if name == "Cancel" {
			href, _ := a.page.Find("main a.button").Attr("href")
			if href != SignInPath+"?return=%2Fconsole%2Frequests%2Fr1" {
				t.Errorf("cancelled: link to %q", href)
			}
		} else if action, _ := a.page.Find("main form").Attr("action"); action != SignOutPath {
			t.Errorf("%s: nobody else can sign in: form to %q", name, action)
		}
		if a := b.do("GET", c.URL+"/console"); a.text("h1") != "Sign in as…" {
			t.Errorf("%s is let in: %s", name, a.body)
		}
		if strings.Contains(c.log.String(), "@vendor") {
			t.Errorf("the log names %s: %s", name, c.log)
		}
	}
}
