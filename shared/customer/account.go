package customer

import "slices"

// Account is everything on record about a customer, with those that were merged into it. Requests are kept apart.
type Account struct {
	Customer  Customer // the survivor, if it was merged
	Merged    []Customer
	Contracts []Contract // in the order of their IDs, which is that of their making
	Instances []Instance // in the order of their IDs
	// Version changes with every change of the customer, its contracts, instances and licenses.
	Version int64
}

// Instance returns the instance with the ID; nil if there is none.
func (a *Account) Instance(id string) *Instance {
	i := slices.IndexFunc(a.Instances, func(i Instance) bool { return i.ID == id })
	if i < 0 {
		return nil
	}
	return &a.Instances[i]
}

// Contract returns the contract with the ID; nil if there is none.
func (a *Account) Contract(id string) *Contract {
	i := slices.IndexFunc(a.Contracts, func(c Contract) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &a.Contracts[i]
}

// InstanceOf returns the instance of a license; nil if there is none.
func (a *Account) InstanceOf(licenseID string) *Instance {
	i := slices.IndexFunc(a.Instances, func(i Instance) bool {
		return slices.ContainsFunc(i.Licenses, func(l License) bool { return l.ID == licenseID })
	})
	if i < 0 {
		return nil
	}
	return &a.Instances[i]
}

// IsOf reports whether the account is that of a customer, or of the one that it was merged into.
func (a *Account) IsOf(id string) bool { return a.Customer.ID == id || a.has(id) }

// Customers returns the survivor and those that were merged into it, in that order.
func (a *Account) Customers() []Customer { return append([]Customer{a.Customer}, a.Merged...) }

// Keepers returns the customer with whom something of the account is kept, and the survivor if that is another one: in
// this order their contacts are written to about it (Readers).
func (a *Account) Keepers(id string) []Customer {
	i := slices.IndexFunc(a.Merged, func(c Customer) bool { return c.ID == id })
	if i < 0 {
		return []Customer{a.Customer}
	}
	return []Customer{a.Merged[i], a.Customer}
}
