package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

// people are who acts in a history. Each acts on what they saw last, which the other may have changed meanwhile.
var people = []string{"ann@vendor.example", "bob@vendor.example"}

// Bounds of a history, so that none of its changes is too much for one transaction.
const (
	mostCustomers = 5
	mostInstances = 8
	mostLicenses  = 20
)

// history is a random course of events, and what by simple reckoning has to come of it.
type history struct {
	*testEnv
	memory  *tabletest.Memory
	audited *storetest.Audited
	// unaudited is what the audit does not tell as it was.
	unaudited []string
	aside     *store.Store // over the same table, without faults and counts: somebody else, who is faster
	ids       int
	record    *recount // what is on record
	seen      map[string]*recount

	// changes are those that were made, each with one line of the audit; mails are those that were queued.
	changes int
	mails   []string

	customers map[string]customer.Customer
	contracts map[string]customer.Contract
	instances map[string]customer.Instance
	licenses  map[string]license.License // without successors, which follow from the rest
	requests  map[string]*modelRequest
	// limits are the rows that count the emails to an inbox, the requests of a domain, and what a contact was asked.
	limits map[table.Key]bool
	// gone are the requests that have expired, and reports what the daily run has to have counted, by their keys.
	gone    map[string]*goneRequest
	reports map[string]map[string]int
	reminders
}

type modelRequest struct {
	request.Request
	told      []store.Action
	unordered bool // two stores made events in the same millisecond
}

func newHistory(policy reminder.Policy) *history {
	h := &history{
		memory: &tabletest.Memory{}, seen: map[string]*recount{}, customers: map[string]customer.Customer{},
		contracts: map[string]customer.Contract{}, instances: map[string]customer.Instance{},
		licenses: map[string]license.License{}, requests: map[string]*modelRequest{}, limits: map[table.Key]bool{},
		gone: map[string]*goneRequest{}, reports: map[string]map[string]int{}, reminders: noReminders(),
	}
	h.audited = &storetest.Audited{Table: h.memory, Fail: func(format string, args ...any) {
		h.unaudited = append(h.unaudited, fmt.Sprintf(format, args...))
	}}
	h.testEnv = newTestEnvOver(h.audited)
	options := store.Options{Now: func() time.Time { return h.now }, NewID: h.requestID, Reminders: policy}
	h.Store, h.aside = store.New(h.table, options), store.New(h.audited, options)
	h.look(people[0])
	h.look(people[1])
	return h
}

func (h *history) id(kind string) string {
	h.ids++
	return fmt.Sprintf("%s%03d", kind, h.ids)
}

// requestID makes the ID of a request, which begins as a ULID does.
func (h *history) requestID() string { return store.NewID(h.now)[:10] + h.id("r") }

// valid reports whether a license was not revoked and has not expired.
func (h *history) valid(l license.License) bool {
	return l.Revoked.IsZero() && !h.today().After(l.Expiration)
}

func (h *history) today() license.Date { return license.DateOf(h.now) }

// look lets a person see what is on record.
func (h *history) look(who string) {
	h.record, _ = h.recounted()
	h.seen[who] = h.record
}

// one draws one of the entities, in an order that the same draws repeat. A step for which there is none does nothing.
func one[V any](rt *rapid.T, all map[string]V, what string) (id string, v V) {
	if len(all) == 0 {
		panic(nothing("there is no " + what))
	}
	id = pick(rt, what, slices.Sorted(maps.Keys(all))...)
	return id, all[id]
}

// pick draws one of a list, each as often as another, which rapid's generators do not.
func pick[V any](rt *rapid.T, what string, list ...V) V {
	bits := rapid.Custom(func(rt *rapid.T) uint64 {
		var sum uint64
		for range 4 {
			sum = sum<<8 | uint64(rapid.Byte().Draw(rt, "byte"))
		}
		return sum
	})
	h := fnv.New64a()
	fmt.Fprint(h, bits.Draw(rt, what))
	return list[h.Sum64()%uint64(len(list))]
}

// person draws who acts. In most cases they look first.
func (h *history) person(rt *rapid.T) (who string) {
	who = pick(rt, "who", people...)
	if pick(rt, "looks", true, true, true, false) {
		h.look(who)
	}
	return who
}

// account draws a customer, as a person saw it. ok: that is still so.
func (h *history) account(rt *rapid.T, who, what string) (id string, version int64, ok bool) {
	id, _ = one(rt, h.seen[who].guards, what)
	version = h.seen[who].guards[id]
	return id, version, version == h.record.guards[id] && h.survivor(id) == id
}

