package site

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

// keyMails returns the emails with the key of an installation's license.
func (e *testEnv) keyMails(i customer.Instance) (list []outbox.Mail) {
	e.t.Helper()
	all, err := e.kept.MailsAbout(e.t.Context(), i.Licenses[0].ID, 100)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, m := range all {
		if m.Kind == mail.LicenseKey {
			list = append(list, m)
		}
	}
	return list
}

func TestKeyIsEmailedAndNeverShown(t *testing.T) {
	e := newTestEnv(t)
	browser, i := e.as(ana, e.acme), e.instance(e.acme, license.Production)
	path := "/account/instances/" + i.ID + "/key"
	page := open(browser, path).WantStatus(200)
	webtest.CheckPage(t, page.Page())
	form := url.Values{"nonce": {page.Page().Find("[name=nonce]").AttrOr("value", "")}, "to": {ana}}
	sent := browser.Send(path, form)
	sent.WantRedirect(path + "?sent=" + url.QueryEscape(ana))
	browser.Send(path, form).WantStatus(http.StatusSeeOther) // a double click
	mails := e.keyMails(i)
	if len(mails) != 1 || mails[0].To.Email != ana || !mails[0].Resent {
		t.Fatalf("got the emails %v, want one to %s", mails, ana)
	}
	done := open(browser, sent.Header.Get("Location")).WantStatus(200)
	if got := webtest.Text(done.Page().Find("h1")); got != "The key is on its way" {
		t.Errorf("got %q", got)
	}
	for _, shown := range []string{page.Body, done.Body, open(browser, "/account").Body} {
		if strings.Contains(shown, "key of "+string(i.Server())) {
			t.Error("a page shows the key")
		}
	}
	found := false
	for _, event := range e.timeline(i.Licenses[0].ID) {
		found = found || event.By == store.Customer && event.Action == store.KeySentAgain && event.Note == ana
	}
	if !found {
		t.Error("the timeline of the license does not say that the key was sent")
	}
}

// timeline reads the timeline of a license.
func (e *testEnv) timeline(id string) []store.Event {
	e.t.Helper()
	recorded, err := e.kept.License(e.t.Context(), id)
	if err != nil {
		e.t.Fatal(err)
	}
	list, _, err := e.kept.LicenseTimeline(e.t.Context(), recorded.License)
	if err != nil {
		e.t.Fatal(err)
	}
	return list
}

func TestKeyGoesOnlyToContactsWhoGetKeys(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	change := store.AccountChange{Customer: e.acme.Customer.ID, Version: e.acme.Version, By: storetest.By}
	err := e.kept.SaveCustomer(t.Context(), change, e.acme.Customer.ID, func(c *customer.Customer) error {
		c.Contacts = append(c.Contacts,
			customer.Contact{Email: "renewals@acme.example", VouchedBy: storetest.By, Since: start,
				For: []customer.Purpose{customer.Renewals}},
			customer.Contact{Email: "new@acme.example", Since: e.now})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	browser := e.as("renewals@acme.example", e.acme)
	path := "/account/instances/" + i.ID + "/key"
	var offered []string
	for _, o := range open(browser, path).WantStatus(200).Page().Find("input[name=to]").EachIter() {
		offered = append(offered, o.AttrOr("value", ""))
	}
	if got := strings.Join(offered, " "); got != ana+" "+pia && got != pia+" "+ana {
		t.Errorf("got the addresses %s, want those who get keys", got)
	}
	for _, to := range []string{"", "renewals@acme.example", "new@acme.example", sven, bea, "evil@evil.example"} {
		page := browser.Send(path, url.Values{"to": {to}}).WantStatus(http.StatusUnprocessableEntity).Page()
		if page.Find("#to-error").Length() != 1 {
			t.Errorf("to %q: no error beside the field", to)
		}
	}
	if mails := e.keyMails(i); len(mails) != 0 {
		t.Errorf("got the emails %v, want none", mails)
	}
}

func TestKeyOfAnotherInstallationIsNotSent(t *testing.T) {
	e := newTestEnv(t)
	production, theirs := e.instance(e.acme, license.Production), e.instance(e.borealis, license.Production)
	staging := e.as(sven, e.acme)
	for _, i := range []customer.Instance{production, theirs} {
		path := "/account/instances/" + i.ID + "/key"
		open(staging, path).WantStatus(http.StatusNotFound)
		staging.Send(path, url.Values{"to": {sven}, "license": {i.Licenses[0].ID}}).WantStatus(http.StatusNotFound)
	}
	own := "/account/instances/" + e.instance(e.acme, license.Staging).ID + "/key"
	staging.Send(own, url.Values{"to": {sven}, "license": {theirs.Licenses[0].ID}})
	if mails := e.keyMails(theirs); len(mails) != 0 {
		t.Errorf("got the emails %v about another customer's license", mails)
	}
}

func TestKeyIsSentFiveTimesADayAtMost(t *testing.T) {
	e := newTestEnv(t)
	browser, i := e.as(ana, e.acme), e.instance(e.acme, license.Production)
	path := "/account/instances/" + i.ID + "/key"
	for range keysAtMost {
		browser.Send(path, url.Values{"to": {ana}}).WantStatus(http.StatusSeeOther)
	}
	browser.Send(path, url.Values{"to": {ana}}).WantStatus(http.StatusTooManyRequests)
}

func TestOverviewShowsWhatIsOnRecord(t *testing.T) {
	e := newTestEnv(t)
	page := open(e.as(ana, e.acme), "/account").WantStatus(200).Page()
	webtest.CheckPage(t, page)
	cards := page.Find("main > article.installation")
	if cards.Length() != 2 {
		t.Fatalf("got %d cards, want production and staging", cards.Length())
	}
	text := webtest.Text(cards.First())
	for _, want := range []string{"Production: Enterprise Edition", "AWacmeprod0000000001", "09 May 2018",
		"SupportIncluded", "Up to 500'000 lines of code", "COBOL"} {
		if !strings.Contains(text, want) {
			t.Errorf("the card does not say %q: %s", want, text)
		}
	}
	for _, link := range page.Find("main a[href^='/account/']").EachIter() {
		open(e.as(ana, e.acme), link.AttrOr("href", "")).WantStatus(200)
	}
}
