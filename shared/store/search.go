package store

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
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Found is what a search found: requests, the newest first, and customers and instances by the customer's name.
type Found struct {
	Requests  []request.Summary
	Customers []CustomerSummary
	Instances []FoundInstance
	More      bool // there may be more than the limit of each
}

// FoundInstance is an instance that a search found, with its customer: the survivor, if that was merged.
type FoundInstance struct {
	customer.Instance
	Of CustomerSummary
}

// FindByServer finds what is on record about a server: under whichever ID, by its dataset, if the text is a server ID;
// else the instances that have or had an ID that begins like the text, if it is long enough to tell.
func (s *Store) FindByServer(ctx context.Context, text string, limit int) (f Found, err error) {
	server, err := license.ParseServer(text)
	if err != nil {
		f.Instances, f.More, err = s.instancesBeginning(ctx, strings.TrimSpace(text), limit)
		return f, err
	}
	g, ctx := errgroup.WithContext(ctx)
	var more bool
	g.Go(func() (err error) {
		f.Requests, more, err = s.requests(ctx, limit, s.all(rowkey.DatasetRequestsPK(server)), anything)
		return err
	})
	g.Go(func() error {
		data, err := s.Dataset(ctx, server)
		if err != nil {
			return err
		}
		f.Instances, err = s.foundInstances(ctx, data.Instances[:min(limit, len(data.Instances))])
		return err
	})
	err = g.Wait()
	f.More = f.More || more
	return f, err
}

// instancesBeginning finds instances by the beginning of a server ID.
func (s *Store) instancesBeginning(ctx context.Context, text string, limit int) (
	list []FoundInstance, more bool, err error) {
	pk := rowkey.ServerPK(text)
	if pk == "" {
		return nil, false, nil
	}
	rows, more, err := s.search(ctx, pk, text, limit)
	if err != nil {
		return nil, false, err
	}
	var names []InstanceName
	for _, row := range rows {
		name, err := entity.Decode[InstanceName](row)
		if err != nil {
			return nil, false, err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	list, err = s.foundInstances(ctx, names)
	return list, more, err
}

// foundInstances reads instances and their customers.
func (s *Store) foundInstances(ctx context.Context, names []InstanceName) (list []FoundInstance, err error) {
	keys := make([]table.Key, len(names))
	found := candidates{by: map[string][]Basis{}, known: map[string]CustomerSummary{}}
	for i, n := range names {
		keys[i] = rowkey.Instance(n.Customer, n.Instance)
		found.add(n.Customer, ByServer)
	}
	var instances []customer.Instance
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		instances, _, err = entity.GetAll[customer.Instance](ctx, s.table, keys)
		return err
	})
	g.Go(func() error { return s.readUnknown(ctx, &found) })
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("store: instances: %w", err)
	}
	for _, i := range instances {
		of := found.known[i.Customer]
		if survivor, merged := found.known[of.Survivor]; merged {
			of = survivor
		}
		list = append(list, FoundInstance{i, of})
	}
	slices.SortFunc(list, func(a, b FoundInstance) int {
		return cmp.Or(cmp.Compare(a.Of.Name, b.Of.Name), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// FindByEmail finds the requests that a person sent, and the customers that have the person as a contact.
func (s *Store) FindByEmail(ctx context.Context, email string, limit int) (Found, error) {
	return s.find(ctx, limit, s.all(rowkey.EmailRequestsPK(email)), s.all(rowkey.ContactPK(email)), anything)
}

// FindByDomain finds the customers of a mail domain.
func (s *Store) FindByDomain(ctx context.Context, domain string, limit int) (Found, error) {
	return s.find(ctx, limit, nothing, s.all(rowkey.DomainPK(domain)), anything)
}

// FindByName finds requests and customers by the words of a company's name, and customers also by those of their
// contacts' names: each word that is wanted is the beginning of one that they have, however the letters are accented.
// Words of a single character do not count; a name without others finds nothing. A request is found by few of its words
// (requestWords); the others only narrow the search.
func (s *Store) FindByName(ctx context.Context, name string, limit int) (Found, error) {
	wanted := searchWords(name)
	if len(wanted) == 0 {
		return Found{}, nil
	}
	return s.find(ctx, limit, s.byWords(wanted, rowkey.RequestWord), s.customersByWords(wanted), hasWords(wanted))
}

// FindCustomers finds customers as FindByName does.
func (s *Store) FindCustomers(ctx context.Context, name string, limit int) (
	list []CustomerSummary, more bool, err error) {
	wanted := searchWords(name)
	if len(wanted) == 0 {
		return nil, false, nil
	}
	return s.customersFound(ctx, limit, s.customersByWords(wanted))
}

// searchWords are the words of a name, the longest first: it is the rarest, as far as one can tell without looking.
func searchWords(name string) []string {
	wanted := words(name)
	slices.SortStableFunc(wanted, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return wanted
}

// hasWords tells names that have all the words.
func hasWords(wanted []string) func(name string) bool {
	return func(name string) bool {
		have := words(name)
		return !slices.ContainsFunc(wanted, func(w string) bool {
			return !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) })
		})
	}
}

// customersByWords reads the index rows of customers that have all the words: those in the lists of each word of which
// there are few. Where all are frequent, it takes those whose names have them among many of the first word.
func (s *Store) customersByWords(wanted []string) rowSource {
	return func(ctx context.Context) (rows []table.Row, more bool, err error) {
		if len(wanted) > 1 {
			few, err := s.rareWords(ctx, wanted, rowkey.Word)
			if err != nil {
				return nil, false, err
			}
			if len(few) > 0 {
				rows := few[0]
				for _, other := range few[1:] {
					rows = slices.DeleteFunc(slices.Clone(rows), func(r table.Row) bool {
						return !slices.ContainsFunc(other, func(o table.Row) bool { return entityOf(o) == entityOf(r) })
					})
				}
				if len(few) < len(wanted) { // the frequent words can only be checked by name
					rows = withNames(rows, hasWords(wanted))
				}
				return rows, false, nil
			}
		}
		rows, more, err = s.search(ctx, rowkey.Word(wanted[0], "").PK, wanted[0], searched)
		if len(wanted) > 1 {
			rows = withNames(rows, hasWords(wanted))
		}
		return rows, more, err
	}
}

// entityOf is what the sort key of a word's index row names.
func entityOf(row table.Row) string { return row.SK[strings.LastIndexByte(row.SK, '#')+1:] }

// withNames keeps the index rows of customers whose names a condition accepts.
func withNames(rows []table.Row, accepts func(string) bool) []table.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r table.Row) bool {
		c, err := entity.Decode[CustomerSummary](r)
		return err == nil && !accepts(c.Name)
	})
}

