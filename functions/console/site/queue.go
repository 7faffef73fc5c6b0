package site

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// tab is a group of states in the queue.
type tab struct {
	key, label string
	all        string // the option for all its states
	states     []request.State
	latest     bool // newest first
	mine       bool // only requests that the viewer is reviewing

	unconfirmed bool // the unconfirmed requests, which no other tab has
}

var (
	openTab = tab{
		key: "open", label: "Open", all: "All open", states: []request.State{request.Received, request.InReview},
	}
	mineTab = tab{
		key:    "mine",
		label:  "Mine",
		all:    "All mine",
		states: []request.State{request.InReview},
		mine:   true,
	}
	waitingTab     = tab{key: "waiting", label: "Waiting", all: "All waiting", states: []request.State{request.Waiting}}
	unconfirmedTab = tab{
		key: "unconfirmed", label: "Unconfirmed", all: "All unconfirmed", states: []request.State{request.Received},
		unconfirmed: true,
	}
	closedTab = tab{
		key: "closed", label: "Closed", all: "All closed",
		states: []request.State{request.Issued, request.Answered, request.Rejected, request.Withdrawn}, latest: true,
	}
)

// tabsFor returns the tabs for the person who is signed in. Viewers review nothing, so they have no tab "Mine".
func tabsFor(r *http.Request) []tab {
	if canEdit(r) {
		return []tab{openTab, mineTab, waitingTab, unconfirmedTab, closedTab}
	}
	return []tab{openTab, waitingTab, unconfirmedTab, closedTab}
}

// filter selects the requests that the queue shows.
type filter struct {
	tab     tab
	state   request.State   // "" is every state of the tab
	kind    request.Kind    // "" is every kind
	edition license.Edition // "" is every edition
	late    bool            // only what is late; of tabs that have such requests
}

// filterOf reads a filter from the address and ignores invalid values. A state that the tab does not have selects the
// tab that has it.
func filterOf(r *http.Request) filter { return readFilter(r, r.URL.Query()) }

// readFilter reads a filter from a query, for the person who is signed in.
func readFilter(r *http.Request, query url.Values) filter {
	f := filter{tab: openTab, kind: request.Kind(query.Get("kind")), edition: license.Edition(query.Get("edition"))}
	if !f.kind.Valid() {
		f.kind = ""
	}
	if !f.edition.Valid() {
		f.edition = ""
	}
	for _, s := range request.States {
		if stateKey(s) == stateKey(request.State(query.Get("state"))) {
			f.state, f.tab = s, tabOf(s)
		}
	}
	for _, t := range tabsFor(r) {
		if t.key == query.Get("show") && (f.state == "" || slices.Contains(t.states, f.state)) {
			f.tab = t
		}
	}
	f.late = f.tab.canBeLate() && query.Get("late") == "yes"
	return f
}

// canBeLate reports whether requests of the tab can be late.
func (t tab) canBeLate() bool { return t.key == openTab.key || t.key == mineTab.key }

// filtered reports whether the filter leaves out some of its tab.
func (f filter) filtered() bool { return f.state != "" || f.kind != "" || f.edition != "" || f.late }

// stateKey returns a state as addresses write it: in-review.
func stateKey(s request.State) string { return strings.ReplaceAll(string(s), " ", "-") }

// tabOf returns the tab that shows a state unless the address says otherwise.
func tabOf(s request.State) tab {
	for _, t := range []tab{waitingTab, closedTab} {
		if slices.Contains(t.states, s) {
			return t
		}
	}
	return openTab
}

// query returns the filter as a query to the store at a time, for the person who is signed in.
func (f filter) query(r *http.Request, now time.Time) store.QueueQuery {
	q := store.QueueQuery{States: f.tab.states, Kind: f.kind, Edition: f.edition, Latest: f.tab.latest, Limit: pageSize,
		Unconfirmed: f.tab.unconfirmed}
	if f.state != "" {
		q.States = []request.State{f.state}
	}
	if f.tab.mine {
		q.Reviewer = operator(r)
	}
	if f.late {
		q.Before = now
	}
	return q
}

