package customer

import (
	"marketplace/shared/input"
	"marketplace/shared/request"
)

// SeesRequest reports whether the contact sees a request: their own, unless it is another customer's; and what other
// contacts asked for, about what the contact speaks for. Requests of strangers that sales linked to the customer are
// nobody's here: who sent them has not agreed to be shown.
func (s *Seen) SeesRequest(r request.Request) bool {
	switch {
	case s.OwnsRequest(r):
		return r.Customer == "" || s.IsOf(r.Customer)
	case r.Customer == "" || !s.IsOf(r.Customer) || !r.AddressConfirmed() || !s.IsContact(r.Email):
		return false
	case r.Instance == "":
		return s.Whole
	}
	return s.Instance(r.Instance) != nil
}

// OwnsRequest reports whether the contact sent a request, or somebody typed the contact's address into it.
func (s *Seen) OwnsRequest(r request.Request) bool {
	return input.SameMailbox(r.Email, s.Contact.Email)
}
