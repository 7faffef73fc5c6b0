package store_test

import (
	"slices"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
)

// queued reads the notice with an ID; the zero one if none was queued.
func queued(t *testing.T, b *testEnv, id string) notice.Notice {
	t.Helper()
	m, err := b.Outbox().Read(t.Context(), id)
	if err != nil {
		return notice.Notice{}
	}
	return m.Notice
}

// toContacts lists the IDs of what contacts are told.
func toContacts(t *testing.T, b *testEnv) (ids []string) {
	t.Helper()
	err := b.Outbox().EachReady(t.Context(), func(m outbox.Mail) error {
		if m.Kind.ToContacts() {
			ids = append(ids, m.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

var sold = license.License{ID: "l1", Type: license.Production, Organization: "Acme", Customer: "a",
	Server: "AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, MaxLoc: 1000, Expiration: day("2019-06-30")}

func TestContactsAreToldOfARevocation(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, sold)
	if got := toContacts(t, b); len(got) != 0 {
		t.Fatalf("got %v told of an import, want nothing", got)
	}
	change := store.LicenseChange{ID: "l1", Version: 1, By: "sam@vendor.example", Except: []string{"ada@acme.example"}}
	if err := b.RevokeLicense(t.Context(), change, "unpaid"); err != nil {
		t.Fatal(err)
	}
	n := queued(t, b, "l1--revoked")
	if n.Text != "unpaid" || n.Author != change.By || !slices.Equal(n.Except, change.Except) || !n.Expands() {
		t.Errorf("got %+v, want the reason, and who is not told", n)
	}
}

func TestContactsAreToldOfANewServerOnly(t *testing.T) {
	for name, tt := range map[string]struct {
		server   license.Server
		imported bool
		want     []string
	}{
		"another server":           {"AWHW8w9JtzBzSrmf9GQY", false, []string{"l2--moved"}},
		"the same server":          {"AWHW8w9JtzBzSrmf9GQX", false, nil},
		"another server, imported": {"AWHW8w9JtzBzSrmf9GQY", true, nil},
	} {
		b := newTestEnv(t)
		add(t, b, sold)
		after := sold
		after.ID, after.Server, after.Instance = "l2", tt.server, instanceOf(sold)
		i := store.Issue{Licenses: []license.License{after}, By: "sam@vendor.example", Replaces: []string{"l1"}, To: ada,
			Imported: tt.imported, Except: []string{"it@acme.example"}}
		if err := b.IssueLicenses(t.Context(), complete(t, b, i)); err != nil {
			t.Fatal(err)
		}
		if got := toContacts(t, b); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v told, want %v", name, got, tt.want)
		}
		n := queued(t, b, "l2--moved")
		if len(tt.want) > 0 && (len(n.Moves) != 1 || n.Moves[0] != notice.Move{From: sold.Server, To: tt.server} ||
			!slices.Equal(n.Except, i.Except) || !slices.Equal(n.Licenses, []string{"l2"})) {
			t.Errorf("%s: got %+v, want both servers", name, n)
		}
	}
}

func TestContactsAreToldWhoWasAddedAndRemoved(t *testing.T) {
	b := newTestEnv(t)
	addCustomer(t, b, customer.Customer{ID: "a", Name: "Acme", Contacts: []customer.Contact{{Email: ada.Email}}})
	if got := toContacts(t, b); len(got) != 0 {
		t.Errorf("got %v told of a new customer, want nothing", got)
	}
	save := func(edit func(*customer.Customer)) int64 {
		t.Helper()
		change := seenBy(t, b, "a")
		change.Except = []string{"zoe@acme.example"}
		err := b.SaveCustomer(t.Context(), change, "a", func(c *customer.Customer) error { edit(c); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return change.Version
	}
	save(func(c *customer.Customer) { c.Name, c.Contacts[0].Email = "Acme AG", "ADA@acme.example" })
	if got := toContacts(t, b); len(got) != 0 {
		t.Errorf("got %v told of the same people, want nothing", got)
	}
	save(func(c *customer.Customer) {
		c.Contacts = append(c.Contacts, customer.Contact{Name: "Bob", Email: "bob@acme.example"})
	})
	save(func(c *customer.Customer) { c.Contacts = []customer.Contact{{Email: "cleo@acme.example"}} })
	want := []string{"a--contact-added-2", "a--contact-added-3", "a--contact-removed-3"}
	if got := toContacts(t, b); !slices.Equal(got, want) {
		t.Fatalf("got %v told, want %v", got, want)
	}
	n := queued(t, b, "a--contact-removed-3")
	var who []string
	for _, c := range n.Contacts {
		who = append(who, c.Email)
	}
	if strings.Join(who, " ") != "ADA@acme.example bob@acme.example" ||
		n.Expiration != license.DateOf(b.now).AddDays(14) || !slices.Equal(n.Except, []string{"zoe@acme.example"}) {
		t.Errorf("got %+v, want both who were removed, for 14 days", n)
	}
	c, err := b.Customer(t.Context(), "a")
	if err != nil || len(c.Removed) != 2 || c.Removed[1].Name != "Bob" {
		t.Errorf("got %+v, %v, want both kept to be restored", c.Removed, err)
	}
}

func TestContactsAreToldWhomAnIssueAdds(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, sold)
	kept, err := b.Customer(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	for _, add := range []struct {
		email    string
		imported bool
	}{{"bob@acme.example", true}, {"eve@evil.example", false}} {
		kept.Contacts = append(kept.Contacts, customer.Contact{Email: add.email})
		i := store.Issue{Customer: &kept, By: "sam@vendor.example", Imported: add.imported}
		if err := b.IssueLicenses(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	got := toContacts(t, b)
	if len(got) != 1 || queued(t, b, got[0]).Contacts[0].Email != "eve@evil.example" {
		t.Errorf("got %v told, want the contact that was not imported", got)
	}
}
