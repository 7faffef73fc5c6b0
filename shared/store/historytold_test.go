package store_test

import (
	"fmt"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
)

// saved notes a customer as it was saved, who of its contacts was removed, and unless nobody is told, what the contacts
// are told of.
func (h *history) saved(after customer.Customer, silent bool) {
	before := h.customers[after.ID]
	has := func(list []customer.Contact, email string) bool {
		for _, c := range list {
			if input.SameMailbox(c.Email, email) {
				return true
			}
		}
		return false
	}
	added, removed := false, false
	after.Removed = nil
	for _, r := range before.Removed {
		if !has(after.Contacts, r.Email) && !has(before.Contacts, r.Email) &&
			!license.DateOf(h.now).After(license.DateOf(r.RemovedAt).AddDays(14)) {
			after.Removed = append(after.Removed, r)
		}
	}
	for _, c := range before.Contacts {
		if !has(after.Contacts, c.Email) {
			removed = true
			after.Removed = append(after.Removed, customer.Removed{Contact: c, RemovedAt: h.now})
		}
	}
	for _, c := range after.Contacts {
		added = added || !has(before.Contacts, c.Email)
	}
	survivor := h.survivor(after.ID)
	of := fmt.Sprint(h.record.guards[survivor])
	if survivor != after.ID {
		of = survivor + "-" + of
	}
	h.customers[after.ID] = after
	if silent {
		return
	}
	if added {
		h.mails = append(h.mails, after.ID+"--contact-added-"+of)
	}
	if removed {
		h.mails = append(h.mails, after.ID+"--contact-removed-"+of)
	}
}

// tellMoves notes that the contacts are told of an issue that replaces licenses for another server ID.
func (d *issueDraw) tellMoves() {
	if d.i.Imported {
		return
	}
	for _, id := range d.i.Replaces {
		old := d.licenses[id]
		if by := d.licenses[old.ReplacedBy]; by.Instance == old.Instance && by.Server != old.Server {
			d.mails = append(d.mails, by.ID+"--moved")
			return
		}
	}
}
