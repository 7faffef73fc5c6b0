package storetest_test

import (
	"path/filepath"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/bolt"
)

func TestALaterLicenseBelongsToTheSameInstanceAndSucceeds(t *testing.T) {
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	now := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
	s := store.New(engine, store.Options{Now: func() time.Time { return now }})
	first := license.License{
		ID: "l1", Type: license.Production, Organization: "Acme", Server: "AWFSVDRq2oc0XnAL5k4v", MaxLoc: 1000,
		Edition: license.Developer, Expiration: license.DateOf(now).AddMonths(1),
	}
	ada := license.Contact{Name: "Ada Lovelace", Email: "ada@acme.example"}
	bob := license.Contact{Email: "bob@acme.example"}
	one := storetest.Issue(t, s, first, ada)
	second := first
	second.ID, second.Expiration = "l2", first.Expiration.AddMonths(12)
	two := storetest.Record(t, s, second, ada, bob)
	staging := first
	staging.ID, staging.Type = "l3", license.Staging
	three := storetest.Record(t, s, staging)
	if two.License.Instance != one.License.Instance || three.License.Instance == one.License.Instance {
		t.Errorf("got instances %s, %s and %s, want the first two equal",
			one.License.Instance, two.License.Instance, three.License.Instance)
	}
	if r, err := s.License(t.Context(), "l1"); err != nil || r.License.Successor != "l2" {
		t.Errorf("got the successor %q, %v, want l2", r.License.Successor, err)
	}
	a, err := s.Account(t.Context(), one.License.Customer)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Customer.Contacts) != 2 || len(a.Instances) != 2 || len(a.Contracts) != 2 {
		t.Errorf("got %+v, want two contacts, two instances and two contracts", a)
	}
	if i := a.InstanceOf("l3"); i == nil || i.Production != one.License.Instance {
		t.Errorf("got the staging instance %+v, want one that mirrors %s", i, one.License.Instance)
	}
	to, err := s.Contacts(t.Context(), two.License, customer.Renewals)
	if err != nil || len(to) != 2 || to[0] != ada || to[1] != bob {
		t.Errorf("got contacts %v, %v, want Ada and Bob", to, err)
	}
	mails, err := s.MailsAbout(t.Context(), "l1", 10)
	if imported, _ := s.MailsAbout(t.Context(), "l2", 10); err != nil || len(mails) != 1 || len(imported) != 0 {
		t.Errorf("got %d mails and %d of an imported license, %v, want 1 and 0", len(mails), len(imported), err)
	}
	if c := storetest.Customer(t, s, "Acme", license.Contact{Email: "eve@acme.example"}); len(c.Contacts) != 3 {
		t.Errorf("got contacts %+v, want three", c.Contacts)
	}
}
