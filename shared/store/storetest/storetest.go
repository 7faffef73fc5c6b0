// Package storetest puts licenses on record for tests, with the customers, instances and contracts that they belong to.
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// TB is a test, testing.TB or rapid.T.
type TB interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
}

// By is the operator who does what this package does.
const By = "sam@vendor.example"

// Organization is the customer of licenses that name none.
const Organization = "Acme Corp"

// Customer puts a customer on record, or adds the contacts to the one of that name. They are written to for everything.
func Customer(tb TB, s *store.Store, name string, contacts ...license.Contact) customer.Customer {
	tb.Helper()
	after, changed, err := customerWith(tb.Context(), s, name, contacts)
	if err == nil && changed {
		err = s.IssueLicenses(tb.Context(), store.Issue{Customer: &after, By: By})
	}
	if err != nil {
		tb.Fatal(err)
	}
	return after
}

// Issue issues a license, mails its key to the first contact, and returns it as it is on record. See Draft.
func Issue(tb TB, s *store.Store, l license.License, contacts ...license.Contact) store.LicenseRecord {
	tb.Helper()
	return put(tb, s, false, l, contacts)
}

// Record records a license that was issued elsewhere, without any mail, and returns it as it is on record. See Draft.
func Record(tb TB, s *store.Store, l license.License, contacts ...license.Contact) store.LicenseRecord {
	tb.Helper()
	return put(tb, s, true, l, contacts)
}

