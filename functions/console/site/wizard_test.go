package site

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
	"marketplace/shared/web/webtest"
)

// workshop is a console that can issue licenses and make packages.
type workshop struct {
	*testEnv
	issuer   license.Issuer
	mu       sync.Mutex
	packages []string
}

func newWorkshop(t *testing.T, adjust ...func(*Options)) *workshop {
	t.Helper()
	w := &workshop{issuer: licensetest.Issuer(t)}
	w.testEnv = newTestEnv(t, append(w.options(), adjust...)...)
	return w
}

// newFaultyWorkshop returns a workshop over a table that fails when it is told to.
func newFaultyWorkshop(t *testing.T) (*workshop, *tabletest.Faulty) {
	t.Helper()
	faulty := &tabletest.Faulty{Table: &tabletest.Memory{}}
	w := &workshop{issuer: licensetest.Issuer(t)}
	w.testEnv = newTestEnvOver(t, faulty, w.options()...)
	return w, faulty
}

func (w *workshop) options() []func(*Options) {
	return []func(*Options){func(o *Options) {
		o.Issuer = func() (license.Issuer, error) { return w.issuer, nil }
		o.Packager = w
		o.PackagesURL = "https://packages.vendor.example"
	}}
}

func (w *workshop) MakePackage(_ context.Context, name string, _ []catalog.Jar) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packages = append(w.packages, name)
	return nil
}

// lockedAway fails to sign.
type lockedAway struct{ crypto.Signer }

func (lockedAway) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the key of sam@vendor.example is locked away")
}

// press sends the page's form as a browser does when a button is pressed. It fails if the page has no such button.
func (w *workshop) press(a *webtest.Answer, button string, change ...func(url.Values)) *webtest.Answer {
	w.t.Helper()
	form := a.Page().Find("main form.wizard")
	values := filledIn(form)
	b := form.Find("button").FilterFunction(func(_ int, s *goquery.Selection) bool { return webtest.Text(s) == button })
	if b.Length() != 1 {
		w.t.Fatalf("got no button %q\n%s", button, a.Body)
	}
	values.Set(b.AttrOr("name", ""), b.AttrOr("value", ""))
	for _, c := range change {
		c(values)
	}
	return w.send(sam, form.AttrOr("action", ""), values)
}

// wantBarred fails unless a review says why nobody may issue it, has no button for it, and the server refuses it.
func (w *workshop) wantBarred(review *webtest.Answer, says string) {
	w.t.Helper()
	page := review.Page()
	if got := webtest.Text(page.Find("#barred")); !strings.Contains(got, says) {
		w.t.Errorf("got %q, want it barred with %q", got, says)
	}
	form := page.Find("main form.wizard")
	if n := form.Find("button[value=issue]").Length(); n != 0 {
		w.t.Error("got a button that issues it")
	}
	values := filledIn(form)
	values.Set("step", "issue")
	confirm(review)(values)
	refused := w.send(sam, form.AttrOr("action", ""), values).WantStatus(http.StatusForbidden)
	if got := webtest.Text(refused.Page().Find("#barred")); !strings.Contains(got, says) {
		w.t.Errorf("got %q from the refusal, want %q", got, says)
	}
	if w.get(sam, "/console/licenses/"+values.Get("id")).StatusCode != http.StatusNotFound {
		w.t.Error("got the license issued")
	}
}

// filledIn returns what a browser would send of a form.
func filledIn(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input, textarea, select").Each(func(_ int, s *goquery.Selection) {
		name := s.AttrOr("name", "")
		kind := s.AttrOr("type", "")
		_, checked := s.Attr("checked")
		switch {
		case goquery.NodeName(s) == "textarea":
			values.Add(name, strings.TrimPrefix(s.Text(), "\n"))
		case goquery.NodeName(s) == "select":
			chosen := s.Find("option[selected]")
			if chosen.Length() == 0 {
				chosen = s.Find("option").First()
			}
			values.Add(name, chosen.AttrOr("value", ""))
		case kind != "radio" && kind != "checkbox" || checked:
			values.Add(name, s.AttrOr("value", ""))
		}
	})
	return values
}

// confirm ticks every warning of a review.
func confirm(a *webtest.Answer) func(url.Values) {
	return func(values url.Values) {
		value := func(_ int, s *goquery.Selection) string { return s.AttrOr("value", "") }
		values["confirm"] = a.Page().Find("#warnings input").Map(value)
	}
}

func set(name string, value ...string) func(url.Values) {
	return func(values url.Values) { values[name] = value }
}