// address returns the address of a page of the queue; after is the cursor that it begins at, "" for the first page.
func (f filter) address(after string) string {
	v := url.Values{}
	for name, value := range map[string]string{
		"state": stateKey(f.state), "kind": string(f.kind), "edition": string(f.edition), "after": after,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if f.late {
		v.Set("late", "yes")
	}
	if f.tab.key != tabOf(f.state).key {
		v.Set("show", f.tab.key)
	}
	if len(v) == 0 {
		return "/console"
	}
	return "/console?" + v.Encode()
}

type queueView struct {
	Tabs      []tabView
	Show      string   // the key of the current tab
	All       string   // the choice of all its states
	States    []choice // its states; empty if it has only one
	Kinds     []choice
	Editions  []choice
	Filtered  bool
	Requests  []requestRow
	CanBeLate bool   // the tab can be filtered by what is late
	OnlyLate  bool   // it is
	AllOnTime bool   // nothing else is filtered, so an empty list says that nothing is late
	Late      string // the number of open requests of the kind and edition that are late; "" for none
	LateTo    string // the address of their list
	FirstPage string // the address of the first page; "" on it
	NextPage  string // the address of the next page; "" on the last
}

type tabView struct {
	Label, Count, To string
	Current          bool
}

// choice is an option in a filter.
type choice struct {
	Value, Label string
	Chosen       bool
}

const (
	pageSize = 50
	// counted is the limit up to which lists are counted: more is shown as "200+".
	counted = 200
)

// queue shows the requests of a filter, the earliest due date first; closed ones newest first.
func (s *site) queue(w http.ResponseWriter, r *http.Request) error {
	f := filterOf(r)
	now := s.now()
	q := f.query(r, now)
	if after := r.URL.Query().Get("after"); isCursorOfQueue(after) {
		q.After = after
	}
	tabs := tabsFor(r)
	late := filter{tab: openTab, kind: f.kind, edition: f.edition, late: true}
	var page store.QueuePage
	var lateCount int
	counts := make([]int, len(tabs))
	g, ctx := errgroup.WithContext(r.Context())
	read(g, &page, func() (store.QueuePage, error) { return s.store.Queue(ctx, q) })
	read(g, &lateCount, func() (int, error) { return s.length(ctx, late.query(r, now)) })
	for i, t := range tabs {
		if t.key != closedTab.key {
			of := filter{tab: t, kind: f.kind, edition: f.edition}
			read(g, &counts[i], func() (int, error) { return s.length(ctx, of.query(r, now)) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	v := queueView{
		Show: f.tab.key, All: f.tab.all,
		States: stateChoices(f), Kinds: kindChoices(f.kind), Editions: editionChoices(f.edition),
		Filtered: f.filtered(), CanBeLate: f.tab.canBeLate(), OnlyLate: f.late,
		AllOnTime: f.late && f.state == "" && f.kind == "" && f.edition == "",
		Requests:  s.requestRows(r, page.Requests),
	}
	for i := range v.Requests {
		v.Requests[i].From = origin{f}.suffix()
	}
	for i, t := range tabs {
		n := upTo(counts[i], counted)
		switch {
		case t.key == closedTab.key:
			n = ""
		case t.unconfirmed && counts[i] == 0 && t.key != f.tab.key:
			continue // the tab is for exceptions
		}
		to := filter{tab: t, kind: f.kind, edition: f.edition}.address("")
		v.Tabs = append(v.Tabs, tabView{t.label, n, to, t.key == f.tab.key})
	}
	v.Late = upTo(lateCount, counted)
	v.LateTo = late.address("")
	if v.Late == "0" {
		v.Late = ""
	}
	if q.After != "" {
		v.FirstPage = f.address("")
	}
	if page.Next != "" {
		v.NextPage = f.address(page.Next)
	}
	title := "Requests: " + f.tab.label
	if f.state != "" {
		title = "Requests: " + stateBadge(f.state).Text
	}
	if f.late {
		title += ", late"
	}
	return s.render(w, r, http.StatusOK, "queue.html", inQueue, title, v)
}

// length counts the requests of a query up to one more than counted.
func (s *site) length(ctx context.Context, q store.QueueQuery) (int, error) {
	q.Limit = counted + 1
	return s.store.QueueLength(ctx, q)
}

// upTo writes a number that was counted up to a limit.
func upTo(n, limit int) string {
	if n > limit {
		return strconv.Itoa(limit) + "+"
	}
	return strconv.Itoa(n)
}

// cursorOfQueue returns the place of a request in every queue that has it.
func cursorOfQueue(r request.Summary) string { return r.Due.UTC().Format(time.RFC3339) + "#" + r.ID }

// isCursorOfQueue reports whether s has the form of a cursor of the queue: a time and the ID of a request.
func isCursorOfQueue(s string) bool {
	at, id, ok := strings.Cut(s, "#")
	_, err := time.Parse(time.RFC3339, at)
	return ok && err == nil && license.ValidID(id)
}

// stateChoices returns the states of the filter's tab; none if it has only one.
func stateChoices(f filter) (list []choice) {
	if len(f.tab.states) < 2 {
		return nil
	}
	for _, s := range f.tab.states {
		list = append(list, choice{stateKey(s), stateBadge(s).Text, s == f.state})
	}
	return list
}

func kindChoices(chosen request.Kind) (list []choice) {
	for _, k := range request.Kinds {
		list = append(list, choice{string(k), shortKind(k), k == chosen})
	}
	return list
}

func editionChoices(chosen license.Edition) (list []choice) {
	for _, e := range license.Editions {
		if e != license.Community { // nobody requests a license for it
			list = append(list, choice{string(e), shortEdition(e), e == chosen})
		}
	}
	return list
}
