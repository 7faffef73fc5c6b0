package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"marketplace/catalog/data"
	"marketplace/infra/licenseimport"
	"marketplace/infra/localdata"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/officehours"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/table/tabletest"
)

// seeded is a store with the sample of a moment.
func seeded(t *testing.T, now time.Time) *store.Store {
	t.Helper()
	issuer, err := localdata.Dir(t.TempDir()).Issuer()
	if err != nil {
		t.Fatal(err)
	}
	sample, err := data.Catalog("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	memory := &tabletest.Memory{}
	if err := seed(t.Context(), memory, issuer, sample, officehours.Hours{}, now); err != nil {
		t.Fatal(err)
	}
	return store.New(memory, store.Options{Now: func() time.Time { return now }})
}

func customersOf(t *testing.T, s *store.Store) []store.CustomerSummary {
	t.Helper()
	page, err := s.Customers(t.Context(), "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return page.Customers
}

// accountsOf reads all customers of a store, by name.
func accountsOf(t *testing.T, s *store.Store) map[string]*customer.Account {
	t.Helper()
	list := map[string]*customer.Account{}
	var err error
	for _, c := range customersOf(t, s) {
		if list[c.Name], err = s.Account(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// licensesOf reads the licenses of a customer.
func licensesOf(t *testing.T, s *store.Store, a *customer.Account) []store.LicenseRecord {
	t.Helper()
	var ids []string
	for _, i := range a.Instances {
		for _, l := range i.Licenses {
			ids = append(ids, l.ID)
		}
	}
	list, err := s.Licenses(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSampleShowsEveryCase(t *testing.T) {
	for _, now := range []string{"2026-11-29T13:00:00Z", "2026-07-31T23:30:00Z", "2028-02-29T00:10:00Z"} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		s := seeded(t, at)
		all, today := accountsOf(t, s), license.DateOf(at)
		staging := func(a *customer.Account) (n int) {
			for _, i := range a.Instances {
				if i.Environment == request.StagingUse && i.Production != "" {
					n++
				}
			}
			return n
		}
		for name, shows := range map[string]func() bool{
			"two contracts": func() bool {
				a := all[helvetia.name]
				return len(a.Contracts) == 2 && len(a.Instances) == 3 && staging(a) == 1
			},
			"three staging instances": func() bool {
				a := all[aurora.name]
				return len(a.Contracts) == 1 && staging(a) == 3 && a.Contracts[0].Staging == 3 &&
					a.Use(a.Contracts[0].ID, today) == customer.Use{Production: 1, Staging: 3}
			},
			"a moved server": func() bool {
				a := all[nordlicht.name]
				return len(a.Instances) == 1 && len(a.Instances[0].Servers) == 2
			},
			"an instance moved to another customer": func() bool {
				a := all[tulip.name]
				return len(a.Instances) == 2 && len(all[delta.name].Instances) == 1 && len(a.Contracts) == 1 &&
					a.Use(a.Contracts[0].ID, today).Production == 2
			},
			"a merged customer": func() bool {
				a := all[alpine.name]
				return all[rossi.name] == nil && len(a.Merged) == 1 && a.Merged[0].Name == rossi.name &&
					len(a.Instances) == 2
			},
			"a reseller": func() bool {
				c := all[ocean.name].Customer
				return len(c.Contacts) == 2 && c.Contacts[0].Partner != "" &&
					slices.Equal(c.Domains, []string{ocean.domain})
			},
			"yearly keys under a contract of three years": func() bool {
				a := all[sierra.name]
				return len(a.Contracts) == 1 && len(a.Instances) == 1 && len(a.Instances[0].Licenses) == 2 &&
					a.Instances[0].Licenses[0].Successor != "" && len(a.NextKeys(a.Contracts[0].ID, today)) == 1
			},
			"an evaluation that became production": func() bool {
				a := all[companies[0].name]
				bought := func(l customer.License) bool { return l.Type == license.Evaluation && l.Successor != "" }
				return len(a.Instances) > 0 && slices.ContainsFunc(a.Instances[0].Licenses, bought)
			},
			"a contract ended as unpaid": func() bool {
				k := all[quarry.name].Contracts[0]
				return !k.Ended.IsZero() && k.EndedReason == "unpaid"
			},
			"a lost key": func() bool {
				found, err := search.New(s).ByEmail(t.Context(), emailOf(juniper.people[0], juniper.domain), 10)
				return err == nil && slices.ContainsFunc(found.Requests, func(r request.Summary) bool {
					return r.State == request.Answered
				})
			},
			"licenses of one person that expire on one day, of which one is muted for a reason until a day": func() bool {
				var last []license.Date
				muted := 0
				for _, l := range licensesOf(t, s, all[granite.name]) {
					last = append(last, l.License.Expiration)
					if m := l.License.Mute; m.On(today) && m.Reason != "" && m.Until.After(today) {
						muted++
					} else if next := l.NextReminder; !next.After(today) || next.After(today.AddDays(7)) {
						t.Errorf("%s: got %s as the next reminder of a license, want one in the next days", now, next)
					}
				}
				return len(last) == 4 && len(slices.Compact(last)) == 1 && muted == 1
			},
			"somebody who unsubscribed": func() bool {
				for _, l := range licensesOf(t, s, all[willow.name]) {
					gone, err := s.Unsubscribed(t.Context(), l.License.ID)
					return err == nil && len(gone) == 1 && l.NextReminder.After(today)
				}
				return false
			},
			"an evaluation near its end": func() bool {
				for _, l := range licensesOf(t, s, all[cobalt.name]) {
					left := today.DaysUntil(l.License.Expiration)
					return l.License.Type == license.Evaluation && left > 0 && left < 7 &&
						l.NextReminder == l.License.Expiration
				}
				return false
			},
		} {
			if !shows() {
				t.Errorf("%s: the sample does not show %s", now, name)
			}
		}
		for name, a := range all {
			for _, k := range a.Contracts {
				if _, err := k.Check(); err != nil {
					t.Errorf("%s: contract %s: %v", name, k.Reference, err)
				}
				if u := a.Use(k.ID, today); u.Production > k.Production || u.Staging > k.Staging {
					t.Errorf("%s: the contract covers %d and %d instances, and %+v use it", name, k.Production,
						k.Staging, u)
				}
			}
			if _, err := a.Customer.Check(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestSampleFileIsImportedBesideTheSample(t *testing.T) {
	now := time.Date(2026, 11, 29, 13, 0, 0, 0, time.UTC)
	file, err := os.ReadFile("sample-licenses.csv")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*store.Store{
		"sample":    seeded(t, now),
		"no sample": store.New(&tabletest.Memory{}, store.Options{Now: func() time.Time { return now }}),
	} {
		before := len(customersOf(t, s))
		o := licenseimport.Options{Store: s, Search: search.New(s)}
		report, err := licenseimport.Import(t.Context(), bytes.NewReader(file), o)
		if err != nil || len(report.Refused) > 0 || report.Recorded < 12 {
			t.Fatalf("%s: got %+v, %v", name, report, err)
		}
		if n := len(customersOf(t, s)); n-before != report.Customers {
			t.Errorf("%s: got %d customers and %d before, want %d new", name, n, before, report.Customers)
		}
		northwind := accountsOf(t, s)["Northwind Trading GmbH"]
		if len(northwind.Merged) > 0 || before > 0 && len(northwind.AllEvaluations()) == 0 {
			t.Errorf("%s: got %+v, want the licenses at the customer that the sample has", name, northwind)
		}
	}
}

// serverIDs finds the server IDs of addresses in a text.
var serverIDs = regexp.MustCompile(`serverId=([A-Za-z0-9_-]+)`)

// Whoever follows the tour issues a license for a server that no customer has.
func TestTourUsesServersThatNobodyHas(t *testing.T) {
	s := seeded(t, time.Date(2026, 11, 29, 13, 0, 0, 0, time.UTC))
	file, err := os.Open("sample-licenses.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	o := licenseimport.Options{Store: s, Search: search.New(s)}
	if _, err := licenseimport.Import(t.Context(), file, o); err != nil {
		t.Fatal(err)
	}
	tours := 0
	for _, page := range []string{"../../README.md", "templates/index.html"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range serverIDs.FindAllStringSubmatch(string(text), -1) {
			tours++
			server, err := license.ParseServer(m[1])
			if err != nil {
				t.Fatalf("%s: %s: %v", page, m[1], err)
			}
			if d, err := s.Dataset(t.Context(), server); err != nil || len(d.Instances) > 0 {
				t.Errorf("%s: the server %s is on record for %v, %v", page, server, d.Instances, err)
			}
		}
	}
	if tours < 2 {
		t.Errorf("got %d server IDs in the tour, want those of README.md and of the start page", tours)
	}
}
