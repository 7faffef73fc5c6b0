package site

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/shared/brand"
	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter/lettertest"
	"marketplace/shared/officehours"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/requester"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/web"
	"marketplace/shared/web/webtest"
)

const (
	siteURL     = "https://licenses.vendor.example"
	packagesURL = "https://packages.vendor.example"
)

// start is the time of the tests' clock, a Monday.
var start = time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)

// sample is the catalog of the sample metadata with built packages, one of them withdrawn.
var sample = sync.OnceValues(func() (*catalog.Catalog, error) {
	c, err := data.Catalog(siteURL)
	if err != nil {
		return nil, err
	}
	for i := range c.Packages {
		p := &c.Packages[i]
		p.Size, p.SHA256 = 89_400_000, strings.Repeat("0123456789abcdef", 4)
		if p.Edition == "enterprise" && p.Version == "7.0" {
			p.Withdrawn = "One of its plugins was broken; take 7.1."
		}
	}
	return c, nil
})

// testEnv is a site over a real store, and what tests inspect behind it.
type testEnv struct {
	t     *testing.T
	site  http.Handler
	store *delivery.Store
	table table.Table
	log   *bytes.Buffer
	brand brand.Brand
	keys  license.Issuer
	clock time.Time
	now   time.Time // of the store
}

func newTestEnv(t *testing.T) *testEnv {
	t.Helper()
	opened, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.Close() })
	return newTestEnvOver(t, opened)
}

func newTestEnvOver(t *testing.T, tab table.Table) *testEnv {
	t.Helper()
	env := &testEnv{t: t, table: tab, log: new(bytes.Buffer), keys: licensetest.Issuer(t), clock: start,
		now: start}
	env.open(officehours.Hours{})
	return env
}

// open makes the site and the store of an office with other hours over the same table.
func (env *testEnv) open(hours officehours.Hours) {
	env.store = delivery.New(store.New(env.table, store.Options{
		Now: func() time.Time { return env.now }, Hours: hours,
	}))
	env.site = New(Options{
		Store: env.store, Requester: requester.New(env.store.Store), Catalog: sample,
		Keys: func() (license.KeySet, error) { return env.keys.Keys, nil },
		Now:  func() time.Time { return env.clock }, SiteURL: siteURL, PackagesURL: packagesURL,
		Sales: mail.Address{Name: "Sales", Email: "sales@vendor.example"}, Brand: env.brand,
		Log: slog.New(slog.NewJSONHandler(&lockedWriter{w: env.log}, nil)),
	})
}

