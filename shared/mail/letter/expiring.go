package letter

import (
	"fmt"
	"net/url"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// LicenseExpiring reminds a contact on the day today that a license expires, and says how to renew it and how to get no
// more reminders. l.Expiration is today or later.
func (w Writer) LicenseExpiring(id string, l license.License, to license.Contact, today license.Date) mail.Message {
	edition := l.Edition.Name()
	when := within(today.DaysUntil(l.Expiration))
	last := through(l)
	ask := renewal(l.Type)
	stop := stopReminders(w.Sales, l.ID)
	c := content{
		Title:   "Your license expires " + when,
		Preview: fmt.Sprintf("%s of %s: valid through %s.", edition, l.Organization, last),
		Intro: []string{
			fmt.Sprintf("Your %s for SonarQube %s expires %s. It is valid through %s.", typeName(l.Type), edition, when, last),
		},
		Facts: []fact{
			{"License", l.ID},
			{"Organization", l.Organization},
			{"Edition", edition},
			{"License type", typeName(l.Type)},
			{"Server ID", string(l.Server)},
			{"Lines of code", "up to " + license.Lines(l.MaxLoc)},
			{"Support", support(l.Support)},
			{"Valid through", last},
		},
		Lead:   ask.lead,
		Action: link{Label: ask.label, URL: requestURL(w.URL, l.Edition, l.Server, l.MaxLoc, ask.kind)},
		Notes: []note{
			{
				Title: "What happens after that?",
				Text: fmt.Sprintf("From %s, 00:00:00 UTC on, this license is not valid any more, and the commercial features and languages of the edition need a new one. What your server has stored stays as it is.",
					l.Expiration.AddDays(1).Long()),
			},
			{
				Title: "Is the server not in use any more, or do you have a question?",
				Text:  fmt.Sprintf("Reply to this mail, or write to %s, and give the license.", w.Sales.Email),
			},
		},
		Footer: []string{
			fmt.Sprintf("You get this mail because you are a contact of this license. To get no more reminders of it, write to %s with the subject “%s”.", w.Sales.Email, stopSubject(l.ID)),
		},
		Stop: link{Label: "Stop reminders of this license", URL: stop},
	}
	m := mail.Message{
		ID: id, Kind: mail.LicenseExpiring, About: l.ID,
		ReplyTo:     w.Sales,
		Subject:     mail.OneLine(fmt.Sprintf("Your SonarQube %s license expires %s, on %s", edition, when, l.Expiration.Long()), maxSubject),
		Unsubscribe: stop,
	}
	return compose(m.AddressedTo(to), c)
}

// ask is what the owner of a license is asked to do before it expires.
type ask struct {
	kind        request.Kind
	lead, label string
}

// renewal: what follows an evaluation is a license that is bought; the others are renewed.
func renewal(t license.Type) ask {
	if t == license.Evaluation {
		return ask{request.New, "To go on without a gap, request a license now. The form opens with your server ID filled in.", "Request a license"}
	}
	return ask{request.Renewal, "To go on without a gap, request the renewal now. The form opens with your server ID and lines of code filled in; change what has changed.", "Renew this license"}
}

// requestURL is the request form, filled in for a server; of the Community Edition, which has none, the choice of an edition.
func requestURL(site string, e license.Edition, server license.Server, loc int64, kind request.Kind) string {
	q := url.Values{"serverId": {string(server)}, "kind": {string(kind)}}
	if loc > 0 {
		q.Set("ncloc", fmt.Sprint(loc))
	}
	page := "/request"
	if e != license.Community {
		page += "/" + url.PathEscape(string(e))
	}
	return site + page + "?" + q.Encode()
}

func stopSubject(licenseID string) string {
	return mail.OneLine("Stop reminders of license "+licenseID, maxSubject)
}

// stopReminders is a mailto: address with a subject (RFC 6068, in which a space is %20); "" where there is nobody to write to.
func stopReminders(sales mail.Address, licenseID string) string {
	mailbox, err := sales.Mailbox()
	if err != nil {
		return ""
	}
	return (&url.URL{
		Scheme:   "mailto",
		Opaque:   url.PathEscape(mailbox.Address),
		RawQuery: "subject=" + url.PathEscape(stopSubject(licenseID)),
	}).String()
}

// through is the last second of a license.
func through(l license.License) string {
	return l.Expiration.End().Add(-time.Second).Format("02 Jan 2006, 15:04:05 UTC")
}

// within says when something is that is some days away.
func within(days int) string {
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
