package site

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// instancesView is a page of a customer's instances by contract: each production instance with its staging.
type instancesView struct {
	Groups   []contractView
	Past     []contractView // contracts that no instance in use is under
	PastOpen bool           // the address names one of them
	Shown    string         // "1–50 of 2'000"; "" if all are on the page
	Previous string         // addresses of the pages around; "" for none
	Next     string
	CanEdit  bool
}

// contractView is a contract with its instances, the instances without one, or those that were retired.
type contractView struct {
	ID         string // of its part of the page
	Path       string // of the customer's page
	Contract   *customer.Contract
	Title      string // where it is no contract
	Hint       string
	Retired    bool
	Badge      badge
	Languages  []string // names
	Renews     reference.Reference
	RenewedBy  reference.Reference
	EndedBy    string   // the colleague's name
	Production usedView // instances that use it
	Staging    usedView
	Rows       []accountInstance
	Continued  bool // its instances begin on the page before
	Open       bool // it was not ended early
	Endable    bool // nor has it expired
	CanEdit    bool
	Snapshot   snapshot

	Renew, Change string // addresses of the generator; "" if there is nothing to renew or change
	Missing       string // "2 of 5": instances without a key of the contract's terms; "" for none
	NextKey       string // when the next key is due: a day; "" if none is
	NextKeySoon   bool
	Issue         string // the address at which both are issued
}

// usedView says how many instances of an environment use a contract, of how many it covers.
type usedView struct {
	Used, Covered int
	Name          string // production or staging
}

// Beyond reports whether more use the contract than it covers.
func (u usedView) Beyond() bool { return u.Used > u.Covered }

// accountInstance is an instance on its customer's page.
type accountInstance struct {
	instanceRow
	Path     string
	Earlier  []license.Server // IDs that it had before
	Of       license.Server   // of staging: the server ID of its production, where that is not above; "" if it is
	Above    bool             // its production is above
	Ahead    *customer.License
	Contract reference.Reference // the contract, where that is not the one of its production
}

// Told says what the instance last told about itself: "6.7.1, 120'000 lines".
func (i accountInstance) Told() string {
	var parts []string
	if i.ProductVersion != "" {
		parts = append(parts, i.ProductVersion)
	}
	if i.Loc > 0 {
		parts = append(parts, web.Number(i.Loc)+" lines")
	}
	return strings.Join(parts, ", ")
}

// EnvironmentName returns the environment as people read it.
func (i instanceRow) EnvironmentName() string { return environmentName(i.Environment) }

