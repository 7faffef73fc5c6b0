package search

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Basis is why a request may be about a customer.
type Basis string

// Every basis, the strongest first.
const (
	BasisLicense   Basis = "license"   // it names a license of the customer
	BasisReference Basis = "reference" // it names the customer, a contract or a request of theirs
	BasisServer    Basis = "server"    // an instance of the customer has or had the server's data
	BasisContact   Basis = "contact"   // a contact of the customer sent it
	BasisDomain    Basis = "domain"    // it came from a mail domain of the customer
	BasisName      Basis = "name"      // the company's name has the same words
)

var bases = []Basis{BasisLicense, BasisReference, BasisServer, BasisContact, BasisDomain, BasisName}

// Candidate is a customer that a request may be about, with every basis for that, the strongest first.
type Candidate struct {
	Customer store.CustomerSummary
	By       []Basis
	// Named reports whether what the request replaces is something of the customer: a license, an instance with the
	// server's data, or what a short reference names.
	Named bool
	// Contact is the requester as a contact of the customer, or of one that was merged into it; the zero Contact if it
	// is none.
	Contact customer.Contact
}

// maxCandidates is how many customers one basis may give.
const maxCandidates = 20

// Candidates finds the customers that a request may be about, those with the strongest basis first. A customer that was
// merged into another is that one. It takes two rounds of reads, and a third only where one that was merged is found or
// an earlier request is named.
func (x *Index) Candidates(ctx context.Context, d request.Details) ([]Candidate, error) {
	return x.CandidatesAnd(ctx, d, func(context.Context, []string) error { return nil })
}

// CandidatesAnd is Candidates, and calls also as soon as it knows the IDs of those that more than the mail domain or
// the name speaks for: what else is read about them is of the round in which they are read.
func (x *Index) CandidatesAnd(ctx context.Context, d request.Details,
	also func(ctx context.Context, strong []string) error) ([]Candidate, error) {
	named := license.ReadReference(d.Replaces)
	found := candidates{
		by: map[string][]Basis{}, named: map[string]bool{}, contacts: map[string]customer.Contact{},
	}
	g, first := errgroup.WithContext(ctx)
	g.Go(func() error {
		list, err := x.kept.Licenses(first, named.AnyCase()...)
		for _, r := range list {
			found.name(r.License.Customer, BasisLicense)
		}
		return err
	})
	withData := func(server license.Server, add func(id string, by Basis)) {
		g.Go(func() error {
			data, err := x.kept.Dataset(first, server)
			for _, i := range data.Instances {
				add(i.Customer, BasisServer)
			}
			return err
		})
	}
	withData(d.Server, found.add)
	for _, server := range named.Servers {
		withData(server, found.name)
	}
	for _, short := range named.Short {
		g.Go(func() error { return x.addReferenced(first, short, &found) })
	}
	g.Go(func() error { return x.addFound(first, rowkey.ContactPK(d.Email), BasisContact, &found) })
	g.Go(func() error {
		return x.addFound(first, rowkey.DomainPK(customer.DomainOf(d.Email)), BasisDomain, &found)
	})
	g.Go(func() error { return x.addNamed(first, d.Company, &found) })
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("search: customers of a request: %w", err)
	}
	var survivors map[string]store.CustomerSummary
	g, second := errgroup.WithContext(ctx)
	g.Go(func() error { return also(second, found.strong()) })
	g.Go(func() error {
		list, err := x.customers(second, slices.Collect(maps.Keys(found.by)))
		if err != nil {
			return err
		}
		found.addContacts(list, d.Email)
		survivors, err = x.survivors(second, list)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("search: customers of a request: %w", err)
	}
	return found.list(survivors), nil
}

// Strong reports whether the candidate has a basis that speaks for one customer among all: not the mail domain, which
// several may share, nor the name.
func (c Candidate) Strong() bool { return slices.ContainsFunc(c.By, strong) }

// DomainShared reports whether another customer than that of an account is a candidate by the mail domain.
func DomainShared(list []Candidate, a *customer.Account) bool {
	return slices.ContainsFunc(list, func(c Candidate) bool {
		return !a.IsOf(c.Customer.ID) && slices.Contains(c.By, BasisDomain)
	})
}

func strong(by Basis) bool { return by != BasisDomain && by != BasisName }

// candidates are why customers were found, by ID, and which contact of them the requester is. add and name may be
// called from several goroutines at once.
type candidates struct {
	mu       sync.Mutex
	by       map[string][]Basis
	named    map[string]bool
	contacts map[string]customer.Contact
}

