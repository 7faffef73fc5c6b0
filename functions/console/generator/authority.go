package generator

import (
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/store/search"
)

// Asker is who asks for the draft's licenses.
func (d *Draft) Asker() customer.Asker {
	if d.Request == nil || d.Account == nil {
		return customer.Asker{}
	}
	who := customer.Asker{Request: *d.Request, DomainShared: search.DomainShared(d.Candidates, d.Account)}
	if d.Instance != nil {
		who.Instance = d.Instance.ID
	}
	return who
}

// charge is what the draft does to the customer.
func (d *Draft) charge() customer.Charge {
	c := customer.Charge{Server: d.Licenses[0].Server, To: d.To.Email}
	for _, l := range d.Licenses {
		c.Contract = c.Contract || l.Contract != ""
	}
	if d.missing {
		return c // that the contract changed was permitted before, and what it replaces with it
	}
	for _, l := range d.Changes.Replaced {
		c.Revoked = append(c.Revoked, l.ID)
	}
	return c
}

// Permission says whether an operator may issue the draft, as far as it depends on who asks.
func (d *Draft) Permission(operator string) customer.Permission {
	if d.Account == nil {
		return customer.Free // a new customer's first asker becomes its first contact
	}
	return d.Account.Permit(d.Asker(), d.charge(), operator, d.generator.Now())
}

// Barred says why an operator may not issue the draft, as an error with a sentence; nil if nothing bars it.
func (d *Draft) Barred(operator string) error {
	if d.generator.OneOperator || d.Account == nil {
		return nil // checkAuthority asks for a confirmation
	}
	name := d.Account.Customer.Name
	switch d.Permission(operator) {
	case customer.NeedsVouch:
		return fault.New(fault.Forbidden, "%s. No contact of %s has said that this request is theirs. Ask the contacts, "+
			"or have a colleague vouch for it on the request's page.", d.takes(), name)
	case customer.NeedsOther:
		return fault.New(fault.Forbidden, "%s. You vouched for this request, so another colleague has to issue it.",
			d.takes())
	case customer.NeedsRequest:
		return fault.New(fault.Forbidden, "%s. Nothing is on record about who asked for it. File it as a request first, so "+
			"that a contact of %s can say yes, or a colleague can vouch for it.", d.takes(), name)
	}
	return nil
}

// takes says what the draft takes from the customer, as a sentence without its full stop.
func (d *Draft) takes() string {
	c := d.charge()
	if len(c.Revoked) > 0 {
		return "This revokes a license of " + d.Account.Customer.Name
	}
	return "The key of " + d.Account.Customer.Name + " would go to " + c.To + ", who is not a contact"
}

// checkAuthority asks an operator who works alone to confirm what otherwise takes a second person.
func (d *Draft) checkAuthority() {
	if d.generator.OneOperator && !d.Permission("").Granted() {
		d.warn(OnOwnWord, "%s. No contact has said that they asked for it, and nobody else vouches for it.", d.takes())
	}
}