// survivor is the end of the chain of a merged customer.
func (h *history) survivor(id string) string {
	for h.customers[id].MergedInto != "" {
		id = h.customers[id].MergedInto
	}
	return id
}

// act makes a change, with what may go wrong: that the table is down, that its answer is lost, and that somebody else
// changes a license or customer between reading and writing. may says whether the change has to be made, or refused
// with a conflict, and apply what comes of it. Who hears that the table was unavailable tries once more.
func (h *history) act(rt *rapid.T, may bool, touched touched, change func() error, apply func()) {
	wrong := pick(rt, "goes wrong", "", "", "", "", "", "", "down", "lost", "mute", "note")
	once := true
	h.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op != "transact" || !once {
			return tabletest.Fault{}
		}
		once = false
		switch {
		case wrong == "down":
			return tabletest.Down
		case wrong == "lost":
			return tabletest.Lost
		case wrong == "mute" && touched.license != "":
			h.muteAside(rt, touched.license)
			may = may && !touched.alone
		case wrong == "note" && touched.customer != "":
			h.noteAside(rt, touched.customer)
			may = may && !touched.seen
		case wrong == "note" && touched.request != nil && touched.request.State.Open():
			h.vouchAside(rt, touched.request)
			may = may && !touched.seen
		}
		return tabletest.Fault{}
	}
	done := h.attempt(rt, change)
	h.table.Fault = nil
	if errors.Is(done.err, tabletest.Down.Before) || fault.KindOf(done.err) == fault.Unavailable {
		if !done.made { // it was not made, unless it has to be refused
			done = h.attempt(rt, change)
		} else if again := h.attempt(rt, change); again.made && !touched.twice ||
			!again.made && again.err != nil && !again.refused() || touched.again && (again.made || again.err != nil) {
			rt.Fatalf("once more after a lost answer: got made %v, %v", again.made, again.err)
		} else {
			done.err = nil
			if again.made {
				h.changes++
				apply()
			}
		}
	}
	switch {
	case may && (done.err != nil || !done.made):
		rt.Fatalf("got made %v, %v, want success", done.made, done.err)
	case !may && (done.made || !done.refused()):
		rt.Fatalf("got made %v, %v, want it refused with a conflict", done.made, done.err)
	case may:
		h.changes++
		apply()
	}
}

// touched is what a change is of, for who changes it meanwhile.
type touched struct {
	license, customer string
	request           *modelRequest
	alone             bool // the person saw the license, and another change of it is told
	seen              bool // the person saw the account or the request, and another change of it is told
	twice             bool // made once more after a lost answer, it is made twice
	again             bool // made once more after a lost answer, it does nothing
}

type attempted struct {
	made bool
	err  error
}

// refused reports whether somebody else was faster, or the same had been done before.
func (a attempted) refused() bool {
	return fault.KindOf(a.err) == fault.Conflict || errors.Is(a.err, store.ErrIssued) ||
		errors.Is(a.err, store.ErrDueChanged)
}

func (h *history) attempt(rt *rapid.T, change func() error) attempted {
	h.table.Reset()
	err := change()
	n := h.table.Counts().RowsWritten
	return attempted{n > 0, err}
}

