package site

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// card is an installation as the overview shows it.
type card struct {
	customer.Instance
	Title   string // what it is used for
	Path    string // of its pages
	Badge   badge
	License *licensed // nil: it has none in force
	Staging []card    // those that mirror it
	Of      string    // of staging whose production is on another page or unknown: that one's server ID; "" for none
	Actions []action
	Gauge   web.Gauge
	Bridge  *customer.Bridge // the bridge key that is valid; nil: none
}

// Earlier lists the server IDs that the installation had before, the newest first.
func (c card) Earlier() (list []string) {
	for _, s := range slices.Backward(c.Servers) {
		if text := string(s.Server); s.Server != c.Server() && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// badge is a state in a word or two.
type badge struct{ Text, Tone string }

// action leads to a page on which a contact asks for something, with everything filled in.
type action struct {
	Label, To string
	First     bool // what the person most likely came for
}

// licensed is the license of an installation, with the names of the catalog.
type licensed struct {
	customer.License
	Contract  reference.Reference // "" for an evaluation
	Languages []string            // of the edition, and added by the license
	Added     []string            // of these, those beyond the edition
	Features  []string
	Package   *catalog.Package // that of the edition for the installed version; nil: see Version
	Custom    []customPackage  // instead of the edition's
	Version   string           // of the package; "" if the installed version is not known
	Guide     string           // the address of the installation instructions
	Until     string           // "expires in 26 days", "expired 7 days ago"; "" while it is far away
	Ahead     *customer.License
}

// customPackage is a package that was made for one customer.
type customPackage struct{ Name, URL string }

// EditionName returns the edition as people read it.
func (l licensed) EditionName() string { return l.Edition.Name() }

// cards makes the cards of instances: those in use by production, each with its staging.
func (s *site) cards(of *customer.Seen, instances []customer.Instance, records map[string]license.License,
	c *catalog.Catalog) (list []card) {
	at := map[string]int{}
	for _, i := range instances {
		if i.Environment != request.StagingUse {
			at[i.ID] = len(list)
			list = append(list, s.card(of, i, records, c))
		}
	}
	for _, i := range instances {
		if i.Environment != request.StagingUse {
			continue
		}
		one := s.card(of, i, records, c)
		if n, ok := at[i.Production]; ok {
			list[n].Staging = append(list[n].Staging, one)
			continue
		}
		if p := of.Instance(i.Production); p != nil {
			one.Of = string(p.Server())
		}
		list = append(list, one)
	}
	return list
}

func (s *site) card(of *customer.Seen, i customer.Instance, records map[string]license.License,
	c *catalog.Catalog) card {
	v := card{Instance: i, Title: "Production", Path: instancePath(i), Badge: badge{"No license", ""}}
	if i.Environment == request.StagingUse {
		v.Title = "Staging"
	}
	today := s.today()
	if b, ok := i.Bridge(today); ok {
		v.Bridge = &b
	}
	l, ok := i.Current(today)
	if !ok {
		v.Actions = s.actions(of, v)
		return v
	}
	if l.Type == license.Evaluation {
		v.Title = "Evaluation"
	}
	v.License = s.licensed(of, i, l, records[l.ID], c)
	v.Gauge = s.gauge(i, c)
	v.Badge = s.badge(i, l, v.License.Until)
	if a := v.License.Ahead; a != nil && v.License.Until != "" {
		v.Badge = badge{"Renewed", "good"}
	}
	v.Actions = s.actions(of, v)
	return v
}

func (s *site) badge(i customer.Instance, l customer.License, until string) badge {
	today := s.today()
	switch {
	case !i.InUse():
		return badge{"Retired", ""}
	case l.NotBefore.After(today):
		return badge{"Starts " + l.NotBefore.Long(), ""}
	case today.After(l.Expiration):
		return badge{"Expired", "bad"}
	case until != "":
		return badge{"E" + until[1:], "warn"}
	}
	return badge{"Active", "good"}
}

// licensed describes a license of an instance. recorded is the license itself; the zero License if it was not read.
func (s *site) licensed(of *customer.Seen, i customer.Instance, l customer.License, recorded license.License,
	c *catalog.Catalog) *licensed {
	d := &licensed{License: l, Version: i.ProductVersion, Guide: "/editions/" + string(l.Edition) + "/install"}
	if k := of.Contract(l.Contract); k != nil {
		d.Contract = k.Reference
	}
	today := s.today()
	if known := (recorded.ID != ""); known && s.store.Policy().Warns(recorded, today) {
		d.Until = "expires " + reminder.When(l.Expiration, today)
	}
	if today.After(l.Expiration) {
		d.Until = "expired " + reminder.When(l.Expiration, today)
	}
	for _, other := range i.Licenses {
		if other.ID != l.ID && other.Succeeds(l) && (d.Ahead == nil || other.Expiration.After(d.Ahead.Expiration)) {
			d.Ahead = &other
		}
	}
	if c == nil {
		return d
	}
	edition, _ := c.Edition(string(l.Edition))
	for _, key := range union(edition.Languages, l.Languages) {
		found, _ := c.Language(key)
		name := cmp.Or(found.Name, key)
		d.Languages = append(d.Languages, name)
		if !slices.Contains(edition.Languages, key) {
			d.Added = append(d.Added, name)
		}
	}
	for _, key := range union(edition.Features, recorded.Features) {
		found, _ := c.Feature(key)
		d.Features = append(d.Features, cmp.Or(found.Name, key))
	}
	for _, name := range recorded.Packages {
		d.Custom = append(d.Custom, customPackage{name, s.mail.CustomPackageURL(name)})
	}
	if p, ok := c.Package(edition.Key, i.ProductVersion); ok && p.Withdrawn == "" && len(d.Custom) == 0 {
		d.Package = &p
		d.Guide += "?version=" + p.Version
	}
	return d
}

// union returns the items of both lists in order, each once.
func union(a, b []string) (all []string) {
	for _, item := range slices.Concat(a, b) {
		if !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}

// actions lists what a contact can ask for about an installation.
func (s *site) actions(of *customer.Seen, v card) (list []action) {
	if !v.InUse() {
		return nil
	}
	add := func(label, page string, first bool) {
		list = append(list, action{label, v.Path + "/" + page, first})
	}
	l := v.License
	if l == nil {
		return nil
	}
	soon := l.Until != "" && l.Ahead == nil
	if l.Type == license.Evaluation {
		list = append(list, action{"Buy a license", buyPath(v), true})
	} else {
		add("Renew", "renew", soon)
		switch largest := l.Edition == license.DataCenter; {
		case v.Gauge.More != "" && !largest: // the gauge leads to more lines
			add("Larger edition", "upgrade?want=edition", false)
		case !largest:
			add("More lines or a larger edition", "upgrade", false)
		case v.Gauge.More == "":
			add("More lines of code", "upgrade", false)
		}
	}
	add("My server ID has changed", "replace", false)
	list = append(list, action{Label: "My server ID will change", To: serverIDPath(v.Instance)})
	if l.Valid(s.today()) && v.Bridge == nil {
		add(strconv.Itoa(license.BridgeDays)+"-day bridge key", "bridge", false)
	}
	if v.Environment != request.StagingUse && l.Type == license.Production && of.Whole && stagingAllowed(l.License) {
		add("Add a staging server", "staging", false)
	}
	if l.Valid(s.today()) {
		add("Email the key again", "key", false)
	}
	add("Reminders", "reminders", false)
	return list
}

// buyPath returns the public request form for a license after an evaluation, filled in.
func buyPath(v card) string {
	q := url.Values{"kind": {string(request.New)}, "serverId": {string(v.Server())}}
	if v.Loc > 0 {
		q.Set("ncloc", strconv.FormatInt(v.Loc, 10))
	}
	return "/request/" + string(v.License.Edition) + "?" + q.Encode()
}

// serverIDPath returns the public page about changes of server IDs, which leads to the form of an instance's plan.
func serverIDPath(i customer.Instance) string { return "/server-id?instance=" + i.ID }

func stagingAllowed(l customer.License) bool {
	return customer.Terms{Edition: l.Edition, Support: l.Support}.StagingAllowed()
}
