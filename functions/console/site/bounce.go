package site

import (
	"context"
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
	reached     bool   // some emails go to it
}

// addressRows looks up which addresses get no email. All reads are made at once.
func (s *site) addressRows(ctx context.Context, contacts []license.Contact) ([]addressRow, error) {
	suppressed := make([]*delivery.Suppression, len(contacts))
	g, ctx := errgroup.WithContext(ctx)
	for i, c := range contacts {
		read(g, &suppressed[i], func() (*delivery.Suppression, error) { return s.store.Suppressed(ctx, c.Email) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var rows []addressRow
	for i, c := range contacts {
		row := addressRow{Name: c.Name, Email: c.Email}
		if _, err := (mail.Address{Name: c.Name, Email: c.Email}).Mailbox(); err != nil {
			row.Problem = badge{"Invalid address", "bad"}
		}
		why := suppressed[i]
		if why != nil {
			row.Problem, row.Since = outcomeBadge(why.Outcome), license.DateOf(why.At).Long()
			row.Stopped = stopped(why.Scope)
		}
		row.reached = row.Problem.Text == "" || why != nil && why.Scope != delivery.AllMails
		rows = append(rows, row)
	}
	return rows, nil
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
	Address string // of the page of what it is about; "" if that is a list of requests
}

const (
	daysReported = 30
	maxReported  = 20
	maxUnreached = 20
)

// addReports adds the emails that did not arrive and the customers who cannot be reached by email.
func (s *site) addReports(v *overviewView, o overviewRecords) {
	v.Reported, v.DaysBack = upTo(len(o.reports), maxReported), daysReported
	for _, m := range shown(o.reports) {
		v.Reports = append(v.Reports, reportRow{m, outcomeBadge(m.Outcome), mailName(m.Kind), pageOfReport(m)})
	}
	v.Suppressed = o.suppressed
	v.Unreached = s.licenseRows(o.unreached)
}

// shown returns the reports that the overview shows.
func shown(reports []delivery.RecentReport) []delivery.RecentReport {
	return reports[:min(len(reports), maxReported)]
}

// pageOfReport returns the address of the page of what an email is about; "" if that is a list.
func pageOfReport(m delivery.RecentReport) string {
	switch {
	case m.Kind.AboutLicense():
		return "/console/licenses/" + m.About
	case m.Kind.AboutCustomer():
		return customersPath + "/" + m.About
	case m.Kind == mail.RequestUnconfirmed, m.Kind.AboutSignIn():
		return ""
	}
	return "/console/requests/" + m.About
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
func (s *site) suppressedAmong(ctx context.Context, reports []delivery.RecentReport) (rows []suppressedRow, err error) {
	var addresses []delivery.RecentReport
	for _, m := range reports {
		same := func(other delivery.RecentReport) bool { return input.SameMailbox(m.To, other.To) }
		if m.To != "" && !slices.ContainsFunc(addresses, same) {
			addresses = append(addresses, m)
		}
	}
	found := make([]*delivery.Suppression, len(addresses))
	g, ctx := errgroup.WithContext(ctx)
	for i, m := range addresses {
		read(g, &found[i], func() (*delivery.Suppression, error) { return s.store.Suppressed(ctx, m.To) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, why := range found {
		if m := addresses[i]; why != nil {
			rows = append(rows, suppressedRow{m.To, stopped(why.Scope), outcomeBadge(why.Outcome), why.At,
				pageOfReport(m)})
		}
	}
	return rows, nil
}
