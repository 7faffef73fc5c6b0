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
	"marketplace/shared/table"
)

// Found is what a search or a history found: requests and licenses, each the newest first.
type Found struct {
	Requests []request.Summary
	Licenses []Summary
	More     bool // there may be more than the limit of each
}

// FindByDataset finds what there is about a server, under whichever ID: by its dataset.
func (s *Store) FindByDataset(ctx context.Context, server license.Server, limit int) (Found, error) {
	return s.find(ctx, datasetPK(server), limit)
}

// FindByEmail finds what there is about a person.
func (s *Store) FindByEmail(ctx context.Context, email string, limit int) (Found, error) {
	return s.find(ctx, emailPK(email), limit)
}

func (s *Store) find(ctx context.Context, pk string, limit int) (Found, error) {
	h := newHarvest()
	more, err := s.gather(ctx, pk, "", searched, h)
	return h.found(more, limit), err
}

// FindByCompany finds what there is about companies whose names have, for each word of the name, one that begins with it;
// how their letters are accented does not matter. Words of a single character do not count; a name without others finds
// nothing.
func (s *Store) FindByCompany(ctx context.Context, name string, limit int) (Found, error) {
	wanted := words(name)
	if len(wanted) == 0 {
		return Found{}, nil
	}
	// The longest word is the rarest, as far as one can tell without looking.
	slices.SortStableFunc(wanted, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	h, more := newHarvest(), true
	if len(wanted) > 1 { // a word of few tells all
		for _, w := range wanted {
			var err error
			if more, err = s.gather(ctx, wordKey(w, "").PK, w, searchedAtOnce, h); err != nil {
				return Found{}, err
			}
			if !more {
				break
			}
		}
	}
	if more {
		var err error
		if more, err = s.gather(ctx, wordKey(wanted[0], "").PK, wanted[0], searched, h); err != nil || len(wanted) == 1 {
			return h.found(more, limit), err
		}
	}
	other := func(company string) bool {
		have := words(company)
		return slices.ContainsFunc(wanted, func(w string) bool {
			return !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) })
		})
	}
	maps.DeleteFunc(h.requests, func(_ string, r request.Summary) bool { return other(r.Company) })
	maps.DeleteFunc(h.licenses, func(_ string, l Summary) bool { return other(l.Organization) })
	return h.found(more, limit), nil
}

// harvest is what index rows told of, by ID.
type harvest struct {
	requests map[string]request.Summary
	licenses map[string]Summary
}

func newHarvest() harvest { return harvest{map[string]request.Summary{}, map[string]Summary{}} }

// How many index rows of a partition a search reads: at once, and at the most.
const (
	searchedAtOnce = 500
	searched       = 2000
)

// gather reads the index rows of a partition whose sort key begins with the prefix, about so many at the most; more: not all
// of them.
func (s *Store) gather(ctx context.Context, pk, prefix string, most int, h harvest) (more bool, err error) {
	q := table.Query{PK: pk, Limit: searchedAtOnce}
	if prefix != "" {
		q.From, q.To = prefix, prefix+"\U0010ffff"
	}
	for read := 0; ; {
		page, err := s.table.Query(ctx, q)
		if err != nil {
			return false, fmt.Errorf("store: searching %s: %w", pk, err)
		}
		for _, row := range page.Rows {
			if err := h.add(row); err != nil {
				return false, err
			}
		}
		read += len(page.Rows)
		if page.Next == "" || read >= most {
			return page.Next != "", nil
		}
		q.After = page.Next
	}
}

// add sorts an index row to the requests or the licenses, by what its sort key names.
func (h harvest) add(row table.Row) error {
	switch {
	case strings.Contains(row.SK, requestPrefix):
		r, err := decode[request.Summary](row)
		h.requests[r.ID] = r
		return err
	case strings.Contains(row.SK, licensePrefix):
		l, err := decode[Summary](row)
		h.licenses[l.ID] = l
		return err
	}
	return nil // the guard of a dataset, or that no mail goes to an address
}

// found sorts what there is, and leaves out what is beyond the limit.
func (h harvest) found(more bool, limit int) Found {
	f := Found{Requests: slices.Collect(maps.Values(h.requests)), Licenses: slices.Collect(maps.Values(h.licenses)), More: more}
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
