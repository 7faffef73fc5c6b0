package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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

// Queue reads a page of the requests in some states, in the order in which they are due.
func (s *Store) Queue(ctx context.Context, q QueueQuery) (QueuePage, error) {
	var found []table.Row
	more := false
	for _, state := range q.states() {
		rows, next, err := s.table.First(ctx, q.of(state), q.Limit)
		if err != nil {
			return QueuePage{}, fmt.Errorf("store: queue of requests %s: %w", state, err)
		}
		found = append(found, rows...)
		more = more || next != ""
	}
	// Each state is a list of its own, in the order of its sort keys; the page is the beginning of all of them.
	slices.SortFunc(found, func(a, b table.Row) int {
		if q.Latest {
			a, b = b, a
		}
		return cmp.Compare(a.SK, b.SK)
	})
	var page QueuePage
	for _, row := range found[:min(q.Limit, len(found))] {
		r, err := entity.Decode[request.Summary](row)
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

// states lists the states under which rowkey.Queue lists what the query asks for.
func (q QueueQuery) states() []request.State {
	if q.Unconfirmed {
		return []request.State{rowkey.UnconfirmedState}
	}
	return q.States
}

// of is the query for the requests in one of the states.
func (q QueueQuery) of(state request.State) table.Query {
	t := table.Query{PK: rowkey.QueuePK(state, q.Kind, q.Edition, q.Reviewer), Descending: q.Latest, After: q.After}
	if !q.Before.IsZero() {
		t.To = q.Before.UTC().Format(time.RFC3339)
	}
	return t
}

// QueueLength counts the requests that a query asks for on all its pages, up to the query's limit.
func (s *Store) QueueLength(ctx context.Context, q QueueQuery) (n int, err error) {
	for _, state := range q.states() {
		more, err := s.table.Count(ctx, q.of(state), q.Limit-n)
		if err != nil {
			return 0, fmt.Errorf("store: counting requests %s: %w", state, err)
		}
		n += more
	}
	return n, nil
}

// Week is what happened to requests in a week.
type Week struct {
	Begins      license.Date    // its Monday
	Filed       int             // requests received
	TimeToIssue []time.Duration // of the requests that were answered with a license
}

// Weeks reads the last weeks, the oldest first, up to the week of the day.
func (s *Store) Weeks(ctx context.Context, day license.Date, weeks int) (list []Week, err error) {
	monday := day.AddDays(-(int(day.Start().Weekday()) + 6) % 7)
	for i := weeks - 1; i >= 0; i-- {
		w := Week{Begins: monday.AddDays(-7 * i)}
		q := table.Query{PK: rowkey.WeekPK(w.Begins), Limit: 1000}
		err := s.table.Each(ctx, q, func(row table.Row) error {
			if strings.HasPrefix(row.SK, rowkey.FiledPrefix) {
				w.Filed++
				return nil
			}
			t, err := entity.Decode[timeToIssue](row)
			w.TimeToIssue = append(w.TimeToIssue, time.Duration(t.Seconds)*time.Second)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("store: week of %s: %w", w.Begins, err)
		}
		list = append(list, w)
	}
	return list, nil
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
