package issue

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/bridge"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/requester"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
	"marketplace/shared/table/tabletest"
)

const (
	oldServer = license.Server("0A1B2C3D-AWHW8w9JtzBzSrmf9GQX")
	newServer = license.Server("FFFFFFFF-AWHW8w9JtzBzSrmf9GQX")
)

var (
	ada = license.Contact{Name: "Ada Lovelace", Email: "ada@acme.example"}
	eve = license.Contact{Name: "Eve", Email: "eve@evil.example"}

	sample = sync.OnceValues(func() (*catalog.Catalog, error) {
		return data.Catalog("https://licenses.vendor.example")
	})
)

// testEnv is an Issuer over a real store, with a customer whose contact Ada has a production license of 200 days.
type testEnv struct {
	*testing.T
	*Issuer
	table  *tabletest.Faulty
	store  *bridge.Store
	now    time.Time
	keys   license.Issuer // bridge-1 and prod-1
	old    license.License
	signed int // how often the keys were asked for
	down   error
}

func newTestEnv(t *testing.T) *testEnv {
	t.Helper()
	engine, err := bolt.Open(filepath.Join(t.TempDir(), "table"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	e := &testEnv{T: t, now: time.Date(2018, 6, 10, 9, 0, 0, 0, time.UTC), keys: license.Issuer{
		Signers: map[string]crypto.Signer{},
	}}
	for _, kid := range []string{"prod-1", "test-bridge-1"} {
		signer, err := license.GenerateSigner()
		if err != nil {
			t.Fatal(err)
		}
		e.keys.Signers[kid] = signer
		e.keys.Keys = append(e.keys.Keys, license.PublicKey{
			Kid: kid, Types: license.Types, MaxDays: license.MaxDaysOf(kid), Key: &signer.PublicKey,
		})
	}
	e.table = &tabletest.Faulty{Table: &storetest.Audited{Table: engine, Fail: t.Errorf}}
	clock := func() time.Time { return e.now }
	e.store = bridge.New(store.New(e.table, store.Options{Now: clock}))
	e.Issuer = New(Options{
		Store: e.store, Catalog: sample, Now: clock, Log: slog.New(slog.DiscardHandler),
		Issuer: func() (license.Issuer, error) { e.signed++; return e.keys, e.down },
	})
	e.old = e.license(oldServer, license.Production, 200)
	return e
}

// license puts a license with a key on record.
func (e *testEnv) license(server license.Server, typ license.Type, days int) license.License {
	e.Helper()
	today := license.DateOf(e.now)
	return storetest.Issue(e, e.store.Store, license.License{
		Type: typ, Server: server, Edition: license.Enterprise, MaxLoc: 1_000_000, Support: true,
		NotBefore: today, Expiration: today.AddDays(days - 1), Issued: today, KeyText: "key",
		Plugins: []string{"license", "governance", "cobol"}, Languages: []string{"cobol"},
		Features: []string{"branches"},
	}, ada).License
}

// replacement files a request for another server, as confirmed by who asks, linked to the customer of a license.
func (e *testEnv) replacement(by license.Contact, of license.License, server license.Server) request.Request {
	e.Helper()
	details := request.Details{
		Kind: request.Replacement, Edition: of.Edition, Server: server, Name: by.Name, Email: by.Email,
		Company: "Acme Corp", Replaces: string(of.Server), OldServer: request.OldStopped,
		Environment: request.ProductionUse,
	}
	if of.Type == license.Staging {
		details.Environment = request.StagingUse
	}
	r, _, err := storetest.FileRequest(e.Context(), e.store, details, fmt.Sprint(e.now, server, by.Email, of.ID))
	if err == nil {
		change := store.RequestChange{ID: r.ID, Version: r.Version, By: store.System}
		err = e.store.LinkRequest(e.Context(), change, of.Customer, of.Instance)
	}
	if err == nil {
		r, err = e.store.Request(e.Context(), r.ID)
	}
	if err != nil {
		e.Fatal(err)
	}
	return r
}

// order files the request for the bridge key.
func (e *testEnv) order(r request.Request, by string) request.Request {
	e.Helper()
	order, _, err := e.store.FileBridge(e.Context(), r, by)
	if err != nil {
		e.Fatal(err)
	}
	return order
}

func (e *testEnv) run() {
	e.Helper()
	if err := e.Issuer.Run(e.Context()); err != nil {
		e.Fatal(err)
	}
}

func (e *testEnv) request(id string) request.Request {
	e.Helper()
	r, err := e.store.Request(e.Context(), id)
	if err != nil {
		e.Fatal(err)
	}
	return r
}

func (e *testEnv) instance(id string) customer.Instance {
	e.Helper()
	a, err := e.store.Account(e.Context(), e.old.Customer)
	if err != nil {
		e.Fatal(err)
	}
	return *a.Instance(id)
}

// issued returns the bridge keys of an instance as they are on record.
func (e *testEnv) issued(instance string) (list []license.License) {
	e.Helper()
	for _, b := range e.instance(instance).Bridges {
		r, err := e.store.License(e.Context(), b.ID)
		if err != nil {
			e.Fatal(err)
		}
		list = append(list, r.License)
	}
	return list
}

// mails returns the emails with keys about licenses.
func (e *testEnv) mails(licenses ...license.License) (list []outbox.Mail) {
	e.Helper()
	for _, l := range licenses {
		found, err := e.store.MailsAbout(e.Context(), l.ID, 10)
		if err != nil {
			e.Fatal(err)
		}
		for _, m := range found {
			if m.Kind == mail.LicenseKey {
				list = append(list, m)
			}
		}
	}
	return list
}

func TestBridgeKeyHasTheOldTermsForTheNewServer(t *testing.T) {
	e := newTestEnv(t)
	order := e.order(e.replacement(ada, e.old, newServer), "")
	e.run()
	list := e.issued(e.old.Instance)
	if len(list) != 1 {
		t.Fatalf("got %d bridge keys, want 1", len(list))
	}
	l := list[0]
	k, err := license.Verify(l.KeyText, e.keys.Keys)
	if err != nil {
		t.Fatal(err)
	}
	want := e.old.Terms()
	want.Kid, want.ID, want.Server, want.Issued = "test-bridge-1", l.ID, newServer, license.DateOf(e.now)
	want.NotBefore, want.Expiration = want.Issued, license.Date{Year: 2018, Month: 6, Day: 23}
	if !k.Equal(want) {
		t.Errorf("got %+v, want %+v", k, want)
	}
	at := license.Instance{Server: newServer, Now: e.now, Edition: l.Edition}
	verdict := license.Evaluate(l.KeyText, at, e.keys.Keys)
	if !verdict.Valid() || verdict.Warnings[0].Code != license.BridgeKey {
		t.Errorf("on the new server: %+v", verdict)
	}
	if l.Bridges != e.old.ID || l.Contract != e.old.Contract || l.Request != order.ID {
		t.Errorf("on record: %+v", l)
	}
	after := e.request(order.ID)
	if after.State != request.Issued || !slices.Equal(after.Licenses, []string{l.ID}) {
		t.Errorf("the request is %s with %v", after.State, after.Licenses)
	}
	sent := e.mails(l)
	if len(sent) != 1 || sent[0].To != ada || sent[0].Notice.Rank() != 1 {
		t.Errorf("got the emails %+v, want one of the first rank to Ada", sent)
	}
}

func TestOtherContactsAreToldOfABridgeKey(t *testing.T) {
	e := newTestEnv(t)
	e.order(e.replacement(ada, e.old, newServer), "")
	e.run()
	l := e.issued(e.old.Instance)[0]
	found, err := e.store.MailsAbout(t.Context(), l.ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	told := func(m outbox.Mail) bool {
		return m.Kind == mail.LicenseMoved && m.Notice.Expands() && slices.Equal(m.Except, []string{ada.Email}) &&
			m.Moves[0].From == oldServer && m.Moves[0].To == newServer
	}
	if !slices.ContainsFunc(found, told) {
		t.Errorf("got %+v, want the contacts told, all but Ada", found)
	}
}

// TestBridgeKeyChangesNothingElse compares what is on record before and after.
func TestBridgeKeyChangesNothingElse(t *testing.T) {
	e := newTestEnv(t)
	before, was := e.instance(e.old.Instance), e.record(e.old.ID)
	stats := e.counts()
	e.order(e.replacement(ada, e.old, newServer), "")
	e.run()
	after := e.instance(e.old.Instance)
	if len(after.Licenses) != 1 || len(after.Servers) != 1 || after.Server() != before.Server() {
		t.Errorf("the instance became %+v", after)
	}
	if current, ok := after.Current(license.DateOf(e.now)); !ok || current.ID != e.old.ID {
		t.Errorf("the current license is %s", current.ID)
	}
	now := e.record(e.old.ID)
	if now.License.Successor != "" || !now.License.Revoked.IsZero() || now.NextReminder != was.NextReminder {
		t.Errorf("the old license became %+v", now)
	}
	b := e.issued(e.old.Instance)[0]
	if r := e.record(b.ID); !r.NextReminder.IsZero() {
		t.Errorf("somebody is reminded of the bridge key on %s", r.NextReminder)
	}
	if got := e.counts(); got != stats {
		t.Errorf("counted are %s, before %s", got, stats)
	}
	a, err := e.store.Account(t.Context(), e.old.Customer)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.AllEvaluations()) > 0 || a.Use(e.old.Contract, license.DateOf(e.now)).Production != 1 {
		t.Errorf("the bridge key counts: %+v", a.Use(e.old.Contract, license.DateOf(e.now)))
	}
	// On the last days of the old license, the bridge key silences no reminder.
	if after.Covers(e.old, license.DateOf(e.now).AddDays(5)) {
		t.Error("the bridge key covers the old license")
	}
}

func (e *testEnv) record(id string) store.LicenseRecord {
	e.Helper()
	r, err := e.store.License(e.Context(), id)
	if err != nil {
		e.Fatal(err)
	}
	return r
}

// counts are the licenses that are counted by the month in which they expire.
func (e *testEnv) counts() string {
	e.Helper()
	list, rest, err := e.store.Expiring(e.Context(), license.DateOf(e.now), 24)
	if err != nil {
		e.Fatal(err)
	}
	return fmt.Sprint(list, rest)
}

func TestBridgeKeyOfAnImportedLicenseHasThePluginsOfItsEdition(t *testing.T) {
	e := newTestEnv(t)
	l := storetest.Record(t, e.store.Store, license.License{
		Type: license.Production, Organization: e.old.Organization, Server: "AWHW8w9JtzBzSrmf9IMP",
		Edition: license.Developer, MaxLoc: 100_000, Languages: []string{"cobol"},
		Expiration: license.DateOf(e.now).AddDays(3),
	}, ada).License
	e.order(e.replacement(ada, l, "0A1B2C3E-AWHW8w9JtzBzSrmf9NEW"), "")
	e.run()
	list := e.issued(l.Instance)
	if len(list) != 1 {
		t.Fatalf("got %d bridge keys, want 1", len(list))
	}
	c, err := sample()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := c.LicensePlugins("developer", []string{"cobol"})
	if got := list[0]; !slices.Equal(got.Plugins, want) || got.Expiration != l.Expiration {
		t.Errorf("got the plugins %v through %s, want %v through %s", got.Plugins, got.Expiration, want, l.Expiration)
	}
}

// TestBridgeKeyIsIssuedOncePerOrder runs the issuer again, twice at once, and with another order for the instance.
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
			if got := e.request(order.ID); got.State != request.Rejected || len(got.Licenses) > 0 || e.signed > 0 {
				t.Errorf("the request is %s with %v; signed %d times", got.State, got.Licenses, e.signed)
			}
			if ids, err := e.store.Pending(t.Context()); err != nil || len(ids) > 0 {
				t.Errorf("still pending: %v, %v", ids, err)
			}
		})
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
