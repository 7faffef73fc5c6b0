package store

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Actions that come with changes of an account.
const (
	LicenseSuccessorSet     Action = "successor recorded"
	LicenseSuccessorRevoked Action = "successor revoked"
	InstanceRetired         Action = "instance retired"
	InstanceResumed         Action = "instance back in use"
	CustomerChanged         Action = "customer changed"
)

// OfInstance names an instance that a line of a customer's timeline is about (Event.Of).
func OfInstance(id string) string { return "instance/" + id }

// account is what a changeset knows of a customer: what it read, and changed since. All changes of a customer write its
// guard, so of two that did not see each other, one fails with a conflict.
type account struct {
	changeset *changeset
	id        string // of the survivor
	version   int64  // of the guard; 0 for a new customer
	merged    []string
	known     customer.Customer    // the survivor as it was read
	instances map[string]*instance // by ID
}

// instance is an instance of an account, and what the changeset knows of its licenses' own rows.
type instance struct {
	customer.Instance
	read     customer.Instance
	version  int64 // of its row as it was read; 0 for a new one
	changed  bool
	lines    []entity.Line             // what its own changes were
	licenses map[string]*LicenseRecord // by ID; those that were read
}

// account opens an account by the ID of its customer, or of one that was merged into it, once.
func (c *changeset) account(ctx context.Context, id string) (*account, error) {
	if a := c.accounts[id]; a != nil {
		return a, nil
	}
	// The guard is read first, so that a change of what is read after it is a conflict.
	version, err := c.store.table.Version(ctx, rowkey.Guard(id))
	if err != nil {
		return nil, err
	}
	known, err := c.store.Customer(ctx, id)
	if err != nil {
		return nil, err
	}
	if known.Survivor != "" {
		a, err := c.account(ctx, known.Survivor)
		if err == nil {
			c.accounts[id] = a
		}
		return a, err
	}
	merged, err := c.store.mergedInto(ctx, id)
	if err != nil {
		return nil, err
	}
	a := &account{changeset: c, id: id, version: version, merged: merged, known: known,
		instances: map[string]*instance{}}
	c.guard(a)
	return a, nil
}

// newAccount opens the account of a customer that is about to be added.
func (c *changeset) newAccount(id string) *account {
	a := &account{changeset: c, id: id, instances: map[string]*instance{}}
	c.guard(a)
	return a
}

func (c *changeset) guard(a *account) {
	c.accounts[a.id] = a
	c.Update(entity.Encode(rowkey.Guard(a.id), rowkey.TypeGuard, struct{}{}), a.version)
}

// mergedInto lists the IDs of the customers that were merged into a survivor.
func (s *Store) mergedInto(ctx context.Context, id string) (merged []string, err error) {
	err = s.table.Each(ctx, table.Prefix(rowkey.CustomerPK(id), rowkey.MergedPrefix), func(row table.Row) error {
		merged = append(merged, row.SK[len(rowkey.MergedPrefix):])
		return nil
	})
	return merged, err
}

// seen opens accounts that must still have the versions that an operator saw. It is a Conflict fault if one changed.
func (c *changeset) seen(ctx context.Context, versions map[string]int64) error {
	for id, version := range versions {
		a, err := c.account(ctx, id)
		if fault.KindOf(err) == fault.NotFound && version == 0 {
			continue // still new
		}
		if err != nil {
			return err
		}
		if a.id != id || a.version != version {
			return errAccountChanged
		}
	}
	return nil
}

var errAccountChanged = fault.New(fault.Conflict,
	"Someone else changed this customer first, so your change was not saved. Reload the page and try again.")

// orChanged returns the error of a change that missed something, or a conflict if one of its accounts changed since it
// was opened: somebody may have moved it away meanwhile.
func (c *changeset) orChanged(ctx context.Context, err error) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	for _, a := range c.accounts {
		switch version, err := c.store.table.Version(ctx, rowkey.Guard(a.id)); {
		case err != nil:
			return err
		case version != a.version:
			return errAccountChanged
		}
	}
	return err
}

// AccountChange is what an operator does to something of a customer.
type AccountChange struct {
	Customer string // the ID of the survivor
	Version  int64  // of the account as the operator saw it
	By       string // the operator's email address
	// Except are addresses of contacts who are not told what was done: they asked for it.
	Except []string
	// Contact is the address of the contact of the customer who does it, in place of an operator; By is Customer then.
	Contact string
}

