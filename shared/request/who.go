package request

import (
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
)

// What is on record about who asks. shared/customer judges it.

// Link is the link in one of our emails through which a request came.
type Link struct {
	Mail    string `json:"mail"`    // the ID of the email
	Contact string `json:"contact"` // the address that it was sent to
	License string `json:"license"` // the ID of the license that it was about; of SignedIn: that the request is about
	// SignedIn: it was the link of a sign-in to the account, where the contact filed the request.
	SignedIn bool `json:"signedIn,omitempty"`
}

// Answer is what a contact of a customer answered when asked whether a request is theirs.
type Answer struct {
	By  string    `json:"by"` // the contact's address
	At  time.Time `json:"at"` // UTC
	Yes bool      `json:"yes"`
}

// Vouch is a colleague's word that a request may be granted although no contact of the customer has said so.
type Vouch struct {
	By       string    `json:"by"` // the colleague's email address
	At       time.Time `json:"at"` // UTC
	Customer string    `json:"customer"`
	// Licenses are the IDs of the licenses that may be revoked, Server is for which one the key may be, and Email where
	// it may go besides the contacts on record.
	Licenses []string       `json:"licenses,omitempty"`
	Server   license.Server `json:"server"`
	Email    string         `json:"email"`
	Note     string         `json:"note,omitempty"` // how the colleague knows
}

// Binds reports whether a request asks for no more than the link allows: to renew, for the server of the license, under
// the address that the link was sent to, with no further contacts.
func (l Link) Binds(d Details, server license.Server) bool {
	return d.Kind == Renewal && d.Server == server && input.SameMailbox(d.Email, l.Contact) && len(d.Contacts) == 0
}

// MayCharge reports whether granting a request of the kind can take something from a customer on record: a license that
// is revoked, a key that goes elsewhere. An evaluation, granted as asked, cannot.
func (k Kind) MayCharge() bool { return k != Evaluation }
