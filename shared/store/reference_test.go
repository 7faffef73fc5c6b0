package store_test

import (
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/reference"
	"marketplace/shared/store"
)

// customerReference is a reference of something of a customer.
type customerReference struct{ of, text string }

func (c customerReference) parse(t *testing.T) reference.Reference {
	t.Helper()
	r, ok := reference.Parse(c.text)
	if !ok {
		t.Errorf("the reference of the %s is %q", c.of, c.text)
	}
	return r
}

func TestTwoCustomersOrContractsNeverHaveTheSameReference(t *testing.T) {
	b := newTestEnv(t)
	b.Store = store.New(b.table, store.Options{Now: func() time.Time { return b.now }, Random: &repeating{same: 6}})
	for _, id := range []string{"a", "b"} {
		i := store.Issue{Customer: &customer.Customer{ID: id, Name: "Acme AG"}, By: "sam",
			Contracts: []customer.Contract{{ID: id + "-k", Customer: id}}}
		if err := b.IssueLicenses(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	first, second := account(t, b, "a"), account(t, b, "b")
	if first.Customer.Reference == second.Customer.Reference ||
		first.Contracts[0].Reference == second.Contracts[0].Reference {
		t.Errorf("got %+v and %+v, want different references", first, second)
	}
	for _, a := range []*customer.Account{first, second} {
		for _, r := range []reference.Reference{a.Customer.Reference, a.Contracts[0].Reference} {
			if id, err := b.CustomerByReference(t.Context(), r); err != nil || id != a.Customer.ID {
				t.Errorf("%s: got %q, %v, want %s", r, id, err, a.Customer.ID)
			}
		}
	}
}

func TestReferenceOutlivesWhatIsSavedWithoutIt(t *testing.T) {
	b := newTestEnv(t)
	addCustomer(t, b, customer.Customer{ID: "a", Name: "Acme AG"})
	before := account(t, b, "a").Customer.Reference
	i := store.Issue{Customer: &customer.Customer{ID: "a", Name: "Acme SE", Reference: "C-000000"}, By: "sam"}
	if err := b.IssueLicenses(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if got := account(t, b, "a").Customer; got.Reference != before || got.Name != "Acme SE" {
		t.Errorf("got %+v, want the new name with reference %s", got, before)
	}
}