// changeAccount changes one account as an operator saw it. It is a Conflict fault if somebody changed it since.
func (s *Store) changeAccount(ctx context.Context, change AccountChange, f func(*changeset, *account) error) error {
	return entity.Retry(func() error {
		c := s.begin()
		if err := c.seen(ctx, map[string]int64{change.Customer: change.Version}); err != nil {
			return err
		}
		if err := f(c, c.accounts[change.Customer]); err != nil {
			return c.orChanged(ctx, err)
		}
		if err := c.Commit(ctx); err != nil {
			return fmt.Errorf("store: customer %s: %w", change.Customer, err)
		}
		return nil
	})
}

// customers lists the IDs of the survivor and of those merged into it: rows may be in the partition of each.
func (a *account) customers() []string { return append([]string{a.id}, a.merged...) }

// home is the customer of the account with whom something new is kept: the one that was named, if it is of the account.
func (a *account) home(named string) string {
	if slices.Contains(a.merged, named) {
		return named
	}
	return a.id
}

// contract reads a contract of the account, with the version of its row.
func (a *account) contract(ctx context.Context, id string) (c customer.Contract, version int64, err error) {
	for _, in := range a.customers() {
		version, err = a.changeset.store.table.Get(ctx, rowkey.Contract(in, id), &c)
		if fault.KindOf(err) != fault.NotFound {
			return c, version, err
		}
	}
	return c, 0, entity.Missing(err, "There is no contract %s of this customer.", id)
}

// instance reads an instance of the account, once.
func (a *account) instance(ctx context.Context, id string) (*instance, error) {
	if i := a.instances[id]; i != nil {
		return i, nil
	}
	err := error(fault.New(fault.NotFound, ""))
	for _, in := range a.customers() {
		var read customer.Instance
		var version int64
		version, err = a.changeset.store.table.Get(ctx, rowkey.Instance(in, id), &read)
		if err == nil {
			i := &instance{Instance: read, read: read, version: version, licenses: map[string]*LicenseRecord{}}
			i.Licenses, i.Servers = slices.Clone(read.Licenses), slices.Clone(read.Servers)
			a.instances[id] = i
			return i, nil
		}
		if fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
	}
	return nil, entity.Missing(err, "There is no instance %s of this customer.", id)
}

// newInstance adds an instance to the account.
func (a *account) newInstance(i customer.Instance) *instance {
	i.Licenses = nil
	added := &instance{Instance: i, licenses: map[string]*LicenseRecord{}}
	a.instances[i.ID] = added
	return added
}

// instanceOf reads the instance of a license of the account.
func (a *account) instanceOf(ctx context.Context, licenseID string) (*instance, error) {
	r, err := a.changeset.store.License(ctx, licenseID)
	if err != nil {
		return nil, err
	}
	return a.instance(ctx, r.License.Instance)
}

// change notes that the changeset writes the instance, with a line on the timeline.
func (i *instance) change(l entity.Line) {
	i.changed = true
	i.lines = append(i.lines, l)
}

// writeInstances puts the instances that changed on the changeset.
func (c *changeset) writeInstances() {
	for _, id := range slices.Sorted(maps.Keys(c.accounts)) {
		a := c.accounts[id]
		for _, id := range slices.Sorted(maps.Keys(a.instances)) {
			if i := a.instances[id]; i.changed {
				c.writeInstance(i)
				i.changed, i.lines = false, nil
			}
		}
	}
}

func (c *changeset) writeInstance(i *instance) {
	before, after := instanceEntity{i.read}, instanceEntity{i.Instance}
	switch {
	case i.version == 0:
		c.Add(after, i.lines[0])
	case i.Customer != i.read.Customer:
		c.Move(before, after, i.version, i.lines[0])
	case len(i.lines) == 0:
		c.UpdateUnlogged(before, after, i.version)
	default:
		for _, l := range i.lines {
			c.Change(before, after, i.version, l)
		}
	}
}

// license reads the license of an instance that has an ID, once.
func (c *changeset) license(ctx context.Context, i *instance, id string) (*LicenseRecord, error) {
	if r := i.licenses[id]; r != nil {
		return r, nil
	}
	r, err := c.store.License(ctx, id)
	if err != nil {
		return nil, err
	}
	i.licenses[id] = &r
	return &r, nil
}

