package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// people are who acts in a history. Each acts on what they saw last, which the other may have changed meanwhile.
var people = []string{"ann@vendor.example", "bob@vendor.example"}

// history is a random course of events, and what by simple reckoning has to come of it.
type history struct {
	*testEnv
	name string // keeps the histories that share a table apart
	ids  int    // of the licenses of this history

	requests map[string]*modelRequest
	licenses map[string]*modelLicense
}

type modelRequest struct {
	state    request.State
	reviewer string
	licenses []string
	told     []store.Action
	version  int64
	seen     map[string]int64 // the version that each person saw last
}

type modelLicense struct {
	terms   license.License
	revoked bool
	muted   bool
	told    int // events that people caused
	version int64
	seen    map[string]int64
}

func (h *history) server(rt *rapid.T) license.Server {
	// Two datasets, one of them also under a new database address.
	dataset := h.name + rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "dataset")
	if rapid.Bool().Draw(rt, "moved") {
		return license.Server("0A1B2C3D-" + dataset)
	}
	return license.Server(dataset)
}

func (h *history) license(rt *rapid.T) license.License {
	h.ids++
	return license.License{
		ID: fmt.Sprintf("%s-l%d", h.name, h.ids), Type: rapid.SampledFrom(license.Types).Draw(rt, "type"),
		Organization: "Acme AG",
		Server:       h.server(rt), Edition: rapid.SampledFrom(license.Editions).Draw(rt, "edition"),
		MaxLoc:     int64(rapid.IntRange(1, 9).Draw(rt, "loc")) * 1_000_000,
		Expiration: license.DateOf(h.now).AddMonths(rapid.IntRange(-1, 14).Draw(rt, "months")),
		Contacts:   []license.Contact{{Email: "ada@acme.example"}},
	}
}

// one draws one of the entities, in an order that the same draws repeat.
func one[V any](rt *rapid.T, all map[string]V, what string) (id string, v V) {
	if len(all) == 0 {
		rt.Skip("there is none yet")
	}
	id = rapid.SampledFrom(slices.Sorted(maps.Keys(all))).Draw(rt, what)
	return id, all[id]
}

func (h *history) file(rt *rapid.T) {
	d := evaluation
	d.Server = h.server(rt)
	d.Kind = rapid.SampledFrom(request.Kinds).Draw(rt, "kind")
	r, _, err := h.FileRequest(rt.Context(), d, "")
	if err != nil {
		rt.Fatal(err)
	}
	h.requests[r.ID] = &modelRequest{state: request.Received, told: []store.Action{store.RequestReceived}, version: 1,
		seen: map[string]int64{people[0]: 1, people[1]: 1}}
}

func (h *history) look(rt *rapid.T) {
	who := rapid.SampledFrom(people).Draw(rt, "who")
	_, r := one(rt, h.requests, "request")
	r.seen[who] = r.version
	for _, l := range h.licenses {
		l.seen[who] = l.version
	}
}

var told = map[request.State]store.Action{
	request.Waiting: store.CustomerAsked, request.Rejected: store.RequestRejected,
	request.Withdrawn: store.RequestWithdrawn,
}

func (h *history) review(rt *rapid.T) {
	who := rapid.SampledFrom(people).Draw(rt, "who")
	id, r := one(rt, h.requests, "request")
	to := rapid.SampledFrom([]request.State{request.InReview, request.Waiting, request.Rejected,
		request.Withdrawn}).Draw(rt, "to")
	after, err := h.Review(rt.Context(), store.Review{ID: id, Version: r.seen[who], By: who, To: to, Text: "because"})
	takenOver := r.state == request.InReview && to == request.InReview && r.reviewer != who
	may := r.seen[who] == r.version && (r.state.Leads(to) || takenOver)
	h.expect(rt, err, may)
	if !may {
		return
	}
	action := told[to]
	if to == request.InReview {
		action = map[request.State]store.Action{
			request.Received: store.RequestTaken, request.Waiting: store.RequestResumed,
			request.InReview: store.RequestTakenOver,
		}[r.state]
	}
	if to == request.InReview || to == request.Waiting {
		r.reviewer = who
	}
	r.state, r.version, r.seen[who] = to, after.Version, after.Version
	r.told = append(r.told, action)
}

