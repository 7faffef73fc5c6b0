package licenseimport

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// Servers of tests.
const (
	server  = "AWHW8w9JtzBzSrmf9GQX"
	server2 = "AWJ2mZx0pQrStUvWxYz1"
	server3 = "AWZZZZ0pQrStUvWxYz1a"
)

// row is a line of a file with the columns of Header; "" has the value of good.
func row(organization, email, server, edition, kind, expiration string) string {
	return fmt.Sprintf("%s,Ada Lovelace,%s,%s,%s,%s,1000000,%s,yes\n", organization, email, server, edition, kind,
		expiration)
}

func TestImportFormsACustomerWithContractAndInstances(t *testing.T) {
	e := newTestEnv()
	report := e.imported(t, header+good+
		row("ACME Aktiengesellschaft", "bob@acme.example", server2, "developer", "PRODUCTION", "2018-08-31")+
		row("Acme AG", "ada@acme.example", server3, "developer", "STAGING", "2018-08-31"))
	if report.Recorded != 3 || report.Customers != 1 || report.Contracts != 1 || report.Instances != 3 ||
		len(report.Notes) > 0 {
		t.Errorf("got %+v, want a customer, a contract and three instances", report)
	}
	a := e.account(t)
	if c := a.Customer; c.Name != "ACME Aktiengesellschaft" || !slices.Equal(c.FormerNames, []string{"Acme AG"}) ||
		!slices.Equal(c.Domains, []string{"acme.example"}) || len(c.Contacts) != 2 || c.Reference.Kind() != "C" {
		t.Errorf("got the customer %+v", c)
	}
	for _, c := range a.Customer.Contacts {
		if c.VouchedBy != "import" || !c.Since.Equal(e.now) {
			t.Errorf("got the contact %+v, want one vouched for by the import", c)
		}
	}
	k := a.Contracts[0]
	if k.Production != 2 || k.Staging != 1 || k.MaxLoc != 1_000_000 || !k.Support || k.Last != day("2018-08-31") ||
		k.First != day("2017-09-01") || k.Reference.Kind() != "K" {
		t.Errorf("got the contract %+v, want two production and one staging from 2017-09-01", k)
	}
	for _, i := range a.Instances {
		if len(i.Licenses) != 1 || i.Licenses[0].Contract != k.ID {
			t.Errorf("got the instance %+v, want a license under the contract", i)
		}
	}
}

func TestPublicProvidersTellCustomersApartByAddress(t *testing.T) {
	e := newTestEnv()
	report := e.imported(t, header+
		row("Smith Consulting", "ann@gmail.com", server, "developer", "PRODUCTION", "2018-08-31")+
		row("Smith Consulting", "Ann@GMAIL.com", server2, "developer", "PRODUCTION", "2018-08-31")+
		row("Smith Consulting", "bob@gmail.com", server3, "developer", "PRODUCTION", "2018-08-31"))
	list := e.accounts(t)
	if len(list) != 2 || len(list[0].Customer.Domains) > 0 {
		t.Errorf("got %d customers, want 2 without domains", len(list))
	}
	if len(report.Notes) != 1 || report.Notes[0].Line != 4 ||
		!strings.Contains(report.Notes[0].Text, "Merge the two customers") {
		t.Errorf("got notes %v, want the merge suggested", report.Notes)
	}
}

func TestConfiguredDomainsCountAsPublic(t *testing.T) {
	e := newTestEnv()
	e.imported(t, header+row("Smith Consulting", "ann@isp.example", server, "developer", "PRODUCTION", "2018-08-31")+
		row("Smith Consulting", "bob@isp.example", server2, "developer", "PRODUCTION", "2018-08-31"))
	if list := e.accounts(t); len(list) != 2 || len(list[0].Customer.Domains) > 0 {
		t.Errorf("got %d customers, want 2 without domains", len(list))
	}
}