// addLicense creates a license of an instance, and finds out which licenses it succeeds and which succeeds it.
func (c *changeset) addLicense(ctx context.Context, i *instance, l license.License, line entity.Line) error {
	l.Recorded, l.Retired = c.store.now(), !i.InUse()
	added := customer.LicenseOf(l)
	for _, other := range slices.Clone(i.Licenses) {
		switch {
		case added.Succeeds(other):
			// One that has a successor keeps it: a long history is not rewritten with each license.
			if other.Successor == "" {
				if err := c.succeed(ctx, i, other.ID, l.ID); err != nil {
					return err
				}
			}
		case other.Succeeds(added) && l.Successor == "":
			l.Successor = other.ID
		}
	}
	r := &LicenseRecord{License: l}
	c.schedule(r)
	i.licenses[l.ID] = r
	i.Licenses, i.changed = append(i.Licenses, customer.LicenseOf(l)), true
	c.Add(licenseEntity{*r}, line)
	return nil
}

// changeLicense changes a license of an instance, and what the instance has on record about it.
func (c *changeset) changeLicense(ctx context.Context, i *instance, id string, line entity.Line,
	f func(*license.License) error) error {
	r, err := c.license(ctx, i, id)
	if err != nil {
		return err
	}
	before := *r
	if err := f(&r.License); err != nil {
		return err
	}
	c.schedule(r)
	c.Change(licenseEntity{before}, licenseEntity{*r}, r.Version, line)
	i.update(r.License)
	return nil
}

// update brings what the instance has on record about a license up to date.
func (i *instance) update(l license.License) {
	for n, have := range i.Licenses {
		if now := customer.LicenseOf(l); have.ID == l.ID && !reflect.DeepEqual(have, now) {
			i.Licenses[n], i.changed = now, true
		}
	}
	for n, have := range i.Bridges {
		if now := customer.BridgeOf(l); have.ID == l.ID && !reflect.DeepEqual(have, now) {
			i.Bridges = slices.Clone(i.Bridges)
			i.Bridges[n], i.changed = now, true
		}
	}
}

// succeed notes a license's successor, which ends its reminders; "" is none, and resumes them.
func (c *changeset) succeed(ctx context.Context, i *instance, id, successor string) error {
	action := LicenseSuccessorSet
	if successor == "" {
		action = LicenseSuccessorRevoked
	}
	return c.changeLicense(ctx, i, id, entity.Line{By: System, Action: action, Note: successor},
		func(l *license.License) error {
			l.Successor = successor
			return nil
		})
}

// addBridge creates a bridge key of an instance. It succeeds no license, and none succeeds it.
func (c *changeset) addBridge(i *instance, l *license.License, line entity.Line) {
	l.Recorded = c.store.now()
	r := &LicenseRecord{License: *l}
	i.licenses[l.ID] = r
	i.Bridges, i.changed = append(slices.Clone(i.Bridges), customer.BridgeOf(*l)), true
	c.Add(licenseEntity{*r}, line)
}

