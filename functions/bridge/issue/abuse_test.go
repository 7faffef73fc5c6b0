package issue

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/requester"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// TestBridgeKeyIsIssuedOnceIn90Days runs the issuer again, with the same order and with another one.
func TestBridgeKeyIsIssuedOnceIn90Days(t *testing.T) {
	e := newTestEnv(t)
	r := e.replacement(ada, e.old, newServer)
	order := e.order(r, "")
	if again := e.order(r, ""); again.ID != order.ID {
		t.Error("the same replacement got another order")
	}
	e.run()
	e.run()
	if again := e.order(r, ""); again.ID != order.ID {
		t.Error("the same replacement got another order after its key")
	}
	for _, days := range []int{0, 1, 89} {
		e.now = e.now.AddDate(0, 0, days)
		second := e.order(e.replacement(ada, e.old, "EEEEEEEE-AWHW8w9JtzBzSrmf9GQX"), "")
		e.run()
		if got := e.request(second.ID); got.State != request.Rejected || !strings.Contains(got.Reason, "08 Sep 2018") {
			t.Errorf("on %s: the second request is %s, because %q", e.now, got.State, got.Reason)
		}
		e.now = e.now.AddDate(0, 0, -days)
	}
	if n := len(e.issued(e.old.Instance)); n != 1 {
		t.Errorf("got %d bridge keys, want 1", n)
	}
	e.now = e.now.AddDate(0, 0, 90)
	third := e.order(e.replacement(ada, e.old, "DDDDDDDD-AWHW8w9JtzBzSrmf9GQX"), "")
	e.run()
	if got := e.request(third.ID); got.State != request.Issued || len(e.issued(e.old.Instance)) != 2 {
		t.Errorf("after 90 days the request is %s, because %q", got.State, got.Reason)
	}
}

// TestTwoBrowsersAtOnceGetOneKey has two requests of one instance issued by two functions at once, again and again.
func TestTwoBrowsersAtOnceGetOneKey(t *testing.T) {
	for range 4 {
		e := newTestEnv(t)
		var orders []request.Request
		for _, server := range []license.Server{newServer, "EEEEEEEE-AWHW8w9JtzBzSrmf9GQX"} {
			orders = append(orders, e.order(e.replacement(ada, e.old, server), ""))
		}
		var g sync.WaitGroup
		for range 4 {
			g.Go(func() { e.Issuer.Run(t.Context()) }) // one may be told of the others too often; the next run goes on
		}
		g.Wait()
		e.run()
		states := []request.State{e.request(orders[0].ID).State, e.request(orders[1].ID).State}
		slices.Sort(states)
		if want := []request.State{request.Issued, request.Rejected}; !slices.Equal(states, want) {
			t.Errorf("got %v, want %v", states, want)
		}
		list := e.issued(e.old.Instance)
		if len(list) != 1 || len(e.mails(list...)) != 1 {
			t.Errorf("got %d bridge keys in %d emails, want 1", len(list), len(e.mails(list...)))
		}
	}
}

