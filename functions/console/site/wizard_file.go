package site

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"marketplace/functions/console/generator"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// A draft that takes something from a customer, and that nobody asked for on record, is filed as a request: then a
// contact can confirm it, or a colleague can vouch for it.

// filingView is the form that files a draft as a request.
type filingView struct {
	Asker  web.Field   // the contact who asked
	Other  []web.Field // who else asked
	Marked web.Marked
}

// otherAsker is the value of the choice of somebody who is not listed.
const otherAsker = "other"

func newFilingView(d *generator.Draft) *filingView {
	v := &filingView{
		Asker: web.Field{Name: "asker", Label: "Who asked for it?", Type: "select",
			Hint: "We email this person a link to confirm the request."},
		Other: []web.Field{
			{Name: "askerEmail", Label: "Email", Type: "email", Hint: "Only if you chose someone else."},
			{Name: "askerName", Label: "Name"},
		},
	}
	for _, c := range d.Speakers() {
		v.Asker.Options = append(v.Asker.Options,
			web.Option{Value: c.Email, Label: strings.TrimPrefix(c.Name+", "+c.Email, ", ")})
	}
	v.Asker.Options = append(v.Asker.Options,
		web.Option{Value: otherAsker, Label: "Someone else, who is not a contact"})
	v.Asker.Value = v.Asker.Options[0].Value
	return v
}

// read returns who asked, as it was typed.
func (v *filingView) read(d *generator.Draft, typed url.Values) (c license.Contact, err error) {
	v.Asker.Value = typed.Get("asker")
	for i := range v.Other {
		v.Other[i].Value = typed.Get(v.Other[i].Name)
	}
	list := d.Speakers()
	i := slices.IndexFunc(list, func(c license.Contact) bool { return c.Email == v.Asker.Value })
	if i >= 0 {
		return list[i], nil
	}
	var bad fault.Fields
	if v.Asker.Value != otherAsker {
		bad.Add("asker", "Select who asked for it.")
	} else {
		c.Email, err = input.Email(v.Other[0].Value)
		bad.Refuse("askerEmail", err)
		c.Name, err = input.Line("name", "The name", v.Other[1].Value, request.MaxName)
		bad.Refuse("askerName", err)
	}
	err = bad.Err("The request was not filed. Correct the fields and try again.")
	v.Marked = web.Mark(bad, append([]*web.Field{&v.Asker}, &v.Other[0], &v.Other[1])...)
	return c, err
}

// fileAsRequest files the draft of a form as a request of its customer. The same form sent twice files one.
func (s *site) fileAsRequest(
	w http.ResponseWriter, r *http.Request, z wizard, f generator.Form, typed url.Values,
) error {
	d, err := s.generator.Draft(r.Context(), z.source(r), f)
	if err != nil {
		return s.showInvalid(w, r, z, d, err)
	}
	if d.Request != nil || d.Account == nil || d.Barred(operator(r)) == nil {
		return s.showReview(w, r, z, http.StatusConflict, reviewView{Draft: d, Changed: true})
	}
	v := newFilingView(d)
	by, err := v.read(d, typed)
	if err != nil {
		return s.showReview(w, r, z, http.StatusUnprocessableEntity, reviewView{Draft: d, Filing: v})
	}
	filed, _, err := s.store.FileRequest(r.Context(), store.Filing{
		Details: d.AsRequest(by), Key: "console " + f.ID, By: operator(r),
	})
	if err != nil {
		return err
	}
	instance := ""
	if d.Instance != nil {
		instance = d.Instance.ID
	}
	change := store.RequestChange{ID: filed.ID, By: operator(r)}
	if err := s.store.LinkRequest(r.Context(), change, d.Account.Customer.ID, instance); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/requests/"+filed.ID+"?done="+doneFiling, http.StatusSeeOther)
	return nil
}

const doneFiling = "filed"

// doneToFiling returns the message after a draft was filed as a request; "" after anything else.
func doneToFiling(done string) string {
	if done == doneFiling {
		return "Filed as a request. We will email the person who asked for it, to confirm it. If nobody answers, " +
			"a colleague can vouch for it."
	}
	return ""
}
