package letter

import (
	"errors"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
)

// ErasureAsked tells sales that a contact asks to have their personal data erased.
func (w Writer) ErasureAsked(n notice.Notice, r notice.Records) (mail.Message, error) {
	if len(n.Contacts) != 1 || r.Organization == "" {
		return mail.Message{}, errors.New("the person is not in the notice, or the customer not in the records")
	}
	who := n.Contacts[0]
	m := mail.Message{
		ID: n.ID, Kind: mail.ErasureAsked, About: n.About, To: w.Sales, ReplyTo: w.Sales,
		Subject: subject("A contact of %s asks to be erased", r.Organization),
	}
	return w.compose(m, content{
		Title:   "A contact asks to be erased",
		Preview: r.Organization + ": an admin erases the person in the console.",
		Intro: []string{"A contact asked in their account to have their personal data erased. An admin does it in " +
			"the console, which shows what changes first. The law gives us one month."},
		Facts:  personFacts("Contact", n, References{Customer: r.Customer}),
		Lead:   "If the company has no other contact, add one first: nobody is reminded of its licenses otherwise.",
		Action: link{"Open in the console", w.URL + "/console/erase"},
		Footer: []string{"The person was signed in as " + who.Email + "."},
	}), nil
}
