package site

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/functions/console/signin"
	"marketplace/infra/local/devidp"
	"marketplace/shared/brand"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter/lettertest"
	"marketplace/shared/request"
	"marketplace/shared/retention"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	"marketplace/shared/store"
	"marketplace/shared/store/audit"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/reply"
	"marketplace/shared/store/search"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/web"
	"marketplace/shared/web/webtest"
)

const siteURL = "https://licenses.vendor.example"

// start is the initial time of the tests, a Monday.
var start = time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)

// People of infra/local/devidp.
const (
	vera  = "Vera Vogel"  // viewer
	sam   = "Sam Okoye"   // sales
	lucia = "Lucía Marín" // sales
	ada   = "Ada Brandt"  // admin
)

// emails holds their addresses by name.
var emails = func() map[string]string {
	m := map[string]string{}
	for _, p := range devidp.SamplePeople() {
		m[p.Name] = p.Email
	}
	return m
}()

// gateOptions configure a gate, with the session cookies of people by name.
type gateOptions struct {
	signin.Options
	cookies map[string][]*http.Cookie
}

// signedIn signs everybody in, once for all tests, as a browser does.
var signedIn = sync.OnceValues(func() (gateOptions, error) {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	now, log := func() time.Time { return start }, slog.New(slog.DiscardHandler)
	provider, err := devidp.New(devidp.Options{
		Issuer: server.URL + devidp.Path, ClientID: "console", ClientSecret: "secret",
		RedirectURI:  server.URL + signin.CallbackPath,
		SignedOutURI: server.URL + signin.SignedOutPath, People: devidp.SamplePeople(), Now: now, Log: log,
	})
	if err != nil {
		return gateOptions{}, err
	}
	secrets, err := signin.NewSecrets(session.NewKey(), "secret")
	if err != nil {
		return gateOptions{}, err
	}
	d := gateOptions{cookies: map[string][]*http.Cookie{}, Options: signin.Options{
		Issuer: server.URL + devidp.Path, ClientID: "console", SiteURL: server.URL, Secrets: secret.Fixed(secrets),
		Now: now, Log: log,
	}}
	nothing := func(http.ResponseWriter, *http.Request) error { return nil }
	mux.Handle(devidp.Path+"/", provider)
	mux.Handle("/", web.New(web.Options{Pages: web.NewPages(templates, brand.Brand{}), Log: log,
		Routes: append(signin.New(d.Options).Routes(),
			web.Route{Pattern: "GET /console", Handle: nothing})}))
	for _, p := range devidp.SamplePeople() {
		if len(p.Groups) == 0 {
			continue
		}
		if d.cookies[p.Name], err = signInAs(server.URL, p.Name); err != nil {
			return gateOptions{}, err
		}
	}
	return d, nil
})

// signInAs signs in as a person and returns the cookies of the browser.
func signInAs(address, name string) ([]*http.Cookie, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := http.Client{Jar: jar}
	page, err := browser.Get(address + signin.SignInPath)
	if err != nil {
		return nil, err
	}
	defer page.Body.Close()
	doc, err := goquery.NewDocumentFromReader(page.Body)
	if err != nil {
		return nil, err
	}
	href := doc.Find("main a").FilterFunction(func(_ int,
		s *goquery.Selection) bool {
		return s.Text() == name
	}).AttrOr("href", "")
	to, err := page.Request.URL.Parse(href)
	if err != nil {
		return nil, err
	}
	console, err := browser.Get(to.String())
	if err != nil {
		return nil, err
	}
	console.Body.Close()
	if console.StatusCode != http.StatusOK || console.Request.URL.Path != "/console" {
		return nil, fmt.Errorf("signing in as %s: %s at %s", name, console.Status, console.Request.URL)
	}
	at, err := url.Parse(address)
	return jar.Cookies(at), err
}

// sampleCatalog returns the catalog of the sample metadata.
var sampleCatalog = sync.OnceValues(func() (*catalog.Catalog, error) { return data.Catalog(siteURL) })

// testEnv is a console with a real store.
type testEnv struct {
	t     testing.TB
	site  http.Handler
	store *delivery.Store
	table table.Table
	now   *time.Time
	log   *bytes.Buffer
	gate  gateOptions
}

func newTestEnv(t testing.TB, adjust ...func(*Options)) *testEnv {
	t.Helper()
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return newTestEnvOver(t, engine, adjust...)
}

