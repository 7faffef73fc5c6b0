package letter

import (
	"fmt"
	"net/url"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
)

// AccountPath is the path of a customer's account within the site.
const AccountPath = "/account"

// SignInURL returns the link that opens the form in which the code of a sign-in is typed.
func (w Writer) SignInURL(n notice.Notice) string {
	return w.URL + AccountPath + "/signin/" + url.PathEscape(n.About) + "?token=" + url.QueryEscape(n.Nonce)
}

// SignInLink sends a contact the link of a sign-in, or says from when on the person may sign in. The link opens nothing
// without the code, which only the page has that asked for the address.
func (w Writer) SignInLink(n notice.Notice, r notice.Records) mail.Message {
	m := mail.Message{
		ID: n.ID, Kind: mail.SignInLink, About: n.About, To: mail.Address{Email: n.To.Email},
		Greeting: mail.Greeting(""), ReplyTo: w.Sales,
	}
	footer := []string{"You received this email because someone entered this address on " + w.URL + AccountPath +
		", and you are a contact for a company's " + w.product() + " licenses."}
	if !r.SignIn.From.IsZero() {
		from := license.DateOf(r.SignIn.From)
		m.Subject = subject("You can sign in from %s", from.Long())
		return w.compose(m, content{
			Title:   "You cannot sign in yet",
			Preview: fmt.Sprintf("You can sign in from %s.", from.Long()),
			Intro: []string{
				fmt.Sprintf("You were added as a contact less than %d days ago. To protect your company, new contacts "+
					"can sign in only after %[1]d days: you can sign in from %s.", customer.NewContactDays,
					instant(r.SignIn.From)),
				"If it cannot wait, ask a colleague who is already a contact, or reply to this email.",
			},
			Notes:  []note{{Title: "If this wasn't you", Text: "You can ignore this email. Nobody was signed in."}},
			Footer: footer,
		})
	}
	m.Subject = "Your sign-in link"
	return w.compose(m, content{
		Title:   "Sign in to your licenses",
		Preview: "Open the link within 15 minutes, and type the code from the sign-in page.",
		Intro: []string{
			"Open the link below, and type the six-digit code that the sign-in page shows you. The link works once, " +
				"within 15 minutes. You will be signed in on the device on which you open it.",
		},
		Action: link{"Continue to sign in", w.SignInURL(n)},
		Notes: []note{
			{Title: "Do not forward this email", Text: "We never ask for this link or the code, by email or by " +
				"phone. Whoever has both can see your company's licenses and act for you."},
			{Title: "If this wasn't you", Text: "You can ignore this email. The link opens nothing without the code."},
		},
		Footer: footer,
	})
}
