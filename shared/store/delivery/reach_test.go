package delivery_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reference"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// save changes the customer of the license.
func (r *reached) save(edit func(*customer.Customer)) {
	a, err := r.Account(ctx, r.l.Customer)
	r.must(err)
	change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "sam@vendor.example"}
	r.must(r.SaveCustomer(ctx, change, change.Customer, func(c *customer.Customer) error { edit(c); return nil }))
}

// removed takes a contact from the customer.
func (r *reached) removed(email string) {
	r.save(func(c *customer.Customer) {
		c.Contacts = slices.DeleteFunc(c.Contacts, func(c customer.Contact) bool { return c.Email == email })
	})
}

func TestNextContactIsOneForTheSamePurpose(t *testing.T) {
	r := newReached(t, "ada@acme.example", "keys@acme.example", "renewals@acme.example")
	r.save(func(c *customer.Customer) {
		c.Contacts[1].For = []customer.Purpose{customer.Keys}
		c.Contacts[2].For = []customer.Purpose{customer.Renewals}
	})
	r.report(r.reminder, outbox.Bounced)
	r.report(r.key, outbox.Bounced)
	r.want(t, r.to(), "license-expiring ada@acme.example", "license-expiring renewals@acme.example",
		"license-key ada@acme.example", "license-key keys@acme.example")

	// The key reaches nobody any more, though the reminder does: sales are told, and stay told.
	r.report(r.key.ToContact(r.contacts[1]), outbox.Bounced)
	task := notice.LicenseUnreached(r.l)
	records, err := r.Records(ctx, task)
	if why := task.Pointless(records); err != nil || why != "" || len(records.Contacts) != 3 {
		t.Errorf("got the task pointless: %q, contacts %v, %v, want three", why, records.Contacts, err)
	}
	if list, err := r.Unreached(ctx, 10); err != nil || len(list) != 1 {
		t.Errorf("got unreached %v, %v, want the license", list, err)
	}
	r.must(errOf(r.LiftSuppression(ctx, store.Subject{License: "l1"}, "keys@acme.example", "sam", "ok")))
	if list, err := r.Unreached(ctx, 10); err != nil || len(list) != 0 {
		t.Errorf("got unreached %v, %v, want none", list, err)
	}
}

func TestRemovedContactGetsNoReminderAndTheNextOneDoes(t *testing.T) {
	r := newReached(t, "ada@acme.example", "it@acme.example")
	r.removed("ada@acme.example")
	for n, want := range map[*notice.Notice]string{&r.reminder: "the recipient is no longer a contact", &r.key: ""} {
		records, err := r.Records(ctx, *n)
		if why := n.Pointless(records); err != nil || why != want {
			t.Errorf("%s: got pointless %q, %v, want %q", n.ID, why, err, want)
		}
	}
	r.report(r.reminder, outbox.Bounced)
	r.report(r.key, outbox.Bounced)
	r.want(t, r.to(), "license-expiring ada@acme.example", "license-expiring it@acme.example",
		"license-key ada@acme.example", "license-key it@acme.example")
}

func TestMailOfARetiredInstanceIsPointless(t *testing.T) {
	r := newReached(t, "ada@acme.example", "it@acme.example")
	a, err := r.Account(ctx, r.l.Customer)
	r.must(err)
	change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "sam@vendor.example"}
	r.must(r.RetireInstance(ctx, change, r.l.Instance, true))
	records, err := r.Records(ctx, r.reminder)
	if why := r.reminder.Pointless(records); err != nil || why != "the instance was retired" {
		t.Errorf("got pointless %q, %v", why, err)
	}
	r.report(r.reminder, outbox.Bounced)
	r.want(t, r.to(), "license-expiring ada@acme.example", "license-key ada@acme.example")
}

// TestRecordsNameCustomerContractsAndContacts merges the customer of a license into another one.
func TestRecordsNameCustomerContractsAndContacts(t *testing.T) {
	r := newReached(t, "ada@acme.example")
	a, err := r.Account(ctx, r.l.Customer)
	r.must(err)
	want := map[string]reference.Reference{r.l.Contract: a.Contracts[0].Reference}
	check := func(n notice.Notice, customer reference.Reference, contacts ...string) {
		t.Helper()
		records, err := r.Records(ctx, n)
		var got []string
		for _, c := range append(records.Contacts, records.Expiring[r.l.ID].Contacts...) {
			got = append(got, c.Email)
		}
		if n.Kind == mail.LicenseKey { // of which nobody asks
			contacts = nil
		}
		if err != nil || records.Customer != customer || !slices.Equal(got, contacts) ||
			n.Kind.AboutLicense() && !maps.Equal(records.Contracts, want) {
			t.Errorf("%s: got customer %s, contracts %v and contacts %v, %v, want %s, %v and %v",
				n.ID, records.Customer, records.Contracts, got, err, customer, want, contacts)
		}
	}
	for _, n := range []notice.Notice{r.key, r.reminder, notice.LicenseUnreached(r.l)} {
		check(n, a.Customer.Reference, "ada@acme.example")
	}
	into := storetest.Customer(t, r.Store.Store, "Acme International", license.Contact{Email: "boss@acme.example"})
	other, err := r.Account(ctx, into.ID)
	r.must(err)
	r.must(r.MergeCustomers(ctx, store.Merge{
		From: a.Customer.ID, FromVersion: a.Version, Into: into.ID, IntoVersion: other.Version,
		By: "sam@vendor.example",
	}))
	for _, n := range []notice.Notice{r.key, r.reminder, notice.LicenseUnreached(r.l)} {
		check(n, into.Reference, "ada@acme.example", "boss@acme.example")
	}
}

func TestUnreachedTakesThreeRoundsOfReads(t *testing.T) {
	engine := &tabletest.Memory{}
	b := newTestEnvOver(engine)
	for i := range 40 {
		r := reachedIn(t, b, fmt.Sprintf("l%d", i), []string{
			fmt.Sprintf("ada%d@acme.example", i), fmt.Sprintf("bob%d@acme.example", i),
		})
		r.report(r.reminder, outbox.Bounced)
		r.report(r.digest(r.contacts[1]), outbox.Bounced)
	}
	synctest.Test(t, func(t *testing.T) {
		rounds := &tabletest.Rounds{Table: engine}
		s := delivery.New(store.New(rounds, store.Options{Now: b.Now}))
		list, err := s.Unreached(t.Context(), 20)
		if err != nil || len(list) != 20 {
			t.Errorf("got %d licenses, %v, want 20", len(list), err)
		}
		reads := rounds.Reads()
		if last := slices.MaxFunc(reads, func(x, y tabletest.Read) int { return x.Round - y.Round }); last.Round > 3 {
			t.Errorf("got %d rounds, the last of %s, want 3", last.Round, last.What)
		}
	})
}
