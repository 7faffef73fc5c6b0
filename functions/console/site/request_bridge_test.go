package site

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/bridge"
	"marketplace/shared/web/webtest"
)

// toNewServer is Bob's request for a server with other data, for which the key on record does not work.
func toNewServer(change ...func(*request.Details)) request.Details {
	d := ofBob
	d.Server = "1234ABCD-AWacmenew00000000001"
	for _, c := range change {
		c(&d)
	}
	return d
}

func TestSalesIssueABridgeKeyByOneClick(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	r := w.linked(toNewServer())
	page := w.get(sam, "/console/requests/"+r.ID).WantStatus(200).Page()
	if got := webtest.Text(page.Find("form#bridge")); !strings.Contains(got, "Issue a bridge key") ||
		!strings.Contains(got, "bob@acme.example") {
		t.Fatalf("got %q", got)
	}
	for range 2 { // a double click
		w.sends(sam, r, "bridge").WantRedirect("/console/requests/" + r.ID + "?done=bridge")
	}
	ids, err := bridge.New(w.store.Store).Pending(t.Context())
	if err != nil || len(ids) != 1 {
		t.Fatalf("got the orders %v, %v", ids, err)
	}
	order := w.request(ids[0])
	if order.FiledBy != "sam@vendor.example" || order.Bridges != r.ID || order.Email != "bob@acme.example" ||
		order.Customer != r.Customer {
		t.Errorf("got %+v", order)
	}
	said := func(e store.Event) bool { return e.Action == store.BridgeRequested && e.By == "sam@vendor.example" }
	if !slices.ContainsFunc(w.timeline(r), said) {
		t.Error("the replacement does not say who asked for a bridge key")
	}
	// The order is nobody's work: no license is issued for it by hand.
	page = w.get(sam, "/console/requests/"+order.ID).WantStatus(200).Page()
	if page.Find("#by-itself").Length() != 1 || page.Find("a[href$='/issue']").Length() != 0 {
		t.Errorf("got %q", webtest.Text(page.Find(".tasks")))
	}
	w.get(sam, "/console/requests/"+order.ID+"/issue").WantStatus(http.StatusConflict)
}

func TestStrangerGetsNoBridgeKeyFromSales(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	r := w.linked(toNewServer(func(d *request.Details) { d.Email = "eve@evil.example" }))
	page := w.get(sam, "/console/requests/"+r.ID).WantStatus(200).Page()
	if got := webtest.Text(page.Find("#bridge")); !strings.Contains(got, "Only a contact on record") ||
		page.Find("form#bridge").Length() != 0 {
		t.Errorf("got %q", got)
	}
	at := "/console/requests/" + r.ID
	answer := w.send(sam, at+"/bridge", w.shown(at)).WantStatus(http.StatusConflict)
	if got := webtest.Text(answer.Page().Find("main")); !strings.Contains(got, "No bridge key was issued.") {
		t.Errorf("got %q", got)
	}
	if ids, err := bridge.New(w.store.Store).Pending(t.Context()); err != nil || len(ids) != 0 {
		t.Errorf("got the orders %v, %v", ids, err)
	}
}

func TestNoBridgeKeyIsOfferedForOtherRequests(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	for name, change := range map[string]func(*request.Details){
		"a renewal":  func(d *request.Details) { d.Kind, d.OldServer, d.Environment = request.Renewal, "", "" },
		"a lost key": func(d *request.Details) { d.OldServer, d.Server = request.OldSame, "AWacmeprod0000000001" },
	} {
		page := w.get(sam, "/console/requests/"+w.linked(toNewServer(change)).ID).WantStatus(200).Page()
		if page.Find("#bridge").Length() != 0 {
			t.Errorf("%s: got %q", name, webtest.Text(page.Find("#bridge")))
		}
	}
}

func TestBridgeKeyIsMarkedOnRecord(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	r := w.linked(toNewServer())
	a, err := w.store.Account(t.Context(), r.Customer)
	if err != nil {
		t.Fatal(err)
	}
	i := a.Instance(a.Match(customer.AskedBy(r)).Instance)
	old := w.license(i.Licenses[0].ID).License
	b := old
	b.ID, b.Bridges, b.Server, b.NotBefore = "01hx0000000000000000000002", old.ID, r.Server, license.DateOf(*w.now)
	b.Expiration, b.KeyText, b.Successor, b.Request = license.DateOf(*w.now).AddDays(13), "key", "", ""
	w.put(store.Issue{By: store.System, Licenses: []license.License{b}})
	page := w.get(sam, "/console/licenses/"+b.ID).WantStatus(200).Page()
	if got := webtest.Text(page.Find(".head")); !strings.Contains(got, "Bridge key") ||
		page.Find("a[href='/console/licenses/"+b.ID+"/renew']").Length() != 0 {
		t.Errorf("got %q", got)
	}
	w.get(sam, "/console/licenses/"+b.ID+"/renew").WantStatus(http.StatusConflict)
	page = w.get(sam, "/console/requests/"+r.ID).WantStatus(200).Page()
	if link, _ := page.Find("#bridge a").Attr("href"); link != "/console/licenses/"+b.ID {
		t.Errorf("the request links %q", link)
	}
	at := "/console/customers/" + string(a.Customer.Reference) + "/instances/" + i.ID
	page = w.get(sam, at).WantStatus(200).Page()
	if got := webtest.Text(page.Find("[aria-labelledby=bridges-title] li")); !strings.Contains(got, string(r.Server)) {
		t.Errorf("the instance shows %q", got)
	}
	if got := webtest.Text(page.Find("[aria-labelledby=licenses-title]")); strings.Contains(got, string(r.Server)) {
		t.Errorf("the instance has it among its licenses: %q", got)
	}
}