func TestSameNameAtAnotherDomainIsAnotherCustomer(t *testing.T) {
	e := newTestEnv()
	other := row("Acme", "eve@acme-usa.example", server2, "developer", "PRODUCTION", "2018-08-31")
	report := e.imported(t, header+good+other)
	if len(e.accounts(t)) != 2 || len(report.Notes) != 1 || report.Notes[0].Line != 3 ||
		!strings.HasPrefix(report.Notes[0].Text, "organization: the customer of line 2 has the same name") {
		t.Errorf("in one file: got %d customers and %v, want two and a suggestion", len(e.accounts(t)), report.Notes)
	}
	e = newTestEnv()
	e.imported(t, header+good)
	ref := e.account(t).Customer.Reference
	report = e.imported(t, header+other)
	if len(e.accounts(t)) != 2 || len(report.Notes) != 1 ||
		!strings.Contains(report.Notes[0].Text, "Acme AG ("+string(ref)+") has the same name") {
		t.Errorf("one after another: got %d customers and %v, want two and a suggestion", len(e.accounts(t)),
			report.Notes)
	}
	if report = e.imported(t, header+other); len(report.Notes) > 0 {
		t.Errorf("again: got %v, want no notes", report.Notes)
	}
}

func TestLinesOfOneLicenseAreOfOneCustomer(t *testing.T) {
	e := newTestEnv()
	e.imported(t, header+good+strings.Replace(good, "Ada Lovelace,ada@acme", "Bob,bob@reseller", 1)+
		row("Acme AG", "bob@reseller.example", server2, "developer", "PRODUCTION", "2018-08-31"))
	c := e.account(t).Customer
	if len(c.Contacts) != 2 || len(c.Domains) != 2 {
		t.Errorf("got %+v, want both contacts and domains", c)
	}
}

func TestContractsAreFormedByEqualTerms(t *testing.T) {
	e := newTestEnv()
	e.imported(t, header+good+
		row("Acme AG", "ada@acme.example", server2, "developer", "PRODUCTION", "2019-08-31")+
		row("Acme AG", "ada@acme.example", server3, "enterprise", "PRODUCTION", "2018-08-31")+
		strings.NewReplacer("1000000", "250000", server, "20110407133530").Replace(good)+
		row("Acme AG", "ada@acme.example", "1a2b3c4d5e6f708", "developer", "EVALUATION", "2018-08-31"))
	a := e.account(t)
	if len(a.Contracts) != 4 {
		t.Errorf("got %d contracts, want one for each last day, edition and lines of code", len(a.Contracts))
	}
	if l := a.AllEvaluations(); len(l) != 1 || l[0].Contract != "" {
		t.Errorf("got evaluations %+v, want one without a contract", l)
	}
	// A further instance on terms that are on record raises what the contract covers; what sales raised stays.
	k := a.Contract(a.Instances[0].Licenses[0].Contract)
	e.imported(t, header+row("Acme AG", "ada@acme.example", "20120407133530", "enterprise", "PRODUCTION", "2018-08-31"))
	a = e.account(t)
	if len(a.Contracts) != 4 || !slices.ContainsFunc(a.Contracts, func(c customer.Contract) bool {
		return c.Edition == license.Enterprise && c.Production == 2
	}) {
		t.Errorf("got %+v, want the contract of the Enterprise Edition to cover two (first was %v)", a.Contracts, k)
	}
}

func TestNamedContractHoldsYearlyKeys(t *testing.T) {
	e := newTestEnv()
	head := strings.TrimSpace(header) + ",contract\n"
	key := func(server, last, contract string) string {
		return strings.TrimSpace(row("Acme AG", "ada@acme.example", server, "developer", "PRODUCTION", last)) + "," +
			contract + "\n"
	}
	file := head + key(server, "2017-12-31", "2017-12") + key(server, "2018-12-31", "2017-12")
	e.imported(t, file)
	a := e.account(t)
	if len(a.Contracts) != 1 || a.Contracts[0].First != day("2017-01-01") || a.Contracts[0].Last != day("2018-12-31") ||
		len(a.Instances) != 1 || len(a.Instances[0].Licenses) != 2 {
		t.Fatalf("got %+v, want one contract over both keys", a)
	}
	e.imported(t, head+key(server, "2019-12-31", "2017-12"))
	if a = e.account(t); len(a.Contracts) != 1 || a.Contracts[0].Last != day("2019-12-31") {
		t.Errorf("got %+v, want the contract to last longer", a.Contracts)
	}
	ours := string(a.Contracts[0].Reference)
	e.imported(t, head+key(server2, "2019-06-30", ours))
	if a = e.account(t); len(a.Contracts) != 1 || a.Contracts[0].Production != 2 {
		t.Errorf("got %+v, want our contract to cover two", a.Contracts)
	}
	other := strings.Replace(key(server3, "2019-06-30", ours), "Acme AG", "Other GmbH", 1)
	e.imported(t, head+other) // the contract says whose it is
	if a = e.account(t); a.Contracts[0].Production != 3 {
		t.Errorf("got %+v, want our contract to cover three", a.Contracts)
	}
	for _, wrong := range []string{"K-000000", strings.Replace(ours, "K-", "k-", 1) + "9"} {
		r := e.reported(t, head+key("20110407133530", "2019-06-30", wrong))
		if known := strings.HasPrefix(wrong, "K-"); known != (len(r.Refused) == 1) {
			t.Errorf("%s: got %+v, want a refusal of a reference that is not on record only", wrong, r)
		}
	}
}

