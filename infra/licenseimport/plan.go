package licenseimport

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
)

// plan is what an import adds to a customer, worked out from what is on record.
type plan struct {
	group   *group
	today   license.Date
	now     time.Time
	by      string
	account customer.Account  // with all that was planned so far
	before  customer.Customer // as it is on record; without an ID if it is new

	had       map[string]bool // the IDs of what is on record
	contracts []string        // the IDs of those that are new or change
	instances []string        // the IDs of those that are new or change
	added     []placed
	known     []*Entry // licenses that are on record after all, under another spelling
	notes     []Note
	refused   []Refusal
}

// placed is a license with the instance and the contract that it belongs to.
type placed struct {
	entry    *Entry
	instance string
	contract string // "" for an evaluation
}

// planned works out what a group's licenses add to a customer; a is nil if it is new. What it says about lines is in
// the plan.
func (im *importer) planned(g *group, a *customer.Account, entries []*Entry) *plan {
	p := &plan{group: g, now: im.options.Store.Now(), by: im.options.By, had: map[string]bool{}}
	p.today = license.DateOf(p.now)
	if a != nil {
		p.account, p.before = *a, a.Customer
		p.account.Contracts, p.account.Instances = slices.Clone(a.Contracts), slices.Clone(a.Instances)
		p.had[a.Customer.ID] = true
		for _, c := range a.Contracts {
			p.had[c.ID] = true
		}
		for _, i := range a.Instances {
			p.had[i.ID] = true
		}
	} else {
		p.account.Customer = customer.Customer{ID: g.id, Created: p.now}
		p.account.Customer.Name, p.account.Customer.FormerNames = g.spelled()
	}
	for _, e := range entries {
		p.place(e)
	}
	// Those with a name come first: a license without one may be under the same contract.
	for _, named := range []bool{true, false} {
		for i := range p.added {
			if l := &p.added[i]; (l.entry.Contract != "") == named && l.entry.License.Type != license.Evaluation {
				p.assign(l)
			}
		}
	}
	p.count()
	p.joinCustomer()
	p.noteStaging()
	return p
}

func (p *plan) note(e *Entry, format string, args ...any) {
	p.notes = append(p.notes, Note{e.Line, fmt.Sprintf(format, args...)})
}

// place finds the instance of a license, or makes one.
func (p *plan) place(e *Entry) {
	asked := customer.Asked{Server: e.License.Server, Environment: e.Environment}
	if e.Mirrors != "" {
		asked.Servers = []license.Server{e.Mirrors}
	}
	m := p.account.Match(asked)
	i := p.account.Instance(p.having(m, e))
	if i == nil {
		p.noteLike(m, e)
		i = p.newInstance(e)
	}
	switch known, contradicts := onRecord(*i, e); {
	case known:
		p.known = append(p.known, e)
		return
	case contradicts != "":
		p.refused = append(p.refused, Refusal{e.Line, []string{contradicts}})
		return
	}
	p.mirror(i, e, m.From)
	if !i.InUse() {
		p.note(e, "server_id: the instance with this server ID was retired. The license is recorded; "+
			"nobody is reminded of it until the instance is back in use.")
	}
	l := e.License
	i.Licenses = append(slices.Clip(i.Licenses), customer.LicenseOf(l))
	p.added = append(p.added, placed{entry: e, instance: i.ID})
}

// having returns the ID of the instance that has the server ID; "" for a new one. Nobody can be asked: of several it is
// the first, and one that only has the same dataset is another one, so that nobody's reminders end.
func (p *plan) having(m customer.Match, e *Entry) string {
	if m.Instance != "" {
		return m.Instance
	}
	for _, id := range m.Candidates {
		if i := p.account.Instance(id); i.Had(e.License.Server) && i.Environment == e.Environment {
			return id
		}
	}
	return ""
}

// noteLike names the instance that a new one may be.
func (p *plan) noteLike(m customer.Match, e *Entry) {
	for _, id := range m.Candidates {
		like := p.account.Instance(id)
		if m.How == customer.Undecided && like.Server().Dataset() == e.License.Server.Dataset() {
			p.note(e, "server_id: this customer also has a %s server with the same data, %s. Both are recorded. "+
				"If that server is gone, retire it.", like.Environment, like.Server())
			return
		}
	}
}

func (p *plan) newInstance(e *Entry) *customer.Instance {
	i := customer.Instance{
		// The license is not on record, so no instance was made of it before.
		ID: madeHere("instance", e.License.ID), Customer: p.account.Customer.ID, Environment: e.Environment,
		Servers: []customer.ServerID{{Server: e.License.Server, Told: p.now}}, Created: p.now,
	}
	at, _ := slices.BinarySearchFunc(p.account.Instances, i.ID, func(have customer.Instance, id string) int {
		return strings.Compare(have.ID, id)
	})
	p.account.Instances = slices.Insert(p.account.Instances, at, i)
	p.instances = append(p.instances, i.ID)
	return p.account.Instance(i.ID)
}

