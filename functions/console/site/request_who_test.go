package site

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web/webtest"
)

// ofBob is a request to move Acme's production by a colleague of its contact.
var ofBob = anaAsks(func(d *request.Details) {
	d.Kind, d.Environment, d.OldServer = request.Replacement, request.ProductionUse, request.OldLost
	d.Server, d.Replaces = "1234ABCD-AWacmeprod0000000001", "AWacmeprod0000000001"
	d.Name, d.Email = "Bob Acme", "bob@acme.example"
})

func TestStandingInWords(t *testing.T) {
	now := time.Date(2018, 3, 7, 12, 0, 0, 0, time.UTC)
	of := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	contacts := []customer.Contact{
		{Email: "ana@acme.example", Since: time.Date(2017, 3, 1, 0, 0, 0, 0, time.UTC)},
		{Email: "rita@reseller.example", Partner: "Reseller Ltd", Instances: []string{"other"}, Since: of(30)},
		{Email: "new@acme.example", Since: of(2)},
	}
	contract := []customer.Contract{{ID: "k", Customer: "acme"}}
	for name, test := range map[string]struct {
		asks   func(r *request.Request)
		shared bool
		badge  string
		want   []string
	}{
		"a contact": {func(r *request.Request) { r.Email = "Ana@acme.example" }, false, "Contact",
			[]string{"Contact since 01 Mar 2017; confirmed this request on 05 Mar 2018, 09:30 UTC."}},
		"a contact whose address was only typed": {func(r *request.Request) {
			r.Email, r.Confirmed, r.Unconfirmed, r.Kind = "ana@acme.example", time.Time{}, true, request.Evaluation
		}, false, "Stranger", []string{"Contact since 01 Mar 2017; not confirmed: anybody can type this address."}},
		"a contact for another instance": {func(r *request.Request) {
			r.Email, r.Kind = "rita@reseller.example", request.Evaluation
		}, false, "Colleague", []string{"Contact since 05 Feb 2018, works for Reseller Ltd, for other instances " +
			"only; confirmed this request on 05 Mar 2018, 09:30 UTC."}},
		"a new contact": {func(r *request.Request) { r.Email, r.Kind = "new@acme.example", request.Evaluation }, false,
			"Colleague", []string{"Contact since 05 Mar 2018; may speak for Acme AG from 12 Mar 2018; " +
				"confirmed this request on 05 Mar 2018, 09:30 UTC."}},
		"the domain": {func(r *request.Request) { r.Kind = request.Evaluation }, false, "Colleague", []string{
			"At the customer's mail domain acme.example; confirmed this request on 05 Mar 2018, 09:30 UTC."}},
		"a shared domain": {func(r *request.Request) { r.Kind = request.Evaluation }, true, "Stranger", []string{
			"At acme.example, which other customers use as well; confirmed this request on 05 Mar 2018, 09:30 UTC."}},
		"a stranger": {func(r *request.Request) { r.Email, r.Asked = "eve@evil.example", of(1) }, false, "Stranger",
			[]string{"Unknown address; claims to be Acme Corp, whose contacts were asked on 06 Mar 2018, 12:00 UTC; " +
				"confirmed this request on 05 Mar 2018, 09:30 UTC.",
				"Replacing a license, or sending the key here, needs a contact's yes or a colleague's vouch."}},
		"filed by a colleague": {func(r *request.Request) {
			r.Confirmed, r.FiledBy, r.Kind = time.Time{}, "lucia@vendor.example", request.Evaluation
		}, false, "Stranger", []string{"At the customer's mail domain acme.example; filed by Lucía; nobody at the address " +
			"has confirmed it."}},
		"no answer yet": {func(r *request.Request) {
			r.Kind, r.Asked, r.AskedOf = request.Evaluation, of(1), []string{"ana@acme.example"}
		}, false, "Colleague", []string{
			"At the customer's mail domain acme.example; confirmed this request on 05 Mar 2018, 09:30 UTC.",
			"Asked on 06 Mar 2018, 12:00 UTC, no answer yet: ana@acme.example."}},
		"yes": {func(r *request.Request) {
			r.Answers = []request.Answer{{By: "ana@acme.example", At: of(1), Yes: true}}
		}, false, "Proven", []string{
			"At the customer's mail domain acme.example; confirmed this request on 05 Mar 2018, 09:30 UTC.",
			"ana@acme.example said yes on 06 Mar 2018, 12:00 UTC."}},
		"no": {func(r *request.Request) {
			r.Kind, r.Answers = request.Evaluation, []request.Answer{{By: "ana@acme.example", At: of(1)}}
		}, false, "Colleague", []string{
			"At the customer's mail domain acme.example; confirmed this request on 05 Mar 2018, 09:30 UTC.",
			"bad: ana@acme.example said no on 06 Mar 2018, 12:00 UTC: the request is not theirs."}},
		"an answer that does not count": {func(r *request.Request) {
			r.Kind = request.Evaluation
			r.Answers = []request.Answer{{By: "new@acme.example", At: of(1), Yes: true}}
		}, false, "Colleague", []string{
			"At the customer's mail domain acme.example; confirmed this request on 05 Mar 2018, 09:30 UTC.",
			"new@acme.example said yes on 06 Mar 2018, 12:00 UTC. This does not count: the address may not speak for " +
				"this instance."}},
		"vouched for": {func(r *request.Request) {
			r.Vouch = &request.Vouch{By: "lucia@vendor.example", At: of(1), Note: "Called Ana."}
		}, false, "Colleague", []string{
			"At the customer's mail domain acme.example; confirmed this request on 05 Mar 2018, 09:30 UTC.",
			"Lucía vouched on 06 Mar 2018, 12:00 UTC: “Called Ana.”"}},
		"own vouch": {func(r *request.Request) {
			r.Vouch = &request.Vouch{By: "sam@vendor.example", At: of(1), Note: "Called Ana."}
		}, false, "Colleague", []string{
			"At the customer's mail domain acme.example; confirmed this request on 05 Mar 2018, 09:30 UTC.",
			"warn: You vouched on 06 Mar 2018, 12:00 UTC (“Called Ana.”), so another colleague has to issue the " +
				"license."}},
		"signed in": {func(r *request.Request) {
			r.Email = "ana@acme.example"
			r.Link = &request.Link{Mail: "m", Contact: "ana@acme.example", License: "l", SignedIn: true}
		}, false, "Proven", []string{
			"Contact since 01 Mar 2017; confirmed this request on 05 Mar 2018, 09:30 UTC.",
			"Filed in the customer's account, signed in as ana@acme.example."}},
		"through a reminder": {func(r *request.Request) {
			r.Kind, r.Email, r.Confirmed = request.Renewal, "ana@acme.example", time.Time{}
			r.Link, r.Bound = &request.Link{Contact: "ana@acme.example", License: "l"}, true
		}, false, "Mailed link", []string{
			"Contact since 01 Mar 2017; came through the link that we emailed to this address.",
			"Came through the reminder that was mailed to ana@acme.example; good for renewing this instance with the " +
				"key to contacts on record.",
			"Replacing a license, or sending the key here, needs a contact's yes or a colleague's vouch."}},
	} {
		r := request.Request{ID: "r", State: request.Received, Customer: "acme",
			Confirmed: time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)}
		r.Kind, r.Email, r.Company, r.Server = request.Upgrade, "bob@acme.example", "Acme Corp", "AWacmeprod0000000001"
		test.asks(&r)
		j := judge{
			Asker: customer.Asker{Request: r, Instance: "i", DomainShared: test.shared}, now: now,
			account: &customer.Account{Contracts: contract,
				Customer: customer.Customer{ID: "acme", Name: "Acme AG", Domains: []string{"acme.example"},
					Contacts: contacts},
				Instances: []customer.Instance{{ID: "i", Customer: "acme", Licenses: []customer.License{{ID: "l"}},
					Servers: []customer.ServerID{{Server: "AWacmeprod0000000001"}}}}},
			name: func(string) string { return "Lucía" },
		}
		v := j.view("sam@vendor.example")
		var got []string
		for _, l := range v.Lines {
			got = append(got, strings.TrimPrefix(l.Tone+": "+l.Text, ": "))
		}
		if v.Badge.Text != test.badge || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %s\n%q\nwant %s\n%q", name, v.Badge.Text, got, test.badge, test.want)
		}
	}
}

