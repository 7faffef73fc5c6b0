package generator

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
)

// fill works out what the form comes to: the licenses, and what changes with them. What is wrong with the form is an
// Invalid fault with its fields.
func (d *Draft) fill(ctx context.Context) error {
	if d.noCustomer != nil {
		var bad fault.Fields
		bad.Refuse("customer", d.noCustomer)
		return bad.Err("Nothing was issued.")
	}
	first, bad := d.parse()
	d.planCustomer(first, &bad)
	if first.Type == license.Evaluation {
		d.Form.Contract, d.Form.Follow = string(noContract), nil
	}
	if len(bad) == 0 {
		first.NotBefore = d.startOfSmaller(first, d.Old)
		d.planContract(&first, &bad)
	}
	if len(bad) == 0 {
		d.planInstance(&first, &bad)
		d.planLicenses(first, &bad)
		d.planMuted(&bad)
	}
	if err := bad.Err("Nothing was issued."); err != nil {
		return err
	}
	if err := d.drawReferences(ctx); err != nil {
		return err
	}
	return d.readElsewhere(ctx)
}

// drawReferences gives a new customer and a new contract their references. They follow from the form's ID, so that the
// email that the operator reviews has them.
func (d *Draft) drawReferences(ctx context.Context) (err error) {
	if d.Changes.New {
		c := d.Changes.Customer
		if c.Reference, err = d.freeReference(ctx, reference.Customer); err != nil {
			return err
		}
	}
	if d.Contract == nil || d.Contract.Reference != "" {
		return nil
	}
	k := &d.Changes.Contracts[0]
	k.Reference, err = d.freeReference(ctx, reference.Contract)
	d.Contract.Reference = k.Reference
	return err
}

// freeReference returns the first reference of a row that is not another customer's.
func (d *Draft) freeReference(ctx context.Context, kind reference.Kind) (reference.Reference, error) {
	for n := range 100 {
		seed := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", d.Form.ID, kind, n))
		r, err := reference.New(kind, bytes.NewReader(seed[:]))
		if err != nil {
			return "", err
		}
		switch id, err := d.generator.Records.CustomerByReference(ctx, r); {
		case fault.KindOf(err) == fault.NotFound, err == nil && id == nthID(d.Form.ID, nthCustomer):
			return r, nil
		case err != nil:
			return "", err
		}
	}
	return "", errors.New("generator: no reference is free")
}

// IDs of what an issue makes follow from that of its first license, so that the same issue has the same IDs however
// often it is sent: the n-th license has the n-th ID.
const (
	nthCustomer = 1_000_000 + iota
	nthContract
	nthInstance
)

// planCustomer works out the customer: a new one, or one on record with further contacts.
func (d *Draft) planCustomer(first license.License, bad *fault.Fields) {
	var c customer.Customer
	switch {
	case d.Form.Customer == "":
		bad.Add("customer", "Select the customer, or a new one.")
		return
	case d.Account != nil:
		c = d.Account.Customer
		c.Contacts, c.Domains = slices.Clone(c.Contacts), slices.Clone(c.Domains)
	case !validID(d.Form.ID):
		return // reported elsewhere
	default:
		d.Changes.New = true
		c = customer.Customer{ID: nthID(d.Form.ID, nthCustomer), Name: first.Organization}
		d.addContact(d.To)
	}
	for _, email := range d.Form.AddContacts {
		if email == AddRecipient || input.SameMailbox(email, d.To.Email) {
			d.addContact(d.To)
			continue
		}
		known := d.Addresses()
		i := slices.IndexFunc(known, func(have license.Contact) bool { return input.SameMailbox(have.Email, email) })
		if i < 0 {
			bad.Add("addContacts", "Select only people who are listed.")
			return
		}
		d.addContact(known[i])
	}
	c.Contacts = append(c.Contacts, d.Changes.Contacts...)
	if len(c.Contacts) > customer.MaxContacts {
		bad.Add("addContacts", "A customer has at most %d contacts.", customer.MaxContacts)
	}
	if domain := customer.DomainOf(d.To.Email); parseYes(bad, "addDomain", d.Form.AddDomain) &&
		!slices.Contains(c.Domains, domain) {
		bad.Refuse("addDomain", customer.CheckDomain(domain, d.generator.PublicMailDomains...))
		d.Changes.Domain = domain
		c.Domains = append(c.Domains, domain)
	}
	if d.Changes.New || len(d.Changes.Contacts) > 0 || d.Changes.Domain != "" {
		d.Changes.Customer = &c
	}
}

func (d *Draft) addContact(c license.Contact) {
	listed := func(have customer.Contact) bool { return input.SameMailbox(have.Email, c.Email) }
	if c.Email != "" && !d.isContact(c.Email) && !slices.ContainsFunc(d.Changes.Contacts, listed) {
		d.Changes.Contacts = append(d.Changes.Contacts, customer.Contact{Name: c.Name, Email: c.Email})
	}
}