func newTestEnvOver(t testing.TB, engine table.Table, adjust ...func(*Options)) *testEnv {
	t.Helper()
	now := start
	w := &testEnv{t: t, table: engine, now: &now, log: new(bytes.Buffer)}
	var err error
	if w.gate, err = signedIn(); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return *w.now }
	w.store = delivery.New(store.New(engine, store.Options{Now: clock}))
	gate := w.gate.Options
	gate.Sessions = w.store
	hashKeys, err := erasure.ParseKeys(session.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Store: w.store, Search: search.New(w.store.Store), Eraser: erasure.New(w.store.Store, secret.Fixed(hashKeys)),
		Audit: audit.New(w.store.Store, retention.Policy{}), Replies: w.replies(), Gate: signin.New(gate),
		Deletion: deletion.New(w.store.Store), Catalog: sampleCatalog,
		SiteURL: siteURL,
		Sales:   mail.Address{Name: "Sales", Email: "sales@vendor.example"},
		Now:     clock, Log: slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	for _, f := range adjust {
		f(&o)
	}
	w.site = New(o)
	return w
}

// in returns the testEnv for a subtest.
func (w *testEnv) in(t *testing.T) *testEnv {
	sub := *w
	sub.t = t
	return &sub
}

func (w *testEnv) advance(d time.Duration) { *w.now = w.now.Add(d) }

// as returns a client with a person's session; "" is nobody.
func (w *testEnv) as(who string) webtest.Client {
	return webtest.Client{T: w.t, Site: w.site, Cookies: w.gate.cookies[who]}
}

func (w *testEnv) get(who, target string) *webtest.Answer {
	w.t.Helper()
	return w.as(who).Do("GET", target, "")
}

// send posts a form as a browser does.
func (w *testEnv) send(who, target string, form url.Values) *webtest.Answer {
	w.t.Helper()
	return w.as(who).Send(target, form)
}

// snapshot returns the snapshot in the forms of a page.
func (w *testEnv) snapshot(page string) url.Values {
	w.t.Helper()
	form := w.get(sam, page).WantStatus(200).Page().Find("main form[method=post]").First()
	return url.Values{
		"version": {form.Find("input[name=version]").AttrOr("value", "")},
		"seen":    {form.Find("input[name=seen]").AttrOr("value", "")},
	}
}

// sampleDetails holds the details of a request.
var sampleDetails = request.Details{
	Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000,
	ProductVersion: "6.7.1",
	Name:           "Jane Doe", Email: "jane.doe@customer.example", Company: "Customer & Sons", Country: "Switzerland",
	Contacts: []string{"john@customer.example"}, Message: "Please hurry.",
}

