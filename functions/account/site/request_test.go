package site

import (
	"net/url"
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

// renewal files the renewal of a customer's production as a contact does.
func (e *testEnv) renewal(browser webtest.Client) request.Request {
	e.t.Helper()
	return e.filed(sendForm(browser, path(e.instance(e.acme, license.Production), "renew")))
}

// asked has sales ask a question.
func (e *testEnv) asked(r request.Request, question string) {
	e.t.Helper()
	v := store.Review{ID: r.ID, Version: r.Version, By: storetest.By, To: request.Waiting, Text: question}
	if _, err := e.kept.Review(e.t.Context(), v); err != nil {
		e.t.Fatal(err)
	}
}

func (e *testEnv) read(id string) request.Request {
	e.t.Helper()
	r, err := e.kept.Request(e.t.Context(), id)
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}

func TestContactAnswersAColleaguesQuestion(t *testing.T) {
	e := newTestEnv(t)
	r := e.renewal(e.as(ana, e.acme))
	e.asked(r, "For one year?")
	browser, page := e.as(pia, e.acme), "/account/requests/"+r.ID
	doc := open(browser, page).WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	if doc.Find("#correct-request").Length() != 0 {
		t.Error("a colleague can correct what somebody else sent")
	}
	browser.Send(page+"/answer", url.Values{"question": {"For one year?"}}).WantStatus(422)
	answer := url.Values{"question": {"For one year?"}, "response": {"Two, please."}}
	browser.Send(page+"/answer", answer).WantStatus(303)
	if r := e.read(r.ID); r.State != request.InReview || r.Response.By != pia || r.Response.Text != "Two, please." {
		t.Errorf("got %+v", r)
	}
	doc = open(e.as(ana, e.acme), page).WantStatus(200).Page()
	if got := webtest.Text(doc.Find("#response")); got != "Two, please." {
		t.Errorf("got the answer %q", got)
	}
	browser.Send(page+"/answer", url.Values{"question": {"For one year?"}, "response": {"No."}}).WantStatus(409)
}

func TestWhoSentARequestCorrectsIt(t *testing.T) {
	e := newTestEnv(t)
	browser := e.as(ana, e.acme)
	r := e.renewal(browser)
	page := "/account/requests/" + r.ID
	form := webtest.Untouched(open(browser, page).Page().Find("#correct-request"))
	form.Set("ncloc", "many")
	bad := browser.Send(page+"/correct", form).WantStatus(422).Page()
	if bad.Find("details[open] #ncloc").Length() != 1 || bad.Find("#errors").Length() != 1 {
		t.Error("the form with its error is folded")
	}
	form.Set("ncloc", "")
	form.Set("wantedLoc", "1000000")
	browser.Send(page+"/correct", form).WantStatus(303)
	if after := e.read(r.ID); after.WantedLoc != 1_000_000 || after.Confirmed.IsZero() || after.Unconfirmed {
		t.Errorf("got %+v, want it corrected and still confirmed", after)
	}
	form.Set("wantedLoc", "2000000")
	browser.Send(page+"/correct", form).WantStatus(409) // seen before the correction
	e.as(pia, e.acme).Send(page+"/correct", form).WantStatus(403)
}

func TestCancelledRequestIsClosed(t *testing.T) {
	e := newTestEnv(t)
	browser := e.as(ana, e.acme)
	r := e.renewal(browser)
	page := "/account/requests/" + r.ID
	browser.Send(page+"/cancel", url.Values{}).WantStatus(422)
	browser.Send(page+"/cancel", url.Values{"cancel": {"yes"}}).WantStatus(303)
	if after := e.read(r.ID); !after.Cancelled || after.State != request.Withdrawn {
		t.Errorf("got %+v", after)
	}
	doc := open(browser, "/account/requests").WantStatus(200).Page()
	if got := webtest.Text(doc.Find("main")); !strings.Contains(got, "Cancelled") ||
		!strings.Contains(got, "You're all caught up") {
		t.Errorf("got %q", got)
	}
}

func TestRequestOfTheProductionIsNotShownToTheStagingsContact(t *testing.T) {
	e := newTestEnv(t)
	r := e.renewal(e.as(ana, e.acme))
	browser := e.as(sven, e.acme)
	open(browser, "/account/requests/"+r.ID).WantStatus(404)
	browser.Send("/account/requests/"+r.ID+"/cancel", url.Values{"cancel": {"yes"}}).WantStatus(404)
	if body := open(browser, "/account/requests").WantStatus(200).Body; strings.Contains(body, string(r.Reference)) {
		t.Error("the list has it")
	}
}