// customerID is the ID of the customer that the licenses are for.
func (d *Draft) customerID() string {
	if d.Account != nil {
		return d.Account.Customer.ID
	}
	return nthID(d.Form.ID, nthCustomer)
}

// startOfSmaller returns the first day of a license: the one that was chosen, or if it renews a license on smaller
// terms, the day after that one ends at the earliest. Who installs it earlier would lose what is paid.
func (d *Draft) startOfSmaller(l license.License, old *customer.License) license.Date {
	if d.Kind != request.Renewal || old == nil || old.Type == license.Evaluation || !old.Valid(d.today) ||
		!smaller(l, *old) || l.NotBefore.After(old.Expiration) {
		return l.NotBefore
	}
	d.StartMoved = true
	return old.Expiration.AddDays(1)
}

// smaller reports whether a license lacks something that another allows.
func smaller(l license.License, old customer.License) bool {
	return editionRank(l.Edition) < editionRank(old.Edition) || l.MaxLoc < old.MaxLoc || old.Support && !l.Support ||
		slices.ContainsFunc(old.Languages, func(key string) bool {
			return !slices.Contains(l.Languages, key) && editionRank(l.Edition) <= editionRank(old.Edition)
		})
}

// planContract works out the contract that the licenses are under.
func (d *Draft) planContract(first *license.License, bad *fault.Fields) {
	use, id := parseContract(d.Form.Contract)
	if first.Type == license.Evaluation {
		return
	}
	terms := customer.Terms{
		Edition: first.Edition, MaxLoc: first.MaxLoc, Languages: first.Languages, Support: first.Support,
	}
	k := customer.Contract{
		ID: nthID(d.Form.ID, nthContract), Customer: d.customerID(), Terms: terms, First: first.NotBefore,
		Last: first.Expiration,
	}
	if d.Account != nil && d.Account.Contract(k.ID) != nil { // made by this very issue, which ended then
		k.Reference = d.Account.Contract(k.ID).Reference
	}
	if use != contractNew {
		known := d.contractInEffect()
		if known == nil {
			bad.Add("contract", "Select the contract, or a new one.")
			return
		}
		switch use {
		case contractAsIs, contractAmends:
			k = *known
		case contractRenews:
			k.Renews = id
		default:
			bad.Add("contract", "Select the contract, or a new one.")
			return
		}
	}
	if d.Contract, first.Contract = &k, k.ID; use == contractAsIs {
		return
	}
	k.Terms = terms
	k.Production = parseCount(bad, "productionCount", d.Form.ProductionCount)
	k.Staging = parseCount(bad, "stagingCount", d.Form.StagingCount)
	if k.Staging > 0 && !k.StagingAllowed() {
		bad.Add("stagingCount", "Staging needs the Enterprise Edition, the Data Center Edition or support. Enter 0.")
	}
	if use == contractAmends {
		k.Last = later(k.Last, first.Expiration)
	}
	if strings.TrimSpace(d.Form.ContractLast) != "" {
		k.Last = parseDay(bad, "contractLast", "", d.Form.ContractLast)
		if len(*bad) == 0 && k.Last.Before(first.Expiration) {
			bad.Add("contractLast", "The contract ends before the license. Enter a later day.")
		}
	}
	d.Changes.Contracts = append(d.Changes.Contracts, k)
	if renewal := d.renewal(id); use == contractAmends && renewal != nil {
		next := *renewal
		next.Terms = largerOf(next.Terms, terms)
		d.Changes.Contracts = append(d.Changes.Contracts, next)
	}
}

func (d *Draft) renewal(id string) *customer.Contract {
	if d.Account == nil {
		return nil
	}
	return d.renewalOf(id)
}

// largerOf returns terms that allow what each of two allows.
func largerOf(a, b customer.Terms) customer.Terms {
	if editionRank(b.Edition) > editionRank(a.Edition) {
		a.Edition = b.Edition
	}
	a.MaxLoc, a.Support = max(a.MaxLoc, b.MaxLoc), a.Support || b.Support
	languages := slices.Clone(a.Languages)
	for _, key := range b.Languages {
		if !slices.Contains(languages, key) {
			languages = append(languages, key)
		}
	}
	a.Languages = languages
	return a
}

