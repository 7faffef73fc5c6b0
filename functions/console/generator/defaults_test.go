package generator

import (
	"reflect"
	"slices"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
)

func evaluated(l *license.License) {
	l.Type, l.Edition, l.Support, l.MaxLoc = license.Evaluation, license.Developer, false, 100_000
}

func stagingOn(server license.Server) func(*license.License) {
	return func(l *license.License) { l.Type, l.Server = license.Staging, server }
}

// TestFormDefaults compares whole forms; a Type of "-", "v" or "e" compares only MaxLoc, ProductVersion or Expiration.
// In the expected form the customer is the word "acme" for Acme Corporation, an instance is its server, and the
// contract is what is done with the old license's.
func TestFormDefaults(t *testing.T) {
	lapsed := func(l *license.License) { l.Expiration = day("2018-02-10") }
	const first, again = "2018-03-05", "2019-04-30"
	for _, test := range []struct {
		name   string
		kind   request.Kind // of a request; "" uses source
		source Source
		change func(*request.Details)
		old    []license.License
		want   Form
	}{
		{name: "evaluation", kind: request.Evaluation, want: Form{
			Customer: "new", Type: "EVALUATION", Server: prod, Organization: "Acme AG", Edition: "developer",
			MaxLoc: "250000", NotBefore: first, Expiration: "2018-04-04", To: "ada@acme.example",
			ProductionCount: "1", StagingCount: "0", ProductVersion: "6.7.1"}},
		{name: "new", kind: request.New, want: Form{
			Customer: "new", Contract: "new", Type: "PRODUCTION", Server: prod, Organization: "Acme AG",
			Edition: "developer", MaxLoc: "250000", NotBefore: first, Expiration: "2019-03-04",
			To: "ada@acme.example", ProductionCount: "1", StagingCount: "0", ProductVersion: "6.7.1"}},
		{name: "new, with staging", kind: request.New,
			change: func(d *request.Details) { d.Edition = license.Enterprise }, want: Form{
				Customer: "new", Contract: "new", Type: "PRODUCTION", Server: prod, Organization: "Acme AG",
				Edition: "enterprise", MaxLoc: "250000", NotBefore: first, Expiration: "2019-03-04",
				To: "ada@acme.example", ProductionCount: "1", StagingCount: "1", ProductVersion: "6.7.1"}},
		{name: "new, exactly a threshold", kind: request.New, change: func(d *request.Details) { d.Loc = 100_000 },
			want: Form{MaxLoc: "100000", Type: "-"}},
		{name: "new, no lines", kind: request.New, change: func(d *request.Details) { d.Loc = 0 },
			want: Form{MaxLoc: "100000", Type: "-"}},
		{name: "new, more lines wanted than counted", kind: request.New,
			change: func(d *request.Details) { d.WantedLoc = 1_000_000 }, want: Form{MaxLoc: "1000000", Type: "-"}},
		{name: "new, more lines than any threshold", kind: request.New,
			change: func(d *request.Details) { d.Loc = 100_000_001 }, want: Form{MaxLoc: "", Type: "-"}},
		{name: "new, unknown version", kind: request.New, change: func(d *request.Details) { d.ProductVersion = "9.9" },
			want: Form{ProductVersion: "", Type: "v"}},
		{name: "new, of a customer under whose contract there is no room", kind: request.New,
			old: []license.License{sold("l1")}, change: func(d *request.Details) {
				d.Server, d.Email, d.Edition = other, carol.Email, license.DataCenter
			}, want: Form{
				Customer: "acme", Contract: "new", Type: "PRODUCTION", Server: other, Organization: acme,
				Edition: "datacenter", MaxLoc: "250000", NotBefore: first, Expiration: "2019-03-04", To: carol.Email,
				ProductionCount: "1", StagingCount: "1", ProductVersion: "6.7.1"}},
		{name: "renewal without a gap", kind: request.Renewal, old: []license.License{sold("l1")}, want: Form{
			Customer: "acme", Instance: prod, Contract: "renew", Type: "PRODUCTION", Server: prod, Organization: acme,
			Edition: "developer", MaxLoc: "500000", NotBefore: first, Expiration: again, To: carol.Email,
			ProductionCount: "1", StagingCount: "1", ProductVersion: "6.7.1", Support: "yes"}},
		{name: "renewal asked for by a contact", kind: request.Renewal, old: []license.License{sold("l1")},
			change: func(d *request.Details) { d.Email, d.Name, d.Edition = carol.Email, "Carol", license.Enterprise },
			want: Form{
				Customer: "acme", Instance: prod, Contract: "renew", Type: "PRODUCTION", Server: prod,
				Organization: acme, Edition: "enterprise", MaxLoc: "500000", NotBefore: first, Expiration: again,
				To: carol.Email, ProductionCount: "1", StagingCount: "1", ProductVersion: "6.7.1", Support: "yes"}},
		{name: "renewal after a gap", kind: request.Renewal, old: []license.License{sold("l1", lapsed)},
			want: Form{Expiration: "2019-03-04", Type: "e"}},
		{name: "renewal of an evaluation is a purchase", kind: request.Renewal,
			old: []license.License{sold("l1", evaluated)}, want: Form{
				Customer: "acme", Instance: prod, Contract: "new", Type: "PRODUCTION", Server: prod, Organization: acme,
				Edition: "developer", MaxLoc: "250000", NotBefore: first, Expiration: "2019-03-04", To: carol.Email,
				ProductionCount: "1", StagingCount: "0", ProductVersion: "6.7.1"}},
		{name: "renewal without a license on record", kind: request.Renewal,
			want: Form{Expiration: "2019-03-04", Type: "e"}},
		{name: "upgrade keeps the term", kind: request.Upgrade, old: []license.License{sold("l1")},
			change: func(d *request.Details) { d.Edition, d.Loc = license.DataCenter, 2_000_001 }, want: Form{
				Customer: "acme", Instance: prod, Contract: "change", Type: "PRODUCTION", Server: prod,
				Organization: acme, Edition: "datacenter", MaxLoc: "5000000", NotBefore: first,
				Expiration: "2018-04-30", To: carol.Email, ProductionCount: "1", StagingCount: "1",
				ProductVersion: "6.7.1", Support: "yes"}},
		{name: "upgrade to an edition with staging", kind: request.Upgrade,
			old: []license.License{sold("l1", func(l *license.License) {
				l.Edition, l.Support = license.Developer, false
			})},
			change: func(d *request.Details) { d.Edition = license.Enterprise }, want: Form{
				Customer: "acme", Instance: prod, Contract: "change", Type: "PRODUCTION", Server: prod,
				Organization: acme, Edition: "enterprise", MaxLoc: "500000", NotBefore: first,
				Expiration: "2018-04-30", To: carol.Email, ProductionCount: "1", StagingCount: "1",
				ProductVersion: "6.7.1"}},
		{name: "replacement keeps everything but the server", kind: request.Replacement,
			old: []license.License{sold("l1")},
			change: func(d *request.Details) {
				d.Server, d.Replaces, d.Loc, d.OldServer = other, prod, 5, request.OldStopped
				d.Environment = request.ProductionUse
			}, want: Form{
				Customer: "acme", Instance: prod, Contract: "under", Type: "PRODUCTION", Server: other,
				Organization: acme, Edition: "enterprise", MaxLoc: "500000", NotBefore: first,
				Expiration: "2018-04-30", To: carol.Email, ProductionCount: "1", StagingCount: "1",
				ProductVersion: "6.7.1", Support: "yes"}},
		{name: "replacement by license ID", kind: request.Replacement,
			old: []license.License{
				sold("l1"),
				sold("l2", func(l *license.License) {
					l.Server, l.MaxLoc, l.Edition = other, 1_000_000, license.DataCenter
				}),
			},
			change: func(d *request.Details) {
				d.Server, d.Replaces, d.OldServer = stage, "L2", request.OldLost
				d.Environment = request.ProductionUse
			},
			want: Form{MaxLoc: "1000000", Type: "-"}},
		{name: "staging of a production license", kind: request.Staging, old: []license.License{sold("l1")},
			change: func(d *request.Details) { d.Server, d.Replaces, d.Edition = stage, "l1", license.Enterprise },
			want: Form{
				Customer: "acme", Contract: "under", Type: "STAGING", Server: stage, Production: prod,
				Organization: acme, Edition: "enterprise", MaxLoc: "500000", NotBefore: first,
				Expiration: "2018-04-30", To: carol.Email, ProductionCount: "1", StagingCount: "1",
				ProductVersion: "6.7.1", Support: "yes"}},
		{name: "staging without a license on record", kind: request.Staging,
			change: func(d *request.Details) { d.Replaces = prod }, want: Form{
				Customer: "new", Contract: "new", Type: "STAGING", Server: prod, Organization: "Acme AG",
				Edition: "developer", MaxLoc: "250000", NotBefore: first, Expiration: "2019-03-04",
				To: "ada@acme.example", ProductionCount: "1", StagingCount: "0", ProductVersion: "6.7.1"}},
		{name: "renewal without a request", source: Source{License: "l1", Kind: request.Renewal},
			old: []license.License{sold("l1", func(l *license.License) {
				l.Languages, l.Edition = []string{"cobol"}, license.Developer
			})},
			want: Form{
				Customer: "acme", Instance: prod, Contract: "renew", Type: "PRODUCTION", Server: prod,
				Organization: acme, Edition: "developer", MaxLoc: "500000", NotBefore: first, Expiration: again,
				To: carol.Email, ProductionCount: "1", StagingCount: "1", ProductVersion: "7.1", Support: "yes",
				Languages: []string{"cobol"}, CustomPackage: "yes"}},
		{name: "extended evaluation without a request", source: Source{License: "l1", Kind: request.Renewal},
			old: []license.License{sold("l1", evaluated)}, want: Form{Expiration: "2018-05-30", Type: "e"}},
		{name: "replacement without a request", source: Source{License: "l1", Kind: request.Replacement},
			old: []license.License{sold("l1")},
			want: Form{
				Customer: "acme", Instance: prod, Contract: "under", Type: "PRODUCTION", Server: prod,
				Organization: acme, Edition: "enterprise", MaxLoc: "500000", NotBefore: first,
				Expiration: "2018-04-30", To: carol.Email, ProductionCount: "1", StagingCount: "1",
				ProductVersion: "7.1", Support: "yes"}},
		{name: "the next key of a contract that outlives it", source: Source{License: "l1", Kind: request.Renewal},
			old:  []license.License{sold("l1", func(l *license.License) { l.Contract = "three-years" })},
			want: Form{Expiration: again, Type: "e"}},
		{name: "a customer without a request", source: Source{Customer: storetest.CustomerID(acme)},
			old: []license.License{sold("l1")}, want: Form{
				Customer: "acme", Contract: "new", Type: "PRODUCTION", Organization: acme, NotBefore: first,
				Expiration: "2019-03-04", To: carol.Email, ProductionCount: "1", StagingCount: "0",
				ProductVersion: "7.1"}},
		{name: "no source", want: Form{
			Customer: "new", Contract: "new", Type: "PRODUCTION", NotBefore: first, Expiration: "2019-03-04",
			To: OtherAddress, ProductionCount: "1", StagingCount: "0", ProductVersion: "7.1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTestEnv(t)
			if test.name == "the next key of a contract that outlives it" {
				w.threeYears()
			}
			w.add(test.old...)
			if test.kind != "" {
				change := test.change
				if change == nil {
					change = func(*request.Details) {}
				}
				test.source.Request = w.file(asked(test.kind, change)).ID
			}
			got := w.begin(test.source)
			if !validID(got.ID) || !validToken(got.Token) || got.Moved() || got.Shown == "" {
				t.Errorf("got ID %q, token %q, shown %q, want valid ones", got.ID, got.Token, got.Shown)
			}
			got.ID, got.Token, got.Shown = "", "", ""
			switch want := test.want; want.Type {
			case "-":
				if got.MaxLoc != want.MaxLoc {
					t.Errorf("got lines %q, want %q", got.MaxLoc, want.MaxLoc)
				}
			case "v":
				if got.ProductVersion != want.ProductVersion {
					t.Errorf("got version %q, want %q", got.ProductVersion, want.ProductVersion)
				}
			case "e":
				if got.Expiration != want.Expiration {
					t.Errorf("got expiration %q, want %q", got.Expiration, want.Expiration)
				}
			default:
				if got = w.inWords(got); !reflect.DeepEqual(got, want) {
					t.Errorf("got\n%+v, want\n%+v", got, want)
				}
			}
		})
	}
}

