package notice

import (
	"fmt"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// RequestReceivedAgain confirms a request to its address once more, or to a corrected one, or has it confirmed. what
// tells one sending from another.
func RequestReceivedAgain(r request.Request, what string) Notice {
	return toAddress(r, mail.RequestReceived, "received-"+what)
}

// RequestsToConfirm asks the address of a request to confirm that one and the others that it was sent no email about.
// what tells one sending from another.
func RequestsToConfirm(r request.Request, what string) Notice {
	return toAddress(r, mail.RequestsToConfirm, "to-confirm-"+what)
}

// RequestConfirmed is for us: a request is confirmed, or needs no confirmation. It expands to RequestNew, and to a
// RequestAsk for each contact who has to be asked.
func RequestConfirmed(r request.Request) Notice {
	what := "confirmed"
	if r.Confirmed.IsZero() {
		what = "filed"
	}
	return Notice{
		ID: id(r.ID, what+afterCorrections(r)), Kind: mail.RequestConfirmed, About: r.ID, Customer: Customer(r.Email),
	}
}

// RequestAsk asks a contact whether a request is theirs. nonce is the secret of the link to the answer.
func RequestAsk(r request.Request, to license.Contact, nonce string) Notice {
	what := fmt.Sprintf("ask-%d-%s", r.Asked.UnixMilli(), mail.RecipientID(to.Email))
	return Notice{
		ID: id(r.ID, what), Kind: mail.RequestAsk, About: r.ID, To: to, Customer: Customer(to.Email), Nonce: nonce,
	}
}

// RequestAnswered tells sales what a contact answered.
func RequestAnswered(r request.Request, a request.Answer) Notice {
	what := fmt.Sprintf("answer-%d-%s", a.At.UnixMilli(), mail.RecipientID(a.By))
	return Notice{
		ID: id(r.ID, what), Kind: mail.RequestAnswered, About: r.ID, Customer: Customer(r.Email), Author: a.By,
	}
}

// RequestsOfDomain tells sales, once a day, that unusually many unconfirmed requests come from a mail domain: that of
// the request.
func RequestsOfDomain(r request.Request, day license.Date) Notice {
	return Notice{
		ID: id(r.ID, "domain-"+day.String()), Kind: mail.RequestsOfDomain, About: r.ID, Customer: Customer(r.Email),
	}
}
