package licenseimport

import (
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/table"
)

// batch is what of a plan one transaction records.
type batch struct {
	issue  store.Issue
	added  []placed
	weight int // how many rows it writes at most
}

// How many rows a transaction writes at most for each part of it.
const (
	fixedRows    = 3 // the guard, the timeline, the audit
	customerRows = 3 // the customer, its place in the list, its reference; besides words, domains and contacts
	contractRows = 2 // the contract, its reference
	instanceRows = 3 // the instance, its server ID, its dataset
	licenseRows  = 4 // the license, its expiration, its reminder, its count
	followRows   = 4 // a license that it succeeds: itself, two places of its reminder, its count
	budget       = table.MaxWrites - 10
)

// batcher packs a plan into batches.
type batcher struct {
	plan *plan
	list []batch
}

// batches packs a plan so that each batch fits into a transaction: the customer with its contacts first, then the
// contracts, then the instances with their licenses. Whatever is interrupted is continued by planning again: as long as
// a license is not on record, all that it needs is planned.
func (p *plan) batches() []batch {
	b := &batcher{plan: p}
	b.customer()
	for _, id := range p.contracts {
		c := *p.account.Contract(id)
		b.room(contractRows)
		b.last().issue.Contracts = append(b.last().issue.Contracts, c)
	}
	had := map[string]bool{} // instances that have a license by then
	for _, i := range p.account.Instances {
		had[i.ID] = len(i.Licenses) > p.adds(i.ID)
	}
	recorded := map[string]bool{} // instances as they are to be
	for _, l := range p.added {
		rows := licenseRows + instanceRows
		if had[l.instance] {
			rows += followRows
		}
		had[l.instance] = true
		b.room(rows)
		to := b.last()
		if slices.Contains(p.instances, l.instance) && !recorded[l.instance] {
			i := *p.account.Instance(l.instance)
			i.Licenses = nil
			to.issue.Instances = append(to.issue.Instances, i)
			recorded[l.instance] = true
		}
		to.issue.Licenses = append(to.issue.Licenses, p.license(l))
		to.added = append(to.added, l)
	}
	for n := range b.list {
		b.list[n].issue.Note = notesOf(b.list[n].added)
	}
	return b.list
}

// last is the batch that is being packed.
func (b *batcher) last() *batch { return &b.list[len(b.list)-1] }

// room makes sure that the last batch has room for some rows.
func (b *batcher) room(rows int) {
	if len(b.list) == 0 || b.last().weight+rows > budget {
		b.list = append(b.list, batch{issue: store.Issue{By: b.plan.by, Imported: true}, weight: fixedRows})
	}
	b.last().weight += rows
}

// customer packs a new customer, and what is added to it.
func (b *batcher) customer() {
	p := b.plan
	after := p.account.Customer
	state, known := after, len(p.before.Contacts)
	state.Contacts = after.Contacts[:known:known]
	put := func(rows int) {
		b.room(rows)
		if b.last().issue.Customer == nil {
			b.last().weight += customerRows
		}
		kept := state
		b.last().issue.Customer = &kept
	}
	switch {
	case p.before.ID == "":
		words := len(customer.Words(after.Name))
		for _, name := range after.FormerNames {
			words += len(customer.Words(name))
		}
		put(words + len(after.Domains))
	case len(after.Outside) > len(p.before.Outside):
		put(0)
	}
	for n := known; n < len(after.Contacts); n++ {
		state.Contacts = after.Contacts[: n+1 : n+1]
		put(1 + len(customer.PersonWords(after.Contacts[n].Name)))
	}
}

// notesOf is what the customer's timeline says about licenses.
func notesOf(added []placed) string {
	var lines []string
	for _, l := range added {
		lines = append(lines, l.entry.elsewhere...)
	}
	return strings.Join(lines, "\n")
}

// adds is how many licenses a plan adds to an instance.
func (p *plan) adds(instance string) (n int) {
	for _, l := range p.added {
		if l.instance == instance {
			n++
		}
	}
	return n
}

// license is a license as it is recorded.
func (p *plan) license(placed placed) license.License {
	l := placed.entry.License
	i := p.account.Instance(placed.instance)
	l.Customer, l.Instance, l.Contract = i.Customer, i.ID, placed.contract
	return l
}

// halves parts a batch of licenses that was too much for a transaction after all.
func (b batch) halves() []batch {
	middle := len(b.added) / 2
	if middle == 0 {
		return nil
	}
	first, second := b, batch{issue: store.Issue{By: b.issue.By, Imported: true}}
	first.issue.Licenses, second.issue.Licenses = b.issue.Licenses[:middle], b.issue.Licenses[middle:]
	first.added, second.added = b.added[:middle], b.added[middle:]
	first.issue.Instances, first.issue.Note, second.issue.Note = nil, notesOf(first.added), notesOf(second.added)
	for _, i := range b.issue.Instances {
		of := func(l placed) bool { return l.instance == i.ID }
		if slices.ContainsFunc(first.added, of) {
			first.issue.Instances = append(first.issue.Instances, i)
		} else {
			second.issue.Instances = append(second.issue.Instances, i)
		}
	}
	return []batch{first, second}
}
