package store

import (
	"context"
	"fmt"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Actions on customers that are merged.
const (
	CustomerMerged   Action = "merged into another customer" // that the note names
	CustomerMergedIn Action = "customer merged"              // the one that the note names
	CustomerUnmerged Action = "merge undone"                 // with the one that the note names
)

// Merge is the merging of two customers.
type Merge struct {
	From, Into               string // the IDs of the survivors
	FromVersion, IntoVersion int64  // of their accounts as the operator saw them
	By                       string // the operator's email address
}

// MergeCustomers merges a customer into another: readers read both from then on. Nothing of it is moved, so that
// UnmergeCustomer undoes it. It is a Conflict fault if somebody changed one of them since they were seen, or if
// one of them was merged already.
func (s *Store) MergeCustomers(ctx context.Context, m Merge) error {
	return entity.Retry(func() error {
		c := s.begin()
		if err := c.seen(ctx, map[string]int64{m.From: m.FromVersion, m.Into: m.IntoVersion}); err != nil {
			return err
		}
		from, into := c.accounts[m.From], c.accounts[m.Into]
		switch {
		case from == into:
			return fault.New(fault.Conflict, "A customer cannot be merged into itself.")
		case len(from.customers())+len(into.merged) > customer.MaxMerged:
			return fault.New(fault.Conflict, "At most %d customers can be merged into one.", customer.MaxMerged)
		}
		before, versions, err := c.customers(ctx, from.customers())
		if err != nil {
			return err
		}
		after := customer.Merge(customer.Account{Customer: before[0], Merged: before[1:]},
			customer.Account{Customer: customer.Customer{ID: m.Into}})
		c.place(before, after, versions, entity.Line{By: m.By, Action: CustomerMerged, Note: m.Into})
		for _, id := range from.customers() {
			c.Set(entity.Encode(rowkey.Merged(m.Into, id), rowkey.TypeIndex, merged{id}))
		}
		for _, id := range from.merged {
			c.Delete(rowkey.Merged(m.From, id), table.Any)
		}
		c.Log(rowkey.CustomerTimeline(m.Into), entity.Line{By: m.By, Action: CustomerMergedIn, Note: m.From})
		if err := c.Commit(ctx); err != nil {
			return fmt.Errorf("store: merging customer %s: %w", m.From, err)
		}
		return nil
	})
}

// merged names a customer in the partition of its survivor.
type merged struct {
	ID string `json:"id"`
}

// UnmergeCustomer undoes the merging of a customer, with those that had been merged into it before. change names the
// survivor. It is a Conflict fault if somebody changed the survivor since it was seen, or if the customer was not
// merged into it.
func (s *Store) UnmergeCustomer(ctx context.Context, change AccountChange, id string) error {
	return s.changeAccount(ctx, change, func(c *changeset, a *account) error {
		version, err := s.table.Version(ctx, rowkey.Guard(id))
		if err != nil {
			return err
		}
		before, versions, err := c.customers(ctx, a.merged)
		if err != nil {
			return err
		}
		after, err := customer.Unmerge(customer.Account{Merged: before}, id)
		if err != nil {
			return err
		}
		c.guard(&account{changeset: c, id: id, version: version})
		c.place(before, after, versions, entity.Line{By: change.By, Action: CustomerUnmerged, Note: change.Customer})
		for _, of := range after {
			c.Delete(rowkey.Merged(a.id, of.ID), table.Any)
			if of.ID != id {
				c.Set(entity.Encode(rowkey.Merged(id, of.ID), rowkey.TypeIndex, merged{of.ID}))
			}
		}
		c.Log(rowkey.CustomerTimeline(a.id), entity.Line{By: change.By, Action: CustomerUnmerged, Note: id})
		return nil
	})
}

// customers reads customers at once, with the versions of their rows by ID.
func (c *changeset) customers(ctx context.Context, ids []string) (
	list []customer.Customer, versions map[string]int64, err error) {
	keys := make([]table.Key, len(ids))
	for i, id := range ids {
		keys[i] = rowkey.Customer(id)
	}
	list, read, err := entity.GetAll[customer.Customer](ctx, c.store.table, keys)
	versions = map[string]int64{}
	for i, of := range list {
		versions[of.ID] = read[i]
	}
	return list, versions, err
}

// place writes customers whose place in a chain of merges changed. The line is about the first; of those that were
// merged into it before, nothing is new but where their chain ends.
func (c *changeset) place(before, after []customer.Customer, versions map[string]int64, line entity.Line) {
	for n, now := range after {
		i := slices.IndexFunc(before, func(was customer.Customer) bool { return was.ID == now.ID })
		was := customerEntity{before[i]}
		if n == 0 {
			c.Change(was, customerEntity{now}, versions[now.ID], line)
		} else {
			c.UpdateUnlogged(was, customerEntity{now}, versions[now.ID])
		}
	}
}
