package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// mostWrites is how many rows the largest ordinary issue may write in its transaction: fewer than a transaction holds.
const mostWrites = 99

// tenContacts are contacts of ten first and ten last names.
func tenContacts(b *testEnv, word string) (list []customer.Contact) {
	first := strings.Fields("Ada Ben Cleo Dario Elif Finn Greta Hugo Ines Jonas")
	last := strings.Fields("Abel Brandt Conti Duval Egger Fischer Gruber Huber Imhof Jansen")
	for i := range first {
		list = append(list, customer.Contact{Name: first[i] + word + " " + last[i] + word,
			Email: fmt.Sprintf("%s.%s@%s.example", first[i], last[i], word), Since: b.now,
			AddedBy: "sam@vendor.example", VouchedBy: "sam@vendor.example"})
	}
	return list
}

// large is a customer with a company name of six words that buys for one production and four staging instances.
type large struct {
	*testEnv
	t         *testing.T
	customer  customer.Customer
	contract  customer.Contract
	instances []customer.Instance
	issued    int
}

func newLarge(t *testing.T) *large {
	b := newTestEnv(t)
	w := &large{testEnv: b, t: t}
	w.customer = customer.Customer{ID: "c1", Name: "Norwegian Fjord Systems International Consulting Partners",
		Domains: []string{"fjord.example"}, Contacts: tenContacts(b, "fjord"), Created: b.now}
	for i := range 5 {
		server := license.Server(fmt.Sprintf("BF41A1F2-AWHW8w9JtzBzSrmf9GQ%d", i))
		environment := request.StagingUse
		if i == 0 {
			environment = request.ProductionUse
		}
		w.instances = append(w.instances, customer.Instance{ID: fmt.Sprint("i", i), Customer: "c1",
			Environment: environment, Servers: []customer.ServerID{{Server: server, Told: b.now}}, Created: b.now})
	}
	w.contract = w.newContract("k1", "2018-03-01", "2019-02-28")
	return w
}

func (w *large) newContract(id, first, last string) customer.Contract {
	return customer.Contract{ID: id, Customer: "c1", Terms: customer.Terms{Edition: license.Enterprise, MaxLoc: 5e6},
		Production: 1, Staging: 4, First: day(first), Last: day(last), Created: w.now}
}

// licenses are new ones of all instances under a contract.
func (w *large) licenses(k customer.Contract, from license.Date) (list []license.License) {
	for _, i := range w.instances {
		w.issued++
		kind := license.Staging
		if i.Environment == request.ProductionUse {
			kind = license.Production
		}
		list = append(list, license.License{ID: fmt.Sprintf("l%02d", w.issued), Type: kind, Customer: "c1",
			Instance: i.ID, Contract: k.ID, Organization: w.customer.Name, Server: i.Server(), Edition: k.Edition,
			MaxLoc: k.MaxLoc, NotBefore: from, Expiration: k.Last, KeyText: "key", Issued: license.DateOf(w.now)})
	}
	return list
}

// renewed gives the contract k2 that renews k1, and issues under it ahead.
func (w *large) renewed() store.Issue {
	k2 := w.newContract("k2", "2019-03-01", "2020-02-29")
	k2.Renews = "k1"
	return store.Issue{Contracts: []customer.Contract{k2}, Licenses: w.licenses(k2, day("2019-03-01"))}
}

// answering makes an issue the answer to a request in review, with the customer's name and ten other contacts changed.
func (w *large) answering(i store.Issue, kind request.Kind) store.Issue {
	w.t.Helper()
	d := evaluation
	d.Kind, d.Company = kind, w.customer.Name
	r := review(w.t, w.testEnv, file(w.t, w.testEnv, d), request.InReview, "")
	i.By, i.To, i.Request, i.RequestVersion = "sam@vendor.example", ada, r.ID, r.Version
	i.Customer, i.Confirmed = &w.customer, "It is more than the contract."
	i.Accounts, i.Datasets = map[string]int64{}, map[license.Server]int64{}
	if a, err := w.Account(w.t.Context(), "c1"); err == nil {
		i.Accounts["c1"] = a.Version
	}
	return i
}

// issue issues, and counts the rows by their type.
func (w *large) issue(i store.Issue) (rows int, kinds string) {
	w.t.Helper()
	types := map[string]int{}
	w.table.Fault = func(c tabletest.Call) tabletest.Fault {
		for _, write := range c.Writes {
			name, _, _ := strings.Cut(write.Row.PK, "#")
			if write.Delete {
				name = "-" + name
			}
			types[name]++
		}
		return tabletest.Fault{}
	}
	defer func() { w.table.Fault = nil }()
	w.table.Reset()
	if err := w.IssueLicenses(w.t.Context(), i); err != nil {
		w.t.Fatal(err)
	}
	n := w.table.Counts()
	if n.Transacts != 1 {
		w.t.Errorf("got %d transactions, want 1", n.Transacts)
	}
	var all []string
	for name, n := range types {
		all = append(all, fmt.Sprint(n, " ", name))
	}
	slices.Sort(all)
	return n.RowsWritten, strings.Join(all, ", ")
}

func (w *large) check(what string, i store.Issue) {
	w.t.Helper()
	rows, kinds := w.issue(i)
	w.t.Logf("%s: %d writes: %s", what, rows, kinds)
	if rows > mostWrites {
		w.t.Errorf("%s: got %d writes, want fewer than %d: %s", what, rows, table.MaxWrites, kinds)
	}
}

func TestLargestOrdinaryIssuesFitOneTransaction(t *testing.T) {
	first := func(w *large) store.Issue {
		return store.Issue{Contracts: []customer.Contract{w.contract}, Instances: w.instances,
			Licenses: w.licenses(w.contract, license.Date{})}
	}
	t.Run("first purchase", func(t *testing.T) {
		w := newLarge(t)
		w.check("first purchase", w.answering(first(w), request.New))
	})
	t.Run("renewal", func(t *testing.T) {
		w := newLarge(t)
		w.issue(w.answering(first(w), request.New))
		w.customer.Contacts = append(w.customer.Contacts, tenContacts(w.testEnv, "more")...)
		former := w.customer.Name
		w.customer.Name = "Swedish Lake Machines Global Trading Group"
		w.customer.AddFormerName(former)
		w.check("renewal", w.answering(w.renewed(), request.Renewal))
	})
	t.Run("upgrade while renewals overlap", func(t *testing.T) {
		w := newLarge(t)
		w.issue(w.answering(first(w), request.New))
		w.issue(w.answering(w.renewed(), request.Renewal))
		w.customer.Contacts = append(w.customer.Contacts, tenContacts(w.testEnv, "more")...)
		k1, k2 := w.contract, w.newContract("k2", "2019-03-01", "2020-02-29")
		k1.MaxLoc, k2.MaxLoc, k2.Renews = 20e6, 20e6, "k1"
		i := store.Issue{Contracts: []customer.Contract{k1, k2}}
		for n := range 10 {
			i.Replaces = append(i.Replaces, fmt.Sprintf("l%02d", n+1))
		}
		i.Licenses = append(w.licenses(k1, license.Date{}), w.licenses(k2, day("2019-03-01"))...)
		w.check("upgrade while renewals overlap", w.answering(i, request.Upgrade))
	})
}
