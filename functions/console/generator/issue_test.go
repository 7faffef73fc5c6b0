package generator

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/license/client"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
)

func TestIssueClosesTheRequestAndEmailsTheKey(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(asked(request.Evaluation))
	source := Source{Request: r.ID}
	l := w.issue(source, w.begin(source))
	key, err := license.Verify(l.KeyText, w.issuer.Keys)
	if err != nil || key.Kid != "eval-1" || !slices.Contains(key.Plugins, "license") || key.Server != prod {
		t.Errorf("got key %+v, %v", key, err)
	}
	r, err = w.store.Request(t.Context(), r.ID)
	if err != nil || r.State != request.Issued || !slices.Equal(r.Licenses, []string{l.ID}) || l.Request != r.ID {
		t.Errorf("got request %s with licenses %v, %v", r.State, r.Licenses, err)
	}
	mails := w.mails()
	if len(mails) != 1 || mails[0].To.Email != "ada@acme.example" || mails[0].About != l.ID {
		t.Fatalf("got emails %+v, want one to ada@acme.example", mails)
	}
	if !bytes.Equal(mails[0].Attachments[0].Data, []byte(l.KeyText+"\n")) ||
		!strings.Contains(mails[0].Text, "\n"+l.KeyText+"\n") {
		t.Error("got an email that altered the key")
	}
}

func TestSentEmailMatchesTheReview(t *testing.T) {
	w := newTestEnv(t)
	source := Source{Request: w.file(asked(request.New)).ID}
	f := w.begin(source)
	seen := w.draft(source, f).Mail
	l := w.issue(source, f)
	sent := w.mails()[0]
	got := strings.ReplaceAll(sent.Text, l.KeyText, KeyPlaceholder)
	if got != seen.Text || sent.Subject != seen.Subject || sent.To != seen.To {
		t.Errorf("got sent\n%s\nwant as reviewed\n%s", got, seen.Text)
	}
}

func TestRepeatedIssueIssuesOnce(t *testing.T) {
	w := newTestEnv(t)
	source := Source{Request: w.file(asked(request.New)).ID}
	f := w.begin(source)
	c := confirmed(w.draft(source, f))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := w.Issue(t.Context(), source, f, c); err != nil {
				t.Errorf("got error %v", err)
			}
		})
	}
	wg.Wait()
	f.Organization = "Changed afterwards"
	if err := w.Issue(t.Context(), source, f, Confirmation{}); err != nil {
		t.Errorf("got error %v for the form with another organization", err)
	}
	d, err := w.store.Dataset(t.Context(), prod)
	if err != nil || len(d.Licenses) != 1 || d.Licenses[0].License.Organization != "Acme AG" || len(w.mails()) != 1 {
		t.Errorf("got %d licenses, %d emails, %v, want one each", len(d.Licenses), len(w.mails()), err)
	}
}

func TestSecondOperatorGetsAConflict(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(asked(request.New))
	source := Source{Request: r.ID}
	mine, yours := w.begin(source), w.begin(source)
	c := confirmed(w.draft(source, yours))
	w.issue(source, mine)
	if err := w.Issue(t.Context(), source, yours, c); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got error %v, want a conflict", err)
	}
	if _, err := w.store.License(t.Context(), yours.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got error %v for the second license, want not found", err)
	}
	if n := len(w.mails()); n != 1 {
		t.Errorf("got %d emails, want 1", n)
	}
}

func TestChangeSinceTheReviewIsReviewedAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*testing.T, *testEnv, *Form, request.Request)
	}{
		{"the request", func(t *testing.T, w *testEnv, _ *Form, r request.Request) {
			change := store.Review{ID: r.ID, Version: r.Version, By: "pat", To: request.InReview}
			if _, err := w.store.Review(t.Context(), change); err != nil {
				t.Fatal(err)
			}
		}},
		{"a license of the server", func(_ *testing.T, w *testEnv, _ *Form, _ request.Request) {
			w.add(sold("l9", func(l *license.License) { l.Type = license.Evaluation }))
		}},
		{"a staging license of the server", func(_ *testing.T, w *testEnv, _ *Form, _ request.Request) {
			w.add(sold("l9", func(l *license.License) { l.Type, l.Server, l.Mirrors = license.Staging, stage, prod }))
		}},
		{"the day", func(_ *testing.T, w *testEnv, _ *Form, _ request.Request) { w.now = w.now.AddDate(0, 0, 1) }},
		{"the form", func(_ *testing.T, _ *testEnv, f *Form, _ request.Request) { f.Support = "yes" }},
		{"the recipient", func(_ *testing.T, _ *testEnv, f *Form, _ request.Request) { f.Name = "Grace Hopper" }},
		{"the package", func(_ *testing.T, _ *testEnv, f *Form, _ request.Request) { f.CustomPackage = "yes" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTestEnv(t)
			r := w.file(asked(request.New))
			source := Source{Request: r.ID}
			f := w.begin(source)
			c := confirmed(w.draft(source, f))
			test.change(t, w, &f, r)
			err := w.Issue(t.Context(), source, f, c)
			again, ok := errors.AsType[*NotIssued](err)
			if !ok || !again.Changed {
				t.Fatalf("got error %v, want a changed draft", err)
			}
			_, err = w.store.License(t.Context(), f.ID)
			if fault.KindOf(err) != fault.NotFound || len(w.mails()) != 0 {
				t.Errorf("got error %v and %d emails, want nothing issued", err, len(w.mails()))
			}
			if err := w.Issue(t.Context(), source, f, confirmed(again.Draft)); err != nil {
				t.Errorf("got error %v for the new draft", err)
			}
		})
	}
}

