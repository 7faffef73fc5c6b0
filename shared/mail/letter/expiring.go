package letter

import (
	"fmt"
	"slices"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

// LicenseExpiring reminds the contact n.To on the day today that a license expires, and says how to renew it and how to
// stop the reminders. l.Expiration is today or later. Where the notice has a nonce, the link is private: it renews this
// license, with the key to the contacts on record.
func (w Writer) LicenseExpiring(n notice.Notice, l license.License, today license.Date, named References) mail.Message {
	when := inDays(today.DaysUntil(l.Expiration))
	follow := followUpOf(l.Type)
	c := w.expiring(l, when, named)
	c.Lead = follow.lead
	c.Action = link{follow.label, w.requestURL(l.Edition, l.Server, l.MaxLoc, follow.kind)}
	if l.Type != license.Evaluation {
		c.Lead = "To avoid an interruption, request a renewal now. The page knows your license: " +
			"you choose how many lines of code you need. We will email the key to the contacts that we have on record."
		c.Action.URL = w.RenewURL(n, l.ID)
	}
	c.Notes = append([]note{{
		Title: "What happens when it expires?",
		Text: fmt.Sprintf("After %s (UTC), this license will no longer be valid. "+
			"The commercial features and languages of the edition will need a new license. "+
			"The data on your server will not change.",
			l.Expiration.Start().Format("Monday 02 Jan 2006")),
	}}, c.Notes...)
	m := mail.Message{
		ID: n.ID, Kind: mail.LicenseExpiring, About: l.ID, ReplyTo: w.Sales,
		Subject: subject("Your SonarQube %s license expires %s, on %s",
			l.Edition.Name(), when, l.Expiration.Long()),
		Unsubscribe: w.stopReminders(l.ID),
	}
	return w.compose(m.AddressedTo(n.To), c)
}

// NextKeyComing tells a contact that a license expires whose contract goes on through last: the customer has paid for
// the next key, and we send it.
func (w Writer) NextKeyComing(id string, l license.License, to license.Contact, today, last license.Date,
	named References) mail.Message {
	when := inDays(today.DaysUntil(l.Expiration))
	c := w.expiring(l, when, named)
	c.Intro = append(c.Intro, fmt.Sprintf("Your contract runs through %s, so you do not need to renew anything. "+
		"We will email you the next license key before this one expires.", last.Long()))
	c.Notes = append([]note{{
		Title: "What do I have to do?",
		Text: "When the next key arrives, install it on the same server. " +
			"If you have not received it three days before this license expires, reply to this email.",
	}}, c.Notes...)
	m := mail.Message{
		ID: id, Kind: mail.LicenseExpiring, About: l.ID, ReplyTo: w.Sales,
		Subject:     subject("Your SonarQube %s license expires %s: we will send the next key", l.Edition.Name(), when),
		Unsubscribe: w.stopReminders(l.ID),
	}
	return w.compose(m.AddressedTo(to), c)
}

// expiring is what every reminder says.
func (w Writer) expiring(l license.License, when string, named References) content {
	edition := l.Edition.Name()
	return content{
		Title:   "Your license expires " + when,
		Preview: fmt.Sprintf("%s for %s: valid through %s.", edition, l.Organization, lastSecond(l)),
		Intro: []string{
			fmt.Sprintf("Your %s for SonarQube %s expires %s. It is valid through %s.",
				typeName(l.Type), edition, when, lastSecond(l)),
		},
		Facts: slices.Concat([]fact{{"License ID", l.ID}, {"Organization", l.Organization}}, named.facts(l), []fact{
			{"Edition", edition},
			{"License type", typeName(l.Type)},
			{"Server ID", string(l.Server)},
			{"Lines of code", "up to " + license.Lines(l.MaxLoc)},
			{"Support", support(l.Support)},
			{"Valid through", lastSecond(l)},
		}),
		Notes: []note{{
			Title: "No longer using this server, or have a question?",
			Text:  w.contactSales("the license ID"),
		}},
		Footer: []string{
			"You received this email because you are a contact for this license. To stop these reminders, write to " +
				w.Sales.Email + " with the subject “" + stopSubject(l.ID) + "”.",
		},
		Stop: link{"Stop reminders for this license", w.stopReminders(l.ID)},
	}
}

// followUp is what a customer is invited to before a license expires.
type followUp struct {
	kind        request.Kind
	lead, label string
}

// followUpOf returns the purchase of a license for an evaluation, and a renewal for all others.
func followUpOf(t license.Type) followUp {
	if t == license.Evaluation {
		return followUp{
			kind:  request.New,
			lead:  "To avoid an interruption, request a license now. The form opens with your server ID filled in.",
			label: "Request a license",
		}
	}
	return followUp{
		kind: request.Renewal,
		lead: "To avoid an interruption, request a renewal now. " +
			"The form opens with your server ID and lines of code filled in; update what has changed.",
		label: "Renew this license",
	}
}

func stopSubject(licenseID string) string {
	return subject("Stop reminders for license %s", licenseID)
}

// stopReminders returns a mailto: address with a subject (RFC 6068, in which a space is %20); "" if sales have no
// address.
func (w Writer) stopReminders(licenseID string) string {
	return input.Mailto(w.Sales.Email, stopSubject(licenseID))
}

// inDays names a day that is some days away.
func inDays(days int) string {
	switch {
	case days <= 0:
		return "today"
	case days == 1:
		return "tomorrow"
	}
	return fmt.Sprintf("in %d days", days)
}

func typeName(t license.Type) string {
	switch t {
	case license.Evaluation:
		return "evaluation license"
	case license.Staging:
		return "staging license"
	}
	return "production license"
}

func support(included bool) string {
	if included {
		return "included"
	}
	return "not included"
}