func (w *testEnv) file(d request.Details) request.Request {
	w.t.Helper()
	r, _, err := storetest.FileRequest(w.t.Context(), w.store, d, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// fileUnconfirmed files a request that nobody has confirmed yet.
func (w *testEnv) fileUnconfirmed(d request.Details) request.Request {
	w.t.Helper()
	r, _, err := w.store.FileRequest(w.t.Context(), store.Filing{Details: d})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// timeline returns what happened to a request, the oldest first.
func (w *testEnv) timeline(r request.Request) []store.Event {
	w.t.Helper()
	events, err := w.store.RequestTimeline(w.t.Context(), r.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return events
}

// sampleLicense returns a license as the console issues it.
func sampleLicense(id string, expiration license.Date) license.License {
	return license.License{
		ID: id, Type: license.Production, Organization: "Customer & Sons", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer,
		MaxLoc:  200_000, NotBefore: license.Date{Year: 2018, Month: 3, Day: 1}, Expiration: expiration,
		Issued:  license.Date{Year: 2018, Month: 3, Day: 1},
		KeyText: strings.Repeat("Rm9ybWF0PTEK", 60), Plugins: []string{"license"}, Features: []string{"branches"},
	}
}

// sampleContacts are the contacts of the customer of sampleLicense.
var sampleContacts = []license.Contact{
	{Name: "Jane Doe", Email: "jane.doe@customer.example"}, {Email: "john@customer.example"},
}

// record puts a license on record that was issued elsewhere, with the contacts of its customer; none are the sample's.
func (w *testEnv) record(l license.License, contacts ...license.Contact) store.LicenseRecord {
	w.t.Helper()
	if len(contacts) == 0 {
		contacts = sampleContacts
	}
	return storetest.Record(w.t, w.store.Store, l, contacts...)
}

// issue issues a license without the generator, as change says.
func (w *testEnv) issue(l license.License, change func(*store.Issue)) {
	w.t.Helper()
	i, err := storetest.Draft(w.t.Context(), w.store.Store, l, sampleContacts...)
	if err == nil {
		change(&i)
		err = w.store.IssueLicenses(w.t.Context(), i)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *testEnv) pendingMails() (ids []string) {
	w.t.Helper()
	list, err := lettertest.Ready(w.t.Context(), w.store)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestTemplatesMatchTheirData(t *testing.T) {
	webtest.CheckPages(t, templates, map[string]any{
		"queue.html": queueView{}, "search.html": searchView{}, "request.html": requestView{},
		"license.html": licenseView{},
		"revoke.html":  revokeView{}, "licenses.html": licensesView{}, "overview.html": overviewView{},
		"export.html": exportView{}, "preview.html": previewView{},
		"settings.html": settingsView{}, "templates.html": templatesView{}, "template.html": &templateForm{},
		"sent-letter.html": sentLetterView{}, "letters.html": lettersView{},
		"error.html": web.ErrorView{}, "wizard.html": &wizardView{}, "wizard-review.html": reviewView{},
		"retention.html":      retentionView{},
		"wizard-partly.html":  partlyView{},
		"wizard-package.html": packageView{},
		"customers.html":      customersView{}, "customer.html": customerView{},
		"customer-instances.html": instancesPage{}, "customer-timeline.html": customerTimelineView{},
		"customer-form.html": customerForm{}, "instance.html": instanceView{}, "move.html": moveView{},
		"erase.html": eraseView{},
		"merge.html": mergeView{}, "audit.html": auditView{}, "key.html": keyView{},
		"reminders.html": remindersView{}, "forecast.html": forecastView{},
	})
}

// customerOf returns the customer of a license.
func (w *testEnv) customerOf(id string) customer.Customer {
	w.t.Helper()
	a, err := w.store.Account(w.t.Context(), w.license(id).License.Customer)
	w.must(err)
	return a.Customer
}

// replies are the templates in the store.
func (w *testEnv) replies() *reply.Store { return reply.New(w.store.Table(), w.store.Now) }

// everyPage are the addresses of the console's pages, with things to show.
func (w *testEnv) everyPage() []string {
	w.t.Helper()
	r := w.file(sampleDetails)
	w.record(sampleLicense("l1", license.Date{Year: 2018, Month: 8, Day: 31}))
	return []string{
		"/console", "/console?show=mine", "/console?show=waiting", "/console?show=closed", "/console?state=in-review",
		"/console?kind=new&edition=developer", "/console?kind=renewal",
		"/console/search", "/console/search?q=customer", "/console/search?q=nobody", "/console/overview",
		"/console/requests/" + r.ID,
		"/console/licenses", "/console/licenses?expires=2018-08", "/console/licenses/l1", "/console/licenses/l1/revoke",
		"/console/export", "/console/reminders", "/console/reminders?day=2018-03-05", "/console/reminders?license=l1",
		"/console/reminders?customer=" + string(w.customerOf("l1").Reference),
	}
}

func TestEveryPageIsComplete(t *testing.T) {
	w := newTestEnv(t)
	for _, path := range w.everyPage() {
		t.Run(path, func(t *testing.T) {
			a := w.in(t).get(sam, path).WantStatus(200)
			if got := a.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
			doc := a.Page()
			webtest.CheckPage(t, doc)
			if doc.Find("meta[name=robots][content=noindex]").Length() != 1 {
				t.Error("the robots meta tag is missing")
			}
			if who := webtest.Text(doc.Find("header .who")); who != "Sam Okoye (sales) Sign out" {
				t.Errorf("got header %q", who)
			}
			doc.Find("link[href^='/'], a[href^='/']").Each(func(_ int, s *goquery.Selection) {
				if href := s.AttrOr("href", ""); href != "/" && w.get(sam, href).StatusCode != 200 {
					t.Errorf("link to %s: %d", href, w.get(sam, href).StatusCode)
				}
			})
		})
	}
}

func TestNotFoundPageShowsWhoIsSignedIn(t *testing.T) {
	w := newTestEnv(t)
	for _, path := range []string{"/console/requests/none", "/console/licenses/none", "/console/licenses/none/key",
		"/console/requests/%00", "/console/licenses/" + strings.Repeat("x", 3000)} {
		doc := w.get(sam, path).WantStatus(404).Page()
		if webtest.Text(doc.Find("header .who b, header .who")) == "" {
			t.Errorf("%s: the header does not show who is signed in", path)
		}
	}
	w.get(sam, "/console/").WantStatus(http.StatusMovedPermanently)
}
