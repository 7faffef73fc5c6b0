// Package search finds requests, customers and instances by what people type, and the customers that a request may be
// about. It reads the index rows that shared/store writes.
package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Index finds what is on record.
type Index struct {
	kept  *store.Store
	table *entity.Table
}

// New returns an Index of what kept has on record.
func New(kept *store.Store) *Index { return &Index{kept, kept.Table()} }

// Found is what a search found: requests, the newest first, and customers and instances by the customer's name.
type Found struct {
	Requests  []request.Summary
	Customers []store.CustomerSummary
	Instances []FoundInstance
	More      bool // there may be more than the limit of each
}

// FoundInstance is an instance that a search found, with its customer: the survivor, if that was merged.
type FoundInstance struct {
	customer.Instance
	Of       store.CustomerSummary
	Contacts []customer.Contact // of the customer with whom it is kept
}

// ByServer finds what is on record about a server: under whichever ID, by its dataset, if the text is a server ID;
// else the instances that have or had an ID that begins like the text, if it is long enough to tell.
func (x *Index) ByServer(ctx context.Context, text string, limit int) (f Found, err error) {
	server, err := license.ParseServer(text)
	if err != nil {
		f.Instances, f.More, err = x.instancesBeginning(ctx, strings.TrimSpace(text), limit)
		return f, err
	}
	g, ctx := errgroup.WithContext(ctx)
	var more bool
	g.Go(func() (err error) {
		f.Requests, more, err = x.requestsIn(rowkey.DatasetRequestsPK(server))(ctx, limit)
		return err
	})
	g.Go(func() error {
		data, err := x.kept.Dataset(ctx, server)
		if err != nil {
			return err
		}
		f.Instances, err = x.foundInstances(ctx, data.Instances[:min(limit, len(data.Instances))])
		return err
	})
	err = g.Wait()
	f.More = f.More || more
	return f, err
}

