package licenseimport

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store"
)

// Grouping is the system of the outside reference under which a customer keeps the name of the column customer.
const Grouping = "import"

// atOnce is how many customers are looked up at once, and mostFound how many a search gives at most.
const (
	atOnce    = 16
	mostFound = 100
)

// resolve parts licenses by customer and finds which customers are on record. It refuses the lines that contradict what
// is on record, and notes what deserves a look. Nothing is written.
func (im *importer) resolve(ctx context.Context, entries []Entry) ([]*group, error) {
	groups := groupsOf(entries, im.options.PublicMailDomains)
	similar := make([][]*customer.Account, len(groups)) // others of the same name
	err := each(ctx, groups, func(ctx context.Context, n int, g *group) (err error) {
		if err := im.lookUp(ctx, g); err != nil || len(g.fresh) == 0 {
			return err
		}
		similar[n], err = im.find(ctx, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	separate(groups)
	err = each(ctx, groups, func(ctx context.Context, _ int, g *group) error {
		if len(g.fresh) == 0 {
			return nil
		}
		return im.tryPlan(ctx, g)
	})
	if err != nil {
		return nil, err
	}
	im.noteNames(groups, similar)
	return groups, im.noteServers(ctx, groups)
}

// each calls do for all groups, several at once.
func each(ctx context.Context, groups []*group, do func(ctx context.Context, n int, g *group) error) error {
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(atOnce)
	for n, g := range groups {
		workers.Go(func() error { return do(ctx, n, g) })
	}
	return workers.Wait()
}

// lookUp finds out which licenses of a group are not on record. One that is there with other terms is refused.
func (im *importer) lookUp(ctx context.Context, g *group) error {
	var ids []string
	for _, e := range g.entries {
		ids = append(ids, e.ids...)
	}
	known, err := im.options.Store.OnRecord(ctx, ids...)
	if err != nil {
		return err
	}
	n := 0
	for _, e := range g.entries {
		l, ok := e.among(known)
		switch {
		case !ok:
			g.fresh = append(g.fresh, e)
		case l.MaxLoc != e.License.MaxLoc || l.Support != e.License.Support:
			im.refuse(e, contradiction(e.License, l.MaxLoc, l.Support))
		default:
			n++
		}
		if ok {
			g.holders = append(g.holders, l.Customer)
		}
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	im.report.Known += n
	return nil
}

// find finds the customer of a group on record: by our reference; as an import recorded it; by name and domain; or else
// as the only one who has the group's licenses. It returns other customers of the same name.
func (im *importer) find(ctx context.Context, g *group) (similar []*customer.Account, err error) {
	if g.reference != "" {
		return nil, im.findReference(ctx, g)
	}
	for _, id := range g.derivedIDs() {
		switch c, err := im.options.Store.Customer(ctx, id); {
		case err == nil:
			g.id, g.known = cmp.Or(c.Survivor, c.ID), true
			return nil, nil
		case fault.KindOf(err) != fault.NotFound:
			return nil, err
		}
	}
	list, err := im.search(ctx, g)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		switch {
		case !g.sharesName(a):
		case !g.known && g.describes(a) && g.mayBe(a):
			g.id, g.known, g.byName = a.Customer.ID, true, true
		default:
			similar = append(similar, a)
		}
	}
	if g.known || len(g.holders) == 0 {
		return similar, nil
	}
	holders, err := im.options.Store.Accounts(ctx, g.holders...)
	if len(holders) == 1 {
		g.id, g.known = holders[0].Customer.ID, true
	}
	return nil, err
}

func (im *importer) findReference(ctx context.Context, g *group) error {
	id, err := im.options.Store.CustomerByReference(ctx, g.reference)
	if fault.KindOf(err) == fault.NotFound {
		for _, e := range g.fresh {
			column := "contract"
			if e.Customer != "" {
				column = "customer"
			}
			im.refuse(e, fmt.Sprintf("%s: %s is not on record. Correct it, or leave it blank.", column, g.reference))
		}
		g.fresh = nil
		return nil
	}
	if err != nil {
		return err
	}
	c, err := im.options.Store.Customer(ctx, id)
	g.id, g.known = cmp.Or(c.Survivor, c.ID), true
	return err
}

// mayBe reports whether a customer on record is not one that the vendor tells apart from the group's.
func (g *group) mayBe(a *customer.Account) bool {
	if g.name == "" {
		return true
	}
	other := false
	for _, o := range a.Customer.Outside {
		if o.System == Grouping {
			if o.ID == g.name {
				return true
			}
			other = true
		}
	}
	return !other
}

// search finds the customers on record that have the name, the domain or the address of a group, in the order of their
// IDs.
func (im *importer) search(ctx context.Context, g *group) ([]*customer.Account, error) {
	var ids []string
	add := func(list []store.CustomerSummary, err error) error {
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		return err
	}
	name, others := g.spelled()
	for _, spelled := range append([]string{name}, others...) {
		list, _, err := im.options.Search.Customers(ctx, spelled, mostFound)
		if err := add(list, err); err != nil {
			return nil, err
		}
	}
	for _, of := range g.companies {
		find := im.options.Search.ByDomain
		if strings.Contains(of.domain, "@") {
			find = im.options.Search.ByEmail
		}
		found, err := find(ctx, of.domain, mostFound)
		if err := add(found.Customers, err); err != nil {
			return nil, err
		}
	}
	list, err := im.options.Store.Accounts(ctx, ids...)
	slices.SortFunc(list, func(a, b *customer.Account) int { return strings.Compare(a.Customer.ID, b.Customer.ID) })
	return list, err
}

// separate keeps customers apart that the vendor tells apart: of those that were found to be the same one on record,
// only the first is.
func separate(groups []*group) {
	taken := map[string]bool{}
	for _, g := range groups {
		if g.name == "" || !g.byName {
			continue
		}
		if taken[g.id] {
			g.id, g.known, g.byName = g.derivedIDs()[0], false, false
			continue
		}
		taken[g.id] = true
	}
}

// tryPlan works out what a group would add, for what there is to say about its lines.
func (im *importer) tryPlan(ctx context.Context, g *group) error {
	var a *customer.Account
	if g.known {
		var err error
		if a, err = im.account(ctx, g.id); err != nil {
			return err
		}
	}
	if a != nil {
		g.label = label(a.Customer)
	} else {
		g.label, _ = g.spelled()
	}
	p := im.planned(g, a, g.fresh)
	im.refuseAll(p)
	im.note(p.notes...)
	return nil
}

// label names a customer on record in the report.
func label(c customer.Customer) string { return fmt.Sprintf("%s (%s)", c.Name, c.Reference) }

// noteNames suggests to merge customers of the same name.
func (im *importer) noteNames(groups []*group, similar [][]*customer.Account) {
	first := map[string]*group{} // of the new ones, by name
	for n, g := range groups {
		if g.known || len(g.fresh) == 0 || g.reference != "" {
			continue
		}
		line := slices.MinFunc(g.fresh, func(a, b *Entry) int { return a.Line - b.Line }).Line
		for _, a := range similar[n] {
			if !g.mayBe(a) {
				continue // the vendor tells them apart
			}
			im.note(Note{line, fmt.Sprintf("organization: %s has the same name. "+
				"Merge the two customers if they are the same.", label(a.Customer))})
		}
		for _, name := range g.names() {
			other := first[name]
			if other == nil {
				first[name] = g
				continue
			}
			if other.name == "" || g.name == "" {
				im.noteSameName(other, g)
				break
			}
		}
	}
}

// names are the names of a group's companies, each once.
func (g *group) names() (list []string) {
	for _, c := range g.companies {
		if !slices.Contains(list, c.name) {
			list = append(list, c.name)
		}
	}
	return list
}

// noteSameName suggests to merge two new customers, at whichever comes later in the file.
func (im *importer) noteSameName(a, b *group) {
	byLine := func(x, y *Entry) int { return x.Line - y.Line }
	one, two := slices.MinFunc(a.fresh, byLine).Line, slices.MinFunc(b.fresh, byLine).Line
	im.note(Note{max(one, two), fmt.Sprintf("organization: the customer of line %d has the same name. "+
		"Merge the two customers if they are the same.", min(one, two))})
}

// noteServers notes new licenses for servers that other customers have, on record or in the file, once for each
// customer.
func (im *importer) noteServers(ctx context.Context, groups []*group) error {
	type holder struct {
		group *group
		entry *Entry
	}
	holders := map[string][]holder{} // by dataset, of each group the first line
	for _, g := range groups {
		for _, e := range g.fresh {
			if e.refused {
				continue
			}
			dataset := e.License.Server.Dataset()
			i := slices.IndexFunc(holders[dataset], func(h holder) bool { return h.group.id == g.id })
			if i < 0 {
				holders[dataset] = append(holders[dataset], holder{g, e})
			} else if have := &holders[dataset][i]; e.Line < have.entry.Line {
				have.entry = e
			}
		}
	}
	var single []*group // of one license each, whose dataset is looked up; its holders are in the file
	for _, list := range holders {
		slices.SortFunc(list, func(a, b holder) int { return a.entry.Line - b.entry.Line })
		var ids []string
		for _, h := range list {
			ids = append(ids, h.group.id)
		}
		for i, h := range list {
			single = append(single, &group{label: h.group.label, holders: ids, entries: []*Entry{h.entry}})
			if len(list) == 1 {
				break
			}
			other := list[1]
			if i > 0 {
				other = list[0]
				im.note(Note{h.entry.Line, fmt.Sprintf("server_id: line %d has the same server for %s; this line is "+
					"for %s. Both are recorded. Check who has the server.", other.entry.Line,
					andMore(other.group.label, i-1), h.group.label)})
			}
			h.entry.elsewhere = append(h.entry.elsewhere,
				elsewhere(h.entry.License.Server, andMore(other.group.label, len(list)-2)))
		}
	}
	return each(ctx, single, func(ctx context.Context, _ int, g *group) error { return im.noteServer(ctx, g) })
}

// andMore names a customer of several.
func andMore(label string, more int) string {
	switch more {
	case 0:
		return label
	case 1:
		return label + " and another customer"
	}
	return fmt.Sprintf("%s and %d other customers", label, more)
}

// elsewhere is what the timeline says about a server that another customer has.
func elsewhere(s license.Server, of string) string {
	return fmt.Sprintf("The server %s is also on record for %s.", s, of)
}

// noteServer notes which customers have the server of a new license on record.
func (im *importer) noteServer(ctx context.Context, g *group) error {
	e := g.entries[0]
	data, err := im.options.Store.Dataset(ctx, e.License.Server)
	if err != nil || len(data.Instances) == 0 {
		return err
	}
	var ids []string
	for _, i := range data.Instances {
		ids = append(ids, i.Customer)
	}
	list, err := im.options.Store.Accounts(ctx, ids...)
	others := slices.DeleteFunc(list, func(a *customer.Account) bool {
		return slices.Contains(g.holders, a.Customer.ID)
	})
	if err != nil || len(others) == 0 {
		return err
	}
	of := andMore(label(others[0].Customer), len(others)-1)
	im.note(Note{e.Line, fmt.Sprintf("server_id: %s has this server on record; this line is for %s. "+
		"Both are recorded. Check who has the server.", of, g.label)})
	e.elsewhere = append(e.elsewhere, elsewhere(e.License.Server, of))
	return nil
}