// expect says whether a change succeeded where it had to, and was refused with a conflict where it had to be.
func (h *history) expect(rt *rapid.T, err error, may bool) {
	switch {
	case may && err != nil:
		rt.Fatalf("got %v, want success", err)
	case !may && fault.KindOf(err) != fault.Conflict:
		rt.Fatalf("got %v, want a Conflict fault", err)
	}
}

func (h *history) note(rt *rapid.T) {
	id, r := one(rt, h.requests, "request")
	if err := h.NoteOnRequest(rt.Context(), id, people[0], "called them"); err != nil {
		rt.Fatal(err)
	}
	r.told = append(r.told, store.NoteAdded)
}

// mostLicenses bounds a history: a license may end the reminders of every other one of its dataset, and one transaction
// does not hold the rows of many more.
const mostLicenses = 20

func (h *history) issue(rt *rapid.T) {
	if len(h.licenses) >= mostLicenses {
		rt.Skip("the dataset has enough licenses")
	}
	who := rapid.SampledFrom(people).Draw(rt, "who")
	id, r := one(rt, h.requests, "request")
	licenses := []license.License{h.license(rt)}
	if rapid.Bool().Draw(rt, "with a second") {
		licenses = append(licenses, h.license(rt))
	}
	i := store.Issue{Licenses: licenses, By: who, Request: id, RequestVersion: r.seen[who]}
	err := h.IssueLicenses(rt.Context(), i)
	may := r.seen[who] == r.version && r.state.Leads(request.Issued)
	h.expect(rt, err, may)
	if !may {
		return
	}
	r.state = request.Issued
	r.told = append(r.told, store.RequestIssued)
	for _, l := range licenses {
		l.Request = id
		r.licenses = append(r.licenses, l.ID)
		h.licenses[l.ID] = &modelLicense{terms: l, told: 1, seen: map[string]int64{}}
	}
	h.refresh(rt)
	r.seen[who] = r.version
	if err := h.IssueLicenses(rt.Context(), i); !errors.Is(err, store.ErrIssued) {
		rt.Fatalf("same issue again: got %v, want ErrIssued", err)
	}
}

func (h *history) revoke(rt *rapid.T) {
	who := rapid.SampledFrom(people).Draw(rt, "who")
	id, l := one(rt, h.licenses, "license")
	err := h.RevokeLicense(rt.Context(), store.LicenseChange{ID: id, Version: l.seen[who], By: who}, "never paid")
	may := l.seen[who] == l.version && !l.revoked
	h.expect(rt, err, may)
	if may {
		l.revoked = true
		l.told++
		h.refresh(rt)
	}
}

func (h *history) mute(rt *rapid.T) {
	who := rapid.SampledFrom(people).Draw(rt, "who")
	id, l := one(rt, h.licenses, "license")
	muted := rapid.Bool().Draw(rt, "muted")
	err := h.MuteReminders(rt.Context(), store.LicenseChange{ID: id, Version: l.seen[who], By: who}, muted)
	may := l.seen[who] == l.version
	h.expect(rt, err, may)
	if may {
		l.muted = muted
		l.told++
		h.refresh(rt)
	}
}

// refresh reads the versions that changed along: those of the licenses of a dataset, and of the request that was
// answered.
func (h *history) refresh(rt *rapid.T) {
	for id, l := range h.licenses {
		r, err := h.License(rt.Context(), id)
		if err != nil {
			rt.Fatal(err)
		}
		l.version = r.Version
	}
	for id, m := range h.requests {
		r, err := h.Request(rt.Context(), id)
		if err != nil {
			rt.Fatal(err)
		}
		m.version = r.Version
	}
}

