package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Actions on customers.
const (
	CustomerAdded   Action = "customer added"
	ContactRestored Action = "contact restored" // whom the note names
)

// CustomerSummary is a customer in a list.
type CustomerSummary struct {
	ID        string              `json:"id"`
	Reference reference.Reference `json:"reference"`
	Name      string              `json:"name"`
	Survivor  string              `json:"survivor,omitempty"` // the customer that it was merged into
}

// SummaryOfCustomer is the customer as lists and index rows have it.
func SummaryOfCustomer(c customer.Customer) CustomerSummary {
	return CustomerSummary{c.ID, c.Reference, c.Name, c.Survivor}
}

// customerEntity is a customer as a changeset writes it.
type customerEntity struct{ customer.Customer }

func (e customerEntity) Key() table.Key      { return rowkey.Customer(e.ID) }
func (e customerEntity) Timeline() table.Key { return rowkey.CustomerTimeline(e.ID) }
func (e customerEntity) Of() string          { return "" }
func (e customerEntity) Row() table.Row {
	return entity.Encode(e.Key(), rowkey.TypeCustomer, e.Customer)
}
func (e customerEntity) Counted() []entity.Addend { return nil }

// Facts leaves out the removed contacts, of whom the list of contacts tells.
func (e customerEntity) Facts() any {
	e.Removed = nil
	return e.Customer
}

// Index finds the customer by rows that say no more of it than they must: a change of the name, or a merge, leaves
// those of its contacts and domains as they are, however many there are.
func (e customerEntity) Index(int64) (rows []table.Row) {
	rows = append(rows, entity.Encode(rowkey.Listed(folded(e.Name), e.ID), rowkey.TypeIndex,
		SummaryOfCustomer(e.Customer)))
	add := func(key table.Key, i IndexedCustomer) { rows = append(rows, entity.Encode(key, rowkey.TypeIndex, i)) }
	named := map[string][]string{} // the names that have a word
	for _, name := range customerNames(e.Customer) {
		for _, w := range name.words {
			if !slices.Contains(named[w], name.text) {
				named[w] = append(named[w], name.text)
			}
		}
	}
	for _, w := range slices.Sorted(maps.Keys(named)) {
		add(rowkey.Word(w, e.ID), IndexedCustomer{e.ID, named[w]})
	}
	for _, d := range e.Domains {
		add(rowkey.Domain(d, e.ID), IndexedCustomer{ID: e.ID})
	}
	for _, c := range e.Contacts {
		add(rowkey.Contact(c.Email, e.ID), IndexedCustomer{ID: e.ID})
	}
	return rows
}

// IndexedCustomer is a customer in the index rows by which shared/store/search finds it.
type IndexedCustomer struct {
	ID    string   `json:"id"`
	Names []string `json:"names,omitempty"` // of a word: the names of the customer and its contacts that have it
}

// maxListed is how many bytes of a name the list of customers is ordered by.
const maxListed = 200

// folded is a name as the list of customers is ordered.
func folded(name string) string {
	f := strings.Join(strings.Fields(customer.Fold(name)), " ")
	if len(f) > maxListed {
		f = strings.ToValidUTF8(f[:maxListed], "")
	}
	return f
}

// searchedName is a name by whose words a customer is found.
type searchedName struct {
	text  string
	words []string
}

// customerNames are the names by whose words a customer is found: its own, its former ones and its contacts'.
func customerNames(c customer.Customer) (names []searchedName) {
	for _, name := range append([]string{c.Name}, c.FormerNames...) {
		names = append(names, searchedName{name, customer.Words(name)})
	}
	for _, contact := range c.Contacts {
		names = append(names, searchedName{contact.Name, customer.PersonWords(contact.Name)})
	}
	return names
}

// CustomerWords are the words by which a customer is found.
func CustomerWords(c customer.Customer) (all []string) {
	for _, name := range customerNames(c) {
		all = append(all, name.words...)
	}
	return all
}

// Customer reads a customer without what it bought; a NotFound fault if there is none.
func (s *Store) Customer(ctx context.Context, id string) (customer.Customer, error) {
	var c customer.Customer
	_, err := s.table.Get(ctx, rowkey.Customer(id), &c)
	return c, entity.Missing(err, "There is no customer %s.", id)
}

// CustomerByReference finds a customer by its reference, or by that of one of its contracts; a NotFound fault if the
// reference names none.
func (s *Store) CustomerByReference(ctx context.Context, r reference.Reference) (id string, err error) {
	var named Referenced
	_, err = s.table.Get(ctx, rowkey.Reference(r), &named)
	if err == nil && named.Customer == "" {
		err = fault.New(fault.NotFound, "")
	}
	return named.Customer, entity.Missing(err, "There is no customer %s.", r)
}