// planInstance works out the instance of the first license: a new one, or one on record with what was told.
func (d *Draft) planInstance(first *license.License, bad *fault.Fields) {
	environment := request.ProductionUse
	if first.Type == license.Staging {
		environment = request.StagingUse
	}
	i := customer.Instance{
		ID: nthID(d.Form.ID, nthInstance), Customer: d.customerID(), Environment: environment,
	}
	if d.Instance != nil {
		i = *d.Instance
		i.Licenses, i.Servers = nil, slices.Clone(i.Servers)
		if i.Environment != environment && first.Type != license.Evaluation {
			bad.Add("type", "The selected instance is a %s server. Select another instance or type.", i.Environment)
		}
	} else if d.Form.Instance != "" {
		bad.Add("instance", "Select the instance, or a new one.")
	}
	if i.Server() != first.Server {
		i.Servers = append(i.Servers, customer.ServerID{Server: first.Server})
	}
	if environment == request.StagingUse {
		i.Production = d.Form.Production
		if i.Production != "" && (d.Account == nil || d.Account.Instance(i.Production) == nil) {
			bad.Add("production", "Select a production server of this customer.")
		}
	}
	if r := d.Request; r != nil && r.Server == first.Server && r.Created.After(i.Told) {
		// A renewal may say neither.
		i.ProductVersion, i.Loc = cmp.Or(r.ProductVersion, i.ProductVersion), cmp.Or(r.Loc, i.Loc)
		i.Told = r.Created
	}
	i.Retired, i.RetiredBy = time.Time{}, ""
	first.Instance, first.Customer = i.ID, i.Customer
	d.production = i.Production
	if d.Instance != nil {
		known := *d.Instance
		if known.Licenses = nil; reflect.DeepEqual(i, known) {
			return
		}
	}
	d.Changes.Instances = append(d.Changes.Instances, i)
}

// planLicenses works out the licenses: the first, those for the later terms of its instance where it takes the place
// of one, and those of the instances that follow it.
func (d *Draft) planLicenses(first license.License, bad *fault.Fields) {
	if d.Request != nil {
		first.Request = d.Request.ID
	}
	previous := d.Old
	if previous == nil && d.Instance != nil {
		if l, ok := d.Instance.Current(d.today); ok {
			previous = &l
		}
	}
	d.add(first, previous)
	if d.Old != nil && (d.Kind == request.Replacement || d.replacesKeys() && first.Type == d.Old.Type) {
		d.Changes.Replaced = append(d.Changes.Replaced, *d.Old)
		if d.Kind == request.Upgrade || first.Server != d.Old.Server {
			d.reissue(*d.Instance, first, d.Old.ID)
		}
	}
	offered := d.Followers()
	for _, id := range d.Form.Follow {
		i := slices.IndexFunc(offered, func(i customer.Instance) bool { return i.ID == id })
		if i < 0 {
			bad.Add("follow", "A selected instance can no longer be included. Check the list again.")
			return
		}
		d.follow(offered[i], first)
	}
	d.planRetired(offered)
}

// replacesKeys reports whether licenses take the place of those of their instances, because they get other terms before
// their time is over.
func (d *Draft) replacesKeys() bool {
	return d.Kind == request.Upgrade || d.Kind != request.Renewal && d.Form.contractUse() == contractAmends
}

// add adds a license with the previous one of its instance.
func (d *Draft) add(l license.License, previous *customer.License) {
	if n := len(d.Licenses); n > 0 {
		l.ID = nthID(d.Form.ID, n)
	}
	d.Licenses, d.Previous = append(d.Licenses, l), append(d.Previous, previous)
}

// follow adds what an instance gets along with the first license: the same terms for its own server.
func (d *Draft) follow(i customer.Instance, first license.License) {
	l := first
	l.Instance, l.Customer, l.Server, l.Type = i.ID, i.Customer, i.Server(), license.Production
	if i.Environment == request.StagingUse {
		l.Type = license.Staging
	}
	_, id := parseContract(d.Form.Contract)
	if old, ok := d.inForce(i, id); ok && d.replacesKeys() {
		d.Changes.Replaced = append(d.Changes.Replaced, old)
		l.NotBefore, l.Expiration = later(d.today, old.NotBefore), old.Expiration
		d.add(l, &old)
		d.reissue(i, l, old.ID)
		return
	}
	var previous *customer.License
	if old, ok := underContract(i, id); ok {
		previous = &old
	} else if old, ok := i.Current(d.today); ok {
		previous = &old
	}
	l.NotBefore = d.startOfSmaller(l, previous)
	d.add(l, previous)
}