// interfering is a store in which a record changes just before the transaction.
type interfering struct {
	*delivery.Store
	do func()
}

func (i interfering) IssueLicenses(ctx context.Context, s store.Issue) error {
	i.do()
	return i.Store.IssueLicenses(ctx, s)
}

func TestChangeDuringTheIssueIsReviewedAgain(t *testing.T) {
	w := newTestEnv(t)
	source := Source{Request: w.file(asked(request.Evaluation)).ID}
	f := w.begin(source)
	c := confirmed(w.draft(source, f))
	w.Records = interfering{w.store, func() {
		w.add(sold("l9", func(l *license.License) { l.Type = license.Evaluation }))
	}}
	err := w.Issue(t.Context(), source, f, c)
	again, ok := errors.AsType[*NotIssued](err)
	if !ok || !again.Changed || len(again.Draft.Warnings) == 0 || again.Draft.Warnings[0].Code != SecondEvaluation {
		t.Errorf("got error %v, want a changed draft", err)
	}
}

// counting counts what a generator reads.
type counting struct {
	*delivery.Store
	requests, licenses, datasets int
}

func (c *counting) Request(ctx context.Context, id string) (request.Request, error) {
	c.requests++
	return c.Store.Request(ctx, id)
}

func (c *counting) License(ctx context.Context, id string) (store.LicenseRecord, error) {
	c.licenses++
	return c.Store.License(ctx, id)
}

func (c *counting) Dataset(ctx context.Context, server license.Server) (store.Dataset, error) {
	c.datasets++
	return c.Store.Dataset(ctx, server)
}

// TestIssueWorksOutTheDraftOnce counts reads: a draft reads the catalog, its request and the server's dataset once
// each. The licenses are the form's own ID, looked up before an issue and after one that failed.
func TestIssueWorksOutTheDraftOnce(t *testing.T) {
	type reads struct{ catalogs, requests, datasets, licenses int }
	for _, test := range []struct {
		name    string
		prepare func(*testEnv, *Confirmation)
		want    reads
		fails   bool
	}{
		{"issued", func(*testEnv, *Confirmation) {}, reads{1, 1, 1, 1}, false},
		{"unconfirmed", func(_ *testEnv, c *Confirmation) { c.Codes = nil }, reads{1, 1, 1, 2}, true},
		{"failing signer", func(w *testEnv, _ *Confirmation) { w.issuer.Signers = nil }, reads{1, 1, 1, 2}, true},
		{"changed", func(w *testEnv, _ *Confirmation) { w.now = w.now.AddDate(0, 0, 1) }, reads{1, 1, 1, 2}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTestEnv(t)
			source := Source{Request: w.file(asked(request.New)).ID}
			f := w.begin(source)
			f.Edition = "enterprise" // a warning
			c := confirmed(w.draft(source, f))
			test.prepare(w, &c)
			counted := &counting{Store: w.store}
			catalogs := 0
			w.Records = counted
			w.Catalog = func() (*catalog.Catalog, error) { catalogs++; return sample() }
			err := w.Issue(t.Context(), source, f, c)
			if (err != nil) != test.fails {
				t.Errorf("got error %v", err)
			}
			got := reads{catalogs, counted.requests, counted.datasets, counted.licenses}
			if got != test.want {
				t.Errorf("got reads %+v, want %+v", got, test.want)
			}
			if not, ok := errors.AsType[*NotIssued](err); test.fails && (!ok || not.Draft == nil) {
				t.Errorf("got error %v, want the draft to show", err)
			}
		})
	}
}

