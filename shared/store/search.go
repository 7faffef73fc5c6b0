package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Found is what a search or a history found: requests and licenses, each the newest first.
type Found struct {
	Requests []request.Summary
	Licenses []Summary
	More     bool // there may be more than the limit of each
}

// FindByDataset finds what is on record about a server, under whichever ID: by its dataset.
func (s *Store) FindByDataset(ctx context.Context, server license.Server, limit int) (Found, error) {
	return s.find(ctx, limit, s.all(rowkey.DatasetRequestsPK(server)), s.all(rowkey.DatasetPK(server)), anything)
}

// FindByEmail finds what is on record about a person.
func (s *Store) FindByEmail(ctx context.Context, email string, limit int) (Found, error) {
	return s.find(ctx, limit, s.all(rowkey.EmailRequestsPK(email)), s.all(rowkey.EmailPK(email)), anything)
}

// FindByCompany finds what is on record about companies whose names have, for each word of the name, one that begins
// with it, however their letters are accented. Words of a single character do not count; a name without others finds
// nothing. A request is found by few of its words (requestWords); the others only narrow the search.
func (s *Store) FindByCompany(ctx context.Context, name string, limit int) (Found, error) {
	wanted := words(name)
	if len(wanted) == 0 {
		return Found{}, nil
	}
	// The longest word is the rarest, as far as one can tell without looking.
	slices.SortStableFunc(wanted, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	ofThis := func(company string) bool {
		have := words(company)
		return !slices.ContainsFunc(wanted, func(w string) bool {
			return !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) })
		})
	}
	return s.find(ctx, limit, s.byWords(wanted, rowkey.RequestWord), s.byWords(wanted, rowkey.Word), ofThis)
}

// rowSource reads index rows of a search. more: not all of them.
type rowSource func(context.Context) (rows []table.Row, more bool, err error)

// anything is for find: whatever the company.
func anything(string) bool { return true }

// find reads the index rows of requests and of licenses at once, and keeps those of some companies.
func (s *Store) find(ctx context.Context, limit int, requests, licenses rowSource, of func(company string) bool) (
	Found, error) {
	m := matches{map[string]request.Summary{}, map[string]Summary{}}
	var moreRequests, moreLicenses bool
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		rows, more, err := requests(ctx)
		for _, row := range rows {
			r, err := entity.Decode[request.Summary](row)
			if err != nil {
				return err
			}
			if of(r.Company) {
				m.requests[r.ID] = r
			}
		}
		moreRequests = more
		return err
	})
	g.Go(func() error {
		rows, more, err := licenses(ctx)
		for _, row := range rows {
			if !strings.Contains(row.SK, rowkey.LicensePrefix) {
				continue // the guard of a dataset, or a suppressed address
			}
			l, err := entity.Decode[Summary](row)
			if err != nil {
				return err
			}
			if of(l.Organization) {
				m.licenses[l.ID] = l
			}
		}
		moreLicenses = more
		return err
	})
	if err := g.Wait(); err != nil {
		return Found{}, err
	}
	return m.found(moreRequests || moreLicenses, limit), nil
}

// matches are the requests and licenses that index rows named, by ID.
type matches struct {
	requests map[string]request.Summary
	licenses map[string]Summary
}

// How many index rows of a partition a search reads: to find out whether a word is rare, and at most.
const (
	searchedFirst = 500
	searched      = 2000
)

// all reads the first index rows of a partition.
func (s *Store) all(pk string) rowSource {
	return func(ctx context.Context) ([]table.Row, bool, error) { return s.search(ctx, pk, "", searched) }
}

// byWords reads the index rows of the words of which there are few, or else many of the first word. key makes the key
// of an index row from a word.
func (s *Store) byWords(wanted []string, key func(word, entity string) table.Key) rowSource {
	return func(ctx context.Context) (rows []table.Row, more bool, err error) {
		if len(wanted) > 1 { // a word that few companies have tells all
			few, err := s.rareWords(ctx, wanted, key)
			if len(few) > 0 || err != nil {
				return slices.Concat(few...), false, err
			}
		}
		return s.search(ctx, key(wanted[0], "").PK, wanted[0], searched)
	}
}

// rareWords reads the index rows of all words at once, and returns those of each word that has few.
func (s *Store) rareWords(ctx context.Context, wanted []string, key func(word, entity string) table.Key) (
	few [][]table.Row, err error) {
	type list struct {
		rows []table.Row
		more bool
	}
	lists := make([]list, len(wanted))
	g, ctx := errgroup.WithContext(ctx)
	for i, w := range wanted {
		g.Go(func() (err error) {
			lists[i].rows, lists[i].more, err = s.search(ctx, key(w, "").PK, w, searchedFirst)
			return err
		})
	}
	err = g.Wait()
	for _, l := range lists {
		if !l.more {
			few = append(few, l.rows)
		}
	}
	return few, err
}

// search reads the first index rows of a partition whose sort key begins with the prefix. more: not all of them.
func (s *Store) search(ctx context.Context, pk, prefix string, most int) (rows []table.Row, more bool, err error) {
	q := table.Query{PK: pk}
	if prefix != "" {
		q.From, q.To = prefix, prefix+"\U0010ffff"
	}
	rows, next, err := s.table.First(ctx, q, most)
	if err != nil {
		return nil, false, fmt.Errorf("store: searching %s: %w", pk, err)
	}
	return rows, next != "", nil
}

// found sorts the matches, and leaves out what is beyond the limit.
func (m matches) found(more bool, limit int) Found {
	f := Found{
		Requests: slices.Collect(maps.Values(m.requests)), Licenses: slices.Collect(maps.Values(m.licenses)),
		More: more,
	}
	slices.SortFunc(f.Requests, func(a, b request.Summary) int { return cmp.Compare(b.ID, a.ID) })
	slices.SortFunc(f.Licenses, func(a, b Summary) int {
		return cmp.Or(b.Expiration.Start().Compare(a.Expiration.Start()), cmp.Compare(b.ID, a.ID))
	})
	if len(f.Requests) > limit || len(f.Licenses) > limit {
		f.More = true
		f.Requests, f.Licenses = f.Requests[:min(limit, len(f.Requests))], f.Licenses[:min(limit, len(f.Licenses))]
	}
	return f
}