// inWords puts names in the place of IDs in a form.
func (w *testEnv) inWords(f Form) Form {
	w.Helper()
	if f.Customer != storetest.CustomerID(acme) {
		return f
	}
	f.Customer = "acme"
	for _, i := range w.account().Instances {
		for _, id := range []*string{&f.Instance, &f.Production} {
			if *id == i.ID {
				*id = string(i.Servers[0].Server)
			}
		}
	}
	if use, id := parseContract(f.Contract); id != "" && id == w.account().Contracts[0].ID {
		f.Contract = string(use)
	}
	if f.Type != string(license.Staging) {
		f.Production = "" // not used
	}
	return f
}

// threeYears puts a contract of three years on record, with the ID that licenses can name.
func (w *testEnv) threeYears() {
	w.Helper()
	c := storetest.Customer(w, w.store.Store, acme, carol)
	k := customer.Contract{
		ID: "three-years", Customer: c.ID, Reference: "K-3YEARS",
		Terms:      customer.Terms{Edition: license.Enterprise, MaxLoc: 500_000, Support: true},
		Production: 1, Staging: 1, First: day("2017-05-01"), Last: day("2020-04-30"), Created: w.now,
	}
	w.record(store.Issue{Contracts: []customer.Contract{k}, By: "sam"})
}

