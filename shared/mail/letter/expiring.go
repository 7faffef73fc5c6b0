package letter

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reference"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

// digest is what a letter about expiring licenses is about: those that still need a reminder, by last day.
type digest struct {
	notice.Notice
	licenses []notice.Expiring
	today    license.Date
	company  string // the customer's name
	customer reference.Reference
}

// LicensesExpiring reminds the contact n.To of the licenses of a digest that need it as of r.Today: when each expires
// or expired, how to renew it, and how to stop the reminders. Where the contract goes on it sells nothing. It is an
// error if no license needs a reminder.
func (w Writer) LicensesExpiring(n notice.Notice, r notice.Records) (mail.Message, error) {
	if r.Today.IsZero() {
		return mail.Message{}, errNoDay
	}
	d := digest{Notice: n, today: r.Today, customer: r.Customer}
	omitted := n.Omitted(r)
	for _, due := range n.Due {
		if omitted[due.License] == "" {
			d.licenses = append(d.licenses, r.Expiring[due.License])
		}
	}
	if len(d.licenses) == 0 {
		return mail.Message{}, errors.New("no license needs a reminder any more")
	}
	slices.SortFunc(d.licenses, byLastDay)
	d.company = cmp.Or(r.Organization, d.licenses[0].License.Organization)

	topic, c := w.expiringOne(d)
	if len(d.licenses) > 1 {
		topic, c = w.expiringSeveral(d)
	}
	w.sayHowToStop(&c, d)
	m := mail.Message{
		ID: n.ID, Kind: mail.LicenseExpiring, About: n.About, ReplyTo: w.Sales, Subject: topic,
		Unsubscribe: w.stopByMail(d), Attachments: w.expiryFiles(d),
	}
	if n.Nonce != "" {
		m.UnsubscribeURL = w.StopURL(n)
	}
	return w.compose(m.AddressedTo(n.To), c), nil
}

// byLastDay orders licenses as letters list them: by last day, production first, evaluations last, and by server.
func byLastDay(a, b notice.Expiring) int {
	order := []string{string(request.ProductionUse), string(request.StagingUse)} // others come after these
	place := func(of notice.Expiring) int {
		return cmp.Or(slices.Index(order, environmentOf(of))+1, len(order)+1)
	}
	return cmp.Or(
		b.License.Expiration.DaysUntil(a.License.Expiration),
		cmp.Compare(place(a), place(b)),
		cmp.Compare(a.License.Server, b.License.Server),
		cmp.Compare(a.License.ID, b.License.ID),
	)
}

// environmentOf names what a license is for: its environment, or "evaluation".
func environmentOf(of notice.Expiring) string {
	if of.License.Type == license.Evaluation || of.Environment == "" {
		return strings.ToLower(of.License.Type.Name())
	}
	return string(of.Environment)
}

// over reports whether a license has expired.
func (d digest) over(of notice.Expiring) bool { return d.today.After(of.License.Expiration) }

// maxCompany is how much of a company's name a subject has at most.
const maxCompany = 40

// subjectOf begins with what happens, which a phone shows, and goes on with whom and what it concerns. A long name of
// the company is cut so that the rest fits.
func subjectOf(what, company string, more ...string) string {
	rest := strings.Join(append([]string{""}, more...), ", ") + ")"
	room := maxSubject - utf8.RuneCountInString(what+" ("+rest)
	return subject("%s (%s%s", what, input.OneLine(company, max(10, min(room, maxCompany))), rest)
}

// expiringOne writes the subject and the content about one license.
func (w Writer) expiringOne(d digest) (string, content) {
	of := d.licenses[0]
	l := of.License
	edition, when := l.Edition.Name(), expires(1, l.Expiration, d.today)
	valid, what := "It is valid through ", "license"
	if d.over(of) {
		valid = "It was valid through "
	}
	if l.Type == license.Evaluation {
		what = "evaluation license"
	}
	c := content{
		Title: "Your " + what + " " + when,
		Preview: fmt.Sprintf("%s, server %s: valid through %s.", upperFirst(environmentOf(of)), l.Server,
			lastSecond(l)),
		Intro: []string{
			fmt.Sprintf("Your %s for %s %s %s. %s%s.", typeName(l.Type), w.product(), edition, when, valid,
				lastSecond(l)),
		},
		Facts: slices.Concat([]fact{{"License ID", l.ID}, {"Organization", l.Organization}}, d.facts(of), []fact{
			{"Environment", upperFirst(string(of.Environment))},
			{"Edition", edition},
			{"License type", typeName(l.Type)},
			{"Server ID", string(l.Server)},
			{"Lines of code", "up to " + license.Lines(l.MaxLoc)},
			{"Support", support(l.Support)},
			{"Valid through", lastSecond(l)},
		}),
	}
	nextKey := ""
	if of.ContractLast.IsZero() {
		w.invite(&c, d, of)
	} else {
		nextKey = ": we will send the next key"
		promiseNextKey(&c, d, of)
	}
	if note, ok := w.calendarNote(d); ok {
		c.Notes = append(c.Notes, note)
	}
	c.Notes = append(c.Notes, note{
		Title: "No longer using this server, or have a question?",
		Text:  w.contactSales("the license ID"),
	})
	return subjectOf(fmt.Sprintf("%s %s %s, on %s%s", w.product(), what, when, l.Expiration.Long(), nextKey),
		l.Organization, environmentOf(of), edition), c
}

