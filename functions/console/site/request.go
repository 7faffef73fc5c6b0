package site

import (
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

type requestView struct {
	request.Request
	Badge, When badge
	Address     addressRow // of who asks
	Replaced    string     // the address that leads to what Replaces names; "" for none
	Acts        bool       // who looks may change something
	Basis       basis
	Issuable    bool
	Steps       []stepView
	Trouble     *trouble
	Done        string // what was just done; "" for nothing
	SameServer  related
	SameCompany related
	Mails       []mailRow
	Timeline    []eventView
	events      []store.Event // what Timeline tells
}

// Short is the request's kind in a word.
func (v requestView) Short() string { return shortKind(v.Kind) }

// stepView is a form for something that can be done with the request.
type stepView struct {
	Path, Label, Hint string
	Field             *web.Field // nil: it is a button alone
	Open              bool       // its field is to be seen
}

// related are other requests and licenses that have something in common with what a page shows.
type related struct {
	Requests []requestRow
	Licenses []licenseRow
	More     bool
}

// maxRelated is how many related requests, and licenses, a page shows.
const maxRelated = 20

// request shows a request.
func (s *site) request(w http.ResponseWriter, r *http.Request) error {
	v, err := s.requestView(r)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(steps, func(st step) bool { return st.path == r.URL.Query().Get("done") }); i >= 0 {
		v.Done = steps[i].done
	} else if r.URL.Query().Get("done") == "lift" {
		v.Done = lifted
	}
	return s.showRequest(w, r, http.StatusOK, v)
}

func (s *site) showRequest(w http.ResponseWriter, r *http.Request, status int, v requestView) error {
	title := v.Company + ": " + v.Short()
	if status != http.StatusOK {
		title = "Not taken: " + title
	}
	return s.render(w, r, status, "request.html", inQueue, title, v)
}

// requestView gathers what the page of the request in the address shows.
func (s *site) requestView(r *http.Request) (v requestView, err error) {
	ctx := r.Context()
	if v.Request, err = s.store.Request(ctx, idOf(r)); err != nil {
		return v, err
	}
	if v.events, err = s.store.RequestTimeline(ctx, v.ID); err != nil {
		return v, err
	}
	v.Badge, v.When = stateBadge(v.State), dueBadge(v.Summary(), s.now())
	v.Basis = basis{v.Version, lastOf(v.events)}
	v.Timeline = timelineView(v.events)
	addresses, _, err := s.addressRows(r, []license.Contact{{Name: v.Name, Email: v.Email}})
	if err != nil {
		return v, err
	}
	v.Address = addresses[0]
	if v.Acts = acts(r); v.Acts {
		v.Issuable = v.State.Leads(request.Issued)
		for _, st := range steps {
			if st.refused(v.Request, by(r)) == nil {
				v.Steps = append(v.Steps, st.view(v.Request, "", ""))
			}
		}
	}
	if v.Replaces != "" {
		v.Replaced = searchFor(v.Replaces)
	}
	if v.Mails, err = s.mailsAbout(r, v.ID); err != nil {
		return v, err
	}
	seen := map[string]bool{v.ID: true}
	found, err := s.store.FindByDataset(ctx, v.Request.Server, maxRelated)
	if err != nil {
		return v, err
	}
	v.SameServer = s.related(found, seen)
	if found, err = s.store.FindByCompany(ctx, v.Company, maxRelated); err != nil {
		return v, err
	}
	v.SameCompany = s.related(found, seen)
	return v, nil
}

// idOf is the ID of the request in the address.
func idOf(r *http.Request) string { return strings.ToLower(r.PathValue("id")) }

// related leaves out what was seen, and notes what it shows.
func (s *site) related(found store.Found, seen map[string]bool) related {
	fresh := func(id string) bool {
		known := seen[id]
		seen[id] = true
		return !known
	}
	found.Requests = slices.DeleteFunc(found.Requests, func(r request.Summary) bool { return !fresh(r.ID) })
	found.Licenses = slices.DeleteFunc(found.Licenses, func(l store.Summary) bool { return !fresh(l.ID) })
	return related{s.requestRows(found.Requests), s.licenseRows(found.Licenses), found.More}
}

// Any reports whether there is anything.
func (r related) Any() bool { return len(r.Requests)+len(r.Licenses) > 0 }

// mailRow is a mail about a request or a license.
type mailRow struct {
	store.Mail
	Badge badge
}

// maxMails is how many mails a page shows.
const maxMails = 50

func (s *site) mailsAbout(r *http.Request, id string) (rows []mailRow, err error) {
	list, err := s.store.MailsAbout(r.Context(), id, maxMails)
	for _, m := range list {
		b := badge{"Sent", "good"}
		switch {
		case m.State == store.MailFailed:
			b = badge{"Given up", "bad"}
		case m.State == store.MailPending && m.LastError != "":
			b = badge{"Failed, will be tried again", "warn"}
		case m.State == store.MailPending:
			b = badge{"To be sent", ""}
		case len(m.Reports) > 0:
			b = outcomeBadge(worst(m.Reports))
		}
		rows = append(rows, mailRow{m, b})
	}
	return rows, err
}

// Name is what the mail is for.
func (m mailRow) Name() string { return mailName(m.Message.Kind) }

// Said is what the carrier said of the mail, and servers on its way.
func (m mailRow) Said() string {
	var said []string
	for _, r := range m.Reports {
		if r.Detail != "" && !slices.Contains(said, r.Detail) {
			said = append(said, r.Detail)
		}
	}
	return strings.Join(said, " · ")
}

func mailName(k mail.Kind) string {
	if st, ok := map[mail.Kind]string{
		mail.RequestReceived: "Confirmation", mail.RequestNew: "Notice to sales", mail.RequestQuestion: "Question",
		mail.RequestRejected: "Rejection", mail.RequestWithdrawn: "Withdrawal", mail.LicenseKey: "License key", mail.LicenseExpiring: "Reminder",
		mail.LicenseUnreached: "Task for sales",
	}[k]; ok {
		return st
	}
	return string(k)
}
