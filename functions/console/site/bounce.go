package site

import (
	"net/http"
	"slices"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/web"

	"golang.org/x/sync/errgroup"
)

// addressRow is a customer's email address, and why we send no email to it, if so.
type addressRow struct {
	Name, Email string
	Problem     badge  // empty if the address gets email
	Stopped     string // which emails it does not get; "" if the address is invalid or gets all
	Since       string // since when
}

// addressRows looks up which addresses get no email. reachable: at least one does.
func (s *site) addressRows(r *http.Request, contacts []license.Contact) (rows []addressRow, reachable bool, err error) {
	for _, c := range contacts {
		row := addressRow{Name: c.Name, Email: c.Email}
		if _, err := (mail.Address{Name: c.Name, Email: c.Email}).Mailbox(); err != nil {
			row.Problem = badge{"Invalid address", "bad"}
		}
		switch why, err := s.store.Suppressed(r.Context(), c.Email); {
		case err != nil:
			return nil, false, err
		case why != nil:
			row.Problem, row.Since = outcomeBadge(why.Outcome), license.DateOf(why.At).Long()
			row.Stopped = stopped(why.Scope)
			reachable = reachable || why.Scope != delivery.AllMails
		}
		reachable = reachable || row.Problem.Text == ""
		rows = append(rows, row)
	}
	return rows, reachable, nil
}

// ID identifies the address on a page.
func (a addressRow) ID() string { return mail.RecipientID(a.Email) }

// stopped names the emails that a suppression stops.
func stopped(s delivery.Scope) string {
	if s == delivery.Confirmations {
		return "confirmations"
	}
	return "emails"
}

// resumeEmailsOfLicense ends the suppression of an address of a license, once a contact has confirmed it.
func (s *site) resumeEmailsOfLicense(w http.ResponseWriter, r *http.Request) error {
	recorded, err := s.licenseRecord(r)
	if err != nil {
		return err
	}
	l := recorded.License
	account, err := s.store.Account(r.Context(), l.Customer)
	if err != nil {
		return err
	}
	done, err := s.resumeEmails(r, store.Subject{License: l.ID}, contactsOf(account, l))
	if err != nil {
		return err
	}
	return redirectToLicense(w, r, l.ID, done)
}

// resumeEmailsOfRequest does the same for the address of a requester.
func (s *site) resumeEmailsOfRequest(w http.ResponseWriter, r *http.Request) error {
	asked, err := s.store.Request(r.Context(), requestID(r))
	if err != nil {
		return err
	}
	done, err := s.resumeEmails(r, store.Subject{Request: asked.ID}, []license.Contact{{Email: asked.Email}})
	if err != nil {
		return err
	}
	return redirectToRequest(w, r, asked.ID, done)
}

// What the page says after emails to an address resumed.
const (
	emailsResumed     = "Emails resumed."
	emailsResumedHere = "Emails resumed here. SES may still suppress the address: see “An address is suppressed” in " +
		"operations.md."
)

// doneResuming is the message after an action; "" for other actions.
func doneResuming(done string) string {
	return map[string]string{"lift": emailsResumed, "lift-here": emailsResumedHere}[done]
}

// resumeEmails ends the suppression of an address, and returns which action was done.
func (s *site) resumeEmails(r *http.Request, on store.Subject, contacts []license.Contact) (done string, err error) {
	form, err := web.ReadForm(r)
	if err != nil {
		return "", err
	}
	email := form.Get("to")
	isContact := func(c license.Contact) bool { return input.SameMailbox(c.Email, email) }
	if !slices.ContainsFunc(contacts, isContact) {
		return "", fault.New(fault.Invalid, "This is not one of the addresses. Reload the page and try again.")
	}
	providersList, err := s.store.LiftSuppression(r.Context(), on, email, operator(r), form.Get("reason"))
	if providersList {
		return "lift-here", err
	}
	return "lift", err
}

// reportRow is a bounce or complaint in the list of all.
type reportRow struct {
	delivery.RecentReport
	Badge   badge
	Name    string // what the email was for
	Address string // of the page of its request or license; "" if it is about a list of requests
}

const (
	daysReported = 30
	maxReported  = 20
	maxUnreached = 20
)

// addReports adds the emails that did not arrive and the customers who cannot be reached by email.
func (s *site) addReports(r *http.Request, v *overviewView) error {
	reports, err := s.store.RecentReports(r.Context(), s.now().AddDate(0, 0, -daysReported), maxReported+1)
	if err != nil {
		return err
	}
	v.Reported, v.DaysBack = upTo(len(reports), maxReported), daysReported
	for _, m := range reports[:min(len(reports), maxReported)] {
		page := "/console/requests/" + m.About
		switch {
		case m.Kind.AboutLicense():
			page = "/console/licenses/" + m.About
		case m.Kind == mail.RequestUnconfirmed:
			page = ""
		}
		v.Reports = append(v.Reports, reportRow{m, outcomeBadge(m.Outcome), mailName(m.Kind), page})
	}
	if v.Suppressed, err = s.suppressedAmong(r, v.Reports); err != nil {
		return err
	}
	unreached, err := s.store.Unreached(r.Context(), maxUnreached)
	v.Unreached = s.licenseRows(unreached)
	return err
}

// suppressedRow is an address that some emails are not sent to.
type suppressedRow struct {
	Email, Stopped string
	Badge          badge
	Since          time.Time
	Page           string // of the request or license of the email that was reported
}

// suppressedAmong returns the addresses of reports that get no emails, or not all, each once. All reads are made at
// once.
func (s *site) suppressedAmong(r *http.Request, reports []reportRow) (rows []suppressedRow, err error) {
	var addresses []reportRow
	for _, m := range reports {
		same := func(other reportRow) bool { return input.SameMailbox(m.To, other.To) }
		if m.To != "" && !slices.ContainsFunc(addresses, same) {
			addresses = append(addresses, m)
		}
	}
	found := make([]*delivery.Suppression, len(addresses))
	g, ctx := errgroup.WithContext(r.Context())
	for i, m := range addresses {
		g.Go(func() (err error) { found[i], err = s.store.Suppressed(ctx, m.To); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, why := range found {
		if m := addresses[i]; why != nil {
			rows = append(rows, suppressedRow{m.To, stopped(why.Scope), outcomeBadge(why.Outcome), why.At, m.Address})
		}
	}
	return rows, nil
}
