package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/reference"
	"marketplace/shared/store"
)

// mergedCustomers puts customers on record, the second of which was merged into the first.
func mergedCustomers(t *testing.T, b *testEnv) {
	t.Helper()
	for n, id := range []string{"a", "b"} {
		addCustomer(t, b, customer.Customer{ID: id, Name: "Company " + id, Created: b.now,
			Reference: reference.Reference(fmt.Sprintf("C-00000%d", n))})
	}
	m := store.Merge{From: "b", Into: "a", FromVersion: 1, IntoVersion: 1, By: "sam"}
	if err := b.MergeCustomers(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestTimelineOfMergedCustomersIsReadPageByPage(t *testing.T) {
	b := newTestEnv(t)
	mergedCustomers(t, b)
	for n := range 25 {
		b.now = b.now.Add(time.Minute)
		if err := b.CustomerNote(t.Context(), []string{"a", "b", "b"}[n%3], "sam", fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	whole, next, err := b.CustomerTimeline(t.Context(), []string{"a", "b"}, "", 100)
	if err != nil || next != "" || len(whole) != 25+2+2 {
		t.Fatalf("got %d lines, then %q, %v, want 29", len(whole), next, err)
	}
	if added := whole[1]; added.Of != store.OfCustomer("b") || whole[0].Of != "" {
		t.Errorf("got lines of %q and %q, want none and the merged customer", whole[0].Of, added.Of)
	}
	for _, size := range []int{1, 2, 7} {
		var read []store.Event
		before := ""
		for pages := 0; pages == 0 || before != ""; pages++ {
			page, next, err := b.CustomerTimeline(t.Context(), []string{"a", "b"}, before, size)
			if err != nil || pages > 40 {
				t.Fatal(pages, err)
			}
			ids := map[string]bool{}
			for _, e := range page {
				ids[e.ID] = true
			}
			if len(ids) > size {
				t.Errorf("got %d changes on a page of %d", len(ids), size)
			}
			read, before = append(page, read...), next
		}
		same := func(x, y store.Event) bool {
			return x.ID == y.ID && x.Note == y.Note && x.Action == y.Action && x.Of == y.Of
		}
		if !slices.EqualFunc(read, whole, same) {
			t.Errorf("pages of %d: got %d lines, want the %d of the whole timeline", size, len(read), len(whole))
		}
	}
}

func TestMergedCustomerIsSavedUnderTheSurvivorsVersion(t *testing.T) {
	b := newTestEnv(t)
	mergedCustomers(t, b)
	rename := func(version int64, id string) error {
		change := store.AccountChange{Customer: "a", Version: version, By: "sam"}
		return b.SaveCustomer(t.Context(), change, id, func(c *customer.Customer) error {
			c.Contacts = append(c.Contacts, customer.Contact{Email: "ana@b.example"})
			return nil
		})
	}
	a, err := b.Account(t.Context(), "b")
	if err != nil || a.Customer.ID != "a" {
		t.Fatalf("got %+v, %v, want the survivor", a, err)
	}
	if err := rename(a.Version, "b"); err != nil {
		t.Fatal(err)
	}
	if kept, err := b.Customer(t.Context(), "b"); err != nil || len(kept.Contacts) != 1 || kept.Survivor != "a" {
		t.Errorf("got %+v, %v, want a contact of the merged customer", kept, err)
	}
	if err := rename(a.Version, "b"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v with the old version, want a conflict", err)
	}
	if err := rename(a.Version+1, "c"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v for a customer of another account, want a conflict", err)
	}
}

func TestAccountTellsWhatItKnowsBeforeTheMergedOnes(t *testing.T) {
	b := newTestEnv(t)
	mergedCustomers(t, b)
	for _, id := range []string{"a", "b"} {
		var told customer.Account
		var merged []string
		a, err := b.AccountAnd(t.Context(), id, func(_ context.Context, known customer.Account, ids []string) error {
			told, merged = known, ids
			return nil
		})
		if err != nil || told.Customer.ID != "a" || told.Version != a.Version || !slices.Equal(merged, []string{"b"}) {
			t.Errorf("got %+v with %q, %v, want the survivor with the merged one", told, merged, err)
		}
	}
	broken := fault.New(fault.Unavailable, "Try again.")
	_, err := b.AccountAnd(t.Context(), "a", func(context.Context, customer.Account, []string) error { return broken })
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v, want the error of what was read beside it", err)
	}
	known, err := b.CustomersByID(t.Context(), "a", "b", "a", "none")
	if err != nil || len(known) != 2 || known["b"].Survivor != "a" {
		t.Errorf("got %+v, %v", known, err)
	}
}