// sends submits the form of a request's page that is sent to a path, as it is filled in and as change says.
func (w *testEnv) sends(who string, r request.Request, path string, change ...func(url.Values)) *webtest.Answer {
	w.t.Helper()
	page := w.get(who, "/console/requests/"+r.ID).WantStatus(200).Page()
	form := page.Find("main form[action$='/" + path + "']")
	if form.Length() == 0 {
		w.t.Fatalf("got no form for %s\n%s", path, text(page))
	}
	values := valuesOf(form.Last())
	for _, c := range change {
		c(values)
	}
	return w.send(who, "/console/requests/"+r.ID+"/"+path, values)
}

func TestRequestIsLinkedToTheCustomerThatIsMeant(t *testing.T) {
	for name, test := range map[string]struct {
		typed  string
		status int
		linked string // the ID
		says   string
	}{
		"a reference":            {"c-acme00.", 303, "01acmec", ""},
		"of a merged customer":   {"C-MERGED", 303, "01acmec", ""},
		"a name":                 {"acme ag", 303, "01acmec", ""},
		"the beginning of names": {"Acme", 422, "", "Several customers have such a name. Link one of them."},
		"an unknown reference":   {"C-ZZZZZZ", 422, "", "There is no customer C-ZZZZZZ."},
		"an unknown name":        {"Zebra", 422, "", "No customer has this reference or name."},
		"nothing":                {" ", 422, "", "Enter the reference of a customer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t)
			w.acme()
			if name == "of a merged customer" {
				merged := customer.Customer{ID: "01merged", Reference: "C-MERGED", Name: "Small Ltd"}
				w.put(store.Issue{Customer: &merged})
				page := "/console/customers/C-MERGED/merge"
				w.send(ada, page, w.filledFormOf(ada, page+"?into=C-ACME00", "main form[method=post]")).WantStatus(303)
			}
			r := w.file(sampleDetails)
			a := w.sends(sam, r, "link", set("customer", test.typed)).WantStatus(test.status)
			if got := w.request(r.ID); got.Customer != test.linked || test.linked != "" && got.LinkedBy != emails[sam] {
				t.Errorf("got it linked to %q by %q, want %q", got.Customer, got.LinkedBy, test.linked)
			}
			if test.says != "" {
				doc := a.Page()
				webtest.CheckPage(t, doc)
				wantTexts(t, text(doc), test.says)
				if doc.Find("details[open] #customer[aria-invalid=true]").Length() != 1 {
					t.Error("the field is not marked")
				}
			}
		})
	}
}