// in returns the environment for a subtest.
func (env *testEnv) in(t *testing.T) *testEnv {
	sub := *env
	sub.t = t
	return &sub
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// do sends a request; header is pairs of names and values.
func (env *testEnv) do(method, target, body string, header ...string) *webtest.Answer {
	env.t.Helper()
	return webtest.Client{T: env.t, Site: env.site}.Do(method, target, body, header...)
}

func (env *testEnv) get(target string, header ...string) *webtest.Answer {
	env.t.Helper()
	return env.do("GET", target, "", header...)
}

// send posts a form as a browser does.
func (env *testEnv) send(target string, form url.Values) *webtest.Answer {
	env.t.Helper()
	return webtest.Client{T: env.t, Site: env.site}.Send(target, form)
}

// pendingMails returns the IDs of the emails in the outbox.
func (env *testEnv) pendingMails() (ids []string) {
	env.t.Helper()
	list, err := lettertest.Ready(env.t.Context(), env.store)
	if err != nil {
		env.t.Fatal(err)
	}
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	return ids
}

// validForm returns a valid form.
func validForm() url.Values {
	return url.Values{
		"kind": {"new"}, "edition": {"developer"}, "serverId": {"AWHW8w9JtzBzSrmf9GQX"}, "ncloc": {"120000"},
		"productVersion": {"6.7.1"},
		"name":           {"Jane Doe"}, "email": {"jane.doe@customer.example"}, "company": {"Customer & Sons"},
		"country": {"Switzerland"},
		"phone":   {"+41 22 555 01 23"}, "message": {"Please hurry."}, "contacts": {"john@customer.example"},
		"idempotencyKey": {"a-token-of-the-form"},
	}
}

// withValues returns the form with other values; pairs of names and values.
func withValues(form url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

func TestTemplatesMatchTheirData(t *testing.T) {
	webtest.CheckPages(t, templates, map[string]any{
		"home.html": homeView{}, "editions.html": editionsView{}, "edition.html": editionView{},
		"install.html": installView{}, "choose.html": chooseView{}, "request.html": formView{},
		"community.html": communityView{}, "terms.html": termsView{}, "privacy.html": privacyView{},
		"status.html": statusView{}, "unconfirmed.html": statusView{}, "confirm.html": confirmView{},
		"correct.html": correctView{},
		"renew.html":   renewView{}, "answer.html": answerView{},
		"undo.html": undoView{}, "stop.html": stopView{},
		"serverid.html": serverIDView{}, "check.html": checkView{}, "error.html": web.ErrorView{},
	})
}

func TestEveryPageIsComplete(t *testing.T) {
	env := newTestEnv(t)
	for _, path := range []string{
		"/", "/?serverId=AWHW8w9JtzBzSrmf9GQX", "/terms", "/privacy", "/request", "/request?serverId=AWHW8w9JtzBzSrmf9GQX",
		"/request/developer", "/request/enterprise", "/request/datacenter",
		"/request/community", "/licenses/check", "/server-id", "/editions/community", "/editions/developer",
		"/editions/enterprise", "/editions/datacenter",
		"/editions", "/editions?q=cobol&sourceEdition=developer", "/editions?sourceEdition=community&q=cobal",
		"/editions?sourceEdition=datacenter&q=enterprise", "/editions/enterprise?sourceEdition=developer",
		"/editions/developer/install?sourceEdition=enterprise&version=6.7.1&os=windows",
		"/editions/datacenter/install?os=macos", "/editions/enterprise/install?version=7.0",
		"/editions/developer/install?version=9.9",
		env.send("/request/developer", validForm()).Header.Get("Location"),
	} {
		t.Run(path, func(t *testing.T) {
			doc := env.in(t).get(path).WantStatus(200).Page()
			webtest.CheckPage(t, doc)
			doc.Find("link[href^='/'], a[href^='/']").Each(func(_ int, s *goquery.Selection) {
				href, _, _ := strings.Cut(s.AttrOr("href", ""), "#")
				if href == "/catalog.json" || strings.HasPrefix(href, "/downloads/") || href == "/account" {
					return // of the catalog function or the account's
				}
				if status := env.get(href).StatusCode; status != 200 {
					t.Errorf("link to %s: got status %d, want 200", href, status)
				}
			})
		})
	}
}

func TestHomeShowsTheEditions(t *testing.T) {
	doc := newTestEnv(t).get("/").WantStatus(200).Page()
	var keys []string
	doc.Find(".card a").Each(func(_ int, s *goquery.Selection) { keys = append(keys, s.AttrOr("href", "")) })
	want := "/editions/community /editions/developer /editions/enterprise /editions/datacenter"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("got editions %s, want %s", got, want)
	}
}

func TestMistypedCatalogAddressAllowsAnyOrigin(t *testing.T) {
	env := newTestEnv(t)
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{"/edition.json", "/editions.json/", "/api/editions.json"} {
			a := env.do(method, path, "").WantStatus(http.StatusNotFound)
			if got := a.Header.Get("Access-Control-Allow-Origin"); got != "*" {
				t.Errorf("%s %s: got allowed origin %q, want *", method, path, got)
			}
		}
	}
	if got := env.get("/nothing").WantStatus(http.StatusNotFound).Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("/nothing: got allowed origin %q, want none", got)
	}
}

func TestHealthAndRobots(t *testing.T) {
	env := newTestEnv(t)
	if body := env.get("/healthz").WantStatus(200).Body; body != "ok\n" {
		t.Errorf("health: got %q, want ok", body)
	}
	const robots = "User-agent: *\nDisallow: /request/\nDisallow: /requests/\nDisallow: /renew/\n" +
		"Disallow: /answer/\nDisallow: /reminders/\nDisallow: /contacts/\nDisallow: /api/\n"
	if body := env.get("/robots.txt").WantStatus(200).Body; body != robots {
		t.Errorf("robots: got %q", body)
	}
}
