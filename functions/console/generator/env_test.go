package generator

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/letter/lettertest"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/search"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

var sample = sync.OnceValues(func() (*catalog.Catalog, error) {
	return data.Catalog("https://licenses.vendor.example")
})

// testEnv is a generator over a real store, with its own keys and a clock that the test moves.
type testEnv struct {
	*Generator
	*testing.T
	store    *delivery.Store
	table    *tabletest.Faulty // under the store
	now      time.Time
	issuer   license.Issuer
	packages packages
}

const (
	prod  = "AWHW8w9JtzBzSrmf9GQX"
	other = "AWHW8w9JtzBzSrmf9GQZ"
	stage = "AWHW8w9JtzBzSrmf9STG"
)

func newTestEnv(t *testing.T) *testEnv {
	t.Helper()
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	w := &testEnv{
		T: t, table: &tabletest.Faulty{Table: engine}, now: time.Date(2018, 3, 5, 9, 0, 0, 0, time.UTC),
		issuer: licensetest.Issuer(t),
	}
	clock := func() time.Time { return w.now }
	w.store = delivery.New(store.New(w.table, store.Options{Now: clock}))
	w.Generator = New(Options{
		Records: w.store, Search: search.New(w.store.Store), Catalog: sample,
		Issuer:   func() (license.Issuer, error) { return w.issuer, nil },
		Packager: &w.packages,
		Letters: letter.Writer{
			URL:      "https://licenses.vendor.example",
			Packages: "https://packages.vendor.example",
			Sales:    mail.Address{Email: "sales@vendor.example"},
		},
		Now: clock,
	})
	return w
}

// packages records the custom packages.
type packages struct {
	made map[string][]catalog.Jar
	err  error
}

func (p *packages) MakePackage(_ context.Context, name string, jars []catalog.Jar) error {
	if p.made == nil {
		p.made = map[string][]catalog.Jar{}
	}
	p.made[name] = jars
	return p.err
}

// brokenSigner fails to sign.
type brokenSigner struct{ crypto.Signer }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the key is locked away")
}