// onRecord reports whether an instance has a license already, under whichever ID. contradicts says what it has instead,
// if it has one of other terms.
func onRecord(i customer.Instance, e *Entry) (known bool, contradicts string) {
	for _, have := range i.Licenses {
		l := e.License
		if have.Type != l.Type || have.Server != l.Server || have.Edition != l.Edition ||
			have.Expiration != l.Expiration {
			continue
		}
		if have.MaxLoc == l.MaxLoc && have.Support == l.Support {
			return true, ""
		}
		contradicts = contradiction(l, have.MaxLoc, have.Support)
	}
	return false, contradicts
}

// contradiction says in what a license differs from the same one on record.
func contradiction(l license.License, maxLoc int64, support bool) string {
	var list []string
	if l.MaxLoc != maxLoc {
		list = append(list, fmt.Sprintf("max_loc is %d here and %d there", l.MaxLoc, maxLoc))
	}
	if l.Support != support {
		list = append(list, fmt.Sprintf("support is %s here and %s there", yesNo(l.Support), yesNo(support)))
	}
	return "This line contradicts the same license on record: " + strings.Join(list, ", ") + "."
}

// mirror notes the production that a staging instance mirrors: the one that the line names, else the one from which it
// was copied, unless that is known.
func (p *plan) mirror(i *customer.Instance, e *Entry, from string) {
	if e.Environment != request.StagingUse {
		return
	}
	if e.Mirrors != "" {
		named := slices.IndexFunc(p.account.Instances, func(i customer.Instance) bool {
			return i.Environment == request.ProductionUse && i.Had(e.Mirrors)
		})
		if named < 0 {
			p.note(e, "mirrors: this customer has no production server %s. The staging server is recorded without it.",
				e.Mirrors)
		} else {
			from = p.account.Instances[named].ID
		}
	}
	if i.Production == "" && from != "" {
		i.Production = from
		if !slices.Contains(p.instances, i.ID) {
			p.instances = append(p.instances, i.ID)
		}
	}
}

// assign finds the contract of a license, or makes one: that of the name in the file, or one of equal terms.
func (p *plan) assign(l *placed) {
	e := l.entry
	terms := customer.Terms{Edition: e.License.Edition, MaxLoc: e.License.MaxLoc, Support: e.License.Support}
	if r, ours := ourReference(e.Contract, reference.Contract); ours {
		i := slices.IndexFunc(p.account.Contracts, func(c customer.Contract) bool { return c.Reference == r })
		if i < 0 {
			p.refused = append(p.refused, Refusal{e.Line, []string{
				fmt.Sprintf("contract: This customer has no contract %s.", r),
			}})
			return
		}
		l.contract = p.account.Contracts[i].ID
		return
	}
	c := p.contract(e, terms)
	if c == nil {
		c = p.newContract(e, terms)
	}
	l.contract = c.ID
	if first := firstDay(e.License.Expiration, p.today); !p.had[c.ID] && first.Before(c.First) {
		c.First = first
	}
	if e.Contract != "" && e.License.Expiration.After(c.Last) {
		c.Last = e.License.Expiration
		p.changeContract(c.ID)
	}
}

// contract returns the contract of a license if it is on record or planned; nil if there is none.
func (p *plan) contract(e *Entry, terms customer.Terms) *customer.Contract {
	for _, of := range p.account.Customers() {
		if c := p.account.Contract(contractID(of.ID, e, terms)); c != nil {
			return c
		}
	}
	if e.Contract != "" {
		return nil
	}
	var found *customer.Contract
	for i := range p.account.Contracts {
		c := &p.account.Contracts[i]
		equal := c.Edition == terms.Edition && c.MaxLoc == terms.MaxLoc && c.Support == terms.Support &&
			len(c.Languages) == 0 && c.Last == e.License.Expiration
		if equal && (found == nil || !found.Ended.IsZero() && c.Ended.IsZero()) {
			found = c
		}
	}
	return found
}

// contractID derives the ID of a contract that an import makes. One with a name keeps it when its last day changes.
func contractID(customer string, e *Entry, terms customer.Terms) string {
	last := e.License.Expiration.String()
	if e.Contract != "" {
		last = ""
	}
	return madeHere("contract", customer, folded(e.Contract), last, string(terms.Edition), fmt.Sprint(terms.MaxLoc),
		yesNo(terms.Support))
}