// check compares everything that is stored with what has to be.
func (h *history) check(rt *rapid.T) {
	for id, m := range h.requests {
		r, err := h.Request(rt.Context(), id)
		if err != nil || r.State != m.state || !slices.Equal(r.Licenses, m.licenses) {
			rt.Fatalf("request %s: got %s with licenses %v, %v, want %s with %v", id, r.State, r.Licenses, err, m.state,
				m.licenses)
		}
		events, err := h.RequestTimeline(rt.Context(), id)
		if err != nil {
			rt.Fatal(err)
		}
		var actions []store.Action
		for _, e := range events {
			actions = append(actions, e.Action)
		}
		if !slices.Equal(actions, m.told) {
			rt.Fatalf("request %s: got timeline %v, want %v", id, actions, m.told)
		}
	}
	h.checkQueues(rt)
	for id, m := range h.licenses {
		h.checkLicense(rt, id, m)
	}
}

// checkQueues: every request is in the queue of its state and in no other; one in review is in that of its
// reviewer as well.
func (h *history) checkQueues(rt *rapid.T) {
	for _, state := range request.States {
		h.checkQueue(rt, state, "")
	}
	for _, who := range people {
		h.checkQueue(rt, request.InReview, who)
	}
}

func (h *history) checkQueue(rt *rapid.T, state request.State, reviewer string) {
	var want, got []string
	for id, m := range h.requests {
		if m.state == state && (reviewer == "" || m.reviewer == reviewer) {
			want = append(want, id)
		}
	}
	q := store.QueueQuery{States: []request.State{state}, Reviewer: reviewer, Limit: 1000}
	for more := true; more; more = q.After != "" {
		page, err := h.Queue(rt.Context(), q)
		if err != nil {
			rt.Fatal(err)
		}
		for _, r := range page.Requests {
			if _, ours := h.requests[r.ID]; ours {
				got = append(got, r.ID)
			}
		}
		q.After = page.Next
	}
	slices.Sort(want)
	if slices.Sort(got); !slices.Equal(got, want) {
		rt.Fatalf("queue of %s with %q: got %v, want %v", state, reviewer, got, want)
	}
}

