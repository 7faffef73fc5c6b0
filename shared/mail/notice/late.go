package notice

import (
	"fmt"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// RequestLate tells the reviewer of a request that it is late.
func RequestLate(r request.Request, to license.Contact) Notice {
	n := late(r, mail.RequestLate, "late")
	n.To = to
	return n
}

// RequestLateSales tells sales that a request is late.
func RequestLateSales(r request.Request) Notice { return late(r, mail.RequestLateSales, "late-sales") }

// late makes one notice of a kind for each deadline.
func late(r request.Request, kind mail.Kind, what string) Notice {
	return Notice{
		ID: id(r.ID, fmt.Sprintf("%s-%d", what, r.Due.UnixMilli())), Kind: kind, About: r.ID,
		Customer: Customer(r.Email), Deadline: r.Due,
	}
}

// pointlessLate says why nobody need be told any more that a request is late.
func (n Notice) pointlessLate(r request.Request) string {
	switch {
	case !r.State.Open():
		return "the request is closed"
	case r.State == request.Waiting:
		return "the request waits for its customer"
	case !r.Due.Equal(n.Deadline):
		return "the request has another deadline"
	case n.Kind == mail.RequestLate && !input.SameMailbox(r.Reviewer, n.To.Email):
		return "somebody else has taken over the request"
	}
	return ""
}