func day(s string) license.Date {
	d, err := license.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// asked returns the details of a customer's request.
func asked(kind request.Kind, change ...func(*request.Details)) request.Details {
	d := request.Details{
		Kind: kind, Edition: license.Developer, Server: prod, Loc: 120_000, ProductVersion: "6.7.1",
		Name: "Ada Lovelace", Email: "ada@acme.example", Company: "Acme AG", Country: "Switzerland",
		Contacts: []string{"bob@acme.example"},
	}
	for _, c := range change {
		c(&d)
	}
	return d
}

func (w *testEnv) file(d request.Details) request.Request {
	w.Helper()
	r, _, err := storetest.FileRequest(w.Context(), w.store.Silent(), d, "")
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// carol is the contact of the licenses that were sold.
var carol = license.Contact{Name: "Carol", Email: "carol@acme.example"}

// carolAsks returns the source of a request that Carol filed and confirmed, as the contact that she is.
func (w *testEnv) carolAsks(kind request.Kind, change ...func(*request.Details)) Source {
	w.Helper()
	byCarol := func(d *request.Details) {
		d.Name, d.Email, d.Contacts, d.Edition = carol.Name, carol.Email, nil, license.Enterprise
	}
	return Source{Request: w.file(asked(kind, append([]func(*request.Details){byCarol}, change...)...)).ID}
}

// replaces makes a request one for another server, in the place of one that is stopped.
func replaces(old string, by license.Server) func(*request.Details) {
	return func(d *request.Details) {
		d.Server, d.Replaces, d.OldServer, d.Environment = by, old, request.OldStopped, request.ProductionUse
	}
}

// server makes a request one for a server.
func server(id license.Server) func(*request.Details) {
	return func(d *request.Details) { d.Server = id }
}

// renewAhead issues the renewal of a license that ends on 2018-04-30, from the day after.
func (w *testEnv) renewAhead(id string) license.License {
	w.Helper()
	source := Source{License: id, Kind: request.Renewal}
	f := w.begin(source)
	f.NotBefore = "2018-05-01"
	return w.issue(source, f)
}

// vouched has a colleague vouch for a request, for all that a form takes from the customer.
func (w *testEnv) vouched(by string, source Source, f Form) {
	w.Helper()
	d := w.draft(source, f)
	c := d.charge()
	v := request.Vouch{Customer: d.Account.Customer.ID, Licenses: c.Revoked, Server: c.Server, Email: c.To}
	err := w.store.VouchFor(w.Context(), store.RequestChange{ID: source.Request, Version: d.Request.Version, By: by}, v)
	if err != nil {
		w.Fatal(err)
	}
}

// sold returns a production license of Acme Corporation.
func sold(id string, change ...func(*license.License)) license.License {
	l := license.License{
		ID: id, Type: license.Production, Organization: acme, Server: prod, Edition: license.Enterprise,
		MaxLoc: 500_000, NotBefore: day("2017-05-01"), Expiration: day("2018-04-30"), Support: true,
	}
	for _, c := range change {
		c(&l)
	}
	return l
}

// acme is the customer of the licenses that were sold.
const acme = "Acme Corporation"

// add puts licenses on record, each of production with a contract for one production and one staging instance. Staging
// is under the contract of the production with the server prod, and mirrors it.
func (w *testEnv) add(list ...license.License) {
	w.Helper()
	for _, l := range list {
		i, err := storetest.Draft(w.Context(), w.store.Store, l, carol)
		if err != nil {
			w.Fatal(err)
		}
		i.Imported = true
		if l.Type == license.Staging && l.Contract == "" {
			a := w.account()
			of := func(p customer.Instance) bool { return p.Server() == prod && p.Environment == request.ProductionUse }
			if n := slices.IndexFunc(a.Instances, of); n >= 0 && len(i.Instances) > 0 {
				i.Instances[0].Production = a.Instances[n].ID
			}
			i.Licenses[0].Contract = a.Contracts[0].ID
		}
		w.record(i)
	}
}

// record puts an issue on record without the generator.
func (w *testEnv) record(i store.Issue) {
	w.Helper()
	if err := w.store.IssueLicenses(w.Context(), i); err != nil {
		w.Fatal(err)
	}
}

// fleet puts a contract on record, with instances that have licenses under it: production, and staging spread over it.
func (w *testEnv) fleet(production, staging int) (contract string) {
	w.Helper()
	c := storetest.Customer(w, w.store.Store, acme, carol)
	k := customer.Contract{
		ID: "fleet", Customer: c.ID, Reference: "K-FAEET0",
		Terms:      customer.Terms{Edition: license.Enterprise, MaxLoc: 500_000, Support: true},
		Production: production, Staging: staging, First: day("2017-05-01"), Last: day("2018-04-30"), Created: w.now,
	}
	w.record(store.Issue{Contracts: []customer.Contract{k}, By: "sam"})
	for n := range production + staging {
		l := sold(fmt.Sprintf("fleet%02d", n), func(l *license.License) {
			l.Customer, l.Instance, l.Contract = c.ID, fmt.Sprintf("instance%02d", n), k.ID
			l.Server = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmfFL%02d", n))
		})
		i := customer.Instance{
			ID: l.Instance, Customer: c.ID, Environment: request.ProductionUse, Created: w.now,
			Servers: []customer.ServerID{{Server: l.Server, Told: w.now}},
		}
		if n >= production {
			l.Type, i.Environment = license.Staging, request.StagingUse
			i.Production = fmt.Sprintf("instance%02d", n%production)
		}
		w.record(store.Issue{
			Licenses: []license.License{l}, Instances: []customer.Instance{i}, By: "import", Imported: true,
		})
	}
	return k.ID
}

// account reads the account of Acme Corporation.
func (w *testEnv) account() *customer.Account {
	w.Helper()
	a, err := w.store.Account(w.Context(), storetest.CustomerID(acme))
	if err != nil {
		w.Fatal(err)
	}
	return a
}

// instanceOf returns the instance of Acme Corporation with the server ID.
func (w *testEnv) instanceOf(server license.Server) customer.Instance {
	w.Helper()
	for _, i := range w.account().Instances {
		if i.Server() == server {
			return i
		}
	}
	w.Fatalf("got no instance of %s", server)
	return customer.Instance{}
}

func (w *testEnv) begin(source Source) Form {
	w.Helper()
	d, err := w.Begin(w.Context(), source, "")
	if err != nil {
		w.Fatal(err)
	}
	return d.Form
}

func (w *testEnv) draft(source Source, f Form) *Draft {
	w.Helper()
	d, err := w.Draft(w.Context(), source, f)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// confirmed returns the confirmation of a draft and all its warnings.
func confirmed(d *Draft) Confirmation {
	c := Confirmation{Digest: d.Digest, By: "sam@vendor.example"}
	for _, w := range d.Warnings {
		c.Codes = append(c.Codes, w.Code)
	}
	return c
}

func (w *testEnv) issue(source Source, f Form) license.License {
	w.Helper()
	if err := w.Issue(w.Context(), source, f, confirmed(w.draft(source, f))); err != nil {
		w.Fatal(err)
	}
	return w.license(f.ID)
}

func (w *testEnv) license(id string) license.License {
	w.Helper()
	r, err := w.store.License(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return r.License
}

// mails returns the letters of the queued mails.
func (w *testEnv) mails() (list []mail.Message) {
	w.Helper()
	queued, err := lettertest.Ready(w.Context(), w.store)
	if err != nil {
		w.Fatal(err)
	}
	c, err := w.Catalog()
	if err != nil {
		w.Fatal(err)
	}
	for _, m := range queued {
		written, err := lettertest.Write(w.Context(), w.store, w.Letters, c, m)
		if err != nil {
			w.Fatal(err)
		}
		list = append(list, written)
	}
	return list
}

// wrongFields returns the names of the fields that an error reports.
func wrongFields(err error) (names []string) {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		for _, field := range f.Fields {
			names = append(names, field.Name)
		}
	}
	return names
}
