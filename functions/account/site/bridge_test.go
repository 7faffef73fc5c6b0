package site

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

const movedServer = "0A1B2C3D-AWmoved0000000000009"

// askForBridge sends the form.
func askForBridge(c webtest.Client, i customer.Instance, server, old string) *webtest.Answer {
	c.T.Helper()
	body := url.Values{"serverId": {server}, "oldServer": {old}}.Encode()
	return c.Do("POST", bridgePath(i), body, "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html")
}

// requests returns the requests that are linked to a customer, those for bridge keys first.
func (e *testEnv) requests(of *customer.Account) (list []request.Request) {
	e.t.Helper()
	summaries, _, err := e.kept.RequestsOf(e.t.Context(), []string{of.Customer.ID}, 20)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, s := range summaries {
		r, err := e.kept.Request(e.t.Context(), s.ID)
		if err != nil {
			e.t.Fatal(err)
		}
		list = append(list, r)
	}
	slices.SortStableFunc(list, func(a, b request.Request) int { return cmp.Compare(a.Kind, b.Kind) })
	return list
}

func TestContactAsksForABridgeKeyByOneForm(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	c := e.as(ana, e.acme)
	page := open(c, bridgePath(i)).Page()
	if page.Find("form [name=serverId]").Length() != 1 || page.Find("form input:checked").Length() != 0 {
		t.Fatalf("got the page %s", page.Text())
	}
	for range 2 { // a double click
		answer := askForBridge(c, i, movedServer, "stopped")
		if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != bridgePath(i) {
			t.Fatalf("got %d to %s: %s", answer.StatusCode, answer.Header.Get("Location"), answer.Body)
		}
	}
	list := e.requests(e.acme)
	if len(list) != 2 {
		t.Fatalf("got %d requests, want the replacement and the bridge key", len(list))
	}
	order, of := list[0], list[1]
	if of.Kind != request.Replacement || of.Server != movedServer || of.Instance != i.ID || of.Unconfirmed ||
		order.Kind != request.Bridge || order.Bridges != of.ID || order.Email != ana {
		t.Errorf("got %+v and %+v", of, order)
	}
	// What the issuer will find: the contact is proven.
	if _, err := e.acme.BridgeFor(customer.BridgeAsked{Request: of}, e.now); err != nil {
		t.Errorf("the issuer would refuse it: %v", err)
	}
	page = open(c, bridgePath(i)).Page()
	if page.Find("#bridge-waiting").Length() != 1 || page.Find("form[action='"+bridgePath(i)+"']").Length() != 0 {
		t.Errorf("after the form, got %s", page.Find("main").Text())
	}
}

func TestBridgeKeyOfAnOpenReplacementTakesOneClick(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	of, _, err := e.kept.FileRequest(t.Context(), store.Filing{Customer: e.acme.Customer.ID, Instance: i.ID,
		Link: &request.Link{Contact: ana}, Details: request.Details{Kind: request.Replacement, Server: movedServer,
			Edition: license.Enterprise, Email: ana, Environment: i.Environment, OldServer: request.OldLost,
			Replaces: string(i.Server())}})
	if err != nil {
		t.Fatal(err)
	}
	c := e.as(ana, e.acme)
	if id, _ := open(c, bridgePath(i)).Page().Find("input[name=request]").Attr("value"); id != of.ID {
		t.Fatalf("the page offers the request %q, want %s", id, of.ID)
	}
	answer := c.Do("POST", bridgePath(i), "request="+of.ID, "Content-Type", "application/x-www-form-urlencoded")
	if list := e.requests(e.acme); answer.StatusCode != http.StatusSeeOther || len(list) != 2 ||
		list[0].Bridges != of.ID {
		t.Errorf("got %d and %+v", answer.StatusCode, list)
	}
	// The form for the same server means the same replacement.
	askForBridge(c, i, movedServer, "lost")
	if list := e.requests(e.acme); len(list) != 2 {
		t.Errorf("got %d requests, want 2", len(list))
	}
}

func TestWrongServerForABridgeKeyIsSaidBesideTheField(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	staging := e.instance(e.acme, license.Staging)
	for name, tt := range map[string]struct{ server, old, field, says string }{
		"none":               {"", "stopped", "serverId", "Enter the server ID"},
		"not a server ID":    {"hello", "stopped", "serverId", "not a server ID"},
		"the same":           {string(i.Server()), "stopped", "serverId", "on record"},
		"with a prefix":      {"0A1B2C3D-" + string(i.Server()), "stopped", "serverId", "works on this server too"},
		"a date":             {"20110407133530", "stopped", "serverId", "no key can work"},
		"staging's":          {string(staging.Server()), "stopped", "serverId", "another installation"},
		"nothing chosen":     {movedServer, "", "oldServer", "Choose"},
		"something else":     {movedServer, "same", "oldServer", "Choose"},
		"old server running": {movedServer, "running", "oldServer", "license of its own"},
	} {
		answer := askForBridge(e.as(ana, e.acme), i, tt.server, tt.old)
		page := answer.Page()
		if got := page.Find("#" + tt.field + "-error").Text(); answer.StatusCode != http.StatusUnprocessableEntity ||
			!strings.Contains(got, tt.says) {
			t.Errorf("%s: got %d with %q, want %q beside %s", name, answer.StatusCode, got, tt.says, tt.field)
		}
		if typed, _ := page.Find("[name=serverId]").Attr("value"); typed != tt.server {
			t.Errorf("%s: the form came back with %q", name, typed)
		}
		if title := page.Find("title").Text(); !strings.HasPrefix(title, "Error: ") ||
			page.Find(`a[href^="#`+tt.field+`"]`).Length() == 0 {
			t.Errorf("%s: got the title %q, want an error, and a link to the field", name, title)
		}
	}
	if list := e.requests(e.acme); len(list) > 0 {
		t.Errorf("got %d requests, want none", len(list))
	}
}