func TestLinkIsUndoneInTwoClicksAndStaysOnTheTimeline(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	r := w.file(ofBob)
	page := "/console/requests/" + r.ID
	button := w.get(sam, page).Page().Find("button[form=link][name=customer]").First()
	w.sends(sam, r, "link", set("customer", button.AttrOr("value", ""))).WantRedirect(page + "?done=link")
	doc := w.get(sam, page+"?done=link").Page()
	webtest.CheckPage(t, doc)
	wantTexts(t, text(doc), "The request is linked to the customer.", "linked by Sam Okoye: has this server",
		"linked to a customer: Acme AG · Sam Okoye")
	undo := doc.Find("details:has(button[form=unlink])") // the first click opens it
	if webtest.Text(undo) != "Not this customer?Unlink Acme AG" {
		t.Errorf("got %q, want how the link is undone", webtest.Text(undo))
	}
	form := valuesOf(doc.Find("#unlink"))
	for range 2 { // a double click
		w.send(sam, page+"/unlink", form).WantRedirect(page + "?done=unlink")
	}
	if got := w.request(r.ID); got.Customer != "" || got.LinkedBy != "" {
		t.Errorf("got it linked to %q by %q, want nobody", got.Customer, got.LinkedBy)
	}
	wantTexts(t, text(w.get(sam, page).Page()), "linked to a customer: Acme AG", "no longer linked to a customer")
	w.send(lucia, page+"/link", with(form, "customer", "C-0THER0")).WantStatus(http.StatusConflict) // stale
	if got := w.request(r.ID); got.Customer != "" {
		t.Errorf("got it linked to %q by a stale form", got.Customer)
	}
}

