package generator

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
)

// Default terms.
const (
	EvaluationDays   = 30 // after the first day
	ProductionMonths = 12
)

// Begin returns a draft whose form has defaults: all that the request, the instance and the contract say. If the source
// names none of them, the form has the server ID that the operator came with, or "".
func (g *Generator) Begin(ctx context.Context, s Source, server string) (*Draft, error) {
	d, err := g.read(ctx, s, "")
	if err != nil {
		return nil, err
	}
	d.Form.ID, d.Form.Token = newID(g.Now()), newToken()
	switch {
	case d.Request != nil:
		d.Form.Customer = d.likelyCustomer()
	case s.Customer != "":
		d.Form.Customer = s.Customer
	case d.Form.Customer == "":
		d.Form.Customer = NewCustomer
	}
	if err := d.readAccount(ctx); err != nil {
		return nil, err
	}
	if d.noCustomer != nil {
		return nil, d.noCustomer
	}
	contract, err := d.contractMeant(s.Contract)
	if err != nil {
		return nil, err
	}
	d.likelyInstance(contract)
	d.choose(d.Form.Instance)
	if contract != "" {
		d.completes(contract)
	}
	d.Form.Type = string(d.defaultType())
	d.setDefaults(contract)
	if d.Form.Server == "" {
		d.Form.Server = server
	}
	return d, nil
}

// contractMeant returns the ID of the contract that a source names by its ID or reference; "" if it names none.
func (d *Draft) contractMeant(named string) (id string, err error) {
	if named == "" {
		return "", nil
	}
	short, _ := reference.Parse(named)
	if d.Account != nil {
		for _, k := range d.Account.Contracts {
			if k.ID == named || k.Reference == short {
				return k.ID, nil
			}
		}
	}
	return "", fault.New(fault.NotFound, "There is no contract %s.", input.Quote(named))
}

// Refresh returns a draft after the operator chose another customer, instance, contract or type: what follows from them
// has defaults again, the rest is as it was typed. With an Invalid fault, the reference that was typed names no
// customer, and the form is as it was.
func (g *Generator) Refresh(ctx context.Context, s Source, typed Form) (*Draft, error) {
	d, err := g.Edit(ctx, s, typed)
	if err != nil {
		return nil, err
	}
	if d.noCustomer != nil {
		var bad fault.Fields
		bad.Refuse("customer", d.noCustomer)
		return d, bad.Err("Nothing was issued.")
	}
	contract, err := d.contractMeant(s.Contract)
	if err != nil {
		contract = "" // of the customer that was chosen before
	}
	customer, instance, before := shown(typed.Shown)
	if d.Form.Customer == customer && d.Form.Instance == instance {
		if d.Form.Contract != before {
			d.setContractDefaults()
		}
		d.Form.Shown = d.Form.shownFor()
		return d, nil
	}
	d.Form = Form{
		ID: typed.ID, Token: typed.Token, Customer: d.Form.Customer, Instance: typed.Instance, Type: typed.Type,
	}
	if d.Account == nil || d.Account.Instance(typed.Instance) == nil {
		d.Form.Instance = ""
		d.likelyInstance(contract)
	}
	d.choose(d.Form.Instance)
	if contract != "" {
		d.completes(contract)
	}
	if d.Request != nil || d.Instance != nil {
		d.Form.Type = string(d.defaultType())
	}
	d.setDefaults(contract)
	if d.Form.Server == "" {
		d.Form.Server = typed.Server
	}
	if d.Request == nil && d.Old == nil {
		d.Form.Edition, d.Form.MaxLoc = cmp.Or(d.Form.Edition, typed.Edition), cmp.Or(d.Form.MaxLoc, typed.MaxLoc)
		if d.Account == nil {
			d.Form.Organization, d.Form.To, d.Form.Name, d.Form.Email = typed.Organization, OtherAddress, typed.Name,
				typed.Email
		}
	}
	return d, nil
}

// shown splits what a page was filled in for: see Form.shownFor.
func shown(s string) (customer, instance, contract string) {
	parts := append(strings.SplitN(s, " ", 3), "", "", "")
	return parts[0], parts[1], parts[2]
}

