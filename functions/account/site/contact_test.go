package site

import (
	"net/url"
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/web/webtest"
)

func TestContactAddsAndRemovesContacts(t *testing.T) {
	e := newTestEnv(t)
	browser := e.as(ana, e.acme)
	doc := open(browser, "/account/contacts").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	form := webtest.Untouched(doc.Find("form.sheet"))
	browser.Send("/account/contacts", form).WantStatus(422)
	form.Set("email", "lena@acme.example")
	form.Set("name", "Lena")
	browser.Send("/account/contacts", form).WantStatus(303)
	browser.Send("/account/contacts", form).WantStatus(409) // a double click
	e.reload()
	lena, ok := e.acme.Contact("lena@acme.example")
	if !ok || lena.AddedBy != ana || lena.InEffect(e.now) || len(lena.Instances) != 0 {
		t.Errorf("got %+v, %v, want lena as a contact from next week on", lena, ok)
	}
	text := webtest.Text(open(browser, "/account/contacts").WantStatus(200).Page().Find("main"))
	if !strings.Contains(text, "Lena") || !strings.Contains(text, "Can speak for your company from 12 Mar 2018 on.") {
		t.Errorf("got %s", text)
	}

	page := "/account/contacts/" + mail.RecipientID(lena.Email) + "/remove"
	open(browser, page).WantStatus(200)
	form = webtest.Untouched(open(browser, page).Page().Find("form.sheet"))
	browser.Send(page, form).WantStatus(422)
	form.Set("remove", "yes")
	browser.Send(page, form).WantStatus(303)
	open(browser, page).WantStatus(404)
	e.reload()
	if e.acme.IsContact(lena.Email) {
		t.Error("lena is still a contact")
	}
}

// A person of two companies has the forms of one open, and chooses the other in another tab.
func TestFormOfOneCompanyChangesNoOther(t *testing.T) {
	e := newTestEnv(t)
	first, second := e.as(pia, e.acme), e.as(pia, e.borealis)
	add := webtest.Untouched(open(first, "/account/contacts").WantStatus(200).Page().Find("form.sheet"))
	add.Set("email", "lena@acme.example")
	second.Send("/account/contacts", add).WantStatus(409)
	page := "/account/contacts/" + mail.RecipientID(pia) + "/remove"
	remove := webtest.Untouched(open(first, page).WantStatus(200).Page().Find("form.sheet"))
	remove.Set("remove", "yes")
	second.Send(page, remove).WantStatus(409)
	e.reload()
	if !e.borealis.IsContact(pia) || e.borealis.IsContact("lena@acme.example") {
		t.Errorf("got the contacts %v", e.borealis.Contacts())
	}
	first.Send("/account/contacts", add).WantStatus(303)
}

func TestContactOfSomeInstallationsChangesNoContacts(t *testing.T) {
	e := newTestEnv(t)
	browser := e.as(sven, e.acme)
	doc := open(browser, "/account/contacts").WantStatus(200).Page()
	if doc.Find("main form").Length() != 0 {
		t.Error("the page has a form")
	}
	browser.Send("/account/contacts", url.Values{"email": {"x@acme.example"}, "for": {"keys"}}).WantStatus(403)
	page := "/account/contacts/" + mail.RecipientID(ana) + "/remove"
	open(browser, page).WantStatus(403)
	browser.Send(page, url.Values{"remove": {"yes"}}).WantStatus(403)
}

func TestContactIsForSomeInstallationsAndPurposes(t *testing.T) {
	e := newTestEnv(t)
	staging := e.instance(e.acme, license.Staging)
	browser := e.as(ana, e.acme)
	form := url.Values{"company": {e.acme.Customer.ID}, "email": {"lena@acme.example"}, "instances": {staging.ID}}
	browser.Send("/account/contacts", form).WantStatus(422)
	form.Set("for", "renewals")
	browser.Send("/account/contacts", form).WantStatus(303)
	e.reload()
	lena, _ := e.acme.Contact("lena@acme.example")
	if len(lena.Instances) != 1 || lena.Instances[0] != staging.ID || len(lena.For) != 1 {
		t.Errorf("got %+v, want renewals of staging alone", lena)
	}
	form.Set("instances", e.borealis.Instances[0].ID)
	form.Set("email", "other@acme.example")
	browser.Send("/account/contacts", form).WantStatus(404)
}

func TestRemindersArePausedAndResumedForOnesOwnAddress(t *testing.T) {
	e := newTestEnv(t)
	production := e.instance(e.acme, license.Production)
	page, browser := path(production, "reminders"), e.as(ana, e.acme)
	stopped := func() []string {
		list, err := e.kept.Unsubscribed(t.Context(), production.Licenses[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		var who []string
		for _, u := range list {
			who = append(who, u.Email)
		}
		return who
	}
	webtest.CheckPage(t, open(browser, page).WantStatus(200).Page())
	browser.Send(page, url.Values{}).WantStatus(422)
	for range 2 {
		browser.Send(page, url.Values{"pause": {"yes"}}).WantStatus(303)
	}
	if got := stopped(); len(got) != 1 || got[0] != ana {
		t.Errorf("got %v paused, want ana", got)
	}
	if h1 := webtest.Text(open(browser, page).Page().Find("h1")); h1 != "Reminders are paused" {
		t.Errorf("got the heading %q", h1)
	}
	browser.Send(page, url.Values{"resume": {"yes"}}).WantStatus(303)
	if got := stopped(); len(got) != 0 {
		t.Errorf("got %v paused, want nobody", got)
	}
}
