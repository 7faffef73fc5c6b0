package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// QueueQuery asks for a page of the requests in some states.
type QueueQuery struct {
	States []request.State
	// Unconfirmed asks for the unconfirmed requests, whatever States says. All other queries leave them out.
	Unconfirmed bool
	Kind        request.Kind    // "" is every kind
	Edition     license.Edition // "" is every edition
	// Reviewer is who works on it, as in Review.By, if States is request.InReview alone; "" is everybody.
	Reviewer string
	Before   time.Time // only what is due before; zero: whenever it is due
	Latest   bool      // the latest due first; else the earliest due first
	Limit    int       // requests in a page
	After    string    // QueuePage.Next of the page before; "" begins
}

// QueuePage is a page of the queue.
type QueuePage struct {
	Requests []request.Summary
	Next     string // for QueueQuery.After; "" at the end
}

// Queue reads a page of the requests in some states, in the order in which they are due. It reads all states at once.
func (s *Store) Queue(ctx context.Context, q QueueQuery) (QueuePage, error) {
	lists, err := s.queues(ctx, q)
	if err != nil {
		return QueuePage{}, err
	}
	var found []queued
	more := false
	for _, l := range lists {
		found = append(found, l.requests...)
		more = more || l.more
	}
	// Each state is a list of its own, in the order of its sort keys; the page is the beginning of all of them.
	slices.SortFunc(found, func(a, b queued) int {
		if q.Latest {
			a, b = b, a
		}
		return cmp.Compare(a.sk, b.sk)
	})
	var page QueuePage
	for _, r := range found[:min(q.Limit, len(found))] {
		page.Requests = append(page.Requests, r.Summary)
	}
	if n := len(page.Requests); n > 0 && (more || n < len(found)) {
		page.Next = found[n-1].sk
	}
	return page, nil
}

// QueueLength counts the requests that a query asks for on all its pages, up to the query's limit.
func (s *Store) QueueLength(ctx context.Context, q QueueQuery) (n int, err error) {
	lists, err := s.queues(ctx, q)
	for _, l := range lists {
		n += len(l.requests)
	}
	return min(n, q.Limit), err
}

// queued is a request in the queue, with the sort key of its row.
type queued struct {
	request.Summary
	sk string
}

// queueList is what a query finds in one state.
type queueList struct {
	requests []queued
	more     bool
}

// queues reads the first requests of each state, as many as a page has.
func (s *Store) queues(ctx context.Context, q QueueQuery) ([]queueList, error) {
	states := q.states()
	lists := make([]queueList, len(states))
	g, ctx := errgroup.WithContext(ctx)
	for i, state := range states {
		g.Go(func() (err error) {
			if lists[i], err = s.queueOf(ctx, q, state); err != nil {
				return fmt.Errorf("store: queue of requests %s: %w", state, err)
			}
			return nil
		})
	}
	return lists, g.Wait()
}

// filtered is how many rows are read at once to find requests among others.
const filtered = 500

// queueOf reads the first requests of a state. Where the state has no list by kind and edition, it reads on until it
// has found as many as a page has.
func (s *Store) queueOf(ctx context.Context, q QueueQuery, state request.State) (l queueList, err error) {
	t := q.of(state)
	for len(l.requests) < q.Limit {
		n := q.Limit
		if (q.Kind != "" || q.Edition != "") && !rowkey.ListedByKind(state) {
			n = max(n, filtered)
		}
		rows, next, err := s.table.First(ctx, t, n)
		if err != nil {
			return l, err
		}
		for i, row := range rows {
			r, err := entity.Decode[request.Summary](row)
			if err != nil {
				return l, err
			}
			if q.Kind != "" && r.Kind != q.Kind || q.Edition != "" && r.Edition != q.Edition {
				continue
			}
			if l.requests = append(l.requests, queued{r, row.SK}); len(l.requests) == q.Limit {
				l.more = i < len(rows)-1 || next != ""
				return l, nil
			}
		}
		if t.After = next; next == "" {
			break
		}
	}
	return l, nil
}

// states lists the states under which rowkey.Queue lists what the query asks for.
func (q QueueQuery) states() []request.State {
	if q.Unconfirmed {
		return []request.State{rowkey.UnconfirmedState}
	}
	return q.States
}

// of is the query for the narrowest list of a state that has all requests that are asked for.
func (q QueueQuery) of(state request.State) table.Query {
	kind, edition := q.Kind, q.Edition
	if !rowkey.ListedByKind(state) {
		kind, edition = "", ""
	}
	t := table.Query{PK: rowkey.QueuePK(state, kind, edition, q.Reviewer), Descending: q.Latest, After: q.After}
	if !q.Before.IsZero() {
		t.To = q.Before.UTC().Format(time.RFC3339)
	}
	return t
}

// Week is what happened to requests in a week.
type Week struct {
	Begins      license.Date    // its Monday
	Filed       int             // requests received
	TimeToIssue []time.Duration // of the requests that were answered with a license
}

// Weeks reads the last weeks, the oldest first, up to the week of the day. It reads all at once.
func (s *Store) Weeks(ctx context.Context, day license.Date, weeks int) ([]Week, error) {
	monday := day.AddDays(-(int(day.Start().Weekday()) + 6) % 7)
	list := make([]Week, weeks)
	g, ctx := errgroup.WithContext(ctx)
	for i := range list {
		g.Go(func() (err error) {
			list[i], err = s.week(ctx, monday.AddDays(-7*(weeks-1-i)))
			return err
		})
	}
	return list, g.Wait()
}

func (s *Store) week(ctx context.Context, monday license.Date) (Week, error) {
	w := Week{Begins: monday}
	err := s.table.Each(ctx, table.Query{PK: rowkey.WeekPK(monday), Limit: 1000}, func(row table.Row) error {
		if strings.HasPrefix(row.SK, rowkey.FiledPrefix) {
			w.Filed++
			return nil
		}
		t, err := entity.Decode[timeToIssue](row)
		w.TimeToIssue = append(w.TimeToIssue, time.Duration(t.Seconds)*time.Second)
		return err
	})
	if err != nil {
		return Week{}, fmt.Errorf("store: week of %s: %w", monday, err)
	}
	return w, nil
}

// RequestsFiledIn passes the requests that were received in the week of the day to f, oldest first, until f fails.
func (s *Store) RequestsFiledIn(ctx context.Context, week license.Date, f func(request.Request) error) error {
	q := table.Prefix(rowkey.WeekPK(week), rowkey.FiledPrefix)
	err := s.table.Each(ctx, q, func(row table.Row) error {
		r, err := s.Request(ctx, row.SK[len(rowkey.FiledPrefix):])
		if err != nil {
			return err
		}
		return f(r)
	})
	if err != nil {
		return fmt.Errorf("store: requests of the week of %s: %w", week, err)
	}
	return nil
}