// facts are the references of a license of the digest.
func (d digest) facts(of notice.Expiring) []fact {
	return []fact{{"Customer", string(d.customer)}, {"Contract", string(of.Contract)}}
}

const (
	renewNow = "request a renewal now. The page knows your license: you choose how many lines of code you need. " +
		"We will email the key to the contacts that we have on record."
	renewByForm = "Request a renewal now. The form opens with your server ID and lines of code filled in; " +
		"update what has changed."
	buyNow = "request a license now. The form opens with your server ID filled in."
)

// invite invites to a renewal, or to a purchase after an evaluation.
func (w Writer) invite(c *content, d digest, of notice.Expiring) {
	c.Action = w.followUp(d, of)
	c.Notes = append(c.Notes, note{
		Title: "What happens when it expires?",
		Text: fmt.Sprintf("After %s (UTC), this license will no longer be valid. "+
			"The commercial features and languages of the edition will need a new license. "+
			"The data on your server will not change.", of.License.Expiration.Start().Format("Monday 02 Jan 2006")),
	})
	if d.over(of) {
		c.Notes[0] = note{
			Title: "What does this mean?",
			Text: "This license is no longer valid. The commercial features and languages of the edition " +
				"need a new license. The data on your server has not changed.",
		}
	}
	switch evaluation := of.License.Type == license.Evaluation; {
	case evaluation:
		c.Lead = "To keep using the edition, " + buyNow
	case d.over(of):
		c.Lead = renewByForm
	default:
		c.Lead = "To avoid an interruption, " + renewNow
	}
}

// followUp is the link to the renewal of a license, or to the purchase of one after an evaluation. The private link
// of a renewal ends with the license; then the request form takes its place.
func (w Writer) followUp(d digest, of notice.Expiring) link {
	l := of.License
	switch {
	case l.Type == license.Evaluation:
		return link{"Request a license", w.requestURL(l.Edition, l.Server, l.MaxLoc, request.New)}
	case d.over(of):
		return link{"Renew this license", w.requestURL(l.Edition, l.Server, l.MaxLoc, request.Renewal)}
	}
	return link{"Renew this license", w.RenewURL(d.Notice, l.ID)}
}

// keyDays is how many days before a license expires its next key is missed.
const keyDays = 3

// promiseNextKey says that the contract of a license goes on: the customer has paid for the next key, and we send it.
func promiseNextKey(c *content, d digest, of notice.Expiring) {
	promise := "We will email you the next license key before this one expires."
	toDo := "When the next key arrives, install it on the same server. "
	if d.over(of) {
		promise = "We will email you the next license key."
	}
	toDo += ifNoKey(d.today, []notice.Expiring{of})
	c.Intro = append(c.Intro, fmt.Sprintf("Your contract runs through %s, so you do not need to renew anything. %s",
		of.ContractLast.Long(), promise))
	c.Notes = append(c.Notes, note{Title: "What do I have to do?", Text: toDo})
}

// ifNoKey says what to do as long as the next key of licenses has not arrived.
func ifNoKey(today license.Date, list []notice.Expiring) string {
	for _, of := range list {
		if today.DaysUntil(of.License.Expiration) <= keyDays {
			return "If you have not received it yet, reply to this email."
		}
	}
	return fmt.Sprintf("If you have not received it %d days before %s license expires, reply to this email.", keyDays,
		plural(len(list), "this", "the"))
}

// expires says that n licenses expire, or have expired: "expires in 30 days", "expire today", "expired 7 days ago".
func expires(n int, last, today license.Date) string {
	verb := plural(n, "expires", "expire")
	if today.After(last) {
		verb = "expired"
	}
	return verb + " " + reminder.When(last, today)
}

// plural returns one for 1, else many.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
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