// TestOrderForgedByAStrangerGetsNoKey files orders for requests that may not have one: the issuer judges them itself.
func TestOrderForgedByAStrangerGetsNoKey(t *testing.T) {
	for name, forge := range map[string]func(*testEnv) request.Request{
		"stranger": func(e *testEnv) request.Request { return e.replacement(eve, e.old, newServer) },
		"stranger with the customer's ID typed in": func(e *testEnv) request.Request {
			r := e.replacement(eve, e.old, newServer)
			r.Email, r.Confirmed = ada.Email, e.now // the order says so; the replacement does not
			return r
		},
		"another customer's license": func(e *testEnv) request.Request {
			other := storetest.Issue(e, e.store.Store, license.License{
				Type: license.Production, Organization: "Evil Corp", Server: "AWHW8w9JtzBzSrmf9EVL",
				Edition: license.Developer, MaxLoc: 1, Expiration: license.DateOf(e.now).AddDays(50), KeyText: "key",
			}, eve).License
			r := e.replacement(eve, other, newServer) // Acme's dataset
			return r
		},
		"expired license": func(e *testEnv) request.Request {
			r := e.replacement(ada, e.old, newServer)
			e.now = e.now.AddDate(0, 0, 200)
			return r
		},
		"contact removed since": func(e *testEnv) request.Request {
			r := e.replacement(ada, e.old, newServer)
			a, err := e.store.Account(e.Context(), e.old.Customer)
			if err == nil {
				change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "sales@vendor.example"}
				err = e.store.SaveCustomer(e.Context(), change, a.Customer.ID, func(c *customer.Customer) error {
					c.Contacts = nil
					return nil
				})
			}
			if err != nil {
				e.Fatal(err)
			}
			return r
		},
		"license revoked since": func(e *testEnv) request.Request {
			r := e.replacement(ada, e.old, newServer)
			change := store.LicenseChange{ID: e.old.ID, Version: e.record(e.old.ID).Version, By: "sales@vendor.example"}
			if err := e.store.RevokeLicense(e.Context(), change, "unpaid"); err != nil {
				e.Fatal(err)
			}
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newTestEnv(t)
			order := e.order(forge(e), "")
			e.run()
			if got := e.request(order.ID); got.State != request.Rejected || len(got.Licenses) > 0 ||
				e.signed.Load() > 0 {
				t.Errorf("the request is %s with %v; signed %d times", got.State, got.Licenses, e.signed.Load())
			}
			if ids, err := e.store.Pending(t.Context()); err != nil || len(ids) > 0 {
				t.Errorf("still pending: %v, %v", ids, err)
			}
		})
	}
}

// TestRowThatNamesAnotherRequestEndsNothing forges the row that wakes the issuer, for a request that is no order.
func TestRowThatNamesAnotherRequestEndsNothing(t *testing.T) {
	e := newTestEnv(t)
	r := e.replacement(ada, e.old, newServer)
	c := e.store.Table().Begin()
	c.Set(entity.Encode(rowkey.Bridge(r.ID), rowkey.TypeIndex, struct{}{}))
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Invoke(t.Context(), nil); err == nil {
		t.Error("got no error, want an alarm")
	}
	if got := e.request(r.ID); got.State != request.Received || e.signed.Load() > 0 {
		t.Errorf("the request is %s; signed %d times", got.State, e.signed.Load())
	}
}

func TestOrderOfAClosedReplacementIsClosedWithoutAWord(t *testing.T) {
	e := newTestEnv(t)
	r := e.replacement(ada, e.old, newServer)
	order := e.order(r, "")
	if _, err := e.store.Review(t.Context(), store.Review{ID: r.ID, Version: e.request(r.ID).Version,
		By: "sales@vendor.example", To: request.Rejected, Text: "No."}); err != nil {
		t.Fatal(err)
	}
	e.run()
	if got := e.request(order.ID); got.State != request.Answered || len(e.issued(e.old.Instance)) > 0 {
		t.Errorf("the request is %s", got.State)
	}
	if mails, err := e.store.MailsAbout(t.Context(), order.ID, 10); err != nil || len(mails) > 0 {
		t.Errorf("got the emails %v, %v", mails, err)
	}
}

