package desk

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// tab is a group of states in the queue.
type tab struct {
	key, label string
	states     []request.State
	latest     bool // the latest first
}

var tabs = []tab{
	{"open", "Open", []request.State{request.Received, request.InReview}, false},
	{"waiting", "Waiting for customers", []request.State{request.Waiting}, false},
	{"closed", "Closed", []request.State{request.Issued, request.Rejected, request.Withdrawn}, true},
}

type queueView struct {
	Tabs     []tabView
	Show     string // the key of the current tab
	Label    string // its name
	Kinds    []choice
	Editions []choice
	Filtered bool
	Requests []requestRow
	Late     string // how many of the open ones are late; "" for none
	Begin    string // the address of the first page; "" on it
	Next     string // the address of the next page; "" on the last
}

type tabView struct {
	Label, Count, To string
	Current          bool
}

// choice is an option of a filter.
type choice struct {
	Value, Label string
	Chosen       bool
}

const (
	pageSize = 50
	// counted is how far lists are counted: what is more is told as "200+".
	counted = 200
)

// queue shows the requests of a group of states: what is due first, first; of the closed ones the latest. What its address
// holds that is no filter is passed over.
func (d *desk) queue(w http.ResponseWriter, r *http.Request) error {
	asked := r.URL.Query()
	q := store.QueueQuery{
		Kind: request.Kind(asked.Get("kind")), Edition: license.Edition(asked.Get("edition")), Limit: pageSize, After: asked.Get("after"),
	}
	if !q.Kind.Valid() {
		q.Kind = ""
	}
	if !q.Edition.Valid() {
		q.Edition = ""
	}
	if !isCursor(q.After) {
		q.After = ""
	}
	current := tabs[0]
	for _, t := range tabs {
		if t.key == asked.Get("show") {
			current = t
		}
	}
	q.States, q.Latest = current.states, current.latest
	page, err := d.store.Queue(r.Context(), q)
	if err != nil {
		return err
	}

	v := queueView{
		Show: current.key, Label: current.label, Kinds: kindChoices(q.Kind), Editions: editionChoices(q.Edition),
		Filtered: q.Kind != "" || q.Edition != "", Requests: d.requestRows(page.Requests),
	}
	for _, t := range tabs {
		n := ""
		if !t.latest {
			if n, err = d.length(r, store.QueueQuery{States: t.states, Kind: q.Kind, Edition: q.Edition}); err != nil {
				return err
			}
		}
		v.Tabs = append(v.Tabs, tabView{t.label, n, queueAddress(t.key, q, ""), t.key == current.key})
	}
	late := store.QueueQuery{States: tabs[0].states, Kind: q.Kind, Edition: q.Edition, Before: d.now()}
	if v.Late, err = d.length(r, late); err != nil {
		return err
	}
	if v.Late == "0" {
		v.Late = ""
	}
	if q.After != "" {
		v.Begin = queueAddress(current.key, q, "")
	}
	if page.Next != "" {
		v.Next = queueAddress(current.key, q, page.Next)
	}
	return d.render(w, r, http.StatusOK, "queue.html", inQueue, "Requests: "+current.label, v)
}

// length counts a queue: "12", or "200+".
func (d *desk) length(r *http.Request, q store.QueueQuery) (string, error) {
	q.Limit = counted + 1
	n, err := d.store.QueueLength(r.Context(), q)
	return upTo(n, counted), err
}

// upTo is a number that was counted to a limit.
func upTo(n, limit int) string {
	if n > limit {
		return strconv.Itoa(limit) + "+"
	}
	return strconv.Itoa(n)
}

func queueAddress(show string, q store.QueueQuery, after string) string {
	v := url.Values{}
	for name, value := range map[string]string{"kind": string(q.Kind), "edition": string(q.Edition), "after": after} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if show != tabs[0].key {
		v.Set("show", show)
	}
	if len(v) == 0 {
		return "/console"
	}
	return "/console?" + v.Encode()
}

// isCursor reports whether s can be a place in the queue: a time and the ID of a request.
func isCursor(s string) bool {
	at, id, ok := strings.Cut(s, "#")
	_, err := time.Parse(time.RFC3339, at)
	return ok && err == nil && license.ValidID(id)
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
			list = append(list, choice{string(e), e.Name(), e == chosen})
		}
	}
	return list
}
