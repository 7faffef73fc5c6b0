package customer

import (
	"slices"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Charge is what issuing licenses does to a customer who is on record already.
type Charge struct {
	Revoked []string // IDs of the licenses that are revoked
	// Moved is set if an instance on record gets another server ID than its current one.
	Moved    bool
	Contract bool // the licenses are under a contract: no evaluations
	// Instances are the IDs of those that the licenses are for. A new staging instance counts as the production that it
	// mirrors, any other new one as "".
	Instances []string
	Server    license.Server // of the first license
	To        string         // the address that the keys go to; "" for none
}

// Permission says whether a charge may be done.
type Permission string

// Every permission.
const (
	// Free: the charge takes nothing from anybody.
	Free Permission = "free"
	// ByContact: a contact asked for it, or said yes.
	ByContact Permission = "contact"
	// ByVouch: two colleagues of ours stand for it.
	ByVouch Permission = "vouch"
	// NeedsVouch: nobody who may has asked for it. A contact has to say yes, or a second colleague has to vouch.
	NeedsVouch Permission = "needs vouch"
	// NeedsOther: the colleague who issues is the one who vouched.
	NeedsOther Permission = "needs another colleague"
	// NeedsRequest: there is no request on which anybody could have said so.
	NeedsRequest Permission = "needs a request"
)

// Granted reports whether the charge may be done.
func (p Permission) Granted() bool { return p == Free || p == ByContact || p == ByVouch }

// Charges reports whether a charge takes something from the customer: a license that is revoked or moved, or a key
// under a contract that goes to an address that may not speak for its instances. Who
// has nothing on record loses nothing.
func (a *Account) Charges(c Charge, now time.Time) bool {
	if a.Empty() {
		return false
	}
	return len(c.Revoked) > 0 || c.Moved || c.Contract && !a.receives(c, now)
}

// Empty reports whether nothing is on record but the customer itself.
func (a *Account) Empty() bool {
	contact := func(c Customer) bool { return len(c.Contacts) > 0 }
	return len(a.Contracts) == 0 && len(a.Instances) == 0 && !slices.ContainsFunc(a.Customers(), contact)
}

// receives reports whether the keys go to nobody, or to a contact who speaks for all of the instances.
func (a *Account) receives(c Charge, now time.Time) bool {
	return c.To == "" || all(c.about(a), func(instance string) bool { return a.speaker(c.To, instance, now) })
}

// about returns the IDs of the instances for which somebody has to speak: those of the licenses, new and revoked.
func (c Charge) about(a *Account) []string {
	ids := slices.Clone(c.Instances)
	for _, l := range c.Revoked {
		if i := a.InstanceOf(l); i != nil {
			ids = append(ids, i.ID)
		} else {
			ids = append(ids, "")
		}
	}
	if len(ids) == 0 {
		return []string{""}
	}
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

// Permit decides whether an operator may make a charge for the person who asks; the zero Asker is for no request.
// What a contact asked for covers the server and the address of the request, the instances that the contact speaks
// for, and the contacts on record. A vouch covers what it names.
func (a *Account) Permit(who Asker, c Charge, operator string, now time.Time) Permission {
	r := who.Request
	switch {
	case !a.Charges(c, now):
		return Free
	case r.ID == "":
		return NeedsRequest
	case a.asked(who, c, now):
		return ByContact
	case !a.vouched(r.Vouch, c, now):
		return NeedsVouch
	case input.SameMailbox(r.Vouch.By, operator):
		return NeedsOther
	}
	return ByVouch
}

// asked reports whether contacts who speak for all that a charge is about asked for it, or said yes.
func (a *Account) asked(who Asker, c Charge, now time.Time) bool {
	for _, id := range c.about(a) {
		who.Instance = id
		if standing := a.Standing(who, now); standing != Proven && standing != KnownContact {
			return false
		}
	}
	return c.Server == who.Request.Server && (input.SameMailbox(c.To, who.Request.Email) || a.receives(c, now))
}

// vouched reports whether a vouch covers a charge.
func (a *Account) vouched(v *request.Vouch, c Charge, now time.Time) bool {
	named := func(id string) bool { return slices.Contains(v.Licenses, id) }
	return v != nil && v.By != "" && a.IsOf(v.Customer) && c.Server == v.Server && all(c.Revoked, named) &&
		(input.SameMailbox(c.To, v.Email) || a.receives(c, now))
}

func all(list []string, holds func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !holds(s) })
}