func TestRenewalIncludesTheInstancesOfItsContract(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"), sold("s1", stagingOn(stage)),
		sold("l2", func(l *license.License) { l.Server, l.Edition = other, license.DataCenter })) // its own contract
	source := Source{License: "l1", Kind: request.Renewal}
	f := w.begin(source)
	if want := w.instanceOf(stage).ID; !slices.Equal(f.Follow, []string{want}) {
		t.Errorf("got selected %v, want only the staging under the same contract, %s", f.Follow, want)
	}
	if got := w.begin(Source{License: "s1", Kind: request.Renewal}).Follow; len(got) != 1 ||
		got[0] != w.instanceOf(prod).ID {
		t.Errorf("got selected %v for the staging license, want the production", got)
	}
}

func TestStagingOfCopiedDataIsListedOnce(t *testing.T) {
	w := newTestEnv(t)
	const sameData = "BF41A1F2-" + prod // as the staging server has it, whose database is a copy at another address
	w.add(sold("l1"), sold("s1", stagingOn(sameData)))
	f := w.begin(Source{License: "l1", Kind: request.Renewal})
	if !slices.Equal(f.Follow, []string{w.instanceOf(sameData).ID}) {
		t.Errorf("got %v, want the staging instance once and selected", f.Follow)
	}
}

