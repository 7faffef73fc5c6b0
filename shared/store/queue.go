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
	"marketplace/shared/table"
)

// QueueQuery asks for a page of the requests in some states.
type QueueQuery struct {
	States  []request.State
	Kind    request.Kind    // "" is every kind
	Edition license.Edition // "" is every edition
	Before  time.Time       // only what is due before; zero: whenever it is due
	Latest  bool            // the latest due first; else those that were due first
	Limit   int             // requests in a page
	After   string          // QueuePage.Next of the page before; "" begins
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
	t := table.Query{PK: queuePK(state, q.Kind, q.Edition), Descending: q.Latest, Limit: q.Limit, After: q.After}
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

// Found is what a search or a history found: requests and licenses, each the newest first.
type Found struct {
	Requests []request.Summary
	Licenses []Summary
	More     bool // there is more than the limit of each
}

// FindByDataset finds what there is about a server, under whichever ID: by its dataset.
func (s *Store) FindByDataset(ctx context.Context, server license.Server, limit int) (Found, error) {
	return s.find(ctx, datasetPK(server), "", limit)
}

// FindByEmail finds what there is about a person.
func (s *Store) FindByEmail(ctx context.Context, email string, limit int) (Found, error) {
	return s.find(ctx, emailPK(email), "", limit)
}

// FindByCompany finds what there is about companies with a word that begins with the last word of the name and with the
// words before it. Words of a single character do not count; a name without others finds nothing.
func (s *Store) FindByCompany(ctx context.Context, name string, limit int) (Found, error) {
	wanted := words(name)
	if len(wanted) == 0 {
		return Found{}, nil
	}
	// The longest word is the rarest, as far as one can tell without looking.
	longest := slices.MaxFunc(wanted, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	key := wordKey(longest, "")
	found, err := s.find(ctx, key.PK, longest, limit)
	if err != nil {
		return Found{}, err
	}
	matches := func(company string) bool {
		have := words(company)
		return !slices.ContainsFunc(wanted, func(w string) bool {
			return !slices.ContainsFunc(have, func(h string) bool { return len(h) >= len(w) && h[:len(w)] == w })
		})
	}
	found.Requests = slices.DeleteFunc(found.Requests, func(r request.Summary) bool { return !matches(r.Company) })
	found.Licenses = slices.DeleteFunc(found.Licenses, func(l Summary) bool { return !matches(l.Organization) })
	return found, nil
}

// searched is how many index rows a search reads at the most.
const searched = 2000

// find reads the index rows of a partition whose sort key begins with the prefix.
func (s *Store) find(ctx context.Context, pk, prefix string, limit int) (found Found, err error) {
	q := table.Query{PK: pk, Limit: 500}
	if prefix != "" {
		q.From, q.To = prefix, prefix+"\U0010ffff"
	}
	requests, licenses := map[string]request.Summary{}, map[string]Summary{}
	for read := 0; ; {
		page, err := s.table.Query(ctx, q)
		if err != nil {
			return Found{}, fmt.Errorf("store: searching %s: %w", pk, err)
		}
		for _, row := range page.Rows {
			if err := collect(row, requests, licenses); err != nil {
				return Found{}, err
			}
		}
		if read += len(page.Rows); page.Next == "" {
			break
		}
		if read >= searched {
			found.More = true
			break
		}
		q.After = page.Next
	}
	for _, r := range requests {
		found.Requests = append(found.Requests, r)
	}
	for _, l := range licenses {
		found.Licenses = append(found.Licenses, l)
	}
	slices.SortFunc(found.Requests, func(a, b request.Summary) int { return cmp.Compare(b.ID, a.ID) })
	slices.SortFunc(found.Licenses, func(a, b Summary) int {
		return cmp.Or(b.Expiration.Start().Compare(a.Expiration.Start()), cmp.Compare(b.ID, a.ID))
	})
	if len(found.Requests) > limit || len(found.Licenses) > limit {
		found.More = true
		found.Requests, found.Licenses = found.Requests[:min(limit, len(found.Requests))], found.Licenses[:min(limit, len(found.Licenses))]
	}
	return found, nil
}

// collect sorts an index row to the requests or the licenses, by what its sort key names.
func collect(row table.Row, requests map[string]request.Summary, licenses map[string]Summary) error {
	switch {
	case strings.Contains(row.SK, requestPrefix):
		r, err := decode[request.Summary](row)
		requests[r.ID] = r
		return err
	case strings.Contains(row.SK, licensePrefix):
		l, err := decode[Summary](row)
		licenses[l.ID] = l
		return err
	}
	return nil // the guard of a dataset
}
