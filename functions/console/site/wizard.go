package site

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"marketplace/functions/console/generator"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/web"
)

// The license generator is a wizard of two pages at one address: a form, and a review of what would be issued. The form
// itself carries what was typed from page to page; nothing is stored before the license is issued.

// wizard is an address of the license generator.
type wizard struct {
	title   string
	section string
	source  func(id string) generator.Source // of the ID in the address
}

var (
	issueForRequest = wizard{"Issue a license", inQueue, func(id string) generator.Source {
		return generator.Source{Request: strings.ToLower(id)}
	}}
	renewLicense = wizard{"Renew the license", inLicenses, func(id string) generator.Source {
		return generator.Source{Renews: id}
	}}
	replaceLicense = wizard{"Replace the license", inLicenses, func(id string) generator.Source {
		return generator.Source{Replaces: id}
	}}
	issueWithoutRequest = wizard{"Issue a license without a request", inLicenses, func(string) generator.Source {
		return generator.Source{}
	}}
)

// Steps of the wizard, as its buttons name them. Any other value reviews the form.
const (
	stepForm  = "form"
	stepIssue = "issue"
)

// beginWizard shows the wizard's form with defaults.
func (s *site) beginWizard(z wizard) web.HandlerFunc {
	return s.unlessClosed(z.section, func(w http.ResponseWriter, r *http.Request) error {
		d, err := s.generator.Begin(r.Context(), z.source(r.PathValue("id")), r.URL.Query().Get("serverId"))
		if err != nil {
			return err
		}
		// A browser that goes back shows the page it has, with the same ID: what was issued stays one license.
		w.Header().Set("Cache-Control", "private, no-cache")
		return s.showForm(w, r, z, d, nil)
	})
}

// continueWizard handles the wizard's buttons.
func (s *site) continueWizard(z wizard) web.HandlerFunc {
	return s.unlessClosed(z.section, func(w http.ResponseWriter, r *http.Request) error {
		step, f, c, err := readWizardForm(r)
		if err != nil {
			return err
		}
		source := z.source(r.PathValue("id"))
		switch step {
		case stepForm:
			d, err := s.generator.Edit(r.Context(), source, f)
			if err != nil {
				return err
			}
			return s.showForm(w, r, z, d, nil)
		case stepIssue:
			if err := s.generator.Issue(r.Context(), source, f, c); err != nil {
				return s.showNotIssued(w, r, z, c, err)
			}
			http.Redirect(w, r, originOf(r).donePage("/console/licenses/"+f.ID, "issue"), http.StatusSeeOther)
			return nil
		}
		d, err := s.generator.Draft(r.Context(), source, f)
		if err != nil {
			return s.showInvalid(w, r, z, d, err)
		}
		return s.showReview(w, r, z, http.StatusOK, reviewView{Draft: d})
	})
}

// showNotIssued shows why a draft was not issued: the review again, or the form if a field is wrong.
func (s *site) showNotIssued(
	w http.ResponseWriter, r *http.Request, z wizard, c generator.Confirmation, err error,
) error {
	not, ok := errors.AsType[*generator.NotIssued](err)
	if !ok {
		return err
	}
	v := reviewView{Draft: not.Draft}
	switch problem := web.ProblemOf(err); {
	case len(problem.Errors) > 0:
		return s.showInvalid(w, r, z, not.Draft, err)
	case not.Err != nil:
		s.log.WarnContext(r.Context(), "license not issued", logging.Error(err))
		v.Confirmed, v.Failure = c.Codes, problem.Detail
		return s.showReview(w, r, z, problem.Status, v)
	case not.Changed:
		v.Changed = true
		return s.showReview(w, r, z, http.StatusConflict, v)
	}
	v.Confirmed, v.Unconfirmed = c.Codes, true
	return s.showReview(w, r, z, http.StatusUnprocessableEntity, v)
}

// showInvalid shows the form again with an error beside each wrong field. Any other error is returned.
func (s *site) showInvalid(w http.ResponseWriter, r *http.Request, z wizard, d *generator.Draft, err error) error {
	invalid, ok := errors.AsType[*fault.Error](err)
	if !ok || len(invalid.Fields) == 0 {
		return err
	}
	return s.showForm(w, r, z, d, invalid.Fields)
}

func (s *site) showForm(w http.ResponseWriter, r *http.Request, z wizard, d *generator.Draft, bad []fault.Field) error {
	staging, err := d.StagingLicenses(r.Context())
	if err != nil {
		return err
	}
	v := newWizardView(d, staging)
	v.About = aboutDraft(r, z, d)
	v.mark(bad)
	status, title := http.StatusOK, v.About.Title
	if len(bad) > 0 {
		status, title = http.StatusUnprocessableEntity, "Error: "+title
	}
	return s.render(w, r, status, "wizard.html", z.section, title, v)
}

// reviewView is the data of the review page.
type reviewView struct {
	*generator.Draft
	About       aboutView
	Hidden      []hiddenField
	Confirmed   []generator.Code
	Changed     bool   // the draft differs from the reviewed one
	Unconfirmed bool   // not every warning was confirmed
	Failure     string // why issuing failed
}

// Ticked reports whether a warning was confirmed.
func (v reviewView) Ticked(c generator.Code) bool { return slices.Contains(v.Confirmed, c) }

// Terms returns what a license allows.
func (v reviewView) Terms(l license.License) termsView {
	return termsOf(l, vocabulary{catalog: v.Catalog})
}

func (s *site) showReview(w http.ResponseWriter, r *http.Request, z wizard, status int, v reviewView) error {
	v.About, v.Hidden = aboutDraft(r, z, v.Draft), hiddenFields(v.Form)
	title := "Review: " + v.About.Title
	if status != http.StatusOK {
		title = "Not issued: " + v.About.Title
	}
	return s.render(w, r, status, "wizard-review.html", z.section, title, v)
}

// aboutView is what the wizard's pages say about the request or license that a draft is based on.
type aboutView struct {
	Title   string
	Action  string // address of the form
	Back    string // address of the request, the license, or the list of licenses
	Facts   []aboutFact
	Message string // from the customer
}

type aboutFact struct{ Label, Value string }

func aboutDraft(r *http.Request, z wizard, d *generator.Draft) aboutView {
	v := aboutView{Title: z.title, Action: r.URL.Path, Back: "/console/licenses"}
	switch {
	case d.Request != nil:
		from := d.Request
		v.Title += " for " + from.Company
		passOn := originOf(r).suffix()
		v.Action += passOn
		v.Back = "/console/requests/" + from.ID + passOn
		v.Facts = []aboutFact{
			{"Kind", from.Kind.Name()}, {"Edition", from.Edition.Name()}, {"Server ID", string(from.Server)},
			{"Lines of code", license.Lines(from.Loc)}, {"SonarQube version", from.ProductVersion},
			{"Related license or server", from.Replaces}, {"Requester", from.Name + ", " + from.Email},
		}
		v.Message = from.Message
	case d.Old != nil:
		l := d.Old.License
		v.Title += " of " + l.Organization
		v.Back = "/console/licenses/" + l.ID
		v.Facts = []aboutFact{
			{"License", l.ID}, {"Type", l.Type.Name()}, {"Edition", l.Edition.Name()}, {"Server ID", string(l.Server)},
			{"Lines of code", license.Lines(l.MaxLoc)}, {"Valid through", l.Expiration.Long()},
		}
	}
	v.Facts = slices.DeleteFunc(v.Facts, func(f aboutFact) bool { return f.Value == "" })
	return v
}