func TestRefreshFillsInForAnotherCustomer(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	source := Source{Request: w.file(asked(request.New, func(d *request.Details) { d.Server = other })).ID}
	f := w.begin(source)
	if f.Customer != "" {
		t.Fatalf("got customer %q, want a choice: the name alone decides nothing", f.Customer)
	}
	f.Customer, f.Organization = string(w.account().Customer.Reference), "Typed"
	if !f.Moved() {
		t.Error("got a form that was not moved, want another customer noticed")
	}
	d, err := w.Refresh(t.Context(), source, f)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Form; got.Customer != w.account().Customer.ID || got.Organization != acme || got.ID != f.ID ||
		got.Token != f.Token || got.Moved() || d.Account == nil {
		t.Errorf("got form %+v, want it filled in for the customer", got)
	}
	f.Customer = "C-000000"
	if d, err := w.Refresh(t.Context(), source, f); d == nil || !slices.Equal(wrongFields(err), []string{"customer"}) {
		t.Errorf("got error %v, want the reference refused", err)
	}
	if _, err := w.Draft(t.Context(), source, f); !slices.Equal(wrongFields(err), []string{"customer"}) {
		t.Errorf("got error %v, want the reference refused", err)
	}
}

func TestRefreshKeepsWhatWasTypedForTheSameInstance(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"), sold("s1", stagingOn(stage)))
	source := Source{License: "l1", Kind: request.Replacement}
	f := w.begin(source)
	f.Organization, f.Server, f.To = "Acme Holding", other, OtherAddress
	f.Contract = RenewContract(w.account().Contracts[0].ID)
	d, err := w.Refresh(t.Context(), source, f)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Form; got.Organization != "Acme Holding" || got.Server != other || got.To != OtherAddress ||
		len(got.Follow) != 1 || got.Contract != f.Contract || got.Moved() {
		t.Errorf("got form %+v, want what was typed, and the instances of the contract", got)
	}
}

func TestSourceNamesCustomerAndContractByReference(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	a := w.account()
	f := w.begin(Source{Customer: string(a.Customer.Reference), Contract: string(a.Contracts[0].Reference)})
	if f.Customer != a.Customer.ID || f.Contract != UnderContract(a.Contracts[0].ID) {
		t.Errorf("got customer %q and contract %q", f.Customer, f.Contract)
	}
	for _, source := range []Source{{Customer: "C-000000"}, {Customer: a.Customer.ID, Contract: "K-000000"}} {
		if _, err := w.Begin(t.Context(), source, ""); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%+v: got error %v, want not found", source, err)
		}
	}
}

func TestLostKeyIsIssuedForTheCurrentServerID(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	moved := w.carolAsks(request.Replacement, replaces(prod, "BF41A1F2-"+prod))
	l := w.issue(moved, w.begin(moved))
	lost := Source{Request: w.file(asked(request.Replacement, func(d *request.Details) {
		d.Replaces, d.OldServer, d.Environment = prod, request.OldSame, request.ProductionUse
	})).ID}
	if f := w.begin(lost); f.Server != string(l.Server) || f.Instance != l.Instance {
		t.Errorf("got server %s of instance %s, want the current ID %s of the same one", f.Server, f.Instance, l.Server)
	}
}

func TestClosedSourceIsAConflict(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	closed := w.carolAsks(request.Replacement, replaces("l1", other))
	w.issue(closed, w.begin(closed))
	for _, source := range []Source{
		closed, {License: "l1", Kind: request.Renewal}, {License: "l1", Kind: request.Replacement},
		{License: "l1", Kind: request.Upgrade},
	} {
		if _, err := w.Begin(t.Context(), source, ""); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%+v: got error %v, want a conflict", source, err)
		}
	}
	if _, err := w.Begin(t.Context(), Source{Request: "none"}, ""); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got error %v, want not found", err)
	}
}
