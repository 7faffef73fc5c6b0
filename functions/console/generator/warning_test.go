package generator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/request"
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

func TestDraftWarnings(t *testing.T) {
	evaluation := func(l *license.License) { l.Type = license.Evaluation }
	staging := func(l *license.License) { l.Type, l.Server, l.Mirrors = license.Staging, other, prod }
	noSupport := func(l *license.License) { l.Support, l.Edition = false, license.Developer }
	forStaging := func(d *request.Details) { d.Server, d.Replaces, d.Edition = stage, prod, license.Enterprise }
	for _, test := range []struct {
		name   string
		kind   request.Kind // of a request; "" uses source
		source Source
		ask    func(*request.Details)
		old    []license.License
		form   func(*Form)
		want   []Code
	}{
		{name: "an evaluation as requested", kind: request.Evaluation},
		{name: "a purchase as requested", kind: request.New},
		{name: "a renewal without a gap", source: Source{Renews: "l1"}, old: []license.License{sold("l1")}},
		{name: "a replacement as requested", kind: request.Replacement, old: []license.License{sold("l1")},
			ask: func(d *request.Details) { d.Server, d.Replaces, d.Edition = other, prod, license.Enterprise }},

		{name: "a server ID that reads as a date", kind: request.New,
			ask: func(d *request.Details) { d.Server = "20110407133530" }, want: []Code{DateServer}},
		{name: "400 days", kind: request.New, form: func(f *Form) { f.Expiration = "2019-04-08" }},
		{name: "401 days", kind: request.New, form: func(f *Form) { f.Expiration = "2019-04-09" },
			want: []Code{LongTerm}},
		{name: "a renewal by two years", source: Source{Renews: "l1"}, old: []license.License{sold("l1")},
			form: func(f *Form) { f.Expiration = "2020-04-30" }, want: []Code{LongTerm}},
		{name: "a first day in the past", kind: request.New, form: func(f *Form) { f.NotBefore = "2018-03-04" },
			want: []Code{BackDated}},
		{name: "a last day in the past", kind: request.New,
			form: func(f *Form) { f.NotBefore, f.Expiration = "2018-03-01", "2018-03-04" }, want: []Code{BackDated}},
		{name: "today alone", kind: request.New, form: func(f *Form) { f.Expiration = "2018-03-05" }},
		{name: "a renewal that begins late", source: Source{Renews: "l1"}, old: []license.License{sold("l1")},
			form: func(f *Form) { f.NotBefore = "2018-05-02" }, want: []Code{Gap}},
		{name: "a renewal that begins the day after", source: Source{Renews: "l1"}, old: []license.License{sold("l1")},
			form: func(f *Form) { f.NotBefore = "2018-05-01" }},
		{name: "a second renewal", source: Source{Renews: "l1"},
			old: []license.License{
				sold("l1"),
				sold("l2", func(l *license.License) { l.Expiration = day("2019-04-30") }),
			},
			want: []Code{RenewedBefore}},

		{name: "a second evaluation", kind: request.Evaluation,
			old: []license.License{
				sold("l1", evaluation, func(l *license.License) { l.Expiration = day("2017-04-30") }),
			},
			want: []Code{SecondEvaluation}},
		{name: "a second evaluation under the ID after an upgrade", kind: request.Evaluation,
			ask: func(d *request.Details) { d.Server = "BF41A1F2-" + prod },
			old: []license.License{sold("l1", evaluation)}, want: []Code{SecondEvaluation}},
		{name: "an evaluation that replaces the first", source: Source{Replaces: "l1"},
			old: []license.License{sold("l1", evaluation)}},
		{name: "an evaluation after production", kind: request.Evaluation,
			ask: func(d *request.Details) { d.Edition = license.Enterprise }, old: []license.License{sold("l1")}},
		{name: "another domain", kind: request.Renewal,
			ask: func(d *request.Details) { d.Edition, d.Email = license.Enterprise, "ada@freemail.example" },
			old: []license.License{sold("l1")}, want: []Code{EmailDomain}},
		{name: "another domain than production's", kind: request.Staging, old: []license.License{sold("l1")},
			ask:  func(d *request.Details) { forStaging(d); d.Email = "ada@freemail.example" },
			want: []Code{EmailDomain}},
		{name: "another domain than the request's", kind: request.New,
			form: func(f *Form) { f.Email = "ada@freemail.example" }, want: []Code{EmailDomain}},
		{name: "another person of the request's domain", kind: request.New,
			form: func(f *Form) { f.Email = "grace@ACME.example" }},
		{name: "the same domain in capitals", kind: request.Renewal,
			ask: func(d *request.Details) { d.Edition, d.Email = license.Enterprise, "ada@ACME.example" },
			old: []license.License{sold("l1")}},

		{name: "the first staging license", kind: request.Staging, ask: forStaging, old: []license.License{sold("l1")}},
		{name: "the second staging license", kind: request.Staging, ask: forStaging,
			old: []license.License{sold("l1"), sold("s1", staging)}, want: []Code{StagingLimit}},
		{name: "a staging license after one that has expired", kind: request.Staging, ask: forStaging,
			old: []license.License{
				sold("l1"),
				sold("s1", staging, func(l *license.License) { l.Expiration = day("2018-03-04") }),
			}},
		{name: "a staging license after one that was renewed", kind: request.Staging, ask: forStaging,
			old: []license.License{
				sold("l1"), sold("s1", staging),
				sold("s2", staging, func(l *license.License) { l.Expiration = day("2019-04-30") }),
			},
			want: []Code{StagingLimit}},
		{name: "a staging license after one that was revoked", kind: request.Staging, ask: forStaging,
			old: []license.License{
				sold("l1"),
				sold("s1", staging, func(l *license.License) { l.Revoked = day("2018-03-01").Start() }),
			}},
		{name: "the renewed staging license", source: Source{Renews: "s1"},
			old: []license.License{sold("l1"), sold("s1", staging)}},
		{name: "a new key for the staging server", source: Source{Replaces: "s1"},
			old:  []license.License{sold("l1"), sold("s1", staging)},
			form: func(f *Form) { f.Server = stage }},
		{name: "staging without support", kind: request.Staging, old: []license.License{sold("l1", noSupport)},
			ask: func(d *request.Details) { d.Server, d.Replaces = stage, prod }, want: []Code{StagingNotIncluded}},
		{name: "staging with support", kind: request.Staging,
			old: []license.License{sold("l1", noSupport, func(l *license.License) { l.Support = true })},
			ask: func(d *request.Details) { d.Server, d.Replaces = stage, prod }},
		{name: "staging without production", kind: request.Staging, ask: forStaging, want: []Code{StagingNotIncluded}},
		{name: "production with its staging license", source: Source{Renews: "l1"},
			old: []license.License{sold("l1"), sold("s1", staging)}},
		{name: "production with one staging license of two", source: Source{Renews: "l1"},
			old: []license.License{
				sold("l1"), sold("s1", staging), sold("s2", staging, func(l *license.License) { l.Server = stage }),
			},
			form: func(f *Form) { f.Staging = []string{"s1"} }, want: []Code{StagingLimit}},
		{name: "production with staging licenses that lose their support", source: Source{Renews: "l1"},
			old: []license.License{
				sold("l1", noSupport, func(l *license.License) { l.Support = true }),
				sold("s1", staging, func(l *license.License) { l.Edition = license.Developer }),
			},
			form: func(f *Form) { f.Support = "" }, want: []Code{StagingNotIncluded}},

		{name: "fewer lines than the server has", kind: request.New, form: func(f *Form) { f.MaxLoc = "100000" },
			want: []Code{LocBelowServer}},
		{name: "a smaller edition than before", source: Source{Renews: "l1"}, old: []license.License{sold("l1")},
			form: func(f *Form) { f.Edition = "developer" }, want: []Code{SmallerEdition}},
		{name: "a smaller edition than was evaluated", kind: request.New,
			old: []license.License{sold("l1", evaluation)}},
		{name: "another edition than requested", kind: request.New, form: func(f *Form) { f.Edition = "datacenter" },
			want: []Code{OtherEdition}},
		{name: "another server than requested", kind: request.New, form: func(f *Form) { f.Server = other },
			want: []Code{OtherServer}},
		{name: "production instead of the requested evaluation", kind: request.Evaluation,
			form: func(f *Form) { f.Type = "PRODUCTION" }, want: []Code{OtherType}},
		{name: "an evaluation instead of the requested purchase", kind: request.New,
			form: func(f *Form) { f.Type = "EVALUATION" }, want: []Code{OtherType}},
		{name: "an extended evaluation instead of a purchase", kind: request.Renewal,
			old:  []license.License{sold("l1", evaluation)},
			ask:  func(d *request.Details) { d.Edition = license.Enterprise },
			form: func(f *Form) { f.Type, f.NotBefore, f.Expiration = "EVALUATION", "2018-05-01", "2018-05-30" },
			want: []Code{SecondEvaluation}},
		{name: "an evaluation that is replaced by production", source: Source{Replaces: "l1"},
			old:  []license.License{sold("l1", evaluation)},
			form: func(f *Form) { f.Type = "PRODUCTION" }, want: []Code{OtherType}},
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
		{name: "a renewal with a language beyond the edition", source: Source{Renews: "l1"},
			old: []license.License{sold("l1", func(l *license.License) {
				l.Edition, l.Languages = license.Developer, []string{"cobol"}
			})}},
		{name: "another server than the renewed one", source: Source{Renews: "l1"}, old: []license.License{sold("l1")},
			form: func(f *Form) { f.Server = other }, want: []Code{LongTerm, OtherServer}},
		{name: "everything at once", kind: request.New, old: []license.License{sold("l1")},
			form: func(f *Form) {
				f.Type, f.Edition, f.MaxLoc = "PRODUCTION", "community", "100000"
				f.NotBefore, f.Expiration, f.Email = "2018-01-01", "2020-01-01", "x@else.example"
			},
			want: []Code{LongTerm, BackDated, EmailDomain, SmallerEdition, LocBelowServer, OtherEdition,
				CommunityLicense}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTestEnv(t)
			w.add(test.old...)
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
			if strings.Contains(fmt.Sprint(r.Warnings), "would have 3 staging") {
				t.Errorf("got a license counted twice, once as its successor: %+v", r.Warnings)
			}
			if got := confirmed(r).Codes; !slices.Equal(got, test.want) {
				t.Errorf("got warnings %v, want %v: %+v", got, test.want, r.Warnings)
			}
		})
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
