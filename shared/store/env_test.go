package store_test

import (
	"slices"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// ada is the contact of the customers that complete puts on record.
var ada = license.Contact{Name: "Ada", Email: "ada@acme.example"}

// instanceOf names the instance of a license: the one that it says, or else the one of its dataset and environment.
func instanceOf(l license.License) string {
	switch {
	case l.Instance != "":
		return l.Instance
	case l.Type == license.Staging:
		return l.Customer + "-staging-" + l.Server.Dataset()
	}
	return l.Customer + "-" + l.Server.Dataset()
}

// complete adds to an issue what its licenses need and what is not on record: their customer, instances and servers.
func complete(t *testing.T, b *testEnv, i store.Issue) store.Issue {
	t.Helper()
	l := i.Licenses[0]
	a, err := b.Account(t.Context(), l.Customer)
	if fault.KindOf(err) == fault.NotFound {
		a = &customer.Account{}
		i.Customer = &customer.Customer{ID: l.Customer, Name: l.Organization, Created: b.now,
			Contacts: []customer.Contact{{Name: ada.Name, Email: ada.Email, Since: b.now}}}
	} else if err != nil {
		t.Fatal(err)
	}
	i.Licenses = slices.Clone(i.Licenses)
	for n, l := range i.Licenses {
		l.Instance = instanceOf(l)
		i.Licenses[n] = l
		i.Instances = withServer(a, i.Instances, l, b)
	}
	return i
}

// withServer adds the instance of a license to a list, if it is new or its server is not its present one.
func withServer(a *customer.Account, list []customer.Instance, l license.License, b *testEnv) []customer.Instance {
	told := customer.ServerID{Server: l.Server, Told: b.now}
	if n := slices.IndexFunc(list, func(i customer.Instance) bool { return i.ID == l.Instance }); n >= 0 {
		if list[n].Server() != l.Server {
			list[n].Servers = append(list[n].Servers, told)
		}
		return list
	}
	known := a.Instance(l.Instance)
	if known == nil {
		known = &customer.Instance{ID: l.Instance, Customer: l.Customer, Environment: request.ProductionUse,
			Created: b.now}
		if l.Type == license.Staging {
			known.Environment = request.StagingUse
		}
	}
	if known.Server() == l.Server {
		return list
	}
	changed := *known
	changed.Servers = append(slices.Clone(known.Servers), told)
	return append(list, changed)
}

// add puts a license on record that was issued elsewhere.
func add(t *testing.T, b *testEnv, l license.License) {
	t.Helper()
	i := complete(t, b, store.Issue{Licenses: []license.License{l}, By: "ops", Imported: true})
	if err := b.IssueLicenses(t.Context(), i); err != nil {
		t.Fatalf("recording license %s: %v", l.ID, err)
	}
}

// addCustomer puts a customer on record.
func addCustomer(t *testing.T, b *testEnv, c customer.Customer) {
	t.Helper()
	if err := b.IssueLicenses(t.Context(), store.Issue{Customer: &c, By: "ops"}); err != nil {
		t.Fatal(err)
	}
}

// licenseEvents reads the timeline of a license.
func licenseEvents(t *testing.T, b *testEnv, id string) []store.Event {
	t.Helper()
	r, err := b.License(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	events, more, err := b.LicenseTimeline(t.Context(), r.License)
	if err != nil || more {
		t.Fatal(more, err)
	}
	return events
}