// endBridges has a new license of an instance replace the bridge keys that were issued ahead of it: it is for another
// server than the licenses whose terms they have.
func (c *changeset) endBridges(ctx context.Context, i *instance, l license.License, by string) error {
	for _, b := range slices.Clone(i.Bridges) {
		old := slices.IndexFunc(i.Licenses, func(l customer.License) bool { return l.ID == b.Bridges })
		if !b.Revoked.IsZero() || old >= 0 && i.Licenses[old].Server == l.Server {
			continue
		}
		err := c.changeLicense(ctx, i, b.ID, entity.Line{By: by, Action: LicenseReplaced, Note: l.ID},
			func(b *license.License) error {
				b.Revoked, b.RevokedReason, b.ReplacedBy = c.store.now(), "replaced", l.ID
				return nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// revokeBridges revokes the bridge keys that have the terms of a license which is revoked.
func (c *changeset) revokeBridges(ctx context.Context, i *instance, of string, line entity.Line) error {
	for _, b := range slices.Clone(i.Bridges) {
		if b.Bridges != of || !b.Revoked.IsZero() {
			continue
		}
		err := c.changeLicense(ctx, i, b.ID, line, func(b *license.License) error {
			b.Revoked, b.RevokedReason = c.store.now(), line.Note
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// release gives the licenses that a revoked license of the instance succeeded another successor, or none.
func (c *changeset) release(ctx context.Context, i *instance, revoked string) error {
	for _, l := range slices.Clone(i.Licenses) {
		if l.Successor != revoked {
			continue
		}
		successor := ""
		for _, other := range i.Licenses {
			if other.Succeeds(l) {
				successor = other.ID
			}
		}
		if err := c.succeed(ctx, i, l.ID, successor); err != nil {
			return err
		}
	}
	return nil
}

// retire takes an instance out of use, or back into use, and its licenses with it.
func (c *changeset) retire(ctx context.Context, i *instance, by string, retired bool) error {
	action := InstanceResumed
	i.Retired, i.RetiredBy = time.Time{}, ""
	if retired {
		action = InstanceRetired
		i.Retired, i.RetiredBy = c.store.now(), by
	}
	i.change(entity.Line{By: by, Action: action})
	for _, l := range i.Licenses {
		if l.Expiration.AddMonths(1).Before(license.DateOf(c.store.now())) || !l.Revoked.IsZero() {
			continue // it is too late for all reminders of it anyway: see dueRow
		}
		r, err := c.license(ctx, i, l.ID)
		if err != nil {
			return err
		}
		before := *r
		r.License.Retired = retired
		c.schedule(r)
		c.UpdateUnlogged(licenseEntity{before}, licenseEntity{*r}, r.Version)
	}
	return nil
}

// instanceEntity is an instance as a changeset writes it.
type instanceEntity struct{ customer.Instance }

func (e instanceEntity) Key() table.Key      { return rowkey.Instance(e.Customer, e.ID) }
func (e instanceEntity) Timeline() table.Key { return rowkey.CustomerTimeline(e.Customer) }
func (e instanceEntity) Of() string          { return OfInstance(e.ID) }
func (e instanceEntity) Row() table.Row {
	return entity.Encode(e.Key(), rowkey.TypeInstance, e.Instance)
}
func (e instanceEntity) Counted() []entity.Addend { return nil }

// Facts leaves out what the lines of the licenses tell.
func (e instanceEntity) Facts() any {
	e.Licenses, e.Bridges = nil, nil
	return e.Instance
}

func (e instanceEntity) Index(int64) (rows []table.Row) {
	for _, s := range e.Servers {
		rows = append(rows, entity.Encode(rowkey.Server(s.Server, e.ID), rowkey.TypeIndex,
			InstanceName{Customer: e.Customer, Instance: e.ID}))
	}
	return rows
}

// InstanceName names an instance and the customer with whom it is kept.
type InstanceName struct {
	Customer string `json:"customer"`
	Instance string `json:"instance"`
}

// Dataset is what instances have a dataset, under whichever server IDs.
type Dataset struct {
	Instances []InstanceName `json:"instances"`
	// Version changes when another instance gets a server ID of the dataset; 0: none ever had one.
	Version int64 `json:"-"`
}

// Elsewhere reports whether an instance of another customer than the account's has or had the dataset.
func (d Dataset) Elsewhere(a *customer.Account) bool {
	return slices.ContainsFunc(d.Instances, func(i InstanceName) bool { return !a.IsOf(i.Customer) })
}

// Dataset reads which instances have or had a server's dataset.
func (s *Store) Dataset(ctx context.Context, server license.Server) (d Dataset, err error) {
	d.Version, err = s.table.Get(ctx, rowkey.Dataset(server), &d)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return Dataset{}, fmt.Errorf("store: dataset %s: %w", server.Dataset(), err)
	}
	return d, nil
}

// openDataset reads the row of a server's dataset for a change, once.
func (c *changeset) openDataset(ctx context.Context, server license.Server) (*Dataset, error) {
	key := rowkey.Dataset(server)
	if d := c.datasets[key]; d != nil {
		return d, nil
	}
	d, err := c.store.Dataset(ctx, server)
	if err != nil {
		return nil, err
	}
	c.datasets[key] = &d
	return &d, nil
}

// joinDatasets notes an instance in the rows of the datasets of its server IDs, where it is not noted yet.
func (c *changeset) joinDatasets(ctx context.Context, i customer.Instance) error {
	name := InstanceName{i.Customer, i.ID}
	for _, s := range i.Servers {
		d, err := c.openDataset(ctx, s.Server)
		if err != nil {
			return err
		}
		if slices.Contains(d.Instances, name) {
			continue
		}
		d.Instances = slices.Clone(d.Instances)
		at := slices.IndexFunc(d.Instances, func(n InstanceName) bool { return n.Instance == i.ID })
		if at < 0 {
			d.Instances = append(d.Instances, name)
		} else {
			d.Instances[at] = name // it was moved
		}
		c.joined[rowkey.Dataset(s.Server)] = true
	}
	return nil
}

// unchanged is a Conflict fault if an instance joined one of the datasets since an operator saw them.
func (c *changeset) unchanged(ctx context.Context, versions map[license.Server]int64) error {
	for server, version := range versions {
		d, err := c.openDataset(ctx, server)
		if err != nil {
			return err
		}
		if d.Version != version {
			return fault.New(fault.Conflict, "Someone else recorded the server %s first, "+
				"so your change was not saved. Reload the page and try again.", server)
		}
	}
	return nil
}

// SaveCustomer changes what is on record about a customer itself: names, domains, owner, outside references, notes and
// contacts, as edit says. id is that of the account's customer, or of one that was merged into it. It is a Conflict
// fault if somebody changed the account since it was seen.
func (s *Store) SaveCustomer(ctx context.Context, change AccountChange, id string,
	edit func(*customer.Customer) error) error {
	return s.changeAccount(ctx, change, func(c *changeset, a *account) error {
		if !slices.Contains(a.customers(), id) {
			return errAccountChanged
		}
		line := entity.Line{By: change.By, Action: CustomerChanged, Note: change.Contact}
		told := contactsTold{of: a, except: change.Except, contact: change.Contact}
		return c.changeCustomer(ctx, id, line, told, func(kept *customer.Customer) error {
			before := *kept
			kept.Contacts, kept.Domains = slices.Clone(kept.Contacts), slices.Clone(kept.Domains)
			kept.FormerNames, kept.Outside = slices.Clone(kept.FormerNames), slices.Clone(kept.Outside)
			err := edit(kept)
			*kept = edited(before, *kept)
			return err
		})
	})
}

// edited is a customer after it was edited: its reference, and what it was merged into, do not change with it, nor who
// was removed before.
func edited(before, after customer.Customer) customer.Customer {
	after.Reference, after.MergedInto, after.Survivor = before.Reference, before.MergedInto, before.Survivor
	after.Removed = before.Removed
	return after
}

// changeCustomer changes the row of a customer whose account was opened, and has its contacts told who was added or
// removed. A line without an action is not told.
func (c *changeset) changeCustomer(ctx context.Context, id string, line entity.Line, told contactsTold,
	f func(*customer.Customer) error) error {
	var before customer.Customer
	version, err := c.store.table.Get(ctx, rowkey.Customer(id), &before)
	if err != nil {
		return entity.Missing(err, "There is no customer %s.", id)
	}
	after := before
	if err := f(&after); err != nil {
		return err
	}
	added, removed := after.ContactsSince(before)
	after.NoteRemoved(removed, c.store.now())
	for _, contact := range removed {
		c.Names(rowkey.Customer(id), "", contact.Email)
	}
	c.tellContacts(id, line.By, told, added, removed)
	if line.Action == "" {
		c.UpdateUnlogged(customerEntity{before}, customerEntity{after}, version)
	} else {
		c.Change(customerEntity{before}, customerEntity{after}, version, line)
	}
	return nil
}

// ReplaceCustomer changes what a customer says of a person who is erased: no line is added, and nobody is told. It
// reads the customer again while others change it.
func (s *Store) ReplaceCustomer(ctx context.Context, id string, edit func(*customer.Customer) error) error {
	err := entity.Retry(func() error {
		c := s.begin()
		if _, err := c.account(ctx, id); err != nil {
			return err
		}
		var before customer.Customer
		version, err := s.table.Get(ctx, rowkey.Customer(id), &before)
		if err != nil {
			return err
		}
		after := before
		if err := edit(&after); err != nil {
			return err
		}
		c.UpdateUnlogged(customerEntity{before}, customerEntity{after}, version)
		return c.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("store: customer %s: %w", id, err)
	}
	return nil
}

// CustomerNote adds a line to a customer's timeline and changes nothing else.
func (s *Store) CustomerNote(ctx context.Context, id, by, note string) error {
	c := s.begin()
	c.Log(rowkey.CustomerTimeline(id), entity.Line{By: by, Action: NoteAdded, Note: note})
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("store: note on customer %s: %w", id, err)
	}
	return nil
}
