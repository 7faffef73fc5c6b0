package generator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
)

func TestLanguageWarningSaysWhatToDo(t *testing.T) {
	w := newTestEnv(t)
	source := Source{Request: w.file(asked(request.New)).ID}
	f := w.begin(source)
	f.Languages = []string{"cobol", "rpg"}
	const want = "The license covers languages that the Developer Edition does not include: COBOL, RPG. " +
		"No package in the email contains their plugins: cobol, rpg. "
	const advice = "Choose “Edit” and tick “Custom package”, unless the customer already has the plugins."
	if got := w.draft(source, f).Warnings[0].Sentence; got != want+advice {
		t.Errorf("got %q, want %q", got, want+advice)
	}
	w.Packager = nil
	const otherwise = "Custom packages are not available here: arrange another way to deliver the plugins."
	if got := w.draft(source, f).Warnings[0].Sentence; got != want+otherwise {
		t.Errorf("got %q, want %q", got, want+otherwise)
	}
}

// Warnings about what goes beyond a contract.
const (
	beyondStaging    = BeyondContract + "-staging-count"
	beyondProduction = BeyondContract + "-production-count"
	beyondLines      = BeyondContract + "-lines-of-code"
	beyondLast       = BeyondContract + "-last-day"
)

func TestDraftWarnings(t *testing.T) {
	evaluation := func(l *license.License) { l.Type = license.Evaluation }
	staging := stagingOn(other)
	noSupport := func(l *license.License) { l.Support, l.Edition = false, license.Developer }
	forStaging := func(d *request.Details) { d.Server, d.Replaces, d.Edition = stage, prod, license.Enterprise }
	through := func(first, last string) func(*license.License) {
		return func(l *license.License) { l.NotBefore, l.Expiration = day(first), day(last) }
	}
	ofGlobex := func(l *license.License) { l.Organization = "Globex" }
	moved := func(d *request.Details) {
		d.Server, d.Replaces, d.Edition, d.OldServer = other, prod, license.Enterprise, request.OldStopped
		d.Environment = request.ProductionUse
	}
	planned := func(d *request.Details) {
		d.Replaces, d.Edition, d.OldServer, d.Environment = prod, license.Enterprise, request.OldRunning,
			request.ProductionUse
		d.Change, d.Planned, d.Before = request.DatabaseMoved, day("2018-05-03"), d.Server
	}
	renewal := Source{License: "l1", Kind: request.Renewal}
	replacement := Source{License: "l1", Kind: request.Replacement}
	toAnotherAddress := func(f *Form) { f.To, f.Email = OtherAddress, "ada@freemail.example" }
	newCustomer := func(f *Form) {
		f.Customer, f.Instance, f.Contract, f.Organization, f.To = "new", "", "new", "Acme AG", "ada@acme.example"
		if f.Type == "EVALUATION" {
			f.Contract = ""
		}
	}
	for _, test := range []struct {
		name   string
		kind   request.Kind // of a request; "" uses source
		source Source
		ask    func(*request.Details)
		old    []license.License
		ended  string // why the contract of old was ended early
		form   func(*Form)
		want   []Code
	}{
		{name: "an evaluation as requested", kind: request.Evaluation},
		{name: "a purchase as requested", kind: request.New},
		{name: "a server ID that will change", kind: request.Replacement, ask: planned,
			old: []license.License{sold("l1")}, want: []Code{PlannedServer}},
		{name: "a renewal without a gap", source: renewal, old: []license.License{sold("l1")}},
		{name: "a replacement as requested", kind: request.Replacement, old: []license.License{sold("l1")}, ask: moved},

		{name: "a server ID that reads as a date", kind: request.New,
			ask: func(d *request.Details) { d.Server = "20110407133530" }, want: []Code{DateServer}},
		{name: "400 days", kind: request.New, form: func(f *Form) { f.Expiration = "2019-04-08" }},
		{name: "401 days", kind: request.New, form: func(f *Form) { f.Expiration = "2019-04-09" },
			want: []Code{LongTerm}},
		{name: "a renewal by two years", source: renewal, old: []license.License{sold("l1")},
			form: func(f *Form) { f.Expiration = "2020-04-30" }, want: []Code{LongTerm}},
		{name: "a first day in the past", kind: request.New, form: func(f *Form) { f.NotBefore = "2018-03-04" },
			want: []Code{BackDated}},
		{name: "a last day in the past", kind: request.New,
			form: func(f *Form) { f.NotBefore, f.Expiration = "2018-03-01", "2018-03-04" },
			want: []Code{BackDated, BeyondContract + "-expired"}},
		{name: "today alone", kind: request.New, form: func(f *Form) { f.Expiration = "2018-03-05" }},
		{name: "a renewal that begins late", source: renewal, old: []license.License{sold("l1")},
			form: func(f *Form) { f.NotBefore = "2018-05-02" }, want: []Code{Gap}},
		{name: "a renewal that begins the day after", source: renewal, old: []license.License{sold("l1")},
			form: func(f *Form) { f.NotBefore = "2018-05-01" }},
		{name: "a second renewal", source: renewal,
			old: []license.License{
				sold("l1"),
				sold("l2", through("2018-05-01", "2019-04-30")),
			},
			want: []Code{RenewedBefore}},

		{name: "a second evaluation", kind: request.Evaluation,
			old: []license.License{
				sold("l1", evaluation, through("2017-04-01", "2017-04-30")),
			},
			want: []Code{SecondEvaluation}},
		{name: "a second evaluation under the ID after an upgrade", kind: request.Evaluation,
			ask: func(d *request.Details) { d.Server = "BF41A1F2-" + prod },
			old: []license.License{sold("l1", evaluation)}, want: []Code{SecondEvaluation, CopyOrMoved}},
		{name: "a second evaluation on another server, by a contact", kind: request.Evaluation,
			ask: func(d *request.Details) { d.Server, d.Email = other, carol.Email },
			old: []license.License{sold("l1", evaluation)}, want: []Code{SecondEvaluation}},
		{name: "a second evaluation on another server, by a company of the same name", kind: request.Evaluation,
			ask: func(d *request.Details) { d.Server = other }, form: newCustomer,
			old: []license.License{sold("l1", evaluation)}, want: []Code{SecondEvaluation}},
		{name: "an evaluation of a company with another name", kind: request.Evaluation,
			ask: func(d *request.Details) { d.Server, d.Company = other, "Initech" },
			old: []license.License{sold("l1", evaluation)}},
		{name: "an evaluation that replaces the first", source: replacement,
			old: []license.License{sold("l1", evaluation)}},
		{name: "an evaluation after production", kind: request.Evaluation,
			ask: func(d *request.Details) { d.Edition = license.Enterprise }, old: []license.License{sold("l1")}},

		{name: "a recipient who is no contact", kind: request.Renewal,
			ask: func(d *request.Details) { d.Edition = license.Enterprise },
			old: []license.License{sold("l1")}, form: toAnotherAddress, want: []Code{NotAContact}},
		{name: "a requester who is no contact", kind: request.Renewal,
			ask: func(d *request.Details) { d.Edition = license.Enterprise },
			old: []license.License{sold("l1")}, form: func(f *Form) { f.To = "ada@acme.example" },
			want: []Code{NotAContact}},
		{name: "a recipient who becomes a contact", kind: request.Renewal,
			ask: func(d *request.Details) { d.Edition = license.Enterprise },
			old: []license.License{sold("l1")}, form: func(f *Form) {
				f.To, f.AddContacts = "ada@acme.example", []string{AddRecipient}
			},
			want: []Code{NotAContact}},
		{name: "a contact in capitals", kind: request.Renewal,
			ask: func(d *request.Details) { d.Edition, d.Email = license.Enterprise, "carol@ACME.example" },
			old: []license.License{sold("l1")}},
		{name: "a new customer's key for another domain", kind: request.New, form: toAnotherAddress,
			want: []Code{EmailDomain}},
		{name: "another person of the request's domain", kind: request.New,
			form: func(f *Form) { f.To, f.Email = OtherAddress, "grace@ACME.example" }},
		{name: "a further person of the request", kind: request.New,
			form: func(f *Form) { f.To = "bob@acme.example" }},

		{name: "a server of another customer", kind: request.New, old: []license.License{sold("l1", ofGlobex)},
			form: newCustomer, want: []Code{OtherCustomer}},
		{name: "another customer's server under the ID after an upgrade", kind: request.New,
			ask: func(d *request.Details) { d.Server = "BF41A1F2-" + prod },
			old: []license.License{sold("l1", ofGlobex)}, form: newCustomer, want: []Code{OtherCustomer}},
		{name: "a renewal for a server that another customer has, too", source: renewal,
			old: []license.License{sold("l1"), sold("l9", ofGlobex)}, want: []Code{OtherCustomer}},
		{name: "another organization", source: renewal, old: []license.License{sold("l1")},
			form: func(f *Form) { f.Organization = "Initech" }, want: []Code{OtherOrganization}},
		{name: "the organization with another legal form", source: renewal, old: []license.License{sold("l1")},
			form: func(f *Form) { f.Organization = "ACME AG" }},

		{name: "the first staging license", kind: request.Staging, ask: forStaging, old: []license.License{sold("l1")}},
		{name: "the second staging license", kind: request.Staging, ask: forStaging,
			old: []license.License{sold("l1"), sold("s1", staging)}, want: []Code{beyondStaging}},
		{name: "a staging license after one that has expired", kind: request.Staging, ask: forStaging,
			old: []license.License{
				sold("l1"),
				sold("s1", staging, func(l *license.License) { l.Expiration = day("2018-03-04") }),
			}},
		{name: "a staging license after one that was renewed", kind: request.Staging, ask: forStaging,
			old: []license.License{
				sold("l1"), sold("s1", staging),
				sold("s2", staging, through("2018-05-01", "2019-04-30")),
			},
			want: []Code{beyondStaging}},
		{name: "a staging license after one that was revoked", kind: request.Staging, ask: forStaging,
			old: []license.License{
				sold("l1"),
				sold("s1", staging, func(l *license.License) { l.Revoked = day("2018-03-01").Start() }),
			}},
		{name: "the renewed staging license", source: Source{License: "s1", Kind: request.Renewal},
			old: []license.License{sold("l1"), sold("s1", staging)}},
		{name: "a new key for the staging server", source: Source{License: "s1", Kind: request.Replacement},
			old:  []license.License{sold("l1"), sold("s1", staging)},
			form: func(f *Form) { f.Server = stage }},
		{name: "staging without support", kind: request.Staging, old: []license.License{sold("l1", noSupport)},
			ask:  func(d *request.Details) { d.Server, d.Replaces = stage, prod },
			want: []Code{StagingNotIncluded, beyondStaging}},
		{name: "staging with support", kind: request.Staging,
			old: []license.License{sold("l1", noSupport, func(l *license.License) { l.Support = true })},
			ask: func(d *request.Details) { d.Server, d.Replaces = stage, prod }},
		{name: "staging without production", kind: request.Staging, ask: forStaging,
			want: []Code{WithoutProduction, ReplacesNothing}},
		{name: "staging with the ID of production", kind: request.Staging, old: []license.License{sold("l1")},
			ask: func(d *request.Details) { forStaging(d); d.Server = prod }, want: []Code{ProductionID}},
		{name: "staging that is a copy of production", kind: request.Staging, old: []license.License{sold("l1")},
			ask: func(d *request.Details) { forStaging(d); d.Server = "BF41A1F2-" + prod }},
		{name: "production with its staging license", source: renewal,
			old: []license.License{sold("l1"), sold("s1", staging)}},
		{name: "production with one staging license of two", source: renewal,
			old:  []license.License{sold("l1"), sold("s1", staging), sold("s2", stagingOn(stage))},
			form: func(f *Form) { f.Follow = f.Follow[:1] }, want: []Code{StagingRetired}},
		{name: "production with more staging than the contract covers", source: renewal,
			old:  []license.License{sold("l1"), sold("s1", staging), sold("s2", stagingOn(stage))},
			want: []Code{beyondStaging}},
		{name: "production with staging licenses that lose their support", source: renewal,
			old: []license.License{
				sold("l1", noSupport, func(l *license.License) { l.Support = true }),
				sold("s1", staging, func(l *license.License) { l.Edition = license.Developer }),
			},
			form: func(f *Form) { f.Support, f.StagingCount = "", "0" },
			want: []Code{StagingNotIncluded, beyondStaging}},

		{name: "more lines than the contract covers", source: replacement, old: []license.License{sold("l1")},
			form: func(f *Form) { f.MaxLoc = "1000000" }, want: []Code{beyondLines}},
		{name: "later than the contract ends", source: replacement, old: []license.License{sold("l1")},
			form: func(f *Form) { f.Expiration = "2018-05-01" }, want: []Code{beyondLast}},
		{name: "a second production instance under a contract for one", old: []license.License{sold("l1")},
			source: Source{Customer: "acme", Contract: "K"},
			form:   func(f *Form) { f.Server, f.Instance = other, "" }, want: []Code{beyondProduction}},
		{name: "a contract that was ended early", source: replacement, old: []license.License{sold("l1")},
			ended: "unpaid", want: []Code{ContractEnded}},
		{name: "the renewal of a contract that was ended early", source: renewal, old: []license.License{sold("l1")},
			ended: "unpaid", want: []Code{ContractEnded}},

		{name: "fewer lines than the server has", kind: request.New, form: func(f *Form) { f.MaxLoc = "100000" },
			want: []Code{LocBelowServer}},
		{name: "a smaller edition than before", source: renewal, old: []license.License{sold("l1")},
			form: func(f *Form) { f.Edition = "developer" }, want: []Code{SmallerEdition}},
		{name: "a smaller edition than was evaluated", kind: request.New,
			old: []license.License{sold("l1", evaluation)}},
		{name: "another edition than requested", kind: request.New, form: func(f *Form) { f.Edition = "datacenter" },
			want: []Code{OtherEdition}},
		{name: "another server than requested", kind: request.New, form: func(f *Form) { f.Server = other },
			want: []Code{OtherServer}},
		{name: "a known server as a new instance", kind: request.New, old: []license.License{sold("l1")},
			ask:  func(d *request.Details) { d.Edition = license.Enterprise },
			form: func(f *Form) { f.Instance, f.Contract = "", "new" }, want: []Code{CopyOrMoved}},
		{name: "a known server's data under a new ID", kind: request.New, old: []license.License{sold("l1")},
			ask:  func(d *request.Details) { d.Server, d.Edition = "BF41A1F2-"+prod, license.Enterprise },
			want: []Code{CopyOrMoved}},
		{name: "production instead of the requested evaluation", kind: request.Evaluation,
			form: func(f *Form) { f.Type, f.Contract = "PRODUCTION", "new" }, want: []Code{OtherType}},
		{name: "an evaluation instead of the requested purchase", kind: request.New,
			form: func(f *Form) { f.Type = "EVALUATION" }, want: []Code{OtherType}},
		{name: "an extended evaluation instead of a purchase", kind: request.Renewal,
			old:  []license.License{sold("l1", evaluation)},
			ask:  func(d *request.Details) { d.Edition = license.Enterprise },
			form: func(f *Form) { f.Type, f.NotBefore, f.Expiration = "EVALUATION", "2018-05-01", "2018-05-30" },
			want: []Code{SecondEvaluation}},
		{name: "an evaluation that is replaced by production", source: replacement,
			old:  []license.License{sold("l1", evaluation)},
			form: func(f *Form) { f.Type, f.Contract = "PRODUCTION", "new" }, want: []Code{OtherType}},
		{name: "a language beyond the edition", kind: request.New,
			form: func(f *Form) { f.Languages = []string{"cobol", "rpg"} }, want: []Code{LanguageWithoutPackage}},
		{name: "a language beyond the edition, with a custom package", kind: request.New,
			form: func(f *Form) { f.Languages, f.CustomPackage = []string{"cobol"}, "yes" }},
		{name: "a language of the edition", kind: request.New, form: func(f *Form) { f.Languages = []string{"cpp"} }},
		{name: "a language beyond the community edition", kind: request.New,
			form: func(f *Form) { f.Edition, f.Languages = "community", []string{"cobol"} },
			want: []Code{OtherEdition, CommunityLicense}},
		{name: "a community license without a product version", kind: request.New,
			form: func(f *Form) {
				f.Edition, f.Languages, f.ProductVersion = "community", []string{"cobol"}, ""
			},
			want: []Code{OtherEdition, CommunityLicense, LanguageWithoutPackage}},
		{name: "a renewal with a language beyond the edition", source: renewal,
			old: []license.License{sold("l1", func(l *license.License) {
				l.Edition, l.Languages = license.Developer, []string{"cobol"}
			})}},
		{name: "another server than the renewed one", source: renewal, old: []license.License{sold("l1")},
			form: func(f *Form) { f.Server = other }, want: []Code{OtherServer}},
		{name: "everything at once", kind: request.New, old: []license.License{sold("l1")},
			form: func(f *Form) {
				f.Type, f.Edition, f.MaxLoc = "PRODUCTION", "community", "100000"
				f.NotBefore, f.Expiration, f.To, f.Email = "2018-01-01", "2020-01-01", OtherAddress, "x@else.example"
			},
			want: []Code{LongTerm, BackDated, NotAContact, SmallerEdition, LocBelowServer, OtherEdition,
				CommunityLicense}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTestEnv(t)
			w.add(test.old...)
			if test.ended != "" {
				w.end(test.ended)
			}
			if test.source.Customer != "" {
				test.source = Source{Customer: w.account().Customer.ID, Contract: w.account().Contracts[0].ID}
			}
			if test.kind != "" {
				if test.ask == nil {
					test.ask = func(*request.Details) {}
				}
				test.source.Request = w.file(asked(test.kind, test.ask)).ID
			}
			f := w.begin(test.source)
			if test.form != nil {
				test.form(&f)
			}
			r := w.draft(test.source, f)
			if got := confirmed(r).Codes; !slices.Equal(got, test.want) {
				t.Errorf("got warnings %v, want %v: %+v", got, test.want, r.Warnings)
			}
			if said := fmt.Sprint(r.Warnings); test.ended != "" && !strings.Contains(said, "05 Mar 2018 (unpaid)") {
				t.Errorf("got %s, want when and why the contract ended", said)
			}
		})
	}
}

