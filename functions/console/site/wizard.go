package site

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"marketplace/functions/console/generator"
	"marketplace/shared/fault"
	"marketplace/shared/logging"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// The license generator is a wizard of two pages at one address: a form, and a review of what would be issued. The form
// itself carries what was typed from page to page; nothing is stored before the license is issued.

// wizard is an address of the license generator.
type wizard struct {
	title   string
	section string
	source  func(*http.Request) generator.Source // of the address
}

var (
	issueForRequest = wizard{"Issue a license", inQueue, func(r *http.Request) generator.Source {
		return generator.Source{Request: requestID(r)}
	}}
	renewLicense   = wizard{"Renew the license", inLicenses, sourceOfLicense(request.Renewal)}
	replaceLicense = wizard{"Replace the license", inLicenses, sourceOfLicense(request.Replacement)}
	upgradeLicense = wizard{"Change the license", inLicenses, sourceOfLicense(request.Upgrade)}

	issueWithoutRequest = wizard{"Issue a license without a request", inLicenses,
		func(r *http.Request) generator.Source { return generator.Source{} }}
	issueForCustomer = wizard{"Issue a license", inLicenses, func(r *http.Request) generator.Source {
		query := r.URL.Query()
		return generator.Source{
			Customer: r.PathValue("ref"), Contract: query.Get("contract"), Staging: query.Get("staging"),
		}
	}}
)

func sourceOfLicense(k request.Kind) func(*http.Request) generator.Source {
	return func(r *http.Request) generator.Source { return generator.Source{License: r.PathValue("id"), Kind: k} }
}

// Steps of the wizard, as its buttons name them. Any other value reviews the form.
const (
	stepForm    = "form"
	stepRefresh = "refresh" // fill in what follows from the chosen customer, instance and contract
	stepIssue   = "issue"
	stepFile    = "file" // file the draft as a request
)

// beginWizard shows the wizard's form with defaults.
func (s *site) beginWizard(z wizard) web.HandlerFunc {
	return s.unlessClosed(z.section, func(w http.ResponseWriter, r *http.Request) error {
		d, err := s.generator.Begin(r.Context(), z.source(r), r.URL.Query().Get("serverId"))
		if err != nil {
			return err
		}
		// A browser that goes back shows the page it has, with the same ID: what was issued stays one license.
		w.Header().Set("Cache-Control", "private, no-cache")
		return s.showForm(w, r, z, d, nil)
	})
}

// continueWizard handles the wizard's buttons. A form in which another customer, instance or contract was chosen is
// filled in anew before it is reviewed.
func (s *site) continueWizard(z wizard) web.HandlerFunc {
	return s.unlessClosed(z.section, func(w http.ResponseWriter, r *http.Request) error {
		step, f, c, typed, err := readWizardForm(r)
		if err != nil {
			return err
		}
		source := z.source(r)
		switch {
		case step == stepForm:
			d, err := s.generator.Edit(r.Context(), source, f)
			if err != nil {
				return err
			}
			return s.showForm(w, r, z, d, nil)
		case step == stepIssue:
			if err := s.generator.Issue(r.Context(), source, f, c); err != nil {
				return s.showNotIssued(w, r, z, c, err)
			}
			http.Redirect(w, r, originOf(r).donePage("/console/licenses/"+f.ID, "issue"), http.StatusSeeOther)
			return nil
		case step == stepFile:
			return s.fileAsRequest(w, r, z, f, typed)
		case step == stepRefresh, f.Moved():
			d, err := s.generator.Refresh(r.Context(), source, f)
			if err != nil {
				return s.showInvalid(w, r, z, d, err)
			}
			v := s.formView(r, z, d)
			v.Refreshed = step != stepRefresh
			return s.render(w, r, http.StatusOK, "wizard.html", z.section, v.About.Title, v)
		}
		d, err := s.generator.Draft(r.Context(), source, f)
		if partly, ok := errors.AsType[*generator.PartlyIssued](err); ok {
			return s.showPartlyIssued(w, r, z, partly)
		}
		if err != nil {
			return s.showInvalid(w, r, z, d, err)
		}
		return s.showReview(w, r, z, http.StatusOK, reviewView{Draft: d})
	})
}

// showNotIssued shows why a draft was not issued: the review again, or the form if a field is wrong. What was issued in
// part has a page of its own.
func (s *site) showNotIssued(
	w http.ResponseWriter, r *http.Request, z wizard, c generator.Confirmation, err error,
) error {
	if partly, ok := errors.AsType[*generator.PartlyIssued](err); ok {
		return s.showPartlyIssued(w, r, z, partly)
	}
	not, ok := errors.AsType[*generator.NotIssued](err)
	if !ok {
		return err
	}
	v := reviewView{Draft: not.Draft}
	switch problem := web.ProblemOf(err); {
	case len(problem.Errors) > 0:
		return s.showInvalid(w, r, z, not.Draft, err)
	case not.Changed:
		v.Changed = true
		return s.showReview(w, r, z, http.StatusConflict, v)
	case fault.KindOf(not.Err) == fault.Forbidden: // the review says so
		return s.showReview(w, r, z, http.StatusForbidden, v)
	case not.Err != nil:
		s.log.WarnContext(r.Context(), "license not issued", logging.Error(err))
		v.Confirmed, v.Failure = c.Codes, problem.Detail
		return s.showReview(w, r, z, problem.Status, v)
	}
	v.Confirmed, v.Unconfirmed = c.Codes, true
	return s.showReview(w, r, z, http.StatusUnprocessableEntity, v)
}

