package generator

import (
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// contractUse is what a form does about contracts: the part of Form.Contract before the colon.
type contractUse string

const (
	noContract     contractUse = ""       // for evaluations
	contractNew    contractUse = "new"    // made of what was chosen
	contractAsIs   contractUse = "under"  // the licenses are under an existing one
	contractRenews contractUse = "renew"  // a new one that renews an existing one
	contractAmends contractUse = "change" // an existing one gets the terms of the licenses
)

// Values of Form.Contract.
const (
	NewContract = string(contractNew)
)

// UnderContract, RenewContract and ChangeContract are the values of Form.Contract for an existing contract.
func UnderContract(id string) string  { return string(contractAsIs) + ":" + id }
func RenewContract(id string) string  { return string(contractRenews) + ":" + id }
func ChangeContract(id string) string { return string(contractAmends) + ":" + id }

// parseContract splits a value of Form.Contract into the use and the ID of the existing contract.
func parseContract(s string) (use contractUse, id string) {
	before, id, _ := strings.Cut(s, ":")
	return contractUse(before), id
}

func (f Form) contractUse() contractUse {
	use, _ := parseContract(f.Contract)
	return use
}

// contractInEffect returns the existing contract that the form names, or with whose terms the draft begins; nil if
// there is none.
func (d *Draft) contractInEffect() *customer.Contract {
	if d.Account == nil {
		return nil
	}
	_, id := parseContract(d.Form.Contract)
	return d.Account.Contract(id)
}

// defaultContract returns the form's value for the contract that the licenses are most likely under. wanted is the ID
// of the contract whose instances get the keys that they lack; "" for none.
func (d *Draft) defaultContract(wanted string) string {
	if d.formType() == license.Evaluation {
		return string(noContract)
	}
	if d.Account == nil {
		return NewContract
	}
	if wanted != "" {
		return UnderContract(wanted)
	}
	k := d.contractOfInstance()
	if k == nil {
		return d.contractWithRoom()
	}
	switch d.Kind {
	case request.Renewal:
		if renewal := d.renewalOf(k.ID); renewal != nil {
			return UnderContract(renewal.ID)
		}
		if d.Old != nil && k.Ended.IsZero() && d.Old.Expiration.Before(k.Last) {
			return UnderContract(k.ID) // the contract goes on: its next key
		}
		return RenewContract(k.ID)
	case request.Upgrade:
		return ChangeContract(k.ID)
	case request.New:
		return d.contractWithRoom()
	}
	return UnderContract(k.ID)
}

// contractOfInstance returns the contract of the license that the draft is about, or of the production that a staging
// instance mirrors; nil if there is none.
func (d *Draft) contractOfInstance() *customer.Contract {
	if d.Old != nil && d.Old.Contract != "" {
		return d.Account.Contract(d.Old.Contract)
	}
	if d.formType() == license.Staging {
		if from := d.Account.Instance(d.defaultProduction()); from != nil {
			if l, ok := from.Current(d.today); ok {
				return d.Account.Contract(l.Contract)
			}
		}
	}
	return nil
}

// contractWithRoom returns the form's value for an active contract under which another instance has room, or for a new
// one.
func (d *Draft) contractWithRoom() string {
	for _, k := range d.Account.Contracts {
		used := d.Account.Use(k.ID, d.today)
		room := used.Production < k.Production
		if d.formType() == license.Staging {
			room = used.Staging < k.Staging && k.StagingAllowed()
		}
		if room && k.Active(d.today) {
			return UnderContract(k.ID)
		}
	}
	return NewContract
}

// renewalOf returns the contract that renews another; nil if there is none.
func (d *Draft) renewalOf(id string) *customer.Contract {
	for i := range d.Account.Contracts {
		if k := &d.Account.Contracts[i]; k.Renews == id && k.Ended.IsZero() {
			return k
		}
	}
	return nil
}

// Followers lists the instances that get licenses along with the first one: those under the same contract that is
// renewed or changed as a whole, or those that lack the contract's keys.
func (d *Draft) Followers() (list []customer.Instance) {
	use, id := parseContract(d.Form.Contract)
	if d.Account == nil || id == "" {
		return nil
	}
	switch use {
	case contractRenews, contractAmends:
		for _, i := range d.Account.Instances {
			l, ok := underContract(i, id)
			if ok && i.InUse() && (use == contractRenews || l.Valid(d.today)) {
				list = append(list, i)
			}
		}
	case contractAsIs:
		list = d.lacking(id)
	}
	without := list[:0]
	for _, i := range productionFirst(list) {
		if d.Instance == nil || i.ID != d.Instance.ID {
			without = append(without, i)
		}
	}
	return without
}

// lacking lists the instances that lack a key under the contract: one of its present terms, or else, where they have
// all of those, the next one. Of the next keys those are left out that are due more than two months later.
func (d *Draft) lacking(contract string) []customer.Instance {
	switch d.Kind {
	case request.Replacement, request.Staging, request.New, request.Evaluation:
		return nil
	}
	if list := d.Account.Outstanding(contract, d.today); len(list) > 0 {
		return list
	}
	return slices.DeleteFunc(d.Account.NextKeys(contract, d.today), func(i customer.Instance) bool {
		last, _ := underContract(i, contract)
		return d.Old != nil && last.Expiration.After(d.Old.Expiration.AddMonths(2))
	})
}

func containsInstance(list []customer.Instance, id string) bool {
	for _, i := range list {
		if i.ID == id {
			return true
		}
	}
	return false
}

// underContract returns the license of an instance under a contract that ends last; ok is false without one.
func underContract(i customer.Instance, contract string) (found customer.License, ok bool) {
	for _, l := range i.Licenses {
		if l.Contract == contract && l.Revoked.IsZero() && (!ok || l.Expiration.After(found.Expiration)) {
			found, ok = l, true
		}
	}
	return found, ok
}

// inForce returns the valid license of an instance under a contract whose place a new one takes: the present one, or
// else the one that ends last; ok is false without one.
func (d *Draft) inForce(i customer.Instance, contract string) (found customer.License, ok bool) {
	if l, ok := i.Current(d.today); ok && l.Contract == contract && l.Valid(d.today) {
		return l, true
	}
	found, ok = underContract(i, contract)
	return found, ok && found.Valid(d.today)
}

// continues reports whether a contract is another one or renews it, directly or by way of others.
func (d *Draft) continues(contract, other string) bool {
	for range d.Account.Contracts {
		if contract == other {
			return true
		}
		k := d.Account.Contract(contract)
		if k == nil {
			return false
		}
		contract = k.Renews
	}
	return contract == other
}