func TestEvaluationThatBecomesProductionIsOneInstance(t *testing.T) {
	e := newTestEnv()
	e.imported(t, header+row("Acme AG", "ada@acme.example", server, "developer", "EVALUATION", "2018-04-30")+good)
	a := e.account(t)
	if len(a.Instances) != 1 || len(a.Instances[0].Licenses) != 2 || a.Instances[0].Licenses[0].Successor == "" {
		t.Errorf("got %+v, want one instance whose evaluation has a successor", a.Instances)
	}
}

func TestStagingIsUnderTheProductionThatItMirrors(t *testing.T) {
	head := strings.TrimSpace(header) + ",mirrors\n"
	with := func(l, mirrors string) string { return strings.TrimSpace(l) + "," + mirrors + "\n" }
	production := with(row("Acme AG", "ada@acme.example", server, "developer", "PRODUCTION", "2018-08-31"), "")
	for _, tt := range []struct {
		name, server, mirrors string
		under                 bool
		note                  string
	}{
		{"with the dataset", "0A1B2C3D-" + server, "", true, ""},
		{"with the whole ID", server, "", true, ""},
		{"as the column says", server2, server, true, ""},
		{"as the column says, whatever the dataset", "0A1B2C3D-" + server3, server, true, ""},
		{"without anything that tells", server2, "", false, ""},
		{"of nobody's", server2, "20110407133530", false, "mirrors: this customer has no production server 20110407133530"},
	} {
		e := newTestEnv()
		staging := with(row("Acme AG", "ada@acme.example", tt.server, "developer", "STAGING", "2018-08-31"), tt.mirrors)
		other := with(row("Acme AG", "ada@acme.example", server3, "developer", "PRODUCTION", "2018-08-31"), "")
		report := e.imported(t, head+staging+other+production)
		a := e.account(t)
		s, p := of(a, request.StagingUse), of(a, request.ProductionUse)
		mirrored := func(i customer.Instance) bool { return i.ID == s[0].Production && i.Had(server) }
		if len(s) != 1 || len(p) != 2 || slices.ContainsFunc(p, mirrored) != tt.under {
			t.Errorf("%s: got %+v, want under production: %v", tt.name, a.Instances, tt.under)
		}
		if (tt.note != "") != (len(report.Notes) == 1) ||
			tt.note != "" && !strings.HasPrefix(report.Notes[0].Text, tt.note) {
			t.Errorf("%s: got %v, want %q", tt.name, report.Notes, tt.note)
		}
	}
}

func TestSameDataWithAnotherPrefixIsNotedAndKeptApart(t *testing.T) {
	e := newTestEnv()
	report := e.imported(t, header+good+
		row("Acme AG", "ada@acme.example", "0A1B2C3D-"+server, "developer", "PRODUCTION", "2019-08-31"))
	if a := e.account(t); len(a.Instances) != 2 || len(report.Notes) != 1 ||
		!strings.Contains(report.Notes[0].Text, "also has a production server with the same data, "+server) {
		t.Errorf("got %+v, %v, want two instances and a note: both are reminded", a.Instances, report.Notes)
	}
}