func TestRequestIsLinkedToAnInstance(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	r := w.file(sampleDetails)
	w.sends(sam, r, "link", set("customer", "C-ACME00"), set("instance", "01otheri")).WantStatus(http.StatusNotFound)
	w.sends(sam, r, "link", set("customer", "C-ACME00"), set("instance", "01acmei2")).WantStatus(303)
	if got := w.request(r.ID); got.Customer != "01acmec" || got.Instance != "01acmei2" {
		t.Errorf("got it linked to %q and %q", got.Customer, got.Instance)
	}
}

func TestRequestMakesANewCustomer(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	button := w.get(sam, page).Page().Find("button[form=link][name=make]")
	if got := webtest.Text(button); got != "New customer Customer & Sons" {
		t.Errorf("got the button %q", got)
	}
	form := with(valuesOf(w.get(sam, page).Page().Find("#link")), "make", "customer")
	for range 2 { // a double click makes one
		w.send(sam, page+"/link", form).WantRedirect(page + "?done=link")
	}
	list, err := w.store.Customers(t.Context(), "", "", 10)
	w.must(err)
	got := w.request(r.ID)
	if len(list.Customers) != 1 || list.Customers[0].ID != got.Customer || list.Customers[0].Name != "Customer & Sons" {
		t.Errorf("got customers %+v, want one, that of the request: %q", list.Customers, got.Customer)
	}
	if a, err := w.store.Account(t.Context(), got.Customer); err != nil || len(a.Customer.Contacts) > 0 {
		t.Errorf("got %+v, %v, want no contact before anything is issued", a.Customer, err)
	}
}

// linked files a request and links it to Acme, as the system does where one customer is likely.
func (w *testEnv) linked(d request.Details) request.Request {
	w.t.Helper()
	r := w.file(d)
	w.must(w.store.LinkRequest(w.t.Context(), store.RequestChange{ID: r.ID, By: store.System}, "01acmec", ""))
	return w.request(r.ID)
}

func TestContactsAreAsked(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	r := w.linked(ofBob)
	page := "/console/requests/" + r.ID
	doc := w.get(sam, page).Page()
	webtest.CheckPage(t, doc)
	wantTexts(t, text(doc), "linked by the system: ")
	boxes := doc.Find("form[action$='/ask-contacts'] input[name=contacts]").Map(
		func(_ int, s *goquery.Selection) string { return s.AttrOr("value", "") })
	if want := []string{"ana@acme.example", "ops@reseller.example"}; !slices.Equal(boxes, want) {
		t.Errorf("got %q offered, want %q", boxes, want)
	}
	none := w.sends(sam, r, "ask-contacts", set("contacts")).WantStatus(422)
	wantTexts(t, text(none.Page()), "Tick at least one contact.")
	for _, email := range []string{"bob@acme.example", "eve@evil.example"} {
		wantTexts(t, text(w.sends(sam, r, "ask-contacts", set("contacts", email)).WantStatus(422).Page()),
			"Only contacts who may speak for this instance can be asked.")
	}
	form := with(valuesOf(doc.Find("form[action$='/ask-contacts']")), "contacts", "ana@acme.example")
	for range 2 { // a double click
		w.send(sam, page+"/ask-contacts", form).WantRedirect(page + "?done=ask-contacts")
	}
	got := w.request(r.ID)
	if !slices.Equal(got.AskedOf, []string{"ana@acme.example"}) {
		t.Errorf("got %q asked, want Ana", got.AskedOf)
	}
	mails, err := w.store.MailsAbout(t.Context(), r.ID, 10)
	w.must(err)
	asked := slices.DeleteFunc(mails, func(m outbox.Mail) bool { return m.Kind != mail.RequestAsk })
	if len(asked) != 1 || asked[0].To.Email != "ana@acme.example" {
		t.Errorf("got emails %+v, want one to Ana", asked)
	}
	doc = w.get(sam, page).Page()
	wantTexts(t, text(doc), "Asked on 05 Mar 2018, 09:30 UTC, no answer yet: ana@acme.example.",
		"Asked about this today already.", "contacts asked · Sam Okoye", "Question to a contact")
	if html, _ := doc.Html(); strings.Contains(html, asked[0].Nonce) || strings.Contains(html, got.Secret) {
		t.Error("the page has a secret of an email")
	}
}

