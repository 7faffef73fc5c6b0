package letter

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
)

// toContacts writes what all contacts of a customer are told.
func (w Writer) toContacts(n notice.Notice, r notice.Records) (mail.Message, error) {
	named := References{r.Customer, r.Contracts}
	switch {
	case n.Expands():
		return mail.Message{}, errors.New("the notice is to nobody")
	case n.Kind.AboutCustomer() && (r.Organization == "" || len(n.Contacts) == 0):
		return mail.Message{}, fmt.Errorf("customer %s is not in the records, or no contact in the notice", n.About)
	case n.Kind == mail.ContactAdded:
		return w.ContactAdded(n, r.Organization, named), nil
	case n.Kind == mail.ContactRemoved:
		return w.ContactRemoved(n, r.Organization, named), nil
	}
	l, err := licenseOf(r, n.About)
	switch {
	case err != nil:
		return mail.Message{}, err
	case n.Kind == mail.LicenseMoved && len(n.Moves) == 0:
		return mail.Message{}, errors.New("no server ID changed")
	case n.Kind == mail.LicenseMoved:
		return w.LicenseMoved(n, l, named), nil
	}
	return w.LicenseRevoked(n, l, named), nil
}

// LicenseMoved tells a contact that a license replaced another because the server ID changed, or that a bridge key was
// issued until one does.
func (w Writer) LicenseMoved(n notice.Notice, l license.License, named References) mail.Message {
	if l.Bridges != "" {
		return w.bridged(n, l, named)
	}
	var facts []fact
	for _, m := range n.Moves {
		facts = append(facts, fact{"Old server ID", string(m.From)}, fact{"New server ID", string(m.To)})
	}
	title, what := "Your license was moved to a new server ID", "a license"
	if len(n.Moves) > 1 {
		title, what = "Your licenses were moved to new server IDs", "licenses"
	}
	return w.toContact(n, subject("%s %s: %s", w.product(), l.Edition.Name(), lowerFirst(title)), content{
		Title:   title,
		Preview: fmt.Sprintf("%s: the new server ID is %s.", l.Organization, n.Moves[0].To),
		Intro: []string{fmt.Sprintf("The server ID changed, so we issued %s for %s again "+
			"and revoked what we had issued for the old one.", what, l.Organization)},
		Facts: slices.Concat(facts, contactFacts(l, named)),
		Notes: []note{
			{Title: "What do I have to do?", Text: "Nothing, if your company asked for this. " +
				"The key goes out in a separate email to the person who receives it. " +
				"The license for the old server ID is revoked."},
			w.notExpected("the license ID " + l.ID),
		},
		Footer: []string{w.whyToContact(l.Organization)},
	})
}

// bridged tells a contact that a bridge key was issued for a new server ID.
func (w Writer) bridged(n notice.Notice, l license.License, named References) mail.Message {
	return w.toContact(n, subject("%s %s: bridge key for a new server ID", w.product(), l.Edition.Name()), content{
		Title:   "Bridge key issued for a new server ID",
		Preview: fmt.Sprintf("%s: the new server ID is %s.", l.Organization, l.Server),
		Intro: []string{fmt.Sprintf("We issued a bridge key for %s. It works on the new server ID through %s, "+
			"until we replace the license.", l.Organization, l.Expiration.Long())},
		Facts: slices.Concat([]fact{{"Old server ID", string(n.Moves[0].From)}, {"New server ID", string(l.Server)}},
			contactFacts(l, named)),
		Notes: []note{
			{Title: "What do I have to do?", Text: "Nothing, if your company asked for this. " +
				"The key goes out in a separate email to the person who asked for it. " +
				"The license for the old server ID remains valid until we replace it."},
			w.notExpected("the license ID " + l.ID),
		},
		Footer: []string{w.whyToContact(l.Organization)},
	})
}

// LicenseRevoked tells a contact that a license was revoked, and why (n.Text, as typed).
func (w Writer) LicenseRevoked(n notice.Notice, l license.License, named References) mail.Message {
	return w.toContact(n, subject("Your %s %s license was revoked", w.product(), l.Edition.Name()), content{
		Title:   "Your license was revoked",
		Preview: fmt.Sprintf("%s, server %s.", l.Organization, l.Server),
		Intro: []string{fmt.Sprintf("We revoked a license of %s on %s. "+
			"It is no longer valid, and we will send no more reminders for it.",
			l.Organization, license.DateOf(l.Revoked).Long())},
		Statement: quotation{"Reason from our sales team:", splitLines(n.Text)},
		Facts:     append([]fact{{"Server ID", string(l.Server)}}, contactFacts(l, named)...),
		Notes:     []note{w.notExpected("the license ID " + l.ID)},
		Footer:    []string{w.whyToContact(l.Organization)},
	})
}

// contactFacts are what a contact knows a license by.
func contactFacts(l license.License, named References) []fact {
	return slices.Concat([]fact{{"License ID", l.ID}, {"Organization", l.Organization}}, named.facts(l), []fact{
		{"Edition", l.Edition.Name()},
		{"License type", typeOf(l)},
		{"Valid through", lastSecond(l)},
	})
}

