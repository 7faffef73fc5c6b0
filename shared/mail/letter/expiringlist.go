package letter

import (
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
)

// expiringSeveral writes the subject and the content about several licenses, by last day; those whose contract goes on
// are a group of their own, the last.
func (w Writer) expiringSeveral(d digest) (string, content) {
	renew := slices.DeleteFunc(slices.Clone(d.licenses), goesOn)
	next := slices.DeleteFunc(slices.Clone(d.licenses), func(of notice.Expiring) bool { return !goesOn(of) })
	c := content{
		Title:   d.summary("license", false),
		Preview: d.byDay(),
		Intro:   []string{d.opening(w.product())},
		Facts:   []fact{{"Organization", d.company}, {"Customer", string(d.customer)}},
		Notes:   w.notesOfSeveral(d),
	}
	c.Intro = append(c.Intro, howToRenew(d, renew)...)
	for _, day := range byDay(renew) {
		c.Groups = append(c.Groups, w.dayGroup(d, day))
	}
	nextKeys := ""
	switch n := len(next); {
	case n == 0:
	case len(renew) == 0:
		nextKeys = ": we will send the next keys"
		c.Groups = append(c.Groups, nextKeyGroup(d, next))
	default:
		c.Intro = append(c.Intro, fmt.Sprintf("You do not need to do anything for the %s at the end of this email: "+
			"your contract goes on, and we will send the next %s.", licenses(n), plural(n, "key", "keys")))
		c.Groups = append(c.Groups, nextKeyGroup(d, next))
	}
	return subjectOf(d.summary(w.product()+" license", true)+nextKeys, d.company), c
}

// goesOn reports whether the contract of a license goes on after it.
func goesOn(of notice.Expiring) bool { return !of.ContractLast.IsZero() }

// licenses counts licenses: "1 license", "3 licenses".
func licenses(n int) string { return fmt.Sprintf("%d %s", n, plural(n, "license", "licenses")) }

// byDay parts licenses, in the order of their last days, by these.
func byDay(list []notice.Expiring) (days [][]notice.Expiring) {
	for _, of := range list {
		last := len(days) - 1
		if last < 0 || days[last][0].License.Expiration != of.License.Expiration {
			days, last = append(days, nil), last+1
		}
		days[last] = append(days[last], of)
	}
	return days
}

// summary says how many licenses expire and when, such as "25 licenses expire, the first in 30 days, on 31 Aug 2018".
// What has expired already comes first, without its days if others follow.
func (d digest) summary(noun string, withDay bool) string {
	first := slices.IndexFunc(d.licenses, func(of notice.Expiring) bool { return !d.over(of) })
	count := func(n int) string { return fmt.Sprintf("%d %s", n, plural(n, noun, noun+"s")) }
	if first <= 0 {
		return d.expireFrom(d.licenses, count(len(d.licenses)), withDay)
	}
	rest := d.licenses[first:]
	return fmt.Sprintf("%s %s expired and %s", count(first), plural(first, "has", "have"),
		d.expireFrom(rest, fmt.Sprint(len(rest)), withDay))
}

// expireFrom says when licenses expire, or when the first of them does.
func (d digest) expireFrom(list []notice.Expiring, who string, withDay bool) string {
	last := list[0].License.Expiration
	s := expires(len(list), last, d.today)
	if len(byDay(list)) > 1 {
		verb, when, _ := strings.Cut(s, " ")
		s = verb + ", the first " + when
	}
	if withDay {
		s += ", on " + last.Long()
	}
	return who + " " + s
}

// opening says which licenses the letter lists.
func (d digest) opening(product string) string {
	which := "expire soon"
	switch last := d.licenses[len(d.licenses)-1]; {
	case d.over(last):
		which = "have expired"
	case d.over(d.licenses[0]):
		which = "have expired or expire soon"
	}
	return fmt.Sprintf("These %d %s licenses of %s %s. They are listed by last day.", len(d.licenses), product,
		d.company, which)
}