// end ends the contract of Acme Corporation early.
func (w *testEnv) end(reason string) {
	w.Helper()
	a := w.account()
	change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "sam@vendor.example"}
	if err := w.store.EndContract(w.Context(), change, a.Contracts[0].ID, reason); err != nil {
		w.Fatal(err)
	}
}

func TestCommunityLicenseBringsACustomPackage(t *testing.T) {
	w := newTestEnv(t)
	source := Source{Request: w.file(asked(request.New)).ID}
	f := w.begin(source)
	f.Edition, f.CustomPackage = "community", ""
	d := w.draft(source, f)
	packages := d.Licenses[0].Packages
	if len(packages) != 1 || !strings.HasPrefix(packages[0], "community-edition-6.7.1-") {
		t.Fatalf("got packages %v, want one for the Community Edition", packages)
	}
	if !strings.Contains(d.Mail.Text, packages[0]) || strings.Contains(d.Mail.Text, "Upgrade") {
		t.Errorf("got an email that does not link the package:\n%s", d.Mail.Text)
	}
}

func TestDraftSaysWhereTheRequestReplacesNothing(t *testing.T) {
	const (
		unknown = "no-such-license-2017"
		left    = " The earlier license stays valid, and we keep sending reminders for it."
		untied  = " This license is not tied to that server."
		nowhere = ", but nothing on record has that ID or reference."
		globex  = ", which is on record at another customer: Globex ("
	)
	lost := func(typed string) func(*request.Details) {
		return func(d *request.Details) {
			d.Kind, d.Server, d.Replaces, d.OldServer = request.Replacement, stage, typed, request.OldLost
			d.Environment, d.Email, d.Edition = request.ProductionUse, carol.Email, license.Enterprise
		}
	}
	mirrors := func(typed string) func(*request.Details) {
		return func(d *request.Details) { lost(typed)(d); d.Kind, d.Environment, d.OldServer = request.Staging, "", "" }
	}
	newCustomer := func(_ *testEnv, f *Form) {
		f.Customer, f.Instance, f.Contract, f.Organization, f.To = NewCustomer, "", "new", "Acme AG", carol.Email
		f.Production = ""
	}
	for _, test := range []struct {
		name string
		ask  func(*request.Details)
		form func(*testEnv, *Form) // of Acme Corporation
		want []string              // parts of the sentence; none: no warning
	}{
		{"an ID that is not on record", lost(unknown + "."), nil,
			[]string{"The request replaces “" + unknown + ".”" + nowhere + left}},
		{"a text, shortened", lost("the license that Bob had before he left us, somewhere in May 2017"), nil,
			[]string{"“the license that Bob had before he left us, somewhere in May…”" + nowhere}},
		{"for a new customer", lost(unknown), newCustomer, []string{"“" + unknown + "”" + nowhere + left}},
		{"a license with a full stop", lost("l1."), nil, nil},
		{"a license in capitals, quoted", lost("“L1”"), nil, nil},
		{"a server", lost("Server ID: " + prod + "."), nil, nil},
		{"the customer's reference", lost("C-"), nil, nil},
		{"a contract's reference", lost("K-"), nil, nil},
		{"a request's reference", lost("R-"), nil, nil},
		{"a reference that names nothing", lost("C-ZZZZZZ"), nil, []string{"“C-ZZZZZZ”" + nowhere + left}},
		{"a license of another customer", lost("l9"), nil, []string{"The request replaces “l9”" + globex, left}},
		{"a server of another customer", lost(other), nil, []string{"“" + other + "”" + globex, left}},
		{"a license on record, for a new customer", lost("l9"), newCustomer, []string{"“l9”" + globex, left}},
		{"a license of each", lost("licenses “" + prod + "” and “" + other + "”"), nil, nil},
		{"nothing, on a server that is on record", func(d *request.Details) {
			lost("our license")(d)
			d.Server, d.OldServer = prod, request.OldSame
		}, nil, nil},
		{"nothing, with an instance that was chosen", lost(unknown), func(w *testEnv, f *Form) {
			f.Instance = w.instanceOf(prod).ID
		}, nil},

		{"staging of what is not on record", mirrors(unknown), newCustomer,
			[]string{"The request names “" + unknown + "” as its production server" + nowhere + untied}},
		{"staging of what is not on record, at a customer with one production", mirrors(unknown), nil,
			[]string{nowhere + " This license is for staging of " + prod + " instead."}},
		{"staging of what is not on record, with the data of production", func(d *request.Details) {
			mirrors(unknown)(d)
			d.Server = "BF41A1F2-" + prod
		}, nil, nil},
		{"staging of another customer's", mirrors("l9"), nil,
			[]string{"The request names “l9” as its production server" + globex, "for staging of " + prod + " instead."}},
		{"staging of production", mirrors("l1."), nil, nil},
		{"a renewal of what is not on record", func(d *request.Details) { lost(unknown)(d); d.Kind = request.Renewal },
			nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTestEnv(t)
			w.add(sold("l1"), sold("l9", func(l *license.License) { l.Organization, l.Server = "Globex", other }))
			d := asked(request.Replacement, test.ask)
			switch a := w.account(); d.Replaces {
			case "C-":
				d.Replaces = "customer " + strings.ToLower(string(a.Customer.Reference)) + "."
			case "K-":
				d.Replaces = string(a.Contracts[0].Reference)
			case "R-":
				first := w.file(asked(request.Evaluation, func(d *request.Details) { d.Server = prod }))
				w.issue(Source{Request: first.ID}, w.begin(Source{Request: first.ID}))
				d.Replaces = string(first.Reference)
			}
			source := Source{Request: w.file(d).ID}
			f := w.begin(source)
			f.Customer = storetest.CustomerID(acme)
			chosen, err := w.Refresh(t.Context(), source, f)
			if err != nil {
				t.Fatal(err)
			}
			f = chosen.Form
			if test.form != nil {
				test.form(w, &f)
			}
			said := ""
			for _, warning := range w.draft(source, f).Warnings {
				if warning.Code == ReplacesNothing {
					said = warning.Sentence
				}
			}
			if (said != "") != (len(test.want) > 0) {
				t.Fatalf("got %q, want %q", said, test.want)
			}
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("got %q, want %q", said, want)
				}
			}
		})
	}
}
