package generator

import (
	"reflect"
	"slices"
	"testing"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// TestFormDefaults compares whole forms; a Type of "-", "v" or "e" compares only MaxLoc, ProductVersion or Expiration.
func TestFormDefaults(t *testing.T) {
	evaluated := func(l *license.License) {
		l.Type, l.Edition, l.Support, l.MaxLoc = license.Evaluation, license.Developer, false, 100_000
	}
	lapsed := func(l *license.License) { l.Expiration = day("2018-02-10") }
	for _, test := range []struct {
		name   string
		kind   request.Kind // of a request; "" uses source
		source Source
		change func(*request.Details)
		old    []license.License
		want   Form
	}{
		{name: "evaluation", kind: request.Evaluation, want: Form{
			Type: "EVALUATION", Server: prod, Organization: "Acme AG", Edition: "developer", MaxLoc: "250000",
			NotBefore:  "2018-03-05",
			Expiration: "2018-04-04", Name: "Ada Lovelace", Email: "ada@acme.example", Contacts: "bob@acme.example",
			ProductVersion: "6.7.1"}},
		{name: "new", kind: request.New, want: Form{
			Type: "PRODUCTION", Server: prod, Organization: "Acme AG", Edition: "developer", MaxLoc: "250000",
			NotBefore:  "2018-03-05",
			Expiration: "2019-03-04", Name: "Ada Lovelace", Email: "ada@acme.example", Contacts: "bob@acme.example",
			ProductVersion: "6.7.1"}},
		{name: "new, exactly a threshold", kind: request.New, change: func(d *request.Details) { d.Loc = 100_000 },
			want: Form{MaxLoc: "100000", Type: "-"}},
		{name: "new, no lines", kind: request.New, change: func(d *request.Details) { d.Loc = 0 },
			want: Form{MaxLoc: "100000", Type: "-"}},
		{name: "new, more lines than any threshold", kind: request.New,
			change: func(d *request.Details) { d.Loc = 100_000_001 }, want: Form{MaxLoc: "", Type: "-"}},
		{name: "new, unknown version", kind: request.New, change: func(d *request.Details) { d.ProductVersion = "9.9" },
			want: Form{ProductVersion: "", Type: "v"}},
		{name: "renewal without a gap", kind: request.Renewal, old: []license.License{sold("l1")}, want: Form{
			Type: "PRODUCTION", Server: prod, Organization: "Acme Corporation", Edition: "developer", MaxLoc: "500000",
			NotBefore:  "2018-03-05",
			Expiration: "2019-04-30", Name: "Ada Lovelace", Email: "ada@acme.example",
			Contacts:       "bob@acme.example\ncarol@acme.example",
			ProductVersion: "6.7.1", Support: "yes"}},
		{name: "renewal after a gap", kind: request.Renewal, old: []license.License{sold("l1", lapsed)},
			want: Form{Expiration: "2019-03-04", Type: "e"}},
		{name: "renewal of an evaluation is a purchase", kind: request.Renewal,
			old: []license.License{sold("l1", evaluated)}, want: Form{
				Type: "PRODUCTION", Server: prod, Organization: "Acme Corporation", Edition: "developer",
				MaxLoc: "250000", NotBefore: "2018-03-05",
				Expiration: "2019-03-04", Name: "Ada Lovelace", Email: "ada@acme.example",
				Contacts:       "bob@acme.example\ncarol@acme.example",
				ProductVersion: "6.7.1"}},
		{name: "renewal without a license on record", kind: request.Renewal,
			want: Form{Expiration: "2019-03-04", Type: "e"}},
		{name: "upgrade keeps the term", kind: request.Upgrade, old: []license.License{sold("l1")},
			change: func(d *request.Details) { d.Edition, d.Loc = license.DataCenter, 2_000_001 }, want: Form{
				Type: "PRODUCTION", Server: prod, Organization: "Acme Corporation", Edition: "datacenter",
				MaxLoc: "5000000", NotBefore: "2018-03-05",
				Expiration: "2018-04-30", Name: "Ada Lovelace", Email: "ada@acme.example",
				Contacts:       "bob@acme.example\ncarol@acme.example",
				ProductVersion: "6.7.1", Support: "yes"}},
		{name: "replacement keeps everything but the server", kind: request.Replacement,
			old:    []license.License{sold("l1")},
			change: func(d *request.Details) { d.Server, d.Replaces, d.Loc = other, prod, 5 }, want: Form{
				Type: "PRODUCTION", Server: other, Organization: "Acme Corporation", Edition: "enterprise",
				MaxLoc: "500000", NotBefore: "2018-03-05",
				Expiration: "2018-04-30", Name: "Ada Lovelace", Email: "ada@acme.example",
				Contacts:       "bob@acme.example\ncarol@acme.example",
				ProductVersion: "6.7.1", Support: "yes"}},
		{name: "replacement by license ID", kind: request.Replacement,
			old: []license.License{
				sold("l1"),
				sold("l2", func(l *license.License) { l.Server, l.MaxLoc = stage, 1_000_000 }),
			},
			change: func(d *request.Details) { d.Server, d.Replaces = other, "L2" },
			want:   Form{MaxLoc: "1000000", Type: "-"}},
		{name: "staging of a production license", kind: request.Staging, old: []license.License{sold("l1")},
			change: func(d *request.Details) { d.Server, d.Replaces, d.Edition = stage, "l1", license.Enterprise },
			want: Form{
				Type: "STAGING", Server: stage, Organization: "Acme Corporation", Edition: "enterprise",
				MaxLoc: "500000", NotBefore: "2018-03-05",
				Expiration: "2018-04-30", Name: "Ada Lovelace", Email: "ada@acme.example",
				Contacts:       "bob@acme.example\ncarol@acme.example",
				ProductVersion: "6.7.1", Mirrors: prod}},
		{name: "staging without a license on record", kind: request.Staging,
			change: func(d *request.Details) { d.Replaces = prod }, want: Form{
				Type: "STAGING", Server: prod, Organization: "Acme AG", Edition: "developer", MaxLoc: "250000",
				NotBefore:  "2018-03-05",
				Expiration: "2019-03-04", Name: "Ada Lovelace", Email: "ada@acme.example", Contacts: "bob@acme.example",
				ProductVersion: "6.7.1", Mirrors: prod}},
		{name: "renewal without a request", source: Source{Renews: "l1"},
			old: []license.License{sold("l1", func(l *license.License) {
				l.Languages, l.Edition = []string{"cobol"}, license.Developer
			})},
			want: Form{
				Type: "PRODUCTION", Server: prod, Organization: "Acme Corporation", Edition: "developer",
				MaxLoc: "500000", NotBefore: "2018-03-05",
				Expiration: "2019-04-30", Name: "Carol", Email: "carol@acme.example", ProductVersion: "7.1",
				Support: "yes", Languages: []string{"cobol"}, CustomPackage: "yes"}},
		{name: "extended evaluation without a request", source: Source{Renews: "l1"},
			old: []license.License{sold("l1", evaluated)}, want: Form{Expiration: "2018-05-30", Type: "e"}},
		{name: "replacement without a request", source: Source{Replaces: "l1"}, old: []license.License{sold("l1")},
			want: Form{
				Type: "PRODUCTION", Server: prod, Organization: "Acme Corporation", Edition: "enterprise",
				MaxLoc: "500000", NotBefore: "2018-03-05",
				Expiration: "2018-04-30", Name: "Carol", Email: "carol@acme.example", ProductVersion: "7.1",
				Support: "yes"}},
		{name: "no source",
			want: Form{Type: "PRODUCTION", NotBefore: "2018-03-05", Expiration: "2019-03-04", ProductVersion: "7.1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTestEnv(t)
			w.add(test.old...)
			if test.kind != "" {
				change := test.change
				if change == nil {
					change = func(*request.Details) {}
				}
				test.source.Request = w.file(asked(test.kind, change)).ID
			}
			got := w.begin(test.source)
			if !validID(got.ID) || !validToken(got.Token) {
				t.Errorf("got ID %q and token %q, want valid ones", got.ID, got.Token)
			}
			got.ID, got.Token = "", ""
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
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got\n%+v, want\n%+v", got, want)
				}
			}
		})
	}
}

