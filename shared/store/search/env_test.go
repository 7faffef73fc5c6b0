package search_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

// testEnv is a store over a table that returns one row a page, with its search.
type testEnv struct {
	*search.Index
	kept *store.Store
	now  time.Time
}

func newTestEnv(t *testing.T) *testEnv {
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return newTestEnvOver(&tabletest.Faulty{Table: engine, ShortPages: true})
}

func newTestEnvOver(engine table.Table) *testEnv {
	now := time.Date(2018, 3, 1, 9, 0, 0, 0, time.UTC)
	kept := store.New(engine, store.Options{Now: func() time.Time { return now }})
	return &testEnv{search.New(kept), kept, now}
}

// ada is a contact of the customers that acme puts on record.
var ada = customer.Contact{Name: "Ada Abel", Email: "ada@acme.example"}

var evaluation = request.Details{
	Kind: request.Evaluation, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000,
	ProductVersion: "6.7.1",
	Name:           "Ada Lovelace", Email: "ada@acme.example", Company: "Acme AG", Country: "Switzerland",
}

// file files a request without mails.
func file(t *testing.T, b *testEnv, d request.Details) request.Request {
	t.Helper()
	r, _, err := storetest.FileRequest(t.Context(), b.kept.Silent(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// addCustomer puts a customer on record.
func addCustomer(t *testing.T, b *testEnv, c customer.Customer) {
	t.Helper()
	if err := b.kept.IssueLicenses(t.Context(), store.Issue{Customer: &c, By: "ops"}); err != nil {
		t.Fatal(err)
	}
}

// acme puts a customer on record that has two instances, i0 and i1, each with a license, l0 and l1, through 2018.
func acme(t *testing.T, b *testEnv, id string) {
	t.Helper()
	i := store.Issue{By: "sam@vendor.example", Customer: &customer.Customer{ID: id, Name: "Acme AG",
		Domains: []string{"acme.example"}, Contacts: []customer.Contact{ada}, Created: b.now}}
	for n := range 2 {
		instance := customer.Instance{ID: fmt.Sprint(id, "-i", n), Customer: id, Environment: request.ProductionUse,
			Created: b.now, Servers: []customer.ServerID{{
				Server: license.Server(fmt.Sprintf("BF41A1F2-AWHW8w9JtzBzSrmf9G%s%d", id, n)), Told: b.now}}}
		i.Instances = append(i.Instances, instance)
		i.Licenses = append(i.Licenses, licenseOf(instance, fmt.Sprint(id, "-l", n)))
	}
	issue(t, b, i)
}

func licenseOf(i customer.Instance, id string) license.License {
	return license.License{ID: id, Type: license.Production, Customer: i.Customer, Instance: i.ID,
		Organization: "Acme AG", Server: i.Server(), Edition: license.Enterprise, MaxLoc: 1e6,
		Expiration: license.Date{Year: 2018, Month: 12, Day: 31}, KeyText: "key"}
}

func issue(t *testing.T, b *testEnv, i store.Issue) {
	t.Helper()
	if err := b.kept.IssueLicenses(t.Context(), i); err != nil {
		t.Fatal(err)
	}
}

func account(t *testing.T, b *testEnv, id string) *customer.Account {
	t.Helper()
	a, err := b.kept.Account(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func merge(t *testing.T, b *testEnv, from, into string) {
	t.Helper()
	err := b.kept.MergeCustomers(t.Context(), store.Merge{From: from, Into: into,
		FromVersion: account(t, b, from).Version, IntoVersion: account(t, b, into).Version, By: "sam@vendor.example"})
	if err != nil {
		t.Fatal(err)
	}
}
