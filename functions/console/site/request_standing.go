package site

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/web"
)

// standingView says in words whether the person who asks may speak for the customer.
type standingView struct {
	Badge badge
	Lines []standingLine
}

// standingLine is one thing that is on record about who asks.
type standingLine struct {
	Text string
	Tone string // "bad" and "warn": sales have to read it before they act; "": it is shown with the person
}

// judge is who asks, at the customer that the request is about, with the names of colleagues.
type judge struct {
	customer.Asker
	account *customer.Account // nil: nobody knows of which customer
	alone   bool              // there is no second colleague who could vouch
	now     time.Time
	name    func(email string) string // of a colleague
}

// asker is who asks, as standing.go judges it. A new staging instance counts as the production that it mirrors.
func (a asked) asker(r request.Request) customer.Asker {
	who := customer.Asker{Request: r, Instance: r.Instance}
	if a.account == nil {
		return who
	}
	who.DomainShared = search.DomainShared(a.candidates, a.account)
	if a.account.Instance(r.Instance) == nil {
		who.Instance = matched(a.account, r)
	}
	return who
}

// matched returns the ID of the instance that a request is about; "" for a new one, and while that is undecided.
func matched(a *customer.Account, r request.Request) string {
	about := customer.AskedBy(r)
	m := a.Match(about)
	if m.Instance == "" && about.Environment == request.StagingUse {
		return m.From
	}
	return m.Instance
}

// view says who asks to an operator.
func (j judge) view(operator string) (v standingView) {
	add := func(text, tone string) {
		if text != "" {
			v.Lines = append(v.Lines, standingLine{text, tone})
		}
	}
	var standing customer.Standing
	if j.account != nil {
		standing = j.account.Standing(j.Asker, j.now)
		v.Badge = standingBadge(standing)
	}
	add(j.person()+".", "")
	if l := j.Request.Link; l != nil {
		text := "Came through the reminder that was mailed to " + l.Contact
		if l.SignedIn {
			text = "Filed in the customer's account, signed in as " + l.Contact
		} else if standing == customer.Linked {
			text += "; good for renewing this instance with the key to contacts on record"
		}
		add(text+".", "")
	}
	add(j.asked(), "")
	for _, a := range j.Request.Answers {
		tone := "bad"
		if a.Yes {
			tone = ""
		}
		add(j.answer(a), tone)
	}
	tone := ""
	if v := j.Request.Vouch; v != nil && input.SameMailbox(v.By, operator) {
		tone = "warn"
	}
	add(j.vouched(operator), tone)
	add(j.needs(standing), "")
	return v
}

func standingBadge(s customer.Standing) badge {
	switch s {
	case customer.Proven:
		return badge{"Proven", "good"}
	case customer.KnownContact:
		return badge{"Contact", "good"}
	case customer.Linked:
		return badge{"Mailed link", ""}
	case customer.Colleague:
		return badge{"Colleague", "warn"}
	}
	return badge{"Stranger", "warn"}
}

// person says who it is, and whether they confirmed the request, as a sentence without its full stop.
func (j judge) person() string {
	if who := j.identity(); who != "" {
		return upperFirst(who + "; " + j.confirmed())
	}
	return upperFirst(j.confirmed())
}

// upperFirst begins a sentence.
func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// identity says what the address is to the customer; "" where nobody knows of which.
func (j judge) identity() string {
	if j.account == nil {
		return ""
	}
	name, r := j.account.Customer.Name, j.Request
	if c, ok := j.contact(); ok {
		since, works := license.DateOf(c.Since), ""
		if c.Partner != "" {
			works = ", works for " + c.Partner
		}
		switch {
		case !c.InEffect(j.now):
			return fmt.Sprintf("contact since %s; may speak for %s from %s", since.Long(), name,
				license.DateOf(c.Effect()).Long()) + works
		case !c.SpeaksFor(j.Instance, j.now):
			return "contact since " + since.Long() + works + ", for other instances only"
		}
		return "contact since " + since.Long() + works
	}
	if j.account.OfDomain(r.Email) {
		domain := customer.DomainOf(r.Email)
		if j.DomainShared {
			return "at " + domain + ", which other customers use as well"
		}
		return "at the customer's mail domain " + domain
	}
	text := "unknown address; claims to be " + r.Company
	if !r.Asked.IsZero() && len(r.Answers) == 0 {
		text += ", whose contacts were asked on " + web.Instant(r.Asked)
	}
	return text
}

// contact returns the contact with the requester's address: of several, from customers that were merged, one who speaks
// for the instance.
func (j judge) contact() (best customer.Contact, ok bool) {
	best, ok = j.account.Contact(j.Request.Email)
	for _, other := range j.account.Contacts() {
		if input.SameMailbox(other.Email, j.Request.Email) && !best.SpeaksFor(j.Instance, j.now) &&
			other.SpeaksFor(j.Instance, j.now) {
			best = other
		}
	}
	return best, ok
}

