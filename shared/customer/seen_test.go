package customer

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// seenAccount has two installations of a customer, and one of a customer that was merged into it.
func seenAccount(now time.Time) *Account {
	old := now.AddDate(0, -1, 0)
	contact := func(email string, since time.Time, instances ...string) Contact {
		return Contact{Email: email, Since: since, Instances: instances}
	}
	licensed := func(id, customer, contract string) Instance {
		return Instance{ID: id, Customer: customer, RetiredBy: "sam@vendor.example",
			Licenses: []License{{ID: "l" + id, Contract: contract}}}
	}
	return &Account{
		Customer: Customer{ID: "c", Name: "Acme AG", Notes: "pays late", Owner: "sam@vendor.example",
			Domains: []string{"acme.example"}, Outside: []Outside{{"CRM", "1"}},
			Contacts: []Contact{contact("all@acme.example", old), contact("one@acme.example", old, "i1"),
				contact("new@acme.example", now.AddDate(0, 0, -6)), contact("two@acme.example", old, "i2")}},
		Merged: []Customer{{ID: "m", Name: "Merged Ltd", Survivor: "c", Notes: "difficult",
			Contacts: []Contact{contact("old@merged.example", old)}}},
		Contracts: []Contract{
			{ID: "k1", Customer: "c", Ended: old, EndedBy: "sam@vendor.example", EndedReason: "unpaid"},
			{ID: "k2", Customer: "c"}, {ID: "km", Customer: "m"},
		},
		Instances: []Instance{licensed("i1", "c", "k1"), licensed("i2", "c", "k2"), licensed("im", "m", "km")},
	}
}

func TestContactSeesWhatTheySpeakFor(t *testing.T) {
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	a := seenAccount(now)
	for _, tt := range []struct{ email, want string }{
		{"ALL@acme.example", "[i1 i2 im] [k1 k2 km] [all one new two old] true"},
		{"one@acme.example", "[i1] [k1] [all one new] false"},
		{"two@acme.example", "[i2] [k2] [all new two] false"},
		{"old@merged.example", "[im] [km] [all new old] false"},
		{"new@acme.example", "nothing"},
		{"stranger@acme.example", "nothing"},
	} {
		got := "nothing"
		if seen, ok := a.SeenBy(tt.email, now); ok {
			var instances, contracts, contacts []string
			for _, i := range seen.Instances {
				instances = append(instances, i.ID)
			}
			for _, c := range seen.Contracts {
				contracts = append(contracts, c.ID)
			}
			for _, c := range seen.Contacts() {
				contacts = append(contacts, c.Email[:3])
			}
			got = fmt.Sprint(instances, contracts, contacts, seen.Whole)
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.email, got, tt.want)
		}
	}
	if _, ok := a.SeenBy("new@acme.example", now.AddDate(0, 0, 1)); !ok {
		t.Error("a contact of seven days sees nothing")
	}
}

func TestContactSeesNothingThatColleaguesNoted(t *testing.T) {
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	seen, _ := seenAccount(now).SeenBy("all@acme.example", now)
	for _, c := range seen.Customers() {
		if c.Notes != "" || c.Owner != "" || len(c.Outside) > 0 || len(c.Domains) > 0 {
			t.Errorf("got %+v, want no notes of ours", c)
		}
	}
	if slices.ContainsFunc(seen.Contracts, func(c Contract) bool { return c.EndedBy != "" || c.EndedReason != "" }) ||
		slices.ContainsFunc(seen.Instances, func(i Instance) bool { return i.RetiredBy != "" }) {
		t.Error("got who of us ended or retired something, or why")
	}
}
