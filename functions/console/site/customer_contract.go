package site

import (
	"fmt"
	"net/http"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// contractInAddress returns the contract that the address names.
func contractInAddress(r *http.Request, p *accountPage) (*customer.Contract, error) {
	if k := contractNamed(p.Account, r.PathValue("contract")); k != nil {
		return k, nil
	}
	return nil, fault.New(fault.NotFound, "%s has no such contract.", p.Customer.Name)
}

var reasonForEnding = textInput{
	name: "reason", label: "Reason", missing: "Enter the reason, for example “unpaid”.",
	hint: "Such as “unpaid”. Colleagues see it wherever the contract is used. Customers do not see it.",
}

// endContractPage returns the form that ends a contract early, and says what that does.
func (s *site) endContractPage(p *accountPage, k customer.Contract) customerForm {
	f := p.form("End contract early", "/contracts/"+string(k.Reference)+"/end", "End contract")
	f.Contract = k.Reference
	use := p.Use(k.ID, s.today())
	f.Notes = []string{
		"From now on, the license generator asks for a confirmation before it issues anything under this contract.",
		fmt.Sprintf("The licenses of its %s stay as they are: keys work until they expire, because servers check them "+
			"without contacting us, and reminders continue. Revoke or mute licenses on their own pages.",
			quantity(use.Production+use.Staging, "instance", "instances")),
		"Nobody is emailed. You can reopen the contract at any time.",
	}
	reason := reasonForEnding.field("", "")
	reason.Type, reason.Rows = "text", 0
	f.Fields = []*web.Field{&reason}
	return f
}

// endContractForm asks for the reason why a contract ends early.
func (s *site) endContractForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.ownForm(w, r)
	if p == nil {
		return err
	}
	k, err := contractInAddress(r, p)
	if err != nil {
		return err
	}
	if !k.Ended.IsZero() {
		return s.showCustomerError(w, r, p.snapshot(), fault.New(fault.Conflict, "Contract %s was already ended.",
			k.Reference))
	}
	return s.showCustomerForm(w, r, http.StatusOK, s.endContractPage(p, *k))
}

// endContract ends a contract early.
func (s *site) endContract(w http.ResponseWriter, r *http.Request) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	reason, wrong := reasonForEnding.read(form)
	reason = strings.Join(strings.Fields(reason), " ")
	return s.save(r, b, save{
		apply: func(p *accountPage, b snapshot) error {
			k, err := contractInAddress(r, p)
			if err != nil {
				return err
			}
			ended := *k
			ended.EndedReason = reason
			if _, err := ended.Check(); wrong == "" && err != nil {
				wrong = reasonWrong(err)
			}
			var bad fault.Fields
			if wrong != "" {
				bad.Add("reason", "%s", wrong)
				return bad.Err("The contract was not ended.")
			}
			return s.store.EndContract(r.Context(), p.change(r, b), k.ID, reason)
		},
		done: func(p *accountPage) bool {
			k, err := contractInAddress(r, p)
			return err == nil && !k.Ended.IsZero() && k.EndedBy == operator(r) && k.EndedReason == reason
		},
		show: func(p *accountPage, status int, b snapshot, wrong error) error {
			k, err := contractInAddress(r, p)
			if err != nil {
				return err
			}
			if !k.Ended.IsZero() {
				return s.showCustomerError(w, r, b, wrong)
			}
			f := s.endContractPage(p, *k)
			f.Fields[0].Value = form.Get("reason")
			f.refused(s, r, p, b, wrong)
			return s.showCustomerForm(w, r, status, f)
		},
		after: func(p *accountPage) error { return redirectToCustomer(w, r, p, "ended", contractAt(r, p)) },
	})
}

// reasonWrong returns what is wrong with the reason of a contract; "" if that is something else.
func reasonWrong(err error) string {
	if invalid, ok := err.(*fault.Error); ok {
		for _, f := range invalid.Fields {
			if f.Name == "endedReason" {
				return f.Msg
			}
		}
	}
	return ""
}

// contractAt is the reference of the contract in the address, as it is on record.
func contractAt(r *http.Request, p *accountPage) string {
	if k := contractNamed(p.Account, r.PathValue("contract")); k != nil {
		return string(k.Reference)
	}
	return ""
}

// reopenContract undoes endContract.
func (s *site) reopenContract(w http.ResponseWriter, r *http.Request) error {
	_, b, err := readForm(r)
	if err != nil {
		return err
	}
	return s.save(r, b, save{
		apply: func(p *accountPage, b snapshot) error {
			k, err := contractInAddress(r, p)
			if err != nil {
				return err
			}
			return s.store.ReopenContract(r.Context(), p.change(r, b), k.ID)
		},
		done: func(p *accountPage) bool {
			k, err := contractInAddress(r, p)
			return err == nil && k.Ended.IsZero()
		},
		show:  func(_ *accountPage, _ int, b snapshot, err error) error { return s.showCustomerError(w, r, b, err) },
		after: func(p *accountPage) error { return redirectToCustomer(w, r, p, "reopened", "") },
	})
}
