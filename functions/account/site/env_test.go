package site

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"marketplace/catalog/data"
	"marketplace/functions/account/signin"
	"marketplace/functions/account/signin/signintest"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	"marketplace/shared/store"
	"marketplace/shared/store/contact"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/requester"
	accounts "marketplace/shared/store/signin"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
	"marketplace/shared/web/webtest"
)

const siteURL = "https://licenses.vendor.example"

// start is the initial time of the tests, a Monday.
var start = time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)

// Contacts of the two customers of the tests.
const (
	ana  = "ana@acme.example"     // of Acme AG, for everything
	sven = "sven@acme.example"    // of Acme AG, for its staging alone
	bea  = "bea@borealis.example" // of Borealis GmbH, for everything
	pia  = "pia@partner.example"  // of both, for everything
)

// testEnv is an account site over a real store, with two customers.
type testEnv struct {
	t              *testing.T
	now            time.Time
	rows           *tabletest.Memory
	kept           *delivery.Store
	keys           session.Keys
	handler        http.Handler
	acme, borealis *customer.Account
}

func newTestEnv(t *testing.T) *testEnv {
	t.Helper()
	e := &testEnv{t: t, now: start, rows: &tabletest.Memory{}}
	clock := func() time.Time { return e.now }
	e.kept = delivery.New(store.New(e.rows, store.Options{Now: clock}))
	keys, err := session.ParseKeys(session.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	e.keys = keys
	catalogs, err := data.Catalog(siteURL)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	e.handler = New(Options{
		Store: e.kept, Requester: requester.New(e.kept.Store), Contacts: contact.New(e.kept.Store),
		Reminders: e.kept, Personal: erasure.NewWishes(e.kept.Store),
		Gate: signin.New(signin.Options{SiteURL: siteURL, Keys: secret.Fixed(keys), Accounts: e.kept,
			SignIns: accounts.New(e.kept.Store), Now: clock, Log: log}),
		Catalog: fixed(catalogs), SiteURL: siteURL, PackagesURL: "https://downloads.vendor.example",
		Sales: mail.Address{Email: "sales@vendor.example"}, Now: clock, Log: log,
	})
	e.record("Acme AG", license.Production, "AWacmeprod0000000001", ana)
	e.record("Acme AG", license.Staging, "AWacmestag0000000002", pia)
	e.record("Borealis GmbH", license.Production, "AWborealis0000000003", bea)
	e.record("Borealis GmbH", license.Staging, "AWborealis0000000004", pia)
	e.reload()
	staging := customer.Contact{Name: "Sven Acme", Email: sven, Since: start, VouchedBy: storetest.By,
		Instances: []string{e.instance(e.acme, license.Staging).ID}}
	if err := e.kept.SaveCustomer(t.Context(), store.AccountChange{Customer: e.acme.Customer.ID,
		Version: e.acme.Version, By: storetest.By}, e.acme.Customer.ID, func(c *customer.Customer) error {
		c.Contacts = append(c.Contacts, staging)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	e.reload()
	return e
}

func fixed[T any](v T) func() (T, error) { return func() (T, error) { return v, nil } }

// record puts a license on record, with a contact of its customer.
func (e *testEnv) record(organization string, kind license.Type, server license.Server, email string) {
	e.t.Helper()
	storetest.Record(e.t, e.kept.Store, license.License{Organization: organization, Type: kind, Server: server,
		Edition: license.Enterprise, MaxLoc: 500_000, Support: true, NotBefore: license.DateOf(start).AddDays(-300),
		Expiration: license.DateOf(start).AddDays(65), KeyText: "key of " + string(server)},
		license.Contact{Name: "Contact of " + organization, Email: email})
}

// reload reads the customers again.
func (e *testEnv) reload() {
	e.t.Helper()
	for organization, to := range map[string]**customer.Account{"Acme AG": &e.acme, "Borealis GmbH": &e.borealis} {
		a, err := e.kept.Account(e.t.Context(), storetest.CustomerID(organization))
		if err != nil {
			e.t.Fatal(err)
		}
		*to = a
	}
}

// instance returns a customer's instance of a type of license.
func (e *testEnv) instance(of *customer.Account, kind license.Type) customer.Instance {
	e.t.Helper()
	for _, i := range of.Instances {
		if i.Licenses[0].Type == kind {
			return i
		}
	}
	e.t.Fatalf("%s has no %s", of.Customer.Name, kind)
	return customer.Instance{}
}

// as signs somebody in at a customer.
func (e *testEnv) as(email string, at *customer.Account) webtest.Client {
	e.t.Helper()
	cookie := signintest.Cookie(e.t, e.keys, siteURL, email, at.Customer.ID, e.now)
	return webtest.Client{T: e.t, Site: e.handler, Cookies: []*http.Cookie{cookie}}
}

// open opens a page of the account.
func open(c webtest.Client, path string) *webtest.Answer {
	c.T.Helper()
	return c.Do("GET", path, "", "Accept", "text/html")
}