func TestStagingWithoutEntitlementIsNoted(t *testing.T) {
	e := newTestEnv()
	report := e.imported(t, header+strings.NewReplacer("PRODUCTION", "STAGING", "yes", "no").Replace(good))
	if report.Recorded != 1 || len(report.Notes) != 1 ||
		!strings.HasPrefix(report.Notes[0].Text, "type: staging needs") {
		t.Errorf("got %+v, want a note", report)
	}
}

// The two organizations of ../shared/cases/F13-says-it-repeats.csv.
const twoOnOneServer = header +
	"Example AG,Ana Example,ana@customer.example,AWHW8w9JtzBzSrmf9GQX,developer,PRODUCTION,100000,2028-12-31,yes\n" +
	"Other GmbH,Bob Example,bob@other.example,AWHW8w9JtzBzSrmf9GQX,developer,PRODUCTION,250000,2028-12-31,no\n"

func TestTwoOrganizationsOnOneServerAreRecordedAndNoted(t *testing.T) {
	e := newTestEnv()
	report := e.imported(t, twoOnOneServer)
	if report.Recorded != 2 || len(report.Notes) != 1 || report.Notes[0].Line != 3 ||
		!strings.Contains(report.Notes[0].Text, "Example AG") || !strings.Contains(report.Notes[0].Text, "Other GmbH") {
		t.Fatalf("got %+v, want two licenses and a note that names both", report)
	}
	for _, a := range e.accounts(t) {
		events, _, err := e.CustomerTimeline(t.Context(), []string{a.Customer.ID}, "", 10)
		if err != nil || !slices.ContainsFunc(events, func(ev store.Event) bool {
			return ev.Action == store.NoteAdded && strings.Contains(ev.Note, "The server "+server+" is also on record")
		}) {
			t.Errorf("%s: got the timeline %+v, %v, want the other customer noted", a.Customer.Name, events, err)
		}
		if len(a.Instances) != 1 || a.Instances[0].Licenses[0].Successor != "" {
			t.Errorf("got %+v, want a license that nobody's ends", a.Instances)
		}
	}
	if again := e.imported(t, twoOnOneServer); again.Known != 2 || len(again.Notes) > 0 {
		t.Errorf("again: got %+v, want both known and no notes", again)
	}
}

func TestServerOnRecordAtAnotherCustomerIsNoted(t *testing.T) {
	e := newTestEnv()
	other := header + strings.Replace(good, "Acme AG", "Other GmbH", 1)
	for _, tt := range []struct {
		file  string
		notes int
	}{{header + good, 0}, {other, 1}, {other, 0}, {header + good, 0}} {
		report := e.imported(t, tt.file)
		if len(report.Notes) != tt.notes {
			t.Errorf("got %+v, want %d notes", report, tt.notes)
		}
		for _, n := range report.Notes {
			if !strings.Contains(n.Text, "Acme AG (C-") || !strings.Contains(n.Text, "Other GmbH") {
				t.Errorf("got %s, want both customers named", n)
			}
		}
	}
}

func TestOtherTermsOnRecordAreRefused(t *testing.T) {
	e := newTestEnv()
	e.imported(t, header+good)
	other := strings.Replace(good, "1000000", "2000000", 1)
	fresh := strings.Replace(good, "2018-08-31", "2019-08-31", 1)
	file := header + fresh + other + "broken\n"
	report := e.reported(t, file)
	if len(report.Refused) != 2 || report.Refused[0].Line != 3 || report.Refused[1].Line != 4 || report.Recorded != 0 ||
		!strings.Contains(report.Refused[0].String(), "max_loc is 2000000 here and 1000000 there") {
		t.Errorf("got %+v, want lines 3 and 4 refused and nothing recorded", report)
	}
	o := Options{Store: e, Search: search.New(e.Store), SkipRefused: true}
	report, err := Import(t.Context(), strings.NewReader(file), o)
	if err != nil || len(report.Refused) != 2 || report.Recorded != 1 {
		t.Errorf("skipping: got %+v, %v, want one recorded", report, err)
	}
	// The same license, the organization spelled otherwise.
	spelled := strings.Replace(good, "Acme AG", "Acme Ltd", 1)
	if report = e.imported(t, header+spelled); report.Known != 1 || report.Recorded > 0 {
		t.Errorf("in another spelling: got %+v, want it known", report)
	}
	report = e.reported(t, header+strings.Replace(spelled, "yes", "no", 1))
	if len(report.Refused) != 1 || !strings.Contains(report.Refused[0].String(), "support is no here and yes there") {
		t.Errorf("in another spelling: got %+v, want a refusal", report)
	}
}

