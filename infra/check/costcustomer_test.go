package check

import (
	"fmt"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/store/storetest"
)

// purchase is what a customer buys: a contract for one production instance and one staging instance.
type purchase struct {
	env       *costEnv
	customer  customer.Customer
	contract  customer.Contract
	instances []customer.Instance
	issued    []license.License
}

// newID makes an ID that is the same in every run: it decides in which shards something is counted and queued.
func (e *costEnv) newID() string {
	e.ids++
	return fmt.Sprintf("01cf4x7w80%016d", e.ids)
}

// buy returns what the customer of a request buys from a day on, for a year.
func (e *costEnv) buy(d request.Details, from license.Date) *purchase {
	now := time.Now().UTC()
	p := &purchase{env: e}
	p.customer = customer.Customer{
		ID: e.newID(), Name: d.Company, Domains: []string{customer.DomainOf(d.Email)}, Created: now,
		Contacts: []customer.Contact{
			{Name: d.Name, Email: d.Email, Since: now, AddedBy: operator, VouchedBy: operator},
			{Name: "Jonas Brandt", Email: d.Contacts[0], Since: now, AddedBy: operator, VouchedBy: operator},
		},
	}
	for i, environment := range []request.Environment{request.ProductionUse, request.StagingUse} {
		p.instances = append(p.instances, customer.Instance{
			ID: e.newID(), Customer: p.customer.ID, Environment: environment, ProductVersion: d.ProductVersion,
			Servers: []customer.ServerID{{Server: license.Server(fmt.Sprintf("BF41A1F%d-%s", i, d.Server)), Told: now}},
			Loc:     d.Loc, Told: now, Created: now,
		})
	}
	p.instances[1].Production = p.instances[0].ID
	p.contract = p.year(from, 2_000_000)
	return p
}

// year is a new contract for a year.
func (p *purchase) year(from license.Date, maxLoc int64) customer.Contract {
	return customer.Contract{
		ID: p.env.newID(), Customer: p.customer.ID, Production: 1, Staging: 1, First: from,
		Terms: customer.Terms{Edition: license.Enterprise, MaxLoc: maxLoc, Support: true},
		Last:  from.AddMonths(12), Created: time.Now().UTC(),
	}
}

func (p *purchase) production() customer.Instance { return p.instances[0] }
func (p *purchase) staging() customer.Instance    { return p.instances[1] }

// to is the first contact.
func (p *purchase) to() license.Contact {
	c := p.customer.Contacts[0]
	return license.Contact{Name: c.Name, Email: c.Email}
}

// license makes a license of an instance for the time of a contract, with its key.
func (p *purchase) license(i customer.Instance, k customer.Contract) license.License {
	p.env.t.Helper()
	l := license.License{
		ID: p.env.newID(), Type: license.Production, Organization: p.customer.Name, Server: i.Server(),
		Edition: k.Edition, MaxLoc: k.MaxLoc, Support: k.Support, NotBefore: k.First, Expiration: k.Last,
		Customer: p.customer.ID, Instance: i.ID, Contract: k.ID, Issued: license.DateOf(time.Now()),
		Plugins: []string{"license", "governance", "abap", "cobol", "cpp", "objc", "pli", "plsql", "rpg", "swift", "tsql",
			"vb", "vbnet"},
	}
	if i.Environment == request.StagingUse {
		l.Type = license.Staging
	}
	text, err := p.env.issuer.Issue(license.Key{
		ID: l.ID, Type: l.Type, Organization: l.Organization, Server: l.Server, Edition: l.Edition, Plugins: l.Plugins,
		MaxLoc: l.MaxLoc, Support: l.Support, NotBefore: l.NotBefore, Expiration: l.Expiration, Issued: l.Issued,
	})
	p.env.must(err)
	l.KeyText = text
	p.issued = append(p.issued, l)
	return l
}

// both makes a license for each of the two instances.
func (p *purchase) both(k customer.Contract) []license.License {
	return []license.License{p.license(p.production(), k), p.license(p.staging(), k)}
}

// answering makes an issue the answer to a request, decided by what is on record now.
func (p *purchase) answering(r request.Request, i store.Issue) store.Issue {
	p.env.t.Helper()
	i.By, i.To, i.Request, i.RequestVersion = operator, p.to(), r.ID, r.Version
	i.Accounts, i.Datasets = map[string]int64{}, map[license.Server]int64{}
	if a, err := p.env.Account(p.env.t.Context(), p.customer.ID); err == nil {
		i.Accounts[a.Customer.ID] = a.Version
	}
	for _, l := range i.Licenses {
		d, err := p.env.Dataset(p.env.t.Context(), l.Server)
		p.env.must(err)
		i.Datasets[l.Server] = d.Version
	}
	return i
}