// confirmed says whether the person behind the address sent the request.
func (j judge) confirmed() string {
	r := j.Request
	switch {
	case !r.Confirmed.IsZero():
		return "confirmed this request on " + web.Instant(r.Confirmed)
	case r.FiledBy != "":
		return "filed by " + j.name(r.FiledBy) + "; nobody at the address has confirmed it"
	case r.AddressConfirmed():
		return "came through the link that we emailed to this address"
	}
	return "not confirmed: anybody can type this address"
}

// asked says which contacts were asked, and have not answered.
func (j judge) asked() string {
	r := j.Request
	var silent []string
	for _, email := range r.AskedOf {
		if !slices.ContainsFunc(r.Answers, func(a request.Answer) bool { return input.SameMailbox(a.By, email) }) {
			silent = append(silent, email)
		}
	}
	if len(silent) == 0 {
		return ""
	}
	return "Asked on " + web.Instant(r.Asked) + ", no answer yet: " + strings.Join(silent, ", ") + "."
}

// answer says what a contact answered.
func (j judge) answer(a request.Answer) string {
	counts := j.account != nil && j.account.IsOf(j.Request.Customer) &&
		slices.ContainsFunc(j.account.Approvers(j.Asker, j.now), func(c customer.Contact) bool {
			return input.SameMailbox(c.Email, a.By)
		})
	note := ""
	if !counts {
		note = " This does not count: the address may not speak for this instance."
	}
	if a.Yes {
		return a.By + " said yes on " + web.Instant(a.At) + "." + note
	}
	return a.By + " said no on " + web.Instant(a.At) + ": the request is not theirs." + note
}

// vouched says who vouches for the request.
func (j judge) vouched(operator string) string {
	v := j.Request.Vouch
	switch {
	case v == nil:
		return ""
	case input.SameMailbox(v.By, operator):
		return "You vouched on " + web.Instant(v.At) + " (“" + v.Note + "”), so another colleague has to issue the " +
			"license."
	}
	return j.name(v.By) + " vouched on " + web.Instant(v.At) + ": “" + v.Note + "”"
}

// needs says what has to be done before something can be taken from the customer; "" for nothing.
func (j judge) needs(standing customer.Standing) string {
	r := j.Request
	if j.account == nil || !r.State.Open() || !r.Kind.MayCharge() || r.Vouch != nil ||
		!j.account.Charges(customer.Charge{Moved: true}, j.now) ||
		standing == customer.Proven || standing == customer.KnownContact {
		return ""
	}
	if j.alone {
		return "No contact has said that they asked for this. You have to confirm what issuing takes from the customer."
	}
	needs := "Replacing a license, or sending the key here, needs a contact's yes or a colleague's vouch."
	if !j.account.IsOf(r.Customer) {
		needs += " Link the request to its customer first."
	}
	return needs
}

// linkedBy says who linked a request to its customer; "" if it is not linked.
func linkedBy(r request.Request, name func(string) string) string {
	switch r.LinkedBy {
	case "":
		return ""
	case store.System:
		return "linked by the system"
	}
	return "linked by " + cmp.Or(name(r.LinkedBy), r.LinkedBy)
}

// whoSteps are the steps that have a form of their own.
var whoSteps = []step{resendKey, linkStep, unlinkStep, askStep, vouchStep, withdrawVouch, bridgeStep}

// sayWho adds who asks, and what an operator can do about that.
func (v *requestView) sayWho(j judge, operator string) {
	v.Standing = j.view(operator)
	v.Asker.ContactOf = slices.DeleteFunc(v.Asker.ContactOf, func(c contactOf) bool {
		return j.account != nil && j.account.IsOf(c.Customer.ID) // Standing says so
	})
	for i, c := range v.Asker.Customers {
		if by := linkedBy(v.Request, j.name); c.Linked && by != "" {
			v.Asker.Customers[i].By, v.Asker.Customers[i].Why = by, strings.TrimSuffix(by+": "+c.Why, ": ")
		}
	}
	if !v.CanEdit || !v.State.Open() {
		return
	}
	v.Linking = viewOfLink(v.Request)
	for _, list := range [][]candidateView{v.Asker.Customers, v.Asker.Others} {
		for i := range list {
			if list[i].CanLink = !list[i].Linked; list[i].Linked {
				v.Linking.Unlink = list[i].Name
			}
		}
	}
	v.Ask, v.Vouching = j.viewOfAsk(), j.viewOfVouch("", "")
	v.CanWithdraw = v.Vouch != nil
}
