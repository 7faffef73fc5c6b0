package site

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/request"
	"marketplace/shared/store"
)

// The pages of a request carry the queue that the person came from in the parameter "queue" of their addresses, as the
// query of that queue's own address. So each action can offer the next request.

// origin is the queue that a person came from.
type origin struct{ filter }

// originOf reads the origin from the address. By default, and for closed requests, it is the queue of all open ones.
func originOf(r *http.Request) origin {
	query, _ := url.ParseQuery(r.URL.Query().Get("queue")) // whatever cannot be read is as if it were not there
	f := readFilter(r, query)
	if f.tab.key == closedTab.key {
		f = filter{tab: openTab}
	}
	return origin{f}
}

// suffix passes the origin on at the end of an address without a query; "" if there is nothing to pass on.
func (o origin) suffix() string {
	_, query, _ := strings.Cut(o.address(""), "?")
	if query == "" {
		return ""
	}
	return "?" + url.Values{"queue": {query}}.Encode()
}

// donePage returns the address of a page that says that an action is done.
func (o origin) donePage(page, done string) string {
	return page + "?done=" + done + strings.Replace(o.suffix(), "?", "&", 1)
}

// nextView is what to do after an action on a request.
type nextView struct {
	Request *requestRow // nil: nothing else is to be done
	Queue   string      // the address of the queue
}

// maxBusy is how many requests are looked at for one that no colleague reviews.
const maxBusy = 50

// next returns the request behind another one in the queue that the person came from, or else the queue's first. It
// leaves out what a colleague reviews, unless the person looked for what is in review. All reads are made at once.
func (s *site) next(ctx context.Context, r *http.Request, at request.Summary) (*nextView, error) {
	o := originOf(r)
	first := o.query(r, s.now())
	first.Limit = maxBusy
	behind := first
	behind.After = cursorOfQueue(at)
	var lists [2]store.QueuePage
	g, ctx := errgroup.WithContext(ctx)
	for i, q := range []store.QueueQuery{behind, first} {
		read(g, &lists[i], func() (store.QueuePage, error) { return s.store.Queue(ctx, q) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	v := &nextView{Queue: o.address("")}
	for _, found := range append(lists[0].Requests, lists[1].Requests...) {
		busy := found.State == request.InReview && found.Reviewer != operator(r) && o.state != request.InReview
		if found.ID == at.ID || busy {
			continue
		}
		row := s.requestRows(r, []request.Summary{found})[0]
		row.From = o.suffix()
		v.Request = &row
		return v, nil
	}
	return v, nil
}
