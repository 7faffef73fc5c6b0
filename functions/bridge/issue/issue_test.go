package issue

import (
	"crypto"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
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
	"marketplace/shared/store/storetest"
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
	signed atomic.Int32 // how often the keys were asked for
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
		Issuer: func() (license.Issuer, error) { e.signed.Add(1); return e.keys, e.down },
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