func (c *candidates) add(id string, by Basis) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.by[id], by) {
		c.by[id] = append(c.by[id], by)
	}
}

// name adds a customer of whom what the request replaces names something.
func (c *candidates) name(id string, by Basis) {
	c.add(id, by)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.named[id] = true
}

// strong lists the IDs of those with a strong basis, in order.
func (c *candidates) strong() (ids []string) {
	for id, by := range c.by {
		if slices.ContainsFunc(by, strong) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// addReferenced adds the customer that a short reference names, or whose contract or request it names.
func (x *Index) addReferenced(ctx context.Context, short reference.Reference, into *candidates) (err error) {
	var id string
	if short.Kind() == reference.Request {
		var filed request.Request
		if id, err = x.kept.RequestByReference(ctx, short); err == nil {
			filed, err = x.kept.Request(ctx, id)
		}
		id = filed.Customer
	} else {
		id, err = x.kept.CustomerByReference(ctx, short)
	}
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err == nil && id != "" {
		into.name(id, BasisReference)
	}
	return err
}

// addContacts adds the contacts of customers that have an address.
func (c *candidates) addContacts(of []customer.Customer, email string) {
	for _, known := range of {
		if contact, ok := known.Contact(email); ok {
			c.contacts[known.ID] = contact
		}
	}
}

// addFound adds the customers that index rows of a partition name.
func (x *Index) addFound(ctx context.Context, pk string, by Basis, into *candidates) error {
	rows, _, err := x.table.First(ctx, table.Query{PK: pk}, maxCandidates)
	if err != nil {
		return err
	}
	for _, row := range rows {
		c, err := entity.Decode[store.IndexedCustomer](row)
		if err != nil {
			return err
		}
		into.add(c.ID, by)
	}
	return nil
}

// addNamed adds the customers that have or had a company's name, in whatever spelling.
func (x *Index) addNamed(ctx context.Context, company string, into *candidates) error {
	wanted := searchWords(company)
	if len(wanted) == 0 {
		return nil
	}
	found, err := x.customersByWords(wanted)(ctx)
	if err != nil {
		return err
	}
	n := 0
	for _, c := range found.customers {
		same := func(name string) bool { return customer.SameName(name, company) }
		if slices.ContainsFunc(c.Names, same) && n < maxCandidates {
			into.add(c.ID, BasisName)
			n++
		}
	}
	return nil
}

// customers reads customers, several at once.
func (x *Index) customers(ctx context.Context, ids []string) ([]customer.Customer, error) {
	keys := make([]table.Key, len(ids))
	for i, id := range ids {
		keys[i] = rowkey.Customer(id)
	}
	list, _, err := entity.GetAll[customer.Customer](ctx, x.table, keys)
	if err != nil {
		return nil, fmt.Errorf("search: customers: %w", err)
	}
	return list, nil
}

// survivors returns customers by ID, each as the one that it was merged into, if it was: those are read.
func (x *Index) survivors(ctx context.Context, list []customer.Customer) (map[string]store.CustomerSummary, error) {
	known := map[string]store.CustomerSummary{}
	for _, c := range list {
		known[c.ID] = store.SummaryOfCustomer(c)
	}
	var missing []string
	for _, c := range known {
		if _, ok := known[c.Survivor]; !ok && c.Survivor != "" && !slices.Contains(missing, c.Survivor) {
			missing = append(missing, c.Survivor)
		}
	}
	more, err := x.customers(ctx, missing)
	if err != nil {
		return nil, err
	}
	for _, c := range more {
		known[c.ID] = store.SummaryOfCustomer(c)
	}
	for id, c := range known {
		if survivor, ok := known[c.Survivor]; ok {
			known[id] = survivor
		}
	}
	return known, nil
}

// list lists the survivors, those with the strongest basis first.
func (c *candidates) list(survivors map[string]store.CustomerSummary) (list []Candidate) {
	for id, by := range c.by {
		known, ok := survivors[id]
		if !ok {
			continue
		}
		i := slices.IndexFunc(list, func(have Candidate) bool { return have.Customer.ID == known.ID })
		if i < 0 {
			list = append(list, Candidate{Customer: known})
			i = len(list) - 1
		}
		list[i].Named = list[i].Named || c.named[id]
		contact, ok := c.contacts[id]
		if have := list[i].Contact; ok && (have.Email == "" || contact.Since.Before(have.Since)) {
			list[i].Contact = contact
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