// issued returns the license that an answer redirects to.
func (w *workshop) issued(a *webtest.Answer) license.License {
	w.t.Helper()
	to := a.WantStatus(http.StatusSeeOther).Header.Get("Location")
	id, ok := strings.CutPrefix(strings.TrimSuffix(to, "?done=issue"), "/console/licenses/")
	if !ok {
		w.t.Fatalf("got location %s, want a license", to)
	}
	r, err := w.store.License(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.License
}

// nothingIssued fails if an instance has the server, or if there is another number of pending emails.
func (w *workshop) nothingIssued(mails int) {
	w.t.Helper()
	d, err := w.store.Dataset(w.t.Context(), sampleDetails.Server)
	if err != nil || len(d.Instances) > 0 || len(w.pendingMails()) != mails {
		w.t.Errorf("got %d instances, emails %v, %v, want nothing issued", len(d.Instances), w.pendingMails(), err)
	}
}

func TestOrdinaryRequestIsIssuedInTwoClicks(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	form := w.get(sam, "/console/requests/"+r.ID+"/issue").WantStatus(200)
	review := w.press(form, "Review").WantStatus(200)
	if warnings := review.Page().Find("#warnings"); warnings.Length() > 0 {
		t.Errorf("got warnings %q, want none", webtest.Text(warnings))
	}
	read := webtest.Text(review.Page().Find("main"))
	for _, want := range []string{
		"Customer & Sons", "AWHW8w9JtzBzSrmf9GQX", "Developer Edition", "up to 250'000", "04 Mar 2019",
		"jane.doe@customer.example", "No earlier license for this instance.",
	} {
		if !strings.Contains(read, want) {
			t.Errorf("got a review without %q", want)
		}
	}
	w.nothingIssued(2)
	preview := review.Page().Find("pre.mail").Text()
	if !strings.Contains(preview, "\n"+mail.Greeting(sampleDetails.Name)+"\n") {
		t.Errorf("got a preview without a greeting for %s:\n%s", sampleDetails.Name, preview)
	}
	l := w.issued(w.press(review, "Issue and send"))
	if _, err := license.Verify(l.KeyText, w.issuer.Keys); err != nil {
		t.Error(err)
	}
	page := w.get(sam, "/console/licenses/"+l.ID+"?done=issue").WantStatus(200).Page()
	page = w.get(sam, page.Find("#key-title ~ p a").First().AttrOr("href", "")).WantStatus(200).Page()
	if got := page.Find("pre.key").Text(); got != l.KeyText {
		t.Errorf("got key %q on the page, want %q", got, l.KeyText)
	}
	m := w.letter(l.ID + "--key")
	if string(m.Attachments[0].Data) != l.KeyText+"\n" || m.To.Email != "jane.doe@customer.example" {
		t.Errorf("got email %+v", m)
	}
	if now, err := w.store.Request(t.Context(), r.ID); err != nil || now.State != request.Issued ||
		now.Licenses[0] != l.ID {
		t.Errorf("got request %+v, %v", now, err)
	}
	events, _, err := w.store.LicenseTimeline(t.Context(), l)
	if err != nil || !strings.HasPrefix(events[0].By, "sam@") {
		t.Errorf("got first event %+v, %v", events[0], err)
	}
}

func TestRepeatedIssueIssuesOnce(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	form := w.get(sam, "/console/requests/"+r.ID+"/issue")
	review := w.press(form, "Review")
	values := filledIn(review.Page().Find("main form.wizard"))
	values.Set("step", "issue")
	var wg sync.WaitGroup
	var led sync.Map
	for range 6 {
		wg.Go(func() {
			a := w.send(sam, "/console/requests/"+r.ID+"/issue", values)
			led.Store(a.Header.Get("Location"), a.StatusCode)
		})
	}
	wg.Wait()
	n := 0
	led.Range(func(to, status any) bool {
		n++
		if status != http.StatusSeeOther {
			t.Errorf("got status %v and location %v, want a redirect", status, to)
		}
		return true
	})
	l := w.issued(w.press(review, "Issue and send")) // from the form that the browser still has
	a, err := w.store.Account(t.Context(), l.Customer)
	if err != nil || n != 1 || len(a.Instances) != 1 || len(a.Contracts) != 1 || len(w.pendingMails()) != 3 ||
		len(a.Instances[0].Licenses) != 1 {
		t.Errorf("got %d answers, account %+v, emails %v, %v, want one of each", n, a, w.pendingMails(), err)
	}
}

func TestSecondOperatorSeesWhoIssuedTheLicense(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	form := w.get(lucia, "/console/requests/"+r.ID+"/issue")
	mine := w.press(w.get(sam, "/console/requests/"+r.ID+"/issue"), "Review")
	yours := w.press(form, "Review")
	l := w.issued(w.press(mine, "Issue and send"))
	for i, told := range []*webtest.Answer{
		w.press(yours, "Issue and send"), w.press(yours, "Edit"), w.press(form, "Review"),
		w.get(lucia, "/console/requests/"+r.ID+"/issue"),
	} {
		page := told.WantStatus(http.StatusConflict).Page()
		trouble := page.Find("[role=alert]")
		for _, want := range []string{
			"The request is issued", "· sam@vendor.example, 05 Mar 2018",
		} {
			if got := webtest.Text(trouble); !strings.Contains(got, want) {
				t.Errorf("got %q, want it to contain %q", got, want)
			}
		}
		posted := i < 3
		if got := webtest.Text(trouble); strings.Contains(got, "Your change was not saved.") != posted {
			t.Errorf("got %q, want the sentence about the change: %t", got, posted)
		}
		if trouble.Find("a[href='/console/licenses/"+l.ID+"']").Length() != 1 ||
			webtest.Text(page.Find("h1")) != r.Company {
			t.Errorf("got a page without links to the license and the request\n%s", told.Body)
		}
	}
	if n := len(w.pendingMails()); n != 3 {
		t.Errorf("got %d emails, want 3", n)
	}
}

func TestWizardSaysWhoRevokedTheLicense(t *testing.T) {
	w := newWorkshop(t)
	w.record(sampleLicense("l1", license.Date{Year: 2018, Month: 4, Day: 30}))
	review := w.press(w.get(sam, "/console/licenses/l1/renew"), "Review")
	pack := filledIn(w.get(sam, "/console/licenses/l1/packages").Page().Find("main form"))
	change := store.LicenseChange{ID: "l1", Version: 1, By: "lucia@vendor.example"}
	if err := w.store.RevokeLicense(t.Context(), change, "not paid"); err != nil {
		t.Fatal(err)
	}
	for _, told := range []*webtest.Answer{
		w.press(review, "Issue and send", confirm(review)), w.get(sam, "/console/licenses/l1/renew"),
		w.get(sam, "/console/licenses/l1/replace"),
		w.get(sam, "/console/licenses/l1/packages"), w.send(sam, "/console/licenses/l1/packages", pack),
	} {
		page := told.WantStatus(http.StatusConflict).Page()
		got := webtest.Text(page.Find("[role=alert]"))
		if !strings.Contains(got, "· lucia@vendor.example") || !strings.Contains(got, "not paid") {
			t.Errorf("got %q", got)
		}
		if webtest.Text(page.Find("h1")) != "Customer & Sons" {
			t.Errorf("got another page than the license's\n%s", told.Body)
		}
	}
}

func TestChangedRequestIsReviewedAgain(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	review := w.press(w.get(sam, "/console/requests/"+r.ID+"/issue"), "Review")
	change := store.Review{ID: r.ID, Version: r.Version, By: "lucia@vendor.example", To: request.InReview}
	if _, err := w.store.Review(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	again := w.press(review, "Issue and send").WantStatus(http.StatusConflict)
	got := webtest.Text(again.Page().Find("[role=alert]"))
	if !strings.Contains(got, "Something changed since your review") {
		t.Errorf("got %q", got)
	}
	w.nothingIssued(2)
	w.issued(w.press(again, "Issue and send"))
}

// TestIssuingReadsTheCatalogOnce holds that a POST works out one draft, also when its review is shown again.
func TestIssuingReadsTheCatalogOnce(t *testing.T) {
	reads := 0
	w := newWorkshop(t, func(o *Options) {
		o.Catalog = func() (*catalog.Catalog, error) { reads++; return sampleCatalog() }
	})
	r := w.file(sampleDetails)
	form := w.get(sam, "/console/requests/"+r.ID+"/issue")
	review := w.press(form, "Review")
	signer := w.issuer.Signers["prod-1"]
	w.issuer.Signers["prod-1"] = lockedAway{signer}
	reads = 0
	failed := w.press(review, "Issue and send").WantStatus(http.StatusServiceUnavailable)
	if reads != 1 {
		t.Errorf("got %d reads of the catalog for a review shown again, want 1", reads)
	}
	w.issuer.Signers["prod-1"] = signer
	reads = 0
	w.issued(w.press(failed, "Issue and send"))
	if reads != 1 {
		t.Errorf("got %d reads of the catalog for an issue, want 1", reads)
	}
}

func TestEveryWarningMustBeTicked(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	form := w.get(sam, "/console/requests/"+r.ID+"/issue")
	review := w.press(form, "Review", set("maxLoc", "100000"), set("expiration", "2020-01-01")).WantStatus(200)
	if n := review.Page().Find("#warnings input[required]").Length(); n != 2 {
		t.Fatalf("got %d warnings, want 2", n)
	}
	again := w.press(review, "Issue and send", set("confirm", "long-term")).WantStatus(http.StatusUnprocessableEntity)
	if got, _ := again.Page().Find("#confirm-long-term").Attr("checked"); got != "" {
		t.Errorf("got checked=%q, want the attribute alone", got)
	}
	if ticked := again.Page().Find("#warnings input[checked]").Length(); ticked != 1 {
		t.Errorf("got %d ticked warnings, want 1", ticked)
	}
	w.nothingIssued(2)
	if l := w.issued(w.press(again, "Issue and send", confirm(again))); l.MaxLoc != 100_000 {
		t.Errorf("got license %+v", l)
	}
}

func TestEditKeepsTheForm(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	form := w.get(sam, "/console/requests/"+r.ID+"/issue")
	var typed url.Values
	review := w.press(form, "Review",
		set("organization", `Žluťoučký & "Söhne" <b>`), set("languages", "cobol", "rpg"), set("support", "yes"),
		set("to", "other"), set("email", "it@customer.example"), set("name", "Žofie"), set("tailored", "yes"),
		set("addContacts", "john@customer.example"), set("addDomain", "yes"), set("stagingCount", "2"),
		set("contractLast", "2021-03-04"), func(v url.Values) { typed = v },
	).WantStatus(200)
	back := w.press(review, "Edit").WantStatus(200)
	got := filledIn(back.Page().Find("main form.wizard"))
	typed.Del("step")
	if !reflect.DeepEqual(got, typed) {
		t.Errorf("got\n%v, want\n%v", got, typed)
	}
	l := w.issued(w.press(review, "Issue and send"))
	a, err := w.store.Account(t.Context(), l.Customer)
	if err != nil || len(a.Customer.Contacts) != 2 || !slices.Equal(a.Customer.Domains, []string{"customer.example"}) ||
		a.Contracts[0].Staging != 2 || a.Contracts[0].Last != day("2021-03-04") {
		t.Errorf("got account %+v, %v, want contacts, domain and contract as typed", a, err)
	}
	if l.Organization != `Žluťoučký & "Söhne" <b>` || !slices.Contains(l.Plugins, "cobol") || len(l.Packages) != 1 ||
		!slices.Equal(w.packages, l.Packages) {
		t.Errorf("got license %+v", l)
	}
	m := w.letter(l.ID + "--key")
	if !strings.Contains(m.Text, "https://packages.vendor.example/tailored/"+l.Packages[0]) {
		t.Errorf("got email without a link to the package:\n%s", m.Text)
	}
}

func TestWrongFieldsKeepTheirValues(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	form := w.get(sam, "/console/requests/"+r.ID+"/issue")
	again := w.press(form, "Review", set("serverId", "short"), set("maxLoc", ""), set("expiration", "2018-02-30"),
		set("languages", "klingon"), set("type", "")).
		WantStatus(http.StatusUnprocessableEntity)
	page := again.Page()
	var named []string
	page.Find("#errors a").Each(func(_ int, s *goquery.Selection) {
		id := strings.TrimPrefix(s.AttrOr("href", ""), "#")
		named = append(named, id)
		if page.Find("[id="+id+"]").Length() != 1 {
			t.Errorf("got a link to #%s, want its field on the page", id)
		}
	})
	want := []string{"type-EVALUATION", "serverId", "maxLoc", "expiration", "languages-abap"}
	if !slices.Equal(named, want) {
		t.Errorf("got fields %v, want %v", named, want)
	}
	if got := page.Find("#serverId").AttrOr("value", ""); got != "short" {
		t.Errorf("got server ID %q, want it as typed", got)
	}
	w.nothingIssued(2)
}

func TestFailedSignerKeepsTheReview(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	review := w.press(w.get(sam, "/console/requests/"+r.ID+"/issue"), "Review")
	signer := w.issuer.Signers["prod-1"]
	w.issuer.Signers["prod-1"] = lockedAway{signer}
	failed := w.press(review, "Issue and send").WantStatus(http.StatusServiceUnavailable)
	if got := webtest.Text(failed.Page().Find("[role=alert]")); !strings.Contains(got, "nothing was issued or sent") {
		t.Errorf("got %q", got)
	}
	if strings.Contains(failed.Body, "locked away") || !strings.Contains(w.log.String(), "locked away") ||
		strings.Contains(w.log.String(), "sam@") {
		t.Errorf("got log %s, want the cause in it, without addresses, and not on the page", w.log)
	}
	w.nothingIssued(2)
	w.issuer.Signers["prod-1"] = signer
	w.issued(w.press(failed, "Issue and send"))
}

func TestWizardEscapesHostileText(t *testing.T) {
	w := newWorkshop(t)
	d := sampleDetails
	d.Company, d.Message, d.Name = `"><script>alert(1)</script>`, "<img src=x onerror=alert(1)>", `<b onclick="x">`
	r := w.file(d)
	form := w.get(sam, "/console/requests/"+r.ID+"/issue").WantStatus(200)
	review := w.press(form, "Review").WantStatus(200)
	for _, a := range []*webtest.Answer{form, review} {
		if n := a.Page().Find(webtest.ForeignScript + ", img, main b[onclick]").Length(); n > 0 {
			t.Errorf("got %d elements from the customer's text\n%s", n, a.Body)
		}
		if got := a.Page().Find("input[name=organization]").AttrOr("value", ""); got != d.Company {
			t.Errorf("got organization %q, want it as typed", got)
		}
	}
	if l := w.issued(w.press(review, "Issue and send")); l.Organization != d.Company {
		t.Errorf("got organization %q", l.Organization)
	}
}

func TestLicenseIsRenewedReplacedAndIssuedWithoutRequest(t *testing.T) {
	w := newWorkshop(t)
	w.record(sampleLicense("l1", license.Date{Year: 2018, Month: 4, Day: 30}))
	review := w.press(w.get(sam, "/console/licenses/l1/renew").WantStatus(200), "Review").WantStatus(200)
	if got := webtest.Text(review.Page().Find(".differences")); !strings.Contains(got, "30 Apr 2019365 days later") {
		t.Errorf("got differences %s", got)
	}
	next := w.issued(w.press(review, "Issue and send", confirm(review)))
	if old, err := w.store.License(t.Context(), "l1"); err != nil || old.License.Successor != next.ID {
		t.Errorf("got old license %+v, %v", old, err)
	}

	form := w.get(sam, "/console/licenses/"+next.ID+"/replace").WantStatus(200)
	review = w.press(form, "Review", set("serverId", "BF41A1F2-AWHW8w9JtzBzSrmf9GQX")).WantStatus(200)
	got := webtest.Text(review.Page().Find("main"))
	if !strings.Contains(got, "It will be revoked when you issue this one.") {
		t.Errorf("got %q, want it to say what will be revoked", got)
	}
	w.wantBarred(review, "File it as a request first.")
	moved := sampleDetails
	moved.Kind, moved.Replaces, moved.Environment, moved.OldServer = request.Replacement, string(moved.Server),
		request.ProductionUse, request.OldStopped
	moved.Server = "BF41A1F2-AWHW8w9JtzBzSrmf9GQX"
	form = w.get(sam, "/console/requests/"+w.file(moved).ID+"/issue").WantStatus(200)
	review = w.press(form, "Review").WantStatus(200)
	replaced := w.issued(w.press(review, "Issue and send", confirm(review)))
	w.get(sam, "/console/licenses/"+next.ID+"/replace").WantStatus(http.StatusConflict)

	form = w.get(sam, "/console/licenses/new?serverId=AWHW8w9JtzBzSrmf9NEW").WantStatus(200)
	review = w.press(form, "Review", set("organization", "New Ltd"), set("edition", "community"),
		set("maxLoc", "100000"), set("email", "it@new.example"), set("type", "EVALUATION"),
	).WantStatus(200)
	l := w.issued(w.press(review, "Issue and send", confirm(review)))
	if l.Server != "AWHW8w9JtzBzSrmf9NEW" || !slices.Equal(l.Plugins, []string{"license"}) || l.Request != "" ||
		replaced.ID == l.ID {
		t.Errorf("got license %+v", l)
	}
	w.get(sam, "/console/licenses/none/renew").WantStatus(http.StatusNotFound)
	w.get(sam, "/console/requests/none/issue").WantStatus(http.StatusNotFound)
}

// choices returns the choices of a field: values with what people read.
func choices(a *webtest.Answer, name string) map[string]string {
	found := map[string]string{}
	page := a.Page()
	page.Find("select[name=" + name + "] option").Each(func(_ int, s *goquery.Selection) {
		found[s.AttrOr("value", "")] = webtest.Text(s)
	})
	page.Find("input[name=" + name + "]").Each(func(_ int, s *goquery.Selection) {
		found[s.AttrOr("value", "")] = webtest.Text(s.Parent())
	})
	return found
}

// chosen returns the value that a field of the form has.
func chosen(a *webtest.Answer, name string) string {
	return filledIn(a.Page().Find("main form.wizard")).Get(name)
}

func TestCustomersAreOfferedWithTheReason(t *testing.T) {
	w := newWorkshop(t)
	kept := sampleLicense("l1", day("2018-04-30"))
	w.record(kept)
	named := sampleLicense("l2", day("2018-04-30"))
	named.Organization, named.Server = "Customer und Sons GmbH", "AWHW8w9JtzBzSrmf9GQ2"
	w.record(named, license.Contact{Email: "it@elsewhere.example"})
	d := sampleDetails
	d.Kind = request.Renewal
	form := w.get(sam, "/console/requests/"+w.file(d).ID+"/issue").WantStatus(200)
	first, second := storetest.CustomerID(kept.Organization), storetest.CustomerID(named.Organization)
	offered := choices(form, "customer")
	for id, want := range map[string]string{
		first:  "has this server; a contact sent it; similar name",
		second: "similar name", "new": "New customer", "other": "Another customer",
	} {
		if !strings.HasSuffix(offered[id], want) {
			t.Errorf("got %q, want %q", offered[id], want)
		}
	}
	if chosen(form, "customer") != first || len(offered) != 4 {
		t.Errorf("got customer %q of %q, want the one with the server", chosen(form, "customer"), offered)
	}
	record := webtest.Text(form.Page().Find(".record"))
	for _, want := range []string{
		"Renewal, R-", "Customer & Sons, C-", "through 30 Apr 2018",
		"Developer, 200'000 lines, through 30 Apr 2018, 1 of 1 production, 0 of 0 staging used",
	} {
		if !strings.Contains(record, want) {
			t.Errorf("got what is on record %q, want %q in it", record, want)
		}
	}
	link := form.Page().Find(".record a[href^='/console/customers/']")
	if webtest.Text(link) != "Customer & Sons" {
		t.Errorf("got link %q, want the customer's", webtest.Text(link))
	}
}

func TestUpdateFillsInForAnotherCustomer(t *testing.T) {
	w := newWorkshop(t)
	l := w.record(sampleLicense("l1", day("2018-04-30"))).License
	a, err := w.store.Account(t.Context(), l.Customer)
	if err != nil {
		t.Fatal(err)
	}
	d := sampleDetails
	d.Company, d.Email, d.Server = "Initech", "bill@initech.example", "AWHW8w9JtzBzSrmf9GQ2"
	form := w.get(sam, "/console/requests/"+w.file(d).ID+"/issue").WantStatus(200)
	if chosen(form, "customer") != "new" || form.Page().Find("#instance option").Length() != 1 {
		t.Errorf("got customer %q, want a new one without instances", chosen(form, "customer"))
	}
	other := []func(url.Values){set("customer", "other"),
		set("customerReference", " "+strings.ToLower(string(a.Contracts[0].Reference))+". ")}
	// A review would be of what the page does not show.
	for button, note := range map[string]int{"Update": 0, "Review": 1} {
		next := w.press(form, button, other...).WantStatus(200)
		if chosen(next, "customer") != l.Customer || chosen(next, "organization") != "Customer & Sons" ||
			next.Page().Find("#refreshed").Length() != note {
			t.Errorf("%s: got form %v, want it filled in for the customer", button,
				filledIn(next.Page().Find("form.wizard")))
		}
		instances, contracts := choices(next, "instance"), choices(next, "contract")
		if got := instances[l.Instance]; got != "Production AWHW8w9JtzBzSrmf9GQX, production through 30 Apr 2018" {
			t.Errorf("%s: got instance %q", button, got)
		}
		k := a.Contracts[0]
		for value, want := range map[string]string{
			"under:" + k.ID: string(k.Reference) + ": Developer, 200'000 lines, through 30 Apr 2018, " +
				"1 of 1 production, 0 of 0 staging used",
			"renew:" + k.ID:  "Renew " + string(k.Reference) + " with these terms",
			"change:" + k.ID: "Change " + string(k.Reference) + " to these terms", "new": "New contract",
		} {
			if contracts[value] != want {
				t.Errorf("%s: got contract %q, want %q", button, contracts[value], want)
			}
		}
		w.press(next, "Review").WantStatus(200).Page().Find("#warnings")
	}
	wrong := w.press(form, "Update", set("customer", "other"), set("customerReference", "C-000000"))
	page := wrong.WantStatus(http.StatusUnprocessableEntity).Page()
	if got := webtest.Text(page.Find("#errors")); !strings.Contains(got, "There is no customer C-000000") ||
		page.Find("#customerReference").AttrOr("value", "") != "C-000000" || chosen(wrong, "customer") != "other" {
		t.Errorf("got %q, want the reference refused and kept", got)
	}
	w.nothingIssuedFor(d.Server)
}

// nothingIssuedFor fails if an instance has the server.
func (w *workshop) nothingIssuedFor(server license.Server) {
	w.t.Helper()
	if d, err := w.store.Dataset(w.t.Context(), server); err != nil || len(d.Instances) > 0 {
		w.t.Errorf("got %d instances, %v, want nothing issued", len(d.Instances), err)
	}
}

func TestAnotherContractListsItsInstances(t *testing.T) {
	s := newStory(t)
	first := s.sells()
	form := s.get(sam, "/console/licenses/"+first.ID+"/replace").WantStatus(200)
	if form.Page().Find("[name=follow]").Length() != 0 {
		t.Error("got instances along with a replacement")
	}
	next := s.press(form, "Review", set("contract", "renew:"+first.Contract)).WantStatus(200)
	if got := choices(next, "follow"); len(got) != 4 || next.Page().Find("#refreshed").Length() != 1 {
		t.Errorf("got instances %q, want the other four of the contract", got)
	}
}

func TestIssueForCustomer(t *testing.T) {
	w := newWorkshop(t)
	l := w.record(sampleLicense("l1", day("2018-04-30"))).License
	a, err := w.store.Account(t.Context(), l.Customer)
	if err != nil {
		t.Fatal(err)
	}
	path := customerPage(a.Customer) + "/issue"
	form := w.get(sam, strings.ToLower(path)).WantStatus(200)
	if got := webtest.Text(form.Page().Find("h1")); got != "Issue a license for Customer & Sons" ||
		form.Page().Find("input[name=customer][type=radio]").Length() != 0 {
		t.Errorf("got %q, want the form without a choice of customers", got)
	}
	review := w.press(form, "Review", set("serverId", "AWHW8w9JtzBzSrmf9GQ2"), set("edition", "developer"),
		set("maxLoc", "250000"), set("stagingCount", "0")).WantStatus(200)
	issued := w.issued(w.press(review, "Issue and send", confirm(review)))
	if issued.Customer != l.Customer || issued.Instance == l.Instance || issued.Contract == l.Contract {
		t.Errorf("got license %+v, want one of a new instance under a new contract", issued)
	}
	for _, path := range []string{"/console/customers/C-000000/issue", "/console/customers/none/issue",
		path + "?contract=K-000000"} {
		w.get(sam, path).WantStatus(http.StatusNotFound)
	}
	w.get(vera, path).WantStatus(http.StatusForbidden)
}

func TestReviewShowsTheDifferencesOfEachLicense(t *testing.T) {
	s := newStory(t)
	first := s.sells()
	s.advance(330 * 24 * time.Hour)
	alike := s.reviews(renew(first))
	if n := alike.Page().Find("table.licenses tbody tr").Length(); n != 5 {
		t.Errorf("got %d rows, want one for each license", n)
	}
	text := webtest.Text(alike.Page().Find("section[aria-labelledby=difference-title] > p"))
	if want := "Valid through: 04 Mar 2019 → 04 Mar 2020 (366 days later)."; !strings.Contains(text, want) {
		t.Errorf("got %q, want what all have in common: %q", text, want)
	}

	ahead := s.issued(s.press(alike, "Issue and send", confirm(alike)))
	s.advance(24 * time.Hour)
	mixed := s.reviews("/console/licenses/"+first.ID+"/upgrade", set("maxLoc", "1000000"))
	rows := mixed.Page().Find("table.licenses tbody tr")
	for n := range rows.Length() {
		got := webtest.Text(rows.Eq(n))
		if !strings.Contains(got, "Lines of code: 250'000 → 1'000'000 (750'000 more)") ||
			!strings.Contains(got, "previous license will be revoked") {
			t.Errorf("got row %q, want its difference and what is revoked", got)
		}
	}
	record := webtest.Text(mixed.Page().Find("section[aria-labelledby=record-title]"))
	for _, want := range []string{
		"Change of contract K-", "Lines of code: 250'000 1'000'000 (750'000 more)", "Licenses revoked",
	} {
		if !strings.Contains(record, want) {
			t.Errorf("got %q, want %q", record, want)
		}
	}
	if rows.Length() != 10 || ahead.Contract == first.Contract {
		t.Errorf("got %d rows, want both terms of five instances", rows.Length())
	}
}

func TestReviewSaysThatASmallerRenewalBeginsLater(t *testing.T) {
	w := newWorkshop(t)
	w.record(sampleLicense("l1", day("2018-04-30")))
	form := w.get(sam, "/console/licenses/l1/renew").WantStatus(200)
	review := w.press(form, "Review", set("maxLoc", "100000")).WantStatus(200)
	text := webtest.Text(review.Page().Find("#start-moved"))
	if !strings.Contains(text, "begins the day after the current one ends") ||
		!strings.Contains(webtest.Text(review.Page().Find("section[aria-labelledby=license-0]")), "01 May 2018") {
		t.Errorf("got %q, want the moved start", text)
	}
	if w.press(form, "Review").WantStatus(200).Page().Find("#start-moved").Length() != 0 {
		t.Error("got a moved start for the same terms")
	}
}

func TestReviewListsWhatChangesBesides(t *testing.T) {
	w := newWorkshop(t)
	trial := sampleLicense("e1", day("2018-03-31"))
	trial.Type, trial.Server = license.Evaluation, "AWHW8w9JtzBzSrmf9GQ2"
	w.record(trial)
	w.record(sampleLicense("l1", day("2018-04-30")))
	d := sampleDetails
	d.Kind, d.Email, d.Name = request.Renewal, "new@customer.example", "Nina New"
	r := w.file(d)
	w.must(w.store.VouchFor(t.Context(), store.RequestChange{ID: r.ID, By: emails[lucia]}, request.Vouch{
		Customer: w.license("l1").License.Customer, Licenses: []string{"l1"}, Server: "BF41A1F2-AWHW8w9JtzBzSrmf9GQX",
		Email: d.Email, Note: "Called the number on record.",
	}))
	form := w.get(sam, "/console/requests/"+r.ID+"/issue").WantStatus(200)
	review := w.press(form, "Review", set("to", "new@customer.example"), set("addContacts", "recipient"),
		set("addDomain", "yes"), set("mute", "e1"), set("serverId", "BF41A1F2-AWHW8w9JtzBzSrmf9GQX")).WantStatus(200)
	text := webtest.Text(review.Page().Find("section[aria-labelledby=record-title]"))
	for _, want := range []string{
		"CustomerCustomer & Sons", "New contactsNina New, new@customer.example", "New mail domaincustomer.example",
		"Production server IDAWHW8w9JtzBzSrmf9GQX → BF41A1F2-AWHW8w9JtzBzSrmf9GQX",
		"Reminders endedAWHW8w9JtzBzSrmf9GQ2",
		"Renewal of contract K-",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
	w.issued(w.press(review, "Issue and send", confirm(review)))
	if l, err := w.store.License(t.Context(), "e1"); err != nil || !l.License.Mute.On(license.DateOf(start)) {
		t.Errorf("got evaluation %+v, %v, want its reminders ended", l.License, err)
	}
}

func TestPartlyIssuedIsContinued(t *testing.T) {
	w, table := newFaultyWorkshop(t)
	s := story{w}
	first := s.issues(issueFor(s.asks(request.New, nil)), set("productionCount", "6"), set("stagingCount", "24"))
	a := s.of(first)
	production := first.Instance
	for n := range 29 { // more than one transaction can renew
		l := first
		l.ID, l.Request, l.Server = "", "", license.Server(fmt.Sprintf("DWHW8w9JtzBzSrmf9F%02d", n))
		l.Instance = fmt.Sprintf("instance%02d", n)
		i := customer.Instance{
			ID: l.Instance, Customer: l.Customer, Environment: request.StagingUse, Production: production,
			Servers: []customer.ServerID{{Server: l.Server, Told: *w.now}}, Created: *w.now,
		}
		if l.Type = license.Staging; n%5 == 4 {
			l.Type, i.Environment, i.Production, production = license.Production, request.ProductionUse, "", i.ID
		}
		l.ID = store.NewID(*w.now)
		w.must(w.store.IssueLicenses(t.Context(), store.Issue{Licenses: []license.License{l},
			Instances: []customer.Instance{i}, By: "import", Imported: true}))
	}
	review := s.reviews(renew(first))
	transacts := 0
	table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			transacts++
		}
		if transacts > 3 { // the whole, which is too large, the contract, and a batch
			return tabletest.Down
		}
		return tabletest.Fault{}
	}
	partly := w.press(review, "Issue and send", confirm(review))
	table.Fault = nil
	if partly.StatusCode == http.StatusSeeOther {
		t.Fatal("got it issued, want it to end between its transactions")
	}
	if partly = w.press(review, "Issue and send", confirm(review)); partly.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("got status %d, want what was issued so far\n%s", partly.StatusCode,
			webtest.Text(partly.Page().Find("main")))
	}
	page := partly.Page()
	if got := webtest.Text(page.Find("h1")); !strings.HasSuffix(got, "licenses issued so far") {
		t.Errorf("got %q, want how many were issued", got)
	}
	more := page.Find("a.button").First()
	if webtest.Text(more) != "Issue the missing keys" {
		t.Fatalf("got button %q", webtest.Text(more))
	}
	l := s.issues(more.AttrOr("href", ""))
	now := s.of(l)
	missing := now.Outstanding(l.Contract, license.DateOf(*w.now))
	if len(now.Contracts) != 2 || len(missing) != 0 || len(a.Contracts) != 1 {
		t.Errorf("got account %+v, want nothing missing", now.Contracts)
	}
	for _, i := range now.Instances {
		if len(i.Licenses) != 2 || i.Licenses[0].Successor != i.Licenses[1].ID {
			t.Errorf("got licenses %+v of %s, want one that renews the other", i.Licenses, i.Server())
		}
	}
}