func TestEveryWarningMustBeConfirmed(t *testing.T) {
	w := newTestEnv(t)
	source := Source{Request: w.file(asked(request.New)).ID}
	f := w.begin(source)
	f.Expiration, f.Edition = "2020-03-04", "enterprise"
	c := confirmed(w.draft(source, f))
	c.Codes = c.Codes[:1]
	err := w.Issue(t.Context(), source, f, c)
	again, ok := errors.AsType[*NotIssued](err)
	if !ok || again.Changed || len(again.Draft.Warnings) != 2 {
		t.Fatalf("got error %v, want unconfirmed warnings", err)
	}
	if err := w.Issue(t.Context(), source, f, confirmed(again.Draft)); err != nil {
		t.Fatal(err)
	}
	events, err := w.store.LicenseTimeline(t.Context(), f.ID)
	last := events[len(events)-1]
	if err != nil || last.Action != store.WarningsConfirmed || strings.Count(last.Note, "\n") != 1 ||
		last.By != "sam@vendor.example" {
		t.Errorf("got last event %+v, %v, want the confirmed warnings", last, err)
	}
}

func TestFailedSignerOrPackagerIssuesNothing(t *testing.T) {
	elsewhere := licensetest.Issuer(t)
	for name, breakIt := range map[string]func(*testEnv){
		"failing signer":   func(w *testEnv) { w.issuer.Signers["prod-1"] = brokenSigner{w.issuer.Signers["prod-1"]} },
		"wrong signer":     func(w *testEnv) { w.issuer.Signers["prod-1"] = elsewhere.Signers["prod-1"] },
		"no signer":        func(w *testEnv) { w.issuer.Signers = map[string]crypto.Signer{} },
		"failing packager": func(w *testEnv) { w.packages.err = errors.New("disk full") },
		"no public key":    func(w *testEnv) { w.issuer.Keys = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t)
			r := w.file(asked(request.New))
			source := Source{Request: r.ID}
			f := w.begin(source)
			f.CustomPackage = "yes"
			c := confirmed(w.draft(source, f))
			breakIt(w)
			err := w.Issue(t.Context(), source, f, c)
			if fault.KindOf(err) != fault.Unavailable {
				t.Errorf("got error %v, want an unavailable fault", err)
			}
			_, err = w.store.License(t.Context(), f.ID)
			if fault.KindOf(err) != fault.NotFound || len(w.mails()) != 0 {
				t.Errorf("got error %v and %d emails, want nothing issued", err, len(w.mails()))
			}
			if now, _ := w.store.Request(t.Context(), r.ID); now.State != request.Received {
				t.Errorf("got request %s, want received", now.State)
			}
		})
	}
}

func TestReplacementRevokesTheOldLicense(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	source := Source{Replaces: "l1"}
	f := w.begin(source)
	f.Server = other
	d := w.draft(source, f)
	if r := d.Revoked; r == nil || r.ID != "l1" || len(d.Differences()) == 0 {
		t.Errorf("got draft %+v, want l1 revoked and differences", d)
	}
	l := w.issue(source, f)
	if old := w.license("l1"); old.ReplacedBy != l.ID || old.Revoked.IsZero() {
		t.Errorf("got old license %+v, want it replaced", old)
	}
}

func TestRenewalEmailsStagingLicensesToo(t *testing.T) {
	w := newTestEnv(t)
	w.add(
		sold("l1"),
		sold("s1", func(l *license.License) { l.Type, l.Server, l.Mirrors = license.Staging, stage, prod }),
	)
	source := Source{Renews: "l1"}
	f := w.begin(source)
	l := w.issue(source, f)
	mails := w.mails()
	second := w.license(nthID(f.ID, 1))
	if len(mails) != 1 || second.Type != license.Staging || second.Server != stage || second.Mirrors != prod ||
		second.Expiration != l.Expiration {
		t.Errorf("got %d emails and second license %+v", len(mails), second)
	}
	for _, key := range []string{l.KeyText, second.KeyText} {
		if _, err := license.Verify(key, w.issuer.Keys); err != nil || !strings.Contains(mails[0].Text, key) {
			t.Errorf("got error %v, want a valid key in the email", err)
		}
	}
	if w.license("l1").Successor != l.ID || w.license("s1").Successor != second.ID {
		t.Error("got old licenses without successors")
	}
	if d, err := w.store.Dataset(t.Context(), prod); err != nil || len(currentStaging(d)) != 1 {
		t.Errorf("got %d staging licenses, %v, want 1", len(currentStaging(d)), err)
	}
}

