package site

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web/webtest"
)

// Customers of the tests.
const (
	acmeRef  = "/console/customers/C-ACME00"
	otherRef = "/console/customers/C-0THER0"
)

func (w *testEnv) put(i store.Issue) {
	w.t.Helper()
	i.By, i.Imported = emails[ada], true
	if err := w.store.IssueLicenses(w.t.Context(), i); err != nil {
		w.t.Fatal(err)
	}
}

// acme puts a customer on record that has a bit of everything: a contract in effect with production and staging, one
// that renews it, an old one, an evaluation, a moved server and two contacts; and another customer with one instance.
func (w *testEnv) acme() {
	w.t.Helper()
	for _, who := range []string{sam, lucia, ada} {
		if err := w.store.RecordSignIn(w.t.Context(), emails[who], who, "sales"); err != nil {
			w.t.Fatal(err)
		}
	}
	id := func(name string) string { return "01acme" + name }
	instance := func(name string, e request.Environment, production string,
		servers ...license.Server) customer.Instance {
		i := customer.Instance{ID: id(name), Customer: id("c"), Environment: e, Created: start, ProductVersion: "6.7.1",
			Loc: 120_000, Told: start}
		if production != "" {
			i.Production = id(production)
		}
		for _, s := range servers {
			i.Servers = append(i.Servers, customer.ServerID{Server: s, Told: start})
		}
		return i
	}
	terms := customer.Terms{Edition: license.Enterprise, MaxLoc: 1_000_000, Languages: []string{"cobol"}, Support: true}
	contract := func(name, ref string, first, last license.Date, renews string) customer.Contract {
		k := customer.Contract{ID: id(name), Customer: id("c"), Reference: reference.Reference(ref), Terms: terms,
			Production: 2, Staging: 1, First: first, Last: last, Created: start}
		if renews != "" {
			k.Renews = id(renews)
		}
		return k
	}
	lic := func(name, of, k string, t license.Type, server license.Server, from, to license.Date) license.License {
		l := license.License{ID: id(name), Type: t, Organization: "Acme AG", Customer: id("c"), Instance: id(of),
			Server: server, Edition: terms.Edition, MaxLoc: terms.MaxLoc, Languages: terms.Languages, Support: true,
			NotBefore: from, Expiration: to, KeyText: strings.Repeat("Rm9ybWF0PTEK", 60)}
		if k != "" {
			l.Contract = id(k)
		}
		return l
	}
	first, last := day("2017-04-01"), day("2018-03-31")
	w.put(store.Issue{
		Customer: &customer.Customer{
			ID: id("c"), Reference: "C-ACME00", Name: "Acme AG", FormerNames: []string{"Akme AG"},
			Domains: []string{"acme.example"}, Owner: emails[sam],
			Outside: []customer.Outside{{System: "CRM", ID: "4711"}}, Notes: "Pays late.", Created: start,
			Contacts: []customer.Contact{
				{Name: "Ana Acme", Email: "ana@acme.example", Since: start, AddedBy: emails[sam],
					VouchedBy: emails[ada]},
				{Email: "ops@reseller.example", Partner: "Reseller Ltd", For: []customer.Purpose{customer.Renewals},
					Instances: []string{id("i1")}, Since: start, AddedBy: "import", VouchedBy: "import"},
			},
		},
		Contracts: []customer.Contract{
			contract("k0", "K-000000", day("2016-04-01"), day("2017-03-31"), ""),
			contract("k1", "K-111111", first, last, "k0"),
			contract("k2", "K-222222", last.AddDays(1), last.AddMonths(12), "k1"),
		},
		Instances: []customer.Instance{
			instance("i1", request.ProductionUse, "", "AWacme-prod-old-00000", "AWacmeprod0000000001"),
			instance("i2", request.StagingUse, "i1", "AWacmestag0000000002"),
			instance("i3", request.ProductionUse, "", "AWacmeeval0000000003"),
			instance("i4", request.ProductionUse, "", "AWacmeretd0000000004"),
		},
		Licenses: []license.License{
			lic("l1", "i1", "k1", license.Production, "AWacmeprod0000000001", first, last),
			lic("l1b", "i1", "k2", license.Production, "AWacmeprod0000000001", last.AddDays(1), last.AddMonths(12)),
			lic("l2", "i2", "k1", license.Staging, "AWacmestag0000000002", first, last),
			lic("l3", "i3", "", license.Evaluation, "AWacmeeval0000000003", day("2018-03-01"), day("2018-04-01")),
			lic("l4", "i4", "k1", license.Production, "AWacmeretd0000000004", first, last),
		},
	})
	w.put(store.Issue{
		Customer: &customer.Customer{ID: "01otherc", Reference: "C-0THER0", Name: "Acme Holding", Created: start,
			Contacts: []customer.Contact{{Name: "Olga Other", Email: "olga@other.example", Since: start}}},
		Contracts: []customer.Contract{{ID: "01otherk", Customer: "01otherc", Reference: "K-333333", Terms: terms,
			Production: 5, Staging: 5, First: first, Last: last.AddMonths(12), Created: start}},
		Instances: []customer.Instance{{ID: "01otheri", Customer: "01otherc", Environment: request.ProductionUse,
			Servers: []customer.ServerID{{Server: "AWother0000000000001", Told: start}}, Created: start}},
		Licenses: []license.License{{ID: "01otherl", Type: license.Production, Organization: "Acme Holding",
			Customer: "01otherc", Instance: "01otheri", Contract: "01otherk", Server: "AWother0000000000001",
			Edition: license.Enterprise, MaxLoc: 1_000_000, NotBefore: first, Expiration: last.AddMonths(12)}},
	})
	w.send(sam, acmeRef+"/instances/01acmei4/retire", w.shown(acmeRef)).WantStatus(http.StatusSeeOther)
}

// shown returns the snapshot of a page's first form.
func (w *testEnv) shown(page string) url.Values { return w.snapshot(page) }

// added adds values to a form.
func added(form url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form
}

// filledForm returns what the form of a page would send, as the page shows it to sales.
func (w *testEnv) filledForm(page, form string) url.Values { return w.filledFormOf(sam, page, form) }

// filledFormOf returns the same as the page shows it to somebody.
func (w *testEnv) filledFormOf(who, page, form string) url.Values {
	w.t.Helper()
	return valuesOf(w.get(who, page).WantStatus(200).Page().Find(form).First())
}

