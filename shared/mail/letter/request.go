package letter

import (
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// RequestReceived confirms a license request to the customer. A stranger may have sent the request under the
// customer's address, so the letter repeats no free text: no message, no company, and a name or an ID only where it
// looks like one.
func (w Writer) RequestReceived(id string, r request.Request) mail.Message {
	return w.compose(w.toCustomer(id, mail.RequestReceived, r, "License request received"), content{
		Title:   "We received your license request",
		Preview: fmt.Sprintf("%s. We will reply by %s.", r.Edition.Name(), r.Deadline()),
		Intro: []string{
			fmt.Sprintf("We received your request for a SonarQube license on %s.", instant(r.Created)),
			fmt.Sprintf("Our sales team will review it and email you at this address within one business day, by %s.",
				r.Deadline()),
		},
		Facts:  append([]fact{{"Reference", string(r.Reference)}}, detailFacts(withoutFreeText(r))...),
		Lead:   "You can track your request at any time. The link is private: anyone who has it can see the request.",
		Action: link{"Track your request", w.StatusURL(r)},
		Notes: []note{{
			Title: "Something wrong, or have a question?",
			Text:  w.contactSales("the reference"),
		}},
		Footer: []string{
			w.whyToRequester() + " If this wasn't you, ignore this email: " +
				"our sales team checks every request before we send a key.",
		},
	})
}

// toCustomer begins a message about a request, from sales to the customer.
func (w Writer) toCustomer(id string, kind mail.Kind, r request.Request, topic string) mail.Message {
	return mail.Message{
		ID: id, Kind: kind, About: r.ID,
		To: mail.Address{Name: mail.PersonName(r.Name), Email: r.Email}, Greeting: mail.Greeting(r.Name),
		ReplyTo: w.Sales, Subject: subject("%s: %s (%s)", topic, r.Edition.Name(), r.Reference),
	}
}

// whyToRequester says why the mail went to the address of a request.
func (w Writer) whyToRequester() string {
	return "You received this email because someone requested a license on " + w.URL + " with this address."
}

// withoutFreeText returns the details of a request with the ID alone of a replaced license, and without what is more
// than an ID.
func withoutFreeText(r request.Request) request.Details {
	named := license.ReadReference(r.Replaces)
	r.Replaces = strings.TrimRight(named.Text(), ".")
	if !named.Alone || !identifier().MatchString(r.Replaces) {
		r.Replaces = ""
	}
	return r.Details
}

// RequestNew tells sales of a new license request, with all that the customer said. Replies go to the customer.
func (w Writer) RequestNew(id string, r request.Request) mail.Message {
	m := mail.Message{
		ID: id, Kind: mail.RequestNew, About: r.ID,
		To: w.Sales, ReplyTo: mail.Address{Name: input.OneLine(r.Name, mail.MaxName), Email: r.Email},
		Subject: subject("New license request %s: %s, %s, %s", r.Reference, r.Kind, r.Edition.Name(), r.Company),
	}
	return w.compose(m, content{
		Title:   "New license request",
		Preview: fmt.Sprintf("Due by %s. %s, %s, %s", r.Deadline(), r.Kind, r.Edition.Name(), r.Company),
		Intro:   []string{fmt.Sprintf("A customer is waiting for a reply, due by %s.", r.Deadline())},
		Facts: slices.Concat([]fact{
			{"Reference", string(r.Reference)},
			{"Received", instant(r.Created)},
			{"Reply due by", r.Deadline()},
		}, detailFacts(r.Details), []fact{
			{"Company", r.Company},
			{"Country", r.Country},
			{"Name", r.Name},
			{"Email", r.Email},
			{"Phone", r.Phone},
			{"Further contacts", strings.Join(r.Contacts, ", ")},
		}),
		Message: quotation{"Message from the customer:", splitLines(r.Message)},
		Action:  link{"Open in the console", w.URL + "/console/requests/" + r.ID},
		Footer: []string{
			"The details are as the customer entered them; nobody has verified them. " + whoGetsReplies(m),
		},
	})
}

// whoGetsReplies says whether a reply reaches the customer: of an address that mail cannot be sent to, only the text
// tells.
func whoGetsReplies(m mail.Message) string {
	if _, err := m.ReplyTo.Mailbox(); err != nil {
		return "Email cannot be sent to the customer's address: do not reply to this email, reach them another way."
	}
	return "Replies to this email go to the customer."
}

// detailFacts lists what a customer requests.
func detailFacts(d request.Details) []fact {
	return []fact{
		{"Request", d.Kind.Name()},
		{"Edition", d.Edition.Name()},
		{"Server ID", string(d.Server)},
		{"Lines of code", license.Lines(d.Loc)},
		{"Lines of code to license", d.Wanted()},
		{"SonarQube version", d.ProductVersion},
		{"Related license or server", d.Replaces},
		{"Server use", string(d.Environment)},
		{"Old server", d.OldServer.Name()},
	}
}
