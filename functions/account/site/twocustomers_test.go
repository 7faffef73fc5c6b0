package site

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"marketplace/functions/account/signin"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store/requester"
	"marketplace/shared/web"
	"marketplace/shared/web/webtest"
)

// secretsOf are texts that only the contacts of a customer may read. Its partner speaks for both.
func (e *testEnv) secretsOf(a *customer.Account, r request.Request, own string) (list []string) {
	list = append(list, a.Customer.ID, string(a.Customer.Reference), a.Customer.Name, own, r.ID, string(r.Reference),
		r.Token, r.Message)
	for _, i := range a.Instances {
		list = append(list, i.ID, string(i.Server()))
		for _, l := range i.Licenses {
			list = append(list, l.ID, "key of "+string(l.Server))
		}
	}
	for _, c := range a.Contracts {
		list = append(list, c.ID, string(c.Reference))
	}
	return list
}

// asks files a request of a customer, with a question and its answer.
func (e *testEnv) asks(email string, a *customer.Account, message string) request.Request {
	e.t.Helper()
	browser := e.as(email, a)
	r := e.filed(sendForm(browser, path(e.instance(a, license.Production), "renew"), "message", message))
	e.asked(r, "Why, "+message+"?")
	err := requester.New(e.kept.Store).AnswerQuestion(e.t.Context(), r.ID, requester.Who(email), "Why, "+message+"?",
		"Because "+message)
	if err != nil {
		e.t.Fatal(err)
	}
	return e.read(r.ID)
}

// fillings fill the parts of an address with what is somebody else's.
func fillings(pattern string, a *customer.Account, r request.Request, theirs string) (paths []string) {
	_, path, _ := strings.Cut(pattern, " ")
	path = strings.TrimSuffix(path, "{$}")
	if !strings.Contains(path, "{") {
		return []string{path, path + "?customer=" + a.Customer.ID + "&instance=" + a.Instances[0].ID}
	}
	for _, i := range a.Instances {
		for _, l := range i.Licenses {
			paths = append(paths, strings.NewReplacer("{instance}", i.ID, "{request}", r.ID, "{license}", l.ID,
				"{customer}", a.Customer.ID, "{signin}", r.ID, "{id}", r.ID, "{contact}",
				mail.RecipientID(theirs)).Replace(path))
		}
	}
	return slices.Compact(paths)
}

// everything is a form with a value for each field that a page of the account has, and what is somebody else's.
func everything(a *customer.Account, r request.Request, email string) url.Values {
	i := a.Instances[0]
	return url.Values{
		"customer": {a.Customer.ID}, "company": {a.Customer.ID}, "instance": {i.ID},
		"instances": {i.ID}, "license": {i.Licenses[0].ID},
		"request": {r.ID}, "id": {r.ID}, "reference": {string(r.Reference)}, "token": {r.Token}, "contact": {email},
		"email": {"eve@elsewhere.example"}, "address": {email}, "name": {"Eve"}, "cancel": {"yes"}, "sure": {"yes"},
		"for":    {"keys"},
		"remove": {"yes"},
		"pause":  {"yes"}, "resume": {"yes"}, "erase": {"yes"}, "send": {"yes"}, "question": {r.Question},
		"response": {"Eve was here"}, "seen": {r.Fingerprint()}, "serverId": {"AWeveserver000000009"},
		"wantedLoc": {"1000000"}, "ncloc": {"600000"}, "edition": {"datacenter"}, "oldServer": {"stopped"},
		"code": {"123456"}, "message": {"Eve was here"}, "version": {"1"}, "idempotencyKey": {""},
	}
}

// allRoutes are the addresses of the account and of signing in to it.
func allRoutes() []web.Route { return slices.Concat((&signin.Gate{}).Routes(), (&site{}).routes()) }

// TestFormsOfOtherSitesAreRefused sends every form of the account as another site's page would.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	e := newTestEnv(t)
	r := e.asks(ana, e.acme, "granite quarry")
	before := len(e.rows.Rows())
	for _, route := range allRoutes() {
		if !strings.HasPrefix(route.Pattern, "POST ") {
			continue
		}
		body := everything(e.acme, r, ana).Encode()
		for _, target := range fillings(route.Pattern, e.acme, r, ana) {
			e.as(ana, e.acme).Do("POST", target, body, "Content-Type", "application/x-www-form-urlencoded",
				"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").WantStatus(403)
		}
	}
	if got := len(e.rows.Rows()); got != before {
		t.Errorf("got %d rows, want %d", got, before)
	}
}

