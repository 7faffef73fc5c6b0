package generator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
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
		i := d.Account.Instance(l.Instance)
		switch {
		case i != nil:
			c.Instances = append(c.Instances, i.ID)
			c.Moved = c.Moved || i.Server() != l.Server
		case l.Type == license.Staging:
			c.Instances = append(c.Instances, d.production)
		default:
			c.Instances = append(c.Instances, "")
		}
	}
	for _, l := range d.Changes.Replaced {
		if !d.renewsKey(l) {
			c.Revoked = append(c.Revoked, l.ID)
		}
	}
	return c
}

// renewsKey reports whether the draft issues the keys that a contract's instances lack, and with them one that takes
// the place of a license and is no less: that the contract changes was permitted before, and what that
// replaces with it.
func (d *Draft) renewsKey(old customer.License) bool {
	if !d.missing || d.Form.contractUse() != contractAsIs {
		return false
	}
	i := d.Account.InstanceOf(old.ID)
	return i != nil && slices.ContainsFunc(d.Licenses, func(l license.License) bool {
		return l.Instance == i.ID && l.Server == i.Server() && l.Type == old.Type && !smaller(l, old) &&
			!l.NotBefore.After(later(d.today, old.NotBefore)) && !l.Expiration.Before(old.Expiration)
	})
}

// Permission says whether an operator may issue the draft, as far as it depends on who asks.
func (d *Draft) Permission(operator string) customer.Permission {
	if d.Account == nil {
		return customer.Free // a new customer's first asker becomes its first contact
	}
	who := d.Asker()
	if d.generator.OneOperator {
		who.Request.Vouch = nil // there is nobody else whose word it could be
	}
	return d.Account.Permit(who, d.charge(), operator, d.generator.Now())
}

// Barred says why an operator may not issue the draft, as a Forbidden fault with a sentence; nil if nothing bars it.
func (d *Draft) Barred(operator string) error {
	if d.generator.OneOperator || d.Account == nil {
		return nil // checkAuthority asks for a confirmation
	}
	switch d.Permission(operator) {
	case customer.NeedsVouch:
		return fault.New(fault.Forbidden, "%s. %s Ask the contacts, or have a colleague vouch for it on the "+
			"request's page.", d.takes(), d.lacks())
	case customer.NeedsOther:
		return fault.New(fault.Forbidden, "%s. You vouched for this request yourself, so another colleague has to "+
			"issue the license.", d.takes())
	case customer.NeedsRequest:
		return fault.New(fault.Forbidden, "%s. Nothing on record says who asked for it. File it as a request first. "+
			"Then a contact can confirm it, or a colleague can vouch for it.", d.takes())
	}
	return nil
}

// takes says what the draft takes from the customer, as a sentence without its full stop.
func (d *Draft) takes() string {
	c, name := d.charge(), d.Account.Customer.Name
	switch {
	case len(c.Revoked) == 1:
		return "This revokes a license of " + name
	case len(c.Revoked) > 1:
		return fmt.Sprintf("This revokes %d licenses of %s", len(c.Revoked), name)
	case c.Moved:
		return "This moves a license of " + name + " to the server " + string(c.Server)
	}
	to, now := "The key of "+name+" would go to "+c.To, d.generator.Now()
	switch known, ok := d.Account.Contact(c.To); {
	case !ok:
		return to + ", who is not a contact"
	case !known.InEffect(now):
		return to + ", who is a new contact and speaks for " + name + " from " +
			longDate(license.DateOf(known.Effect()))
	}
	return to + ", who is a contact for other instances only"
}