func (h *history) checkLicense(rt *rapid.T, id string, m *modelLicense) {
	r, err := h.License(rt.Context(), id)
	if err != nil || r.License.Request != m.terms.Request || r.License.MaxLoc != m.terms.MaxLoc ||
		r.License.Revoked.IsZero() == m.revoked || r.License.Muted != m.muted {
		rt.Fatalf("license %s: got %+v, %v, want %+v", id, r.License, err, m)
	}
	followed := false
	for _, other := range h.licenses {
		l := other.terms
		if other.revoked {
			l.Revoked = time.Unix(1, 0)
		}
		followed = followed || l.Succeeds(m.terms)
	}
	if (r.License.Successor != "") != followed && !m.revoked {
		rt.Fatalf("license %s: got successor %q; has one: %v", id, r.License.Successor, followed)
	}
	if s := r.License.Successor; s != "" && h.licenses[s].revoked {
		rt.Fatalf("license %s: got the revoked successor %s", id, s)
	}
	day, _ := reminder.Default.Next(r.License, license.DateOf(h.now), r.Reminded)
	if r.NextReminder != day {
		rt.Fatalf("license %s: got reminder on %q, want %q", id, r.NextReminder, day)
	}
	events, err := h.LicenseTimeline(rt.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	byPeople := 0
	for _, e := range events {
		if e.By != store.System {
			byPeople++
		}
		if e.By != store.System && e.Action != store.LicenseIssued && len(e.Changes) == 0 &&
			e.Action != store.RemindersOn && e.Action != store.RemindersMuted {
			rt.Fatalf("got event %+v without changes", e)
		}
	}
	if byPeople != m.told {
		rt.Fatalf("license %s: got %d events of people, want %d", id, byPeople, m.told)
	}
}

// TestHistoriesKeepEverything runs random histories; CI runs 2,000 of them (-rapid.checks).
func TestHistoriesKeepEverything(t *testing.T) {
	histories := newHistories(t)
	rapid.Check(t, func(rt *rapid.T) {
		h := histories.begin()
		rt.Repeat(map[string]func(*rapid.T){
			"file": h.file, "look": h.look, "review": h.review, "note": h.note, "issue": h.issue, "revoke": h.revoke,
			"mute": h.mute,
		})
		h.check(rt)
	})
	histories.end()
}

// histories are many histories in few tables: each has its own datasets, and a table for every history would take long.
type histories struct {
	t     *testing.T
	n     int
	table *testEnv
}

func newHistories(t *testing.T) *histories { return &histories{t: t} }

func (hs *histories) begin() *history {
	if hs.n++; hs.n%50 == 1 {
		hs.end()
		hs.table = newTestEnv(hs.t)
	}
	return &history{
		testEnv: hs.table, name: fmt.Sprintf("AWHW8w9JtzBz%07d", hs.n),
		requests: map[string]*modelRequest{}, licenses: map[string]*modelLicense{},
	}
}

func (hs *histories) end() {
	if hs.table != nil {
		checkCounts(hs.t, hs.table)
	}
}

// checkCounts: the counts are those of the licenses that are there.
func checkCounts(t *testing.T, b *testEnv) {
	t.Helper()
	first := license.DateOf(b.now).AddMonths(-24)
	months, rest, err := b.Expiring(t.Context(), first, 60)
	if err != nil || len(rest) != 0 {
		t.Fatal(rest, err)
	}
	for _, m := range months {
		want := map[store.Class]store.Count{}
		err := b.LicensesExpiring(t.Context(), m.Month, func(l store.Summary) error {
			if l.Successor == "" && l.Revoked.IsZero() {
				n := want[store.Class{Edition: l.Edition, Type: l.Type}]
				want[store.Class{Edition: l.Edition, Type: l.Type}] = store.Count{Licenses: n.Licenses + 1,
					MaxLoc: n.MaxLoc + l.MaxLoc}
			}
			return nil
		})
		if err != nil || !maps.Equal(m.Counts, want) {
			t.Errorf("in %s: got counts %v, %v, want %v", m.Month, m.Counts, err, want)
		}
	}
}

// TestTwoPeopleAtOnceNeverBothSucceed lets two people act on one request at the same time, on the same view of it.
func TestTwoPeopleAtOnceNeverBothSucceed(t *testing.T) {
	histories := newHistories(t)
	rapid.Check(t, func(rt *rapid.T) {
		h := histories.begin()
		b := h.testEnv
		h.file(rt)
		id, _ := one(rt, h.requests, "request")
		acts := []func(who string) error{}
		for _, who := range people {
			l := h.license(rt)
			to := rapid.SampledFrom([]request.State{request.InReview, request.Waiting, request.Issued, request.Rejected,
				request.Withdrawn}).Draw(rt, who)
			acts = append(acts, func(who string) error {
				if to == request.Issued {
					return b.IssueLicenses(rt.Context(),
						store.Issue{Licenses: []license.License{l}, By: who, Request: id, RequestVersion: 1})
				}
				_, err := b.Review(rt.Context(), store.Review{ID: id, Version: 1, By: who, To: to, Text: "because"})
				return err
			})
		}
		errs := make([]error, len(people))
		var wg sync.WaitGroup
		for i, act := range acts {
			wg.Go(func() { errs[i] = act(people[i]) })
		}
		wg.Wait()
		succeeded := 0
		for _, err := range errs {
			if err == nil {
				succeeded++
			} else if fault.KindOf(err) != fault.Conflict && !errors.Is(err, store.ErrIssued) {
				rt.Fatal(err)
			}
		}
		events, err := b.RequestTimeline(rt.Context(), id)
		if err != nil || succeeded != 1 || len(events) != 2 {
			rt.Fatalf("got %d of two successful (%v) and the timeline %v, %v, want one", succeeded, errs, events, err)
		}
		found, err := b.FindByDataset(rt.Context(), license.Server(h.name+"a"), 10)
		if err != nil || len(found.Licenses) > 1 {
			rt.Fatalf("got licenses %v, %v, want at most one", found.Licenses, err)
		}
	})
	histories.end()
}
