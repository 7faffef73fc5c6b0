package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table/tabletest"
)

// asker is a request that has nothing to do with what acme puts on record.
var asker = request.Details{Kind: request.Replacement, Server: "AWHW8w9JtzBzSrmf9ZZZ", Email: "eve@elsewhere.example",
	Company: "Elsewhere Inc"}

func candidates(t *testing.T, b *testEnv, d request.Details) (list []string) {
	t.Helper()
	found, err := b.Candidates(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range found {
		said := fmt.Sprint(c.Customer.ID, c.By)
		if c.Named {
			said += " named"
		}
		list = append(list, said)
	}
	return list
}

func TestCandidatesAreFoundByEachBasis(t *testing.T) {
	m := newTestEnvOver(&tabletest.Memory{})
	acme(t, m, "a")
	err := m.kept.SaveCustomer(t.Context(), store.AccountChange{
		Customer: "a", Version: account(t, m, "a").Version, By: "sam"}, "a", func(c *customer.Customer) error {
		c.Name = "Acme Schweiz"
		c.AddFormerName("Acme AG")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	moved := account(t, m, "a").Instances[0]
	server := moved.Server()
	moved.Servers = append(moved.Servers, customer.ServerID{Server: "0A1B2C3D-AWHW8w9JtzBzSrmf9NEW", Told: m.now})
	const id = "01ctf3v1bqy5yqv8zs4rk6w5hc"
	issue(t, m, store.Issue{By: "sam", Instances: []customer.Instance{moved},
		Licenses: []license.License{licenseOf(moved, id)}})
	for _, tt := range []struct {
		name string
		ask  func(*request.Details)
		want string
	}{
		{"nothing", func(d *request.Details) {}, "[]"},
		{"license", func(d *request.Details) { d.Replaces = "License “" + id + "”." }, "[a[license] named]"},
		{"license in capitals", func(d *request.Details) { d.Replaces = strings.ToUpper(id) + "." },
			"[a[license] named]"},
		{"former server", func(d *request.Details) { d.Server = server }, "[a[server]]"},
		{"dataset under another address", func(d *request.Details) { d.Server = "FFFFFFFF-AWHW8w9JtzBzSrmf9NEW" },
			"[a[server]]"},
		{"server that is replaced", func(d *request.Details) { d.Replaces = string(server) + "." }, "[a[server] named]"},
		{"server, the same that is replaced", func(d *request.Details) { d.Server, d.Replaces = server, string(server) },
			"[a[server] named]"},
		{"contact in another spelling", func(d *request.Details) { d.Email = "ADA@Acme.example" },
			"[a[contact domain]]"},
		{"domain", func(d *request.Details) { d.Email = "new@acme.example" }, "[a[domain]]"},
		{"name in another spelling", func(d *request.Details) { d.Company = "ACME Schweiz GmbH" }, "[a[name]]"},
		{"former name", func(d *request.Details) { d.Company = "acme" }, "[a[name]]"},
		{"part of the name", func(d *request.Details) { d.Company = "Schweiz" }, "[]"},
	} {
		d := asker
		tt.ask(&d)
		if got := fmt.Sprint(candidates(t, m, d)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestCandidatesAreFoundByReferences(t *testing.T) {
	rounds := &tabletest.Rounds{Table: &tabletest.Memory{}}
	b := newTestEnvOver(rounds)
	acme(t, b, "a")
	filed, unlinked := file(t, b, evaluation), file(t, b, asker)
	c := customer.Customer{ID: "z", Name: "Globex", Reference: "C-7K3Q9F", Created: b.now}
	k := customer.Contract{ID: "k", Customer: "z", Reference: "K-01ABCD", Created: b.now,
		Terms: customer.Terms{Edition: license.Enterprise, MaxLoc: 1e6}, Production: 1}
	i := customer.Instance{ID: "i", Customer: "z", Environment: request.ProductionUse, Created: b.now,
		Servers: []customer.ServerID{{Server: "AWHW8w9JtzBzSrmf9GZZ", Told: b.now}}}
	issue(t, b, store.Issue{By: "sam", Customer: &c, Contracts: []customer.Contract{k},
		Instances: []customer.Instance{i}, Licenses: []license.License{licenseOf(i, "l")}, Request: filed.ID,
		RequestVersion: filed.Version})
	for _, tt := range []struct {
		replaces, want string
		rounds         int
	}{
		{"customer c7k3q9f.", "[z[reference] named]", 2},
		{"K-01ABCD", "[z[reference] named]", 2},
		{"K-01ABCD of C-7K3Q9F", "[z[reference] named]", 2},
		{"“" + string(filed.Reference) + "”", "[z[reference] named]", 3},
		{string(unlinked.Reference), "[]", 2},
		{"C-ZZZZZZ, K-ZZZZZZ and R-ZZZZZZ", "[]", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := asker
			d.Replaces = tt.replaces
			rounds.Reset()
			if got := fmt.Sprint(candidates(t, b, d)); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.replaces, got, tt.want)
			}
			n := 0
			for _, r := range rounds.Reads() {
				n = max(n, r.Round)
			}
			if n != tt.rounds {
				t.Errorf("%s: got %d rounds, want %d: %v", tt.replaces, n, tt.rounds, rounds.Reads())
			}
		})
	}
}

func TestCandidatesComeByTheirStrongestBasisAndAsSurvivors(t *testing.T) {
	m := newTestEnvOver(&tabletest.Memory{})
	for _, id := range []string{"a", "b", "c"} {
		acme(t, m, id)
	}
	d := asker
	d.Server, d.Email = account(t, m, "b").Instances[0].Server(), "new@acme.example"
	if got, want := candidates(t, m, d), []string{"b[server domain]", "a[domain]", "c[domain]"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	merge(t, m, "b", "a")
	if got, want := candidates(t, m, d), []string{"a[server domain]", "c[domain]"}; !slices.Equal(got, want) {
		t.Errorf("merged: got %v, want %v", got, want)
	}
	d.Email = asker.Email
	if got, want := candidates(t, m, d), []string{"a[server]"}; !slices.Equal(got, want) {
		t.Errorf("merged, by server alone: got %v, want %v", got, want)
	}
}

func TestCandidatesTellWhichContactSentTheRequest(t *testing.T) {
	m := newTestEnvOver(&tabletest.Memory{})
	for _, id := range []string{"a", "b"} {
		acme(t, m, id)
	}
	since := account(t, m, "a").Customer.Contacts[0].Since
	older := since.AddDate(-1, 0, 0)
	err := m.kept.SaveCustomer(t.Context(), store.AccountChange{
		Customer: "b", Version: account(t, m, "b").Version, By: "sam"}, "b", func(c *customer.Customer) error {
		c.Contacts[0].Since = older
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d := asker
	d.Email, d.Server = "ADA@Acme.example", account(t, m, "a").Instances[0].Server()
	contacts := func() string {
		found, err := m.Candidates(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, c := range found {
			list = append(list, c.Customer.ID+" "+c.Contact.Email+" "+c.Contact.Since.Format(time.DateOnly))
		}
		return strings.Join(list, ", ")
	}
	young, old := ada.Email+" "+since.Format(time.DateOnly), ada.Email+" "+older.Format(time.DateOnly)
	want := "a " + young + ", b " + old
	if got := contacts(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	merge(t, m, "b", "a")
	if got, want := contacts(), "a "+old; got != want {
		t.Errorf("merged: got %s, want %s", got, want)
	}
	d.Email = "new@acme.example"
	if got, want := contacts(), "a  0001-01-01"; got != want {
		t.Errorf("another person: got %s, want %s", got, want)
	}
}

func TestSameNameIsFoundAmongManyThatShareItsWords(t *testing.T) {
	b := newTestEnv(t)
	for i := range 40 {
		addCustomer(t, b, customer.Customer{ID: fmt.Sprintf("c%02d", i), Name: fmt.Sprintf("Acme %02d", i)})
	}
	addCustomer(t, b, customer.Customer{ID: "z", Name: "Acme"})
	d := asker
	d.Company = "acme AG"
	if got := candidates(t, b, d); !slices.Equal(got, []string{"z[name]"}) {
		t.Errorf("got %v, want the customer of that name", got)
	}
}

func TestCandidatesTakeTwoRoundsOfReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rounds := &tabletest.Rounds{Table: &tabletest.Memory{}}
		m := newTestEnvOver(rounds)
		for _, id := range []string{"a", "b", "c"} {
			acme(t, m, id)
		}
		d := asker
		d.Server, d.Email, d.Company = account(t, m, "b").Instances[0].Server(), ada.Email, "Acme"
		d.Replaces = "01j0000000000000000000000a " + string(account(t, m, "c").Instances[1].Server())
		last := func() int {
			t.Helper()
			rounds.Reset()
			if got := candidates(t, m, d); len(got) == 0 {
				t.Error("got no candidates")
			}
			n := 0
			for _, r := range rounds.Reads() {
				n = max(n, r.Round)
			}
			return n
		}
		if got := last(); got != 2 {
			t.Errorf("got %d rounds, want 2: %v", got, rounds.Reads())
		}
		merge(t, m, "b", "a")
		if got := last(); got != 2 {
			t.Errorf("with a survivor that is found, too: got %d rounds, want 2", got)
		}
	})
}
