package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Basis is why a request may be about a customer.
type Basis string

// Every basis, the strongest first.
const (
	ByLicense Basis = "license" // it names a license of the customer
	ByServer  Basis = "server"  // an instance of the customer has or had the server's data
	ByContact Basis = "contact" // a contact of the customer sent it
	ByDomain  Basis = "domain"  // it came from a mail domain of the customer
	ByName    Basis = "name"    // the company's name has the same words
)

var bases = []Basis{ByLicense, ByServer, ByContact, ByDomain, ByName}

// Candidate is a customer that a request may be about, with every basis for that, the strongest first.
type Candidate struct {
	Customer CustomerSummary
	By       []Basis
}

// maxCandidates is how many customers one basis may give.
const maxCandidates = 20

// Candidates finds the customers that a request may be about, those with the strongest basis first, in at most two
// rounds of reads. A customer that was merged into another is that one.
func (s *Store) Candidates(ctx context.Context, d request.Details) ([]Candidate, error) {
	named := license.ReadReference(d.Replaces)
	found := candidates{by: map[string][]Basis{}, known: map[string]CustomerSummary{}}
	g, first := errgroup.WithContext(ctx)
	g.Go(func() error {
		list, err := s.Licenses(first, named.IDs...)
		for _, r := range list {
			found.add(r.License.Customer, ByLicense)
		}
		return err
	})
	for _, server := range append([]license.Server{d.Server}, named.Servers...) {
		g.Go(func() error {
			data, err := s.Dataset(first, server)
			for _, i := range data.Instances {
				found.add(i.Customer, ByServer)
			}
			return err
		})
	}
	domain := customer.DomainOf(d.Email)
	for _, q := range []struct {
		pk string
		by Basis
	}{{rowkey.ContactPK(d.Email), ByContact}, {rowkey.DomainPK(domain), ByDomain}} {
		g.Go(func() error { return s.addFound(first, q.pk, q.by, &found) })
	}
	g.Go(func() error {
		list, _, err := s.FindCustomers(first, d.Company, maxCandidates)
		for _, c := range list {
			if customer.SameName(c.Name, d.Company) {
				found.addKnown(c, ByName)
			}
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("store: customers of a request: %w", err)
	}
	if err := s.readUnknown(ctx, &found); err != nil {
		return nil, err
	}
	return found.list(), nil
}

// candidates are customers that were found, by ID. Its methods may be called from several goroutines at once.
type candidates struct {
	mu    sync.Mutex
	by    map[string][]Basis
	known map[string]CustomerSummary
}

func (c *candidates) add(id string, by Basis) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.by[id], by) {
		c.by[id] = append(c.by[id], by)
	}
}

func (c *candidates) addKnown(s CustomerSummary, by Basis) {
	c.add(s.ID, by)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[s.ID] = s
}

// addFound adds the customers that index rows of a partition name.
func (s *Store) addFound(ctx context.Context, pk string, by Basis, into *candidates) error {
	rows, _, err := s.table.First(ctx, table.Query{PK: pk}, maxCandidates)
	if err != nil {
		return err
	}
	for _, row := range rows {
		c, err := entity.Decode[CustomerSummary](row)
		if err != nil {
			return err
		}
		into.addKnown(c, by)
	}
	return nil
}

// readUnknown reads the customers of which only the ID was found, and puts survivors in the place of those that were
// merged into them.
func (s *Store) readUnknown(ctx context.Context, found *candidates) error {
	var ids []string
	for id := range found.by {
		if _, ok := found.known[id]; !ok {
			ids = append(ids, id)
		}
	}
	for _, c := range found.known {
		if _, ok := found.by[c.Survivor]; !ok && c.Survivor != "" {
			ids = append(ids, c.Survivor)
		}
	}
	for range 2 { // a survivor may be new, too; it was not merged itself
		list, err := s.customers(ctx, ids)
		if err != nil {
			return err
		}
		ids = nil
		for _, c := range list {
			found.known[c.ID] = summaryOfCustomer(c)
			if _, ok := found.known[c.Survivor]; !ok && c.Survivor != "" {
				ids = append(ids, c.Survivor)
			}
		}
		if len(ids) == 0 {
			return nil
		}
	}
	return nil
}

// customers reads customers, several at once.
func (s *Store) customers(ctx context.Context, ids []string) ([]customer.Customer, error) {
	keys := make([]table.Key, len(ids))
	for i, id := range ids {
		keys[i] = rowkey.Customer(id)
	}
	list, _, err := entity.GetAll[customer.Customer](ctx, s.table, keys)
	if err != nil {
		return nil, fmt.Errorf("store: customers: %w", err)
	}
	return list, nil
}

// list lists the survivors, those with the strongest basis first.
func (c *candidates) list() (list []Candidate) {
	for id, by := range c.by {
		known, ok := c.known[id]
		if survivor, merged := c.known[known.Survivor]; merged {
			known = survivor
		}
		if !ok {
			continue
		}
		i := slices.IndexFunc(list, func(have Candidate) bool { return have.Customer.ID == known.ID })
		if i < 0 {
			list = append(list, Candidate{Customer: known})
			i = len(list) - 1
		}
		for _, b := range by {
			if !slices.Contains(list[i].By, b) {
				list[i].By = append(list[i].By, b)
			}
		}
	}
	rank := func(b Basis) int { return slices.Index(bases, b) }
	for i := range list {
		slices.SortFunc(list[i].By, func(a, b Basis) int { return rank(a) - rank(b) })
	}
	slices.SortFunc(list, func(a, b Candidate) int {
		if d := rank(a.By[0]) - rank(b.By[0]); d != 0 {
			return d
		}
		return cmp.Compare(a.Customer.Name+a.Customer.ID, b.Customer.Name+b.Customer.ID)
	})
	return list
}
