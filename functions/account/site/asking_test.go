package site

import (
	"net/url"
	"strings"
	"testing"

	"marketplace/functions/account/signin/signintest"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store/requester"
	"marketplace/shared/web/webtest"
)

// path is the address of a page about an installation.
func path(i customer.Instance, what string) string { return "/account/instances/" + i.ID + "/" + what }

// sendForm opens a page, and sends its form as it came but for some fields.
func sendForm(c webtest.Client, page string, pairs ...string) *webtest.Answer {
	c.T.Helper()
	form := open(c, page).WantStatus(200).Page().Find("form.sheet")
	values := webtest.Untouched(form)
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return c.Send(form.AttrOr("action", ""), values)
}

// filed reads the request to whose page an answer leads.
func (e *testEnv) filed(a *webtest.Answer) request.Request {
	e.t.Helper()
	id := strings.TrimPrefix(a.WantStatus(303).Header.Get("Location"), "/account/requests/")
	r, err := e.kept.Request(e.t.Context(), id)
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}

// TestTwoClicksAskForEverything opens each form and sends it with no more typed than what only the person knows.
func TestTwoClicksAskForEverything(t *testing.T) {
	e := newTestEnv(t)
	production := e.instance(e.acme, license.Production)
	browser := e.as(ana, e.acme)
	for _, tt := range []struct {
		page  string
		typed []string
		check func(request.Request) bool
	}{
		{"renew", nil, func(r request.Request) bool {
			return r.Kind == request.Renewal && r.WantedLoc == 500_000 && r.Server == production.Server()
		}},
		{"upgrade?want=lines", nil, func(r request.Request) bool {
			return r.Kind == request.Upgrade && r.WantedLoc > 500_000 && r.Edition == license.Enterprise
		}},
		{"upgrade?want=edition", nil, func(r request.Request) bool {
			return r.Kind == request.Upgrade && r.Edition == license.DataCenter && r.WantedLoc == 500_000
		}},
		{"replace", []string{"serverId", "5B7F9D3C-AWacmeprod0000000001", "oldServer", "stopped"},
			func(r request.Request) bool {
				return r.Kind == request.Replacement && r.Environment == request.ProductionUse
			}},
		{"staging", []string{"serverId", "AWacmestag0000000009"}, func(r request.Request) bool {
			return r.Kind == request.Staging && r.Instance == ""
		}},
	} {
		r := e.filed(sendForm(browser, path(production, tt.page), tt.typed...))
		if !tt.check(r) || r.Unconfirmed || r.Confirmed.IsZero() || r.Email != ana || r.Company != "Acme AG" ||
			r.Customer != e.acme.Customer.ID || r.Kind != request.Staging && r.Instance != production.ID {
			t.Errorf("%s: got %+v", tt.page, r)
		}
		asker := customer.Asker{Request: r, Instance: production.ID}
		if got := e.acme.Standing(asker, e.now); got != customer.Proven {
			t.Errorf("%s: the person is %s, want proven", tt.page, got)
		}
		open(browser, "/account/requests/"+r.ID).WantStatus(200)
	}
}

func TestSentTwiceIsOneRequest(t *testing.T) {
	e := newTestEnv(t)
	browser, page := e.as(ana, e.acme), path(e.instance(e.acme, license.Production), "renew")
	values := webtest.Untouched(open(browser, page).Page().Find("form.sheet"))
	first, second := e.filed(browser.Send(page, values)), e.filed(browser.Send(page, values))
	if first.ID != second.ID {
		t.Errorf("got requests %s and %s, want one", first.ID, second.ID)
	}
	doc := open(browser, page).WantStatus(200).Page()
	if doc.Find("#open-"+first.ID).Length() != 1 {
		t.Error("the form does not say that this was asked for")
	}
	// Another person with the same key files their own.
	if other := e.filed(e.as(pia, e.acme).Send(page, values)); other.ID == first.ID {
		t.Error("another contact's form led to the first one's request")
	}
}

// What a contact files is proven by the email whose link signed them in, on every page that files.
func TestRequestNamesTheEmailThatSignedIn(t *testing.T) {
	e := newTestEnv(t)
	production := e.instance(e.acme, license.Production)
	browser := e.as(ana, e.acme)
	want := request.Link{Mail: signintest.Mail, Contact: ana, License: production.Licenses[0].ID, SignedIn: true}
	renewal := e.filed(sendForm(browser, path(production, "renew")))
	browser.Send(path(production, "bridge"), url.Values{"serverId": {string(movedServer)},
		"oldServer": {"stopped"}}).WantStatus(303)
	list, err := requester.New(e.kept.Store).Requests(t.Context(), []string{e.acme.Customer.ID}, ana)
	if err != nil || len(list) != 3 {
		t.Fatalf("got %d requests, %v, want the renewal, the replacement and the bridge key", len(list), err)
	}
	for _, r := range list {
		if r.Kind != request.Bridge && (r.Link == nil || *r.Link != want) {
			t.Errorf("%s: got the link %+v, want %+v", r.Kind, r.Link, want)
		}
	}
	if renewal.Link == nil || *renewal.Link != want {
		t.Errorf("got the link %+v, want %+v", renewal.Link, want)
	}
}

func TestWrongFieldIsMarked(t *testing.T) {
	e := newTestEnv(t)
	page := path(e.instance(e.acme, license.Production), "replace")
	doc := sendForm(e.as(ana, e.acme), page, "serverId", "AW", "message", "hurry").WantStatus(422).Page()
	if doc.Find("#serverId[aria-invalid=true]").AttrOr("value", "") != "AW" || doc.Find("#errors li").Length() != 2 ||
		strings.TrimSpace(doc.Find("#message").Text()) != "hurry" {
		t.Errorf("got %s", webtest.Text(doc.Find("main")))
	}
	webtest.CheckPage(t, doc)
}

func TestStagingHasNoStaging(t *testing.T) {
	e := newTestEnv(t)
	page := path(e.instance(e.acme, license.Staging), "staging")
	doc := open(e.as(sven, e.acme), page).WantStatus(200).Page()
	main := webtest.Text(doc.Find("main"))
	if doc.Find("form.sheet").Length() != 0 || !strings.Contains(main, "staging server itself") {
		t.Errorf("got %s", main)
	}
	e.as(sven, e.acme).Send(page, url.Values{"serverId": {"AWacmestag0000000009"}}).WantStatus(409)
}