// Account reads all that is on record about a customer and those merged into it, in two rounds of reads, or three if it
// was merged itself; a NotFound fault if there is none. What changes meanwhile makes its Version an old one.
func (s *Store) Account(ctx context.Context, id string) (*customer.Account, error) {
	return s.AccountAnd(ctx, id, func(context.Context, customer.Account, []string) error { return nil })
}

// AccountAnd is Account, and calls also as soon as it knows the account without those that were merged into it, and
// the IDs of these: what else is read about them is of the round in which they are read.
func (s *Store) AccountAnd(ctx context.Context, id string,
	also func(ctx context.Context, known customer.Account, merged []string) error) (*customer.Account, error) {
	a, merged, err := s.readAccount(ctx, id)
	if err == nil && a.Customer.Survivor != "" {
		a, merged, err = s.readAccount(ctx, a.Customer.Survivor)
	}
	if err != nil {
		return nil, err
	}
	parts := make([]*customer.Account, len(merged))
	g, ctx := errgroup.WithContext(ctx)
	known := *a
	g.Go(func() error { return also(ctx, known, merged) })
	for i, id := range merged {
		g.Go(func() (err error) {
			parts[i], _, err = s.readAccount(ctx, id)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, part := range parts {
		a.Merged = append(a.Merged, part.Customer)
		a.Contracts = append(a.Contracts, part.Contracts...)
		a.Instances = append(a.Instances, part.Instances...)
	}
	slices.SortFunc(a.Contracts, func(x, y customer.Contract) int { return strings.Compare(x.ID, y.ID) })
	slices.SortFunc(a.Instances, func(x, y customer.Instance) int { return strings.Compare(x.ID, y.ID) })
	return a, nil
}

// AccountVersion reads a customer, or the one that it was merged into, with the version of its account, and without
// what it bought.
func (s *Store) AccountVersion(ctx context.Context, id string) (c customer.Customer, version int64, err error) {
	// The guard comes first, so that its version is not newer than the customer; between them are few contracts.
	q := table.Query{PK: rowkey.CustomerPK(id), To: rowkey.Customer(id).SK + " ", Limit: 1000}
	err = s.table.Each(ctx, q, func(row table.Row) (err error) {
		switch row.Key {
		case rowkey.Guard(id):
			version = row.Version
		case rowkey.Customer(id):
			c, err = entity.Decode[customer.Customer](row)
		}
		return err
	})
	switch {
	case err != nil:
		return c, 0, fmt.Errorf("store: customer %s: %w", id, err)
	case c.ID == "":
		return c, 0, fault.New(fault.NotFound, "There is no customer %s.", id)
	case c.Survivor != "":
		return s.AccountVersion(ctx, c.Survivor)
	}
	return c, version, nil
}

// CustomersByID reads customers without what they bought, by ID, without those that do not exist.
func (s *Store) CustomersByID(ctx context.Context, ids ...string) (map[string]CustomerSummary, error) {
	var keys []table.Key
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		keys = append(keys, rowkey.Customer(id))
	}
	list, _, err := entity.GetAll[customer.Customer](ctx, s.table, keys)
	if err != nil {
		return nil, fmt.Errorf("store: customers: %w", err)
	}
	known := map[string]CustomerSummary{}
	for _, c := range list {
		known[c.ID] = SummaryOfCustomer(c)
	}
	return known, nil
}

// Accounts reads several customers at once, each only once, without those that do not exist.
func (s *Store) Accounts(ctx context.Context, ids ...string) (list []*customer.Account, err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	found := make([]*customer.Account, len(ids))
	g, ctx := errgroup.WithContext(ctx)
	for i, id := range ids {
		g.Go(func() (err error) {
			found[i], err = s.Account(ctx, id)
			if fault.KindOf(err) == fault.NotFound {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, a := range found {
		known := func(have *customer.Account) bool { return a != nil && have.Customer.ID == a.Customer.ID }
		if a != nil && !slices.ContainsFunc(list, known) {
			list = append(list, a)
		}
	}
	return list, nil
}

// AccountsOf reads the accounts of all customers that have a contact with an address, in whatever spelling.
func (s *Store) AccountsOf(ctx context.Context, email string) ([]*customer.Account, error) {
	rows, _, err := s.table.First(ctx, table.Query{PK: rowkey.ContactPK(email)}, maxAccounts)
	if err != nil {
		return nil, fmt.Errorf("store: customers of a contact: %w", err)
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		c, err := entity.Decode[IndexedCustomer](row)
		if err != nil {
			return nil, err
		}
		ids[i] = c.ID
	}
	return s.Accounts(ctx, ids...)
}

// maxAccounts is how many customers one person can be a contact of in AccountsOf.
const maxAccounts = 50

// readAccount reads the partition of a customer, and names those that were merged into it.
func (s *Store) readAccount(ctx context.Context, id string) (a *customer.Account, merged []string, err error) {
	a = &customer.Account{}
	var instances []table.Row
	err = s.table.Each(ctx, table.Query{PK: rowkey.CustomerPK(id), Limit: 1000}, func(row table.Row) (err error) {
		switch rowkey.Type(row.Type) {
		case rowkey.TypeCustomer:
			a.Customer, err = entity.Decode[customer.Customer](row)
		case rowkey.TypeGuard:
			a.Version = row.Version
		case rowkey.TypeContract:
			var c customer.Contract
			c, err = entity.Decode[customer.Contract](row)
			a.Contracts = append(a.Contracts, c)
		case rowkey.TypeInstance:
			instances = append(instances, row)
		default:
			merged = append(merged, strings.TrimPrefix(row.SK, rowkey.MergedPrefix))
		}
		return err
	})
	if err == nil {
		a.Instances, err = entity.DecodeMany[customer.Instance](instances)
	}
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("store: customer %s: %w", id, err)
	case a.Customer.ID == "":
		return nil, nil, fault.New(fault.NotFound, "There is no customer %s.", id)
	}
	return a, merged, nil
}

// CustomersPage is a page of the list of all customers.
type CustomersPage struct {
	Customers []CustomerSummary
	Next      string // where the next page begins; "" at the end
}

// Customers reads at most limit of all customers, in the order of their names, without those that were merged into
// another. from is a name to begin with, after is CustomersPage.Next of the page before; "" begins.
func (s *Store) Customers(ctx context.Context, from, after string, limit int) (page CustomersPage, err error) {
	q := table.Query{PK: rowkey.CustomersPK, From: folded(from), After: after}
	for len(page.Customers) < limit {
		rows, next, err := s.table.First(ctx, q, limit-len(page.Customers))
		if err != nil {
			return CustomersPage{}, fmt.Errorf("store: customers: %w", err)
		}
		for _, row := range rows {
			c, err := entity.Decode[CustomerSummary](row)
			if err != nil {
				return CustomersPage{}, err
			}
			if c.Survivor == "" {
				page.Customers = append(page.Customers, c)
			}
		}
		q.After, page.Next = next, next
		if next == "" {
			break
		}
	}
	return page, nil
}

// Contacts reads who is written to for a purpose about a license, in that order: the contacts of its customer, then
// those of the one that it was merged into.
func (s *Store) Contacts(ctx context.Context, l license.License, p customer.Purpose) (
	list []license.Contact, err error) {
	customers, err := s.CustomersOf(ctx, l)
	return customer.Readers(customers, p, l.Instance, s.now()), err
}

// CustomersOf reads the customer of a license, and the one that it was merged into, if it was: at most two rows.
func (s *Store) CustomersOf(ctx context.Context, l license.License) (list []customer.Customer, err error) {
	return customer.WithSurvivor(l.Customer, func(id string) (customer.Customer, error) { return s.Customer(ctx, id) })
}

// ContractOf reads the contract of a license; a NotFound fault if it has none. One that is kept with a customer that
// was merged with the license's is found too.
func (s *Store) ContractOf(ctx context.Context, l license.License) (c customer.Contract, err error) {
	if l.Contract == "" {
		return c, fault.New(fault.NotFound, "License %s has no contract.", l.ID)
	}
	_, err = s.table.Get(ctx, rowkey.Contract(l.Customer, l.Contract), &c)
	if fault.KindOf(err) != fault.NotFound {
		return c, err
	}
	a, err := s.Account(ctx, l.Customer)
	if err != nil {
		return customer.Contract{}, err
	}
	if found := a.Contract(l.Contract); found != nil {
		return *found, nil
	}
	return customer.Contract{}, fault.New(fault.NotFound, "There is no contract %s of this customer.", l.Contract)
}

// InstanceOf reads the instance of a license; a NotFound fault if it has none.
func (s *Store) InstanceOf(ctx context.Context, l license.License) (i customer.Instance, err error) {
	if l.Instance == "" {
		return i, fault.New(fault.NotFound, "License %s has no instance.", l.ID)
	}
	_, err = s.table.Get(ctx, rowkey.Instance(l.Customer, l.Instance), &i)
	if fault.KindOf(err) != fault.NotFound {
		return i, err
	}
	a, err := s.Account(ctx, l.Customer)
	if err != nil {
		return customer.Instance{}, err
	}
	if found := a.Instance(l.Instance); found != nil {
		return *found, nil
	}
	return customer.Instance{}, fault.New(fault.NotFound, "There is no instance %s of this customer.", l.Instance)
}