func TestImportWithARefusedLineRecordsNothing(t *testing.T) {
	e := newTestEnv()
	file := header + good + "broken\n"
	report := e.reported(t, file)
	if len(e.accounts(t)) != 0 || len(report.Refused) != 1 || report.Recorded != 0 {
		t.Errorf("got %+v, want none recorded", report)
	}
	o := Options{Store: e, Search: search.New(e.Store), SkipRefused: true}
	report, err := Import(t.Context(), strings.NewReader(file), o)
	if err != nil || len(e.accounts(t)) != 1 || report.Recorded != 1 || len(report.Refused) != 1 {
		t.Errorf("skipping: got %+v, %v, want one recorded", report, err)
	}
}

func TestCustomerColumnTellsCustomersApart(t *testing.T) {
	head := strings.TrimSpace(header) + ",customer\n"
	with := func(organization, email, server, name string) string {
		line := strings.TrimSpace(row(organization, email, server, "developer", "PRODUCTION", "2018-08-31"))
		return line + "," + name + "\n"
	}
	e := newTestEnv()
	file := head + with("Acme AG", "ada@acme.example", server, "Bern") +
		with("Acme AG", "ada@acme.example", server2, "Zürich") +
		with("Acme Holding", "eve@holding.example", server3, "ZÜRICH")
	if r := e.imported(t, file); len(r.Notes) > 0 {
		t.Errorf("got notes %v, want none about customers that the vendor tells apart", r.Notes)
	}
	list := e.accounts(t)
	if len(list) != 2 || len(list[0].Instances)+len(list[1].Instances) != 3 {
		t.Fatalf("got %d customers, want Bern and Zürich", len(list))
	}
	// A third one, in a later file.
	r := e.imported(t, head+with("Acme AG", "ada@acme.example", "20110407133530", "Genf"))
	if len(r.Notes) > 0 {
		t.Errorf("got notes %v, want none", r.Notes)
	}
	if list = e.accounts(t); len(list) != 3 {
		t.Errorf("got %d customers, want Genf, too", len(list))
	}

	e = newTestEnv() // a line without a name belongs to the only one of its company
	e.imported(t, head+with("Acme AG", "ada@acme.example", server, "Bern")+
		with("Acme", "bob@acme.example", server2, ""))
	a := e.account(t)
	if len(a.Instances) != 2 || !slices.Equal(a.Customer.Outside, []customer.Outside{{System: Grouping, ID: "bern"}}) {
		t.Errorf("got %+v, want both instances at one customer that keeps its name", a)
	}
	ours := string(a.Customer.Reference)
	e.imported(t, head+with("Unlike", "eve@elsewhere.example", server3, strings.ToLower(ours)))
	if a = e.account(t); len(a.Instances) != 3 {
		t.Errorf("got %+v, want a third instance by our reference", a)
	}
	report := e.reported(t, head+with("Unlike", "eve@elsewhere.example", "20110407133530", "C-000000"))
	if len(report.Refused) != 1 ||
		!strings.Contains(report.Refused[0].String(), "customer: C-000000 is not on record") {
		t.Errorf("got %+v, want a reference that is not on record refused", report)
	}
}

func TestContactsAndReferencesJoinTheCustomer(t *testing.T) {
	e := newTestEnv()
	head := strings.TrimSpace(header) + ",contacts,reference\n"
	line := strings.TrimSpace(good) + `,"bob@acme.example, ada@acme.example",CRM:4711` + "\n"
	e.imported(t, head+line)
	c := e.account(t).Customer
	if len(c.Contacts) != 2 || c.Contacts[0].Email != "ada@acme.example" || c.Contacts[1].Email != "bob@acme.example" ||
		!slices.Equal(c.Outside, []customer.Outside{{System: "CRM", ID: "4711"}}) {
		t.Errorf("got %+v, want two contacts and a reference", c)
	}
	e.imported(t, head+strings.NewReplacer("2018-08-31", "2019-08-31", "bob@", "eve@", "4711", "4712").Replace(line))
	c = e.account(t).Customer
	if len(c.Contacts) != 3 || c.Contacts[2].Email != "eve@acme.example" || len(c.Outside) != 2 {
		t.Errorf("got %+v, want a third contact and a second reference", c)
	}
}

