package letter

import (
	"fmt"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// RequestsUnconfirmed tells sales of license requests that nobody has confirmed, one mail a day. It is about the
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
		Preview: fmt.Sprintf("%d that nobody has confirmed.", len(list)),
		Intro: []string{
			"Nobody has confirmed these requests yet. Some may come from spam programs, or from people who typed " +
				"someone else's address.",
		},
		Facts: facts,
		Lead: fmt.Sprintf("There is nothing you have to do: a request moves to the queue once it is confirmed, and is "+
			"closed after %d days otherwise.", request.ConfirmDays),
		Action: link{"Open in the console", w.URL + "/console?show=unconfirmed"},
		Footer: []string{"We send this email at most once a day, and list each request once. " +
			"The console lists all unconfirmed requests."},
	})
}
