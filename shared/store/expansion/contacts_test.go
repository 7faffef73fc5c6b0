package expansion_test

import (
	"errors"
	"slices"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
)

func contact(name string) license.Contact { return license.Contact{Email: name + "@acme.example"} }

// save changes a customer as it is on record.
func (e *testEnv) save(id string, edit func(*customer.Customer)) {
	e.t.Helper()
	a, err := e.Account(e.t.Context(), id)
	e.must(err)
	change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: storetest.By}
	e.must(e.SaveCustomer(e.t.Context(), change, id, func(c *customer.Customer) error { edit(c); return nil }))
}

// sold puts a license of a customer with these contacts on record.
func (e *testEnv) sold(contacts ...license.Contact) license.License {
	e.t.Helper()
	return storetest.Record(e.t, e.Store.Store, license.License{
		ID: "l1", Type: license.Production, Server: "AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, MaxLoc: 1000,
		Expiration: license.DateOf(e.now).AddMonths(6),
	}, contacts...).License
}

// suppress has emails to an address bounce.
func (e *testEnv) suppress(l license.License, to license.Contact) {
	e.t.Helper()
	e.must(e.SendKeyAgain(e.t.Context(), l.ID, storetest.By, to, "n1"))
	r := outbox.Report{Mail: notice.LicenseKeyAgain(l, to, "n1").ID, ProviderID: "x", Outcome: outbox.Bounced}
	if _, err := e.RecordReport(e.t.Context(), r); err != nil {
		e.t.Fatal(err)
	}
}

// told are the addresses that a notice becomes emails to, in their order.
func (e *testEnv) told(n notice.Notice) (list []string) {
	e.t.Helper()
	into, err := e.Expand(e.t.Context(), n)
	e.must(err)
	for _, one := range into {
		if one.Expands() || one.About != n.About || one.Kind != n.Kind {
			e.t.Errorf("got %+v, want an email of the same kind", one)
		}
		list = append(list, one.To.Email)
	}
	return list
}

func (e *testEnv) want(what string, got []string, want ...license.Contact) {
	e.t.Helper()
	var all []string
	for _, c := range want {
		all = append(all, c.Email)
	}
	if !slices.Equal(got, all) {
		e.t.Errorf("%s: got %v told, want %v", what, got, all)
	}
}

func TestRevocationIsToldToTheContactsOfTheInstance(t *testing.T) {
	e := newTestEnv(t)
	ada, bob, cleo, dan, eve := contact("ada"), contact("bob"), contact("cleo"), contact("dan"), contact("eve")
	l := e.sold(ada, bob, cleo, dan, eve, license.Contact{Email: "zoë@acme.example"})
	e.save(l.Customer, func(c *customer.Customer) {
		c.Contacts[1].For = []customer.Purpose{customer.Renewals}
		c.Contacts[2].Instances = []string{"another"}
	})
	e.suppress(l, eve)
	n := notice.LicenseRevoked(l, "unpaid", storetest.By, "DAN@acme.example")
	e.want("revocation", e.told(n), ada, bob)
	e.want("the same again", e.told(n), ada, bob)
	e.want("move", e.told(notice.LicenseMoved([]license.License{l}, []notice.Move{{}}, storetest.By)), ada, bob, dan)
}

func TestContactsOfTheSurvivorAreToldToo(t *testing.T) {
	e := newTestEnv(t)
	ada, bob := contact("ada"), contact("bob")
	l := e.sold(ada)
	into := storetest.Customer(t, e.Store.Store, "Initech", bob, ada)
	from, err := e.Account(t.Context(), l.Customer)
	e.must(err)
	survivor, err := e.Account(t.Context(), into.ID)
	e.must(err)
	e.must(e.MergeCustomers(t.Context(), store.Merge{From: l.Customer, Into: into.ID, FromVersion: from.Version,
		IntoVersion: survivor.Version, By: storetest.By}))
	e.want("revocation", e.told(notice.LicenseRevoked(l, "unpaid", storetest.By)), ada, bob)
	added := notice.ContactAdded(notice.ContactChange{Customer: l.Customer, Contacts: []license.Contact{ada}})
	e.want("addition", e.told(added), ada, bob)
	added.About = into.ID
	e.want("addition to the survivor", e.told(added), bob, ada)
}

func TestWhoWasRemovedIsToldWithALink(t *testing.T) {
	e := newTestEnv(t)
	ada, bob, cleo := contact("ada"), contact("bob"), contact("cleo")
	l := e.sold(ada)
	n := notice.ContactRemoved(notice.ContactChange{Customer: l.Customer, Contacts: []license.Contact{bob, cleo},
		By: storetest.By, Except: []string{cleo.Email}, Until: license.DateOf(e.now).AddDays(14)})
	into, err := e.Expand(t.Context(), n)
	e.must(err)
	if len(into) != 2 || into[0].To != ada || into[1].To != bob {
		t.Fatalf("got %+v, want emails to ada and bob", into)
	}
	if into[0].Nonce != "" || len(into[0].Contacts) != 2 {
		t.Errorf("got %+v to a contact, want both names and no secret", into[0])
	}
	if into[1].Nonce == "" || len(into[1].Contacts) != 1 || into[1].Contacts[0] != bob || into[1].Expiration.IsZero() {
		t.Errorf("got %+v to who was removed, want a secret for bob alone", into[1])
	}
}

func TestNobodyLeftToTellIsPointless(t *testing.T) {
	e := newTestEnv(t)
	ada := contact("ada")
	l := e.sold(ada)
	_, err := e.Expand(t.Context(), notice.LicenseRevoked(l, "unpaid", storetest.By, ada.Email))
	if _, ok := errors.AsType[*notice.PointlessError](err); !ok {
		t.Errorf("got %v, want that it has no point", err)
	}
}

func TestComplaintAboutAConfirmationDoesNotKeepAContactFromBeingTold(t *testing.T) {
	e := newTestEnv(t)
	ada := contact("ada")
	l := e.sold(ada)
	r := e.file()
	report := outbox.Report{Mail: notice.RequestReceived(r).ID, ProviderID: "x", Outcome: outbox.Complained}
	if _, err := e.RecordReport(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	if why, err := e.Suppressed(t.Context(), ada.Email); why == nil || !why.Stops(mail.RequestReceived) {
		t.Fatalf("got %v, %v, want no more confirmations", why, err)
	}
	e.want("revocation", e.told(notice.LicenseRevoked(l, "unpaid", storetest.By)), ada)
}
