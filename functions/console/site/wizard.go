package site

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/functions/console/generator"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/web"
)

// The license generator is a wizard of two pages at one address: a form, and a review of what would be issued. Everything
// that was typed goes along from page to page in the form itself: nothing is kept here before the license is issued.

// wizard is an address of the license generator, by where the operator comes from.
type wizard struct {
	title   string
	section string
	origin  func(id string) generator.Origin // of the ID in the address
}

var (
	issueFor = wizard{"Issue a license", inQueue, func(id string) generator.Origin { return generator.Origin{Request: strings.ToLower(id)} }}
	renew    = wizard{"Renew the license", inLicenses, func(id string) generator.Origin { return generator.Origin{Renews: id} }}
	replace  = wizard{"Replace the license", inLicenses, func(id string) generator.Origin { return generator.Origin{Replaces: id} }}
	issueNew = wizard{"Issue a license without a request", inLicenses, func(string) generator.Origin { return generator.Origin{} }}
)

// Steps of the wizard: what the button that was pressed asks for.
const (
	stepForm   = "form"
	stepReview = "review"
	stepIssue  = "issue"
)

// begin shows the wizard's form with its defaults.
func (s *site) begin(z wizard) web.HandlerFunc {
	return s.unlessEnded(z.section, func(w http.ResponseWriter, r *http.Request) error {
		f, err := s.generator.Begin(r.Context(), z.origin(r.PathValue("id")), r.URL.Query().Get("serverId"))
		if err != nil {
			return err
		}
		// A browser that goes back shows the page that it has, and so the same ID: what was issued stays one license.
		w.Header().Set("Cache-Control", "private, no-cache")
		return s.showForm(w, r, z, http.StatusOK, f, nil)
	})
}

// goOn takes the wizard's form to its next step.
func (s *site) goOn(z wizard) web.HandlerFunc {
	return s.unlessEnded(z.section, func(w http.ResponseWriter, r *http.Request) error {
		values, err := web.ReadForm(r)
		if err != nil {
			return err
		}
		f := generatorForm(values)
		switch values.Get("step") {
		case stepForm:
			return s.showForm(w, r, z, http.StatusOK, f, nil)
		case stepIssue:
			return s.issue(w, r, z, f, values)
		}
		review, err := s.generator.Review(r.Context(), z.origin(r.PathValue("id")), f)
		if err != nil {
			return s.formAgain(w, r, z, f, err)
		}
		return s.showReview(w, r, z, http.StatusOK, f, reviewView{Review: review})
	})
}

// issue issues what was reviewed, or shows why not.
func (s *site) issue(w http.ResponseWriter, r *http.Request, z wizard, f generator.Form, values url.Values) error {
	origin := z.origin(r.PathValue("id"))
	c := generator.Confirmation{Digest: values.Get("digest"), By: by(r)}
	for _, code := range values["confirm"] {
		c.Codes = append(c.Codes, generator.Code(code))
	}
	id, err := s.generator.Issue(r.Context(), origin, f, c)
	if err == nil {
		return toLicense(w, r, id, "issue")
	}
	if again, ok := errors.AsType[*generator.Unconfirmed](err); ok {
		status := http.StatusUnprocessableEntity
		if again.Changed {
			status, c.Codes = http.StatusConflict, nil
		}
		return s.showReview(w, r, z, status, f, reviewView{Review: again.Review, Confirmed: c.Codes, Changed: again.Changed, Missing: !again.Changed})
	}
	if problem := web.ProblemOf(err); fault.KindOf(err) == fault.Unavailable || fault.KindOf(err) == fault.Invalid && len(problem.Errors) == 0 {
		review, noReview := s.generator.Review(r.Context(), origin, f)
		if noReview != nil {
			return err
		}
		s.log.WarnContext(r.Context(), "license not issued", logging.Error(err))
		return s.showReview(w, r, z, problem.Status, f, reviewView{Review: review, Confirmed: c.Codes, Trouble: problem.Detail})
	}
	return s.formAgain(w, r, z, f, err)
}

