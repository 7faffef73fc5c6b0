package letter

import (
	"fmt"
	"net/url"
	"slices"

	"marketplace/shared/input"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

// RequestUpdated tells sales that a customer answered our question, corrected the request or cancelled it. Replies go
// to the customer.
func (w Writer) RequestUpdated(n notice.Notice, r request.Request) (mail.Message, error) {
	title, next := "The customer cancelled request", "There is nothing left to do."
	var said quotation
	switch {
	case n.Update == notice.Answered && r.Response == nil:
		return mail.Message{}, fmt.Errorf("the answer to request %s is not in the records", r.ID)
	case n.Update == notice.Answered:
		title = "The customer answered about request"
		next = fmt.Sprintf("The review goes on, and a reply is due by %s.", w.Hours.Deadline(r.Due))
		said = quotation{"Answer from the customer:", splitLines(r.Response.Text)}
	case n.Update == notice.Corrected:
		title = "The customer corrected request"
		next = "These are the details as they are now. What contacts or colleagues said about the earlier ones no " +
			"longer counts."
	}
	if n.Update != notice.Cancelled && !r.AddressConfirmed() {
		next += " Nobody has confirmed that this came from the email address: anyone with the link to the request " +
			"can do it."
	}
	m := mail.Message{
		ID: n.ID, Kind: mail.RequestUpdated, About: r.ID, To: w.Sales,
		ReplyTo: mail.Address{Name: input.OneLine(r.Name, mail.MaxName), Email: r.Email},
		Subject: subject("%s %s: %s", title, r.Reference, r.Company),
	}
	return w.compose(m, content{
		Title:     title + " " + string(r.Reference),
		Preview:   fmt.Sprintf("%s, %s, %s", r.Kind, r.Edition.Name(), r.Company),
		Intro:     []string{next},
		Statement: said,
		Facts: slices.Concat([]fact{{"Reference", string(r.Reference)}}, w.detailFacts(r.Details), []fact{
			{"Company", r.Company},
			{"Name", r.Name},
			{"Email", r.Email},
			{"Phone", r.Phone},
		}),
		Message: messageOf(n, r),
		Action:  link{"Open in the console", w.URL + "/console/requests/" + url.PathEscape(r.ID)},
		Footer:  []string{whoGetsReplies(m)},
	}), nil
}

// messageOf is the message of a request that was corrected.
func messageOf(n notice.Notice, r request.Request) quotation {
	if n.Update != notice.Corrected {
		return quotation{}
	}
	return quotation{"Message from the customer:", splitLines(r.Message)}
}

// RequestCancelled tells the address of a request that it was cancelled there or by a colleague.
func (w Writer) RequestCancelled(id string, r request.Request) mail.Message {
	return w.review(id, r, review{
		kind:  mail.RequestWithdrawn,
		title: "Your license request was cancelled",
		topic: "Your license request was cancelled",
		intro: "You, or a colleague who has the link to the request, cancelled it. We will take no further action " +
			"and will not send a key for it.",
		notes: []note{
			{Title: "Didn't expect this?", Text: w.contactSales("the reference " + string(r.Reference))},
			w.newRequest(r, "Still need a license?"),
		},
	})
}
