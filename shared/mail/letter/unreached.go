package letter

import (
	"fmt"
	"net/url"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/mail"
)

// LicenseUnreached tells sales that no contact of a license can be reached by email. Its ID is the same for each
// license and expiration.
func (w Writer) LicenseUnreached(l license.License) mail.Message {
	var contacts []string
	m := mail.Message{
		ID: fmt.Sprintf("%s-%s-unreached", l.ID, l.Expiration), Kind: mail.LicenseUnreached, About: l.ID,
		To: w.Sales, ReplyTo: w.Sales,
		Subject: subject("Customer cannot be reached: %s, %s", l.Organization, l.Edition.Name()),
	}
	return w.compose(m, content{
		Title:   "Customer cannot be reached by email",
		Preview: fmt.Sprintf("%s, %s, valid through %s.", l.Organization, l.Edition.Name(), lastSecond(l)),
		Intro: []string{
			fmt.Sprintf("No contact at %s for this license can be reached by email. "+
				"Nobody there will be reminded that it expires unless you contact them another way.", l.Organization),
		},
		Facts: []fact{
			{"License ID", l.ID},
			{"Organization", l.Organization},
			{"Contacts", strings.Join(contacts, ", ")},
			{"Edition", l.Edition.Name()},
			{"License type", typeName(l.Type)},
			{"Server ID", string(l.Server)},
			{"Valid through", lastSecond(l)},
		},
		Lead:   "The license page shows which emails failed, and why.",
		Action: link{"Open in the console", w.URL + "/console/licenses/" + url.PathEscape(l.ID)},
		Notes: []note{{
			Title: "What to do",
			Text: "Contact the customer by phone or by post. If an address works after all, resume emails to it on " +
				"the license page. If not, renew or replace the license with a different contact.",
		}},
		Footer: []string{"We send this email once per license and expiry date. " +
			"The console overview lists the license until one of its contacts can be reached."},
	})
}
