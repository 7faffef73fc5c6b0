package site

import (
	"fmt"
	"net/http"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// askStep asks contacts of the customer whether a request is theirs.
var askStep = step{
	path: "ask-contacts", label: "Ask the contacts", from: undecided, action: store.ContactsAsked,
	done: "The contacts will be emailed shortly.",
}

// askView asks contacts whether a request is theirs.
type askView struct {
	Contacts web.Field
	Sure     bool // a contact was asked often today: sales confirm that they ask again
	Open     bool
}

// viewOfAsk offers the contacts who may say yes. nil: there is nobody to ask.
func (j judge) viewOfAsk() *askView {
	r := j.Request
	if j.account == nil || !j.account.IsOf(r.Customer) || askStep.check(r, "") != nil {
		return nil
	}
	v := askView{Contacts: web.Field{Name: "contacts", Label: "Contacts who may say yes", Type: "boxes"}}
	for _, c := range j.account.Approvers(j.Asker, j.now) {
		hint, asked := c.Name, slices.ContainsFunc(r.AskedOf, func(email string) bool {
			return input.SameMailbox(email, c.Email)
		})
		switch {
		case asked && license.DateOf(r.Asked) == license.DateOf(j.now):
			hint += " Asked about this today already."
		case asked:
			hint += " Asked on " + web.Instant(r.Asked) + "."
		}
		v.Contacts.Options = append(v.Contacts.Options,
			web.Option{Value: c.Email, Label: c.Email, Hint: hint, Ticked: !asked})
	}
	if len(v.Contacts.Options) == 0 {
		return nil
	}
	return &v
}

// askContacts asks the ticked contacts.
func (s *site) askContacts(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	j, err := s.judgeOf(r)
	if err != nil {
		return err
	}
	var to []license.Contact
	wrong := ""
	ask := j.viewOfAsk()
	for _, email := range form["contacts"] {
		c, ok := customer.Contact{}, false
		if ask != nil {
			c, ok = j.approver(email)
		}
		if !ok {
			wrong = "Only contacts who may speak for this instance can be asked. Tick those who are listed."
			continue
		}
		to = append(to, license.Contact{Name: c.Name, Email: c.Email})
	}
	sure := false
	if len(to) == 0 && wrong == "" && ask != nil {
		wrong = "Tick at least one contact."
	}
	for _, c := range to {
		if wrong != "" {
			break
		}
		why, err := s.store.Suppressed(r.Context(), c.Email)
		if err != nil {
			return err
		}
		if why != nil && why.Stops(mail.RequestAsk) {
			wrong = fault.Sentence(errSuppressed(c.Email))
			break
		}
		enough, err := s.store.AskedEnough(r.Context(), c.Email)
		if err != nil {
			return err
		}
		if enough && form.Get("sure") != "yes" {
			sure, wrong = true, fmt.Sprintf("We asked %s about several requests today. "+
				"Confirm that they should get another email.", c.Email)
		}
	}
	if wrong != "" && ask != nil {
		return s.showAskError(w, r, form["contacts"], wrong, sure)
	}
	return s.perform(w, r, askStep, b, "", func(b snapshot, id, _ string) error {
		if len(to) == 0 {
			return fault.New(fault.Conflict, "There is no contact who may be asked about this request.")
		}
		change := store.RequestChange{ID: id, Version: b.Version, By: operator(r)}
		return s.store.AskContacts(r.Context(), change, to...)
	})
}

// approver returns the contact with an address, if a yes of theirs counts.
func (j judge) approver(email string) (customer.Contact, bool) {
	list := j.account.Approvers(j.Asker, j.now)
	i := slices.IndexFunc(list, func(c customer.Contact) bool { return c.Email == email })
	if i < 0 {
		return customer.Contact{}, false
	}
	return list[i], true
}

func (s *site) showAskError(w http.ResponseWriter, r *http.Request, ticked []string, wrong string, sure bool) error {
	v, err := s.requestView(r, "")
	if err != nil {
		return err
	}
	if v.Ask != nil {
		v.Ask.Open, v.Ask.Sure, v.Ask.Contacts.Error = true, sure, wrong
		for i := range v.Ask.Contacts.Options {
			o := &v.Ask.Contacts.Options[i]
			o.Ticked = slices.Contains(ticked, o.Value)
		}
	}
	return s.showRequest(w, r, http.StatusUnprocessableEntity, v)
}

// judgeOf reads the request in the address and the customer that it is linked to.
func (s *site) judgeOf(r *http.Request) (j judge, err error) {
	current, err := s.store.Request(r.Context(), requestID(r))
	if err != nil {
		return j, err
	}
	a := asked{}
	if current.Customer != "" {
		if err := s.readLikely(r.Context(), current, nil, &a); err != nil {
			return j, err
		}
	}
	return s.judge(r, current, a), nil
}

// judge says who asks, for the person who is signed in.
func (s *site) judge(r *http.Request, current request.Request, a asked) judge {
	return judge{
		Asker: a.asker(current), account: a.account, alone: s.oneOperator, now: s.now(), name: colleaguesOf(r).name,
	}
}
