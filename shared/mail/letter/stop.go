package letter

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/input"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
)

// sayHowToStop ends a reminder with the ways to stop reminders about the licenses that it names.
func (w Writer) sayHowToStop(c *content, d digest) {
	these := "the license named in this email"
	if n := len(d.licenses); n > 1 {
		these = fmt.Sprintf("the %d licenses named in this email", n)
	}
	byMail := "write to " + w.Sales.Email + " with the subject “" + d.stopSubject() + "”."
	const never = " We will still send you license keys."
	c.Footer = append(c.Footer, "You received this email because you are a contact for renewals at "+d.company+".")
	if d.Nonce == "" {
		c.Footer = append(c.Footer, "To stop reminders for "+these+", "+byMail+never)
	} else {
		c.Footer = append(c.Footer, "“Stop these reminders” affects only "+these+"."+never+" You can also "+byMail)
		c.Stop = append(c.Stop, link{"Stop these reminders", w.StopURL(d.Notice)})
	}
	c.Stop = append(c.Stop, link{"Stop them by email", w.stopByMail(d)})
}

// stopSubject is the subject of an email that asks us to stop the reminders. It has to tell sales which.
func (d digest) stopSubject() string {
	if len(d.licenses) == 1 {
		return subject("Stop reminders for license %s", d.licenses[0].License.ID)
	}
	of := input.OneLine(d.company, maxCompany)
	if d.customer != "" {
		of = string(d.customer)
	}
	return subject("Stop reminders for %s of %s, email of %s", licenses(len(d.licenses)), of, d.today.Long())
}

// stopByMail returns a mailto: address with a subject (RFC 6068, in which a space is %20); "" if sales have no address.
func (w Writer) stopByMail(d digest) string { return input.Mailto(w.Sales.Email, d.stopSubject()) }

// RemindersStopped tells sales that a contact unsubscribed from reminders about licenses of which nobody else is
// reminded. It names those that still need a reminder as of r.Today; it is an error if none does.
func (w Writer) RemindersStopped(n notice.Notice, r notice.Records) (mail.Message, error) {
	switch {
	case r.Today.IsZero():
		return mail.Message{}, errNoDay
	case len(n.Contacts) == 0:
		return mail.Message{}, errors.New("nobody unsubscribed")
	}
	list := n.Stopped(r)
	if len(list) == 0 {
		return mail.Message{}, errors.New("somebody is reminded of the licenses, or nobody needs to be")
	}
	slices.SortFunc(list, byLastDay)
	company := cmp.Or(r.Organization, list[0].License.Organization)
	who, count := n.Contacts[0], len(list)
	d := digest{Notice: n, licenses: list, today: r.Today, company: company}
	g := group{Title: licenses(count) + " without reminders"}
	for _, of := range list {
		one := d.item(of)
		one.Lines = append(one.Lines, upperFirst(expiresOn(1, of.License, r.Today)))
		one.Action = link{"Open the license in the console",
			w.URL + "/console/licenses/" + url.PathEscape(of.License.ID)}
		g.Items = append(g.Items, one)
	}
	name := cmp.Or(mail.PersonName(who.Name), who.Email)
	m := mail.Message{
		ID: n.ID, Kind: mail.RemindersStopped, About: n.About, To: w.Sales, ReplyTo: w.Sales,
		Subject: subject("%s unsubscribed from reminders for %s (%s)", input.OneLine(name, maxCompany), licenses(count),
			input.OneLine(company, maxCompany)),
	}
	c := content{
		Title:   "A contact unsubscribed from reminders",
		Preview: fmt.Sprintf("%s, %s: %s.", name, company, licenses(count)),
		Intro: []string{
			fmt.Sprintf("%s unsubscribed from the reminders for %s of %s. "+
				"We do not remind anyone else instead, so nobody there will be reminded unless you act.",
				name, plural(count, "a license", licenses(count)), company),
			"This affects reminders only. The contact still receives license keys.",
		},
		Facts: []fact{
			{"Contact", strings.TrimPrefix(mail.PersonName(who.Name)+", "+who.Email, ", ")},
			{"Organization", company},
			{"Customer", string(r.Customer)},
		},
		Groups: []group{g},
		Notes: []note{{
			Title: "What to do",
			Text: "Contact the customer by phone before the last day. To have a colleague reminded, move that " +
				"contact above this one on the customer page. If the contact agrees to be reminded again, resume the " +
				"reminders on the license page.",
		}},
		Footer: []string{"We send this email when a contact unsubscribes. It leaves out licenses that have been " +
			"renewed or need no reminder any more, and those of which we remind somebody else."},
	}
	if r.Customer != "" {
		c.Action = link{"Open the customer in the console",
			w.URL + "/console/customers/" + url.PathEscape(string(r.Customer))}
	}
	return w.compose(m, c), nil
}
