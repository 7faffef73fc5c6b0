package store_test

import (
	"fmt"
	"slices"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/table"
)

func merge(t *testing.T, b *testEnv, from, into string) {
	t.Helper()
	if err := tryMerge(t, b, from, into); err != nil {
		t.Fatal(err)
	}
}

func tryMerge(t *testing.T, b *testEnv, from, into string) error {
	t.Helper()
	return b.MergeCustomers(t.Context(), store.Merge{From: from, Into: into, FromVersion: account(t, b, from).Version,
		IntoVersion: account(t, b, into).Version, By: "sam@vendor.example"})
}

func unmerge(t *testing.T, b *testEnv, id, from string) {
	t.Helper()
	if err := b.UnmergeCustomer(t.Context(), seenBy(t, b, from), id); err != nil {
		t.Fatal(err)
	}
}

func TestMergedCustomersAreReadAsOne(t *testing.T) {
	m := newMemoryEnv()
	m.acme(t, "a")
	m.acme(t, "b")
	b := account(t, m.testEnv, "b").Customer
	err := m.SaveCustomer(t.Context(), seenBy(t, m.testEnv, "b"), "b", func(c *customer.Customer) error {
		c.Contacts = []customer.Contact{{Email: "ben@acme.example"}, {Email: "ADA@acme.example"}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before := m.state(t)
	m.table.Reset()
	merge(t, m.testEnv, "b", "a")
	if n := m.table.Counts().Transacts; n != 1 {
		t.Errorf("got %d transactions, want 1", n)
	}
	for _, id := range []string{"a", "b"} {
		a := account(t, m.testEnv, id)
		if a.Customer.ID != "a" || len(a.Merged) != 1 || a.Merged[0].ID != "b" || len(a.Contracts) != 2 ||
			len(a.Instances) != 4 {
			t.Errorf("account of %s: got %+v, want both", id, a)
		}
	}
	for id, want := range map[string][]string{
		"a-l0": {ada.Email}, "b-l0": {"ben@acme.example", "ADA@acme.example"},
	} {
		var got []string
		contacts, err := m.Contacts(t.Context(), licenseOn(t, m.testEnv, id), customer.Renewals)
		for _, c := range contacts {
			got = append(got, c.Email)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("contacts of %s: got %v, %v, want %v", id, got, err, want)
		}
	}
	if page, err := m.Customers(t.Context(), "", "", 10); err != nil || len(page.Customers) != 1 ||
		page.Customers[0].ID != "a" {
		t.Errorf("list of customers: got %+v, %v, want the survivor alone", page, err)
	}
	if id, err := m.CustomerByReference(t.Context(), b.Reference); err != nil ||
		account(t, m.testEnv, id).Customer.ID != "a" {
		t.Errorf("by the merged reference: got %s, %v, want the account of a", id, err)
	}
	index := search.New(m.Store)
	for what, find := range map[string]func() (search.Found, error){
		"email":  func() (search.Found, error) { return index.ByEmail(t.Context(), "ben@acme.example", 10) },
		"domain": func() (search.Found, error) { return index.ByDomain(t.Context(), "acme.example", 10) },
		"name":   func() (search.Found, error) { return index.ByName(t.Context(), "acme", 10) },
	} {
		if f, err := find(); err != nil || len(f.Customers) != 1 || f.Customers[0].ID != "a" {
			t.Errorf("by %s: got %+v, %v, want the survivor", what, f.Customers, err)
		}
	}
	f, err := index.ByServer(t.Context(), string(account(t, m.testEnv, "b").Instance("b-i0").Server()), 10)
	if err != nil || len(f.Instances) != 1 || f.Instances[0].Of.ID != "a" {
		t.Errorf("by server: got %+v, %v, want the survivor's", f.Instances, err)
	}
	unmerge(t, m.testEnv, "b", "a")
	sameState(t, "unmerged", m.state(t), before)
	if err := m.UnmergeCustomer(t.Context(), seenBy(t, m.testEnv, "a"), "b"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("unmerging again: got %v, want a Conflict fault", err)
	}
}

func TestSurvivorTakesWhatIsIssuedToTheMergedCustomer(t *testing.T) {
	m := newMemoryEnv()
	m.acme(t, "a")
	m.acme(t, "b")
	merge(t, m.testEnv, "b", "a")
	l := m.next(t, "b-l0", "n0", "a-k", "2019-01-01", "2019-12-31")
	l.Customer = "a"
	i := store.Issue{By: "sam", Licenses: append([]license.License{l}, m.next(t, "a-l0", "n1", "a-k", "2019-01-01", "2019-12-31")),
		Accounts: map[string]int64{"a": account(t, m.testEnv, "a").Version}}
	if err := m.IssueLicenses(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if got := licenseOn(t, m.testEnv, "n0"); got.Customer != "b" {
		t.Errorf("got license of customer %s, want that of its instance", got.Customer)
	}
	if n := len(account(t, m.testEnv, "a").Instance("b-i0").Licenses); n != 2 {
		t.Errorf("got %d licenses of the instance, want 2", n)
	}
}

func TestChainsOfMergedCustomersAreFlat(t *testing.T) {
	m := newMemoryEnv()
	for _, id := range []string{"a", "b", "c", "d"} {
		m.acme(t, id)
	}
	alone := m.state(t)
	merge(t, m.testEnv, "b", "a")
	chain := m.state(t)
	merge(t, m.testEnv, "a", "c")
	merge(t, m.testEnv, "d", "c")
	a := account(t, m.testEnv, "b")
	if a.Customer.ID != "c" || len(a.Merged) != 3 || len(a.Instances) != 8 {
		t.Errorf("got account of %s with %d merged, want that of c with 3", a.Customer.ID, len(a.Merged))
	}
	for _, c := range a.Merged {
		into := map[string]string{"a": "c", "b": "a", "d": "c"}[c.ID]
		if c.Survivor != "c" || c.MergedInto != into {
			t.Errorf("%s: got merged into %q, and survivor %q, want %s and c", c.ID, c.MergedInto, c.Survivor, into)
		}
	}
	unmerge(t, m.testEnv, "d", "c")
	unmerge(t, m.testEnv, "a", "c")
	sameState(t, "unmerged with its own", m.state(t), chain)
	if got := account(t, m.testEnv, "b").Customer.ID; got != "a" {
		t.Errorf("got b with %s, want a", got)
	}
	unmerge(t, m.testEnv, "b", "a")
	sameState(t, "all unmerged", m.state(t), alone)
}

func TestMiddleOfAChainIsUnmerged(t *testing.T) {
	m := newMemoryEnv()
	for _, id := range []string{"a", "b", "c"} {
		m.acme(t, id)
	}
	merge(t, m.testEnv, "b", "a")
	merge(t, m.testEnv, "a", "c")
	unmerge(t, m.testEnv, "b", "c")
	if a := account(t, m.testEnv, "c"); len(a.Merged) != 1 || a.Merged[0].ID != "a" {
		t.Errorf("got %+v merged into c, want a alone", a.Merged)
	}
	if b := account(t, m.testEnv, "b"); b.Customer.ID != "b" || b.Customer.MergedInto != "" {
		t.Errorf("got %+v, want b on its own", b.Customer)
	}
}

func TestMergeIsRefusedWhereItMakesNoSense(t *testing.T) {
	m := newMemoryEnv()
	for _, id := range []string{"a", "b", "c"} {
		m.acme(t, id)
	}
	seen := account(t, m.testEnv, "b").Version
	if err := tryMerge(t, m.testEnv, "a", "a"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("into itself: got %v, want a Conflict fault", err)
	}
	merge(t, m.testEnv, "b", "a")
	before := m.state(t)
	for name, change := range map[string]store.Merge{
		"merged already":        {From: "b", Into: "c", FromVersion: seen, IntoVersion: account(t, m.testEnv, "c").Version},
		"into a merged one":     {From: "c", Into: "b", FromVersion: account(t, m.testEnv, "c").Version, IntoVersion: seen},
		"into what it includes": {From: "a", Into: "b", FromVersion: account(t, m.testEnv, "a").Version, IntoVersion: seen},
	} {
		if err := m.MergeCustomers(t.Context(), change); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: got %v, want a Conflict fault", name, err)
		}
	}
	sameState(t, "refused", m.state(t), before)
}

func TestAtMostTwentyCustomersAreMergedIntoOne(t *testing.T) {
	b := newTestEnv(t)
	var contacts []customer.Contact
	for i := range customer.MaxContacts {
		contacts = append(contacts, customer.Contact{Email: fmt.Sprintf("ada%d@acme.example", i)})
	}
	for i := range customer.MaxMerged + 2 {
		c := customer.Customer{ID: fmt.Sprintf("c%02d", i), Name: "Acme AG"}
		addCustomer(t, b, c)
		for len(c.Contacts) < len(contacts) && i < 3 { // as many at once as a transaction holds
			c.Contacts = contacts[:min(len(c.Contacts)+50, len(contacts))]
			addCustomer(t, b, c)
		}
	}
	for i := range customer.MaxMerged - 1 {
		merge(t, b, fmt.Sprintf("c%02d", i+1), "c00")
	}
	b.table.Reset()
	merge(t, b, "c00", "c20") // the largest merge: all of them change
	if n := b.table.Counts().RowsWritten; n > table.MaxWrites {
		t.Errorf("got %d writes", n)
	}
	if a := account(t, b, "c07"); a.Customer.ID != "c20" || len(a.Merged) != customer.MaxMerged {
		t.Errorf("got %d merged into %s, want %d into c20", len(a.Merged), a.Customer.ID, customer.MaxMerged)
	}
	if err := tryMerge(t, b, "c21", "c20"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("one more: got %v, want a Conflict fault", err)
	}
	if err := tryMerge(t, b, "c20", "c21"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("all of them into another: got %v, want a Conflict fault", err)
	}
	unmerge(t, b, "c00", "c20")
	if a := account(t, b, "c07"); a.Customer.ID != "c00" || len(a.Merged) != customer.MaxMerged-1 {
		t.Errorf("unmerged: got %d merged into %s, want %d into c00", len(a.Merged), a.Customer.ID,
			customer.MaxMerged-1)
	}
}
