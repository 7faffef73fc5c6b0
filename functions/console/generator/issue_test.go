package generator

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/license/client"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/search"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
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
	if err != nil || r.State != request.Issued || !slices.Equal(r.Licenses, []string{l.ID}) || l.Request != r.ID ||
		r.Customer != l.Customer || r.Instance != l.Instance {
		t.Errorf("got request %+v, %v", r, err)
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
	a, err := w.store.Account(t.Context(), w.license(f.ID).Customer)
	if err != nil || len(a.Instances) != 1 || len(a.Instances[0].Licenses) != 1 || len(a.Contracts) != 1 ||
		a.Customer.Name != "Acme AG" || len(w.mails()) != 1 {
		t.Errorf("got account %+v, %d emails, %v, want one of each", a, len(w.mails()), err)
	}
	if d, err := w.store.Dataset(t.Context(), prod); err != nil || len(d.Instances) != 1 {
		t.Errorf("got %d instances of the server, %v, want 1", len(d.Instances), err)
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
		{"a license of the server, of another customer", func(_ *testing.T, w *testEnv, _ *Form, _ request.Request) {
			w.add(sold("l9", func(l *license.License) { l.Organization = "Globex" }))
		}},
		{"a license of the instance", func(_ *testing.T, w *testEnv, _ *Form, _ request.Request) {
			w.add(sold("l9", func(l *license.License) { l.Expiration = day("2018-05-31") }))
		}},
		{"the contract", func(_ *testing.T, w *testEnv, _ *Form, _ request.Request) { w.end("unpaid") }},
		{"the day", func(_ *testing.T, w *testEnv, _ *Form, _ request.Request) { w.now = w.now.AddDate(0, 0, 1) }},
		{"the form", func(_ *testing.T, _ *testEnv, f *Form, _ request.Request) { f.MaxLoc = "1000000" }},
		{"the recipient", func(_ *testing.T, _ *testEnv, f *Form, _ request.Request) {
			f.To, f.Name, f.Email = OtherAddress, "Carol Contact", carol.Email
		}},
		{"a contact", func(_ *testing.T, _ *testEnv, f *Form, _ request.Request) {
			f.AddContacts = []string{"bob@acme.example"}
		}},
		{"the package", func(_ *testing.T, _ *testEnv, f *Form, _ request.Request) { f.CustomPackage = "yes" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTestEnv(t)
			w.add(sold("l1"))
			r := w.file(asked(request.Renewal))
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
	w.Records = interfering{w.store, sync.OnceFunc(func() {
		w.add(sold("l9", func(l *license.License) { l.Type, l.Organization = license.Evaluation, "Globex" }))
	})}
	err := w.Issue(t.Context(), source, f, c)
	again, ok := errors.AsType[*NotIssued](err)
	if !ok || !again.Changed || !slices.Contains(confirmed(again.Draft).Codes, SecondEvaluation) {
		t.Errorf("got error %v, want a changed draft", err)
	}
}

// elsewhereInAcme makes a license one of another instance, under a contract of its own.
func elsewhereInAcme(l *license.License) { l.Server, l.Edition = other, license.DataCenter }

// TestChangeOfNothingThatWasSeenIsNoConflict: the draft is made again, and issued because it is the same.
func TestChangeOfNothingThatWasSeenIsNoConflict(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	source := Source{License: "l1", Kind: request.Renewal}
	f := w.begin(source)
	c := confirmed(w.draft(source, f))
	n := 0
	w.Records = interfering{w.store, func() {
		if n++; n <= 2 {
			w.add(sold(fmt.Sprint("l", n+1), elsewhereInAcme))
		}
	}}
	if err := w.Issue(t.Context(), source, f, c); err != nil || n != 3 {
		t.Errorf("got error %v after %d attempts, want it issued at the third", err, n)
	}
	if l := w.license("l1"); l.Successor != f.ID {
		t.Errorf("got successor %q, want %q", l.Successor, f.ID)
	}
}

// TestOthersWhoNeverStopEndTheIssue: whoever changes the customer again and again is named as the reason.
func TestOthersWhoNeverStopEndTheIssue(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	source := Source{License: "l1", Kind: request.Renewal}
	f := w.begin(source)
	c := confirmed(w.draft(source, f))
	n := 0
	w.Records = interfering{w.store, func() {
		n++
		w.add(sold(fmt.Sprint("x", n), elsewhereInAcme))
	}}
	err := w.Issue(t.Context(), source, f, c)
	if not, ok := errors.AsType[*NotIssued](err); !ok || !not.Changed || n != attempts {
		t.Errorf("got error %v after %d attempts, want it to be reviewed again after %d", err, n, attempts)
	}
}

// counting counts what a generator reads.
type counting struct {
	*delivery.Store
	Search
	requests, licenses, datasets, accounts, candidates int
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

func (c *counting) Account(ctx context.Context, id string) (*customer.Account, error) {
	c.accounts++
	return c.Store.Account(ctx, id)
}

func (c *counting) CandidatesAnd(ctx context.Context, d request.Details,
	also func(context.Context, []string) error) ([]search.Candidate, error) {
	c.candidates++
	return c.Search.CandidatesAnd(ctx, d, also)
}

// TestIssueWorksOutTheDraftOnce counts reads: a draft reads the catalog, its request, the candidates, the account and
// the server's dataset once each. The licenses are the form's own ID, looked up before an issue and after one that
// failed.
func TestIssueWorksOutTheDraftOnce(t *testing.T) {
	type reads struct{ catalogs, requests, candidates, accounts, datasets, licenses int }
	for _, test := range []struct {
		name    string
		prepare func(*testEnv, *Confirmation)
		want    reads
		fails   bool
	}{
		{"issued", func(*testEnv, *Confirmation) {}, reads{1, 1, 1, 1, 1, 1}, false},
		{"unconfirmed", func(_ *testEnv, c *Confirmation) { c.Codes = nil }, reads{1, 1, 1, 1, 1, 2}, true},
		{"failing signer", func(w *testEnv, _ *Confirmation) { w.issuer.Signers = nil }, reads{1, 1, 1, 1, 1, 2}, true},
		{"changed", func(w *testEnv, _ *Confirmation) { w.now = w.now.AddDate(0, 0, 1) }, reads{1, 1, 1, 1, 1, 2}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newTestEnv(t)
			w.add(sold("l1"))
			source := Source{Request: w.file(asked(request.Renewal)).ID}
			f := w.begin(source)
			f.Edition = "enterprise" // a warning
			c := confirmed(w.draft(source, f))
			test.prepare(w, &c)
			counted := &counting{Store: w.store, Search: w.Search}
			catalogs := 0
			w.Records, w.Search = counted, counted
			w.Catalog = func() (*catalog.Catalog, error) { catalogs++; return sample() }
			err := w.Issue(t.Context(), source, f, c)
			if (err != nil) != test.fails {
				t.Errorf("got error %v", err)
			}
			got := reads{catalogs, counted.requests, counted.candidates, counted.accounts, counted.datasets,
				counted.licenses}
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
	events, _, err := w.store.LicenseTimeline(t.Context(), w.license(f.ID))
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

func TestReplacementKeepsInstanceContractAndStaging(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"), sold("s1", stagingOn(stage)))
	source := w.carolAsks(request.Replacement, replaces("l1", other))
	f := w.begin(source)
	d := w.draft(source, f)
	if r := d.Changes.Replaced; len(r) != 1 || r[0].ID != "l1" || len(d.Differences(0)) == 0 {
		t.Errorf("got replaced %+v, want l1 and differences", r)
	}
	before := w.instanceOf(prod)
	l := w.issue(source, f)
	if old := w.license("l1"); old.ReplacedBy != l.ID || old.Revoked.IsZero() {
		t.Errorf("got old license %+v, want it replaced", old)
	}
	after := w.instanceOf(other)
	if after.ID != before.ID || !after.Had(prod) || l.Contract != w.license("l1").Contract ||
		w.instanceOf(stage).Production != before.ID {
		t.Errorf("got instance %+v, want the same one with another server ID, and its staging", after)
	}
	a := w.account()
	if used := a.Use(l.Contract, day("2018-03-05")); used != (customer.Use{Production: 1, Staging: 1}) ||
		len(a.Contracts) != 1 || len(a.Instances) != 2 {
		t.Errorf("got use %+v of %d contracts by %d instances, want it as before", used, len(a.Contracts),
			len(a.Instances))
	}
	if !w.license("s1").Revoked.IsZero() {
		t.Error("got the staging license revoked")
	}
}

func TestReplacementReplacesWhatWasRenewedAhead(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	ahead := w.renewAhead("l1")
	source := w.carolAsks(request.Replacement, replaces("l1", other))
	f := w.begin(source)
	now := w.issue(source, f)
	later := w.license(nthID(f.ID, 1))
	if later.Server != other || later.Expiration != ahead.Expiration || later.Contract != ahead.Contract ||
		w.license(ahead.ID).ReplacedBy == "" || w.license(now.ID).Successor != later.ID {
		t.Errorf("got %+v for the renewal, want its days and contract for the new server", later)
	}
}

func TestReplacementOfARenewalIsOneKey(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	renewal := Source{License: "l1", Kind: request.Renewal}
	renewed := w.issue(renewal, w.begin(renewal)) // valid from today on
	source := w.carolAsks(request.Replacement, replaces(renewed.ID, other))
	f := w.begin(source)
	d := w.draft(source, f)
	if len(d.Licenses) != 1 || len(d.Changes.Replaced) != 2 {
		t.Fatalf("got %d licenses in the place of %d, want one that covers both", len(d.Licenses),
			len(d.Changes.Replaced))
	}
	w.issue(source, f)
	for _, id := range []string{"l1", renewed.ID} {
		if l := w.license(id); l.ReplacedBy != f.ID {
			t.Errorf("got %s replaced by %q, want %q", id, l.ReplacedBy, f.ID)
		}
	}
}

func TestRenewalEmailsTheWholeContract(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"), sold("s1", stagingOn(stage), func(l *license.License) { l.Expiration = day("2018-05-05") }))
	source := Source{License: "l1", Kind: request.Renewal}
	f := w.begin(source)
	d := w.draft(source, f)
	if got := d.Differences(1); len(got) != 2 || got[1].Change != "360 days later" {
		t.Errorf("got differences %+v of the staging license, want its own", got)
	}
	l := w.issue(source, f)
	mails := w.mails()
	second := w.license(nthID(f.ID, 1))
	if len(mails) != 1 || second.Type != license.Staging || second.Server != stage || second.Contract != l.Contract ||
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
	k := w.account().Contract(l.Contract)
	if k.Renews != w.license("l1").Contract || k.Last != l.Expiration || k.Production != 1 || k.Staging != 1 {
		t.Errorf("got contract %+v, want a renewal with the same counts", k)
	}
}

func TestSmallerRenewalBeginsTheDayAfter(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"), sold("s1", stagingOn(stage), func(l *license.License) { l.Expiration = day("2018-05-05") }))
	source := Source{License: "l1", Kind: request.Renewal}
	f := w.begin(source)
	f.MaxLoc = "250000"
	d := w.draft(source, f)
	if !d.StartMoved || d.Licenses[0].NotBefore != day("2018-05-01") || d.Licenses[1].NotBefore != day("2018-05-06") {
		t.Errorf("got first days %s and %s, want the day after each", d.Licenses[0].NotBefore, d.Licenses[1].NotBefore)
	}
	l := w.issue(source, f)
	if w.license("l1").Successor != l.ID || w.account().Contract(l.Contract).First != day("2018-05-01") {
		t.Errorf("got license %+v under %+v, want it to succeed", w.license("l1"), w.account().Contract(l.Contract))
	}
	f = w.begin(Source{License: "s1", Kind: request.Renewal})
	if f.Contract != UnderContract(l.Contract) || len(f.Follow) != 0 {
		t.Errorf("got contract %q and %v, want the renewal, with nothing missing", f.Contract, f.Follow)
	}
}

func TestRenewalWithLessStagingRetiresTheRest(t *testing.T) {
	w := newTestEnv(t)
	w.fleet(1, 3)
	source := Source{License: "fleet00", Kind: request.Renewal}
	f := w.begin(source)
	if len(f.Follow) != 3 || f.StagingCount != "3" {
		t.Fatalf("got %v and %s staging, want three", f.Follow, f.StagingCount)
	}
	f.Follow, f.StagingCount = f.Follow[:1], "2"
	d := w.draft(source, f)
	if len(d.Changes.Retired) != 1 || d.Changes.Retired[0].ID != "instance03" {
		t.Errorf("got retired %+v, want the one that two places do not cover", d.Changes.Retired)
	}
	w.issue(source, f)
	a := w.account()
	if a.Instance("instance03").InUse() || !a.Instance("instance02").InUse() {
		t.Errorf("got instances %+v", a.Instances)
	}
}

func TestUpgradeReplacesTheWholeContractAndWhatWasRenewedAhead(t *testing.T) {
	w := newTestEnv(t)
	w.fleet(2, 2)
	renewed := w.renewAhead("fleet00")
	w.now = w.now.AddDate(0, 0, 1)
	source := w.carolAsks(request.Upgrade, server("AWHW8w9JtzBzSrmfFL00"))
	f := w.begin(source)
	f.MaxLoc = "1000000"
	d := w.draft(source, f)
	if len(d.Licenses) != 8 || len(d.Changes.Replaced) != 8 || len(d.Changes.Contracts) != 2 {
		t.Fatalf("got %d licenses for %d, and %d contracts, want eight and both contracts", len(d.Licenses),
			len(d.Changes.Replaced), len(d.Changes.Contracts))
	}
	lines := func(d Difference) bool { return d.Field == "Lines of code" }
	for n := range d.Licenses {
		if got := d.Differences(n); !slices.ContainsFunc(got, lines) {
			t.Errorf("got differences %+v of license %d, want the lines of code", got, n)
		}
	}
	l := w.issue(source, f)
	a := w.account()
	for _, i := range a.Instances {
		var valid []customer.License
		for _, l := range i.Licenses {
			if l.Valid(day("2018-03-06")) {
				valid = append(valid, l)
			}
		}
		if len(i.Licenses) != 4 || len(valid) != 2 || valid[0].MaxLoc != 1_000_000 || valid[1].MaxLoc != 1_000_000 ||
			valid[0].Expiration != l.Expiration || valid[1].Expiration != renewed.Expiration ||
			valid[0].Successor != valid[1].ID {
			t.Errorf("%s: got %+v, want both terms with more lines", i.ID, i.Licenses)
		}
	}
	for _, k := range a.Contracts {
		if k.MaxLoc != 1_000_000 {
			t.Errorf("got contract %+v, want more lines", k)
		}
	}
}

func TestUpgradeOfARenewalLeavesThePresentTermAlone(t *testing.T) {
	w := newTestEnv(t)
	w.fleet(1, 1)
	ahead := Source{License: "fleet00", Kind: request.Renewal}
	renewed := w.issue(ahead, w.begin(ahead))
	if renewed.NotBefore != day("2018-03-05") {
		t.Fatalf("got a renewal from %s, want one that is valid already", renewed.NotBefore)
	}
	source := w.carolAsks(request.Upgrade, server("AWHW8w9JtzBzSrmfFL00"))
	f := w.begin(source)
	f.MaxLoc = "1000000"
	w.issue(source, f)
	for _, id := range []string{"fleet00", "fleet01"} {
		if l := w.license(id); !l.Revoked.IsZero() || l.MaxLoc != 500_000 || l.Successor == "" {
			t.Errorf("got %+v, want the present license as it was", l)
		}
	}
	if k := w.account().Contract("fleet"); k.MaxLoc != 500_000 {
		t.Errorf("got the present contract %+v changed", k)
	}
}

func TestUpgradeLeavesOutWhatHasExpired(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"), sold("s1", stagingOn(stage), func(l *license.License) { l.Expiration = day("2018-03-04") }))
	upgrade := w.begin(Source{License: "l1", Kind: request.Upgrade})
	renewal := w.begin(Source{License: "l1", Kind: request.Renewal})
	if len(upgrade.Follow) != 0 || len(renewal.Follow) != 1 {
		t.Errorf("got %v along with an upgrade and %v with a renewal, want the expired staging with the renewal alone",
			upgrade.Follow, renewal.Follow)
	}
}

func TestMoreInstancesUnderAContractReissueNothing(t *testing.T) {
	w := newTestEnv(t)
	w.fleet(1, 1)
	source := Source{Customer: storetest.CustomerID(acme)}
	f := w.begin(source)
	f.Server, f.Contract = prod, ChangeContract("fleet")
	d, err := w.Refresh(t.Context(), source, f)
	if err != nil {
		t.Fatal(err)
	}
	f = d.Form
	f.ProductionCount = "2"
	if len(f.Follow) != 0 || f.Edition != "enterprise" || f.MaxLoc != "500000" {
		t.Errorf("got form %+v, want the contract's terms, and no other instance", f)
	}
	l := w.issue(source, f)
	a := w.account()
	if k := a.Contract("fleet"); k.Production != 2 || len(a.Contracts) != 1 || l.Contract != "fleet" {
		t.Errorf("got contract %+v, want room for two", k)
	}
	if !w.license("fleet00").Revoked.IsZero() || !w.license("fleet01").Revoked.IsZero() {
		t.Error("got licenses revoked whose terms did not change")
	}
}

func TestNextKeysUnderALongerContract(t *testing.T) {
	w := newTestEnv(t)
	w.threeYears()
	yearly := func(l *license.License) { l.Contract = "three-years" }
	w.add(sold("l1", yearly), sold("s1", stagingOn(stage), yearly),
		sold("l2", yearly, func(l *license.License) { l.Server, l.Expiration = other, day("2018-12-31") }))
	source := Source{Customer: storetest.CustomerID(acme), Contract: "three-years"}
	f := w.begin(source)
	if f.Instance != w.instanceOf(prod).ID || !slices.Equal(f.Follow, []string{w.instanceOf(stage).ID}) ||
		f.Contract != UnderContract("three-years") || f.Expiration != "2019-04-30" {
		t.Errorf("got form %+v, want the next keys of those that end now", f)
	}
	l := w.issue(source, f)
	a := w.account()
	if len(a.Contracts) != 1 || l.Contract != "three-years" || w.license("l1").Successor != l.ID {
		t.Errorf("got license %+v, want the next key under the same contract", l)
	}
	w.now = w.now.AddDate(1, 0, 0)
	if f := w.begin(Source{License: l.ID, Kind: request.Renewal}); f.Expiration != "2020-04-30" {
		t.Errorf("got expiration %s, want the contract's last day", f.Expiration)
	}
}

func TestIssueAddsContactsDomainAndEndsEvaluations(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("e1", evaluated, func(l *license.License) { l.Server = other }))
	source := Source{Request: w.file(asked(request.New)).ID}
	f := w.begin(source)
	f.Customer = w.account().Customer.ID
	d, err := w.Refresh(t.Context(), source, f)
	if err != nil {
		t.Fatal(err)
	}
	if open := d.OpenEvaluations(); len(open) != 1 || open[0].ID != "e1" || d.DomainToAdd() != "acme.example" {
		t.Fatalf("got evaluations %+v and domain %q", open, d.DomainToAdd())
	}
	f = d.Form
	f.To, f.AddContacts, f.AddDomain, f.Mute = "ada@acme.example", []string{AddRecipient, "bob@acme.example"}, "yes",
		[]string{"e1"}
	w.vouched("lucia@vendor.example", source, f)
	w.issue(source, f)
	c := w.account().Customer
	if len(c.Contacts) != 3 || c.Contacts[1].Email != "ada@acme.example" ||
		c.Contacts[1].AddedBy != "sam@vendor.example" || c.Contacts[1].VouchedBy != "" ||
		!c.Contacts[1].Since.Equal(w.now) ||
		c.Contacts[2].Email != "bob@acme.example" ||
		!slices.Equal(c.Domains, []string{"acme.example"}) || !w.license("e1").Mute.On(license.DateOf(w.now)) {
		t.Errorf("got customer %+v, want contacts, domain, and the evaluation muted", c)
	}
	f.AddContacts = []string{"eve@else.example"}
	_, err = w.Draft(t.Context(), Source{Customer: c.ID}, f)
	if !slices.Equal(wrongFields(err), []string{"addContacts"}) {
		t.Errorf("got error %v, want an address refused that nobody named", err)
	}
}

func TestIssueForAMergedCustomer(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	into := storetest.Customer(t, w.store.Store, "Globex", license.Contact{Email: "gil@globex.example"})
	survivor, err := w.store.Account(t.Context(), into.ID)
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.MergeCustomers(t.Context(), store.Merge{
		From: w.account().Customer.ID, FromVersion: w.account().Version, Into: into.ID, IntoVersion: survivor.Version,
		By: "sam@vendor.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	source := Source{License: "l1", Kind: request.Renewal}
	f := w.begin(source)
	if f.Customer != into.ID || f.To != "gil@globex.example" {
		t.Errorf("got form %+v, want the survivor's", f)
	}
	l := w.issue(source, f)
	if w.license("l1").Successor != l.ID || l.Instance != w.license("l1").Instance {
		t.Errorf("got license %+v, want one of the merged customer's instance", l)
	}
}

// TestKilledBetweenItsBatches kills an issue for many instances at each of its transactions. The same form, and then
// the contract itself, finish it: nothing is issued twice. An upgrade of three production and twelve staging instances
// that were renewed ahead has thirty licenses.
func TestKilledBetweenItsBatches(t *testing.T) {
	for _, test := range []struct {
		name                string
		kind                request.Kind
		ahead               bool
		production, staging int
	}{
		{"renewal", request.Renewal, false, 4, 16},
		{"upgrade", request.Upgrade, false, 3, 15},
		{"upgrade of what was renewed ahead", request.Upgrade, true, 3, 12},
	} {
		for how, fault := range map[string]tabletest.Fault{"killed": tabletest.Down, "answer lost": tabletest.Lost} {
			t.Run(test.name+", "+how, func(t *testing.T) {
				k := killing{test.kind, test.ahead, test.production, test.staging, fault}
				after := 0
				for k.killedAfter(t, after) {
					after++
				}
				if after < 4 {
					t.Errorf("got %d transactions, want the contract's and one for each production instance", after)
				}
			})
		}
	}
}

// TestOtherChangeBetweenBatchesEndsThem: what is left is decided anew, by what is on record then.
func TestOtherChangeBetweenBatchesEndsThem(t *testing.T) {
	w := newTestEnv(t)
	contract := w.fleet(4, 16)
	source := Source{License: "fleet00", Kind: request.Renewal}
	f := w.begin(source)
	c := confirmed(w.draft(source, f))
	n := 0
	w.Records = interfering{w.store, func() {
		if n++; n == 4 { // after the attempt in one, the contract, and a batch
			a := w.account()
			change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "pat@vendor.example"}
			if err := w.store.EndContract(t.Context(), change, contract, "unpaid"); err != nil {
				t.Fatal(err)
			}
		}
	}}
	err := w.Issue(t.Context(), source, f, c)
	partly, ok := errors.AsType[*PartlyIssued](err)
	if !ok || partly.Issued != 5 || partly.Of != 20 || fault.KindOf(partly.Err) != fault.Conflict || n != 4 {
		t.Fatalf("got error %+v after %d transactions, want five of twenty issued", err, n)
	}
	w.Records = w.store
	on := Source{Customer: partly.Customer, Contract: partly.Contract}
	if again := w.begin(on); len(again.Follow) != 14 {
		t.Errorf("got %d instances along with the first, want the other fourteen", len(again.Follow))
	}
}

func TestIssueNotesWhatTheRequestTells(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	told := func(version string, loc int64) request.Request {
		return w.file(asked(request.Renewal, func(d *request.Details) { d.ProductVersion, d.Loc = version, loc }))
	}
	older := told("6.7", 5)
	w.now = w.now.Add(time.Hour)
	newer := told("7.0", 130_000)
	for _, r := range []request.Request{newer, older} {
		w.now = w.now.Add(time.Hour)
		source := Source{Request: r.ID}
		w.issue(source, w.begin(source))
		i := w.instanceOf(prod)
		if i.ProductVersion != "7.0" || i.Loc != 130_000 || !i.Told.Equal(newer.Created) {
			t.Errorf("got instance %+v, want what was told last", i)
		}
	}
}

// killing is an issue that is killed.
type killing struct {
	kind                request.Kind
	ahead               bool // the contract was renewed before
	production, staging int
	how                 tabletest.Fault // what happens to the transaction
}

// killedAfter issues, and lets every call of the table fail from the transaction on that comes after so many others. It
// reports whether the issue had that many.
func (k killing) killedAfter(t *testing.T, after int) bool {
	t.Helper()
	w := newTestEnv(t)
	w.fleet(k.production, k.staging)
	if k.ahead {
		w.renewAhead("fleet00")
	}
	source := Source{License: "fleet01", Kind: k.kind} // not that of the last batch anyhow
	if k.kind == request.Upgrade {
		source = w.carolAsks(request.Upgrade, server("AWHW8w9JtzBzSrmfFL01"))
	}
	f := w.begin(source)
	f.MaxLoc = "1000000"
	c := confirmed(w.draft(source, f))
	transacts, dead := 0, false
	w.table.Fault = func(call tabletest.Call) tabletest.Fault {
		if call.Op == "transact" {
			transacts++
		}
		switch {
		case dead:
			return tabletest.Down
		case transacts > after:
			dead = true
			return k.how
		}
		return tabletest.Fault{}
	}
	err := w.Issue(t.Context(), source, f, c)
	w.table.Fault = nil
	if !dead {
		if err != nil {
			t.Fatalf("got error %v without a fault", err)
		}
		k.want(w, "without a fault")
		return false
	}
	if err == nil {
		t.Fatalf("after %d: got no error from an issue that was killed", after)
	}
	now := fmt.Sprintf("after %d", after)
	err = w.Issue(t.Context(), source, f, c) // the browser sends the form again
	partly, ok := errors.AsType[*PartlyIssued](err)
	if err != nil && !ok {
		t.Fatalf("%s: got error %v from the same form, want it issued, or issued in part", now, err)
	}
	if ok {
		on := Source{Customer: partly.Customer, Contract: partly.Contract}
		again := w.begin(on)
		if again.Instance == "" {
			t.Fatalf("%s: got form %+v, want an instance that lacks its key", now, again)
		}
		each := 1
		if k.ahead {
			each = 2
		}
		if got := 1 + len(again.Follow) + partly.Issued/each; got != k.production+k.staging {
			t.Errorf("%s: got %d issued and %d instances to issue, want %d instances in all", now, partly.Issued,
				1+len(again.Follow), k.production+k.staging)
		}
		w.issue(on, again)
	}
	k.want(w, now)
	return true
}

// want fails unless each instance has the one new license for each term, and no other that was not there before.
func (k killing) want(w *testEnv, now string) {
	w.Helper()
	today := day("2018-03-05")
	a := w.account()
	for _, i := range a.Instances {
		var valid []customer.License
		for _, l := range i.Licenses {
			if l.Valid(today) {
				valid = append(valid, l)
			}
		}
		right := false
		switch {
		case k.kind == request.Renewal:
			right = len(i.Licenses) == 2 && len(valid) == 2 && valid[0].Successor == valid[1].ID &&
				valid[1].MaxLoc == 1_000_000 && valid[1].Contract != "fleet" && valid[1].Expiration == day("2019-04-30")
		case k.ahead:
			right = len(i.Licenses) == 4 && len(valid) == 2 && valid[0].MaxLoc == 1_000_000 &&
				valid[1].MaxLoc == 1_000_000 && valid[0].Successor == valid[1].ID && valid[0].Contract == "fleet" &&
				valid[1].Contract != "fleet" && valid[0].Expiration == day("2018-04-30") &&
				valid[1].Expiration == day("2019-04-30")
		default:
			right = len(i.Licenses) == 2 && len(valid) == 1 && valid[0].MaxLoc == 1_000_000 &&
				valid[0].Contract == "fleet" && valid[0].Expiration == day("2018-04-30")
		}
		if !right {
			w.Errorf("%s: got licenses of %s:\n%+v", now, i.ID, i.Licenses)
		}
	}
	for _, contract := range a.Contracts {
		if contract.ID == "fleet" && k.kind == request.Renewal {
			continue
		}
		if used := a.Use(contract.ID, today); used != (customer.Use{Production: k.production, Staging: k.staging}) {
			w.Errorf("%s: got use %+v of %+v", now, used, contract)
		}
		if list := a.Outstanding(contract.ID, today); len(list) > 0 {
			w.Errorf("%s: got %d instances without a key", now, len(list))
		}
		if contract.MaxLoc != 1_000_000 {
			w.Errorf("%s: got contract %+v", now, contract)
		}
		if contract.ID == "fleet" {
			continue
		}
		id, err := w.store.CustomerByReference(w.Context(), contract.Reference)
		if err != nil || id != a.Customer.ID {
			w.Errorf("%s: got customer %q of contract %s, %v", now, id, contract.Reference, err)
		}
	}
}

func TestEveryWrongFieldIsReported(t *testing.T) {
	w := newTestEnv(t)
	w.add(sold("l1"))
	other := func(f *Form) { f.To, f.Email = OtherAddress, "ada@acme.example" }
	for _, test := range []struct {
		change func(*Form)
		want   []string
	}{
		{func(f *Form) { *f = Form{} }, []string{"type", "serverId", "organization", "edition", "maxLoc", "notBefore",
			"expiration", "email", "id", "token", "customer"}},
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
		{func(f *Form) { other(f); f.Email = "ada@acme" }, []string{"email"}},
		{func(f *Form) { other(f); f.Name = strings.Repeat("x", 101) }, []string{"name"}},
		{func(f *Form) { f.To = "ada@acme.example" }, []string{"to"}},
		{func(f *Form) { f.AddContacts = []string{"ada@acme.example"} }, []string{"addContacts"}},
		{func(f *Form) { other(f); f.Email, f.AddDomain = "ada@gmail.com", "yes" }, []string{"addDomain"}},
		{func(f *Form) { f.Customer = "C-000000" }, []string{"customer"}},
		{func(f *Form) { f.Customer = "C-000000 or so" }, []string{"customer"}},
		{func(f *Form) { f.Instance = "none" }, []string{"instance"}},
		{func(f *Form) { f.Type, f.StagingCount = "STAGING", "1" }, []string{"type"}},
		{func(f *Form) { f.Contract = "" }, []string{"contract"}},
		{func(f *Form) { f.Contract = "under:none" }, []string{"contract"}},
		{func(f *Form) { f.Contract = "burn:" + w.account().Contracts[0].ID }, []string{"contract"}},
		{func(f *Form) { f.ProductionCount = "-1" }, []string{"productionCount"}},
		{func(f *Form) { f.StagingCount = "many" }, []string{"stagingCount"}},
		{func(f *Form) { f.Edition, f.Support = "developer", "" }, []string{"stagingCount"}},
		{func(f *Form) { f.ContractLast = "2019-04-29" }, []string{"contractLast"}},
		{func(f *Form) { f.ContractLast = "soon" }, []string{"contractLast"}},
		{func(f *Form) { f.Follow = []string{"l1"} }, []string{"follow"}},
		{func(f *Form) { f.Mute = []string{"l1"} }, []string{"mute"}},
		{func(f *Form) { f.ProductVersion = "9.9" }, []string{"productVersion"}},
		{func(f *Form) { f.ProductVersion, f.CustomPackage = "", "yes" }, []string{"productVersion"}},
		{func(f *Form) { f.ID = "../x" }, []string{"id"}},
		{func(f *Form) { f.Token = "../../../../../../../../x" }, []string{"token"}},
	} {
		source := Source{License: "l1", Kind: request.Renewal}
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
	now := sold("l1", func(l *license.License) { l.Edition = license.Developer })
	old := customer.LicenseOf(now)
	if got := differences(c, old, now); got != nil {
		t.Errorf("got %+v, want no differences", got)
	}
	now.Type, now.Server, now.Edition, now.MaxLoc = license.Evaluation, "BF41A1F2-"+prod, license.Enterprise, 1_000_000
	now.Languages, now.Support, now.Expiration = []string{"vb"}, false, day("2019-04-30")
	now.NotBefore = day("2017-05-02")
	want := []Difference{
		{"Type", "Production", "Evaluation", ""},
		{"Server ID", prod, "BF41A1F2-" + prod, "same data, new ID"},
		{"Edition", "Developer Edition", "Enterprise Edition", "larger"},
		{"Lines of code", "500'000", "1'000'000", "500'000 more"},
		{"Additional languages", "none", "VB6", ""},
		{"Support", "included", "not included", ""},
		{"Valid from", "01 May 2017", "02 May 2017", "1 day later"},
		{"Valid through", "30 Apr 2018", "30 Apr 2019", "365 days later"},
	}
	if got := differences(c, old, now); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

func TestDifferencesOfContracts(t *testing.T) {
	w := newTestEnv(t)
	w.fleet(1, 2)
	source := Source{License: "fleet00", Kind: request.Upgrade}
	f := w.begin(source)
	f.Edition, f.MaxLoc, f.StagingCount, f.ContractLast = "datacenter", "1000000", "3", "2018-05-01"
	d := w.draft(source, f)
	want := []Difference{
		{"Edition", "Enterprise Edition", "Data Center Edition", "larger"},
		{"Lines of code", "500'000", "1'000'000", "500'000 more"},
		{"Staging instances", "2", "3", ""},
		{"Last day", "30 Apr 2018", "01 May 2018", "1 day later"},
	}
	if got := d.ContractDifferences(d.Changes.Contracts[0]); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
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
		f.Name, f.Email = rapid.String().Draw(rt, "name"), "ada@acme.example"
		f.StagingCount = rapid.SampledFrom([]string{"0", "1"}).Draw(rt, "staging")
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
		want, _ := c.LicensePlugins(string(l.Edition), f.Languages)
		want = slices.Sorted(slices.Values(want))
		if !ok || read.Edition != f.Edition || !slices.Equal(slices.Sorted(slices.Values(read.Plugins)), want) ||
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
			if !slices.Equal(slices.Sorted(slices.Values(packed)), want) {
				rt.Fatalf("got package with %v, want %v as in the key", packed, want)
			}
		}
	})
	if issued == 0 {
		t.Error("got no accepted form")
	}
}