func TestRenewalSelectsItsStagingLicenses(t *testing.T) {
	w := newTestEnv(t)
	w.add(
		sold("l1"),
		sold("s1", func(l *license.License) { l.Type, l.Server, l.Mirrors = license.Staging, stage, prod }),
		sold("s2", func(l *license.License) { l.Type, l.Server = license.Staging, other }),
	)
	source := Source{Renews: "l1"}
	f := w.begin(source)
	if !slices.Equal(f.Staging, []string{"s1"}) {
		t.Fatalf("got selected %v, want only the license known to mirror the server", f.Staging)
	}
	d, err := w.Begin(t.Context(), source, "")
	if err != nil {
		t.Fatal(err)
	}
	candidates, err := d.StagingLicenses(t.Context())
	if err != nil || len(candidates) != 2 || candidates[1].License.ID != "s2" || candidates[1].Mirrored {
		t.Errorf("got %+v, %v, want the contact's other license too, not selected", candidates, err)
	}
}

func TestStagingLicenseOfCopiedDataIsListedOnce(t *testing.T) {
	w := newTestEnv(t)
	const sameData = "BF41A1F2-" + prod // as the staging server has it, whose database is a copy at another address
	w.add(
		sold("l1"),
		sold("s1", func(l *license.License) { l.Type, l.Server, l.Mirrors = license.Staging, sameData, prod }),
	)
	d, err := w.Begin(t.Context(), Source{Renews: "l1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	candidates, err := d.StagingLicenses(t.Context())
	if err != nil || len(candidates) != 1 || candidates[0].License.ID != "s1" || !candidates[0].Mirrored {
		t.Errorf("got %+v, %v, want s1 once and selected", candidates, err)
	}
}

func TestClosedSourceIsAConflict(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	r := w.file(asked(request.Replacement, func(d *request.Details) { d.Server = other; d.Replaces = "l1" }))
	w.issue(Source{Request: r.ID}, w.begin(Source{Request: r.ID}))
	for _, source := range []Source{{Request: r.ID}, {Renews: "l1"}, {Replaces: "l1"}} {
		if _, err := w.Begin(t.Context(), source, ""); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%+v: got error %v, want a conflict", source, err)
		}
	}
	if _, err := w.Begin(t.Context(), Source{Request: "none"}, ""); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got error %v, want not found", err)
	}
}