func TestContactWhoWasAskedOftenIsAskedOnConfirmation(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	for range 5 {
		r := w.linked(ofBob)
		w.sends(sam, r, "ask-contacts", set("contacts", "ana@acme.example")).WantStatus(303)
	}
	r := w.linked(ofBob)
	doc := w.sends(sam, r, "ask-contacts", set("contacts", "ana@acme.example")).WantStatus(422).Page()
	webtest.CheckPage(t, doc)
	wantTexts(t, text(doc), "We asked ana@acme.example about several requests today.", "Ask again today")
	if len(w.request(r.ID).AskedOf) > 0 {
		t.Error("Ana was asked without a confirmation")
	}
	w.sends(sam, r, "ask-contacts", set("contacts", "ana@acme.example"), set("sure", "yes")).WantStatus(303)
}

func TestColleagueVouchesForWhatThePageLists(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	r := w.linked(ofBob)
	page := "/console/requests/" + r.ID
	doc := w.get(lucia, page).Page()
	form := doc.Find("form[action$='/vouch']")
	for _, want := range []string{"Acme AG wants this",
		"production, Enterprise Edition, for AWac…0001, through 31 Mar 2018",
		"through 31 Mar 2019", "1234ABCD-AWacmeprod0000000001", "bob@acme.example"} {
		if !strings.Contains(strings.ToLower(webtest.Text(form)), strings.ToLower(want)) {
			t.Errorf("got a form without %q: %s", want, webtest.Text(form))
		}
	}
	wantTexts(t, text(w.sends(lucia, r, "vouch").WantStatus(422).Page()),
		"Enter how you know that the customer wants this.")
	w.sends(lucia, r, "vouch", set("knows", "Called."), set("license", "01acmel1")).WantStatus(http.StatusConflict)
	if w.request(r.ID).Vouch != nil {
		t.Fatal("a vouch covers what the page did not list")
	}
	values := with(valuesOf(form), "knows", "Called the number on record.")
	for range 2 { // a double click
		w.send(lucia, page+"/vouch", values).WantRedirect(page + "?done=vouch")
	}
	v := w.request(r.ID).Vouch
	if v == nil || v.By != emails[lucia] || v.Customer != "01acmec" || v.Server != ofBob.Server ||
		v.Email != ofBob.Email ||
		!slices.Equal(v.Licenses, []string{"01acmel1", "01acmel1b"}) || v.Note != "Called the number on record." {
		t.Errorf("got vouch %+v", v)
	}
	own := w.get(lucia, page).Page()
	webtest.CheckPage(t, own)
	wantTexts(t, webtest.Text(own.Find(".notice.warn")), "You vouched on",
		"so another colleague has to issue the license.")
	wantTexts(t, text(w.get(sam, page).Page()), "Lucía Marín vouched on 05 Mar 2018, 09:30 UTC",
		"vouched for · Lucía Marín",
		"for the server 1234ABCD-AWacmeprod0000000001, key to bob@acme.example")
	w.send(sam, page+"/vouch", values).WantStatus(http.StatusConflict)
	w.sends(sam, r, "withdraw-vouch").WantRedirect(page + "?done=withdraw-vouch")
	if w.request(r.ID).Vouch != nil {
		t.Error("the vouch stays")
	}
}

