package letter

import (
	"fmt"

	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// RequestQuestion asks a customer what sales want to know (r.Question, as it was typed) before they go on with a request.
func (w Writer) RequestQuestion(id string, r request.Request) mail.Message {
	return w.review(id, r, review{
		kind:    mail.RequestQuestion,
		title:   "A question about your license request",
		subject: "We have a question about your license request",
		intro:   "To go on with your license request, our sales team needs an answer from you. Please reply to this mail: the request waits until then.",
		said:    "Our sales team asks:",
		text:    r.Question,
		notes: []note{{
			Title: "How to answer",
			Text:  fmt.Sprintf("Reply to this mail, or write to %s and give the reference %s. If you do not want the license any more, say so.", w.Sales.Email, r.ID),
		}},
	})
}

// RequestRejected tells a customer that a request was declined, and why (r.Reason, as it was typed).
func (w Writer) RequestRejected(id string, r request.Request) mail.Message {
	return w.review(id, r, review{
		kind:    mail.RequestRejected,
		title:   "Your license request was declined",
		subject: "Your license request was declined",
		intro:   "We are sorry: we cannot issue the license that you asked for.",
		said:    "Our sales team gives the reason:",
		text:    r.Reason,
		notes:   []note{w.questions(r), w.anew(r, "Has something changed since, or should another license be issued?")},
	})
}

// RequestWithdrawn tells a customer that a request was withdrawn, and why (r.Reason, as it was typed).
func (w Writer) RequestWithdrawn(id string, r request.Request) mail.Message {
	return w.review(id, r, review{
		kind:    mail.RequestWithdrawn,
		title:   "Your license request was withdrawn",
		subject: "Your license request was withdrawn",
		intro:   "Your license request was withdrawn: nothing more happens, and no key will be sent for it.",
		said:    "Our sales team gives the reason:",
		text:    r.Reason,
		notes:   []note{w.questions(r), w.anew(r, "Do you need a license after all?")},
	})
}

// review is what a mail says of what sales did to a request.
type review struct {
	kind           mail.Kind
	title, subject string
	intro          string
	said, text     string // the words of the operator, and whose they are
	notes          []note
}

// review is a mail to the customer of a request. As in NewRequestReceived, it repeats nothing that could carry text of a
// stranger's choice; what the operator wrote stands apart, as it was typed.
func (w Writer) review(id string, r request.Request, v review) mail.Message {
	if !identifier().MatchString(r.Replaces) {
		r.Replaces = ""
	}
	c := content{
		Title:   v.title,
		Preview: fmt.Sprintf("%s, asked for on %s.", r.Edition.Name(), r.Created.UTC().Format(instant)),
		Intro:   []string{v.intro},
		Said:    quotation{v.said, lines(v.text)},
		Facts:   append([]fact{{"Reference", r.ID}, {"Came", r.Created.UTC().Format(instant)}}, asked(r.Details)...),
		Lead:    "All that we know of the request stands on its page. The link is private: whoever has it can see the request.",
		Action:  link{"See the request", w.StatusURL(r)},
		Notes:   v.notes,
		Footer:  []string{"You get this mail because a license was requested on " + w.URL + " with this address. If that was not you, please tell us: " + w.Sales.Email + "."},
	}
	m := mail.Message{
		ID: id, Kind: v.kind, About: r.ID,
		To: mail.Address{Name: mail.PersonName(r.Name), Email: r.Email}, Greeting: mail.Greeting(r.Name), ReplyTo: w.Sales,
		Subject: mail.OneLine(fmt.Sprintf("%s: %s (%s)", v.subject, r.Edition.Name(), r.ID), maxSubject),
	}
	return compose(m, c)
}

func (w Writer) questions(r request.Request) note {
	return note{
		Title: "Do you have a question, or do you see it otherwise?",
		Text:  fmt.Sprintf("Reply to this mail, or write to %s, and give the reference %s.", w.Sales.Email, r.ID),
	}
}

// anew leads to a new request for the same server.
func (w Writer) anew(r request.Request, title string) note {
	return note{
		Title: title,
		Text:  "Send a new request at any time. The form opens with your server ID and lines of code filled in.",
		Links: []link{{"Send a new request", requestURL(w.URL, r.Edition, r.Server, r.Loc, r.Kind)}},
	}
}