func TestRepeatedPackageFormMakesOnePackage(t *testing.T) {
	w := newWorkshop(t)
	l := sampleLicense("l1", license.Date{Year: 2018, Month: 8, Day: 31})
	l.Plugins = []string{"license", "branch", "developer", "cpp", "swift", "vbnet", "abap", "plsql", "tsql", "cobol"}
	w.record(l)
	page := w.get(sam, "/console/licenses/l1/packages").WantStatus(200).Page()
	values := filledIn(page.Find("main form"))
	if !slices.Equal(values["plugins"], []string{"cobol"}) || values.Get("productVersion") != "7.1" {
		t.Errorf("got form %v", values)
	}
	for range 2 {
		w.send(sam, "/console/licenses/l1/packages", values).WantRedirect("/console/licenses/l1/packages?done=package")
	}
	now, err := w.store.License(t.Context(), "l1")
	if err != nil || len(now.License.Packages) != 1 || len(w.packages) != 1 {
		t.Fatalf("got packages %v, made %v, %v, want one", now.License.Packages, w.packages, err)
	}
	link := w.get(sam, "/console/licenses/l1/packages?done=package").Page().Find("ul.packages a").AttrOr("href", "")
	if link != "https://packages.vendor.example/tailored/"+w.packages[0] {
		t.Errorf("got link %q", link)
	}

	values.Set("token", strings.Repeat("a", 26))
	w.send(sam, "/console/licenses/l1/packages", values).WantStatus(http.StatusConflict) // somebody made one meanwhile
	for _, bad := range []struct{ name, value string }{
		{"productVersion", "9.9"}, {"plugins", "governance"}, {"token", "../../etc"},
	} {
		values := filledIn(w.get(sam, "/console/licenses/l1/packages").Page().Find("main form"))
		values.Set(bad.name, bad.value)
		w.send(sam, "/console/licenses/l1/packages", values).WantStatus(http.StatusUnprocessableEntity)
	}
	if len(w.packages) != 1 {
		t.Errorf("got packages %v, want one", w.packages)
	}
}