// instancesBeginning finds instances by the beginning of a server ID.
func (x *Index) instancesBeginning(ctx context.Context, text string, limit int) (
	list []FoundInstance, more bool, err error) {
	pk := rowkey.ServerPK(text)
	if pk == "" {
		return nil, false, nil
	}
	rows, more, err := x.search(ctx, pk, text, limit)
	if err != nil {
		return nil, false, err
	}
	var names []store.InstanceName
	for _, row := range rows {
		name, err := entity.Decode[store.InstanceName](row)
		if err != nil {
			return nil, false, err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	list, err = x.foundInstances(ctx, names)
	return list, more, err
}

// foundInstances reads instances and their customers.
func (x *Index) foundInstances(ctx context.Context, names []store.InstanceName) (list []FoundInstance, err error) {
	keys := make([]table.Key, len(names))
	var ids []string
	for i, n := range names {
		keys[i] = rowkey.Instance(n.Customer, n.Instance)
		if !slices.Contains(ids, n.Customer) {
			ids = append(ids, n.Customer)
		}
	}
	contacts := map[string][]customer.Contact{} // by the customer that keeps the instance
	var instances []customer.Instance
	var customers []customer.Customer
	g, first := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		instances, _, err = entity.GetAll[customer.Instance](first, x.table, keys)
		return err
	})
	g.Go(func() (err error) {
		customers, err = x.customers(first, ids)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("search: instances: %w", err)
	}
	survivors, err := x.survivors(ctx, customers)
	if err != nil {
		return nil, err
	}
	for _, c := range customers {
		contacts[c.ID] = c.Contacts
	}
	for _, i := range instances {
		list = append(list, FoundInstance{i, survivors[i.Customer], contacts[i.Customer]})
	}
	slices.SortFunc(list, func(a, b FoundInstance) int {
		return cmp.Or(cmp.Compare(a.Of.Name, b.Of.Name), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// ByEmail finds the requests that a person sent, and the customers that have the person as a contact.
func (x *Index) ByEmail(ctx context.Context, email string, limit int) (Found, error) {
	return x.find(ctx, limit, x.requestsIn(rowkey.EmailRequestsPK(email)), x.allCustomers(rowkey.ContactPK(email)))
}

// ByDomain finds the customers of a mail domain.
func (x *Index) ByDomain(ctx context.Context, domain string, limit int) (Found, error) {
	return x.find(ctx, limit, noRequests, x.allCustomers(rowkey.DomainPK(domain)))
}

// ByName finds requests and customers by the words of a company's name, and customers also by those of their
// contacts' names: each word that is wanted is the beginning of one that they have, however the letters are accented.
// Words of a single character do not count; a name without others finds nothing. A request is found by few of its words
// (requestWords); the others only narrow the search.
func (x *Index) ByName(ctx context.Context, name string, limit int) (Found, error) {
	wanted := searchWords(name)
	if len(wanted) == 0 {
		return Found{}, nil
	}
	return x.find(ctx, limit, x.requestsByWords(wanted), x.customersByWords(wanted))
}

// Customers finds customers as ByName does.
func (x *Index) Customers(ctx context.Context, name string, limit int) (
	list []store.CustomerSummary, more bool, err error) {
	wanted := searchWords(name)
	if len(wanted) == 0 {
		return nil, false, nil
	}
	return x.customersFound(ctx, limit, x.customersByWords(wanted))
}

// searchWords are the words of a name, the longest first: it is the rarest, as far as one can tell without looking.
func searchWords(name string) []string {
	wanted := customer.Words(name)
	slices.SortStableFunc(wanted, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return wanted
}

// hasWords tells names that have all the words.
func hasWords(wanted []string) func(name string) bool {
	return func(name string) bool { return hasAll(customer.Words(name), wanted) }
}

// hasAll reports whether each wanted word is the beginning of one of some words.
func hasAll(have, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool {
		return !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) })
	})
}

// customerSource reads the index rows of customers of a search.
type customerSource func(context.Context) (foundCustomers, error)

// foundCustomers is what index rows say of customers, each of them once.
type foundCustomers struct {
	customers []store.IndexedCustomer
	more      bool // these are not all
	// check, if it is not nil, says which of them are wanted, once they are read.
	check func(customer.Customer) bool
}

// customersByWords finds the customers that have all the words: those in the lists of each word of which there are few.
// Where all are frequent, it takes those that have them in one name, among many of the first word.
func (x *Index) customersByWords(wanted []string) customerSource {
	return func(ctx context.Context) (f foundCustomers, err error) {
		if len(wanted) > 1 {
			few, err := x.rareWords(ctx, wanted, rowkey.Word)
			if err != nil {
				return f, err
			}
			if len(few) > 0 {
				rows := few[0]
				for _, other := range few[1:] {
					rows = slices.DeleteFunc(slices.Clone(rows), func(r table.Row) bool {
						return !slices.ContainsFunc(other, func(o table.Row) bool { return entityOf(o) == entityOf(r) })
					})
				}
				f.customers, err = decodeIndexed(rows, nil)
				if len(few) < len(wanted) { // the lists of the others are long
					f.check = func(c customer.Customer) bool { return hasAll(store.CustomerWords(c), wanted) }
				}
				return f, err
			}
		}
		// The rows of a single word need no check, so that fewer are read.
		most, accepts := searchedFirst, func(string) bool { return true }
		if len(wanted) > 1 {
			most, accepts = searched, hasWords(wanted)
		}
		rows, more, err := x.search(ctx, rowkey.Word(wanted[0], "").PK, wanted[0], most)
		if err != nil {
			return f, err
		}
		f.customers, err = decodeIndexed(rows, accepts)
		f.more = more
		return f, err
	}
}

// allCustomers reads the first index rows of a partition.
func (x *Index) allCustomers(pk string) customerSource {
	return func(ctx context.Context) (f foundCustomers, err error) {
		rows, more, err := x.search(ctx, pk, "", searched)
		if err != nil {
			return f, err
		}
		f.customers, err = decodeIndexed(rows, nil)
		f.more = more
		return f, err
	}
}

// entityOf is what the sort key of a word's index row names.
func entityOf(row table.Row) string { return row.SK[strings.LastIndexByte(row.SK, '#')+1:] }

// decodeIndexed decodes index rows of customers, each customer once: those of which a name is accepted, or all if of is
// nil.
func decodeIndexed(rows []table.Row, of func(name string) bool) (list []store.IndexedCustomer, err error) {
	known := map[string]bool{}
	for _, row := range rows {
		c, err := entity.Decode[store.IndexedCustomer](row)
		if err != nil {
			return nil, err
		}
		if !known[c.ID] && (of == nil || slices.ContainsFunc(c.Names, of)) {
			known[c.ID] = true
			list = append(list, c)
		}
	}
	return list, nil
}

// find searches requests and customers at once.
func (x *Index) find(ctx context.Context, limit int, requests requestSource, customers customerSource) (
	f Found, err error) {
	var moreRequests, moreCustomers bool
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		f.Requests, moreRequests, err = requests(ctx, limit)
		return err
	})
	g.Go(func() (err error) {
		f.Customers, moreCustomers, err = x.customersFound(ctx, limit, customers)
		return err
	})
	err = g.Wait()
	f.More = moreRequests || moreCustomers
	return f, err
}

// requestSource reads at most limit requests of a search, the newest first. more: not all of them.
type requestSource func(ctx context.Context, limit int) (list []request.Summary, more bool, err error)