// likelyCustomer returns the customer that the request was linked to, or else the only one of its candidates that more
// than the mail domain or the name speaks for; NewCustomer if nothing speaks for any, and "" if somebody has to choose.
func (d *Draft) likelyCustomer() string {
	if d.Request.Customer != "" {
		return d.Request.Customer
	}
	var strong []string
	for _, c := range d.Candidates {
		if c.Strong() {
			strong = append(strong, c.Customer.ID)
		}
	}
	switch {
	case len(strong) == 1:
		return strong[0]
	case len(d.Candidates) == 0:
		return NewCustomer
	}
	return ""
}

// likelyInstance chooses the instance that the request or the contract is about.
func (d *Draft) likelyInstance(contract string) {
	if d.Account == nil || d.Form.Instance != "" {
		return
	}
	if r := d.Request; r != nil {
		d.Form.Instance = d.Account.Match(customer.AskedBy(*r)).Instance
		if r.Instance != "" && d.Account.Instance(r.Instance) != nil { // sales or the system linked it
			d.Form.Instance = r.Instance
		}
	}
	if contract == "" {
		return
	}
	for _, list := range [][]customer.Instance{
		d.Account.Outstanding(contract, d.today), d.Account.NextKeys(contract, d.today),
	} {
		if len(list) > 0 && d.Form.Instance == "" {
			d.Form.Instance = productionFirst(list)[0].ID
		}
	}
}

// productionFirst returns instances with production before staging.
func productionFirst(list []customer.Instance) []customer.Instance {
	list = slices.Clone(list)
	rank := func(i customer.Instance) int {
		if i.Environment == request.StagingUse {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b customer.Instance) int { return rank(a) - rank(b) })
	return list
}

// setDefaults fills in the form from the request, the instance and the contract, for the form's type. contract is the
// ID of the one whose instances get the keys that they lack; "" for none.
func (d *Draft) setDefaults(contract string) {
	f := &d.Form
	f.Contract = d.defaultContract(contract)
	f.ProductVersion = d.defaultVersion()
	if d.Account != nil {
		f.Organization = d.Account.Customer.Name
	}
	if r := d.Request; r != nil {
		f.Server = string(r.Server)
		if d.Account == nil {
			f.Organization = r.Company
		}
		if r.Kind == request.Replacement && r.OldServer == request.OldSame && d.Instance != nil {
			f.Server = string(d.Instance.Server())
		}
	}
	if d.Instance != nil && d.Request == nil {
		f.Server = string(d.Instance.Server())
	}
	f.Production = d.defaultProduction()
	d.setContractDefaults()
	d.setRecipient()
	f.Shown = f.shownFor()
}

// setContractDefaults fills in what follows from the form's contract: terms, days, counts and the instances that get
// licenses along with the first one.
func (d *Draft) setContractDefaults() {
	f := &d.Form
	if edition := d.defaultEdition(); edition != "" {
		f.Edition = string(edition)
	}
	if lines := d.defaultMaxLoc(); lines != "" || d.Request != nil {
		f.MaxLoc = lines
	}
	f.NotBefore, f.Expiration = d.defaultStart().String(), d.defaultExpiration().String()
	k := d.contractInEffect()
	switch {
	case k != nil:
		f.Support, f.Languages = formYes(k.Support), d.withoutIncluded(k.Languages)
	case d.Old != nil:
		f.Support, f.Languages = formYes(d.Old.Support), d.withoutIncluded(d.Old.Languages)
	}
	d.setCounts(k)
	f.Follow = nil
	for _, i := range d.Followers() {
		if use := f.contractUse(); use != contractAmends || d.Kind == request.Renewal || d.Kind == request.Upgrade {
			f.Follow = append(f.Follow, i.ID)
		}
	}
	_, extra := d.Catalog.LicensePlugins(f.Edition, f.Languages)
	f.CustomPackage = formYes(len(extra) > 0 && f.ProductVersion != "")
}

// setCounts fills in how many instances a contract covers: as many as the one in effect, and without one, or where
// that allowed no staging, a staging instance for each production instance.
func (d *Draft) setCounts(k *customer.Contract) {
	f := &d.Form
	production, staging := 1, 0
	if k != nil {
		production, staging = k.Production, k.Staging
	}
	terms := customer.Terms{Edition: license.Edition(f.Edition), Support: f.Support == "yes"}
	switch {
	case !terms.StagingAllowed():
		staging = 0
	case k == nil || !k.StagingAllowed():
		staging = production
	}
	f.ProductionCount, f.StagingCount, f.ContractLast = strconv.Itoa(production), strconv.Itoa(staging), ""
}