// rowSource reads index rows of a search. more: not all of them.
type rowSource func(context.Context) (rows []table.Row, more bool, err error)

// anything is for find: whatever the company. nothing finds no rows.
func anything(string) bool { return true }

func nothing(context.Context) ([]table.Row, bool, error) { return nil, false, nil }

// find reads the index rows of requests and of customers at once, and keeps the requests of some companies.
func (s *Store) find(ctx context.Context, limit int, requests, customers rowSource, of func(company string) bool) (
	f Found, err error) {
	var moreRequests, moreCustomers bool
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		f.Requests, moreRequests, err = s.requests(ctx, limit, requests, of)
		return err
	})
	g.Go(func() (err error) {
		f.Customers, moreCustomers, err = s.customersFound(ctx, limit, customers)
		return err
	})
	err = g.Wait()
	f.More = moreRequests || moreCustomers
	return f, err
}

// requests reads requests of some companies, the newest first.
func (s *Store) requests(ctx context.Context, limit int, from rowSource, of func(company string) bool) (
	list []request.Summary, more bool, err error) {
	rows, more, err := from(ctx)
	if err != nil {
		return nil, false, err
	}
	known := map[string]bool{}
	for _, row := range rows {
		r, err := entity.Decode[request.Summary](row)
		if err != nil {
			return nil, false, err
		}
		if of(r.Company) && !known[r.ID] {
			list, known[r.ID] = append(list, r), true
		}
	}
	slices.SortFunc(list, func(a, b request.Summary) int { return cmp.Compare(b.ID, a.ID) })
	return list[:min(limit, len(list))], more || len(list) > limit, nil
}

// customersFound reads customers, by name. One that was merged is its survivor.
func (s *Store) customersFound(ctx context.Context, limit int, from rowSource) (
	list []CustomerSummary, more bool, err error) {
	rows, more, err := from(ctx)
	if err != nil {
		return nil, false, err
	}
	found := candidates{by: map[string][]Basis{}, known: map[string]CustomerSummary{}}
	for _, row := range rows {
		c, err := entity.Decode[CustomerSummary](row)
		if err != nil {
			return nil, false, err
		}
		found.addKnown(c, ByName)
	}
	if err := s.readUnknown(ctx, &found); err != nil {
		return nil, false, err
	}
	for _, c := range found.list() {
		list = append(list, c.Customer)
	}
	return list[:min(limit, len(list))], more || len(list) > limit, nil
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