func TestVouchForAnUpgradeCoversTheContract(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	for kind, want := range map[request.Kind][]string{
		request.Upgrade: {"01acmel1", "01acmel1b", "01acmel2", "01acmel4"}, request.Renewal: {"01acmel1", "01acmel1b"},
	} {
		r := w.linked(anaAsks(func(d *request.Details) { d.Kind, d.Email = kind, "bob@acme.example" }))
		got := valuesOf(w.get(sam, "/console/requests/"+r.ID).Page().Find("form[action$='/vouch']"))["license"]
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: got %q covered, want %q", kind, got, want)
		}
	}
	r := w.linked(anaAsks(func(d *request.Details) {
		d.Kind, d.Server, d.Replaces, d.Email = request.Staging, "AWunknown00000000001", "AWacmeprod0000000001",
			"bob@acme.example"
	}))
	form := w.get(sam, "/console/requests/"+r.ID).Page().Find("form[action$='/vouch']")
	if got := valuesOf(form)["license"]; got != nil {
		t.Errorf("a new staging instance: got %q covered, want nothing of its production", got)
	}
}

func TestNobodyVouchesWhereSalesAreOnePerson(t *testing.T) {
	w := newTestEnv(t, func(o *Options) { o.OneOperator = true })
	w.acme()
	r := w.linked(ofBob)
	doc := w.get(sam, "/console/requests/"+r.ID).Page()
	if doc.Find("form[action$='/vouch']").Length() != 0 {
		t.Error("a vouch is offered")
	}
	wantTexts(t, text(doc), "You have to confirm what issuing takes from the customer.")
	form := with(w.snapshot("/console/requests/"+r.ID), "knows", "Called.")
	w.send(sam, "/console/requests/"+r.ID+"/vouch", form).WantStatus(http.StatusConflict)
}

func TestClosedRequestIsNotLinkedAskedOrVouchedFor(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	r := w.linked(ofBob)
	page := "/console/requests/" + r.ID
	w.reply(sam, page+"/reject", with(w.snapshot(page), "rejection", "No.")).WantStatus(303)
	forms := "#link, #unlink, form[action$='contacts'], form[action$='vouch']"
	if n := w.get(sam, page).Page().Find(forms).Length(); n > 0 {
		t.Errorf("got %d forms", n)
	}
	before := w.request(r.ID)
	form := with(w.snapshot(page), "customer", "C-0THER0", "contacts", "ana@acme.example", "knows", "Called.")
	for _, path := range []string{"link", "unlink", "ask-contacts", "vouch", "withdraw-vouch"} {
		w.reply(sam, page+"/"+path, form).WantStatus(http.StatusConflict)
	}
	if after := w.request(r.ID); after.Version != before.Version {
		t.Errorf("got %+v, want it unchanged", after)
	}
}

// Stories of who asks, each counted in clicks after the request's page is open.

// grants issues a replacement in three clicks: “Issue a license”, “Review” and “Issue and send”.
func (s story) grants(r request.Request) license.License {
	s.t.Helper()
	page := s.get(sam, "/console/requests/"+r.ID).WantStatus(200).Page()
	to := page.Find("a.button[href$='/issue']").AttrOr("href", "")
	return s.issues(to)
}

// moves asks for the sample customer's production on another server.
func (s story) moves(email string) request.Request {
	s.t.Helper()
	return s.asks(request.Replacement, func(d *request.Details) {
		d.Server, d.Replaces, d.OldServer, d.Environment = "4A6F8E2B-"+production1, production1, request.OldLost,
			request.ProductionUse
		d.Email, d.Contacts = email, nil
	})
}

func TestContactConfirmsAndIsServedInThreeClicks(t *testing.T) {
	s := newStory(t)
	first := s.issues(issueFor(s.asks(request.New, nil)))
	moved := s.grants(s.moves("jane.doe@customer.example"))
	if old := s.license(first.ID); old.ReplacedBy != moved.ID {
		t.Errorf("got the license before replaced by %q, want %q", old.ReplacedBy, moved.ID)
	}
}