func TestCustomerOnRecordIsFoundByNameAndDomain(t *testing.T) {
	for name, known := range map[string]customer.Customer{
		"by domain":       {Name: "ACME Ltd.", Domains: []string{"acme.example"}},
		"by a contact":    {Name: "acme", Contacts: []customer.Contact{{Email: "bob@acme.example"}}},
		"by former names": {Name: "Zeta", FormerNames: []string{"Acme"}, Domains: []string{"acme.example"}},
	} {
		e := newTestEnv()
		known.ID = "01customer"
		if err := e.IssueLicenses(t.Context(), store.Issue{Customer: &known, By: "sam@vendor.example"}); err != nil {
			t.Fatal(err)
		}
		e.imported(t, header+good)
		if a := e.account(t); a.Customer.Name != known.Name || len(a.Instances) != 1 {
			t.Errorf("%s: got %+v, want the license at the customer on record", name, a)
		}
	}
}

// Whatever sales do with what was imported, importing the file again forms nothing.
func TestSecondImportFormsNothing(t *testing.T) {
	file := header + good +
		row("Acme AG", "ada@acme.example", "0A1B2C3D-"+server, "developer", "STAGING", "2018-08-31") +
		row("Other GmbH", "bob@other.example", server2, "enterprise", "PRODUCTION", "2019-08-31")
	find := func(e *testEnv, name string) *customer.Account {
		list := e.accounts(t)
		return list[slices.IndexFunc(list, func(a *customer.Account) bool { return a.Customer.Name == name })]
	}
	for name, sales := range map[string]func(e *testEnv) error{
		"nothing": func(*testEnv) error { return nil },
		"renamed": func(e *testEnv) error {
			a := find(e, "Acme AG")
			return e.SaveCustomer(t.Context(), change(a), a.Customer.ID, func(c *customer.Customer) error {
				c.Name, c.Domains, c.Contacts = "Zeta", []string{"zeta.example"}, []customer.Contact{{Email: "z@zeta.example"}}
				return nil
			})
		},
		"merged": func(e *testEnv) error {
			a, o := find(e, "Acme AG"), find(e, "Other GmbH")
			return e.MergeCustomers(t.Context(), store.Merge{From: a.Customer.ID, Into: o.Customer.ID,
				FromVersion: a.Version, IntoVersion: o.Version, By: "sam@vendor.example"})
		},
		"moved": func(e *testEnv) error {
			a, o := find(e, "Acme AG"), find(e, "Other GmbH")
			return e.MoveInstances(t.Context(), store.Move{From: change(a), To: o.Customer.ID, Version: o.Version,
				Instances: []string{a.Instances[0].ID, a.Instances[1].ID}, Contract: o.Contracts[0].ID})
		},
		"retired": func(e *testEnv) error {
			a := find(e, "Acme AG")
			return e.RetireInstance(t.Context(), change(a), a.Instances[0].ID, true)
		},
		"ended": func(e *testEnv) error {
			a := find(e, "Acme AG")
			return e.EndContract(t.Context(), change(a), a.Contracts[0].ID, "unpaid")
		},
		"amended": func(e *testEnv) error {
			a := find(e, "Acme AG")
			k := a.Contracts[0]
			k.MaxLoc, k.Last = 5_000_000, day("2020-08-31")
			return e.IssueLicenses(t.Context(), store.Issue{Contracts: []customer.Contract{k}, By: "sam@vendor.example"})
		},
	} {
		e := newTestEnv()
		e.imported(t, file)
		if err := sales(e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := e.state(t)
		e.now = e.now.AddDate(0, 1, 0)
		e.table.Reset()
		report := e.imported(t, file)
		n := e.table.Counts().RowsWritten
		if n > 0 || report.Known != 3 || e.state(t) != before || len(report.Notes) > 0 {
			t.Errorf("%s: got %+v and %d rows written, want nothing", name, report, n)
		}
		// A later license of the same server is the same customer's, or the one's who has it now.
		later := e.imported(t, header+strings.Replace(good, "2018-08-31", "2019-12-31", 1))
		if later.Customers > 0 || (later.Instances > 0) != (name == "moved") {
			t.Errorf("%s: a later license: got %+v, want no customer formed", name, later)
		}
	}
}

func TestLicenseOfARetiredInstanceIsNoted(t *testing.T) {
	e := newTestEnv()
	e.imported(t, header+good)
	a := e.account(t)
	if err := e.RetireInstance(t.Context(), change(a), a.Instances[0].ID, true); err != nil {
		t.Fatal(err)
	}
	report := e.imported(t, header+strings.Replace(good, "2018-08-31", "2019-08-31", 1))
	a = e.account(t)
	if len(a.Instances) != 1 || a.Instances[0].InUse() || len(report.Notes) != 1 ||
		!strings.Contains(report.Notes[0].Text, "was retired") {
		t.Errorf("got %+v, %v, want a note and the instance still retired", a.Instances, report.Notes)
	}
}

// manyContacts is a file of a license with n contacts, which take several transactions.
func manyContacts(n int) string {
	var file strings.Builder
	file.WriteString(header)
	for n := range n {
		file.WriteString(strings.Replace(good, "Ada Lovelace,ada@", fmt.Sprintf("Ada%d Lovelace%d,ada%d@", n, n, n), 1))
	}
	return file.String()
}

func TestContactsBeyondTheLimitAreNoted(t *testing.T) {
	e := newTestEnv()
	report := e.imported(t, manyContacts(customer.MaxContacts+3))
	left := func(n Note) bool { return strings.HasPrefix(n.Text, "email: 3 contacts are not recorded") }
	if a := e.account(t); len(a.Customer.Contacts) != customer.MaxContacts || !slices.ContainsFunc(report.Notes, left) {
		t.Errorf("got %d contacts and %v, want %d and a note", len(a.Customer.Contacts), report.Notes,
			customer.MaxContacts)
	}
}

const largeServers = 24

// large is a file of one customer that takes many transactions.
func large() string {
	var file strings.Builder
	file.WriteString(strings.TrimSpace(header) + ",contacts\n")
	for n := range largeServers {
		id := fmt.Sprintf("AWHW8w9JtzBzSrmf9G%02d", n)
		for _, l := range []string{
			row("Acme AG", "ada@acme.example", id, "enterprise", "PRODUCTION", "2018-08-31"),
			row("Acme AG", "ada@acme.example", id, "enterprise", "PRODUCTION", "2019-08-31"),
			row("Acme AG", "ada@acme.example", "0A1B2C3D-"+id, "enterprise", "STAGING", "2019-08-31"),
		} {
			fmt.Fprintf(&file, "%s,c%d@acme.example\n", strings.TrimSpace(l), n)
		}
	}
	return file.String()
}

func TestLargeCustomerIsImportedInSeveralTransactions(t *testing.T) {
	e := newTestEnv()
	var seen []int
	var contract, licenses bool
	e.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			seen = append(seen, len(c.Writes))
			for _, w := range c.Writes {
				licenses = licenses || w.Row.Type == "license"
				contract = contract || w.Row.Type == "contract" && !licenses
			}
		}
		return tabletest.Fault{}
	}
	report := e.imported(t, large())
	if report.Recorded != 3*largeServers || report.Customers != 1 || report.Contracts != 2 ||
		report.Instances != 2*largeServers {
		t.Errorf("got %+v", report)
	}
	if slices.Max(seen) > table.MaxWrites || slices.Min(seen[:len(seen)-1]) < table.MaxWrites/3 || !contract {
		t.Errorf("got transactions of %v rows, want full ones and the contract first", seen)
	}
	for _, k := range e.account(t).Contracts {
		if k.Production != largeServers || k.Staging != largeServers && k.Last == day("2019-08-31") {
			t.Errorf("got %+v, want an instance of each server", k)
		}
	}
}

