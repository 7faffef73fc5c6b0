package store_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// issue puts licenses on record: for a new customer or one that is known, in new instances or known ones, under a new
// contract, a changed one, a known one, or none; with or without a request; replacing and muting others or not.
func (h *history) issue(rt *rapid.T) {
	if len(h.licenses) >= mostLicenses {
		panic(nothing("there are enough licenses"))
	}
	d := &issueDraw{history: h, rt: rt, who: h.person(rt), may: true}
	d.i = store.Issue{By: d.who, Accounts: map[string]int64{}, Datasets: map[license.Server]int64{}}
	d.drawCustomer()
	d.drawContract()
	d.drawInstances()
	if !d.drawLicenses() {
		panic(nothing("nothing to issue"))
	}
	d.drawReplaced()
	d.drawRequest()
	if rapid.Bool().Draw(rt, "mailed") {
		d.i.To = ada
	}
	d.i.Imported = rapid.IntRange(0, 4).Draw(rt, "imported") == 0
	for _, l := range d.i.Licenses {
		dataset := l.Server.Dataset()
		version := h.seen[d.who].datasets[dataset]
		d.i.Datasets[l.Server] = version
		d.may = d.may && version == h.record.datasets[dataset]
	}
	touch := touched{seen: len(d.i.Accounts) > 0}
	if touch.seen {
		touch.customer = d.of
	}
	if len(d.i.Replaces) > 0 {
		touch.license = d.i.Replaces[0]
	}
	change := func() error { return h.IssueLicenses(rt.Context(), d.i) }
	h.act(rt, d.may, touch, change, func() {
		d.apply()
		if again := h.attempt(rt, change); !errors.Is(again.err, store.ErrIssued) || again.made {
			rt.Fatalf("same issue again: got %v, want ErrIssued", again.err)
		}
	})
}

// issueDraw is an issue while it is drawn.
type issueDraw struct {
	*history
	rt  *rapid.T
	who string
	i   store.Issue
	of  string // the customer: the survivor
	new bool   // it is not on record
	may bool
	// contracts that licenses may be under, and instances that they may be for.
	contracts []string
	places    []customer.Instance
}

var (
	names   = []string{"Acme AG", "ACME", "Fjord Systems", "Fjord Holding AS"}
	domains = []string{"acme.example", "fjord.example"}
	persons = []string{"Ada Abel", "Ben Brandt", "Cleo Abel", "Dario Duval"}
)

func drawContacts(rt *rapid.T) (list []customer.Contact) {
	for _, p := range rapid.SliceOfNDistinct(rapid.SampledFrom(persons), 0, 3, rapid.ID[string]).Draw(rt, "contacts") {
		list = append(list, customer.Contact{Name: p, Email: strings.ReplaceAll(p, " ", ".") + "@" +
			rapid.SampledFrom(domains).Draw(rt, "domain"), Since: day("2018-01-01").Start()})
	}
	return list
}

func (d *issueDraw) drawCustomer() {
	if len(d.customers) < mostCustomers && pick(d.rt, "new customer", true, false, false) || len(d.customers) == 0 {
		d.of, d.new = d.id("c"), true
		d.i.Customer = &customer.Customer{ID: d.of, Name: rapid.SampledFrom(names).Draw(d.rt, "name"),
			Domains:  rapid.SliceOfNDistinct(rapid.SampledFrom(domains), 0, 2, rapid.ID[string]).Draw(d.rt, "domains"),
			Contacts: drawContacts(d.rt), Created: d.now}
		return
	}
	id, version, ok := d.account(d.rt, d.who, "customer")
	d.of, d.may = id, ok
	d.i.Accounts[id] = version
	if rapid.IntRange(0, 3).Draw(d.rt, "changed customer") == 0 && ok {
		changed := d.customers[id]
		changed.Contacts = drawContacts(d.rt)
		d.i.Customer = &changed
	}
}

func (d *issueDraw) drawContract() {
	for id, k := range d.history.contracts {
		if d.survivor(k.Customer) == d.of {
			d.contracts = append(d.contracts, id)
		}
	}
	slices.Sort(d.contracts)
	draw := pick(d.rt, "contract", "new", "changed", "known", "known")
	k := customer.Contract{ID: d.id("k"), Customer: d.of,
		Terms:      customer.Terms{Edition: license.Enterprise, MaxLoc: 1e6},
		Production: 1, First: d.today(), Last: d.today().AddMonths(12), Created: d.now}
	switch {
	case draw == "new" || len(d.contracts) == 0:
	case draw == "changed":
		k = d.history.contracts[rapid.SampledFrom(d.contracts).Draw(d.rt, "changed contract")]
		k.MaxLoc += 1e6
	default:
		return
	}
	d.i.Contracts = []customer.Contract{k}
	d.contracts = append(d.contracts, k.ID)
}

func (d *issueDraw) drawInstances() {
	for _, id := range slices.Sorted(maps.Keys(d.history.instances)) {
		if i := d.history.instances[id]; d.survivor(i.Customer) == d.of {
			d.places = append(d.places, i)
		}
	}
	var changed []customer.Instance
	for n := range pick(d.rt, "instances", 0, 1, 2) {
		told := customer.ServerID{Server: server(d.rt), Told: d.now}
		known := len(d.places) > 0 && rapid.Bool().Draw(d.rt, "known")
		switch {
		case known: // it gets another server ID
			at := rapid.IntRange(0, len(d.places)-1).Draw(d.rt, "which")
			i := d.places[at]
			if slices.ContainsFunc(changed, func(c customer.Instance) bool { return c.ID == i.ID }) {
				continue
			}
			i.Servers = append(slices.Clone(i.Servers), told)
			if rapid.IntRange(0, 2).Draw(d.rt, "retired otherwise") == 0 {
				i.Retired, i.RetiredBy = d.otherwise(i)
			}
			d.places[at], changed = i, append(changed, i)
		case len(d.history.instances)+n < mostInstances:
			i := customer.Instance{ID: d.id("i"), Customer: d.of, Environment: request.ProductionUse,
				Servers: []customer.ServerID{told}, Created: d.now}
			if rapid.Bool().Draw(d.rt, "staging") {
				i.Environment = request.StagingUse
			}
			d.places, changed = append(d.places, i), append(changed, i)
		}
	}
	d.i.Instances = changed
}