// pageNumber returns the page of instances that the address names.
func pageNumber(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// group is what instancesView lists together.
type group struct {
	contract *customer.Contract // nil: without a contract, or retired
	retired  bool
	rows     []placed
}

// placed is an instance in a group. staging is set where it follows its production.
type placed struct {
	*customer.Instance
	follows bool
}

// groupsOf sorts the instances of an account: by contract, those in effect first, then those without one, then the
// retired ones; staging follows its production.
func groupsOf(a *customer.Account, today license.Date) (list []group) {
	at := map[string]int{}
	for _, k := range sortedContracts(a, today) {
		at[k.ID] = len(list)
		list = append(list, group{contract: k})
	}
	without, retired := len(list), len(list)+1
	list = append(list, group{}, group{retired: true})
	staging := map[string][]*customer.Instance{}
	var lead []*customer.Instance
	for n := range a.Instances {
		i := &a.Instances[n]
		if i.InUse() && i.Environment == request.StagingUse && i.Production != "" {
			staging[i.Production] = append(staging[i.Production], i)
			continue
		}
		lead = append(lead, i)
	}
	place := func(i *customer.Instance) int {
		if !i.InUse() {
			return retired
		}
		if n, ok := at[contractOf(*i, today)]; ok {
			return n
		}
		return without
	}
	for _, i := range lead {
		g := &list[place(i)]
		g.rows = append(g.rows, placed{i, false})
		if i.InUse() {
			for _, follower := range staging[i.ID] {
				g.rows = append(g.rows, placed{follower, true})
			}
			delete(staging, i.ID)
		}
	}
	for n := range a.Instances { // staging whose production is retired, moved away or staging itself
		if i := &a.Instances[n]; len(staging[i.Production]) > 0 && i.InUse() && i.Environment == request.StagingUse {
			g := &list[place(i)]
			g.rows = append(g.rows, placed{i, false})
		}
	}
	return list
}

// contractOf returns the ID of the contract of an instance: of its license in force, or of one that begins later.
func contractOf(i customer.Instance, today license.Date) string {
	if l, ok := i.Current(today); ok && l.Type != license.Evaluation {
		return l.Contract
	}
	for _, l := range slices.Backward(i.Licenses) {
		if l.Type != license.Evaluation && l.Valid(today) {
			return l.Contract
		}
	}
	return ""
}

// sortedContracts returns the contracts in effect first, then those that begin later, then the others, each from the
// newest on.
func sortedContracts(a *customer.Account, today license.Date) (list []*customer.Contract) {
	for i := range a.Contracts {
		list = append(list, &a.Contracts[i])
	}
	rank := func(k *customer.Contract) int {
		switch {
		case !k.Active(today):
			return 2
		case k.First.After(today):
			return 1
		}
		return 0
	}
	slices.SortFunc(list, func(x, y *customer.Contract) int {
		return cmp.Or(rank(x)-rank(y), y.First.Start().Compare(x.First.Start()), cmp.Compare(y.ID, x.ID))
	})
	return list
}

// contractBadge returns the state of a contract on a day.
func contractBadge(k customer.Contract, renewed bool, today license.Date) badge {
	switch {
	case !k.Ended.IsZero():
		return badge{"Ended early", "bad"}
	case today.After(k.Last) && renewed:
		return badge{"Expired, renewed", ""}
	case today.After(k.Last):
		return badge{"Expired", "bad"}
	case k.First.After(today):
		return badge{"Begins " + k.First.Long(), ""}
	case renewed:
		return badge{"Active, renewed", "good"}
	}
	return badge{"Active", "good"}
}

// instancesView returns a page of the instances, or the one that has the contract in the address.
func (s *site) instancesView(r *http.Request, p *accountPage, page int) instancesView {
	today := s.today()
	groups := groupsOf(p.Account, today)
	var wanted string
	if k := contractNamed(p.Account, r.URL.Query().Get("contract")); k != nil {
		wanted = k.ID
	}
	v := instancesView{CanEdit: canEdit(r)}
	starts, total := make([]int, len(groups)), 0
	for n, g := range groups {
		starts[n] = total
		total += len(g.rows)
		if g.contract != nil && g.contract.ID == wanted && page == 1 {
			page = starts[n]/pageSize + 1
		}
	}
	pages := max(1, (total+pageSize-1)/pageSize)
	page = min(page, pages)
	from, to := (page-1)*pageSize, min(page*pageSize, total)
	byID := map[string]*customer.Instance{}
	for n := range p.Instances {
		byID[p.Instances[n].ID] = &p.Instances[n]
	}
	words := vocabulary{catalog: s.catalogNames(r.Context())}
	for n, g := range groups {
		begin, end := max(from, starts[n]), min(to, starts[n]+len(g.rows))
		empty := len(g.rows) == 0
		past := g.contract != nil && !g.contract.Active(today)
		switch {
		case empty && (g.contract == nil || past && page > 1):
			continue
		case empty && !past && min(starts[n]/pageSize+1, pages) != page:
			continue
		case !empty && begin >= end:
			continue
		}
		view := s.contractView(r, p, g, words)
		for k := begin; k < end; k++ {
			row := s.accountInstance(p, g, g.rows[k-starts[n]], byID)
			row.Above = row.Above && k > begin
			if row.Above {
				row.Of = ""
			}
			view.Rows = append(view.Rows, row)
		}
		view.Continued = begin > starts[n] && !empty
		if empty && past {
			v.PastOpen = v.PastOpen || g.contract.ID == wanted
			v.Past = append(v.Past, view)
			continue
		}
		v.Groups = append(v.Groups, view)
	}
	if pages > 1 {
		v.Shown = fmt.Sprintf("%d–%d of %s", from+1, to, web.Number(int64(total)))
		address := func(n int) string { return p.Path() + "?" + url.Values{"page": {strconv.Itoa(n)}}.Encode() }
		if page > 1 {
			v.Previous = address(page - 1)
		}
		if page == 2 {
			v.Previous = p.Path()
		}
		if page < pages {
			v.Next = address(page + 1)
		}
	}
	return v
}

func (s *site) accountInstance(p *accountPage, g group, i placed, byID map[string]*customer.Instance) accountInstance {
	today := s.today()
	row := accountInstance{
		instanceRow: s.instanceRow(*i.Instance, summaryOf(p.Customer)), Path: p.Path() + "/instances/" + i.ID,
		Above: i.follows,
	}
	for _, had := range slices.Backward(i.Servers) {
		if had.Server != i.Server() && !slices.Contains(row.Earlier, had.Server) {
			row.Earlier = append(row.Earlier, had.Server)
		}
	}
	if of := byID[i.Production]; i.Environment == request.StagingUse && of != nil {
		row.Of = of.Server()
	}
	row.Ahead = renewedAhead(*i.Instance, today)
	if g.contract != nil && row.License != nil {
		if id := contractOf(*i.Instance, today); id != g.contract.ID {
			if k := p.Contract(id); k != nil {
				row.Contract = k.Reference
			}
		}
	}
	return row
}

// renewedAhead returns the license of an instance that begins later and ends last; nil if there is none.
func renewedAhead(i customer.Instance, today license.Date) (ahead *customer.License) {
	current, _ := i.Current(today)
	for n := range i.Licenses {
		l := &i.Licenses[n]
		if l.Valid(today) && l.ID != current.ID && l.Expiration.After(current.Expiration) &&
			(ahead == nil || l.Expiration.After(ahead.Expiration)) {
			ahead = l
		}
	}
	return ahead
}

// contractView returns the head of a group.
func (s *site) contractView(r *http.Request, p *accountPage, g group, words vocabulary) contractView {
	v := contractView{Path: p.Path(), Contract: g.contract, Retired: g.retired, CanEdit: canEdit(r),
		Snapshot: p.snapshot()}
	switch {
	case g.retired:
		v.ID, v.Title = "retired", "Retired"
		v.Hint = "Not counted, not reminded of, not offered."
		return v
	case g.contract == nil:
		v.ID, v.Title = "without", "Without a contract"
		v.Hint = "Evaluations, and instances whose licenses are under no contract."
		return v
	}
	k, today := g.contract, s.today()
	v.ID, v.Open, v.Endable = string(k.Reference), k.Ended.IsZero(), k.Active(today)
	if old := p.Contract(k.Renews); old != nil {
		v.Renews = old.Reference
	}
	for _, other := range p.Contracts {
		if other.Renews == k.ID && other.Ended.IsZero() {
			v.RenewedBy = other.Reference
		}
	}
	v.Badge = contractBadge(*k, v.RenewedBy != "", today)
	v.Languages = namesOf(k.Languages, words.language)
	v.EndedBy = colleaguesOf(r).name(k.EndedBy)
	use := p.Use(k.ID, today)
	v.Production = usedView{use.Production, k.Production, "production"}
	v.Staging = usedView{use.Staging, k.Staging, "staging"}
	v.addLinks(p, k, g, today, func(last license.Date) bool {
		return s.warns(license.Production, license.Date{}, last)
	})
	return v
}

// addLinks adds the addresses of the generator: what the contract's instances need. soon reports whether a license with
// a last day expires soon.
func (v *contractView) addLinks(p *accountPage, k *customer.Contract, g group, today license.Date,
	soon func(last license.Date) bool) {
	v.Issue = v.Path + "/issue?" + url.Values{"contract": {string(k.Reference)}}.Encode()
	if missing := p.Outstanding(k.ID, today); len(missing) > 0 {
		all := p.Use(k.ID, today)
		n := all.Production + all.Staging
		for _, i := range missing {
			if !usesContract(i, k.ID, today) {
				n++
			}
		}
		v.Missing = fmt.Sprintf("%d of %d", len(missing), n)
	}
	if next := p.NextKeys(k.ID, today); len(next) > 0 {
		day := lastDay(next[0], k.ID)
		v.NextKey, v.NextKeySoon = day.Long(), today.After(day) || soon(day)
	}
	if !v.Open || v.RenewedBy != "" {
		return
	}
	for _, i := range g.rows { // the first one stands for all: the generator takes the others along
		if l, ok := i.Current(today); ok && l.Contract == k.ID {
			v.Renew, v.Change = "/console/licenses/"+l.ID+"/renew", "/console/licenses/"+l.ID+"/upgrade"
			return
		}
	}
}

// usesContract reports whether an instance counts as one of the contract's.
func usesContract(i customer.Instance, contract string, today license.Date) bool {
	return slices.ContainsFunc(i.Licenses, func(l customer.License) bool {
		return l.Contract == contract && l.Type != license.Evaluation && l.Valid(today)
	})
}

// lastDay returns the last day of an instance's licenses under a contract.
func lastDay(i customer.Instance, contract string) (last license.Date) {
	for _, l := range i.Licenses {
		if l.Contract == contract && l.Revoked.IsZero() && l.Expiration.After(last) {
			last = l.Expiration
		}
	}
	return last
}

// countInstances says how many instances a customer has.
func countInstances(a *customer.Account) string {
	inUse, retired := 0, 0
	for _, i := range a.Instances {
		if i.InUse() {
			inUse++
		} else {
			retired++
		}
	}
	s := quantity(inUse, "instance", "instances") + " in use"
	if retired > 0 {
		s += fmt.Sprintf(", %s retired", web.Number(int64(retired)))
	}
	return s
}

// quantity writes a number with what it counts.
func quantity(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return web.Number(int64(n)) + " " + many
}

type instancesPage struct {
	Name      string
	Path      string
	Counts    string
	Instances instancesView
}

// moreInstances shows a further page of a customer's instances.
func (s *site) moreInstances(w http.ResponseWriter, r *http.Request, page int) error {
	p, err := s.readAccount(r, reading{})
	if err != nil || redirectToAccount(w, r, p) {
		return err
	}
	v := instancesPage{p.Customer.Name, p.Path(), countInstances(p.Account), s.instancesView(r, p, page)}
	return s.render(w, r, http.StatusOK, "customer-instances.html", inCustomers, p.Customer.Name+": instances", v)
}
