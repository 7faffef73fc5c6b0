package site

import (
	"net/http"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

var (
	vouchStep = step{
		path: "vouch", label: "Vouch", from: undecided, action: store.VouchedFor,
		input: &textInput{
			name: "knows", label: "How do you know?",
			hint:    "For example: called the number on record and spoke to Ana.",
			missing: "Enter how you know that the customer wants this.",
		},
		done: "You vouched for this request. Another colleague can issue the license now.",
	}
	withdrawVouch = step{
		path: "withdraw-vouch", label: "Withdraw the vouch", from: undecided, action: store.VouchWithdrawn,
		done: "The vouch is withdrawn.",
	}
)

// vouchView is what a vouch for a request covers.
type vouchView struct {
	Customer string
	Licenses []coveredLicense // that may be revoked
	Server   license.Server
	Email    string
	Field    web.Field
	Open     bool
}

// coveredLicense is a license that a vouch covers.
type coveredLicense struct{ ID, Text string }

// viewOfVouch says what a vouch covers. nil: nobody can vouch.
func (j judge) viewOfVouch(typed, wrong string) *vouchView {
	r := j.Request
	if j.account == nil || !j.account.IsOf(r.Customer) || j.alone || r.Vouch != nil ||
		vouchStep.check(r, "") != nil {
		return nil
	}
	return &vouchView{
		Customer: j.account.Customer.Name, Licenses: j.covered(), Server: r.Server, Email: r.Email,
		Field: vouchStep.input.field(typed, wrong), Open: wrong != "",
	}
}

// covered lists the licenses in force, and those ahead, of the instance that the request is about. An upgrade is of a
// whole contract, so it covers every instance of that.
func (j judge) covered() (list []coveredLicense) {
	today := license.DateOf(j.now)
	i := j.account.Instance(j.Request.Instance)
	if i == nil {
		i = j.account.Instance(j.account.Match(customer.AskedBy(j.Request)).Instance)
	}
	if i == nil {
		return nil
	}
	contract := ""
	if l, ok := i.Current(today); ok && j.Request.Kind == request.Upgrade {
		contract = l.Contract
	}
	for _, other := range j.account.Instances {
		for _, l := range other.Licenses {
			own := other.ID == i.ID || contract != "" && l.Contract == contract
			if own && l.Revoked.IsZero() && !today.After(l.Expiration) {
				list = append(list, coveredLicense{l.ID, l.Type.Name() + ", " + l.Edition.Name() + ", for " +
					shortServer(other.Server()) + ", through " + l.Expiration.Long()})
			}
		}
	}
	return list
}

func (v vouchView) ids() (list []string) {
	for _, l := range v.Licenses {
		list = append(list, l.ID)
	}
	return list
}

// vouch notes that the person who is signed in vouches for a request, with what the page said that this covers.
func (s *site) vouch(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	typed, wrong := vouchStep.input.read(form)
	if wrong != "" {
		v, err := s.requestView(r, "")
		if err != nil {
			return err
		}
		if v.Vouching != nil {
			v.Vouching.Field, v.Vouching.Open = vouchStep.input.field(typed, wrong), true
		}
		return s.showRequest(w, r, http.StatusUnprocessableEntity, v)
	}
	return s.perform(w, r, vouchStep, b, typed, func(b snapshot, id, note string) error {
		j, err := s.judgeOf(r)
		if err != nil {
			return err
		}
		v := j.viewOfVouch("", "")
		switch {
		case v == nil:
			return fault.New(fault.Conflict, "Nobody can vouch for this request.")
		case !slices.Equal(v.ids(), form["license"]):
			return fault.New(fault.Conflict,
				"What the vouch covers has changed since you opened this page. Check it, then vouch again.")
		}
		change := store.RequestChange{ID: id, Version: b.Version, By: operator(r)}
		return s.store.VouchFor(r.Context(), change, request.Vouch{
			Customer: j.account.Customer.ID, Licenses: v.ids(), Server: v.Server, Email: v.Email, Note: note,
		})
	})
}

// withdrawVouch takes back the vouch for a request.
func (s *site) withdrawVouch(w http.ResponseWriter, r *http.Request) error {
	_, b, err := readForm(r)
	if err != nil {
		return err
	}
	return s.perform(w, r, withdrawVouch, b, "", func(b snapshot, id, _ string) error {
		change := store.RequestChange{ID: id, Version: b.Version, By: operator(r)}
		return s.store.WithdrawVouch(r.Context(), change)
	})
}
