package licenseimport

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// testEnv is a store into which tests import.
type testEnv struct {
	*store.Store
	table *tabletest.Faulty
	now   time.Time
}

func newTestEnv() *testEnv { return newTestEnvOver(&tabletest.Memory{}) }

func newTestEnvOver(engine table.Table) *testEnv {
	e := &testEnv{
		table: &tabletest.Faulty{Table: engine}, now: time.Date(2018, 3, 1, 9, 0, 0, 0, time.UTC),
	}
	e.Store = store.New(e.table, store.Options{Now: func() time.Time { return e.now }})
	return e
}

// imported imports a file without refusals.
func (e *testEnv) imported(t testing.TB, file string) Report {
	t.Helper()
	r := e.reported(t, file)
	if len(r.Refused) > 0 {
		t.Fatalf("got refusals %v, want none", r.Refused)
	}
	return r
}

func (e *testEnv) reported(t testing.TB, file string) Report {
	t.Helper()
	r, err := Import(t.Context(), strings.NewReader(file), Options{
		Store: e, Search: search.New(e.Store), PublicMailDomains: []string{"isp.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// accounts reads all customers, in the order of their names.
func (e *testEnv) accounts(t testing.TB) (list []*customer.Account) {
	t.Helper()
	page, err := e.Customers(t.Context(), "", "", 10_000)
	for _, c := range page.Customers {
		a, failed := e.Account(t.Context(), c.ID)
		if failed != nil {
			err = failed
		}
		list = append(list, a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// account reads the only customer.
func (e *testEnv) account(t testing.TB) *customer.Account {
	t.Helper()
	list := e.accounts(t)
	if len(list) != 1 {
		t.Fatalf("got %d customers, want 1", len(list))
	}
	return list[0]
}

// state is all customers with what they have, without the references, which are drawn, and without versions, which say
// in how many transactions it was written.
func (e *testEnv) state(t testing.TB) string {
	t.Helper()
	list := e.accounts(t)
	for _, a := range list {
		a.Version, a.Customer.Reference = 0, ""
		for i := range a.Contracts {
			a.Contracts[i].Reference = ""
		}
	}
	slices.SortFunc(list, func(a, b *customer.Account) int { return strings.Compare(a.Customer.ID, b.Customer.ID) })
	data, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// of lists the instances of an environment.
func of(a *customer.Account, e request.Environment) (list []customer.Instance) {
	for _, i := range a.Instances {
		if i.Environment == e {
			list = append(list, i)
		}
	}
	return list
}

// change is a change of a customer by sales.
func change(a *customer.Account) store.AccountChange {
	return store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "sam@vendor.example"}
}

// writes counts the rows that an import of the file writes.
func (e *testEnv) writes(t testing.TB, file string) int {
	t.Helper()
	e.table.Reset()
	e.imported(t, file)
	return e.table.Counts().RowsWritten
}

func day(s string) license.Date {
	d, err := license.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}