// ContactAdded tells a contact who was added to the contacts of a customer: somebody else, or the reader.
func (w Writer) ContactAdded(n notice.Notice, organization string, named References) mail.Message {
	const may = "Contacts receive license keys and renewal reminders, and can ask us to change licenses."
	c := content{
		Title:   someContacts(n) + " added for " + organization,
		Preview: people(n.Contacts),
		Intro:   []string{"Our sales team added them as contacts for " + organization + ". " + may},
		Facts:   personFacts("New contact", n, named),
		Notes:   []note{w.notExpected(quotingCustomer(organization, named))},
		Footer:  []string{w.whyToContact(organization)},
	}
	switch {
	case n.ByContact:
		w.addedByContact(&c, n, organization)
	case slices.ContainsFunc(n.Contacts, n.Concerns):
		c.Title = "You are now a contact for " + organization
		c.Intro = []string{"Our sales team added you as a contact for " + organization + ". " + may}
	case n.Author == notice.ByCustomer:
		c.Intro = []string{"We had removed a contact for " + organization + ". The person used the link in our email " +
			"about it, and is a contact again. " + may}
	case len(n.Contacts) == 1:
		c.Intro = []string{"Our sales team added a contact for " + organization + ". " + may}
	}
	return w.toContact(n, subject("%s", c.Title), c)
}

// addedByContact words that a contact of the customer added somebody.
func (w Writer) addedByContact(c *content, n notice.Notice, organization string) {
	whom := "a contact"
	if slices.ContainsFunc(n.Contacts, n.Concerns) {
		c.Title, whom = "You are now a contact for "+organization, "you as a contact"
	}
	c.Intro = []string{fmt.Sprintf("%s, who is a contact for %s, added %s. "+
		"Contacts receive renewal reminders now, and license keys from %s on, when they can also ask us to change "+
		"licenses.", n.Author, organization, whom, n.Expiration.Long())}
}

// ContactRemoved tells a contact who was removed from the contacts of a customer: somebody else, or the reader, who can
// undo it by a private link.
func (w Writer) ContactRemoved(n notice.Notice, organization string, named References) mail.Message {
	c := content{
		Title:   someContacts(n) + " removed for " + organization,
		Preview: people(n.Contacts),
		Intro: []string{"Our sales team removed them from the contacts for " + organization +
			": we will no longer send them license keys and renewal reminders."},
		Facts:  personFacts("Removed contact", n, named),
		Notes:  []note{w.notExpected(quotingCustomer(organization, named))},
		Footer: []string{w.whyToContact(organization)},
	}
	by := "Our sales team"
	if n.ByContact {
		by = n.Author + ", who is a contact for " + organization + ","
		c.Intro = []string{by + " removed a contact: we will no longer send license keys and renewal reminders for " +
			"it to this address."}
	}
	if slices.ContainsFunc(n.Contacts, n.Concerns) {
		c.Title = "You are no longer a contact for " + organization
		c.Intro = []string{by + " removed you from the contacts for " + organization +
			". You will receive no more license keys or renewal reminders for it."}
		c.Lead = fmt.Sprintf("If this is a mistake, you can undo it until %s. "+
			"The link is private: anyone who has it can do so.", n.Expiration.Long())
		c.Action = link{"Stay a contact", w.UndoURL(n)}
		c.Footer = []string{"You received this email because you were a contact for " + organization +
			". It is the last one unless you stay a contact."}
	} else if len(n.Contacts) == 1 && !n.ByContact {
		c.Intro = []string{"Our sales team removed a contact for " + organization +
			": we will no longer send license keys and renewal reminders for it to this address."}
	}
	return w.toContact(n, subject("%s", c.Title), c)
}

func someContacts(n notice.Notice) string {
	if len(n.Contacts) == 1 {
		return "A contact was"
	}
	return "Contacts were"
}

func quotingCustomer(organization string, named References) string {
	if named.Customer == "" {
		return "the name " + organization
	}
	return "the customer reference " + string(named.Customer)
}

// personFacts list people by name and address: a name that is none is left out.
func personFacts(label string, n notice.Notice, named References) (facts []fact) {
	for _, c := range n.Contacts {
		facts = append(facts, fact{label, person(c)})
	}
	return append(facts, fact{"Customer", string(named.Customer)})
}

func person(c license.Contact) string {
	if name := mail.PersonName(c.Name); name != "" {
		return name + ", " + c.Email
	}
	return c.Email
}

func people(list []license.Contact) string {
	var names []string
	for _, c := range list {
		names = append(names, person(c))
	}
	return strings.Join(names, "; ")
}

// toContact completes a message to a contact about what the contact did not ask for.
func (w Writer) toContact(n notice.Notice, topic string, c content) mail.Message {
	m := mail.Message{ID: n.ID, Kind: n.Kind, About: n.About, ReplyTo: w.Sales, Subject: topic}
	return w.compose(m.AddressedTo(n.To), c)
}

// notExpected says what to do if nobody at the company asked for it.
func (w Writer) notExpected(quoting string) note {
	return note{
		Title: "Didn't expect this?",
		Text:  "If nobody at your company asked for this, tell us right away. " + w.contactSales(quoting),
	}
}

func (w Writer) whyToContact(organization string) string {
	return "You received this email because you are a contact for " + organization + ". We tell every contact about " +
		"changes that somebody else asked for."
}

// UndoURL returns the private link with which somebody who was removed from a customer's contacts undoes that. It names
// the first of two emails, if the second repeats it.
func (w Writer) UndoURL(n notice.Notice) string {
	return w.URL + UndoPath + "?" + url.Values{
		"customer": {n.About}, "mail": {cmp.Or(n.Repeats, n.ID)}, "token": {n.Nonce},
	}.Encode()
}

// UndoPath is the path of UndoURL within the site.
const UndoPath = "/contacts/undo"

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// upperFirst returns s with a capital letter, if it begins with one of a to z.
func upperFirst(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
