package customer

import (
	"cmp"
	"slices"

	"marketplace/shared/fault"
)

// CheckMerge returns a fault unless a customer, with those that were merged into it, can be merged into another. Both
// are read at the end of their chains, so that no cycle can arise.
func CheckMerge(from, into Account) error {
	switch {
	case from.Customer.ID == into.Customer.ID:
		return fault.New(fault.Invalid, "Choose another customer: a customer cannot be merged into itself.")
	case from.Customer.MergedInto != "" || into.has(from.Customer.ID):
		return fault.New(fault.Conflict, "%s was already merged into another customer.", from.Customer.Name)
	case into.Customer.MergedInto != "" || from.has(into.Customer.ID):
		return fault.New(fault.Conflict, "%s was merged into another customer. Choose that one.", into.Customer.Name)
	case len(into.Merged)+1+len(from.Merged) > MaxMerged:
		return fault.New(fault.Conflict, "At most %d customers can be merged into one.", MaxMerged)
	}
	return nil
}

// has reports whether a customer was merged into that of the account.
func (a *Account) has(id string) bool {
	return slices.ContainsFunc(a.Merged, func(c Customer) bool { return c.ID == id })
}

// Merge returns the customers that change when one is merged into another: the merged one first, then those that were
// merged into it before, whose Survivor changes. CheckMerge allowed it.
func Merge(from, into Account) []Customer {
	changed := make([]Customer, 0, 1+len(from.Merged))
	from.Customer.MergedInto = into.Customer.ID
	for _, c := range append([]Customer{from.Customer}, from.Merged...) {
		c.Survivor = into.Customer.ID
		changed = append(changed, c)
	}
	return changed
}

// Unmerge returns the customers that change when one that was merged stands alone again: that one first, then those
// that were merged into it, which follow it. It is a Conflict fault if the customer is not merged.
func Unmerge(a Account, id string) ([]Customer, error) {
	i := slices.IndexFunc(a.Merged, func(c Customer) bool { return c.ID == id })
	if i < 0 {
		return nil, fault.New(fault.Conflict, "The customer is no longer merged into this one.")
	}
	alone := a.Merged[i]
	alone.MergedInto, alone.Survivor = "", ""
	changed := []Customer{alone}
	for n := 0; n < len(changed); n++ { // each brings those that were merged into it; a chain has an end (CheckMerge)
		for _, c := range a.Merged {
			if c.MergedInto == changed[n].ID && c.ID != id && len(changed) <= len(a.Merged) {
				c.Survivor = id
				changed = append(changed, c)
			}
		}
	}
	slices.SortStableFunc(changed[1:], func(a, b Customer) int { return cmp.Compare(a.ID, b.ID) })
	return changed, nil
}
