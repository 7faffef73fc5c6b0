package letter

import (
	"fmt"
	"net/url"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/mail"
)

// LicenseUnreached tells sales that mail reaches no contact of a license. There is one for each license and expiration.
func (w Writer) LicenseUnreached(l license.License) mail.Message {
	var contacts []string
	for _, c := range l.Contacts {
		contacts = append(contacts, c.Email)
	}
	c := content{
		Title:   "A customer cannot be reached by mail",
		Preview: fmt.Sprintf("%s, %s, valid through %s.", l.Organization, l.Edition.Name(), through(l)),
		Intro: []string{
			fmt.Sprintf("A mail about a license of %s could be sent to none of its contacts. Nobody there is reminded that the license expires, unless somebody reaches them in another way.", l.Organization),
		},
		Facts: []fact{
			{"License", l.ID},
			{"Organization", l.Organization},
			{"Contacts", strings.Join(contacts, ", ")},
			{"Edition", l.Edition.Name()},
			{"License type", typeName(l.Type)},
			{"Server ID", string(l.Server)},
			{"Valid through", through(l)},
		},
		Lead:   "The license's page says which mails did not arrive, and why.",
		Action: link{Label: "Open it in the console", URL: w.URL + "/console/licenses/" + url.PathEscape(l.ID)},
		Notes: []note{{
			Title: "What to do",
			Text:  "Reach the customer by telephone or by letter. If an address is right after all, let mail go to it again on the license's page. If not, renew or replace the license with another contact.",
		}},
		Footer: []string{"This mail comes once for each license and expiration. The console's overview lists the license until a contact can be reached."},
	}
	m := mail.Message{
		ID: fmt.Sprintf("%s-%s-unreached", l.ID, l.Expiration), Kind: mail.LicenseUnreached, About: l.ID,
		To: w.Sales, ReplyTo: w.Sales,
		Subject: mail.OneLine(fmt.Sprintf("Customer cannot be reached: %s, %s", l.Organization, l.Edition.Name()), maxSubject),
	}
	return compose(m, c)
}