// change is a change of the customer as it is on record now.
func (p *purchase) change() store.AccountChange {
	p.env.t.Helper()
	a, err := p.env.Account(p.env.t.Context(), p.customer.ID)
	p.env.must(err)
	return store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: operator}
}

// inReview files a request that is in review.
func (e *costEnv) inReview(i int, kind request.Kind) request.Request {
	e.t.Helper()
	d := details(i)
	d.Kind = kind
	r, _, err := storetest.FileRequest(e.t.Context(), e, d, "")
	e.must(err)
	r, err = e.Review(e.t.Context(), store.Review{ID: r.ID, Version: r.Version, By: operator, To: request.InReview})
	e.must(err)
	return r
}

// bought puts on record that the customer of a request bought, with keys for both instances.
func (e *costEnv) bought(i int) *purchase {
	e.t.Helper()
	p := e.buy(details(i), license.DateOf(time.Now()).AddMonths(-6))
	e.must(e.IssueLicenses(e.t.Context(), store.Issue{
		Customer: &p.customer, Contracts: []customer.Contract{p.contract}, Instances: p.instances,
		Licenses: p.both(p.contract), By: operator, Imported: true,
	}))
	return p
}

// measureContract measures what is issued under a contract of one production and one staging instance, each time in
// answer to a request and with the email.
func (e *costEnv) measureContract() {
	ctx := e.t.Context()
	p := e.bought(1)
	issue := func(operation string, kind request.Kind, i store.Issue) {
		e.t.Helper()
		i = p.answering(e.inReview(1, kind), i)
		e.measure(operation, func() error { return e.IssueLicenses(ctx, i) })
	}
	added := p.staging()
	added.ID, added.Servers = e.newID(), []customer.ServerID{{Server: "BF41A1F9-AWHW8w9JtzBzSrm00009",
		Told: time.Now().UTC()}}
	issue("issue a license for another instance of a contract", request.Staging, store.Issue{
		Instances: []customer.Instance{added}, Licenses: []license.License{p.license(added, p.contract)},
	})
	renewed := p.year(p.contract.Last.AddDays(1), p.contract.MaxLoc)
	renewed.Renews = p.contract.ID
	issue("renew a contract with its two instances", request.Renewal, store.Issue{
		Contracts: []customer.Contract{renewed}, Instances: p.instances, Licenses: p.both(renewed),
	})
	upgraded, ahead := p.contract, renewed
	upgraded.MaxLoc, ahead.MaxLoc = 5_000_000, 5_000_000
	issue("upgrade the contract and the one that renews it", request.Upgrade, store.Issue{
		Contracts: []customer.Contract{upgraded, ahead}, Instances: p.instances,
		Replaces: p.replaced(0, 1, 3, 4), Licenses: append(p.both(upgraded), p.both(ahead)...),
	})
	moved := p.production()
	moved.Servers = append(moved.Servers, customer.ServerID{Server: "C0A80117-AWHW8w9JtzBzSrm00077",
		Told: time.Now().UTC()})
	issue("replace a server ID and both keys for it", request.Replacement, store.Issue{
		Instances: []customer.Instance{moved}, Replaces: p.replaced(5, 7),
		Licenses: []license.License{p.license(moved, upgraded), p.license(moved, ahead)},
	})
	r := e.inReview(1, request.Replacement)
	e.measure("resend a key and close the request", func() error {
		v := store.Review{ID: r.ID, Version: r.Version, By: operator}
		return e.ResendKey(ctx, v, p.issued[len(p.issued)-1].ID, p.to())
	})
	e.measure("send a key again", func() error {
		return e.SendKeyAgain(ctx, p.issued[len(p.issued)-1].ID, operator, p.to(), "again")
	})
}

// replaced lists the IDs of issued licenses.
func (p *purchase) replaced(indexes ...int) (ids []string) {
	for _, i := range indexes {
		ids = append(ids, p.issued[i].ID)
	}
	return ids
}