// reissue adds licenses in the place of the other valid ones of an instance whose server ID or terms change: those
// that were renewed ahead. Each keeps its days; a replacement keeps its terms too. One whose time the new license
// covers has no other in its place.
func (d *Draft) reissue(i customer.Instance, now license.License, done string) {
	for _, old := range i.Licenses {
		if old.ID == done || old.Type != now.Type || !old.Valid(d.today) ||
			d.Kind != request.Replacement && !d.continues(old.Contract, now.Contract) {
			continue
		}
		d.Changes.Replaced = append(d.Changes.Replaced, old)
		from := later(d.today, old.NotBefore)
		if !from.Before(now.NotBefore) && !old.Expiration.After(now.Expiration) && !smaller(now, old) {
			continue // the new license covers all of its time
		}
		l, terms := now, customer.Terms{
			Edition: old.Edition, MaxLoc: old.MaxLoc, Languages: old.Languages, Support: old.Support,
		}
		if d.Kind != request.Replacement {
			terms = largerOf(terms, customer.Terms{
				Edition: now.Edition, MaxLoc: now.MaxLoc, Languages: now.Languages, Support: now.Support,
			})
		}
		edition, _ := d.Catalog.Edition(string(terms.Edition))
		l.Edition, l.MaxLoc, l.Support, l.Languages = terms.Edition, terms.MaxLoc, terms.Support, terms.Languages
		l.Features = edition.Features
		l.Plugins, _ = d.Catalog.LicensePlugins(string(terms.Edition), terms.Languages)
		l.NotBefore, l.Expiration, l.Contract = from, old.Expiration, old.Contract
		d.add(l, &old)
	}
}

// planRetired works out which staging a smaller contract no longer covers: what is not selected, as far as the contract
// has no room for it.
func (d *Draft) planRetired(offered []customer.Instance) {
	use := d.Form.contractUse()
	if d.Contract == nil || use != contractRenews && use != contractAmends {
		return
	}
	staging := map[string]bool{}
	for _, l := range d.Licenses {
		if l.Type == license.Staging && l.Contract == d.Contract.ID {
			staging[l.Instance] = true
		}
	}
	room := d.Changes.Contracts[0].Staging - len(staging)
	for _, i := range offered {
		if i.Environment != request.StagingUse || slices.Contains(d.Form.Follow, i.ID) {
			continue
		}
		if room > 0 {
			room--
			continue
		}
		d.Changes.Retired = append(d.Changes.Retired, i)
	}
}

// planMuted works out the evaluations whose reminders end.
func (d *Draft) planMuted(bad *fault.Fields) {
	open := d.OpenEvaluations()
	for _, id := range d.Form.Mute {
		i := slices.IndexFunc(open, func(l customer.License) bool { return l.ID == id })
		if i < 0 {
			bad.Add("mute", "Select only evaluations that are listed.")
			return
		}
		d.Changes.Muted = append(d.Changes.Muted, open[i])
	}
}

// OpenEvaluations lists the customer's evaluations on other instances than that of the draft.
func (d *Draft) OpenEvaluations() []customer.License {
	if d.Account == nil {
		return nil
	}
	return slices.DeleteFunc(d.Account.OpenEvaluations(d.today), func(l customer.License) bool {
		return d.Instance != nil && slices.ContainsFunc(d.Instance.Licenses, func(own customer.License) bool {
			return own.ID == l.ID
		})
	})
}

// readElsewhere reads which instances of other customers have the data of the servers, and notes the versions of the
// datasets that the draft was decided by.
func (d *Draft) readElsewhere(ctx context.Context) error {
	d.datasets = map[license.Server]int64{}
	var ids []string
	named := map[string]bool{}
	for _, l := range d.Licenses {
		if _, known := d.datasets[l.Server]; known {
			continue
		}
		data, err := d.generator.Records.Dataset(ctx, l.Server)
		if err != nil {
			return err
		}
		d.datasets[l.Server] = data.Version
		for _, i := range data.Instances {
			if d.Account == nil || d.Account.Instance(i.Instance) == nil {
				ids = append(ids, i.Customer)
				named[i.Instance] = true
			}
		}
	}
	if d.Licenses[0].Type == license.Evaluation {
		for _, c := range d.Candidates {
			ids = append(ids, c.Customer.ID)
		}
	}
	list, err := d.generator.Records.Accounts(ctx, ids...)
	for _, a := range list {
		if d.Account != nil && a.Customer.ID == d.Account.Customer.ID {
			continue
		}
		d.known = append(d.known, a)
		for _, i := range a.Instances {
			if named[i.ID] {
				d.others = append(d.others, elsewhere{a.Customer, i})
			}
		}
	}
	return err
}

// nthID returns the ID of the n-th license of an issue, counted from 0. It follows from the first ID.
func nthID(id string, n int) string {
	u, err := ulid.ParseStrict(id)
	if err != nil {
		panic("generator: " + id + " is not an ID")
	}
	const random = 6 // the bytes before are the time, which stays
	for carry, i := n, len(u)-1; carry > 0 && i >= random; i-- {
		carry += int(u[i])
		u[i] = byte(carry)
		carry >>= 8
	}
	return strings.ToLower(u.String())
}
