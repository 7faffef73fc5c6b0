package notice

import (
	"fmt"

	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// Update is what a customer did to a request.
type Update string

// Every update.
const (
	Answered  Update = "answered"  // our question
	Corrected Update = "corrected" // the details
	Cancelled Update = "cancelled"
)

// ByCustomer is the Author of a notice about what a customer did.
const ByCustomer = "customer"

// RequestUpdated tells sales what the customer did to a request. version is the request's before that.
func RequestUpdated(r request.Request, u Update, version int64) Notice {
	return Notice{
		ID: id(r.ID, fmt.Sprintf("%s-%d", u, version)), Kind: mail.RequestUpdated, About: r.ID,
		Customer: Customer(r.Email), Update: u,
	}
}

// pointlessUpdate says why sales need not be told what a customer did.
func (n Notice) pointlessUpdate(r request.Request) string {
	switch {
	case n.Update == Cancelled:
		return ""
	case !r.State.Open():
		return "the request is closed"
	case n.Update == Answered && r.Response == nil:
		return "sales have asked the customer again"
	}
	return ""
}

// afterCorrections tells the notices about a request that is confirmed again, after a correction, from earlier ones.
func afterCorrections(r request.Request) string {
	if r.Corrections == 0 {
		return ""
	}
	return fmt.Sprintf("-%d", r.Corrections)
}