func (d *issueDraw) otherwise(i customer.Instance) (retired time.Time, by string) {
	if i.InUse() {
		return d.now, d.who
	}
	return time.Time{}, ""
}

func (d *issueDraw) drawLicenses() bool {
	if len(d.places) == 0 {
		return false
	}
	for range pick(d.rt, "licenses", 1, 2) {
		i := pick(d.rt, "instance", d.places...)
		kinds := []license.Type{license.Production, license.Production, license.Evaluation}
		if i.Environment == request.StagingUse {
			kinds = []license.Type{license.Staging}
		}
		l := license.License{ID: d.id("l"), Type: pick(d.rt, "type", kinds...), Customer: d.of,
			Instance: i.ID, Organization: "Acme AG", Server: i.Server(),
			Edition:    rapid.SampledFrom(license.Editions).Draw(d.rt, "edition"),
			MaxLoc:     int64(rapid.IntRange(1, 9).Draw(d.rt, "loc")) * 1_000_000,
			Expiration: d.today().AddMonths(pick(d.rt, "months", -1, 0, 1, 2, 3, 6, 12, 14))}
		if rapid.Bool().Draw(d.rt, "with key") {
			l.KeyText = "key of " + l.ID
		}
		if rapid.Bool().Draw(d.rt, "begins later") {
			l.NotBefore = d.today().AddMonths(rapid.IntRange(0, 6).Draw(d.rt, "in months"))
		}
		if l.Type != license.Evaluation && len(d.contracts) > 0 {
			l.Contract = rapid.SampledFrom(d.contracts).Draw(d.rt, "under")
		}
		d.i.Licenses = append(d.i.Licenses, l)
	}
	return true
}

// drawReplaced draws which licenses of the account are replaced and muted.
func (d *issueDraw) drawReplaced() {
	var known []string
	for id, l := range d.licenses {
		if d.survivor(l.Customer) == d.of {
			known = append(known, id)
		}
	}
	slices.Sort(known)
	if len(known) == 0 {
		return
	}
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(known), 0, 2, rapid.ID[string]).Draw(d.rt, "others") {
		if rapid.Bool().Draw(d.rt, "replaced") {
			d.i.Replaces = append(d.i.Replaces, id)
			d.may = d.may && d.licenses[id].Revoked.IsZero()
		} else {
			d.i.Mutes = append(d.i.Mutes, id)
		}
	}
}

func (d *issueDraw) drawRequest() {
	if len(d.requests) == 0 || pick(d.rt, "without request", true, true, false) {
		return
	}
	id, r := one(d.rt, d.requests, "request")
	d.i.Request, d.i.RequestVersion = id, d.seen[d.who].requests[id].Version
	d.may = d.may && d.i.RequestVersion == d.record.requests[id].Version && r.State.Leads(request.Issued)
}

// apply is what comes of the issue.
func (d *issueDraw) apply() {
	if c := d.i.Customer; c != nil {
		changed := *c
		if !d.new { // what somebody noted meanwhile would have been a conflict
			changed.Survivor, changed.MergedInto = d.customers[c.ID].Survivor, d.customers[c.ID].MergedInto
			d.saved(changed, d.i.Imported)
		} else {
			d.customers[c.ID] = changed
		}
	}
	for _, k := range d.i.Contracts {
		d.history.contracts[k.ID] = k
	}
	for _, i := range d.i.Instances {
		if before, known := d.history.instances[i.ID]; known && before.InUse() != i.InUse() {
			d.retire(i.ID, !i.InUse(), d.who)
		}
		d.history.instances[i.ID] = i
	}
	for _, l := range d.i.Licenses {
		l.Request, l.Recorded = d.i.Request, d.now
		l.Customer = d.history.instances[l.Instance].Customer
		l.Retired = !d.history.instances[l.Instance].InUse()
		d.licenses[l.ID] = l
	}
	for _, id := range d.i.Replaces {
		l := d.licenses[id]
		l.Revoked, l.RevokedReason, l.ReplacedBy = d.now, "replaced", d.i.Licenses[0].ID
		for _, own := range slices.Backward(d.i.Licenses) {
			if own.Instance == l.Instance {
				l.ReplacedBy = own.ID
			}
		}
		d.licenses[id] = l
	}
	d.tellMoves()
	for _, id := range d.i.Mutes {
		l := d.licenses[id]
		l.Mute = license.Mute{By: d.who, At: d.now, Reason: "bought for another server"}
		d.licenses[id] = l
	}
	if r := d.requests[d.i.Request]; r != nil {
		d.heard(r, request.Issued)
		d.looked(r)
		r.State, r.Closed = request.Issued, d.now
		if r.Reviewer == "" {
			r.Reviewer = d.who
		}
		first := d.licenses[d.i.Licenses[0].ID]
		r.Customer, r.Instance = first.Customer, first.Instance
		for _, l := range d.i.Licenses {
			r.Licenses = append(r.Licenses, l.ID)
		}
		r.told = append(r.told, store.RequestIssued)
	}
	if d.i.To.Email != "" && !d.i.Imported {
		d.mails = append(d.mails, notice.LicenseKey(d.i.Licenses, d.i.To).ID)
	}
}