// setRecipient chooses who receives the key: the requester if that is a contact or there is no other, else the first
// contact for keys.
func (d *Draft) setRecipient() {
	list := d.Recipients()
	d.Form.To, d.Form.Name, d.Form.Email = OtherAddress, "", ""
	if len(list) > 0 {
		d.Form.To = list[0].Email
	}
	if r := d.Request; r != nil && (d.Form.To == OtherAddress || d.isContact(r.Email)) {
		d.Form.To = r.Email
	}
}

// Recipients lists whom the key can go to: the contacts for keys of the instance, the other contacts, and then the
// people of Addresses.
func (d *Draft) Recipients() (list []license.Contact) {
	add := func(c license.Contact) {
		listed := func(have license.Contact) bool { return input.SameMailbox(have.Email, c.Email) }
		if !slices.ContainsFunc(list, listed) {
			list = append(list, c)
		}
	}
	if d.Account != nil {
		for _, c := range slices.Concat(d.contacts(d.Form.Instance), d.Account.Contacts()) {
			add(license.Contact{Name: c.Name, Email: c.Email})
		}
	}
	for _, c := range d.Addresses() {
		add(c)
	}
	return list
}

// contacts lists the contacts who receive keys for an instance, the survivor's first.
func (d *Draft) contacts(instance string) (list []customer.Contact) {
	for _, c := range d.Account.Customers() {
		list = append(list, c.ContactsFor(customer.Keys, instance)...)
	}
	return list
}

// isContact reports whether an address is that of a contact of the customer.
func (d *Draft) isContact(email string) bool {
	return d.Account != nil && d.Account.IsContact(email)
}

// formType is the type in the form; if there is none yet, the default one.
func (d *Draft) formType() license.Type {
	if t := license.Type(d.Form.Type); t.Valid() {
		return t
	}
	return d.defaultType()
}

func (d *Draft) defaultType() license.Type {
	switch {
	case d.Kind == request.Evaluation:
		return license.Evaluation
	case d.Kind == request.Staging:
		return license.Staging
	case d.Request != nil && wantedType(*d.Request) != "":
		return wantedType(*d.Request)
	case d.Instance != nil && d.Instance.Environment == request.StagingUse:
		return license.Staging
	case d.Old != nil && d.Old.Type == license.Evaluation && (d.Kind == request.Replacement || d.Request == nil):
		return license.Evaluation
	}
	return license.Production // customers renew an evaluation by buying
}

// wantedType returns the type of the license that a request is about; "" if the request does not say.
func wantedType(r request.Request) license.Type {
	switch {
	case r.Environment == request.StagingUse:
		return license.Staging
	case r.Kind == request.Staging, r.Kind == request.Upgrade, r.Environment == request.ProductionUse:
		return license.Production
	}
	return ""
}

func (d *Draft) defaultEdition() license.Edition {
	k := d.contractInEffect()
	switch {
	case k != nil && d.Kind != request.Upgrade && d.Kind != request.Renewal:
		return k.Edition
	case d.Old != nil && d.Kind == request.Replacement:
		return d.Old.Edition
	case d.Request != nil:
		return d.Request.Edition
	case k != nil:
		return k.Edition
	case d.Old != nil:
		return d.Old.Edition
	}
	return ""
}

// defaultMaxLoc returns the smallest threshold that covers the server and what the contract and the old license
// allowed; "" if that is unknown or above every threshold.
func (d *Draft) defaultMaxLoc() string {
	lines, k := int64(-1), d.contractInEffect()
	if d.Request != nil {
		lines = max(d.Request.Loc, d.Request.WantedLoc)
	}
	switch keeps := d.Kind == request.Replacement || d.Kind == request.Staging; {
	case k != nil && keeps:
		lines = k.MaxLoc
	case k != nil:
		lines = max(lines, k.MaxLoc)
	case d.Old != nil && keeps:
		lines = d.Old.MaxLoc
	case d.Old != nil:
		lines = max(lines, d.Old.MaxLoc)
	}
	for _, threshold := range d.Catalog.LOCThresholds {
		if lines >= 0 && threshold >= lines {
			return strconv.FormatInt(threshold, 10)
		}
	}
	return ""
}

// defaultStart returns today: a key has to be valid when it arrives, even if the old one has not expired yet.
func (d *Draft) defaultStart() license.Date {
	if d.Old != nil && (d.Kind == request.Replacement || d.Kind == request.Upgrade) {
		return later(d.today, d.Old.NotBefore)
	}
	if k := d.contractInEffect(); k != nil && d.Form.contractUse() == contractAsIs {
		return later(d.today, k.First)
	}
	return d.today
}

