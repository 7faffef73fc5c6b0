package customer

import (
	"slices"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
)

// Charge is what issuing licenses does to a customer who is on record already.
type Charge struct {
	Revoked  []string       // IDs of the licenses that are revoked
	Contract bool           // the licenses are under a contract: no evaluations
	Server   license.Server // of the first license
	To       string         // the address that the keys go to; "" for none
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

// Charges reports whether a charge takes something from the customer: a license that is revoked, or a key under a
// contract that goes to an address that is no contact on record.
func (a *Account) Charges(c Charge) bool {
	return len(c.Revoked) > 0 || c.Contract && c.To != "" && !a.IsContact(c.To)
}

// Permit judges whether an operator may do a charge for who asks; the zero Asker is for no request. What a contact asked
// for covers the server and the addresses of the request, and the contacts on record. A vouch covers what it names.
func (a *Account) Permit(who Asker, c Charge, operator string, now time.Time) Permission {
	r := who.Request
	switch {
	case !a.Charges(c):
		return Free
	case r.ID == "":
		return NeedsRequest
	}
	switch a.Standing(who, now) {
	case Proven, KnownContact:
		if c.Server == r.Server && (c.To == "" || a.IsContact(c.To) || input.SameMailbox(c.To, r.Email)) {
			return ByContact
		}
	}
	v := r.Vouch
	switch {
	case v == nil || !a.IsOf(v.Customer) || c.Server != v.Server || !covers(v.Licenses, c.Revoked):
		return NeedsVouch
	case c.To != "" && !a.IsContact(c.To) && !input.SameMailbox(c.To, v.Email):
		return NeedsVouch
	case v.By == operator:
		return NeedsOther
	}
	return ByVouch
}

func covers(named, used []string) bool {
	return !slices.ContainsFunc(used, func(id string) bool { return !slices.Contains(named, id) })
}