// measureCustomer measures what is changed and read about a customer with a contract, an instance of each environment
// and a license for each.
func (e *costEnv) measureCustomer() {
	ctx := e.t.Context()
	p, other := e.bought(1), e.bought(2)
	change := func(operation string, do func(store.AccountChange) error) {
		e.t.Helper()
		seen := p.change()
		e.measure(operation, func() error { return do(seen) })
	}
	save := func(operation string, edit func(*customer.Customer)) {
		e.t.Helper()
		change(operation, func(c store.AccountChange) error {
			return e.SaveCustomer(ctx, c, c.Customer, func(kept *customer.Customer) error { edit(kept); return nil })
		})
	}
	save("add a contact", func(c *customer.Customer) {
		c.Contacts = append(c.Contacts, customer.Contact{Name: "Lena Vogt", Email: "lena.vogt@customer1.example",
			Since: time.Now().UTC(), AddedBy: operator, VouchedBy: operator})
	})
	save("put a contact first", func(c *customer.Customer) {
		c.Contacts[0], c.Contacts[2] = c.Contacts[2], c.Contacts[0]
	})
	save("remove a contact", func(c *customer.Customer) { c.Contacts = c.Contacts[1:] })
	save("change a customer's name", func(c *customer.Customer) {
		c.AddFormerName(c.Name)
		c.Name = "Southwind Shipping"
	})
	e.measure("add a note to a customer", func() error {
		return e.CustomerNote(ctx, p.customer.ID, operator, "They will pay in June.")
	})
	change("end a contract early", func(c store.AccountChange) error {
		return e.EndContract(ctx, c, p.contract.ID, "unpaid")
	})
	change("reopen a contract", func(c store.AccountChange) error { return e.ReopenContract(ctx, c, p.contract.ID) })
	change("retire an instance", func(c store.AccountChange) error {
		return e.RetireInstance(ctx, c, p.staging().ID, true)
	})
	change("bring it back into use", func(c store.AccountChange) error {
		return e.RetireInstance(ctx, c, p.staging().ID, false)
	})
	e.measure("tell sales that the next key is due, with an email", func() error {
		return last(e.RecordNextKey(ctx, p.issued[0], reminder.MonthsBefore(2)))
	})
	move := func(operation string, from, to *purchase, undo bool) {
		e.t.Helper()
		m := store.Move{Instances: []string{p.production().ID, p.staging().ID}, From: from.change(),
			To: to.customer.ID, Version: to.change().Version, Contract: to.contract.ID, Undo: undo}
		e.measure(operation, func() error { return e.MoveInstances(ctx, m) })
	}
	move("move two instances to another customer", p, other, false)
	move("move them back", other, p, true)
	m := store.Merge{From: other.customer.ID, Into: p.customer.ID, FromVersion: other.change().Version,
		IntoVersion: p.change().Version, By: operator}
	e.measure("merge two customers", func() error { return e.MergeCustomers(ctx, m) })
	e.measureReads(p, other)
	change("undo the merge", func(c store.AccountChange) error {
		return e.UnmergeCustomer(ctx, c, other.customer.ID)
	})
}

// measureReads measures what is read about a customer that another one was merged into.
func (e *costEnv) measureReads(p, other *purchase) {
	ctx := e.t.Context()
	e.measure("read a customer, and one that was merged into it", func() error {
		return last(e.Account(ctx, p.customer.ID))
	})
	e.measure("a page of its timeline", func() error {
		_, _, err := e.CustomerTimeline(ctx, []string{p.customer.ID, other.customer.ID}, "", 50)
		return err
	})
	found := search.New(e.Store.Store)
	e.measure("find the customers of a request", func() error { return last(found.Candidates(ctx, details(1))) })
	e.measure("find customers by two words", func() error { return last(found.ByName(ctx, "northw trad", 20)) })
	e.measure("find by email address", func() error {
		return last(found.ByEmail(ctx, "jonas.brandt@customer1.example", 20))
	})
	e.measure("find by the beginning of a server ID", func() error { return last(found.ByServer(ctx, "BF41A1", 20)) })
	e.measure("a page of the list of customers", func() error { return last(e.Customers(ctx, "", "", 50)) })
	e.measure("a page of the licenses of a month", func() error {
		return last(e.LicensesOfMonth(ctx, p.contract.Last, 50, ""))
	})
	e.measure("the counts of a year", func() error {
		_, _, err := e.Expiring(ctx, license.DateOf(time.Now()), 12)
		return err
	})
}