// TestNothingOfAnotherCustomerIsShownOrChanged opens every address of the account as a contact of one customer with
// what is another's in its place, and sends every form so, in both directions.
func TestNothingOfAnotherCustomerIsShownOrChanged(t *testing.T) {
	e := newTestEnv(t)
	acme, borealis := e.asks(ana, e.acme, "granite quarry"), e.asks(bea, e.borealis, "northern lights")
	e.reload()
	for _, tt := range []struct {
		by, of       string
		own, other   *customer.Account
		mine, theirs request.Request
	}{
		{ana, bea, e.acme, e.borealis, acme, borealis},
		{bea, ana, e.borealis, e.acme, borealis, acme},
	} {
		secrets := e.secretsOf(tt.other, tt.theirs, tt.of)
		before := e.recordsOf(tt.other, tt.theirs)
		for _, route := range allRoutes() {
			method, _, _ := strings.Cut(route.Pattern, " ")
			targets := fillings(route.Pattern, tt.other, tt.theirs, tt.of)
			for _, target := range append(targets, fillings(route.Pattern, tt.own, tt.mine, pia)...) {
				browser := e.as(tt.by, tt.own)
				var answer *webtest.Answer
				if method == "POST" {
					answer = browser.Send(target, everything(tt.other, tt.theirs, tt.of))
				} else {
					answer = open(browser, target)
				}
				if answer.StatusCode >= 500 {
					t.Errorf("%s %s as %s: got %d", method, target, tt.by, answer.StatusCode)
				}
				for _, secret := range secrets {
					if shown := echoed(answer, target, tt.of); strings.Contains(shown, secret) {
						t.Errorf("%s %s as %s: shows %q of %s", method, target, tt.by, secret, tt.other.Customer.Name)
					}
				}
			}
			for _, target := range targets {
				if strings.Contains(route.Pattern, "{") && method == "GET" {
					open(e.as(tt.by, tt.own), target).WantStatus(404)
				}
			}
		}
		if after := e.recordsOf(tt.other, tt.theirs); !reflect.DeepEqual(after, before) {
			t.Errorf("%s changed what is on record of %s: got %+v, want %+v", tt.by, tt.other.Customer.Name, after,
				before)
		}
	}
}

// echoed is what an answer shows, without the address that was opened and the email address that was typed.
func echoed(a *webtest.Answer, target, typed string) string {
	shown := strings.ReplaceAll(a.Body, target, "")
	return strings.ReplaceAll(shown, typed, "") + a.Header.Get("Location")
}

// records are what is on record of a customer.
type records struct {
	account  *customer.Account
	request  request.Request
	stopped  int
	requests int
}

func (e *testEnv) recordsOf(a *customer.Account, r request.Request) (on records) {
	e.t.Helper()
	var err error
	if on.account, err = e.kept.Account(e.t.Context(), a.Customer.ID); err != nil {
		e.t.Fatal(err)
	}
	on.request = e.read(r.ID)
	for _, i := range a.Instances {
		for _, l := range i.Licenses {
			list, err := e.kept.Unsubscribed(e.t.Context(), l.ID)
			if err != nil {
				e.t.Fatal(err)
			}
			on.stopped += len(list)
		}
	}
	list, _, err := e.kept.RequestsOf(e.t.Context(), []string{a.Customer.ID}, 100)
	if err != nil {
		e.t.Fatal(err)
	}
	on.requests = len(list)
	return on
}

// TestPersonOfTwoCustomersSeesOneAtATime has the partner's person, who speaks for both.
func TestPersonOfTwoCustomersSeesOneAtATime(t *testing.T) {
	e := newTestEnv(t)
	acme, borealis := e.asks(pia, e.acme, "granite quarry"), e.asks(pia, e.borealis, "northern lights")
	e.reload()
	for _, tt := range []struct {
		at, other *customer.Account
		theirs    request.Request
		of        string
	}{{e.acme, e.borealis, borealis, bea}, {e.borealis, e.acme, acme, ana}} {
		for _, route := range allRoutes() {
			method, path, _ := strings.Cut(route.Pattern, " ")
			if method != "GET" || strings.Contains(path, "personal-data") ||
				path == signin.ChoosePath { // the person's own
				continue
			}
			for _, target := range fillings(route.Pattern, tt.other, tt.theirs, tt.of) {
				shown := echoed(open(e.as(pia, tt.at), target), target, pia)
				for _, secret := range e.secretsOf(tt.other, tt.theirs, tt.of) {
					if secret != e.acme.Customer.Name && secret != e.borealis.Customer.Name &&
						strings.Contains(shown, secret) {
						t.Errorf("%s at %s: shows %q", target, tt.at.Customer.Name, secret)
					}
				}
			}
		}
	}
}