func TestTooManyLicensesIssueNothing(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		w.add(sold("s"+id, func(l *license.License) {
			l.Type, l.Server, l.Mirrors = license.Staging, license.Server("AWHW8w9JtzBzSrmf9ST"+id), prod
		}))
	}
	source := Source{Renews: "l1"}
	f := w.begin(source)
	err := w.Issue(t.Context(), source, f, confirmed(w.draft(source, f)))
	if fault.KindOf(err) != fault.Invalid || len(w.mails()) != 0 {
		t.Errorf("got error %v, want an invalid fault", err)
	}
}

func TestEveryWrongFieldIsReported(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	for _, test := range []struct {
		change func(*Form)
		want   []string
	}{
		{func(f *Form) { *f = Form{} }, []string{"type", "serverId", "organization", "edition", "maxLoc", "notBefore",
			"expiration", "email", "id", "token"}},
		{func(f *Form) { f.Type = "production" }, []string{"type"}},
		{func(f *Form) { f.Server = "AWHW8w9JtzBzSrmf" }, []string{"serverId"}},
		{func(f *Form) { f.Organization = "Acme\r\nBcc: x" }, []string{"organization"}},
		{func(f *Form) { f.Organization = strings.Repeat("x", 201) }, []string{"organization"}},
		{func(f *Form) { f.Edition = "ultimate" }, []string{"edition"}},
		{func(f *Form) { f.MaxLoc = "120000" }, []string{"maxLoc"}},
		{func(f *Form) { f.MaxLoc = "9223372036854775808" }, []string{"maxLoc"}},
		{func(f *Form) { f.Languages = []string{"cobol", "klingon"} }, []string{"languages"}},
		{func(f *Form) { f.Support = "perhaps" }, []string{"support"}},
		{func(f *Form) { f.NotBefore = "31.03.2018" }, []string{"notBefore"}},
		{func(f *Form) { f.Expiration = "2018-02-30" }, []string{"expiration"}},
		{func(f *Form) { f.Expiration = "0218-02-28" }, []string{"expiration"}},
		{func(f *Form) { f.Expiration = "2200-01-01" }, []string{"expiration"}},
		{func(f *Form) { f.Expiration = "2018-03-04" }, []string{"expiration"}},
		{func(f *Form) { f.Email = "ada@acme" }, []string{"email"}},
		{func(f *Form) { f.Contacts = "a@x.example b" }, []string{"contacts"}},
		{func(f *Form) { f.Contacts = "a@x.de b@x.de c@x.de d@x.de e@x.de f@x.de" }, []string{"contacts"}},
		{func(f *Form) { f.Type = "STAGING" }, []string{"mirrors"}},
		{func(f *Form) { f.Type, f.Mirrors = "STAGING", "nothing" }, []string{"mirrors"}},
		{func(f *Form) { f.Staging = []string{"l1"} }, []string{"staging"}},
		{func(f *Form) { f.ProductVersion = "9.9" }, []string{"productVersion"}},
		{func(f *Form) { f.ProductVersion, f.CustomPackage = "", "yes" }, []string{"productVersion"}},
		{func(f *Form) { f.ID = "../x" }, []string{"id"}},
		{func(f *Form) { f.Token = "../../../../../../../../x" }, []string{"token"}},
	} {
		source := Source{Renews: "l1"}
		f := w.begin(source)
		test.change(&f)
		d, err := w.Draft(t.Context(), source, f)
		if d == nil || !slices.Equal(wrongFields(err), test.want) {
			t.Errorf("%+v: got fields %v, want %v", f, wrongFields(err), test.want)
		}
		if err := w.Issue(t.Context(), source, f, Confirmation{}); !slices.Equal(wrongFields(err), test.want) {
			t.Errorf("%+v: got error %v from Issue", f, err)
		}
	}
}

func TestLicenseIDsFollowFromTheFirst(t *testing.T) {
	const id = "01c7zzzzzzzzzzzzzzzzzzzzzz"
	second, third := nthID(id, 1), nthID(id, 2)
	if nthID(id, 0) != id || second == id || third == second || !validID(second) || second[:10] != id[:10] {
		t.Errorf("got IDs %s, %s, %s", id, second, third)
	}
}

