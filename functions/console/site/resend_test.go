package site

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web/webtest"
)

// lost files a request for the lost key of the sample server.
func (w *testEnv) lost(change ...func(*request.Details)) request.Request {
	w.t.Helper()
	d := sampleDetails
	d.Kind, d.Replaces, d.OldServer = request.Replacement, string(d.Server), request.OldSame
	d.Environment = request.ProductionUse
	for _, c := range change {
		c(&d)
	}
	return w.file(d)
}

// resendForm returns the form that resends a key, as it is filled in; nil if the request's page has none.
func (w *testEnv) resendForm(who string, r request.Request) (action string, values url.Values) {
	w.t.Helper()
	form := w.get(who, "/console/requests/"+r.ID).WantStatus(200).Page().Find("form[action*='/resend']")
	if form.Length() == 0 {
		return "", nil
	}
	return form.AttrOr("action", ""), filledIn(form.First())
}

func TestLostKeyGoesToContactsOnly(t *testing.T) {
	w := newTestEnv(t)
	w.record(sampleLicense("l1", day("2018-08-31")))
	other := sampleLicense("l2", day("2018-08-31"))
	other.Organization, other.Server = "Globex", "AWHW8w9JtzBzSrmf9GQ2"
	w.record(other, license.Contact{Email: "gil@globex.example"})
	r := w.lost()
	action, form := w.resendForm(sam, r)
	offered := w.get(sam, "/console/requests/"+r.ID).Page().Find("form[action*='/resend'] option").Map(
		func(_ int, s *goquery.Selection) string { return s.AttrOr("value", "") })
	if strings.Join(offered, " ") != "jane.doe@customer.example john@customer.example" ||
		form.Get("to") != "jane.doe@customer.example" {
		t.Errorf("got recipients %q and %q, want the contacts, the requester selected", offered, form.Get("to"))
	}
	for name, wrong := range map[string]func(url.Values){
		"a stranger":               set("to", "eve@else.example"),
		"another server's":         func(v url.Values) { v.Set("license", "l2"); v.Set("to", "gil@globex.example") },
		"another server's to Jane": set("license", "l2"),
		"no license":               set("license", "none"),
	} {
		values := filledIn(w.get(sam, "/console/requests/"+r.ID).Page().Find("form[action*='/resend']"))
		wrong(values)
		if a := w.send(sam, action, values); a.StatusCode < 400 || a.StatusCode >= 500 {
			t.Errorf("%s: got status %d, want it refused", name, a.StatusCode)
		}
	}
	w.send(vera, action, form).WantStatus(http.StatusForbidden)
	if _, seen := w.resendForm(vera, r); seen != nil {
		t.Error("got the form for a viewer")
	}
	if now, err := w.store.Request(t.Context(), r.ID); err != nil || now.State != request.Received {
		t.Errorf("got request %s, %v, want it open", now.State, err)
	}
	w.send(sam, action, form).WantStatus(http.StatusSeeOther)
	if _, again := w.resendForm(sam, r); again != nil {
		t.Error("got the form for a closed request")
	}
}

func TestResendThatComesTooLateNamesWhatHappened(t *testing.T) {
	w := newTestEnv(t)
	w.record(sampleLicense("l1", day("2018-08-31")))
	r := w.lost()
	page := "/console/requests/" + r.ID
	action, form := w.resendForm(sam, r)
	w.reply(lucia, page+"/reject", with(w.snapshot(page), "rejection", "No.")).WantStatus(http.StatusSeeOther)
	told := webtest.Text(w.send(sam, action, form).WantStatus(http.StatusConflict).Page().Find("#trouble"))
	if !strings.Contains(told, "rejected · "+emails[lucia]) || strings.Contains(told, "l1") {
		t.Errorf("got message %q", told)
	}
}

func TestKeyIsResentOnlyForALostOne(t *testing.T) {
	for name, change := range map[string]func(*testEnv, *request.Details){
		"another kind":       func(_ *testEnv, d *request.Details) { d.Kind, d.OldServer = request.Renewal, "" },
		"a moved server":     func(_ *testEnv, d *request.Details) { d.OldServer = request.OldStopped },
		"an unknown server":  func(_ *testEnv, d *request.Details) { d.Server = "AWHW8w9JtzBzSrmf9GQ9" },
		"an expired license": func(w *testEnv, _ *request.Details) { *w.now = w.now.AddDate(1, 0, 0) },
		"a revoked license": func(w *testEnv, _ *request.Details) {
			r, err := w.store.License(w.t.Context(), "l1")
			w.must(err)
			change := store.LicenseChange{ID: "l1", Version: r.Version, By: "pat"}
			w.must(w.store.RevokeLicense(w.t.Context(), change, "unpaid"))
		},
	} {
		w := newTestEnv(t)
		w.record(sampleLicense("l1", day("2018-08-31")))
		d := sampleDetails
		d.Kind, d.Replaces, d.OldServer = request.Replacement, string(d.Server), request.OldSame
		d.Environment = request.ProductionUse
		change(w, &d)
		if _, form := w.resendForm(sam, w.file(d)); form != nil {
			t.Errorf("%s: got a key to resend", name)
		}
	}
}

func TestKeyThatIsNotOnRecordIsIssuedAnew(t *testing.T) {
	w := newWorkshop(t)
	imported := sampleLicense("l1", day("2018-08-31"))
	imported.KeyText, imported.MaxLoc = "", 250_000
	w.record(imported)
	r := w.lost(func(d *request.Details) { d.Edition = license.Developer })
	page := w.get(sam, "/console/requests/"+r.ID).WantStatus(200).Page()
	anew := page.Find("#resend-anew-0")
	if _, form := w.resendForm(sam, r); form != nil || !strings.Contains(webtest.Text(anew), "not on record here") {
		t.Fatalf("got %q, want a link to issue it anew", webtest.Text(anew))
	}
	review := w.press(w.get(sam, anew.Find("a").AttrOr("href", "")).WantStatus(200), "Review").WantStatus(200)
	l := w.issued(w.press(review, "Issue and send", confirm(review)))
	if l.Expiration != imported.Expiration || l.MaxLoc != imported.MaxLoc || l.Server != imported.Server {
		t.Errorf("got %+v, want the same terms", l)
	}
}

func TestKeyWithoutAContactIsNotResent(t *testing.T) {
	w := newTestEnv(t)
	l := w.record(sampleLicense("l1", day("2018-08-31"))).License
	a, err := w.store.Account(t.Context(), l.Customer)
	w.must(err)
	change := store.AccountChange{Customer: l.Customer, Version: a.Version, By: "pat@vendor.example"}
	w.must(w.store.SaveCustomer(t.Context(), change, l.Customer, func(c *customer.Customer) error {
		c.Contacts = nil
		return nil
	}))
	r := w.lost()
	page := w.get(sam, "/console/requests/"+r.ID).WantStatus(200).Page()
	if _, form := w.resendForm(sam, r); form != nil || page.Find("#resend-nobody-0").Length() != 1 {
		t.Errorf("got %q, want it said that nobody can receive the key", webtest.Text(page.Find(".tasks")))
	}
}