// formAgain shows the form with all that was typed, where it is the form that is at fault.
func (s *site) formAgain(w http.ResponseWriter, r *http.Request, z wizard, f generator.Form, err error) error {
	invalid, ok := errors.AsType[*fault.Error](err)
	if !ok || len(invalid.Fields) == 0 {
		return err
	}
	return s.showForm(w, r, z, http.StatusUnprocessableEntity, f, invalid.Fields)
}

func (s *site) showForm(w http.ResponseWriter, r *http.Request, z wizard, status int, f generator.Form, bad []fault.Field) error {
	origin := z.origin(r.PathValue("id"))
	about, err := s.about(r, z, origin)
	if err != nil {
		return err
	}
	offered, err := s.catalog()
	if err != nil {
		return err
	}
	staging, err := s.generator.Staging(r.Context(), origin)
	if err != nil {
		return err
	}
	v := newWizardView(offered, staging, s.generator.Packager != nil, f)
	v.About = about
	v.mark(bad)
	title := about.Title
	if status != http.StatusOK {
		title = "Error: " + title
	}
	return s.render(w, r, status, "wizard.html", z.section, title, v)
}

// reviewView is the data of the page of a review.
type reviewView struct {
	generator.Review
	About     aboutView
	Hidden    []hiddenField
	Confirmed []generator.Code
	Changed   bool   // it is another one than was looked at
	Missing   bool   // not every warning was confirmed
	Trouble   string // why it could not be issued, where that is not the form's fault
	offered   *catalog.Catalog
}

// Ticked reports whether a warning was confirmed.
func (v reviewView) Ticked(c generator.Code) bool { return slices.Contains(v.Confirmed, c) }

// Lines writes a limit as the product does.
func (v reviewView) Lines(n int64) string { return license.Lines(n) }

// Names are those of languages.
func (v reviewView) Names(keys []string) string { return generator.LanguageNames(v.offered, keys) }

func (s *site) showReview(w http.ResponseWriter, r *http.Request, z wizard, status int, f generator.Form, v reviewView) error {
	about, err := s.about(r, z, z.origin(r.PathValue("id")))
	if err != nil {
		return err
	}
	if v.offered, err = s.catalog(); err != nil {
		return err
	}
	v.About, v.Hidden = about, hiddenFields(f)
	title := "Review: " + about.Title
	if status != http.StatusOK {
		title = "Not issued: " + about.Title
	}
	return s.render(w, r, status, "wizard-review.html", z.section, title, v)
}

// aboutView is what each page of the wizard says of where the operator came from.
type aboutView struct {
	Title   string
	Action  string // where the form goes
	Back    string // the page of the request or license; "" for none
	Facts   []aboutFact
	Message string // of the customer
}

type aboutFact struct{ Label, Value string }

func (s *site) about(r *http.Request, z wizard, o generator.Origin) (v aboutView, err error) {
	v = aboutView{Title: z.title, Action: r.URL.Path}
	switch {
	case o.Request != "":
		asked, err := s.store.Request(r.Context(), o.Request)
		if err != nil {
			return v, err
		}
		v.Title += " for " + asked.Company
		v.Back = "/console/requests/" + asked.ID
		v.Facts = []aboutFact{
			{"Asked for", asked.Kind.Name()}, {"Edition", asked.Edition.Name()}, {"Server ID", string(asked.Server)},
			{"Lines of code", license.Lines(asked.Loc)}, {"Version", asked.ProductVersion}, {"About", asked.Replaces}, {"By", asked.Name + ", " + asked.Email},
		}
		v.Message = asked.Message
	case o.Renews+o.Replaces != "":
		l, err := s.store.License(r.Context(), o.Renews+o.Replaces)
		if err != nil {
			return v, err
		}
		v.Title += " of " + l.License.Organization
		v.Back = "/console/licenses/" + l.License.ID
		v.Facts = []aboutFact{
			{"License", l.License.ID}, {"Type", l.License.Type.Name()}, {"Edition", l.License.Edition.Name()},
			{"Server ID", string(l.License.Server)}, {"Lines of code", license.Lines(l.License.MaxLoc)}, {"Valid through", l.License.Expiration.Long()},
		}
	}
	v.Facts = slices.DeleteFunc(v.Facts, func(f aboutFact) bool { return f.Value == "" })
	return v, nil
}