// TestKeyIsIssuedOnceThoughEveryCallIsCutOff has each call of the table fail in turn, before it is made or after.
func TestKeyIsIssuedOnceThoughEveryCallIsCutOff(t *testing.T) {
	for _, fault := range []tabletest.Fault{tabletest.Down, tabletest.Lost} {
		for n := 1; ; n++ {
			e := newTestEnv(t)
			order := e.order(e.replacement(ada, e.old, newServer), "")
			e.table.Reset()
			var mu sync.Mutex
			calls := 0
			e.table.Fault = func(c tabletest.Call) tabletest.Fault {
				mu.Lock()
				defer mu.Unlock()
				calls = max(calls, c.N)
				if c.N >= n { // all that follow are cut off too: the process is gone
					return tabletest.Fault{Before: fault.Before, After: map[bool]error{true: fault.After}[c.N == n]}
				}
				return tabletest.Fault{}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			e.Issuer.Run(ctx)
			cancel()
			e.table.Fault = nil
			e.run()
			list := e.issued(e.old.Instance)
			if got := e.request(order.ID); got.State != request.Issued || len(list) != 1 || len(e.mails(list...)) != 1 {
				t.Fatalf("cut off at call %d: the request is %s with %d keys in %d emails", n, got.State, len(list),
					len(e.mails(list...)))
			}
			if calls < n {
				break
			}
		}
	}
}

func TestOneOrderThatFailsKeepsNoOtherBack(t *testing.T) {
	e := newTestEnv(t)
	second := e.license("0A1B2C3D-AWHW8w9JtzBzSrmf9TWO", license.Staging, 100)
	first := e.order(e.replacement(ada, e.old, newServer), "")
	other := e.order(e.replacement(ada, second, "FFFFFFFF-AWHW8w9JtzBzSrmf9TWO"), "")
	e.down = errors.New("KMS is down")
	if err := e.Issuer.Run(t.Context()); err == nil || !strings.Contains(err.Error(), first.ID) ||
		!strings.Contains(err.Error(), other.ID) {
		t.Errorf("got %v, want both requests named", err)
	}
	e.down = nil
	e.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "get" && c.Key == (table.Key{PK: "REQUEST#" + first.ID, SK: "REQUEST"}) {
			return tabletest.Down
		}
		return tabletest.Fault{}
	}
	if err := e.Issuer.Run(t.Context()); err == nil {
		t.Error("got no error of the request that cannot be read")
	}
	e.table.Fault = nil
	if a, b := e.request(first.ID), e.request(other.ID); a.State != request.Received || b.State != request.Issued {
		t.Errorf("got %s and %s (%s), want the first one to wait and the other issued", a.State, b.State, b.Reason)
	}
	e.run()
	if got := e.request(first.ID).State; got != request.Issued {
		t.Errorf("the first one is %s", got)
	}
}

func TestRealKeyReplacesTheBridgeKey(t *testing.T) {
	for name, tt := range map[string]struct {
		server license.Server
		ends   bool
	}{
		"for the new server":     {newServer, true},
		"for a third server":     {"CCCCCCCC-AWHW8w9JtzBzSrmf9GQX", true},
		"renewal of the old one": {oldServer, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newTestEnv(t)
			e.order(e.replacement(ada, e.old, newServer), "")
			e.run()
			b := e.issued(e.old.Instance)[0]
			real, err := storetest.Draft(t.Context(), e.store.Store, license.License{
				Type: license.Production, Organization: e.old.Organization, Server: tt.server, Instance: e.old.Instance,
				Edition: e.old.Edition, MaxLoc: e.old.MaxLoc, Contract: e.old.Contract, KeyText: "key",
				Expiration: e.old.Expiration.AddDays(100),
			}, ada)
			if err != nil {
				t.Fatal(err)
			}
			if tt.ends {
				real.Replaces = []string{e.old.ID}
			}
			if err := e.store.IssueLicenses(t.Context(), real); err != nil {
				t.Fatal(err)
			}
			got := e.record(b.ID).License
			if tt.ends != (got.ReplacedBy == real.Licenses[0].ID) || tt.ends == got.Revoked.IsZero() {
				t.Errorf("the bridge key is %+v", got)
			}
			if on := e.instance(e.old.Instance).Bridges[0]; on.ReplacedBy != got.ReplacedBy {
				t.Errorf("the instance has %+v", on)
			}
		})
	}
}

func TestRevokedLicenseTakesItsBridgeKeyAlong(t *testing.T) {
	e := newTestEnv(t)
	e.order(e.replacement(ada, e.old, newServer), "")
	e.run()
	change := store.LicenseChange{ID: e.old.ID, Version: e.record(e.old.ID).Version, By: "sales@vendor.example"}
	if err := e.store.RevokeLicense(t.Context(), change, "unpaid"); err != nil {
		t.Fatal(err)
	}
	if b := e.issued(e.old.Instance)[0]; b.Revoked.IsZero() || b.RevokedReason != "unpaid" {
		t.Errorf("the bridge key is %+v", b)
	}
}

