package letter

import (
	"fmt"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// RequestsUnconfirmed tells sales of license requests that programs may have sent, one mail a day. It is about the
// first of them.
func (w Writer) RequestsUnconfirmed(list []request.Summary, today license.Date) mail.Message {
	m := mail.Message{
		ID: "unconfirmed-" + today.String(), Kind: mail.RequestUnconfirmed, About: list[0].ID,
		To: w.Sales, ReplyTo: w.Sales,
		Subject: subject("Unconfirmed license requests: %d", len(list)),
	}
	var facts []fact
	for _, r := range list {
		facts = append(
			facts,
			fact{instant(r.Created), fmt.Sprintf("%s, %s, %s, reference %s",
				input.OneLine(r.Company, request.MaxCompany), r.Kind, r.Edition.Name(), r.Reference)},
		)
	}
	return w.compose(m, content{
		Title:   "Unconfirmed license requests",
		Preview: fmt.Sprintf("%d to look at. Their senders got no confirmation.", len(list)),
		Intro: []string{
			"A hidden field of the form was filled in when these requests were sent. Spam programs do that, and " +
				"sometimes the autofill of a browser does. Nobody was emailed about them.",
		},
		Facts:  facts,
		Lead:   "Review the ones that people sent, and reject the others.",
		Action: link{"Open in the console", w.URL + "/console?show=unconfirmed"},
		Footer: []string{"We send this email at most once a day, and list each request once. " +
			"The console lists all unconfirmed requests."},
	})
}
