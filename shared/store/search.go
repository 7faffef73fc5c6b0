package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	return s.find(ctx, rowkey.DatasetPK(server), limit)
}

// FindByEmail finds what is on record about a person.
func (s *Store) FindByEmail(ctx context.Context, email string, limit int) (Found, error) {
	return s.find(ctx, rowkey.EmailPK(email), limit)
}

func (s *Store) find(ctx context.Context, pk string, limit int) (Found, error) {
	m := newMatches()
	more, err := s.collect(ctx, pk, "", searched, m)
	return m.found(more, limit), err
}

// FindByCompany finds what is on record about companies whose names have, for each word of the name, one that begins
// with it, however their letters are accented. Words of a single character do not count; a name without others finds
// nothing.
func (s *Store) FindByCompany(ctx context.Context, name string, limit int) (Found, error) {
	wanted := words(name)
	if len(wanted) == 0 {
		return Found{}, nil
	}
	// The longest word is the rarest, as far as one can tell without looking.
	slices.SortStableFunc(wanted, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	m, more := newMatches(), true
	if len(wanted) > 1 { // a word that few companies have tells all
		for _, w := range wanted {
			var err error
			if more, err = s.collect(ctx, rowkey.Word(w, "").PK, w, searchedFirst, m); err != nil {
				return Found{}, err
			}
			if !more {
				break
			}
		}
	}
	if more {
		var err error
		more, err = s.collect(ctx, rowkey.Word(wanted[0], "").PK, wanted[0], searched, m)
		if err != nil || len(wanted) == 1 {
			return m.found(more, limit), err
		}
	}
	other := func(company string) bool {
		have := words(company)
		return slices.ContainsFunc(wanted, func(w string) bool {
			return !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) })
		})
	}
	maps.DeleteFunc(m.requests, func(_ string, r request.Summary) bool { return other(r.Company) })
	maps.DeleteFunc(m.licenses, func(_ string, l Summary) bool { return other(l.Organization) })
	return m.found(more, limit), nil
}

// matches are the requests and licenses that index rows named, by ID.
type matches struct {
	requests map[string]request.Summary
	licenses map[string]Summary
}

func newMatches() matches { return matches{map[string]request.Summary{}, map[string]Summary{}} }

// How many index rows of a partition a search reads: to find out whether a word is rare, and at most.
const (
	searchedFirst = 500
	searched      = 2000
)

// collect reads the first index rows of a partition whose sort key begins with the prefix. more: not all of them.
func (s *Store) collect(ctx context.Context, pk, prefix string, most int, m matches) (more bool, err error) {
	q := table.Query{PK: pk}
	if prefix != "" {
		q.From, q.To = prefix, prefix+"\U0010ffff"
	}
	rows, next, err := s.table.First(ctx, q, most)
	if err != nil {
		return false, fmt.Errorf("store: searching %s: %w", pk, err)
	}
	for _, row := range rows {
		if err := m.add(row); err != nil {
			return false, err
		}
	}
	return next != "", nil
}

// add puts an index row among the requests or the licenses, by what its sort key names.
func (m matches) add(row table.Row) error {
	switch {
	case strings.Contains(row.SK, rowkey.RequestPrefix):
		r, err := entity.Decode[request.Summary](row)
		m.requests[r.ID] = r
		return err
	case strings.Contains(row.SK, rowkey.LicensePrefix):
		l, err := entity.Decode[Summary](row)
		m.licenses[l.ID] = l
		return err
	}
	return nil // the guard of a dataset, or a suppressed address
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