func TestIssuingNeedsTheSalesRole(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	review := w.press(w.get(sam, "/console/requests/"+r.ID+"/issue"), "Review")
	values := filledIn(review.Page().Find("main form.wizard"))
	values.Set("step", "issue")
	for _, who := range []string{vera, ""} {
		w.send(who, "/console/requests/"+r.ID+"/issue", values).WantStatus(http.StatusForbidden)
	}
	a := w.as(sam).Do("POST", "/console/requests/"+r.ID+"/issue", values.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	a.WantStatus(http.StatusForbidden)
	w.nothingIssued(2)
}

func TestEnterKeyReviewsThenIssues(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	form := w.get(sam, "/console/requests/"+r.ID+"/issue")
	if got := form.Page().Find("form.wizard button").First().AttrOr("value", ""); got != "review" {
		t.Errorf("got %q for Enter in the form, want review", got)
	}
	if got := w.press(form, "Review").Page().Find("form.wizard button").First().AttrOr("value", ""); got != "issue" {
		t.Errorf("got %q for Enter in the review, want issue", got)
	}
}

func TestReviewFromYesterdayIsReviewedAgain(t *testing.T) {
	w := newWorkshop(t)
	r := w.file(sampleDetails)
	review := w.press(w.get(sam, "/console/requests/"+r.ID+"/issue"), "Review")
	*w.now = time.Date(2018, 3, 5, 23, 59, 59, 0, time.UTC)
	w.advance(time.Second)
	w.press(review, "Issue and send").WantStatus(http.StatusConflict)
}