func noRequests(context.Context, int) ([]request.Summary, bool, error) { return nil, false, nil }

// requestsIn reads the newest requests that the rows of a partition name.
func (x *Index) requestsIn(pk string) requestSource {
	return func(ctx context.Context, limit int) (list []request.Summary, more bool, err error) {
		rows, next, err := x.table.First(ctx, table.Query{PK: pk, Descending: true}, limit)
		if err != nil {
			return nil, false, fmt.Errorf("search: reading %s: %w", pk, err)
		}
		keys := make([]table.Key, len(rows))
		for i, row := range rows {
			keys[i] = rowkey.Request(row.SK)
		}
		requests, _, err := entity.GetAll[request.Request](ctx, x.table, keys)
		for _, r := range requests {
			list = append(list, r.Summary())
		}
		return list, next != "", err
	}
}

// requestsByWords finds the requests whose company has all the words.
func (x *Index) requestsByWords(wanted []string) requestSource {
	has := hasWords(wanted)
	return func(ctx context.Context, limit int) (list []request.Summary, more bool, err error) {
		rows, more, err := x.rowsByWords(ctx, wanted)
		if err != nil {
			return nil, false, err
		}
		known := map[string]bool{}
		for _, row := range rows {
			r, err := entity.Decode[request.Summary](row)
			if err != nil {
				return nil, false, err
			}
			if has(r.Company) && !known[r.ID] {
				list, known[r.ID] = append(list, r), true
			}
		}
		slices.SortFunc(list, func(a, b request.Summary) int { return cmp.Compare(b.ID, a.ID) })
		return list[:min(limit, len(list))], more || len(list) > limit, nil
	}
}

// rowsByWords reads the index rows of requests of the words of which there are few, or else many of the first word.
func (x *Index) rowsByWords(ctx context.Context, wanted []string) (rows []table.Row, more bool, err error) {
	if len(wanted) > 1 { // a word that few companies have tells all
		few, err := x.rareWords(ctx, wanted, rowkey.RequestWord)
		if len(few) > 0 || err != nil {
			return slices.Concat(few...), false, err
		}
	}
	return x.search(ctx, rowkey.RequestWord(wanted[0], "").PK, wanted[0], searched)
}

// customersFound reads customers, by name. One that was merged is its survivor.
func (x *Index) customersFound(ctx context.Context, limit int, from customerSource) (
	list []store.CustomerSummary, more bool, err error) {
	found, err := from(ctx)
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(found.customers, func(a, b store.IndexedCustomer) int {
		return cmp.Or(slices.Compare(a.Names, b.Names), cmp.Compare(a.ID, b.ID))
	})
	more = found.more
	if found.check == nil && len(found.customers) > limit {
		found.customers, more = found.customers[:limit], true
	}
	ids := make([]string, len(found.customers))
	for i, c := range found.customers {
		ids[i] = c.ID
	}
	customers, err := x.customers(ctx, ids)
	if err != nil {
		return nil, false, err
	}
	if found.check != nil {
		customers = slices.DeleteFunc(customers, func(c customer.Customer) bool { return !found.check(c) })
	}
	survivors, err := x.survivors(ctx, customers[:min(limit, len(customers))])
	if err != nil {
		return nil, false, err
	}
	known := map[string]bool{}
	for _, c := range survivors {
		if !known[c.ID] {
			list, known[c.ID] = append(list, c), true
		}
	}
	slices.SortFunc(list, func(a, b store.CustomerSummary) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list, more || len(customers) > limit, nil
}

// How many index rows of a partition a search reads: to find out whether a word is rare, and at most.
const (
	searchedFirst = 500
	searched      = 2000
)

// rareWords reads the index rows of all words at once, and returns those of each word that has few.
func (x *Index) rareWords(ctx context.Context, wanted []string, key func(word, entity string) table.Key) (
	few [][]table.Row, err error) {
	type list struct {
		rows []table.Row
		more bool
	}
	lists := make([]list, len(wanted))
	g, ctx := errgroup.WithContext(ctx)
	for i, w := range wanted {
		g.Go(func() (err error) {
			lists[i].rows, lists[i].more, err = x.search(ctx, key(w, "").PK, w, searchedFirst)
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
func (x *Index) search(ctx context.Context, pk, prefix string, most int) (rows []table.Row, more bool, err error) {
	q := table.Query{PK: pk}
	if prefix != "" {
		q.From, q.To = prefix, prefix+"\U0010ffff"
	}
	rows, next, err := x.table.First(ctx, q, most)
	if err != nil {
		return nil, false, fmt.Errorf("search: reading %s: %w", pk, err)
	}
	return rows, next != "", nil
}
