package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/table"
)

// QueueQuery asks for a page of the requests in some states.
type QueueQuery struct {
	States  []request.State
	Kind    request.Kind    // "" is every kind
	Edition license.Edition // "" is every edition
	// Reviewer is who works on it, as Review.By had it, where the states are request.InReview alone; "" is everybody.
	Reviewer string
	Before   time.Time // only what is due before; zero: whenever it is due
	Latest   bool      // the latest due first; else those that were due first
	Limit    int       // requests in a page
	After    string    // QueuePage.Next of the page before; "" begins
}

// QueuePage is a page of the queue.
type QueuePage struct {
	Requests []request.Summary
	Next     string // for QueueQuery.After; "" at the end
}

// Queue reads a page of the requests in some states, in the order in which they are due.
func (s *Store) Queue(ctx context.Context, q QueueQuery) (QueuePage, error) {
	var found []table.Row
	more := false
	for _, state := range q.States {
		page, err := s.table.Query(ctx, q.of(state))
		if err != nil {
			return QueuePage{}, fmt.Errorf("store: queue of requests %s: %w", state, err)
		}
		found = append(found, page.Rows...)
		more = more || page.Next != ""
	}
	// The states are in lists of their own, each in the order of its sort keys; the page is the beginning of all of them.
	slices.SortFunc(found, func(a, b table.Row) int {
		if q.Latest {
			a, b = b, a
		}
		return cmp.Compare(a.SK, b.SK)
	})
	var page QueuePage
	for _, row := range found[:min(q.Limit, len(found))] {
		r, err := decode[request.Summary](row)
		if err != nil {
			return QueuePage{}, err
		}
		page.Requests = append(page.Requests, r)
	}
	if n := len(page.Requests); n > 0 && (more || n < len(found)) {
		page.Next = found[n-1].SK
	}
	return page, nil
}

// of is the query for the requests of one of the states.
func (q QueueQuery) of(state request.State) table.Query {
	t := table.Query{PK: queuePK(state, q.Kind, q.Edition, q.Reviewer), Descending: q.Latest, Limit: q.Limit, After: q.After}
	if !q.Before.IsZero() {
		t.To = q.Before.UTC().Format(time.RFC3339)
	}
	return t
}

// QueueLength counts the requests that a query asks for on all its pages, and stops at the query's limit.
func (s *Store) QueueLength(ctx context.Context, q QueueQuery) (n int, err error) {
	for _, state := range q.States {
		if n, err = s.count(ctx, q.of(state), n, q.Limit); err != nil {
			return 0, fmt.Errorf("store: counting requests %s: %w", state, err)
		}
	}
	return n, nil
}

// count adds the rows of a query to n, and stops at the limit.
func (s *Store) count(ctx context.Context, q table.Query, n, limit int) (int, error) {
	for n < limit {
		q.Limit = limit - n
		page, err := s.table.Query(ctx, q)
		if err != nil {
			return n, err
		}
		n += len(page.Rows)
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	return min(n, limit), nil
}