// muteAside mutes a license, or resumes its reminders.
func (h *history) muteAside(rt *rapid.T, id string) {
	r, err := h.aside.License(rt.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	change := store.LicenseChange{ID: id, Version: r.Version, By: "carl@vendor.example"}
	l := h.licenses[id]
	mute := license.Mute{By: change.By, At: h.now, Reason: h.id("aside")}
	if l.Mute != (license.Mute{}) {
		mute = license.Mute{}
	}
	if err := h.muting(rt.Context(), h.aside, change, mute); err != nil {
		rt.Fatal(err)
	}
	l.Mute = mute
	h.licenses[id] = l
	h.changes++
}

// muting mutes a license as a Mute says, or resumes its reminders if that is zero.
func (h *history) muting(ctx context.Context, s *store.Store, change store.LicenseChange, m license.Mute) error {
	if m == (license.Mute{}) {
		return s.UnmuteReminders(ctx, change)
	}
	return s.MuteReminders(ctx, change, m.Reason, m.Until)
}

// vouchAside vouches for a request.
func (h *history) vouchAside(rt *rapid.T, r *modelRequest) {
	kept, err := h.aside.Request(rt.Context(), r.ID)
	if err != nil {
		rt.Fatal(err)
	}
	v := request.Vouch{Note: h.id("note")}
	change := store.RequestChange{ID: r.ID, Version: kept.Version, By: "carl@vendor.example"}
	if err := h.aside.VouchFor(rt.Context(), change, v); err != nil {
		rt.Fatal(err)
	}
	v.By, v.At = change.By, h.now
	r.Vouch, r.told, r.unordered = &v, append(r.told, store.VouchedFor), true
	h.changes++
}

// noteAside changes the notes of a customer.
func (h *history) noteAside(rt *rapid.T, id string) {
	id = h.survivor(id)
	a, err := h.aside.Account(rt.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	note := h.id("note")
	change := store.AccountChange{Customer: id, Version: a.Version, By: "carl@vendor.example"}
	err = h.aside.SaveCustomer(rt.Context(), change, id,
		func(c *customer.Customer) error { c.Notes = note; return nil })
	if err != nil {
		rt.Fatal(err)
	}
	c := h.customers[id]
	c.Notes = note
	h.saved(c, false)
	h.changes++
}

// check compares all that is on record with what has to be.
func (h *history) check(rt *rapid.T) {
	before := h.record
	var left map[string][]table.Row
	h.record, left = h.recounted()
	h.checkGone(rt, left)
	h.checkExpiries(rt)
	if err := h.record.check(h.today(), h.Policy()); err != nil {
		rt.Fatal(err)
	}
	if len(h.unaudited) > 0 {
		rt.Fatal(strings.Join(h.unaudited, "\n"))
	}
	if len(h.record.audit) != h.changes {
		rt.Fatalf("got %d changes in the audit, want %d", len(h.record.audit), h.changes)
	}
	stopped := func(id string) bool { return strings.Contains(id, "--stopped-") } // whose IDs are random
	mails := slices.DeleteFunc(slices.Clone(h.record.mails), stopped)
	if slices.Sort(h.mails); !slices.Equal(mails, h.mails) || len(h.record.mails) != len(mails)+h.stopped {
		rt.Fatalf("got mails %v, want %v and %d to sales", h.record.mails, h.mails, h.stopped)
	}
	h.checkReminders(rt)
	if limits := h.record.limits; !maps.Equal(limits, h.limits) {
		rt.Fatalf("got rows of limits %v, want %v", slices.SortedFunc(maps.Keys(limits), compareKeys),
			slices.SortedFunc(maps.Keys(h.limits), compareKeys))
	}
	h.checkEntities(rt)
	for id := range h.customers {
		if h.survivor(id) == id && before.customers[id].ID != "" && h.record.guards[id] == before.guards[id] &&
			h.record.guarded(id) != before.guarded(id) {
			rt.Fatalf("customer %s changed without its guard:\n%s\nwas\n%s", id, h.record.guarded(id),
				before.guarded(id))
		}
	}
	h.checkAccounts(rt)
}

// checkEntities: nothing was lost or changed but what had to.
func (h *history) checkEntities(rt *rapid.T) {
	for id, want := range h.customers {
		got := h.record.customers[id]
		want.Reference = got.Reference
		if want.Survivor = ""; want.MergedInto != "" {
			want.Survivor = h.survivor(id)
		}
		same(rt, "customer", got, want)
	}
	for id, want := range h.contracts {
		got := h.record.contracts[id]
		want.Reference = got.Reference
		same(rt, "contract", got, want)
	}
	for id, want := range h.instances {
		got := h.record.instances[id]
		want.Licenses = got.Licenses
		same(rt, "instance", got, want)
	}
	for id, want := range h.licenses {
		got := h.record.licenses[id].License
		want.Successor = got.Successor
		same(rt, "license", got, want)
	}
	for id, want := range h.requests {
		got := h.record.requests[id]
		want.Version, want.Expires = got.Version, expiresOf(want.Request)
		same(rt, "request", got, want.Request)
		told, wanted := h.record.told("REQUEST#"+id), slices.Clone(want.told)
		if want.unordered {
			slices.Sort(told)
			slices.Sort(wanted)
		}
		if !slices.Equal(told, wanted) {
			rt.Fatalf("request %s: got timeline %v, want %v", id, told, wanted)
		}
	}
	for what, n := range map[string][2]int{
		"customers": {len(h.record.customers), len(h.customers)},
		"contracts": {len(h.record.contracts), len(h.contracts)},
		"instances": {len(h.record.instances), len(h.instances)}, "licenses": {len(h.record.licenses), len(h.licenses)},
		"requests": {len(h.record.requests), len(h.requests)},
	} {
		if n[0] != n[1] {
			rt.Fatalf("got %d %s, want %d", n[0], what, n[1])
		}
	}
}

// told lists what a timeline tells, in its order.
func (r *recount) told(timeline string) (actions []store.Action) {
	for _, id := range slices.Sorted(maps.Keys(r.events)) {
		for _, d := range r.events[id] {
			if d.On == timeline {
				actions = append(actions, d.Action)
			}
		}
	}
	return actions
}

func same[T any](rt *rapid.T, what string, got, want T) {
	if reflect.DeepEqual(got, want) {
		return
	}
	g, err := json.Marshal(got)
	w, errWant := json.Marshal(want)
	if err != nil || errWant != nil || !bytes.Equal(g, w) { // a list that is empty, or nil, is the same
		rt.Fatalf("%s: got\n%s, want\n%s", what, g, w)
	}
}

// checkAccounts: whoever reads a customer reads all that is on record about it and those merged into it.
func (h *history) checkAccounts(rt *rapid.T) {
	for id := range h.customers {
		a, err := h.aside.Account(rt.Context(), id)
		if err != nil {
			rt.Fatal(err)
		}
		survivor := h.survivor(id)
		same(rt, "account's customer", a.Customer, h.record.customers[survivor])
		if a.Version != h.record.guards[survivor] {
			rt.Fatalf("account of %s: got version %d, want %d", id, a.Version, h.record.guards[survivor])
		}
		merged, contracts, instances := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, c := range a.Merged {
			merged[c.ID] = true
			same(rt, "merged customer", c, h.record.customers[c.ID])
		}
		for _, k := range a.Contracts {
			contracts[k.ID] = true
			same(rt, "account's contract", k, h.record.contracts[k.ID])
		}
		for _, i := range a.Instances {
			instances[i.ID] = true
			same(rt, "account's instance", i, h.record.instances[i.ID])
		}
		for other := range h.customers {
			if want := other != survivor && h.survivor(other) == survivor; merged[other] != want {
				rt.Fatalf("account of %s: got merged %s: %v, want %v", id, other, merged[other], want)
			}
		}
		for kid, k := range h.contracts {
			if want := h.survivor(k.Customer) == survivor; contracts[kid] != want {
				rt.Fatalf("account of %s: got contract %s: %v, want %v", id, kid, contracts[kid], want)
			}
		}
		for iid, i := range h.instances {
			if want := h.survivor(i.Customer) == survivor; instances[iid] != want {
				rt.Fatalf("account of %s: got instance %s: %v, want %v", id, iid, instances[iid], want)
			}
		}
	}
}

// nothing is why a step does nothing.
type nothing string

// step makes one of the steps, and checks what came of it.
func (h *history) step(rt *rapid.T, names ...string) {
	defer h.check(rt)
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(nothing); !ok {
				panic(p)
			}
		}
	}()
	steps := map[string]func(*rapid.T){
		"file": h.file, "look": func(rt *rapid.T) { h.person(rt) }, "review": h.review, "note": h.note,
		"issue": h.issue, "revoke": h.revoke, "mute": h.mute, "remind": h.remind,
		"readdress": h.readdress, "promote": h.promote, "unsubscribe": h.unsubscribe, "resubscribe": h.resubscribe,
		"resubscribe one": h.resubscribeOne, "retire": h.retireInstance, "move": h.move,
		"end": h.endContract, "resend": h.resend, "merge": h.merge, "unmerge": h.unmerge, "save": h.save, "pass": h.pass,
		"confirm": h.confirm, "deny": h.deny, "ask to confirm": h.sendConfirmation, "correct": h.correct,
		"close": h.closeUnconfirmed, "tell": h.tell, "link": h.link, "new customer": h.linkNew, "ask": h.ask,
		"receive": h.receive, "answer": h.answer, "vouch": h.vouch, "withdraw vouch": h.withdrawVouch,
		"undo": h.undo, "moment": h.moment,
		"expire": h.expire, "delete": h.deleteExpired, "drop": h.drop,
	}
	if len(names) == 0 {
		names = append(slices.Sorted(maps.Keys(steps)), "issue", "issue", "issue", "move", "merge", "merge", "merge",
			"unmerge", "remind", "remind", "remind", "pass", "file", "file", "file", "confirm", "confirm", "review",
			"undo", "undo")
	}
	steps[pick(rt, "step", names...)](rt)
}

// TestHistoriesKeepEverything runs random histories; CI runs 2,000 of them (-rapid.checks).
func TestHistoriesKeepEverything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(pick(rt, "policy", reminder.Policy{}, reminder.With(reminder.Switchable...)))
		for range 4 {
			h.step(rt, "issue")
		}
		for range rapid.IntRange(20, 50).Draw(rt, "steps") {
			h.step(rt)
		}
		h.eraseSomebody(rt)
	})
}
