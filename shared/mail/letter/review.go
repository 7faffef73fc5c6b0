package letter

import (
	"fmt"

	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// RequestQuestion asks a customer what sales need to know (r.Question, as typed) before they can continue with a
// request.
func (w Writer) RequestQuestion(id string, r request.Request) mail.Message {
	return w.review(id, r, review{
		kind:  mail.RequestQuestion,
		title: "A question about your license request",
		topic: "We have a question about your license request",
		intro: "Our sales team needs an answer from you before we can continue with your license request. " +
			"Please answer on the page of the request, or reply to this email.",
		quotation: quotation{"Question from our sales team:", splitLines(r.Question)},
		notes: []note{{
			Title: "How to answer",
			Text: w.contactSales("the reference "+string(r.Reference)) +
				" If you no longer need the license, just tell us.",
		}},
	})
}

// RequestRejected tells a customer that a request was declined, and why (r.Reason, as typed).
func (w Writer) RequestRejected(id string, r request.Request) mail.Message {
	return w.review(id, r, review{
		kind:      mail.RequestRejected,
		title:     "Your license request was declined",
		topic:     "Your license request was declined",
		intro:     "We are sorry, but we cannot issue the license that you requested.",
		quotation: quotation{"Reason from our sales team:", splitLines(r.Reason)},
		notes: []note{
			{Title: "Disagree, or have a question?", Text: w.contactSales("the reference " + string(r.Reference))},
			w.newRequest(r, "Has anything changed, or do you need a different license?"),
		},
	})
}

// RequestWithdrawn tells a customer that a request was withdrawn, and why (r.Reason, as typed).
func (w Writer) RequestWithdrawn(id string, r request.Request) mail.Message {
	return w.review(id, r, review{
		kind:      mail.RequestWithdrawn,
		title:     "Your license request was withdrawn",
		topic:     "Your license request was withdrawn",
		intro:     "Your license request was withdrawn. We will take no further action and will not send a key for it.",
		quotation: quotation{"Reason from our sales team:", splitLines(r.Reason)},
		notes: []note{
			{Title: "Have a question?", Text: w.contactSales("the reference " + string(r.Reference))},
			w.newRequest(r, "Still need a license?"),
		},
	})
}

// review is a letter about what sales did with a request.
type review struct {
	kind         mail.Kind
	title, topic string // of the body and of the subject
	intro        string
	quotation    quotation // what the operator wrote
	notes        []note
}

// review writes to the customer of a request. Until the address is confirmed, it repeats nothing that was typed with
// it; what the operator wrote is quoted as typed.
func (w Writer) review(id string, r request.Request, v review) mail.Message {
	reference, asked := w.customerFacts(r)
	return w.compose(w.toCustomer(id, v.kind, r, v.topic), content{
		Title:     v.title,
		Preview:   fmt.Sprintf("%s, requested on %s.", r.Edition.Name(), instant(r.Created)),
		Intro:     []string{v.intro},
		Statement: v.quotation,
		Facts:     append([]fact{reference, {"Received", instant(r.Created)}}, asked...),
		Lead:      "The request page has all the details. The link is private: anyone who has it can see the request.",
		Action:    link{"View the request", w.StatusURL(r)},
		Notes:     v.notes,
		Footer:    []string{w.whyToRequester() + " If this wasn't you, please tell us: " + w.Sales.Email + "."},
	})
}

// newRequest invites to a new request, for the same server if the address is confirmed: the link has what was typed.
func (w Writer) newRequest(r request.Request, title string) note {
	if !r.AddressConfirmed() {
		return note{Title: title, Text: "You can send a new request at any time.",
			Links: []link{{"Send a new request", w.URL + "/request"}}}
	}
	return note{
		Title: title,
		Text: "You can send a new request at any time. " +
			"The form opens with your server ID and lines of code filled in.",
		Links: []link{{"Send a new request", w.requestURL(r.Edition, r.Server, r.Loc, r.Kind)}},
	}
}
