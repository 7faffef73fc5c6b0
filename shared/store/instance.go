package store

import (
	"context"
	"fmt"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

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
	e.Licenses = nil
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

// Commit writes the instances that changed, and the datasets that were joined, along with the rest.
func (c *changeset) Commit(ctx context.Context) error {
	c.writeInstances()
	for key := range c.joined {
		d := c.datasets[key]
		c.Update(entity.Encode(key, rowkey.TypeDataset, d), d.Version)
	}
	c.joined = nil
	return c.Changeset.Commit(ctx)
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

// RetireInstance takes an instance out of use, or back into use: one that is retired is neither counted nor reminded of
// nor offered. It is a Conflict fault if somebody changed the account since it was seen.
func (s *Store) RetireInstance(ctx context.Context, change AccountChange, id string, retired bool) error {
	return s.changeAccount(ctx, change, func(c *changeset, a *account) error {
		i, err := a.instance(ctx, id)
		if err != nil {
			return err
		}
		if retired == !i.InUse() {
			return nil
		}
		return c.retire(ctx, i, change.By, retired)
	})
}

func (c *changeset) retire(ctx context.Context, i *instance, by string, retired bool) error {
	action := InstanceResumed
	i.Retired, i.RetiredBy = zeroTime, ""
	if retired {
		action = InstanceRetired
		i.Retired, i.RetiredBy = c.store.now(), by
	}
	i.change(entity.Line{By: by, Action: action})
	for _, l := range i.Licenses {
		if l.Expiration.Before(license.DateOf(c.store.now())) || !l.Revoked.IsZero() {
			continue // nobody is reminded of it anyway
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

// Move is where instances are moved with their licenses.
type Move struct {
	Instances []string // IDs
	From      AccountChange
	// To is the account that they are moved to, with the version that the operator saw; it may be From's, for a move
	// to another contract.
	To       string
	Version  int64
	Contract string // the ID of the contract of To that their licenses are under from now on; "" for none
	// Undo moves them back to where they were moved from last, with every license under the contract that it had.
	// Contract is not used. It is a Conflict fault if a license was issued since, under a contract that stays.
	Undo bool
}

// MoveInstances moves instances with all their licenses to another customer or contract, in one transaction. Licenses
// that have expired or were revoked keep the contract under which they were issued. It is a Conflict fault if somebody
// changed one of the accounts since they were seen, or if there is nothing to undo.
func (s *Store) MoveInstances(ctx context.Context, m Move) error {
	return entity.Retry(func() error {
		c := s.begin()
		if err := c.seen(ctx, map[string]int64{m.From.Customer: m.From.Version, m.To: m.Version}); err != nil {
			return err
		}
		from, to := c.accounts[m.From.Customer], c.accounts[m.To]
		if m.Contract != "" {
			if _, _, err := to.contract(ctx, m.Contract); err != nil {
				return err
			}
		}
		for _, id := range m.Instances {
			if err := c.move(ctx, from, to, id, m); err != nil {
				return err
			}
		}
		if err := c.Commit(ctx); err != nil {
			return fmt.Errorf("store: moving instances: %w", err)
		}
		return nil
	})
}

func (c *changeset) move(ctx context.Context, from, to *account, id string, m Move) error {
	i, err := from.instance(ctx, id)
	if err != nil {
		return err
	}
	back := i.Moved
	if m.Undo && (back == nil || !slices.Contains(to.customers(), back.Customer)) {
		return fault.New(fault.Conflict, "The instance was not moved from there.")
	}
	home := to.id
	if m.Undo {
		home = back.Customer
	}
	today := license.DateOf(c.store.now())
	moved := &customer.Origin{Customer: i.Customer, Contracts: map[string]string{}}
	for _, l := range slices.Clone(i.Licenses) {
		r, err := c.license(ctx, i, l.ID)
		if err != nil {
			return err
		}
		before := *r
		moved.Contracts[l.ID] = l.Contract
		switch {
		case m.Undo:
			contract, moved := back.Contracts[l.ID]
			if !moved && from != to && l.Contract != "" && l.Valid(today) {
				return fault.New(fault.Conflict, "A license was issued since the instance was moved, under a contract "+
					"of its present customer. Move it to a contract of the other customer instead.")
			}
			if moved {
				r.License.Contract = contract
			}
		case l.Type != license.Evaluation && l.Valid(today):
			r.License.Contract = m.Contract
		}
		r.License.Customer = home
		c.UpdateUnlogged(licenseEntity{before}, licenseEntity{*r}, r.Version)
		i.update(r.License)
	}
	i.Customer, i.Moved = home, moved
	line := entity.Line{By: m.From.By, Action: InstanceMoved, Note: m.Contract}
	if m.Undo {
		i.Moved, line.Action = nil, InstanceMovedBack
	}
	i.change(line)
	if i.Customer == i.read.Customer {
		return nil
	}
	c.Log(rowkey.CustomerTimeline(i.read.Customer), entity.Line{
		By: m.From.By, Action: InstanceMovedAway, Note: home, Of: OfInstance(id),
	})
	return c.joinDatasets(ctx, i.Instance)
}