func put(tb TB, s *store.Store, imported bool, l license.License, to []license.Contact) store.LicenseRecord {
	tb.Helper()
	i, err := Draft(tb.Context(), s, l, to...)
	if i.Imported = imported; err == nil {
		err = s.IssueLicenses(tb.Context(), i)
	}
	if err != nil {
		tb.Fatal(err)
	}
	r, err := s.License(tb.Context(), i.Licenses[0].ID)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// Draft returns what Issue puts on record. What the license does not say is chosen by its other terms, so that a later
// one of the same organization and server belongs to the same customer and instance, and succeeds it: the customer by
// the organization's name, the instance by dataset and environment, and of a production license a contract for its
// term.
func Draft(ctx context.Context, s *store.Store, l license.License, contacts ...license.Contact) (store.Issue, error) {
	if l.ID == "" {
		l.ID = store.NewID(s.Now())
	}
	if l.Organization == "" {
		l.Organization = Organization
	}
	var of customer.Customer
	var changed bool
	var err error
	if l.Customer != "" {
		of, err = s.Customer(ctx, l.Customer)
	} else {
		of, changed, err = customerWith(ctx, s, l.Organization, contacts)
	}
	if err != nil {
		return store.Issue{}, err
	}
	l.Customer = of.ID
	i := store.Issue{By: By}
	if changed {
		i.Customer = &of
	}
	if len(contacts) > 0 {
		i.To = contacts[0]
	}
	known, err := s.Account(ctx, of.ID)
	if fault.KindOf(err) == fault.NotFound {
		known, err = &customer.Account{}, nil
	}
	if err != nil {
		return store.Issue{}, err
	}
	if instance, changed := instanceFor(s, known, &l); changed {
		i.Instances = append(i.Instances, instance)
	}
	if c, added := contractFor(s, known, &l); added {
		i.Contracts = append(i.Contracts, c)
	}
	i.Licenses = []license.License{l}
	return i, nil
}

// Join returns the issuing of the licenses of both, which are of one customer, in one go.
func Join(a, b store.Issue) store.Issue {
	switch {
	case len(a.Licenses) == 0:
		return b
	case a.Customer == nil:
		a.Customer = b.Customer
	case b.Customer != nil:
		for _, c := range b.Customer.Contacts {
			if _, known := a.Customer.Contact(c.Email); !known {
				a.Customer.Contacts = append(a.Customer.Contacts, c)
			}
		}
	}
	for _, i := range b.Instances {
		if !slices.ContainsFunc(a.Instances, func(have customer.Instance) bool { return have.ID == i.ID }) {
			a.Instances = append(a.Instances, i)
		}
	}
	for _, c := range b.Contracts {
		if !slices.ContainsFunc(a.Contracts, func(have customer.Contract) bool { return have.ID == c.ID }) {
			a.Contracts = append(a.Contracts, c)
		}
	}
	a.Licenses = append(a.Licenses, b.Licenses...)
	return a
}

// CustomerID is the ID of the customer that an organization's licenses belong to.
func CustomerID(organization string) string { return id("customer", organization) }

// InstanceID is the ID of the instance that a license belongs to, unless it names another one.
func InstanceID(l license.License) string {
	of := l.Customer
	if of == "" {
		of = CustomerID(l.Organization)
	}
	return id("instance", of, l.Server.Dataset(), string(environment(l.Type)))
}

// NewCustomer is the customer of a name, with contacts, as it is not on record yet.
func NewCustomer(name string, contacts ...license.Contact) customer.Customer {
	c := customer.Customer{ID: CustomerID(name), Reference: referenceOf(reference.Customer, name), Name: name}
	for _, to := range contacts {
		c.Contacts = append(c.Contacts, customer.Contact{Name: to.Name, Email: to.Email, AddedBy: By, VouchedBy: By})
	}
	return c
}

// customerWith returns the customer of a name with the contacts, and whether that differs from what is on record.
func customerWith(ctx context.Context, s *store.Store, name string, contacts []license.Contact) (
	c customer.Customer, changed bool, err error) {
	c, err = s.Customer(ctx, CustomerID(name))
	if fault.KindOf(err) == fault.NotFound {
		c = NewCustomer(name)
		c.Created, changed, err = s.Now(), true, nil
	}
	for _, to := range contacts {
		if _, known := c.Contact(to.Email); !known {
			added := customer.Contact{Name: to.Name, Email: to.Email, Since: s.Now(), AddedBy: By, VouchedBy: By}
			c.Contacts, changed = append(slices.Clone(c.Contacts), added), true
		}
	}
	return c, changed, err
}

// instanceFor returns the instance of a license, and whether that differs from what is on record.
func instanceFor(s *store.Store, known *customer.Account, l *license.License) (i customer.Instance, changed bool) {
	if l.Instance == "" {
		l.Instance = InstanceID(*l)
	}
	if have := known.Instance(l.Instance); have != nil {
		i = *have
		i.Servers = slices.Clone(have.Servers)
	} else {
		i = customer.Instance{
			ID: l.Instance, Customer: l.Customer, Environment: environment(l.Type), Created: s.Now(),
		}
		production := *l
		production.Type = license.Production
		if mirrored := known.Instance(InstanceID(production)); mirrored != nil && l.Type == license.Staging {
			i.Production = mirrored.ID
		}
		changed = true
	}
	if i.Server() != l.Server {
		i.Servers, changed = append(i.Servers, customer.ServerID{Server: l.Server, Told: s.Now()}), true
	}
	return i, changed
}

// contractFor returns a contract for the term of a production license that names none, and whether it is new.
func contractFor(s *store.Store, known *customer.Account, l *license.License) (c customer.Contract, added bool) {
	if l.Contract != "" || l.Type != license.Production {
		return customer.Contract{}, false
	}
	c = customer.Contract{
		ID:       id("contract", l.Customer, string(l.Edition), l.Expiration.String()),
		Customer: l.Customer,
		Terms: customer.Terms{
			Edition: l.Edition, MaxLoc: l.MaxLoc, Languages: l.Languages, Support: l.Support,
		},
		Production: 1, First: l.NotBefore, Last: l.Expiration, Created: s.Now(),
	}
	if c.StagingAllowed() {
		c.Staging = 1
	}
	if c.First.IsZero() {
		c.First = license.DateOf(s.Now())
	}
	c.Reference, l.Contract = referenceOf(reference.Contract, c.ID), c.ID
	return c, known.Contract(c.ID) == nil
}

func environment(t license.Type) request.Environment {
	if t == license.Staging {
		return request.StagingUse
	}
	return request.ProductionUse
}

// id makes an ID of the form of store.NewID from what it is of.
func id(of ...string) string {
	const crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	sum := sha256.Sum256([]byte(strings.Join(of, "\x00")))
	return "0" + base32.NewEncoding(crockford).EncodeToString(sum[:])[:25]
}

func referenceOf(k reference.Kind, of string) reference.Reference {
	sum := sha256.Sum256([]byte(of))
	r, err := reference.New(k, bytes.NewReader(sum[:]))
	if err != nil {
		panic(fmt.Sprintf("storetest: %v", err))
	}
	return r
}
