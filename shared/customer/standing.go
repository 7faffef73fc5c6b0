package customer

import (
	"slices"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/request"
)

// Standing is what is known of who asks, as far as it says whether they may speak for a customer.
type Standing string

// Every standing. Each but Linked says more than those after it.
const (
	// Linked: the request came through a link that was mailed to a contact, and its mailbox was not confirmed. It is
	// good for renewing the license of the link, with the key to contacts on record.
	Linked Standing = "linked"
	// Proven: a contact said that the request is theirs; or it came through a link that was mailed to a contact, and
	// that mailbox was confirmed.
	Proven Standing = "proven"
	// KnownContact: the mailbox was confirmed for this request, and is that of a contact in effect.
	KnownContact Standing = "contact"
	// Colleague: the mailbox was confirmed for this request, and is at a mail domain of the customer alone, or that of
	// a contact who is not in effect yet or speaks for other instances.
	Colleague Standing = "colleague"
	// Stranger: anything else.
	Stranger Standing = "stranger"
)

// NewContactDays is how many days a contact speaks for nothing, unless a colleague of ours vouches for the person.
const NewContactDays = 7

// Asker is who asks, at the customer of an account.
type Asker struct {
	Request request.Request
	// Instance is the ID of the instance that the request is about; "" if it is about none on record.
	Instance string
	// DomainShared is set if another customer has the mail domain of the request as well.
	DomainShared bool
}

// Effect is when a contact whom nobody vouches for begins to speak for the customer.
func (c Contact) Effect() time.Time { return c.Since.AddDate(0, 0, NewContactDays) }

// InEffect reports whether a contact may speak for the customer: after NewContactDays, or once vouched for.
func (c Contact) InEffect(now time.Time) bool { return c.VouchedBy != "" || !now.Before(c.Effect()) }

// SpeaksFor reports whether a contact may say something about an instance; "" is the customer as a whole.
func (c Contact) SpeaksFor(instance string, now time.Time) bool {
	return c.InEffect(now) && (len(c.Instances) == 0 || slices.Contains(c.Instances, instance))
}

// Standing judges who asks.
func (a *Account) Standing(who Asker, now time.Time) Standing {
	r := who.Request
	confirmed := !r.Confirmed.IsZero()
	linked := r.Link != nil && a.speaker(r.Link.Contact, who.Instance, now)
	switch {
	case a.approved(who, now):
		return Proven
	case confirmed && linked && input.SameMailbox(r.Email, r.Link.Contact):
		return Proven
	case confirmed && a.speaker(r.Email, who.Instance, now):
		return KnownContact
	case confirmed && (a.OfDomain(r.Email) && !who.DomainShared || a.IsContact(r.Email)):
		return Colleague
	case r.Link != nil && a.binds(r):
		return Linked
	}
	return Stranger
}

// binds reports whether the link of a request was sent to a contact about a license of the customer, and the request
// asks for no more than the link allows.
func (a *Account) binds(r request.Request) bool {
	i := a.InstanceOf(r.Link.License)
	return i != nil && a.IsContact(r.Link.Contact) && r.Link.Binds(r.Details, i.Server())
}

// Approvers returns the contacts whose yes counts for a request: who speak for the instance and did not ask
// themselves, in the order in which they are written to, without those named twice.
func (a *Account) Approvers(who Asker, now time.Time) (list []Contact) {
	for _, c := range a.contactsOf(who.Instance) {
		same := func(have Contact) bool { return input.SameMailbox(have.Email, c.Email) }
		if c.SpeaksFor(who.Instance, now) && !input.SameMailbox(c.Email, who.Request.Email) &&
			!slices.ContainsFunc(list, same) {
			list = append(list, c)
		}
	}
	return list
}

// approved reports whether a contact, who may, said yes to the request, and none said no. They were asked for the
// customer that the request is linked to: what they say about that one says nothing about another.
func (a *Account) approved(who Asker, now time.Time) bool {
	if !a.IsOf(who.Request.Customer) {
		return false
	}
	yes := false
	for _, answer := range who.Request.Answers {
		same := func(c Contact) bool { return input.SameMailbox(c.Email, answer.By) }
		if !slices.ContainsFunc(a.Approvers(who, now), same) {
			continue
		}
		if !answer.Yes {
			return false
		}
		yes = true
	}
	return yes
}

// IsContact reports whether an address is that of a contact of the customer, or of one that was merged into it.
func (a *Account) IsContact(email string) bool {
	return slices.ContainsFunc(a.Contacts(), func(c Contact) bool { return input.SameMailbox(c.Email, email) })
}

// Contact returns the contact with the address: the one who has been one the longest, if merged customers have the
// same. ok is false if there is none.
func (a *Account) Contact(email string) (found Contact, ok bool) {
	for _, c := range a.Contacts() {
		if input.SameMailbox(c.Email, email) && (!ok || c.Since.Before(found.Since)) {
			found, ok = c, true
		}
	}
	return found, ok
}

// speaker reports whether an address is that of a contact who speaks for an instance.
func (a *Account) speaker(email, instance string, now time.Time) bool {
	return slices.ContainsFunc(a.contactsOf(instance), func(c Contact) bool {
		return input.SameMailbox(c.Email, email) && c.SpeaksFor(instance, now)
	})
}

// contactsOf lists the contacts who may speak for an instance: those of its customer, and of the survivor if that was
// merged. A contact of a merged customer never speaks for what others had.
func (a *Account) contactsOf(instance string) (list []Contact) {
	keepers := []Customer{a.Customer}
	if i := a.Instance(instance); i != nil {
		keepers = a.Keepers(i.Customer)
	}
	for _, c := range keepers {
		list = append(list, c.Contacts...)
	}
	return list
}

// Contacts lists every contact, the survivor's first.
func (a *Account) Contacts() (list []Contact) {
	for _, c := range a.Customers() {
		list = append(list, c.Contacts...)
	}
	return list
}

// OfDomain reports whether an address is at a mail domain of the customer.
func (a *Account) OfDomain(email string) bool {
	return slices.ContainsFunc(a.Customers(), func(c Customer) bool {
		return slices.Contains(c.Domains, DomainOf(email))
	})
}