func TestSalesGiveAColleagueABridgeKey(t *testing.T) {
	e := newTestEnv(t)
	a, err := e.store.Account(t.Context(), e.old.Customer)
	if err == nil {
		change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: "sales@vendor.example"}
		err = e.store.SaveCustomer(t.Context(), change, a.Customer.ID, func(c *customer.Customer) error {
			c.Domains = []string{"acme.example"}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	dan := license.Contact{Name: "Dan", Email: "dan@acme.example"}
	r := e.replacement(dan, e.old, newServer)
	first := e.order(r, "")
	e.run()
	if got := e.request(first.ID).State; got != request.Rejected {
		t.Errorf("without sales the request is %s", got)
	}
	second := e.order(r, "sam@vendor.example")
	e.run()
	got := e.request(second.ID)
	if second.ID == first.ID || got.State != request.Issued || e.mails(e.issued(e.old.Instance)...)[0].To != dan {
		t.Errorf("by sales the request is %s: %s", got.State, got.Reason)
	}
}

// TestReplacementCorrectedByItsLinkGetsNoKey has somebody with the private link of the replacement change the server
// before the key is issued: the address has to confirm that first.
func TestReplacementCorrectedByItsLinkGetsNoKey(t *testing.T) {
	e := newTestEnv(t)
	r := e.replacement(ada, e.old, newServer)
	order := e.order(r, "")
	requests := requester.New(e.store.Store)
	other := r.Details
	other.Server = "EEEEEEEE-AWHW8w9JtzBzSrmf9GQX"
	if err := requests.CorrectRequest(t.Context(), r.ID, "", r.Version, other); err != nil {
		t.Fatal(err)
	}
	if err := requests.CorrectRequest(t.Context(), order.ID, "", order.Version, other); err == nil {
		t.Error("the order itself was corrected")
	}
	e.run()
	if got := e.request(order.ID); got.State != request.Rejected || len(e.issued(e.old.Instance)) > 0 {
		t.Errorf("the request is %s: %s", got.State, got.Reason)
	}
}

func TestMovedInstanceTakesItsBridgeKeyAlong(t *testing.T) {
	e := newTestEnv(t)
	e.order(e.replacement(ada, e.old, newServer), "")
	e.run()
	b := e.issued(e.old.Instance)[0]
	other := storetest.Customer(t, e.store.Store, "Other Corp")
	a, err := e.store.Account(t.Context(), e.old.Customer)
	if err != nil {
		t.Fatal(err)
	}
	to, err := e.store.Account(t.Context(), other.ID)
	if err != nil {
		t.Fatal(err)
	}
	err = e.store.MoveInstances(t.Context(), store.Move{Instances: []string{e.old.Instance}, To: other.ID,
		Version: to.Version, From: store.AccountChange{Customer: e.old.Customer, Version: a.Version,
			By: "sales@vendor.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := e.record(b.ID).License.Customer; got != other.ID {
		t.Errorf("the bridge key is of customer %s, want %s", got, other.ID)
	}
	// The 90 days move with it.
	to, err = e.store.Account(t.Context(), other.ID)
	if err != nil || to.Instance(e.old.Instance).NextBridge().IsZero() {
		t.Errorf("the moved instance forgot its bridge key: %v", err)
	}
}

func TestBridgeKeyIsRevokedAlone(t *testing.T) {
	e := newTestEnv(t)
	e.order(e.replacement(ada, e.old, newServer), "")
	e.run()
	b := e.issued(e.old.Instance)[0]
	change := store.LicenseChange{ID: b.ID, Version: e.record(b.ID).Version, By: "sales@vendor.example"}
	if err := e.store.RevokeLicense(t.Context(), change, "wrong server"); err != nil {
		t.Fatal(err)
	}
	_, valid := e.instance(e.old.Instance).Bridge(license.DateOf(e.now))
	if valid || !e.record(e.old.ID).License.Revoked.IsZero() {
		t.Error("want the bridge key revoked, and the license as it was")
	}
}