func valuesOf(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input[name], textarea[name], select[name]").Each(func(_ int, s *goquery.Selection) {
		name, _ := s.Attr("name")
		_, checked := s.Attr("checked")
		switch kind := s.AttrOr("type", ""); {
		case (kind == "checkbox" || kind == "radio") && !checked:
		case goquery.NodeName(s) == "textarea":
			values.Add(name, strings.TrimPrefix(s.Text(), "\n"))
		case goquery.NodeName(s) == "select":
			option := s.Find("option[selected]")
			if option.Length() == 0 {
				option = s.Find("option").First()
			}
			values.Add(name, option.AttrOr("value", ""))
		default:
			values.Add(name, s.AttrOr("value", ""))
		}
	})
	return values
}

func (w *testEnv) account(ref reference.Reference) *customer.Account {
	w.t.Helper()
	id, err := w.store.CustomerByReference(w.t.Context(), ref)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := w.store.Account(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// follow opens the page that an answer leads to, and returns its text.
func (w *testEnv) follow(a *webtest.Answer) *goquery.Document {
	w.t.Helper()
	return w.get(sam, a.WantStatus(http.StatusSeeOther).Header.Get("Location")).WantStatus(200).Page()
}

func text(doc *goquery.Document) string { return webtest.Text(doc.Find("main")) }

func wantTexts(t testing.TB, got string, want ...string) {
	t.Helper()
	for _, part := range want {
		if !strings.Contains(got, part) {
			t.Errorf("got a page without %q:\n%s", part, got)
		}
	}
}

func TestCustomerPageShowsEverything(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	doc := w.get(sam, acmeRef).WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	page := text(doc)
	wantTexts(t, page, "Acme AG", "C-ACME00", "Akme AG", "acme.example", "CRM: 4711", "Pays late.", "Sam Okoye",
		"3 instances in use, 1 retired")
	current := webtest.Text(doc.Find("#K-111111"))
	wantTexts(t, current, "Contract K-111111 Active, renewed", "Enterprise Edition, up to 1'000'000 lines of code",
		"with COBOL", "with support", "01 Apr 2017 to 31 Mar 2018", "Used by 1 of 2 production and 1 of 1 staging",
		"Renews K-000000", "Renewed by K-222222", "AWacmeprod0000000001 earlier AWacme-prod-old-00000",
		"renewed through 31 Mar 2019", "6.7.1, 120'000 lines")
	rows := doc.Find("#K-111111 tbody tr").Map(func(_ int, s *goquery.Selection) string { return webtest.Text(s) })
	if len(rows) != 2 || !strings.Contains(rows[1], "AWacmestag0000000002") ||
		!doc.Find("#K-111111 tbody tr").Eq(1).HasClass("follows") {
		t.Errorf("got rows %q, want production and its staging under it", rows)
	}
	wantTexts(t, webtest.Text(doc.Find("#K-222222")), "Begins 01 Apr 2018", "Issue missing keys: 1 of 2",
		"No instance has its current license under this contract.")
	wantTexts(t, webtest.Text(doc.Find("#without")), "AWacmeeval0000000003", "Evaluation, Enterprise")
	wantTexts(t, webtest.Text(doc.Find("#retired")), "AWacmeretd0000000004", "Retired")
	wantTexts(t, webtest.Text(doc.Find("details.past").Last()), "Past contracts (1)", "K-000000", "Expired, renewed")
	contacts := doc.Find(".contacts tbody tr")
	wantTexts(t, webtest.Text(contacts.Eq(0)), "Ana Acme", "ana@acme.example", "License keys and renewals", "All",
		"added by Sam Okoye")
	wantTexts(t, webtest.Text(contacts.Eq(1)), "ops@reseller.example", "works for Reseller Ltd", "Renewals",
		"Production AWac…0001", "added by import")
	timeline := webtest.Text(doc.Find(".timeline"))
	wantTexts(t, timeline, "Production AWac…0004 retired", "Sam Okoye", "Production license for AWac…0001",
		"recorded")
	if strings.Contains(timeline, "01acme") {
		t.Errorf("got a timeline with IDs: %s", timeline)
	}
}

func TestEveryReferenceLeadsToTheCustomer(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	for at, to := range map[string]string{
		"c-acme00": acmeRef, "CACME00": acmeRef, "“C-ACMEOO”.": acmeRef, "01acmec": acmeRef, "01ACMEC": acmeRef,
		"K-111111": acmeRef + "?contract=K-111111#K-111111", "k 111111": acmeRef + "?contract=K-111111#K-111111",
	} {
		w.get(vera, customersPath+"/"+url.PathEscape(at)).WantRedirect(to)
	}
	w.get(vera, acmeRef+"?contract=K-000000").WantStatus(200)
	for _, at := range []string{"C-ZZZZZZ", "K-ZZZZZZ", "R-000000", "zzz", "%00", strings.Repeat("x", 3000)} {
		w.get(vera, customersPath+"/"+at).WantStatus(http.StatusNotFound)
	}
}

func TestCustomersAreListedByName(t *testing.T) {
	w := newTestEnv(t)
	for i := range 120 {
		name := fmt.Sprintf("Company %03d", i)
		w.put(store.Issue{Customer: &customer.Customer{ID: fmt.Sprintf("01c%03d", i), Name: name, Created: start,
			Reference: reference.Reference(fmt.Sprintf("C-000%03d", i))}})
	}
	var names []string
	at := customersPath
	for range 3 {
		doc := w.get(vera, at).WantStatus(200).Page()
		names = append(names, doc.Find("tbody th").Map(func(_ int, s *goquery.Selection) string { return s.Text() })...)
		at = doc.Find("a[rel=next]").AttrOr("href", "")
	}
	if len(names) != 120 || !slices.IsSorted(names) || at != "" {
		t.Errorf("got %d names, sorted %v, then %q", len(names), slices.IsSorted(names), at)
	}
	if first := w.get(vera, customersPath+"?from=company+07").Page().Find("tbody th").First().Text(); first !=
		"Company 070" {
		t.Errorf("got %q first, want Company 070", first)
	}
	wantTexts(t, text(w.get(vera, customersPath+"?from=zzz").Page()), "No customer's name comes after this")
}

func TestEditingACustomerKeepsTheFormerName(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	form := w.filledForm(acmeRef+"/edit", "form.sheet")
	form.Set("name", "Acme SE")
	form.Set("domains", "acme.example\n@Acme.Example, acme-se.example")
	form.Set("outside", "CRM: 4711\nPO: 12:34")
	form.Set("owner", emails[lucia])
	page := text(w.follow(w.send(sam, acmeRef+"/edit", form)))
	wantTexts(t, page, "Customer saved.", "Akme AG, Acme AG", "acme.example, acme-se.example", "PO: 12:34",
		"Name: Acme AG Acme SE", "Owner: Sam Okoye")
	c := w.account("C-ACME00").Customer
	if c.Name != "Acme SE" || c.Owner != emails[lucia] || len(c.Domains) != 2 || len(c.Contacts) != 2 {
		t.Errorf("got %+v", c)
	}
	// The same form sent again is done, and the name back again is no former name.
	w.send(sam, acmeRef+"/edit", form).WantRedirect(acmeRef + "?done=edit")
	form = w.filledForm(acmeRef+"/edit", "form.sheet")
	form.Set("name", "Acme AG")
	w.send(sam, acmeRef+"/edit", form).WantStatus(http.StatusSeeOther)
	if c = w.account("C-ACME00").Customer; !slices.Equal(c.FormerNames, []string{"Akme AG", "Acme SE"}) {
		t.Errorf("got former names %q", c.FormerNames)
	}
}

func TestWrongCustomerFieldsAreMarkedAndKept(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	form := w.filledForm(acmeRef+"/edit", "form.sheet")
	form.Set("name", " ")
	form.Set("domains", "gmail.com")
	form.Set("outside", "no colon")
	doc := w.send(sam, acmeRef+"/edit", form).WantStatus(http.StatusUnprocessableEntity).Page()
	webtest.CheckPage(t, doc)
	wantTexts(t, text(doc), "Enter the customer's name.", "public mail provider", "Enter both the system")
	if got := doc.Find("#domains").Text(); !strings.Contains(got, "gmail.com") {
		t.Errorf("got domains %q, want what was typed", got)
	}
}

func TestSecondPersonIsToldAndOverwritesNothing(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	ana := mail.RecipientID("ana@acme.example")
	stale := w.filledForm(acmeRef+"/edit", "form.sheet")
	stale.Set("name", "Lost Update AG")
	toVersion := fmt.Sprint(w.account("C-0THER0").Version)
	w.send(lucia, acmeRef+"/contacts/"+ana+"/down", w.shown(acmeRef)).WantStatus(http.StatusSeeOther)
	before := w.account("C-ACME00")
	for _, try := range []struct {
		path   string
		values []string
	}{
		{"/edit", nil},
		{"/contacts/new", []string{"name", "New", "email", "new@acme.example", "for", "keys"}},
		{"/contacts/" + ana, []string{"name", "Changed", "email", "ana@acme.example", "for", "keys"}},
		{"/contacts/" + ana + "/remove", nil},
		{"/contacts/" + ana + "/up", nil},
		{"/contracts/K-111111/end", []string{"reason", "unpaid"}},
		{"/instances/01acmei2/edit", []string{"environment", "production"}},
		{"/instances/01acmei1/retire", nil},
		{"/instances/01acmei4/resume", nil},
		{"/instances/01acmei1/move", []string{"to", "C-0THER0", "toVersion", toVersion, "instances", "01acmei1"}},
		{"/merge", []string{"into", "C-0THER0", "toVersion", toVersion}},
	} {
		form := added(url.Values{"version": stale["version"], "seen": stale["seen"]}, try.values...)
		if try.path == "/edit" {
			form = stale
		}
		who := sam
		if try.path == "/merge" {
			who = ada
		}
		a := w.send(who, acmeRef+try.path, form)
		if a.StatusCode != http.StatusConflict {
			t.Errorf("%s: got %d, want a conflict", try.path, a.StatusCode)
			continue
		}
		doc := a.Page()
		webtest.CheckPage(t, doc)
		wantTexts(t, webtest.Text(doc.Find("#trouble")), "changed", "Lucía Marín", "order changed")
	}
	if after := w.account("C-ACME00"); after.Version != before.Version || after.Customer.Name != "Acme AG" {
		t.Errorf("something changed: %+v", after)
	}
}

func TestContactsAreAddedEditedOrderedAndRemoved(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	w.advance(time.Hour)
	form := w.filledForm(acmeRef+"/contacts/new", "form.sheet")
	form.Set("name", "Nina New")
	form.Set("email", "Nina@acme.example")
	form["for"] = []string{"keys"}
	form["instances"] = []string{"01acmei2"}
	wantTexts(t, text(w.follow(w.send(sam, acmeRef+"/contacts/new", form))), "Contact saved.", "Nina New",
		"License keys", "Staging AWac…0002", "Contacts: Nina New Nina@acme.example (license keys, 1 instance)")
	w.send(sam, acmeRef+"/contacts/new", form).WantRedirect(acmeRef + "?done=contact") // sent twice
	nina := mail.RecipientID("nina@acme.example")
	form = w.filledForm(acmeRef+"/contacts/"+nina, "form.sheet")
	form.Set("email", "ana@acme.example")
	wantTexts(t, text(w.send(sam, acmeRef+"/contacts/"+nina, form).WantStatus(422).Page()),
		"is a contact of this customer already")
	form.Set("email", "nina.new@acme.example")
	form["for"] = nil
	wantTexts(t, text(w.send(sam, acmeRef+"/contacts/"+nina, form).WantStatus(422).Page()),
		"Select license keys, renewals or both.")
	form["for"] = []string{"keys", "renewals"}
	w.send(lucia, acmeRef+"/contacts/"+nina, form).WantStatus(http.StatusSeeOther)
	list := w.account("C-ACME00").Customer.Contacts
	if c := list[2]; len(list) != 3 || c.Email != "nina.new@acme.example" || c.AddedBy != emails[lucia] ||
		c.VouchedBy != "" || c.For != nil {
		t.Errorf("got contacts %+v", list)
	}
	nina = mail.RecipientID("nina.new@acme.example")
	up := w.shown(acmeRef)
	w.send(sam, acmeRef+"/contacts/"+nina+"/up", up).WantRedirect(acmeRef + "?done=contact-moved")
	w.send(sam, acmeRef+"/contacts/"+nina+"/up", up).WantRedirect(acmeRef + "?done=contact-moved") // sent twice
	if list = w.account("C-ACME00").Customer.Contacts; list[1].Email != "nina.new@acme.example" {
		t.Errorf("got contacts %+v, want Nina second", list)
	}
	remove := w.shown(acmeRef)
	w.send(sam, acmeRef+"/contacts/"+nina+"/remove", remove).WantRedirect(acmeRef + "?done=contact-removed")
	w.send(sam, acmeRef+"/contacts/"+nina+"/remove", remove).WantRedirect(acmeRef + "?done=contact-removed")
	if list = w.account("C-ACME00").Customer.Contacts; len(list) != 2 {
		t.Errorf("got contacts %+v", list)
	}
	w.get(sam, acmeRef+"/contacts/"+nina).WantStatus(http.StatusNotFound)
}

func TestKeyIsResentToAContact(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	page := acmeRef + "/contacts/" + mail.RecipientID("ana@acme.example")
	form := w.filledForm(page, "form[action$=send-key]")
	if got := form.Get("license"); got != "01acmel1" {
		t.Errorf("got license %q offered first", got)
	}
	w.send(sam, page+"/send-key", form).WantRedirect(acmeRef + "?done=send-key")
	w.send(sam, page+"/send-key", form).WantRedirect(acmeRef + "?done=send-key")
	if got := w.pendingMails(); len(got) != 1 || !strings.Contains(got[0], "01acmel1") {
		t.Errorf("got emails %q, want one", got)
	}
	w.send(sam, page+"/send-key", w.filledForm(page, "form[action$=send-key]")).WantStatus(http.StatusSeeOther)
	if got := w.pendingMails(); len(got) != 2 {
		t.Errorf("got emails %q, want a second one for a form that was opened again", got)
	}
	form.Set("license", "01otherl")
	w.send(sam, page+"/send-key", form).WantStatus(http.StatusBadRequest)
}

func TestContractIsEndedAndReopened(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	page := acmeRef + "/contracts/K-111111/end"
	wantTexts(t, text(w.get(sam, page).WantStatus(200).Page()), "asks for a confirmation",
		"keys work until they expire",
		"reopen the contract")
	form := w.filledForm(page, "form.sheet")
	wantTexts(t, text(w.send(sam, page, form).WantStatus(422).Page()), "Enter the reason")
	form.Set("reason", "unpaid")
	doc := w.follow(w.send(sam, page, form))
	wantTexts(t, text(doc), "Contract ended.", "Reopen K-111111",
		"Ended early on 05 Mar 2018, 09:30 UTC by Sam Okoye: unpaid",
		"Contract K-111111 ended early")
	w.send(sam, page, form).WantStatus(http.StatusSeeOther) // sent twice
	undo := doc.Find(".notice form").First()
	wantTexts(t, text(w.follow(w.send(sam, undo.AttrOr("action", ""), valuesOf(undo)))), "Contract reopened.",
		"Contract K-111111 Active", "Contract K-111111 reopened")
	if k := w.account("C-ACME00").Contract("01acmek1"); !k.Ended.IsZero() || k.EndedReason != "" {
		t.Errorf("got %+v", k)
	}
}

func TestInstanceIsRetiredAndPutBack(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	page := acmeRef + "/instances/01acmei1"
	form := w.shown(page)
	doc := w.follow(w.send(sam, page+"/retire", form))
	wantTexts(t, text(doc), "Instance retired.", "Put back into use", "Retired")
	w.send(sam, page+"/retire", form).WantRedirect(page + "?done=retired")
	wantTexts(t, text(w.get(sam, acmeRef).Page()), "Retired instances (2)", "2 instances in use, 2 retired")
	undo := doc.Find(".notice form").First()
	wantTexts(t, text(w.follow(w.send(sam, undo.AttrOr("action", ""), valuesOf(undo)))),
		"The instance is in use again.")
	if i := w.account("C-ACME00").Instance("01acmei1"); !i.InUse() {
		t.Errorf("got %+v", i)
	}
}

func TestInstanceShowsTheLinesThatAContactTold(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	page := acmeRef + "/instances/01acmei1"
	i := w.account("C-ACME00").Instance("01acmei1")
	if err := w.store.TellLoc(t.Context(), i.Customer, i.ID, "ana@acme.example", 90_000); err != nil {
		t.Fatal(err)
	}
	doc := w.get(sam, page).Page()
	got := webtest.Text(doc.Find(".gauge"))
	if !strings.Contains(got, "90'000 of ") || !strings.Contains(got, "As of") {
		t.Errorf("got the gauge %q", got)
	}
	wantTexts(t, text(w.get(sam, acmeRef).Page()), "lines of code told", "ana@acme.example")
}

func TestInstanceIsEdited(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	page := acmeRef + "/instances/01acmei2"
	form := w.filledForm(page+"/edit", "form.sheet")
	form.Set("environment", "production")
	w.send(sam, page+"/edit", form).WantRedirect(page + "?done=instance")
	i := w.account("C-ACME00").Instance("01acmei2")
	if i.Environment != request.ProductionUse || i.Production != "" || len(i.Licenses) != 1 {
		t.Errorf("got %+v", i)
	}
	w.send(sam, page+"/edit", form).WantRedirect(page + "?done=instance") // sent twice
	form = w.filledForm(page+"/edit", "form.sheet")
	form.Set("environment", "staging")
	form.Set("production", "01acmei1")
	wantTexts(t, text(w.follow(w.send(sam, page+"/edit", form))), "Instance saved.", "Staging forAWacmeprod0000000001")
	form = w.filledForm(acmeRef+"/instances/01acmei1/edit", "form.sheet")
	form.Set("environment", "staging")
	wantTexts(t, text(w.send(sam, acmeRef+"/instances/01acmei1/edit", form).WantStatus(422).Page()),
		"This instance has staging of its own.")
	for _, wrong := range []string{"01acmei2", "AWnowhere", "01otheri"} {
		form = added(w.shown(page+"/edit"), "environment", "staging", "production", wrong)
		w.send(sam, page+"/edit", form).WantStatus(422)
	}
}

func TestInstancesMoveToAnotherCustomerAndBack(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	before := w.account("C-ACME00")
	page := acmeRef + "/instances/01acmei1"
	wantTexts(t, text(w.get(sam, page+"/move").WantStatus(200).Page()), "another contract of Acme AG",
		"To another customer")
	wantTexts(t, text(w.get(sam, page+"/move?to=C-ZZZZZZ").WantStatus(422).Page()), "There is no customer C-ZZZZZZ.")
	wantTexts(t, text(w.get(sam, page+"/move?to=acme+hold").WantStatus(200).Page()), "Acme Holding C-0THER0")
	doc := w.get(sam, page+"/move?to=c-other0").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	wantTexts(t, text(doc), "To Acme Holding", "AWacmestag0000000002", "K-333333: Enterprise", "1 of 5 production",
		"no new keys are issued", "Acme Holding's contacts receive the reminders")
	form := valuesOf(doc.Find("form.sheet"))
	if got := form["instances"]; !slices.Equal(got, []string{"01acmei1", "01acmei2"}) ||
		form.Get("contract") != "K-333333" {
		t.Errorf("got form %v, want the instance and its staging ticked", form)
	}
	none := url.Values{}
	for name, values := range form {
		none[name] = values
	}
	none["instances"] = nil
	wantTexts(t, text(w.send(sam, page+"/move", none).WantStatus(422).Page()), "Select at least one instance.")
	moved := w.follow(w.send(sam, page+"/move", form))
	wantTexts(t, text(moved), "Moved.", "Move back", "AWacmeprod0000000001",
		"Production AWac…0001 moved to Contract K-333333")
	w.send(sam, page+"/move", form).WantStatus(http.StatusSeeOther) // sent twice
	wantTexts(t, text(w.get(sam, acmeRef).Page()),
		"An instance that is now with another customer moved to Acme Holding (C-0THER0)")
	if to := w.account("C-0THER0"); len(to.Instances) != 3 || to.Use("01otherk", day("2018-03-05")).Staging != 1 {
		t.Errorf("got %+v", to.Instances)
	}
	back := moved.Find(".notice a").AttrOr("href", "")
	doc = w.get(sam, back).WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	wantTexts(t, text(doc), "Back to Acme AG", "goes back under it")
	form = valuesOf(doc.Find("form.sheet"))
	wantTexts(t, text(w.follow(w.send(sam, back, form))), "Moved back.")
	w.send(sam, back, form).WantStatus(http.StatusSeeOther) // sent twice
	after := w.account("C-ACME00")
	for n := range before.Instances {
		was, is := before.Instances[n], after.Instances[n]
		is.Moved = nil
		if fmt.Sprint(was) != fmt.Sprint(is) {
			t.Errorf("got %+v\nafter the move was undone, want %+v", is, was)
		}
	}
}

func TestInstanceMovesToAnotherContract(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	page := acmeRef + "/instances/01acmei2"
	doc := w.get(sam, page+"/move?to=C-ACME00").WantStatus(200).Page()
	form := valuesOf(doc.Find("form.sheet"))
	if form.Get("contract") != "K-222222" {
		t.Errorf("got contract %q, want the other one in effect", form.Get("contract"))
	}
	wantTexts(t, text(w.follow(w.send(sam, page+"/move", form))), "Moved.", "moved to Contract K-222222")
	if l := w.account("C-ACME00").Instance("01acmei2").Licenses[0]; l.Contract != "01acmek2" {
		t.Errorf("got contract %s", l.Contract)
	}
	w.send(sam, page+"/move-back", w.filledForm(page+"/move-back", "form.sheet")).WantStatus(http.StatusSeeOther)
	if l := w.account("C-ACME00").Instance("01acmei2").Licenses[0]; l.Contract != "01acmek1" {
		t.Errorf("got contract %s after the move was undone", l.Contract)
	}
	w.get(sam, page+"/move-back").WantStatus(http.StatusConflict)
}

func TestCustomersAreMergedAndUnmerged(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	if merges := w.get(sam, otherRef).Page().Find("a[href*='/merge']").Length(); merges != 0 {
		t.Errorf("got %d links to merge for sales, want none", merges)
	}
	like := w.get(ada, otherRef).Page().Find("a[href*='/merge']").AttrOr("href", "")
	wantTexts(t, text(w.get(ada, like).WantStatus(200).Page()), "Merge into", "Acme AG C-ACME00")
	wantTexts(t, text(w.get(ada, otherRef+"/merge?into=nobody").WantStatus(422).Page()),
		"No customer has this reference")
	wantTexts(t, text(w.get(ada, otherRef+"/merge?into=C-0THER0").WantStatus(422).Page()),
		"cannot be merged into itself")
	doc := w.get(ada, otherRef+"/merge?into=C-ACME00").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	wantTexts(t, text(doc), "Merge Acme Holding into Acme AG?", "1 contract, 1 instance, 1 contact",
		"3 contracts, 4 instances, 2 contacts", "Nothing is moved", "undo the merge")
	form := valuesOf(doc.Find("form.sheet"))
	merged := w.get(ada, w.send(ada, otherRef+"/merge", form).Header.Get("Location")).WantStatus(200).Page()
	wantTexts(t, text(merged), "Customers merged.", "Undo the merge", "Acme Holding C-0THER0", "Olga Other",
		"AWother0000000000001", "merged with Acme Holding (C-0THER0)")
	if strings.Contains(text(merged), "01other") {
		t.Error("got IDs on the page")
	}
	w.send(ada, otherRef+"/merge", form).WantStatus(http.StatusSeeOther) // sent twice
	w.get(sam, otherRef).WantRedirect(acmeRef)
	w.get(sam, otherRef+"/edit").WantRedirect(acmeRef)
	w.get(vera, customersPath+"/K-333333").WantRedirect(acmeRef + "?contract=K-333333#K-333333")
	if names := text(w.get(vera, customersPath).Page()); strings.Contains(names, "Acme Holding") {
		t.Error("a customer that was merged is listed")
	}
	// A contact of the merged customer can be removed too.
	olga := mail.RecipientID("olga@other.example")
	form = w.filledForm(acmeRef+"/contacts/"+olga, "form.sheet")
	form.Set("name", "Olga Renamed")
	w.send(sam, acmeRef+"/contacts/"+olga, form).WantStatus(http.StatusSeeOther)
	undo := w.get(ada, acmeRef).Page().Find("form[action$=unmerge]").First()
	for _, page := range []string{acmeRef, acmeRef + "?done=merged&of=C-0THER0"} {
		if n := w.get(sam, page).Page().Find("form[action$=unmerge]").Length(); n != 0 {
			t.Errorf("%s: got %d forms that undo the merge for sales, want none", page, n)
		}
	}
	wantTexts(t, text(w.follow(w.send(ada, acmeRef+"/unmerge", valuesOf(undo)))), "Merge undone.",
		"undid the merge with Acme Holding (C-0THER0)")
	w.send(ada, acmeRef+"/unmerge", valuesOf(undo)).WantStatus(http.StatusSeeOther) // sent twice
	wantTexts(t, text(w.get(sam, otherRef).WantStatus(200).Page()), "Acme Holding", "Olga Renamed",
		"AWother0000000000001")
	if a := w.account("C-ACME00"); len(a.Merged) != 0 || len(a.Instances) != 4 {
		t.Errorf("got %+v", a)
	}
}

func TestFormOfACustomerThatWasMergedMeanwhileIsTold(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	edit := w.filledForm(otherRef+"/edit", "form.sheet")
	edit.Set("name", "Wrong customer")
	merge := w.filledFormOf(ada, otherRef+"/merge?into=C-ACME00", "form.sheet")
	w.send(ada, otherRef+"/merge", merge).WantStatus(http.StatusSeeOther)
	// The survivor's version is not that of the form, whatever it is by chance.
	edit.Set("version", fmt.Sprint(w.account("C-ACME00").Version))
	wantTexts(t, text(w.send(sam, otherRef+"/edit", edit).WantStatus(http.StatusConflict).Page()), "Ada Brandt",
		"merged with")
	if c := w.account("C-ACME00"); c.Customer.Name != "Acme AG" || c.Merged[0].Name != "Acme Holding" {
		t.Errorf("got %+v", c)
	}
}

func TestNotesAndTimelinePages(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	for n := range 80 {
		w.send(sam, acmeRef+"/note", added(w.shown(acmeRef), "note", fmt.Sprintf("note %d.", n))).
			WantStatus(http.StatusSeeOther)
	}
	form := added(w.shown(acmeRef), "note", "twice")
	w.send(sam, acmeRef+"/note", form).WantStatus(http.StatusSeeOther)
	w.send(sam, acmeRef+"/note", form).WantStatus(http.StatusSeeOther)
	wantTexts(t, text(w.send(sam, acmeRef+"/note", w.shown(acmeRef)).WantStatus(422).Page()), "Enter the note.")
	seen := map[string]int{}
	doc := w.get(vera, acmeRef).Page()
	for range 4 {
		doc.Find(".timeline .said").Each(func(_ int, s *goquery.Selection) { seen[s.Text()]++ })
		to := doc.Find("#timeline-title ~ .more a, a[rel=next]").AttrOr("href", "")
		if to == "" {
			break
		}
		doc = w.get(vera, to).WantStatus(200).Page()
		webtest.CheckPage(t, doc)
	}
	if len(seen) != 81 || seen["twice"] != 1 || seen["note 0."] != 1 {
		t.Errorf("got %d notes on all pages of the timeline: %v", len(seen), seen)
	}
}

func TestViewersOnlyReadCustomers(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	for _, page := range []string{customersPath, acmeRef, acmeRef + "/timeline", acmeRef + "/instances/01acmei1"} {
		doc := w.get(vera, page).WantStatus(200).Page()
		if n := doc.Find("main form[method=post], main .tasks, main a[href*='/issue'], main a[href*='/renew'], " +
			"main a[href$='/end'], main a[href*='/contacts/']").Length(); n > 0 {
			t.Errorf("%s: a viewer sees %d actions", page, n)
		}
	}
}

func TestHostileTextIsShownAsText(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	const hostile = `<script>alert(1)</script>"'&{{.}}`
	form := w.filledForm(acmeRef+"/edit", "form.sheet")
	for _, name := range []string{"name", "notes", "formerNames"} {
		form.Set(name, hostile)
	}
	form.Set("outside", hostile+": "+hostile)
	w.send(sam, acmeRef+"/edit", form).WantStatus(http.StatusSeeOther)
	form = w.filledForm(acmeRef+"/contacts/new", "form.sheet")
	form.Set("name", hostile)
	form.Set("partner", hostile)
	form.Set("email", "x@acme.example")
	w.send(sam, acmeRef+"/contacts/new", form).WantStatus(http.StatusSeeOther)
	form = w.filledForm(acmeRef+"/contracts/K-111111/end", "form.sheet")
	form.Set("reason", hostile)
	w.send(sam, acmeRef+"/contracts/K-111111/end", form).WantStatus(http.StatusSeeOther)
	w.send(sam, acmeRef+"/note", added(w.shown(acmeRef), "note", hostile)).WantStatus(http.StatusSeeOther)
	for _, page := range []string{
		customersPath, acmeRef, acmeRef + "/timeline", acmeRef + "/edit", acmeRef + "/instances/01acmei1",
		acmeRef + "/contacts/" + mail.RecipientID("x@acme.example"), acmeRef + "/merge",
		acmeRef + "/merge?into=C-0THER0", acmeRef + "/instances/01acmei1/move?to=C-0THER0",
		acmeRef + "/instances/01acmei1/move", acmeRef + "/contracts/K-222222/end",
	} {
		doc := w.get(ada, page).WantStatus(200).Page()
		webtest.CheckPage(t, doc) // no script
	}
	wantTexts(t, text(w.get(sam, acmeRef).Page()), hostile)
}

func TestTwoPeopleAtOnceSaveOneChange(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	form := w.filledForm(acmeRef+"/edit", "form.sheet")
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for n, who := range []string{sam, lucia, ada, sam} {
		values := url.Values{}
		for name, value := range form {
			values[name] = value
		}
		values["name"] = []string{fmt.Sprintf("Acme %d", n)}
		wg.Go(func() {
			a := w.as(who).Send(acmeRef+"/edit", values)
			mu.Lock()
			defer mu.Unlock()
			statuses[a.StatusCode]++
		})
	}
	wg.Wait()
	if statuses[http.StatusSeeOther] != 1 || statuses[http.StatusConflict] != 3 {
		t.Errorf("got answers %v, want one change and three conflicts", statuses)
	}
}

// customerPages puts customers on record of which one was merged and an instance was moved, and returns the addresses
// of their pages.
func (w *testEnv) customerPages() map[string][]string {
	w.t.Helper()
	w.acme()
	for n := range 2 {
		name := fmt.Sprintf("Acme Branch %d", n)
		w.put(store.Issue{
			Customer: &customer.Customer{ID: fmt.Sprintf("01branch%d", n), Name: name, Created: start,
				Reference: reference.Reference(fmt.Sprintf("C-BRANC%d", n)),
				Contacts:  []customer.Contact{{Email: fmt.Sprintf("b%d@acme.example", n), Since: start}}},
			Instances: []customer.Instance{{ID: fmt.Sprintf("01branchi%d", n), Environment: request.ProductionUse,
				Customer: fmt.Sprintf("01branch%d", n), Created: start}},
		})
		from := customersPath + fmt.Sprintf("/C-BRANC%d/merge", n)
		w.send(ada, from, w.filledFormOf(ada, from+"?into=C-ACME00", "form.sheet")).WantStatus(http.StatusSeeOther)
	}
	move := acmeRef + "/instances/01acmei2/move"
	w.send(sam, move, w.filledForm(move+"?to=C-0THER0", "form.sheet")).WantStatus(http.StatusSeeOther)
	ana := mail.RecipientID("ana@acme.example")
	return map[string][]string{
		"GET /console/customers": {customersPath, customersPath + "?from=acme"},
		"GET /console/customers/{ref}": {acmeRef, otherRef, acmeRef + "?contract=K-000000", acmeRef + "?page=2",
			acmeRef + "?done=merged&of=C-BRANC1"},
		"GET /console/customers/{ref}/timeline": {acmeRef + "/timeline"},
		"GET /console/customers/{ref}/edit":     {acmeRef + "/edit"},
		"GET /console/customers/{ref}/merge": {acmeRef + "/merge", acmeRef + "/merge?into=acme+h",
			acmeRef + "/merge?into=C-0THER0"},
		"GET /console/customers/{ref}/contacts/new":              {acmeRef + "/contacts/new"},
		"GET /console/customers/{ref}/contacts/{contact}":        {acmeRef + "/contacts/" + ana},
		"GET /console/customers/{ref}/contracts/{contract}/end":  {acmeRef + "/contracts/K-111111/end"},
		"GET /console/customers/{ref}/instances/{instance}":      {acmeRef + "/instances/01acmei1"},
		"GET /console/customers/{ref}/instances/{instance}/edit": {acmeRef + "/instances/01acmei1/edit"},
		"GET /console/customers/{ref}/instances/{instance}/move": {acmeRef + "/instances/01acmei1/move",
			acmeRef + "/instances/01acmei1/move?to=C-0THER0"},
		"GET /console/customers/{ref}/instances/{instance}/move-back": {otherRef + "/instances/01acmei2/move-back"},
	}
}

func TestCustomerPagesAreComplete(t *testing.T) {
	w := newTestEnv(t)
	for _, pages := range w.customerPages() {
		for _, page := range pages {
			doc := w.get(ada, page).WantStatus(200).Page()
			webtest.CheckPage(t, doc)
			if strings.Contains(text(doc), "01acme") || strings.Contains(text(doc), "01branch") {
				t.Errorf("%s: got IDs in %s", page, text(doc))
			}
			doc.Find("main a[href^='/']").Each(func(_ int, s *goquery.Selection) {
				if to := s.AttrOr("href", ""); w.get(ada, to).StatusCode >= 400 {
					t.Errorf("%s: link to %s: got %d", page, to, w.get(ada, to).StatusCode)
				}
			})
		}
	}
}

// largest puts a customer on record that has n instances, each fourth production with three staging under it.
func (w *testEnv) largest(n int) {
	w.t.Helper()
	at := license.DateOf(start)
	k := customer.Contract{ID: "01bigk", Customer: "01bigc", Reference: "K-B0B0B0", Created: start,
		Terms:      customer.Terms{Edition: license.Enterprise, MaxLoc: 1_000_000, Support: true},
		Production: n / 4, Staging: n - n/4, First: at, Last: at.AddMonths(12)}
	i := store.Issue{Contracts: []customer.Contract{k},
		Customer: &customer.Customer{ID: "01bigc", Reference: "C-B0B0B0", Name: "Large AG", Created: start}}
	for n := range n {
		l := license.License{ID: fmt.Sprintf("01bigl%05d", n), Type: license.Production, Organization: "Large AG",
			Customer: "01bigc", Instance: fmt.Sprintf("01bigi%05d", n), Contract: k.ID, Edition: k.Edition,
			Server: license.Server(fmt.Sprintf("%08X-AWbigserver00000%04d", n, n)), MaxLoc: k.MaxLoc, Support: true,
			NotBefore: k.First, Expiration: k.Last}
		instance := customer.Instance{ID: l.Instance, Customer: l.Customer, Environment: request.ProductionUse,
			Servers: []customer.ServerID{{Server: l.Server, Told: start}}, ProductVersion: "6.7.1", Loc: 100_000,
			Told: start, Created: start}
		if n%4 > 0 {
			l.Type, instance.Environment = license.Staging, request.StagingUse
			instance.Production = fmt.Sprintf("01bigi%05d", n-n%4)
		}
		i.Instances, i.Licenses = append(i.Instances, instance), append(i.Licenses, l)
		if len(i.Licenses) == 8 {
			w.put(i)
			i = store.Issue{}
		}
	}
}

func TestLargestCustomerIsPaged(t *testing.T) {
	w := newTestEnv(t)
	w.largest(2000)
	const ref = customersPath + "/C-B0B0B0"
	seen := map[string]bool{}
	at := ref
	pages := 0
	for at != "" {
		pages++
		doc := w.get(vera, at).WantStatus(200).Page()
		rows := doc.Find(".instances tbody tr")
		if rows.Length() != pageSize {
			t.Fatalf("%s: got %d instances, want %d", at, rows.Length(), pageSize)
		}
		rows.Find("th a code").Each(func(_ int, s *goquery.Selection) { seen[s.Text()] = true })
		if pages < 3 {
			webtest.CheckPage(t, doc)
		}
		if pages == 2 { // it begins with staging of an instance on the page before
			wantTexts(t, webtest.Text(rows.First()), "Staging for 00000030-AWbigserver000000048")
			wantTexts(t, text(doc), "Instances 51–100 of 2'000", "Previous page")
		}
		at = doc.Find("a[rel=next]").AttrOr("href", "")
	}
	if len(seen) != 2000 || pages != 40 {
		t.Errorf("got %d instances on %d pages, want 2,000 on 40", len(seen), pages)
	}
	wantTexts(t, text(w.get(vera, ref).Page()), "2'000 instances in use",
		"Used by 500 of 500 production and 1500 of 1500 staging")
	// Where there are many, server IDs are typed.
	form := w.filledForm(ref+"/contacts/new", "form.sheet")
	form.Set("email", "a@large.example")
	form.Set("instances", "00000000-AWbigserver000000000\n00000001-AWbigserver000000001")
	form["for"] = []string{"keys"}
	w.send(sam, ref+"/contacts/new", form).WantStatus(http.StatusSeeOther)
	c := w.account("C-B0B0B0").Customer.Contacts[0]
	if !slices.Equal(c.Instances, []string{"01bigi00000", "01bigi00001"}) {
		t.Errorf("got contact %+v", c)
	}
	form = w.filledForm(ref+"/contacts/"+mail.RecipientID("a@large.example"), "form.sheet")
	if got := form.Get("instances"); got != "00000000-AWbigserver000000000\n00000001-AWbigserver000000001" {
		t.Errorf("got instances %q in the form", got)
	}
	form.Set("instances", "nowhere")
	wantTexts(t, text(w.send(sam, ref+"/contacts/"+mail.RecipientID("a@large.example"), form).WantStatus(422).Page()),
		"No instance of this customer has the server ID “nowhere”.")
	form = w.filledForm(ref+"/instances/01bigi00001/edit", "form.sheet")
	form.Set("production", "00000004-AWbigserver000000004")
	w.send(sam, ref+"/instances/01bigi00001/edit", form).WantStatus(http.StatusSeeOther)
	if i := w.account("C-B0B0B0").Instance("01bigi00001"); i.Production != "01bigi00004" {
		t.Errorf("got %+v", i)
	}
}

// BenchmarkLargestCustomer asks for the page of a customer with 2,000 instances, and tells how long 95 of 100 answers
// took at the most.
func BenchmarkLargestCustomer(b *testing.B) {
	w := newTestEnv(b)
	w.largest(2000)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		w.get(sam, customersPath+"/C-B0B0B0").WantStatus(200)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
}

func TestCustomerPageListsItsRequests(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	wantTexts(t, text(w.get(vera, acmeRef).Page()), "No requests are linked to this customer.")
	d := sampleDetails
	d.Company = "Acme" // unlike the customer's name
	asked := w.file(d)
	w.file(d) // nobody linked it
	l := license.License{ID: "01acmel9", Type: license.Production, Organization: "Acme AG", Customer: "01acmec",
		Instance: "01acmei3", Contract: "01acmek1", Server: "AWacmeeval0000000003", Edition: license.Enterprise,
		MaxLoc: 5, NotBefore: day("2018-03-05"), Expiration: day("2018-03-31")}
	w.put(store.Issue{Licenses: []license.License{l}, Request: asked.ID, RequestVersion: asked.Version})
	doc := w.get(vera, acmeRef).WantStatus(200).Page()
	rows := doc.Find("#requests-title ~ table tbody tr")
	if rows.Length() != 1 {
		t.Errorf("got %d requests, want the one that was answered for the customer", rows.Length())
	}
	wantTexts(t, webtest.Text(rows), "Acme", string(asked.Reference), "Issued")
	wantTexts(t, webtest.Text(doc.Find(".timeline")), "recorded for request "+string(asked.Reference))
}

func TestLinksOfACustomerBeginTheGenerator(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	staging := w.get(sam, acmeRef+"/instances/01acmei1").Page().Find("a[href*='staging=']").AttrOr("href", "")
	form := w.filledForm(staging, "form.wizard")
	if form.Get("type") != "STAGING" || form.Get("production") != "01acmei1" || form.Get("instance") != "" {
		t.Errorf("got %v, want another staging instance of the production one", form)
	}
	missing := w.get(sam, acmeRef).Page().Find("#K-222222 a.button").AttrOr("href", "")
	form = w.filledForm(missing, "form.wizard")
	if form.Get("instance") != "01acmei2" || form.Get("contract") != "under:01acmek2" {
		t.Errorf("got %v, want the key that the staging instance lacks", form)
	}
	for page, links := range map[string]string{
		acmeRef + "/instances/01acmei1": "/renew /replace /upgrade", acmeRef: "/customers/C-ACME00/issue",
	} {
		doc := w.get(sam, page).Page()
		for _, link := range strings.Fields(links) {
			to := doc.Find("main a[href$='"+link+"']").First().AttrOr("href", "")
			w.get(sam, to).WantStatus(200)
		}
	}
}

func TestChangeOfTheOtherCustomerIsTold(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	move, merge := acmeRef+"/instances/01acmei1/move", acmeRef+"/merge"
	moving := w.filledForm(move+"?to=C-0THER0", "form.sheet")
	merging := w.filledFormOf(ada, merge+"?into=C-0THER0", "form.sheet")
	w.send(lucia, otherRef+"/contracts/K-333333/end", added(w.shown(otherRef), "reason", "unpaid")).
		WantStatus(http.StatusSeeOther)
	for path, form := range map[string]url.Values{move: moving, merge: merging} {
		doc := w.send(ada, path, form).WantStatus(http.StatusConflict).Page()
		wantTexts(t, text(doc), "Someone else changed this customer first")
		// The page now shows the other customer as it is, so the form can be sent.
		if got := valuesOf(doc.Find("form.sheet")).Get("toVersion"); got != fmt.Sprint(w.account("C-0THER0").Version) {
			t.Errorf("%s: got version %s of the other customer", path, got)
		}
	}
	if a := w.account("C-ACME00"); a.Customer.Survivor != "" || len(a.Instances) != 4 {
		t.Errorf("got %+v", a)
	}
}
