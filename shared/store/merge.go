package store

import (
	"context"
	"fmt"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
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
		for _, id := range from.customers() {
			var line entity.Line // of those that were merged before, nothing is new but where their chain ends
			if id == m.From {
				line = entity.Line{By: m.By, Action: CustomerMerged, Note: m.Into}
			}
			err := c.changeCustomer(ctx, id, line, func(kept *customer.Customer) error {
				if kept.Survivor = m.Into; id == m.From {
					kept.MergedInto = m.Into
				}
				return nil
			})
			if err != nil {
				return err
			}
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
		known := map[string]customer.Customer{}
		for _, m := range a.merged {
			var err error
			if known[m], err = s.Customer(ctx, m); err != nil {
				return err
			}
		}
		if known[id].MergedInto == "" {
			return fault.New(fault.Conflict, "The customer is no longer merged into this one.")
		}
		version, err := s.table.Version(ctx, rowkey.Guard(id))
		if err != nil {
			return err
		}
		c.guard(&account{changeset: c, id: id, version: version})
		for _, m := range a.merged {
			if m != id && !leadsTo(known, m, id) {
				continue
			}
			var line entity.Line
			if m == id {
				line = entity.Line{By: change.By, Action: CustomerUnmerged, Note: change.Customer}
			}
			err := c.changeCustomer(ctx, m, line, func(kept *customer.Customer) error {
				kept.Survivor = id
				if m == id {
					kept.Survivor, kept.MergedInto = "", ""
				}
				return nil
			})
			if err != nil {
				return err
			}
			c.Delete(rowkey.Merged(a.id, m), table.Any)
			if m != id {
				c.Set(entity.Encode(rowkey.Merged(id, m), rowkey.TypeIndex, merged{m}))
			}
		}
		c.Log(rowkey.CustomerTimeline(a.id), entity.Line{By: change.By, Action: CustomerUnmerged, Note: id})
		return nil
	})
}

// leadsTo reports whether a customer was merged into another, directly or by way of others.
func leadsTo(known map[string]customer.Customer, id, into string) bool {
	for range customer.MaxMerged {
		if id = known[id].MergedInto; id == into {
			return true
		}
	}
	return false
}
