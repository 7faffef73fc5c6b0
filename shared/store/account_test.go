package store_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// memoryEnv is a testEnv whose whole table can be looked at.
type memoryEnv struct {
	*testEnv
	memory *tabletest.Memory
}

func newMemoryEnv() memoryEnv {
	m := &tabletest.Memory{}
	return memoryEnv{newTestEnvOver(m), m}
}

// state is what is on record, without what only says that and when it changed: guards, versions, timelines and audit.
func (m memoryEnv) state(t *testing.T) map[table.Key]string {
	t.Helper()
	all := map[table.Key]string{}
	for _, row := range m.memory.Rows() {
		kind, _, _ := strings.Cut(row.PK, "#")
		if kind == "TIMELINE" || kind == "AUDIT" || row.SK == "ACCOUNT" || string(row.Data) == "{}" {
			continue
		}
		var data map[string]any
		if err := json.Unmarshal(row.Data, &data); err != nil {
			t.Fatal(err)
		}
		delete(data, "licenseVersion")
		same, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		all[row.Key] = string(same)
	}
	return all
}

// sameState compares two states.
func sameState(t *testing.T, what string, got, want map[table.Key]string) {
	t.Helper()
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	for key := range keys {
		if got[key] != want[key] {
			t.Errorf("%s: row %v: got\n%s, want\n%s", what, key, got[key], want[key])
		}
	}
}

// told counts the rows of timelines and of the audit.
func (m memoryEnv) told() (timelines, audit int) {
	for _, row := range m.memory.Rows() {
		switch {
		case strings.HasPrefix(row.PK, "AUDIT#"):
			audit++
		case strings.HasPrefix(row.SK, "EVENT#"):
			timelines++
		}
	}
	return timelines, audit
}