func TestDifferencesAreListedByField(t *testing.T) {
	c, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	old := sold(
		"l1",
		func(l *license.License) { l.Edition = license.Developer; l.Plugins = []string{"license", "cpp"} },
	)
	now := old
	now.Type, now.Organization, now.Server, now.Edition, now.MaxLoc = license.Evaluation, "Acme AG", "BF41A1F2-"+prod,
		license.Enterprise, 1_000_000
	now.Languages, now.Plugins, now.Support, now.Expiration = []string{
		"vb",
	}, []string{
		"license",
		"vb",
	}, false, day(
		"2019-04-30",
	)
	now.Contacts = []license.Contact{{Email: "dan@acme.example"}}
	want := []Difference{
		{"Type", "Production", "Evaluation", ""},
		{"Organization", "Acme Corporation", "Acme AG", ""},
		{"Server ID", prod, "BF41A1F2-" + prod, "same data, new ID"},
		{"Edition", "Developer Edition", "Enterprise Edition", "larger"},
		{"Lines of code", "500'000", "1'000'000", "500'000 more"},
		{"Additional languages", "none", "VB6", ""},
		{"Plugins", "cpp, license", "license, vb", "added: vb; removed: cpp"},
		{"Support", "included", "not included", ""},
		{"Valid through", "30 Apr 2018", "30 Apr 2019", "365 days later"},
		{"Contacts", "Carol <carol@acme.example>", "dan@acme.example", ""},
	}
	if got := differences(c, old, now); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
	if got := differences(c, old, old); got != nil {
		t.Errorf("got %+v, want no differences", got)
	}
}

// TestEveryAcceptedFormGivesAWorkingKey: any form that passes becomes a key that the license plugin verifies and the
// open-source server reads, both with the edition and the plugins that the form means.
func TestEveryAcceptedFormGivesAWorkingKey(t *testing.T) {
	c, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, l := range c.Languages {
		keys = append(keys, l.Key)
	}
	issued := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := newTestEnv(t)
		f := w.begin(Source{})
		f.Type = string(rapid.SampledFrom(license.Types).Draw(rt, "type"))
		f.Server = rapid.SampledFrom([]string{prod, "BF41A1F2-" + prod, "20180305093000", "15fa0e36bd4c3f1"}).
			Draw(rt, "server")
		f.Organization = rapid.String().Draw(rt, "organization")
		f.Edition = string(rapid.SampledFrom(license.Editions).Draw(rt, "edition"))
		f.MaxLoc = rapid.SampledFrom([]string{"100000", "100000000", "7"}).Draw(rt, "lines")
		f.Languages = rapid.SliceOfDistinct(rapid.SampledFrom(keys), rapid.ID).Draw(rt, "languages")
		f.Support = rapid.SampledFrom([]string{"", "yes"}).Draw(rt, "support")
		f.Expiration = day("2018-03-05").AddDays(rapid.IntRange(-3, 3000).Draw(rt, "days")).String()
		f.Name, f.Email, f.Mirrors = rapid.String().Draw(rt, "name"), "ada@acme.example", other
		f.CustomPackage = rapid.SampledFrom([]string{"", "yes"}).Draw(rt, "tailored")
		d, err := w.Draft(t.Context(), Source{}, f)
		if err != nil {
			if len(wrongFields(err)) == 0 {
				rt.Fatal(err)
			}
			return
		}
		if err := w.Issue(t.Context(), Source{}, f, confirmed(d)); err != nil {
			rt.Fatal(err)
		}
		issued++
		l := w.license(f.ID)
		key, err := license.Verify(l.KeyText, w.issuer.Keys)
		if err != nil {
			rt.Fatal(err)
		}
		read, ok := client.Parse(l.KeyText)
		want, _ := plugins(c, l.Edition, f.Languages)
		want = sorted(want)
		if !ok || read.Edition != f.Edition || !slices.Equal(sorted(read.Plugins), want) ||
			!slices.Equal(key.Plugins, read.Plugins) ||
			string(key.Edition) != f.Edition {
			rt.Fatalf("got key %+v, read by the client as %+v, want plugins %v", key, read, want)
		}
		if v := license.Evaluate(l.KeyText, license.Instance{Server: l.Server, Loc: l.MaxLoc, Edition: l.Edition,
			Plugins: want, Now: l.NotBefore.Start().Add(time.Hour)}, w.issuer.Keys); !v.Valid() {
			rt.Fatalf("got %+v from the server, want a valid key", v.Reasons)
		}
		if d.Licenses[0].Packages != nil {
			var packed []string
			for _, j := range w.packages.made[l.Packages[0]] {
				packed = append(packed, j.Plugin)
			}
			if !slices.Equal(sorted(packed), want) {
				rt.Fatalf("got package with %v, want %v as in the key", packed, want)
			}
		}
	})
	if issued == 0 {
		t.Error("got no accepted form")
	}
}
