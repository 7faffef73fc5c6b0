package signin

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"marketplace/shared/brand"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	signins "marketplace/shared/store/signin"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
	"marketplace/shared/web"
	"marketplace/shared/web/webtest"
)

const siteURL = "https://licenses.vendor.example"

const (
	ana  = "ana@acme.example"    // a contact of Acme AG
	pia  = "pia@partner.example" // a contact of Acme AG and of Borealis GmbH
	nobo = "nobody@elsewhere.example"
)

// testEnv is a gate over a real store, before a page that says who came in.
type testEnv struct {
	t       *testing.T
	now     time.Time
	rows    *tabletest.Memory
	kept    *delivery.Store
	keys    session.Keys
	handler http.Handler
	letters letter.Writer
}

func newTestEnv(t *testing.T) *testEnv {
	t.Helper()
	e := &testEnv{t: t, now: time.Date(2026, 11, 30, 9, 30, 0, 0, time.UTC), rows: &tabletest.Memory{},
		letters: letter.Writer{URL: siteURL, Sales: mail.Address{Email: "sales@vendor.example"}}}
	clock := func() time.Time { return e.now }
	e.kept = delivery.New(store.New(e.rows, store.Options{Now: clock}))
	keys, err := session.ParseKeys(session.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	e.keys = keys
	log := slog.New(slog.DiscardHandler)
	gate := New(Options{SiteURL: siteURL, Keys: secret.Fixed(keys), Accounts: e.kept,
		SignIns: signins.New(e.kept.Store), Sales: mail.Address{Email: "sales@vendor.example"}, Now: clock, Log: log})
	who := func(w http.ResponseWriter, r *http.Request) error {
		v := VisitOf(r.Context())
		_, err := w.Write([]byte(v.Email + " at " + v.Seen.Customer.Name))
		return err
	}
	pages := web.NewPages(fstest.MapFS{
		"templates/site.html":  {Data: []byte(`{{define "header"}}{{end}}{{define "footer"}}{{end}}`)},
		"templates/error.html": {Data: []byte(`{{define "main"}}<h1>{{.Title}}</h1><p>{{.Detail}}</p>{{end}}`)},
	}, brand.Brand{})
	e.handler = web.New(web.Options{Pages: pages, SiteURL: siteURL, Log: log, Routes: append(gate.Routes(),
		web.Route{Pattern: "GET " + Home, Handle: gate.Require(who)},
		web.Route{Pattern: "GET " + Home + "/instances/{id}", Handle: gate.Require(who)},
		web.Route{Pattern: "POST " + Home + "/instances/{id}", Handle: gate.Require(who)})})
	e.record("Acme AG", "AWacmeprod0000000001", ana)
	e.record("Acme AG", "AWacmeprod0000000001", pia)
	e.record("Borealis GmbH", "AWborealis0000000003", pia)
	return e
}

// record puts a license of a company with a contact on record.
func (e *testEnv) record(company string, server license.Server, email string) {
	e.t.Helper()
	storetest.Record(e.t, e.kept.Store, license.License{Organization: company, Type: license.Production,
		Server: server, Edition: license.Enterprise, MaxLoc: 500_000, NotBefore: license.DateOf(e.now),
		Expiration: license.DateOf(e.now).AddDays(300)}, license.Contact{Email: email})
}

// browser keeps cookies.
type browser struct {
	*testEnv
	cookies map[string]*http.Cookie
}

func (e *testEnv) browser() *browser { return &browser{e, map[string]*http.Cookie{}} }

func (b *browser) do(method, target string, form url.Values) *webtest.Answer {
	b.t.Helper()
	r := httptest.NewRequest(method, strings.TrimPrefix(target, siteURL), strings.NewReader(form.Encode()))
	r.Header.Set("Accept", "text/html")
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	b.handler.ServeHTTP(rec, r)
	a := &webtest.Answer{T: b.t, Response: rec.Result(), Body: rec.Body.String()}
	for _, c := range a.Cookies() {
		if b.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return a
}

func (b *browser) get(target string) *webtest.Answer {
	b.t.Helper()
	return b.do("GET", target, nil)
}

// begin begins a sign-in, and returns the code that the page shows.
func (b *browser) begin(email string) (code string) {
	b.t.Helper()
	b.do("POST", SignInPath, url.Values{"email": {email}}).WantRedirect(sentPath)
	page := b.get(sentPath).WantStatus(200).Page()
	code = strings.ReplaceAll(page.Find("#code").Text(), " ", "")
	if !regexp.MustCompile(`^\d{6}$`).MatchString(code) {
		b.t.Fatalf("got the code %q, want six digits", code)
	}
	return code
}

// deliver has the mailer deal with the emails that are ready, and returns the newest link; "" if none was sent.
func (e *testEnv) deliver() (link string) {
	e.t.Helper()
	box := e.kept.Outbox()
	for shard := range rowkey.Shards {
		ready, err := box.Ready(e.t.Context(), 1, shard, 100)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, entry := range ready {
			m, err := box.Read(e.t.Context(), entry.ID)
			if err != nil {
				e.t.Fatal(err)
			}
			if m.Kind != mail.SignInLink {
				continue
			}
			if sent := e.send(m); sent != "" {
				link = sent
			}
		}
	}
	return link
}

// send deals with an email as the mailer does, and returns its link.
func (e *testEnv) send(m outbox.Mail) (link string) {
	e.t.Helper()
	ctx, box := e.t.Context(), e.kept.Outbox()
	records, err := e.kept.Records(ctx, m.Notice)
	if err != nil {
		e.t.Fatal(err)
	}
	if why := m.Pointless(records); why != "" {
		if err := box.Drop(ctx, m, why); err != nil {
			e.t.Fatal(err)
		}
		return ""
	}
	written, err := e.letters.Write(m.Notice, records, nil, letter.Call{Attempt: 1})
	if err == nil {
		m, err = box.Begin(ctx, m, 1, written)
	}
	if err == nil {
		err = box.RecordSent(ctx, m, "x")
	}
	if err != nil {
		e.t.Fatal(err)
	}
	return regexp.MustCompile(siteURL + SignInPath + `/\S+`).FindString(written.Text)
}

// signIn signs somebody in, and returns the answer to the code.
func (b *browser) signIn(email string) *webtest.Answer {
	b.t.Helper()
	code := b.begin(email)
	return b.enter(b.deliver(), code)
}

func (b *browser) enter(link, code string) *webtest.Answer {
	b.t.Helper()
	return b.do("POST", link, url.Values{"code": {code}})
}