// An import that is interrupted anywhere and run again ends like one that was not.
func TestInterruptedImportIsFinishedByRunningItAgain(t *testing.T) {
	whole := newTestEnv()
	whole.imported(t, large())
	want := whole.state(t)
	transactions := whole.table.Counts().Transacts
	for n := 1; n <= transactions; n++ {
		for _, lost := range []bool{false, true} {
			e := newTestEnv()
			calls := 0
			e.table.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op == "transact" {
					calls++
				}
				switch {
				case calls < n || c.Op != "transact":
					return tabletest.Fault{}
				case lost && calls == n:
					return tabletest.Lost
				}
				return tabletest.Down
			}
			o := Options{Store: e, Search: search.New(e.Store)}
			report, err := Import(t.Context(), strings.NewReader(large()), o)
			if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "run it again") {
				t.Fatalf("got %v, want an error that says how to continue", err)
			}
			e.table.Fault = nil
			again := e.imported(t, large())
			if e.state(t) != want {
				t.Fatalf("interrupted at transaction %d, lost %v: the customer differs from one that was not", n, lost)
			}
			if !lost && report.Recorded+again.Recorded != 3*largeServers {
				t.Errorf("got %d and %d licenses recorded, want %d together", report.Recorded,
					again.Recorded, 3*largeServers)
			}
		}
	}
	t.Logf("interrupted at each of %d transactions", transactions)
}