// partlyView is the data of the page about an issue that ended between its transactions.
type partlyView struct {
	generator.PartlyIssued
	Name     string // the customer's
	Customer string // address of the customer's page
	Continue string // address of the form that issues what is missing
}

func (s *site) showPartlyIssued(
	w http.ResponseWriter, r *http.Request, z wizard, partly *generator.PartlyIssued,
) error {
	if partly.Err != nil {
		s.log.WarnContext(r.Context(), "licenses issued in part", logging.Error(partly.Err))
	}
	a, err := s.store.Account(r.Context(), partly.Customer)
	if err != nil {
		return err
	}
	v := partlyView{PartlyIssued: *partly, Name: a.Customer.Name, Customer: customerPage(a.Customer)}
	contract := partly.Contract
	if k := a.Contract(contract); k != nil {
		contract = cmp.Or(string(k.Reference), contract)
	}
	v.Continue = v.Customer + "/issue?" + url.Values{"contract": {contract}}.Encode()
	return s.render(w, r, http.StatusServiceUnavailable, "wizard-partly.html", z.section, v.Title(), v)
}

// Title says how many licenses were issued: 6 of 9 licenses issued.
func (v partlyView) Title() string {
	switch {
	case v.Of > 0:
		return web.Number(int64(v.Issued)) + " of " + web.Number(int64(v.Of)) + " licenses issued"
	case v.Issued == 1:
		return "1 license issued so far"
	}
	return web.Number(int64(v.Issued)) + " licenses issued so far"
}

// showInvalid shows the form again with an error beside each wrong field. Any other error is returned.
func (s *site) showInvalid(w http.ResponseWriter, r *http.Request, z wizard, d *generator.Draft, err error) error {
	invalid, ok := errors.AsType[*fault.Error](err)
	if !ok || d == nil || len(invalid.Fields) == 0 {
		return err
	}
	return s.showForm(w, r, z, d, invalid.Fields)
}

func (s *site) formView(r *http.Request, z wizard, d *generator.Draft) *wizardView {
	v := newWizardView(d, s.today())
	v.About = aboutDraft(r, z, d)
	v.Record = recordOf(d, s.today())
	return v
}

func (s *site) showForm(w http.ResponseWriter, r *http.Request, z wizard, d *generator.Draft, bad []fault.Field) error {
	v := s.formView(r, z, d)
	v.mark(bad)
	status, title := http.StatusOK, v.About.Title
	if len(bad) > 0 {
		status, title = http.StatusUnprocessableEntity, "Error: "+title
	}
	return s.render(w, r, status, "wizard.html", z.section, title, v)
}

func (s *site) showReview(w http.ResponseWriter, r *http.Request, z wizard, status int, v reviewView) error {
	v.About, v.Hidden = aboutDraft(r, z, v.Draft), hiddenFields(v.Form)
	v.sayWord(operator(r), colleaguesOf(r))
	title := "Review: " + v.About.Title
	if status != http.StatusOK {
		title = "Not issued: " + v.About.Title
	}
	return s.render(w, r, status, "wizard-review.html", z.section, title, v)
}

// aboutView is what the wizard's pages have in common.
type aboutView struct {
	Title  string
	Action string // address of the form
	Back   string // address of the request, the license, the customer, or the list of licenses
}

func aboutDraft(r *http.Request, z wizard, d *generator.Draft) aboutView {
	v := aboutView{Title: z.title, Action: r.URL.Path, Back: "/console/licenses"}
	for _, name := range []string{"contract", "staging"} {
		if value := r.URL.Query().Get(name); value != "" {
			v.Action = r.URL.Path + "?" + url.Values{name: {value}}.Encode()
		}
	}
	switch {
	case d.Request != nil:
		v.Title += " for " + d.Request.Company
		passOn := originOf(r).suffix()
		v.Action += passOn
		v.Back = "/console/requests/" + d.Request.ID + passOn
	case strings.HasPrefix(r.URL.Path, "/console/customers/") && d.Account != nil:
		v.Title += " for " + d.Account.Customer.Name
		v.Back = customerPage(d.Account.Customer)
	case d.Old != nil && r.PathValue("id") != "":
		v.Title += " of " + d.Account.Customer.Name
		v.Back = "/console/licenses/" + r.PathValue("id")
	}
	return v
}