func TestContactSaysYesToAColleague(t *testing.T) {
	s := newStory(t)
	first := s.issues(issueFor(s.asks(request.New, nil)))
	r := s.moves("new.admin@elsewhere.example")
	review := s.reviews(issueFor(r))
	s.wantBarred(review, "No contact of")
	// The system links it and asks the contacts (shared/store/expansion).
	contacts, err := s.store.Contacts(t.Context(), first, customer.Keys)
	s.must(err)
	_, err = s.store.ReceiveRequest(t.Context(), r.ID, first.Customer, first.Instance, contacts...)
	s.must(err)
	wantTexts(t, text(s.get(sam, "/console/requests/"+r.ID).Page()), "no answer yet: jane.doe@customer.example")
	s.must(s.store.AnswerRequest(t.Context(), r.ID, "jane.doe@customer.example", true))
	wantTexts(t, text(s.get(sam, "/console/requests/"+r.ID).Page()), "Proven", "jane.doe@customer.example said yes on",
		"contact said yes: jane.doe@customer.example")
	s.grants(r)
}

func TestNobodyAnswersAndAColleagueVouches(t *testing.T) {
	s := newStory(t)
	first := s.issues(issueFor(s.asks(request.New, nil)))
	r := s.moves("new.admin@elsewhere.example")
	_, err := s.store.ReceiveRequest(t.Context(), r.ID, first.Customer, first.Instance)
	s.must(err)
	s.sends(sam, r, "vouch", set("knows", "Called the number on record.")).WantStatus(303)
	review := s.reviews(issueFor(r)) // who vouched is not the one who issues
	s.wantBarred(review, "You vouched for this request yourself")
	if got := s.license(first.ID); !got.Revoked.IsZero() {
		t.Fatalf("got %+v, want it in force", got)
	}
	s.sends(sam, r, "withdraw-vouch").WantStatus(303)
	clicks := 2 // “Vouch for this request” and “Vouch”
	s.sends(lucia, r, "vouch", set("knows", "Called the number on record.")).WantStatus(303)
	s.grants(r)
	if clicks += 3; clicks > 5 {
		t.Errorf("got %d clicks, want at most five", clicks)
	}
}

func TestContactSaysNo(t *testing.T) {
	s := newStory(t)
	first := s.issues(issueFor(s.asks(request.New, nil)))
	r := s.moves("eve@evil.example")
	_, err := s.store.ReceiveRequest(t.Context(), r.ID, first.Customer, first.Instance, sampleContacts[0])
	s.must(err)
	s.must(s.store.AnswerRequest(t.Context(), r.ID, "jane.doe@customer.example", false))
	doc := s.get(sam, "/console/requests/"+r.ID).Page()
	webtest.CheckPage(t, doc)
	wantTexts(t, webtest.Text(doc.Find(".asker .notice.bad")), "jane.doe@customer.example said no on")
	review := s.reviews(issueFor(r))
	s.wantBarred(review, "said that this request is not theirs")
}

func TestNewCustomerBuysInThreeClicks(t *testing.T) {
	s := newStory(t)
	l := s.grants(s.asks(request.New, nil))
	if a := s.of(l); len(a.Customer.Contacts) != 1 || a.Customer.Contacts[0].Email != "jane.doe@customer.example" {
		t.Errorf("got contacts %+v, want who asked first", a.Customer.Contacts)
	}
	linked := s.asks(request.New, func(d *request.Details) {
		d.Company, d.Email, d.Server, d.Contacts = "Zebra Ltd", "zoe@zebra.example", production2, nil
	})
	s.sends(sam, linked, "link", set("make", "customer")).WantStatus(303) // first put on record, then served
	if a := s.of(s.grants(linked)); a.Customer.Name != "Zebra Ltd" {
		t.Errorf("got customer %q, want Zebra Ltd", a.Customer.Name)
	}
}
