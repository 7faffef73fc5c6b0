package letter

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/mail"
)

// LicenseUnreached tells sales that no contact for a license can be reached by email. Its ID is the same for each
// license and expiration.
func (w Writer) LicenseUnreached(l license.License, contacts []license.Contact, named References) mail.Message {
	var addresses []string
	for _, c := range contacts {
		addresses = append(addresses, c.Email)
	}
	customer := strings.TrimSpace("Customer " + string(named.Customer))
	m := mail.Message{
		ID: fmt.Sprintf("%s-%s-unreached", l.ID, l.Expiration), Kind: mail.LicenseUnreached, About: l.ID,
		To: w.Sales, ReplyTo: w.Sales,
		Subject: subject("%s cannot be reached: %s, %s", customer, l.Organization, l.Edition.Name()),
	}
	return w.compose(m, content{
		Title:   "Customer cannot be reached by email",
		Preview: fmt.Sprintf("%s, %s, valid through %s.", l.Organization, l.Edition.Name(), lastSecond(l)),
		Intro: []string{
			fmt.Sprintf("No contact at %s for this license can be reached by email. "+
				"Nobody there will be reminded that it expires unless you contact them another way.", l.Organization),
		},
		Facts: slices.Concat([]fact{{"License ID", l.ID}, {"Organization", l.Organization}}, named.facts(l), []fact{
			{"Contacts", strings.Join(addresses, ", ")},
			{"Edition", l.Edition.Name()},
			{"License type", typeName(l.Type)},
			{"Server ID", string(l.Server)},
			{"Valid through", lastSecond(l)},
		}),
		Lead:   "The license page shows which emails failed, and why.",
		Action: link{"Open in the console", w.URL + "/console/licenses/" + url.PathEscape(l.ID)},
		Notes: []note{{
			Title: "What to do",
			Text: "Contact the customer by phone or by post. If an address works after all, resume emails to it on " +
				"the license page. If not, add a contact on the customer page.",
		}},
		Footer: []string{"We send this email once per license and expiry date. " +
			"The console overview lists the license until one of its contacts can be reached."},
	})
}
