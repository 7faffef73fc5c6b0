package site

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

// Stories of customers, each told through the console's own forms: what is typed, what the review says, and what is on
// record afterwards.

// story is a console in which a salesperson works.
type story struct{ *workshop }

func newStory(t *testing.T) story { return story{newWorkshop(t)} }

// asks files a request of the sample customer.
func (s story) asks(kind request.Kind, change func(*request.Details)) request.Request {
	s.t.Helper()
	d := sampleDetails
	d.Kind, d.Edition = kind, license.Enterprise
	if change != nil {
		change(&d)
	}
	r, _, err := storetest.FileRequest(s.t.Context(), s.store, d, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// reviews fills in the generator's form at an address and reviews it.
func (s story) reviews(path string, change ...func(url.Values)) *webtest.Answer {
	s.t.Helper()
	a := s.press(s.get(sam, path).WantStatus(200), "Review", change...)
	if a.StatusCode != 200 {
		s.t.Fatalf("%s: got %d\n%s", path, a.StatusCode, webtest.Text(a.Page().Find("main")))
	}
	return a
}

// issues fills in the generator's form at an address, and confirms and issues what the review says.
func (s story) issues(path string, change ...func(url.Values)) license.License {
	s.t.Helper()
	review := s.reviews(path, change...)
	return s.issued(s.press(review, "Issue and send", confirm(review)))
}

func issueFor(r request.Request) string { return "/console/requests/" + r.ID + "/issue" }

func renew(l license.License) string { return "/console/licenses/" + l.ID + "/renew" }

// warnings are the codes of the warnings of a review.
func warnings(a *webtest.Answer) []string {
	return a.Page().Find("#warnings input").Map(func(_ int, s *goquery.Selection) string {
		return s.AttrOr("value", "")
	})
}

// of reads the account of a license's customer.
func (s story) of(l license.License) *customer.Account {
	s.t.Helper()
	a, err := s.store.Account(s.t.Context(), l.Customer)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s story) license(id string) license.License {
	s.t.Helper()
	r, err := s.store.License(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.License
}

// wantOne fails unless the account has so many contracts and instances.
func (s story) wantParts(a *customer.Account, contracts, instances int) {
	s.t.Helper()
	if len(a.Contracts) != contracts || len(a.Instances) != instances {
		s.t.Errorf("got %d contracts and %d instances, want %d and %d: %+v", len(a.Contracts), len(a.Instances),
			contracts, instances, a)
	}
}

const (
	production1 = "AWHW8w9JtzBzSrmf9GQX"
	production2 = "AWHW8w9JtzBzSrmf9GQY"
	staging1    = "BWHW8w9JtzBzSrmf9GQ1"
	staging2    = "BWHW8w9JtzBzSrmf9GQ2"
	staging3    = "BWHW8w9JtzBzSrmf9GQ3"
)

func TestEvaluationBecomesProduction(t *testing.T) {
	s := newStory(t)
	trial := s.issues(issueFor(s.asks(request.Evaluation, nil)))
	if a := s.of(trial); trial.Type != license.Evaluation || trial.Contract != "" {
		t.Errorf("got %s under %q of %+v, want an evaluation without a contract", trial.Type, trial.Contract, a)
	}
	s.advance(10 * 24 * 3600e9)
	bought := s.issues(issueFor(s.asks(request.Renewal, nil)))
	a := s.of(bought)
	s.wantParts(a, 1, 1)
	if bought.Type != license.Production || bought.Instance != trial.Instance || bought.Customer != trial.Customer {
		t.Errorf("got %+v, want production of the same instance", bought)
	}
	if got := s.license(trial.ID).Successor; got != bought.ID {
		t.Errorf("got the evaluation followed by %q, want %q", got, bought.ID)
	}
	if k := a.Contracts[0]; k.Edition != license.Enterprise || k.Production != 1 || k.Staging != 1 ||
		k.Last != bought.Expiration {
		t.Errorf("got contract %+v, want one of what was chosen", k)
	}
}

// sells puts two production and three staging instances under one contract on record, by five issues.
func (s story) sells() (first license.License) {
	s.t.Helper()
	first = s.issues(issueFor(s.asks(request.New, nil)), set("productionCount", "2"), set("stagingCount", "3"))
	a := s.of(first)
	path := "/console/customers/" + string(a.Customer.Reference) + "/issue?contract=" + string(a.Contracts[0].Reference)
	s.issues(path, set("serverId", production2), set("instance", ""))
	for i, server := range []string{staging1, staging2, staging3} {
		production := a.Instances[0].ID
		if i == 2 {
			for _, other := range s.of(first).Instances {
				if other.Server() == production2 {
					production = other.ID
				}
			}
		}
		s.issues(path, set("serverId", server), set("instance", ""), set("type", string(license.Staging)),
			set("production", production), set("follow"))
	}
	s.wantParts(s.of(first), 1, 5)
	return first
}

func TestRenewalOfTwoProductionAndThreeStaging(t *testing.T) {
	s := newStory(t)
	first := s.sells()
	s.advance(330 * 24 * 3600e9)
	review := s.reviews(renew(first))
	renewed := s.issued(s.press(review, "Issue and send", confirm(review)))
	a := s.of(renewed)
	s.wantParts(a, 2, 5)
	today := license.DateOf(*s.now)
	if use := a.Use(renewed.Contract, today); use != (customer.Use{Production: 2, Staging: 3}) {
		t.Errorf("got use %+v of the renewal, want 2 and 3", use)
	}
	for _, i := range a.Instances {
		if n := len(i.Licenses); n != 2 || i.Licenses[0].Successor != i.Licenses[1].ID ||
			i.Licenses[1].Expiration != first.Expiration.AddMonths(12) {
			t.Errorf("got licenses %+v of %s, want one that renews the other", i.Licenses, i.Server())
		}
		if !strings.Contains(webtest.Text(review.Page().Find("main")), string(i.Server())) {
			t.Errorf("the review does not show the difference for %s", i.Server())
		}
	}
	if k := a.Contract(renewed.Contract); k.Renews != first.Contract || k.Production != 2 || k.Staging != 3 {
		t.Errorf("got contract %+v, want one that renews %s with the same counts", k, first.Contract)
	}
}

func TestServerIDMovedChangedAndMovedBack(t *testing.T) {
	s := newStory(t)
	license1 := s.issues(issueFor(s.asks(request.New, nil)), set("stagingCount", "1"))
	a := s.of(license1)
	s.issues("/console/customers/"+string(a.Customer.Reference)+"/issue?contract="+string(a.Contracts[0].Reference),
		set("serverId", staging1), set("instance", ""), set("type", string(license.Staging)),
		set("production", license1.Instance))
	last := license1
	for _, id := range []license.Server{"4A6F8E2B-" + production1, "5B7F9D3C-" + production1, production1} {
		s.advance(24 * 3600e9)
		r := s.asks(request.Replacement, func(d *request.Details) {
			d.Server, d.Replaces, d.OldServer = id, string(last.Server), request.OldStopped
			d.Environment = request.ProductionUse
		})
		moved := s.issues(issueFor(r))
		if moved.Instance != license1.Instance || moved.Server != id || moved.Contract != license1.Contract ||
			moved.Expiration != license1.Expiration {
			t.Errorf("%s: got %+v, want the same instance and terms", id, moved)
		}
		if old := s.license(last.ID); old.ReplacedBy != moved.ID {
			t.Errorf("%s: got the license before replaced by %q, want %q", id, old.ReplacedBy, moved.ID)
		}
		last = moved
	}
	a = s.of(last)
	s.wantParts(a, 1, 2)
	production := a.Instance(license1.Instance)
	if production.Server() != production1 || len(production.Servers) != 4 {
		t.Errorf("got servers %+v, want four, the first one current again", production.Servers)
	}
	if staging := a.StagingOf(license1.Instance); len(staging) != 1 {
		t.Errorf("got staging %+v, want the one instance as before", staging)
	}
	if use := a.Use(license1.Contract, license.DateOf(*s.now)); use != (customer.Use{Production: 1, Staging: 1}) {
		t.Errorf("got use %+v, want one of each", use)
	}
}

func TestStagingRefreshedFromProduction(t *testing.T) {
	for name, id := range map[string]license.Server{
		"other database address": "5B7F9D3C-" + production1, "equal database address": production1,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			production := s.issues(issueFor(s.asks(request.New, nil)))
			r := s.asks(request.Staging, func(d *request.Details) { d.Server, d.Replaces = staging1, production1 })
			first := s.issues(issueFor(r))
			refreshed := s.asks(request.Replacement, func(d *request.Details) {
				d.Server, d.Replaces, d.OldServer = id, staging1, request.OldLost
				d.Environment = request.StagingUse
			})
			review := s.reviews(issueFor(refreshed))
			if got := slices.Contains(warnings(review), "production-id"); got != (id == production1) {
				t.Errorf("got the warning about production's ID: %v", got)
			}
			l := s.issued(s.press(review, "Issue and send", confirm(review)))
			if l.Instance != first.Instance || l.Type != license.Staging || l.Server != id {
				t.Errorf("got %+v, want the staging instance with the new ID", l)
			}
			if p := s.license(production.ID); !p.Revoked.IsZero() || p.Successor != "" {
				t.Errorf("got production %+v, want it untouched", p)
			}
			s.wantParts(s.of(l), 1, 2)
		})
	}
}

func TestResellerBuysForAnEndCustomer(t *testing.T) {
	s := newStory(t)
	r := s.asks(request.New, func(d *request.Details) {
		d.Name, d.Email, d.Company = "Rita Reseller", "rita@reseller.example", "End Customer AG"
		d.Contacts = []string{"it@end-customer.example"}
	})
	l := s.issues(issueFor(r), set("addContacts", "it@end-customer.example"))
	c := s.of(l).Customer
	if c.Name != "End Customer AG" || len(c.Contacts) != 2 || c.Contacts[0].Email != "rita@reseller.example" {
		t.Errorf("got customer %+v, want the end customer with both contacts", c)
	}
	if len(c.Domains) != 0 {
		t.Errorf("got domains %q, want none that nobody ticked", c.Domains)
	}
}

func TestMoreLinesOfCodeInTheMiddle(t *testing.T) {
	s := newStory(t)
	first := s.sells()
	s.advance(300 * 24 * 3600e9)
	ahead := s.issues(renew(first), set("notBefore", first.Expiration.AddDays(1).String()))
	s.advance(24 * 3600e9)
	larger := strconv.FormatInt(first.MaxLoc*2, 10)
	l := s.issues(issueFor(s.asks(request.Upgrade, nil)), set("maxLoc", larger))
	a := s.of(l)
	s.wantParts(a, 2, 5)
	for _, i := range a.Instances {
		revoked := func(l customer.License) bool { return !l.Revoked.IsZero() }
		valid := slices.DeleteFunc(slices.Clone(i.Licenses), revoked)
		if len(i.Licenses) != 4 || len(valid) != 2 || valid[0].MaxLoc != l.MaxLoc || valid[1].MaxLoc != l.MaxLoc ||
			valid[0].Expiration != first.Expiration || valid[1].Expiration != ahead.Expiration ||
			valid[0].Successor != valid[1].ID {
			t.Errorf("got licenses %+v of %s, want both terms with more lines", i.Licenses, i.Server())
		}
	}
	for _, k := range a.Contracts {
		if k.MaxLoc != l.MaxLoc {
			t.Errorf("got contract %+v, want %d lines", k, l.MaxLoc)
		}
	}
}

func TestSmallerEditionAtRenewal(t *testing.T) {
	s := newStory(t)
	first := s.sells()
	s.advance(330 * 24 * 3600e9)
	review := s.reviews(renew(first), set("edition", string(license.Developer)), set("support"),
		set("stagingCount", "0"), func(v url.Values) {
			var production []string
			for _, id := range v["follow"] {
				if s.of(first).Instance(id).Environment == request.ProductionUse {
					production = append(production, id)
				}
			}
			v["follow"] = production
		})
	for _, code := range []string{"smaller-edition", "staging-retired"} {
		if !slices.Contains(warnings(review), code) {
			t.Errorf("got warnings %q, want %s", warnings(review), code)
		}
	}
	l := s.issued(s.press(review, "Issue and send", confirm(review)))
	if l.NotBefore != first.Expiration.AddDays(1) {
		t.Errorf("got the first day %s, want the day after %s", l.NotBefore, first.Expiration)
	}
	for _, i := range s.of(l).Instances {
		if staging := i.Environment == request.StagingUse; i.InUse() == staging {
			t.Errorf("got %s in use: %v, want staging retired", i.Server(), i.InUse())
		}
		if i.Environment == request.ProductionUse && i.Licenses[1].NotBefore != first.Expiration.AddDays(1) {
			t.Errorf("got licenses %+v, want each to begin the day after", i.Licenses)
		}
	}
}

func TestSameCompanyInTwoSpellings(t *testing.T) {
	s := newStory(t)
	first := s.issues(issueFor(s.asks(request.New, func(d *request.Details) { d.Company = "Müller & Söhne GmbH" })))
	r := s.asks(request.New, func(d *request.Details) {
		d.Company, d.Server, d.Email = "MUELLER UND SOEHNE", production2, "it@mueller.example"
	})
	option := s.get(sam, issueFor(r)).WantStatus(200).Page().Find(`[name="customer"]`).Parent()
	if !strings.Contains(webtest.Text(option), "Müller & Söhne GmbH") {
		t.Fatalf("got %q, want the customer of the other spelling offered", webtest.Text(option))
	}
	chosen := s.press(s.get(sam, issueFor(r)), "Update", set("customer", first.Customer)).WantStatus(200)
	review := s.press(chosen, "Review").WantStatus(200)
	second := s.issued(s.press(review, "Issue and send", confirm(review)))
	if second.Customer != first.Customer || second.Instance == first.Instance {
		t.Errorf("got %+v, want a second instance of the same customer", second)
	}
}

func TestImportedLicenseWithoutKeyTextIsIssuedAnew(t *testing.T) {
	s := newStory(t)
	imported := sampleLicense("", license.DateOf(start).AddMonths(9))
	imported.KeyText, imported.Plugins, imported.Issued, imported.MaxLoc = "", nil, license.Date{}, 250_000
	old := storetest.Record(t, s.store.Store, imported, license.Contact{Email: sampleDetails.Email}).License
	r := s.asks(request.Replacement, func(d *request.Details) {
		d.Replaces, d.OldServer, d.Environment = production1, request.OldSame, request.ProductionUse
		d.Edition = license.Developer
	})
	l := s.issues(issueFor(r))
	if l.Instance != old.Instance || l.Edition != old.Edition || l.MaxLoc != old.MaxLoc ||
		l.Expiration != old.Expiration || l.Contract != old.Contract {
		t.Errorf("got %+v, want the same terms for the same instance", l)
	}
	if got := s.license(old.ID); got.ReplacedBy != l.ID {
		t.Errorf("got the old license replaced by %q, want %q", got.ReplacedBy, l.ID)
	}
}

func TestReplacementByAnIDAsItWasPasted(t *testing.T) {
	s := newStory(t)
	old := s.issues(issueFor(s.asks(request.New, nil)))
	asks := func(replaces string) string {
		return issueFor(s.asks(request.Replacement, func(d *request.Details) {
			d.Server, d.Replaces, d.OldServer, d.Environment = production2, replaces, request.OldLost,
				request.ProductionUse
		}))
	}
	nothing := s.reviews(asks("license 0000."))
	read := webtest.Text(nothing.Page().Find("main"))
	if got := warnings(nothing); !slices.Equal(got, []string{"replaces-nothing"}) ||
		!strings.Contains(read, "Nothing is replaced.") || strings.Contains(read, "No earlier license") {
		t.Errorf("got warnings %v of a license that is not on record, and %q", got, read)
	}
	review := s.reviews(asks("“License ID: " + strings.ToUpper(old.ID) + ".”"))
	if got := warnings(review); len(got) > 0 {
		t.Errorf("got warnings %v of an ID with a full stop, want none", got)
	}
	next := s.issued(s.press(review, "Issue and send"))
	if got := s.license(old.ID); got.ReplacedBy != next.ID || next.Instance != old.Instance {
		t.Errorf("got the old license replaced by %q, want %q for the same instance", got.ReplacedBy, next.ID)
	}
}

func TestThreeYearContractWithYearlyKeys(t *testing.T) {
	s := newStory(t)
	last := license.DateOf(start).AddMonths(36).AddDays(-1)
	l := s.issues(issueFor(s.asks(request.New, nil)), set("contractLast", last.String()))
	for year := 2; year <= 3; year++ {
		s.advance(360 * 24 * 3600e9)
		next := s.issues(renew(l))
		if next.Contract != l.Contract || next.Instance != l.Instance {
			t.Errorf("year %d: got %+v, want the next key under the same contract", year, next)
		}
		if year == 3 && next.Expiration != last {
			t.Errorf("got the last key through %s, want the contract's last day %s", next.Expiration, last)
		}
		l = next
	}
	s.wantParts(s.of(l), 1, 1)
}

func TestLostKeyIsResentAndTheRequestClosed(t *testing.T) {
	s := newStory(t)
	l := s.issues(issueFor(s.asks(request.New, nil)))
	r := s.asks(request.Replacement, func(d *request.Details) {
		d.Replaces, d.OldServer, d.Environment = production1, request.OldSame, request.ProductionUse
	})
	page := s.get(sam, "/console/requests/"+r.ID).WantStatus(200).Page()
	form := page.Find("form").FilterFunction(func(_ int, f *goquery.Selection) bool {
		return strings.Contains(webtest.Text(f.Find("button")), "Resend the key and close")
	})
	if form.Length() != 1 {
		t.Fatalf("got no button to resend the key\n%s", webtest.Text(page.Find("main")))
	}
	for range 2 { // a double click sends one key
		s.send(sam, form.AttrOr("action", ""), filledIn(form))
	}
	after, err := s.store.Request(t.Context(), r.ID)
	if err != nil || after.State != request.Answered || after.Customer != l.Customer || after.Instance != l.Instance {
		t.Errorf("got request %+v, %v, want it answered", after, err)
	}
	if got := s.license(l.ID); !got.Revoked.IsZero() {
		t.Errorf("got %+v, want nothing revoked", got)
	}
	s.wantParts(s.of(l), 1, 1)
	mails, err := s.store.MailsAbout(t.Context(), l.ID, 10)
	if err != nil || len(mails) != 2 {
		t.Errorf("got %d mails about the license, %v, want the key and the key again", len(mails), err)
	}
}

// clicks submits the form of a page's button, as it is filled in and as change says, and follows where it leads.
func (s story) clicks(path, button string, change ...func(url.Values)) *webtest.Answer {
	s.t.Helper()
	return s.clicksAs(sam, path, button, change...)
}

// clicksAs does the same as somebody.
func (s story) clicksAs(who, path, button string, change ...func(url.Values)) *webtest.Answer {
	s.t.Helper()
	page := s.get(who, path).WantStatus(200).Page()
	form := page.Find("main form").FilterFunction(func(_ int, f *goquery.Selection) bool {
		text := func(_ int, b *goquery.Selection) string { return webtest.Text(b) }
		return slices.Contains(f.Find("button").Map(text), button)
	}).First()
	if form.Length() != 1 {
		s.t.Fatalf("%s: got no button %q\n%s", path, button, webtest.Text(page.Find("main")))
	}
	values := filledIn(form)
	for _, c := range change {
		c(values)
	}
	action := form.AttrOr("action", path)
	if form.AttrOr("method", "get") == "get" {
		return s.get(who, action+"?"+values.Encode()).WantStatus(200)
	}
	a := s.send(who, action, values)
	if a.StatusCode != 303 {
		s.t.Fatalf("%s: %q answered %d\n%s", path, button, a.StatusCode, webtest.Text(a.Page().Find("main")))
	}
	return s.get(who, a.Header.Get("Location")).WantStatus(200)
}

func pageOf(a *customer.Account) string { return "/console/customers/" + string(a.Customer.Reference) }

// buys issues a first license to another company.
func (s story) buys(company, email string, server license.Server) license.License {
	s.t.Helper()
	return s.issues(issueFor(s.asks(request.New, func(d *request.Details) {
		d.Company, d.Email, d.Server, d.Contacts = company, email, server, nil
	})))
}

func TestAcquisitionIsMergedAndUndone(t *testing.T) {
	s := newStory(t)
	big := s.buys("Big Corporation", "ann@big.example", production1)
	small := s.buys("Small Ltd", "sue@small.example", production2)
	into := s.of(big)
	s.clicksAs(ada, pageOf(s.of(small))+"/merge?into="+string(into.Customer.Reference), "Merge")
	both := s.of(small)
	s.wantParts(both, 2, 2)
	if both.Customer.ID != big.Customer || len(both.Merged) != 1 {
		t.Errorf("got account %+v, want Big Corporation's with Small Ltd", both.Customer)
	}
	s.get(sam, "/console/customers/"+string(both.Merged[0].Reference)).WantRedirect(pageOf(both))
	page := s.get(sam, "/console/licenses/"+small.ID).WantStatus(200).Page()
	to := page.Find("#to option").Map(func(_ int, o *goquery.Selection) string { return o.AttrOr("value", "") })
	if want := []string{"sue@small.example", "ann@big.example"}; !slices.Equal(to, want) {
		t.Errorf("got the key offered to %q, want %q, as it can be sent", to, want)
	}
	s.advance(300 * 24 * 3600e9)
	renewed := s.issues(renew(small)) // a contract of either can be renewed
	if renewed.Instance != small.Instance || s.license(small.ID).Successor != renewed.ID {
		t.Errorf("got %+v, want a renewal of the merged customer's license", renewed)
	}
	s.clicksAs(ada, pageOf(both), "Undo the merge of Small Ltd")
	apart := s.of(small)
	if apart.Customer.ID != small.Customer || len(s.of(big).Merged) != 0 {
		t.Errorf("got account %+v, want Small Ltd's own again", apart.Customer)
	}
}

func TestHandoverByAnOutsourcer(t *testing.T) {
	s := newStory(t)
	run := s.buys("Outsourcer Inc", "ops@outsourcer.example", production1)
	own := s.buys("Bank AG", "it@bank.example", production2)
	from, to := s.of(run), s.of(own)
	page := pageOf(from) + "/instances/" + run.Instance + "/move?to=" + string(to.Customer.Reference)
	s.clicks(page, "Move", set("contract"))
	moved := s.license(run.ID)
	if moved.Customer != own.Customer || moved.Instance != run.Instance || moved.KeyText != run.KeyText {
		t.Errorf("got %+v, want the same license at the bank", moved)
	}
	s.wantParts(s.of(own), 1, 2)
	contacts, err := s.store.Contacts(t.Context(), moved, customer.Renewals)
	if err != nil || len(contacts) != 1 || contacts[0].Email != "it@bank.example" {
		t.Errorf("got contacts %v, %v, want the bank's", contacts, err)
	}
	s.clicks(pageOf(s.of(own))+"/instances/"+run.Instance+"/move-back", "Move back")
	if back := s.license(run.ID); back.Customer != run.Customer || back.Contract != run.Contract {
		t.Errorf("got %+v, want it where it was", back)
	}
}

func TestUnpaidAndPaidAgain(t *testing.T) {
	s := newStory(t)
	l := s.issues(issueFor(s.asks(request.New, nil)))
	a := s.of(l)
	contract := pageOf(a) + "/contracts/" + string(a.Contracts[0].Reference)
	s.clicks(contract+"/end", "End contract", set("reason", "unpaid"))
	page := s.get(sam, pageOf(a)).WantStatus(200).Page()
	if text := webtest.Text(page.Find("main")); !strings.Contains(text, "unpaid") {
		t.Errorf("got a page without the reason: %s", text)
	}
	moved := s.asks(request.Replacement, func(d *request.Details) {
		d.Server, d.Replaces, d.Environment, d.OldServer = production2, production1, request.ProductionUse,
			request.OldStopped
	})
	review := s.reviews(issueFor(moved))
	if !slices.Contains(warnings(review), "contract-ended") {
		t.Errorf("got warnings %q, want that the contract was ended", warnings(review))
	}
	s.press(review, "Issue and send").WantStatus(422)
	s.clicks(pageOf(a), "Reopen "+string(a.Contracts[0].Reference))
	review = s.reviews(issueFor(moved))
	if slices.Contains(warnings(review), "contract-ended") {
		t.Errorf("got warnings %q, want none about the contract", warnings(review))
	}
}