func TestBridgeKeyIsNotForEverybody(t *testing.T) {
	e := newTestEnv(t)
	production, staging := e.instance(e.acme, license.Production), e.instance(e.acme, license.Staging)
	for name, c := range map[string]webtest.Client{
		"contact for staging alone": e.as(sven, e.acme), "other customer's contact": e.as(bea, e.borealis),
		"contact of both, signed in at the other": e.as(pia, e.borealis),
	} {
		get, post := open(c, bridgePath(production)), askForBridge(c, production, movedServer, "stopped")
		if get.StatusCode != http.StatusNotFound || post.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d and %d, want 404", name, get.StatusCode, post.StatusCode)
		}
	}
	if answer := askForBridge(e.as(sven, e.acme), staging, movedServer, "stopped"); answer.StatusCode !=
		http.StatusSeeOther {
		t.Errorf("contact for staging: got %d for staging", answer.StatusCode)
	}
	// The request of one installation is not one of another.
	of := e.requests(e.acme)[1]
	answer := e.as(ana, e.acme).Do("POST", bridgePath(production), "request="+of.ID, "Content-Type",
		"application/x-www-form-urlencoded")
	if answer.StatusCode != http.StatusNotFound || len(e.requests(e.acme)) != 2 {
		t.Errorf("staging's request for production: got %d", answer.StatusCode)
	}
}

func TestPageSaysWhyThereIsNoBridgeKey(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	e.now = e.now.AddDate(0, 0, 66) // the license has expired
	page := open(e.as(ana, e.acme), bridgePath(i)).Page()
	if got := page.Find("#bridge-not").Text(); !strings.Contains(got, "no license that is valid today") ||
		page.Find("[name=serverId]").Length() > 0 {
		t.Errorf("got %q", page.Find("main").Text())
	}
	answer := askForBridge(e.as(ana, e.acme), i, movedServer, "stopped")
	if answer.StatusCode != http.StatusUnprocessableEntity || len(e.requests(e.acme)) > 0 {
		t.Errorf("got %d with %d requests, want 422 with none", answer.StatusCode, len(e.requests(e.acme)))
	}
}

func TestPageShowsTheBridgeKeyThatWasIssued(t *testing.T) {
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	askForBridge(e.as(ana, e.acme), i, movedServer, "stopped")
	order := e.requests(e.acme)[0]
	today := license.DateOf(e.now)
	err := e.kept.IssueLicenses(t.Context(), store.Issue{By: store.System, Request: order.ID, RequestVersion: 1,
		Licenses: []license.License{{ID: "bridge1", Type: license.Production, Customer: e.acme.Customer.ID,
			Instance: i.ID, Server: movedServer, Edition: license.Enterprise, MaxLoc: 1, NotBefore: today,
			Expiration: today.AddDays(13), Bridges: i.Licenses[0].ID, KeyText: "the secret key"}}})
	if err != nil {
		t.Fatal(err)
	}
	answer := open(e.as(ana, e.acme), bridgePath(i))
	got := answer.Page().Find("#bridge-issued").Text()
	if !strings.Contains(got, movedServer) || !strings.Contains(got, "18 Mar 2018") ||
		strings.Contains(answer.Body, "the secret key") {
		t.Errorf("got %q", got)
	}
	if answer := askForBridge(e.as(ana, e.acme), i, "FFFFFFFF-AWmoved0000000000009", "stopped"); answer.StatusCode !=
		http.StatusUnprocessableEntity {
		t.Errorf("a second one: got %d, want 422", answer.StatusCode)
	}
}

func TestBridgeKeyForAColleagueDoesNotTellTheirAddress(t *testing.T) {
	const colleague = "colin@elsewhere.example"
	e := newTestEnv(t)
	i := e.instance(e.acme, license.Production)
	of, _, err := e.kept.FileRequest(t.Context(), store.Filing{Customer: e.acme.Customer.ID, Instance: i.ID,
		Link: &request.Link{Contact: colleague}, Details: request.Details{Kind: request.Replacement,
			Server: movedServer, Edition: license.Enterprise, Email: colleague, Environment: i.Environment,
			OldServer: request.OldLost, Replaces: string(i.Server())}})
	if err != nil {
		t.Fatal(err)
	}
	order, _, err := e.kept.FileBridge(t.Context(), of, storetest.By)
	if err != nil {
		t.Fatal(err)
	}
	today := license.DateOf(e.now)
	err = e.kept.IssueLicenses(t.Context(), store.Issue{By: store.System, Request: order.ID, RequestVersion: 1,
		Licenses: []license.License{{ID: "bridge1", Type: license.Production, Customer: e.acme.Customer.ID,
			Instance: i.ID, Server: movedServer, Edition: license.Enterprise, MaxLoc: 1, NotBefore: today,
			Expiration: today.AddDays(13), Bridges: i.Licenses[0].ID, KeyText: "the secret key"}}})
	if err != nil {
		t.Fatal(err)
	}
	answer := open(e.as(ana, e.acme), bridgePath(i))
	if answer.Page().Find("#bridge-issued").Length() != 1 || strings.Contains(answer.Body, colleague) {
		t.Errorf("got %q, want the key without who asked for it", answer.Page().Find("#bridge-issued").Text())
	}
}