func account(t *testing.T, b *testEnv, id string) *customer.Account {
	t.Helper()
	a, err := b.Account(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// seenBy is a change by sam of an account as it is now.
func seenBy(t *testing.T, b *testEnv, id string) store.AccountChange {
	t.Helper()
	return store.AccountChange{Customer: id, Version: account(t, b, id).Version, By: "sam@vendor.example"}
}

func licenseOn(t *testing.T, b *testEnv, id string) license.License {
	t.Helper()
	r, err := b.License(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r.License
}

// acme puts a customer on record that has a contract for production i0 and staging i1, each with a license through
// 2018.
func (m memoryEnv) acme(t *testing.T, id string) {
	t.Helper()
	i := store.Issue{By: "sam@vendor.example", To: ada, Customer: &customer.Customer{ID: id, Name: "Acme AG",
		Domains:  []string{"acme.example"},
		Contacts: []customer.Contact{{Name: "Ada Abel", Email: ada.Email, Since: m.now}}, Created: m.now}}
	i.Contracts = []customer.Contract{m.contract(id, id+"-k", "2018-12-31")}
	for n, environment := range []request.Environment{request.ProductionUse, request.StagingUse} {
		server := license.Server(fmt.Sprintf("BF41A1F2-AWHW8w9JtzBzSrmf9G%s%d", id, n))
		instance := customer.Instance{ID: fmt.Sprint(id, "-i", n), Customer: id, Environment: environment,
			Created: m.now, Servers: []customer.ServerID{{Server: server, Told: m.now}}}
		kind := license.Production
		if environment == request.StagingUse {
			kind, instance.Production = license.Staging, id+"-i0"
		}
		i.Instances = append(i.Instances, instance)
		i.Licenses = append(i.Licenses, license.License{ID: fmt.Sprint(id, "-l", n), Type: kind, Customer: id,
			Instance: instance.ID, Contract: id + "-k", Organization: "Acme AG", Server: instance.Server(),
			Edition: license.Enterprise, MaxLoc: 1e6, Expiration: day("2018-12-31"), KeyText: "key"})
	}
	if err := m.IssueLicenses(t.Context(), i); err != nil {
		t.Fatal(err)
	}
}

func (m memoryEnv) contract(of, id, last string) customer.Contract {
	return customer.Contract{ID: id, Customer: of, Terms: customer.Terms{Edition: license.Enterprise, MaxLoc: 1e6},
		Production: 1, Staging: 1, First: day("2018-03-01"), Last: day(last), Created: m.now}
}

// next is a license like one on record, with another ID, contract and term.
func (m memoryEnv) next(t *testing.T, like, id, contract, from, through string) license.License {
	t.Helper()
	l := licenseOn(t, m.testEnv, like)
	l = license.License{ID: id, Type: l.Type, Customer: l.Customer, Instance: l.Instance, Contract: contract,
		Organization: l.Organization, Server: l.Server, Edition: l.Edition, MaxLoc: l.MaxLoc, Expiration: day(through),
		KeyText: "key"}
	if from != "" {
		l.NotBefore = day(from)
	}
	return l
}

func TestFirstPurchasePutsEverythingOnRecordAtOnce(t *testing.T) {
	m := newMemoryEnv()
	m.table.Reset()
	m.acme(t, "a")
	if n := m.table.Counts().Transacts; n != 1 {
		t.Errorf("got %d transactions, want 1", n)
	}
	if timelines, audit := m.told(); timelines != 1 || audit != 1 {
		t.Errorf("got %d rows of timelines and %d of the audit, want one each", timelines, audit)
	}
	a := account(t, m.testEnv, "a")
	if a.Customer.Name != "Acme AG" || len(a.Contracts) != 1 || len(a.Instances) != 2 || a.Version != 1 {
		t.Fatalf("got account %+v", a)
	}
	for n, i := range a.Instances {
		l := licenseOn(t, m.testEnv, fmt.Sprint("a-l", n))
		if len(i.Licenses) != 1 || i.Licenses[0].ID != l.ID || !i.Licenses[0].HasKey || l.Contract != "a-k" {
			t.Errorf("instance %s: got licenses %+v and %+v on record", i.ID, i.Licenses, l)
		}
	}
	for _, r := range []customerReference{{"customer", string(a.Customer.Reference)},
		{"contract", string(a.Contracts[0].Reference)}} {
		parsed := r.parse(t)
		if id, err := m.CustomerByReference(t.Context(), parsed); err != nil || id != "a" {
			t.Errorf("by the reference of the %s, %s: got %q, %v", r.of, parsed, id, err)
		}
	}
	events, _, err := m.CustomerTimeline(t.Context(), []string{"a"}, "", 10)
	var told []string
	for _, e := range events {
		told = append(told, string(e.Action)+" "+e.Of)
	}
	slices.Sort(told)
	want := []string{"contract made contract/a-k", "customer added ", "instance added instance/a-i0",
		"instance added instance/a-i1", "license issued license/a-l0", "license issued license/a-l1"}
	if err != nil || !slices.Equal(told, want) {
		t.Errorf("got timeline %q, %v, want %q", told, err, want)
	}
	if got := pending(t, m.Store); !slices.Equal(got, []string{"a-l0--key"}) {
		t.Errorf("got pending mails %v, want one with both keys", got)
	}
}

func TestRenewalSucceedsInEachInstance(t *testing.T) {
	m := newMemoryEnv()
	m.acme(t, "a")
	k2 := m.contract("a", "a-k2", "2019-12-31")
	k2.Renews = "a-k"
	i := store.Issue{By: "sam", Contracts: []customer.Contract{k2}, Licenses: []license.License{
		m.next(t, "a-l0", "n0", "a-k2", "2019-01-01", "2019-12-31"),
		m.next(t, "a-l1", "n1", "a-k2", "2019-01-01", "2019-12-31")}}
	if err := m.IssueLicenses(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	a := account(t, m.testEnv, "a")
	for n, instance := range a.Instances {
		old, new := fmt.Sprint("a-l", n), fmt.Sprint("n", n)
		if l := licenseOn(t, m.testEnv, old); l.Successor != new || instance.Licenses[0].Successor != new {
			t.Errorf("%s: got successor %q, and %q with the instance, want %s", old, l.Successor,
				instance.Licenses[0].Successor, new)
		}
	}
	if got := due(t, m.testEnv, "2018-10-31"); len(got) != 0 {
		t.Errorf("got due %v, want none: both were renewed", got)
	}
}

func TestUpgradeReplacesKeysThatWereRenewedAhead(t *testing.T) {
	m := newMemoryEnv()
	m.acme(t, "a")
	ahead := store.Issue{By: "sam", Licenses: []license.License{
		m.next(t, "a-l0", "n0", "a-k", "2019-01-01", "2019-12-31"),
		m.next(t, "a-l1", "n1", "a-k", "2019-01-01", "2019-12-31")}}
	if err := m.IssueLicenses(t.Context(), ahead); err != nil {
		t.Fatal(err)
	}
	upgrade := store.Issue{By: "sam", Replaces: []string{"a-l0", "a-l1", "n0", "n1"}}
	for n := range 2 {
		for _, term := range [][2]string{{"", "2018-12-31"}, {"2019-01-01", "2019-12-31"}} {
			l := m.next(t, fmt.Sprint("a-l", n), fmt.Sprintf("u%d-%s", n, term[1][:4]), "a-k", term[0], term[1])
			l.MaxLoc = 5e6
			upgrade.Licenses = append(upgrade.Licenses, l)
		}
	}
	if err := m.IssueLicenses(t.Context(), upgrade); err != nil {
		t.Fatal(err)
	}
	for old, by := range map[string]string{"a-l0": "u0-2018", "n0": "u0-2018", "a-l1": "u1-2018", "n1": "u1-2018"} {
		if l := licenseOn(t, m.testEnv, old); l.Revoked.IsZero() || l.ReplacedBy != by {
			t.Errorf("%s: got replaced by %q, want %s of its own instance", old, l.ReplacedBy, by)
		}
	}
	if got := due(t, m.testEnv, "2019-10-31"); !slices.Equal(got, []string{"u0-2019 2019-10-31", "u1-2019 2019-10-31"}) {
		t.Errorf("got due %v, want the last license of each instance", got)
	}
	_, rest, err := m.Expiring(t.Context(), day("2018-03-01"), 1)
	want := store.Count{Licenses: 1, MaxLoc: 5e6}
	if err != nil || rest[store.Class{Edition: license.Enterprise, Type: license.Production}] != want {
		t.Errorf("got counts %v, %v, want one production license", rest, err)
	}
}

func TestReplacedServerJoinsItsInstance(t *testing.T) {
	m := newMemoryEnv()
	m.acme(t, "a")
	i := account(t, m.testEnv, "a").Instances[0]
	old := i.Server()
	const new = license.Server("0A1B2C3D-AWHW8w9JtzBzSrmf9NEW")
	i.Servers = append(i.Servers, customer.ServerID{Server: new, Told: m.now})
	l := m.next(t, "a-l0", "n0", "a-k", "", "2018-12-31")
	l.Server = new
	err := m.IssueLicenses(t.Context(), store.Issue{By: "sam", Instances: []customer.Instance{i},
		Licenses: []license.License{l}, Replaces: []string{"a-l0"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(old), string(new), string(old)[:12], "0A1B"} {
		found, err := search.New(m.Store).ByServer(t.Context(), text, 10)
		if err != nil || !slices.ContainsFunc(found.Instances, func(f search.FoundInstance) bool {
			return f.ID == i.ID && f.Server() == new && f.Of.ID == "a"
		}) {
			t.Errorf("by %s: got %+v, %v, want the instance", text, found.Instances, err)
		}
	}
	if d := dataset(t, m.testEnv, new); len(d.Instances) != 1 || d.Version != 1 {
		t.Errorf("got dataset %+v, want the instance alone", d)
	}
	staging := account(t, m.testEnv, "a").Instances[1]
	if staging.Production != i.ID || !staging.InUse() || len(staging.Licenses) != 1 {
		t.Errorf("got staging %+v, want it untouched", staging)
	}
}

func TestRevokedLicenseReleasesThoseOfItsInstanceAlone(t *testing.T) {
	b := newTestEnv(t)
	add(t, b, expiring("l1", "2018-08-31"))
	add(t, b, expiring("l2", "2019-08-31"))
	elsewhere := expiring("e1", "2018-08-31")
	elsewhere.Customer = "other"
	add(t, b, elsewhere)
	elsewhere.ID, elsewhere.Expiration = "e2", day("2019-08-31")
	add(t, b, elsewhere)
	l2, err := b.License(t.Context(), "l2")
	if err != nil {
		t.Fatal(err)
	}
	change := store.LicenseChange{ID: "l2", Version: l2.Version, By: "sam"}
	if err := b.RevokeLicense(t.Context(), change, "why"); err != nil {
		t.Fatal(err)
	}
	if l1, e1 := licenseOn(t, b, "l1"), licenseOn(t, b, "e1"); l1.Successor != "" || e1.Successor != "e2" {
		t.Errorf("got successors %q and %q, want none and e2", l1.Successor, e1.Successor)
	}
}

func TestRetiredInstanceIsNeitherRemindedNorCounted(t *testing.T) {
	m := newMemoryEnv()
	m.acme(t, "a")
	before := m.state(t)
	retire := func(retired bool) {
		t.Helper()
		if err := m.RetireInstance(t.Context(), seenBy(t, m.testEnv, "a"), "a-i0", retired); err != nil {
			t.Fatal(err)
		}
	}
	counted := func() (n int) {
		t.Helper()
		_, rest, err := m.Expiring(t.Context(), day("2018-03-01"), 1)
		if err != nil {
			t.Fatal(err)
		}
		return rest[store.Class{Edition: license.Enterprise, Type: license.Production}].Licenses
	}
	retire(true)
	if i := account(t, m.testEnv, "a").Instances[0]; i.InUse() || i.RetiredBy != "sam@vendor.example" {
		t.Errorf("got instance %+v, want it retired", i)
	}
	if got := due(t, m.testEnv, "2018-10-31"); !slices.Equal(got, []string{"a-l1 2018-10-31"}) || counted() != 0 {
		t.Errorf("retired: got due %v and %d counted, want only staging", got, counted())
	}
	retired := m.state(t)
	retire(true) // again changes nothing
	sameState(t, "retired twice", m.state(t), retired)
	late := m.next(t, "a-l0", "n0", "a-k", "2019-01-01", "2019-12-31")
	if err := m.IssueLicenses(t.Context(), store.Issue{By: "sam", Licenses: []license.License{late}}); err != nil {
		t.Fatal(err)
	}
	if l := licenseOn(t, m.testEnv, "n0"); !l.Retired || counted() != 0 {
		t.Errorf("issued meanwhile: got retired %v and %d counted, want it retired", l.Retired, counted())
	}
	retire(false)
	if l := licenseOn(t, m.testEnv, "n0"); l.Retired || counted() != 1 {
		t.Errorf("back in use: got retired %v and %d counted", l.Retired, counted())
	}
	m2 := newMemoryEnv()
	m2.acme(t, "a")
	for _, retired := range []bool{true, false} {
		if err := m2.RetireInstance(t.Context(), seenBy(t, m2.testEnv, "a"), "a-i0", retired); err != nil {
			t.Fatal(err)
		}
	}
	after := m2.state(t)
	for key := range before { // references are drawn anew
		if strings.HasPrefix(key.PK, "CUSTOMER") || strings.HasPrefix(key.PK, "REFERENCE") {
			delete(before, key)
		}
	}
	for key := range after {
		if strings.HasPrefix(key.PK, "CUSTOMER") || strings.HasPrefix(key.PK, "REFERENCE") {
			delete(after, key)
		}
	}
	sameState(t, "retired and back in use", after, before)
}

func TestEndedContractIsReopened(t *testing.T) {
	m := newMemoryEnv()
	m.acme(t, "a")
	before := m.state(t)
	if err := m.EndContract(t.Context(), seenBy(t, m.testEnv, "a"), "a-k", "unpaid"); err != nil {
		t.Fatal(err)
	}
	if k := account(t, m.testEnv, "a").Contracts[0]; k.Ended != m.now || k.EndedReason != "unpaid" ||
		k.Active(day("2018-03-01")) {
		t.Errorf("got contract %+v, want it ended", k)
	}
	err := m.EndContract(t.Context(), seenBy(t, m.testEnv, "a"), "a-k", "again")
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("ending it again: got %v, want a Conflict fault", err)
	}
	if err := m.ReopenContract(t.Context(), seenBy(t, m.testEnv, "a"), "a-k"); err != nil {
		t.Fatal(err)
	}
	sameState(t, "reopened", m.state(t), before)
	if err := m.ReopenContract(t.Context(), seenBy(t, m.testEnv, "a"), "a-k"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("reopening it again: got %v, want a Conflict fault", err)
	}
}

func TestMoveIsUndoneExactly(t *testing.T) {
	for _, tt := range []struct{ name, to, contract string }{
		{"to another contract", "a", "a-k2"},
		{"to another customer's contract", "b", "b-k"},
		{"to another customer without a contract", "b", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMemoryEnv()
			m.acme(t, "a")
			m.acme(t, "b")
			expired := m.next(t, "a-l0", "old", "a-k", "", "2018-02-28")
			err := m.IssueLicenses(t.Context(), store.Issue{By: "sam", Licenses: []license.License{expired},
				Contracts: []customer.Contract{m.contract("a", "a-k2", "2018-12-31")}, Imported: true})
			if err != nil {
				t.Fatal(err)
			}
			before := m.state(t)
			move := store.Move{Instances: []string{"a-i0", "a-i1"}, From: seenBy(t, m.testEnv, "a"), To: tt.to,
				Version: account(t, m.testEnv, tt.to).Version, Contract: tt.contract}
			m.table.Reset()
			if err := m.MoveInstances(t.Context(), move); err != nil {
				t.Fatal(err)
			}
			if n := m.table.Counts().Transacts; n != 1 {
				t.Errorf("got %d transactions, want 1", n)
			}
			a := account(t, m.testEnv, tt.to)
			for _, id := range move.Instances {
				i := a.Instance(id)
				if i == nil || i.Customer != tt.to {
					t.Fatalf("got %+v, want instance %s with customer %s", a.Instances, id, tt.to)
				}
				for _, l := range i.Licenses {
					want := tt.contract
					if l.ID == "old" {
						want = "a-k"
					}
					if l.Contract != want {
						t.Errorf("license %s: got contract %q", l.ID, l.Contract)
					}
					if of := licenseOn(t, m.testEnv, l.ID); of.Customer != tt.to || of.Contract != l.Contract {
						t.Errorf("license %s: got customer %s and contract %q", l.ID, of.Customer, of.Contract)
					}
				}
			}
			if a.Instance("a-i1").Production != "a-i0" {
				t.Error("staging no longer belongs to its production")
			}
			if err := m.MoveInstances(t.Context(), move); fault.KindOf(err) != fault.Conflict &&
				fault.KindOf(err) != fault.NotFound {
				t.Errorf("moving them again: got %v, want it refused", err)
			}
			back := store.Move{Instances: move.Instances, From: seenBy(t, m.testEnv, tt.to), To: "a",
				Version: account(t, m.testEnv, "a").Version, Undo: true}
			if err := m.MoveInstances(t.Context(), back); err != nil {
				t.Fatal(err)
			}
			sameState(t, "moved back", m.state(t), before)
			back.From, back.Version = seenBy(t, m.testEnv, "a"), account(t, m.testEnv, "a").Version
			if err := m.MoveInstances(t.Context(), back); fault.KindOf(err) != fault.Conflict {
				t.Errorf("moving them back again: got %v, want a Conflict fault", err)
			}
		})
	}
}

func TestMoveIsNotUndoneOverALicenseOfTheOtherCustomersContract(t *testing.T) {
	m := newMemoryEnv()
	m.acme(t, "a")
	m.acme(t, "b")
	move := store.Move{Instances: []string{"a-i0"}, From: seenBy(t, m.testEnv, "a"), To: "b",
		Version: account(t, m.testEnv, "b").Version, Contract: "b-k"}
	if err := m.MoveInstances(t.Context(), move); err != nil {
		t.Fatal(err)
	}
	since := m.next(t, "a-l0", "n0", "b-k", "2019-01-01", "2019-12-31")
	if err := m.IssueLicenses(t.Context(), store.Issue{By: "sam", Licenses: []license.License{since}}); err != nil {
		t.Fatal(err)
	}
	before := m.state(t)
	back := store.Move{Instances: move.Instances, From: seenBy(t, m.testEnv, "b"), To: "a",
		Version: account(t, m.testEnv, "a").Version, Undo: true}
	if err := m.MoveInstances(t.Context(), back); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v, want a Conflict fault", err)
	}
	sameState(t, "refused", m.state(t), before)
	back.Undo, back.Contract = false, "a-k"
	if err := m.MoveInstances(t.Context(), back); err != nil {
		t.Errorf("as a move of its own: got %v", err)
	}
}

func TestMoveToAnothersContractIsRefused(t *testing.T) {
	m := newMemoryEnv()
	m.acme(t, "a")
	m.acme(t, "b")
	err := m.MoveInstances(t.Context(), store.Move{Instances: []string{"a-i0"}, From: seenBy(t, m.testEnv, "a"), To: "a",
		Version: account(t, m.testEnv, "a").Version, Contract: "b-k"})
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v, want a NotFound fault", err)
	}
}

func TestSilentStoreMailsNobody(t *testing.T) {
	m := newMemoryEnv()
	m.Store = m.Silent()
	m.acme(t, "a")
	if got := pending(t, m.Store); len(got) != 0 {
		t.Errorf("got pending mails %v, want none", got)
	}
	if licenseOn(t, m.testEnv, "a-l0").ID == "" {
		t.Error("the license is not on record")
	}
}
