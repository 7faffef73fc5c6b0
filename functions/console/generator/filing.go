package generator

import (
	"cmp"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// AsRequest returns the draft as the request that somebody would have filed for it. Sales file it for them where it
// takes something from the customer and nothing on record says who asked.
func (d *Draft) AsRequest(by license.Contact) request.Details {
	l := d.Licenses[0]
	r := request.Details{
		Kind: d.kindAsked(), Edition: l.Edition, Server: l.Server, WantedLoc: l.MaxLoc, Name: by.Name, Email: by.Email,
		ProductVersion: d.productVersion, Company: d.Account.Customer.Name,
	}
	if i := d.Instance; i != nil {
		r.Loc = i.Loc
		r.ProductVersion = cmp.Or(r.ProductVersion, i.ProductVersion)
	}
	switch {
	case r.Kind == request.Replacement:
		r.Environment = request.ProductionUse
		if l.Type == license.Staging {
			r.Environment = request.StagingUse
		}
		r.Replaces = d.replacedAsked()
		if string(l.Server) == r.Replaces {
			r.OldServer = request.OldSame
		}
	case r.Kind == request.Staging:
		r.Replaces = string(d.StagingFor())
	case d.Instance != nil:
		r.Replaces = d.replacedAsked()
	}
	return r
}

func (d *Draft) kindAsked() request.Kind {
	switch {
	case d.Kind != request.New:
		return d.Kind
	case d.Licenses[0].Type == license.Evaluation:
		return request.Evaluation
	case d.Licenses[0].Type == license.Staging:
		return request.Staging
	}
	return request.New
}

// replacedAsked is the server ID that the instance has now.
func (d *Draft) replacedAsked() string {
	if d.Instance == nil {
		return ""
	}
	return string(d.Instance.Server())
}

// Speakers lists the contacts who may speak for all that the draft is about, in the order in which they are written to.
func (d *Draft) Speakers() (list []license.Contact) {
	if d.Account == nil {
		return nil
	}
	c, now := d.charge(), d.generator.Now()
	c.Contract = true
	for _, contact := range d.Account.Approvers(customer.Asker{Instance: c.Instances[0]}, now) {
		c := c
		c.Revoked, c.Moved, c.To = nil, false, contact.Email
		speaks := !d.Account.Charges(c, now) // a key may go to who speaks for its instances
		if speaks {
			list = append(list, license.Contact{Name: contact.Name, Email: contact.Email})
		}
	}
	return list
}
