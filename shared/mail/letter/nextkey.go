package letter

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"

	"marketplace/shared/license"
	"marketplace/shared/mail"
)

// LicenseNextKey tells sales on the day today that a license expires whose contract goes on through last: the customer
// has paid for the next key.
func (w Writer) LicenseNextKey(id string, l license.License, today, last license.Date, named References) mail.Message {
	contract := "the contract"
	if r := named.Contracts[l.Contract]; r != "" {
		contract = "contract " + string(r)
	}
	edition := l.Edition.Name()
	m := mail.Message{
		ID: id, Kind: mail.LicenseNextKey, About: l.ID, To: w.Sales, ReplyTo: w.Sales,
		Subject: subject("Next key due under %s: %s, %s", cmp.Or(string(named.Contracts[l.Contract]), "a contract"),
			l.Organization, edition),
	}
	return w.compose(m, content{
		Title:   "Issue the next license key",
		Preview: fmt.Sprintf("%s, %s: the current key is valid through %s.", l.Organization, edition, lastSecond(l)),
		Intro: []string{
			fmt.Sprintf("A license of %s %s, but %s runs through %s: "+
				"the customer has already paid for the next key.", l.Organization,
				expires(1, l.Expiration, today), contract, last.Long()),
		},
		Facts: slices.Concat([]fact{{"License ID", l.ID}, {"Organization", l.Organization}}, named.facts(l), []fact{
			{"Edition", edition},
			{"License type", typeName(l.Type)},
			{"Server ID", string(l.Server)},
			{"Valid through", lastSecond(l)},
			{"Contract through", last.Long()},
		}),
		Lead:   "The console fills in the same terms for every instance of the contract that needs its next key.",
		Action: link{"Issue the next key", w.URL + "/console/licenses/" + url.PathEscape(l.ID) + "/renew"},
		Footer: []string{"We send this email each time a reminder for a license is due, " +
			"until its next key has been issued. Of several licenses of a contract that expire on one day, " +
			"it names one."},
	})
}
