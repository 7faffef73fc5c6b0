package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
)

// foundIDs are the IDs of requests, customers and instances that a search found.
func foundIDs(t *testing.T, f search.Found, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range f.Requests {
		ids = append(ids, r.ID)
	}
	for _, c := range f.Customers {
		ids = append(ids, c.ID)
	}
	for _, i := range f.Instances {
		ids = append(ids, i.ID)
	}
	return strings.Join(ids, " ")
}

func TestSearchFindsByServerPersonAndCompany(t *testing.T) {
	b := newTestEnv(t)
	d := evaluation
	d.Company = "Fjord Systems & Söhne AS"
	r := file(t, b, d)
	instance := customer.Instance{ID: "i1", Customer: "c1", Environment: request.ProductionUse, Created: b.now,
		Servers: []customer.ServerID{{Server: "0A1B2C3D-AWHW8w9JtzBzSrmf9GQX", Told: b.now}}}
	issue(t, b, store.Issue{By: "ops", Instances: []customer.Instance{instance},
		Licenses: []license.License{licenseOf(instance, "l1")},
		Customer: &customer.Customer{ID: "c1", Name: "Fjordline", Contacts: []customer.Contact{ada}}})
	other := evaluation
	other.Company, other.Server, other.Email = "Acme", "AWHW8w9JtzBzSrmf9GQY", "eve@acme.example"
	file(t, b, other)

	byServer := func(server string) string {
		f, err := b.ByServer(t.Context(), server, 10)
		return foundIDs(t, f, err)
	}
	byName := func(name string) string {
		f, err := b.ByName(t.Context(), name, 10)
		return foundIDs(t, f, err)
	}
	byEmail := func(email string) string {
		f, err := b.ByEmail(t.Context(), email, 10)
		return foundIDs(t, f, err)
	}
	for name, got := range map[string]string{
		"the dataset":               byServer("AWHW8w9JtzBzSrmf9GQX"),
		"the dataset at a new base": byServer("FFFFFFFF-AWHW8w9JtzBzSrmf9GQX"),
	} {
		if want := r.ID + " i1"; got != want {
			t.Errorf("by %s: got %q, want %q", name, got, want)
		}
	}
	for name, got := range map[string]string{
		"the person":           byEmail("Ada@Acme.example"),
		"the word's beginning": byName("fjord"),
		"two characters":       byName("FJ"),
	} {
		if want := r.ID + " c1"; got != want {
			t.Errorf("by %s: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"fjord söhne": r.ID, "söh fjord": r.ID, "fjordl": "c1", "fjord acme": "",
		"x": "", "": "", "#": "", "systems": r.ID} {
		if got := byName(name); got != want {
			t.Errorf("by company %q: got %q, want %q", name, got, want)
		}
	}
}

func TestCompanyIsFoundAmongManyThatShareAWord(t *testing.T) {
	b := newTestEnv(t)
	addCustomer(t, b, customer.Customer{ID: "c0", Name: "Fjord International"})
	for i := range 510 { // more than are read at once
		addCustomer(t, b, customer.Customer{ID: fmt.Sprint("c", i+1), Name: fmt.Sprintf("Company%d International", i)})
	}
	for _, name := range []string{"Fjord International", "international fjord", "fj int"} {
		found, err := b.ByName(t.Context(), name, 20)
		if err != nil || len(found.Customers) != 1 || found.Customers[0].ID != "c0" || found.More {
			t.Errorf("%q: got %+v, %v, want c0 alone", name, found, err)
		}
	}
	if found, err := b.ByName(t.Context(), "international", 20); err != nil || len(found.Customers) != 20 ||
		!found.More {
		t.Errorf("word of all: got %d, more %v, %v, want 20 and more", len(found.Customers), found.More, err)
	}
}

func TestCompanyIsFoundInEverySpelling(t *testing.T) {
	b := newTestEnv(t)
	for i, tt := range []struct{ name, asked string }{
		{"Bücher AG", "bucher, buecher, BÜCHER, bü, bu, bue, bu\u0308cher"},
		{"Mueller GmbH", "Müller, muller, mueller, müll"},
		{"\u00d6sterreichische Post", "osterr, oesterr, ÖSTERR, O\u0308sterreichische post"},
		{"Lumière Énergie", "lumiere energie, LUMIÈRE ÉNERGIE, energ"},
		{"Wisła Telekom", "wisla, WISŁA, wis"},
		{"Æther Ørsted", "aether, aeth orsted, ørsted, oersted"},
		{"Großbäckerei Weiß", "grossbackerei, Großbaeckerei, weiss, weiß"},
		{"İstanbul Sigorta", "istanbul, ISTANBUL, ıstanbul"},
		{"ＮＴＴ　ﾃﾞｰﾀ", "ntt, データ"},
		{"AE Systems", "ae, AE systems"},
		{"Συστήματα ΑΕ", "συστηματα, ΣΥΣΤΉΜΑΤΑ"},
		{"Ελληνικός Όμιλος", "ΕΛΛΗΝΙΚΌΣ ΌΜΙΛΟΣ"},
		{"Йогурт", "йогурт, иогурт"},
		{"हिन्दी प्रकाशन", "हिन्दी"},
	} {
		id := fmt.Sprintf("c%02d", i)
		addCustomer(t, b, customer.Customer{ID: id, Name: tt.name})
		for name := range strings.SplitSeq(tt.asked, ", ") {
			found, err := b.ByName(t.Context(), name, 10)
			is := func(c store.CustomerSummary) bool { return c.ID == id }
			if err != nil || !slices.ContainsFunc(found.Customers, is) {
				t.Errorf("%q: got no %q in %+v, %v", name, tt.name, found.Customers, err)
			}
		}
	}
	for name, not := range map[string]string{"bacher": "c00", "lumeire": "c03", "a": "c09"} {
		found, err := b.ByName(t.Context(), name, 10)
		if err != nil || len(found.Customers) > 0 {
			t.Errorf("%q: got %s in %+v, %v, want nothing", name, not, found.Customers, err)
		}
	}
}

func TestRequestIsFoundByThreeWordsOfItsCompany(t *testing.T) {
	b := newTestEnv(t)
	d := evaluation
	d.Company = "Für Fjord Systems Söhne AG"
	r := file(t, b, d)
	for name, want := range map[string]bool{"fjord": true, "fur": true, "systems": true, "systems AG": true,
		"söhne fjord": true, "fjord acme": false, "AG": false} {
		found, err := b.ByName(t.Context(), name, 10)
		if got := len(found.Requests) == 1 && found.Requests[0].ID == r.ID; got != want || err != nil {
			t.Errorf("%q: got found %v, %v, want %v", name, got, err, want)
		}
	}
}