func (d *Draft) defaultExpiration() license.Date {
	year := d.today.AddMonths(ProductionMonths).AddDays(-1)
	k := d.contractInEffect()
	if d.formType() == license.Evaluation {
		switch {
		case d.Old == nil:
			return d.today.AddDays(EvaluationDays)
		case d.Kind == request.Replacement:
			return d.Old.Expiration
		}
		return later(d.Old.Expiration, d.today).AddDays(EvaluationDays)
	}
	end := year
	switch {
	case d.Old == nil:
		if k != nil {
			return k.Last
		}
		return year
	case d.Kind == request.Replacement, d.Kind == request.Upgrade && !d.Old.Expiration.Before(d.today):
		return d.Old.Expiration
	case d.Old.Type != license.Evaluation && !d.Old.Expiration.Before(d.today) && d.Kind == request.Renewal:
		end = d.Old.Expiration.AddMonths(ProductionMonths)
	}
	if k != nil && d.Form.contractUse() == contractAsIs && !k.Last.Before(d.today) {
		return earlier(end, k.Last) // the contract goes on: a key as long as it allows, a year at most
	}
	return end
}

// defaultVersion returns the product version that the request names, or else the instance, if there are packages for
// it; without a request and an instance that do, the newest version.
func (d *Draft) defaultVersion() string {
	named := ""
	switch {
	case d.Request != nil && d.Request.ProductVersion != "":
		named = d.Request.ProductVersion
	case d.Instance != nil && d.Instance.ProductVersion != "":
		named = d.Instance.ProductVersion
	case d.Request == nil:
		return d.Catalog.Newest().Version
	}
	if _, ok := d.Catalog.Version(named); ok {
		return named
	}
	return ""
}

// defaultProduction returns the production instance that a staging instance mirrors; "" if that is not known.
func (d *Draft) defaultProduction() string {
	switch {
	case d.Account == nil:
		return ""
	case d.Instance != nil && d.Instance.Production != "":
		return d.Instance.Production
	case d.Account.Instance(d.stagingOf) != nil:
		return d.stagingOf
	case d.Match.From != "":
		return d.Match.From
	}
	if list := d.Productions(); len(list) == 1 {
		return list[0].ID
	}
	return ""
}

// Productions lists the production instances that a staging instance can mirror.
func (d *Draft) Productions() (list []customer.Instance) {
	if d.Account == nil {
		return nil
	}
	for _, i := range d.Account.Instances {
		if i.InUse() && i.Environment == request.ProductionUse {
			list = append(list, i)
		}
	}
	return list
}

// withoutIncluded returns the languages that the form's edition does not include.
func (d *Draft) withoutIncluded(languages []string) []string {
	e, _ := d.Catalog.Edition(d.Form.Edition)
	included := func(key string) bool { return slices.Contains(e.Languages, key) }
	return slices.DeleteFunc(slices.Clone(languages), included)
}

// Addresses lists whom the operator can make contacts: the requester and the further people that the request names,
// without those who are contacts already.
func (d *Draft) Addresses() (list []license.Contact) {
	add := func(c license.Contact) {
		listed := func(have license.Contact) bool { return input.SameMailbox(have.Email, c.Email) }
		if c.Email != "" && !d.isContact(c.Email) && !slices.ContainsFunc(list, listed) {
			list = append(list, c)
		}
	}
	if r := d.Request; r != nil {
		add(license.Contact{Name: r.Name, Email: r.Email})
		for _, email := range r.Contacts {
			add(license.Contact{Email: email})
		}
	}
	return list
}

// DomainToAdd returns the mail domain of the form's recipient if the operator can add it to the customer; "" if the
// customer has it, or if it is none of a single customer.
func (d *Draft) DomainToAdd() string {
	domain := customer.DomainOf(d.Form.To)
	if d.Form.To == OtherAddress || d.Form.To == "" {
		domain = customer.DomainOf(d.Form.Email)
	}
	if customer.CheckDomain(domain) != nil || d.Account != nil && slices.Contains(d.Account.Customer.Domains, domain) {
		return ""
	}
	return domain
}

func later(a, b license.Date) license.Date {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b license.Date) license.Date {
	if a.Before(b) {
		return a
	}
	return b
}

// formYes returns the form's value for a ticked box or an empty one.
func formYes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
