package site

import (
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// addressRow is an address of a customer, with why no mail goes to it, if so.
type addressRow struct {
	Name, Email string
	Trouble     badge  // nothing where mail goes to the address
	Since       string // the day from which none goes; "" where the address is none
}

// addressRows looks up which addresses take no mail. reachable: one of them does.
func (s *site) addressRows(r *http.Request, contacts []license.Contact) (rows []addressRow, reachable bool, err error) {
	for _, c := range contacts {
		row := addressRow{Name: c.Name, Email: c.Email}
		if _, err := (mail.Address{Name: c.Name, Email: c.Email}).Mailbox(); err != nil {
			row.Trouble = badge{"Not an address", "bad"}
		}
		switch why, err := s.store.Suppressed(r.Context(), c.Email); {
		case err != nil:
			return nil, false, err
		case why != nil:
			row.Trouble, row.Since = outcomeBadge(why.Outcome), license.DateOf(why.At).Long()
		}
		reachable = reachable || row.Trouble.Text == ""
		rows = append(rows, row)
	}
	return rows, reachable, nil
}

// outcomeBadge is what became of a mail after it was sent.
func outcomeBadge(o store.Outcome) badge {
	switch o {
	case store.Bounced:
		return badge{"Bounced", "bad"}
	case store.Complained:
		return badge{"Complaint", "bad"}
	case store.Refused:
		return badge{"Refused by the provider", "bad"}
	}
	return badge{"Bounced for now", "warn"}
}

// worst is the report that says most of a mail.
func worst(reports []store.Report) store.Outcome {
	for _, o := range []store.Outcome{store.Complained, store.Bounced, store.Refused} {
		if slices.ContainsFunc(reports, func(r store.Report) bool { return r.Outcome == o }) {
			return o
		}
	}
	return store.Delayed
}

// liftLicense lets mail go again to an address of the license in the address bar, which a contact has confirmed.
func (s *site) liftLicense(w http.ResponseWriter, r *http.Request) error {
	recorded, err := s.recorded(r)
	if err != nil {
		return err
	}
	l := recorded.License
	if err := s.lift(r, store.Subject{License: l.ID}, l.Contacts); err != nil {
		return err
	}
	return toLicense(w, r, l.ID, "lift")
}

// liftRequest does so with the address of who filed the request.
func (s *site) liftRequest(w http.ResponseWriter, r *http.Request) error {
	asked, err := s.store.Request(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	if err := s.lift(r, store.Subject{Request: asked.ID}, []license.Contact{{Email: asked.Email}}); err != nil {
		return err
	}
	return toRequest(w, r, asked.ID, "lift")
}

const lifted = "Mail goes to the address again."

func (s *site) lift(r *http.Request, on store.Subject, contacts []license.Contact) error {
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	email := form.Get("to")
	if !slices.ContainsFunc(contacts, func(c license.Contact) bool { return strings.EqualFold(c.Email, email) }) {
		return fault.New(fault.Invalid, "This is none of the addresses. Load the page again.")
	}
	return s.store.LiftSuppression(r.Context(), on, email, by(r))
}

// reportRow is a bounce or complaint in the list of all.
type reportRow struct {
	store.Reported
	Badge   badge
	Name    string // what the mail was for
	Address string // of the page of what it is about
}

const (
	daysReported = 30
	maxReported  = 20
	maxUnreached = 20
)

// gatherReports tells which mails did not arrive, and which customers no mail reaches.
func (s *site) gatherReports(r *http.Request, v *overviewView) error {
	reports, err := s.store.Reports(r.Context(), s.now().AddDate(0, 0, -daysReported), maxReported+1)
	if err != nil {
		return err
	}
	v.Reported, v.DaysBack = upTo(len(reports), maxReported), daysReported
	for _, m := range reports[:min(len(reports), maxReported)] {
		page := "/console/requests/"
		if m.Kind.AboutLicense() {
			page = "/console/licenses/"
		}
		v.Reports = append(v.Reports, reportRow{m, outcomeBadge(m.Outcome), mailName(m.Kind), page + m.About})
	}
	unreached, err := s.store.Unreached(r.Context(), maxUnreached)
	v.Unreached = s.licenseRows(unreached)
	return err
}