// lacks says why nobody's word covers the draft, as a sentence.
func (d *Draft) lacks() string {
	r, c, name := d.Request, d.charge(), d.Account.Customer.Name
	if v := r.Vouch; v != nil {
		by := v.By + " vouched for this request, but "
		switch {
		case !d.Account.IsOf(v.Customer):
			return by + "for another customer."
		case v.Server != c.Server:
			return by + "for the server " + string(v.Server) + ". This license is for " + string(c.Server) + "."
		case slices.ContainsFunc(c.Revoked, func(id string) bool { return !slices.Contains(v.Licenses, id) }):
			return by + "not for revoking every license that this one replaces."
		}
		return by + "not for sending the key to " + c.To + "."
	}
	if standing := d.Account.Standing(d.Asker(), d.generator.Now()); standing == customer.Proven ||
		standing == customer.KnownContact {
		switch {
		case r.Server != c.Server:
			return "A contact asked for the server " + string(r.Server) + ". This license is for " +
				string(c.Server) + "."
		case d.sentElsewhere(c):
			return "A contact asked for the key to go to " + r.Email + ". Here it goes to " + c.To + "."
		}
		return "The contact who asked for it does not speak for all of these instances."
	}
	for _, a := range r.Answers {
		if !a.Yes {
			return a.By + " said that this request is not theirs."
		}
	}
	return "No contact of " + name + " has said that this request is theirs."
}

// sentElsewhere reports whether the keys go neither to a contact nor to the request's address.
func (d *Draft) sentElsewhere(c customer.Charge) bool {
	return c.To != "" && !d.isContact(c.To) && !input.SameMailbox(c.To, d.Request.Email)
}

// checkAuthority asks an operator who works alone to confirm what otherwise takes a second person.
func (d *Draft) checkAuthority() {
	if d.generator.OneOperator && !d.Permission("").Granted() {
		d.warn(OnOwnWord, "%s. No contact has said that they asked for it, and nobody else vouches for it.", d.takes())
	}
}

// Word is whose word it is that a draft takes something from a customer.
type Word struct {
	Colleague string   // the email address of the colleague who vouched; "" for nobody
	Contacts  []string // the email addresses of the contacts who asked for it or said yes
	Yes       bool     // Contacts said yes; else they confirmed the request as their own
	At        time.Time
}

// Word returns on whose word an operator may issue the draft; the zero Word if it takes nothing from anybody, or nobody
// gave it.
func (d *Draft) Word(operator string) (w Word) {
	if d.Account == nil || d.Request == nil {
		return w
	}
	switch d.Permission(operator) {
	case customer.ByVouch:
		return Word{Colleague: d.Request.Vouch.By, At: d.Request.Vouch.At}
	case customer.ByContact:
		return d.contactsWord()
	}
	return w
}

// contactsWord is the word of the contacts who said yes, or else of the one who asked.
func (d *Draft) contactsWord() (w Word) {
	now := d.generator.Now()
	for _, id := range d.charge().Instances {
		who := d.Asker()
		who.Instance = id
		for _, c := range d.Account.Approvers(who, now) {
			for _, a := range d.Request.Answers {
				if a.Yes && input.SameMailbox(a.By, c.Email) && !slices.Contains(w.Contacts, a.By) {
					w.Contacts, w.Yes, w.At = append(w.Contacts, a.By), true, a.At
				}
			}
		}
	}
	if !w.Yes {
		return Word{Contacts: []string{d.Request.Email}, At: d.Request.Confirmed}
	}
	return w
}

// String is the word as a sentence, for the timeline; "" for none.
func (w Word) String() string {
	on := " on " + longDate(license.DateOf(w.At)) + "."
	switch {
	case w.Colleague != "":
		return "Vouched for by " + w.Colleague + on
	case w.Yes:
		return strings.Join(w.Contacts, ", ") + " said yes to this request" + on
	case len(w.Contacts) > 0:
		return w.Contacts[0] + " confirmed this request" + on
	}
	return ""
}

// askedBy lists the addresses of the contacts who need not be told what is issued: who confirmed that they asked for
// it, or said yes. Nobody asked for a contact whom the request does not name, and a yes is not about further contacts.
func (d *Draft) askedBy() (list []string) {
	r, added := d.Request, d.Changes.Contacts
	if d.Account == nil || r == nil || slices.ContainsFunc(added, func(c customer.Contact) bool {
		same := func(email string) bool { return input.SameMailbox(email, c.Email) }
		return !slices.ContainsFunc(r.Contacts, same)
	}) {
		return nil
	}
	who := d.Asker()
	if !r.Confirmed.IsZero() && d.Account.Standing(who, d.generator.Now()) != customer.Stranger {
		list = append(list, r.Email)
	}
	for _, a := range r.Answers {
		if a.Yes && len(added) == 0 {
			list = append(list, a.By)
		}
	}
	return list
}