// between calls sales before some transactions of imports into a table, by their number, with the only customer.
func between(t *testing.T, e *testEnv, when func(call int) bool, sales func(*store.Store, *customer.Account) error) {
	other := store.New(e.table.Table, store.Options{Now: e.Now})
	calls := 0
	e.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op != "transact" {
			return tabletest.Fault{}
		}
		if calls++; !when(calls) {
			return tabletest.Fault{}
		}
		page, err := other.Customers(t.Context(), "", "", 1)
		if err != nil || len(page.Customers) != 1 {
			t.Errorf("got %+v, %v", page, err)
			return tabletest.Fault{}
		}
		a, err := other.Account(t.Context(), page.Customers[0].ID)
		if err == nil {
			err = sales(other, a)
		}
		if err != nil {
			t.Error(err)
		}
		return tabletest.Fault{}
	}
}

// addNote is a change of a customer by sales.
func addNote(t *testing.T) func(*store.Store, *customer.Account) error {
	return func(s *store.Store, a *customer.Account) error {
		return s.SaveCustomer(t.Context(), change(a), a.Customer.ID, func(c *customer.Customer) error {
			c.Notes += "x"
			return nil
		})
	}
}

// Somebody who changes the customer between two transactions of an import neither stops it nor loses the change.
func TestImportGoesOnAfterSomebodyChangedTheCustomer(t *testing.T) {
	e := newTestEnv()
	between(t, e, func(call int) bool { return call%2 == 0 && call < 8 }, addNote(t))
	report := e.imported(t, large())
	a := e.account(t)
	if report.Recorded != 3*largeServers || a.Customer.Notes != "xxx" || len(a.Instances) != 2*largeServers ||
		len(a.Customer.Contacts) != largeServers+1 {
		t.Errorf("got %+v, notes %q, %d instances, want all and the notes", report, a.Customer.Notes, len(a.Instances))
	}
	e = newTestEnv()
	between(t, e, func(call int) bool { return call == 2 }, addNote(t))
	e.imported(t, manyContacts(customer.MaxContacts))
	if c := e.account(t).Customer; c.Notes != "x" || len(c.Contacts) != customer.MaxContacts {
		t.Errorf("while contacts join: got notes %q and %d contacts, want both", c.Notes, len(c.Contacts))
	}
}

func TestTwoImportsOfAFileAtOnceAreOne(t *testing.T) {
	one := newTestEnv()
	one.imported(t, large())
	e := newTestEnv()
	reports := make([]Report, 3)
	var wg sync.WaitGroup
	for n := range reports {
		wg.Go(func() {
			var err error
			o := Options{Store: e, Search: search.New(e.Store)}
			if reports[n], err = Import(t.Context(), strings.NewReader(large()), o); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	recorded := 0
	for _, r := range reports {
		recorded += r.Recorded
	}
	if recorded != 3*largeServers || e.state(t) != one.state(t) {
		t.Errorf("got %d licenses recorded by three imports, want %d and the state of one", recorded, 3*largeServers)
	}
}
