package licenseimport

import (
	"cmp"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/reference"
)

// group is the lines of one customer.
type group struct {
	reference reference.Reference // ours, of the customer or of one of its contracts; "" if no line has one
	name      string              // by which the vendor tells customers apart; "" if no line has one
	companies []company           // in the order of less
	entries   []*Entry            // in the order of byTerm
	fresh     []*Entry            // those that are not on record
	id        string              // of the customer, on record or to be
	known     bool                // it is on record
	byName    bool                // it was found by name and domain
	label     string              // names it in the report
	holders   []string            // who has the licenses that are on record
	public    []string            // mail domains that are no customer's
}

// groupsOf parts licenses by customer: by the column customer; without it, by name and domain. One license whose lines
// have several domains shows that these are one customer's. The result does not depend on the order of the licenses.
// public are mail domains that are no customer's, besides the known ones.
func groupsOf(entries []Entry, public []string) []*group {
	byName := map[string]*group{}           // those that the column customer names
	claims := map[company]map[string]bool{} // the names in that column, by company
	var plain []*Entry
	for i := range entries {
		e := &entries[i]
		for _, s := range e.spellings {
			e.companies = append(e.companies, company{nameKey(s.name), domainOf(s.email, public)})
		}
		ours, theirs := e.named()
		key := string(ours) + "\n" + theirs
		if key == "\n" {
			plain = append(plain, e)
			continue
		}
		if byName[key] == nil {
			byName[key] = &group{reference: ours, name: theirs}
		}
		byName[key].add(e)
		for _, c := range e.companies {
			if claims[c] == nil {
				claims[c] = map[string]bool{}
			}
			claims[c][key] = true
		}
	}
	var groups []*group
	for _, g := range connected(plain) {
		if into := g.claimed(claims); into != "" {
			for _, e := range g.entries {
				byName[into].add(e)
			}
			continue
		}
		groups = append(groups, g)
	}
	for _, g := range byName {
		groups = append(groups, g)
	}
	for _, g := range groups {
		slices.SortFunc(g.entries, byTerm)
		slices.SortFunc(g.companies, compareCompanies)
		g.companies = slices.Compact(g.companies)
		g.id, g.public = g.derivedIDs()[0], public
	}
	slices.SortFunc(groups, func(a, b *group) int { return cmp.Compare(a.id, b.id) })
	return groups
}

// named is what the columns say about the customer: our reference, or the vendor's name for it.
func (e *Entry) named() (ours reference.Reference, theirs string) {
	if r, ok := ourReference(e.Customer, reference.Customer); ok {
		return r, ""
	}
	if e.Customer != "" {
		return "", folded(e.Customer)
	}
	if r, ok := ourReference(e.Contract, reference.Contract); ok {
		return r, ""
	}
	return "", ""
}

// ourReference reads a reference of ours, which has its dash: C-7K3Q9F.
func ourReference(s string, k reference.Kind) (r reference.Reference, ok bool) {
	if len(s) < 2 || !strings.EqualFold(s[:2], string(k)+"-") {
		return "", false
	}
	r, ok = reference.Parse(s)
	return r, ok && r.Kind() == k
}

func (g *group) add(e *Entry) {
	g.entries = append(g.entries, e)
	g.companies = append(g.companies, e.companies...)
}

// claimed returns the key of the only group of the column customer that has some of the same companies; "" for none.
func (g *group) claimed(claims map[company]map[string]bool) (key string) {
	for _, c := range g.companies {
		for other := range claims[c] {
			if key != "" && key != other {
				return ""
			}
			key = other
		}
	}
	return key
}

// connected parts licenses so that those that have a company in common are in one group.
func connected(entries []*Entry) (groups []*group) {
	parent := map[company]company{}
	var root func(company) company
	root = func(c company) company {
		if p, ok := parent[c]; ok && p != c {
			parent[c] = root(p)
			return parent[c]
		}
		parent[c] = c
		return c
	}
	for _, e := range entries {
		for _, c := range e.companies {
			parent[root(c)] = root(e.companies[0])
		}
	}
	byRoot := map[company]*group{}
	for _, e := range entries {
		r := root(e.companies[0])
		if byRoot[r] == nil {
			byRoot[r] = &group{}
			groups = append(groups, byRoot[r])
		}
		byRoot[r].add(e)
	}
	return groups
}

func compareCompanies(a, b company) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.domain, b.domain))
}

// byTerm orders licenses as they are recorded: production first, so that staging finds what it mirrors, then by the
// last day.
func byTerm(a, b *Entry) int {
	return cmp.Or(cmp.Compare(a.Environment, b.Environment),
		a.License.Expiration.Start().Compare(b.License.Expiration.Start()), cmp.Compare(a.License.ID, b.License.ID))
}

// derivedIDs are the IDs under which the customer may have been recorded, the first the one under which it is recorded
// now. They let an import find its customers whatever sales changed since.
func (g *group) derivedIDs() (ids []string) {
	if g.reference != "" || g.name != "" {
		return []string{madeHere("customer", string(g.reference), g.name)}
	}
	for _, c := range g.companies {
		ids = append(ids, madeHere("customer", c.name, c.domain))
	}
	return ids
}

// madeHere makes the ID of what an import forms. It comes before those of what is made in this century, as the IDs of
// what is older do.
func madeHere(of ...string) string { return "00" + derived(append([]string{"import"}, of...)...)[:24] }

// spelled is the organization's name, as the licenses that expire last have it, and its other spellings.
func (g *group) spelled() (name string, others []string) {
	var all []spelling
	for _, e := range g.entries {
		all = append(all, e.spellings...)
	}
	slices.SortFunc(all, func(a, b spelling) int {
		return cmp.Or(b.of.Start().Compare(a.of.Start()), cmp.Compare(a.name, b.name))
	})
	for _, s := range all[1:] {
		if s.name != all[0].name && !slices.Contains(others, s.name) && len(others) < maxSpellings {
			others = append(others, s.name)
		}
	}
	slices.Reverse(others) // the newest last
	return all[0].name, others
}

// maxSpellings is how many other spellings of a name a new customer has.
const maxSpellings = 5

// describes reports whether a customer on record is the group's: it has the name, and the domain or the address.
func (g *group) describes(a *customer.Account) bool {
	return slices.ContainsFunc(a.Customers(), func(c customer.Customer) bool {
		return slices.ContainsFunc(g.companies, func(of company) bool {
			return of.isNameOf(c) && of.reaches(c, g.public)
		})
	})
}

// sharesName reports whether a customer on record has or had the name, or one that was merged into it.
func (g *group) sharesName(a *customer.Account) bool {
	return slices.ContainsFunc(a.Customers(), func(c customer.Customer) bool {
		return slices.ContainsFunc(g.companies, func(of company) bool { return of.isNameOf(c) })
	})
}

// isNameOf reports whether a customer has or had the name.
func (of company) isNameOf(c customer.Customer) bool {
	return slices.ContainsFunc(append([]string{c.Name}, c.FormerNames...), func(name string) bool {
		return of.name == nameKey(name)
	})
}

// reaches reports whether a customer has the domain, or a contact there.
func (of company) reaches(c customer.Customer, public []string) bool {
	there := func(contact customer.Contact) bool { return domainOf(contact.Email, public) == of.domain }
	return slices.Contains(c.Domains, of.domain) || slices.ContainsFunc(c.Contacts, there)
}
