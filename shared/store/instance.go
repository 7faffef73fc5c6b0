package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
)

// Actions on instances.
const (
	InstanceAdded     Action = "instance added"
	InstanceChanged   Action = "instance changed"
	InstanceMoved     Action = "instance moved" // here, to the contract that the note names
	InstanceMovedBack Action = "instance moved back"
	InstanceMovedAway Action = "instance moved away" // to the customer that the note names
	InstanceTold      Action = "lines of code told"  // by the contact that the note names
)

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

// TellLoc notes how many lines of code an instance has, as a contact of the customer says with the email address who.
// It changes nothing else, so it asks for no version: of two, the later one counts.
func (s *Store) TellLoc(ctx context.Context, of, id, who string, loc int64) error {
	return entity.Retry(func() error {
		c := s.begin()
		a, err := c.account(ctx, of)
		if err != nil {
			return err
		}
		i, err := a.instance(ctx, id)
		if err != nil {
			return err
		}
		i.Loc, i.Told = loc, s.now().Truncate(time.Millisecond)
		i.change(entity.Line{By: Customer, Action: InstanceTold, Note: who})
		c.Names(rowkey.Customer(i.Customer), "", who) // who may be a contact no longer, while the line stays
		if err := c.Commit(ctx); err != nil {
			return fmt.Errorf("store: telling the lines of code of instance %s: %w", id, err)
		}
		return nil
	})
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
				return c.orChanged(ctx, err)
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
	for _, b := range slices.Clone(i.Bridges) {
		r, err := c.license(ctx, i, b.ID)
		if err != nil {
			return err
		}
		before := *r
		r.License.Customer = home
		c.UpdateUnlogged(licenseEntity{before}, licenseEntity{*r}, r.Version)
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