// byDay counts the licenses of each last day.
func (d digest) byDay() string {
	var days []string
	for _, day := range byDay(d.licenses) {
		days = append(days, day[0].License.Expiration.Long()+": "+licenses(len(day)))
	}
	return strings.Join(days, ", ") + "."
}

// howToRenew says what the links of the licenses do that are to be renewed.
func howToRenew(d digest, renew []notice.Expiring) (paragraphs []string) {
	var private, form, evaluations bool
	for _, of := range renew {
		evaluation := of.License.Type == license.Evaluation
		private, form = private || !evaluation && !d.over(of), form || !evaluation && d.over(of)
		evaluations = evaluations || evaluation
	}
	if private {
		paragraphs = append(paragraphs, "To avoid an interruption, renew each license with its own link. "+
			"The page knows the license: you choose how many lines of code you need. "+
			"We will email the key to the contacts that we have on record.")
	}
	if form {
		paragraphs = append(paragraphs, "The link of a license that has expired opens our form with your server ID "+
			"and lines of code filled in; update what has changed.")
	}
	if evaluations {
		paragraphs = append(paragraphs, "To keep using an edition after its evaluation, request a license: "+
			"the form opens with your server ID filled in.")
	}
	return paragraphs
}

// dayGroup lists licenses of one last day.
func (w Writer) dayGroup(d digest, day []notice.Expiring) group {
	g := group{Title: licenses(len(day)) + " " + expiresOn(len(day), day[0].License, d.today)}
	for _, of := range day {
		one := d.item(of)
		one.Action = w.followUp(d, of)
		g.Items = append(g.Items, one)
	}
	return g
}

// expiresOn says when n licenses expire, with the day.
func expiresOn(n int, l license.License, today license.Date) string {
	return expires(n, l.Expiration, today) + ", on " + l.Expiration.Start().Format("Mon 02 Jan 2006")
}

// item names a license in a list.
func (d digest) item(of notice.Expiring) item {
	l := of.License
	one := item{
		Title: upperFirst(environmentOf(of)) + ", " + l.Edition.Name(),
		Lines: []string{"Server ID " + string(l.Server), "Up to " + license.Lines(l.MaxLoc) + " lines of code"},
	}
	if of.Contract != "" && !goesOn(of) {
		one.Lines[1] = "Contract " + string(of.Contract) + ", " + lowerFirst(one.Lines[1])
	}
	if l.Organization != d.company {
		one.Lines = append(one.Lines, "Licensed to "+l.Organization)
	}
	return one
}

// nextKeyGroup lists licenses whose contract goes on.
func nextKeyGroup(d digest, next []notice.Expiring) group {
	g := group{
		Title: licenses(len(next)) + ": we will send the next " + plural(len(next), "key", "keys"),
		Text: "Your contract continues, so you do not need to renew anything. We will email you the next key of each " +
			"license; install it on the same server. " + ifNoKey(d.today, next),
	}
	for _, of := range next {
		one := d.item(of)
		contract := "Your contract"
		if of.Contract != "" {
			contract = "Contract " + string(of.Contract)
		}
		one.Lines = append(one.Lines, upperFirst(expiresOn(1, of.License, d.today)),
			contract+" runs through "+of.ContractLast.Long())
		g.Items = append(g.Items, one)
	}
	return g
}

// notesOfSeveral are what a letter about several licenses says after them.
func (w Writer) notesOfSeveral(d digest) []note {
	notes := []note{{
		Title: "What happens when a license expires?",
		Text: "After its last day (UTC), a license is no longer valid: the commercial features and languages of the " +
			"edition need a new one. The data on your server does not change.",
	}}
	if note, ok := w.calendarNote(d); ok {
		notes = append(notes, note)
	}
	return append(notes, note{
		Title: "No longer using one of these servers, or have a question?",
		Text:  w.contactSales("the server ID"),
	})
}