func (p *plan) newContract(e *Entry, terms customer.Terms) *customer.Contract {
	last := e.License.Expiration
	c := customer.Contract{
		ID: contractID(p.account.Customer.ID, e, terms), Customer: p.account.Customer.ID, Terms: terms,
		First: firstDay(last, p.today), Last: last, Created: p.now,
	}
	at, _ := slices.BinarySearchFunc(p.account.Contracts, c.ID, func(have customer.Contract, id string) int {
		return strings.Compare(have.ID, id)
	})
	p.account.Contracts = slices.Insert(p.account.Contracts, at, c)
	p.changeContract(c.ID)
	return p.account.Contract(c.ID)
}

func (p *plan) changeContract(id string) {
	if !slices.Contains(p.contracts, id) {
		p.contracts = append(p.contracts, id)
	}
}

// firstDay is the day on which a contract that ends on a day is taken to have begun, which no file says: a year before,
// and not after today.
func firstDay(last, today license.Date) license.Date {
	if year := last.AddMonths(-12).AddDays(1); year.Before(today) {
		return year
	}
	return today
}

// count raises what the contracts cover to what is under them.
func (p *plan) count() {
	contractOf := map[string]string{} // by license
	touched := map[string]bool{}
	for _, l := range p.added {
		contractOf[l.entry.License.ID] = l.contract
		touched[l.contract] = true
	}
	for n := range p.account.Contracts {
		c := &p.account.Contracts[n]
		if !touched[c.ID] {
			continue
		}
		var production, staging int
		for _, i := range p.account.Instances {
			under := slices.ContainsFunc(i.Licenses, func(l customer.License) bool {
				return cmp.Or(l.Contract, contractOf[l.ID]) == c.ID && l.Revoked.IsZero()
			})
			switch {
			case !under || !i.InUse():
			case i.Environment == request.StagingUse:
				staging++
			default:
				production++
			}
		}
		if production > c.Production || staging > c.Staging {
			c.Production, c.Staging = max(c.Production, production), max(c.Staging, staging)
			p.changeContract(c.ID)
		}
	}
}

// joinCustomer adds the contacts and outside references of the licenses to the customer, and the domains to a new one.
func (p *plan) joinCustomer() {
	if len(p.added) == 0 {
		return
	}
	c := &p.account.Customer
	c.Contacts, c.Outside = slices.Clone(c.Contacts), slices.Clone(c.Outside)
	var mentions []mention
	var outside []customer.Outside
	if p.group.name != "" {
		outside = append(outside, customer.Outside{System: Grouping, ID: p.group.name})
	}
	for _, l := range p.added {
		mentions = append(mentions, l.entry.mentions...)
		outside = append(outside, l.entry.References...)
	}
	p.joinContacts(c, contactsOf(mentions))
	slices.SortFunc(outside, func(a, b customer.Outside) int {
		return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(a.ID, b.ID))
	})
	left := 0
	for _, o := range slices.Compact(outside) {
		switch {
		case slices.Contains(c.Outside, o):
		case len(c.Outside) == customer.MaxOutside:
			left++
		default:
			c.Outside = append(c.Outside, o)
		}
	}
	if left > 0 {
		p.note(p.added[0].entry, "reference: %d references are not recorded: a customer has at most %d.", left,
			customer.MaxOutside)
	}
	if p.before.ID != "" {
		return
	}
	for _, of := range p.group.companies {
		if !strings.Contains(of.domain, "@") && !slices.Contains(c.Domains, of.domain) &&
			len(c.Domains) < customer.MaxDomains {
			c.Domains = append(c.Domains, of.domain)
		}
	}
}

// joinContacts adds people to a customer that neither it nor one that was merged into it has as a contact.
func (p *plan) joinContacts(c *customer.Customer, people []license.Contact) {
	left := 0
	for _, to := range people {
		has := func(of customer.Customer) bool {
			_, ok := of.Contact(to.Email)
			return ok
		}
		switch {
		case has(*c) || slices.ContainsFunc(p.account.Merged, has):
		case len(c.Contacts) == customer.MaxContacts:
			left++
		default:
			added := customer.Contact{Name: to.Name, Email: to.Email, Since: p.now, AddedBy: p.by, VouchedBy: p.by}
			c.Contacts = append(c.Contacts, added)
		}
	}
	if left > 0 {
		p.note(p.added[0].entry, "email: %d contacts are not recorded: a customer has at most %d.", left,
			customer.MaxContacts)
	}
}

// noteStaging notes staging licenses whose terms allow no staging.
func (p *plan) noteStaging() {
	for _, l := range p.added {
		k := l.entry.License
		terms := customer.Terms{Edition: k.Edition, Support: k.Support}
		if k.Type == license.Staging && !terms.StagingAllowed() {
			p.note(l.entry, "type: staging needs the Enterprise Edition, the Data Center Edition or support. "+
				"The license is recorded as it is.")
		}
	}
}
