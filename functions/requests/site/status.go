package site

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// statusView is the data of status.html.
type statusView struct {
	request.Request
	State    progress
	Late     bool // the answer is overdue
	Licenses []issuedLicense
	Key      *emailFate // of the license keys; nil if we know of no email
	Lost     *emailFate // the newest email about the request, if it could not be delivered
	Emails   []emailFate
	History  []event
	Query    string // of links
	Sales    string
	Meant    string // the address that was probably meant; "" for none
	Token    string // for the form that corrects it
}

// issuedLicense is a license that was issued for a request, with the names of the catalog.
type issuedLicense struct {
	license.License
	Covers *checkedKey
}

// event is something that happened to a request, worded for the customer.
type event struct {
	At   time.Time
	Text string
}

// Waiting reports whether we are waiting for the customer.
func (v statusView) Waiting() bool { return v.Request.State == request.Waiting }

// Withdrawn reports whether the request was withdrawn, so that there was no answer.
func (v statusView) Withdrawn() bool { return v.Request.State == request.Withdrawn }

// KeyFailed reports whether the license was issued but its key could not be delivered.
func (v statusView) KeyFailed() bool { return len(v.Licenses) > 0 && v.Key != nil && v.Key.Failed }

// NeedsAction reports whether a notice of the page asks the customer for something.
func (v statusView) NeedsAction() bool {
	return v.Lost != nil || v.Meant != "" || v.Server.ReadsAsDate()
}

// progress is the state of a request, worded for the customer.
type progress struct {
	Title string
	Text  string
	Step  int  // of Received, In review, Answered: 1 to 3
	Open  bool // an answer is still to come
	Tone  string
}

// progressOf words the state of a request. answer is the email with our answer; nil if we know of none.
func progressOf(r request.Request, answer *emailFate) progress {
	if r.Unconfirmed {
		return progress{
			"We need to check your request first",
			"It looks as if a program filled in the form.",
			1,
			true,
			"warn",
		}
	}
	switch r.State {
	case request.Received:
		return progress{"We have your request", "Our sales team will review it.", 1, true, ""}
	case request.InReview:
		return progress{"We are reviewing your request", "Someone in our sales team is working on it.", 2, true, ""}
	case request.Waiting:
		return progress{"We need something from you", "We will continue once we have your answer.", 2, true, "warn"}
	case request.Issued:
		return progress{"Your license was issued", answer.text("the key with installation steps"), 3, false, "good"}
	case request.Answered:
		return progress{"We sent the key again",
			"Your license is still valid. We emailed its key to a contact that we have on record for your company. " +
				"Ask them for it, or write to us if it has not arrived.", 3, false, "good"}
	case request.Rejected:
		return progress{
			"The request was declined",
			"The reason is below. " + answer.text("the decision"),
			3,
			false,
			"bad",
		}
	case request.Withdrawn:
		return progress{"The request was withdrawn", "We will not work on it. You can send a new request at any time.",
			3, false, ""}
	}
	return progress{"Your request: " + string(r.State), "", 1, true, ""}
}

// historyTexts words the actions on a request for its customer. Notes and the names of operators are not for customers.
// Emails have lines of their own (delivery).
var historyTexts = map[store.Action]string{
	store.RequestReceived:  "You sent the request.",
	store.EmailCorrected:   "You corrected your email address.",
	store.RequestTaken:     "Our sales team started the review.",
	store.CustomerAsked:    "We asked you a question.",
	store.RequestResumed:   "We continued the review.",
	store.RequestIssued:    "We issued the license.",
	store.RequestAnswered:  "We sent the key again.",
	store.RequestRejected:  "We declined the request.",
	store.RequestWithdrawn: "The request was withdrawn.",
}

func history(events []store.Event, keys []emailFate) (list []event) {
	for _, e := range events {
		if said := historyTexts[e.Action]; said != "" {
			list = append(list, event{e.At, said})
		}
	}
	for _, d := range keys {
		switch {
		case d.returned:
			list = append(list, event{d.at, "The email with the key could not be delivered to " + d.To + "."})
		case !d.Sent.IsZero():
			list = append(list, event{d.Sent, "We emailed the key to " + d.To + "."})
		}
	}
	slices.SortStableFunc(list, func(a, b event) int { return a.At.Compare(b.At) })
	return list
}

// status shows the page behind a customer's private link. It only reads, since mail scanners follow links.
//
// It shows which license was issued but never the key. The link was sent to an unverified address before anyone
// reviewed the request, and colleagues share it. The key goes only to the contact that sales chose, and sales can
// resend it.
func (s *site) status(w http.ResponseWriter, r *http.Request) error {
	found, err := s.byToken(r, r.URL.Query().Get("token"))
	if err != nil {
		return err
	}
	records, err := s.readStatus(r.Context(), found)
	if err != nil {
		return err
	}
	v := statusView{
		Request: found, Late: found.Late(s.now()), Sales: s.mail.Sales.Email,
		Query: linkQuery(url.Values{"serverId": {string(found.Server)}, "ncloc": {strconv.FormatInt(found.Loc, 10)}}),
	}
	if v.Licenses, err = s.issuedLicenses(found, records.licenses); err != nil {
		return err
	}
	asked, keys := deliveries(records.mails, found.Email), deliveries(records.keyMails(), found.Email)
	v.Emails = slices.Concat(asked, keys)
	v.Key = newestDelivery(keys, mail.LicenseKey)
	answer := v.Key
	if found.State != request.Issued {
		answer = newestDelivery(asked, mail.RequestRejected, mail.RequestWithdrawn)
	}
	about := []mail.Kind{mail.RequestReceived, mail.RequestQuestion, mail.RequestRejected, mail.RequestWithdrawn}
	if found.State == request.Waiting {
		about = []mail.Kind{mail.RequestQuestion} // a delivered confirmation does not make up for a lost question
	}
	v.Lost = newestDelivery(asked, about...)
	if v.Lost != nil && !v.Lost.Failed || found.State == request.Issued || found.State == request.Answered {
		v.Lost = nil
	}
	if found.State.Open() {
		v.Meant, v.Token = input.LikelySlip(found.Email), found.Token
	}
	v.State, v.History = progressOf(found, answer), history(records.events, keys)
	w.Header().Set("Referrer-Policy", "no-referrer")
	return s.pages.Render(w, http.StatusOK, "status.html",
		web.View{Title: "License request " + string(found.Reference), Private: true, Query: v.Query, Data: v})
}

// maxMails is how many emails about a request or a license are read.
const maxMails = 20

// statusRecords is what the page of a request reads besides the request.
type statusRecords struct {
	events   []store.Event
	mails    []outbox.Mail         // about the request
	licenses []store.LicenseRecord // that were issued for it
	others   [][]outbox.Mail       // about each of the licenses
}

// readStatus reads all of the page of a request at once.
func (s *site) readStatus(ctx context.Context, of request.Request) (statusRecords, error) {
	r := statusRecords{
		licenses: make([]store.LicenseRecord, len(of.Licenses)), others: make([][]outbox.Mail, len(of.Licenses)),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { r.events, err = s.store.RequestTimeline(ctx, of.ID); return err })
	g.Go(func() (err error) { r.mails, err = s.store.MailsAbout(ctx, of.ID, maxMails); return err })
	for i, id := range of.Licenses {
		g.Go(func() (err error) { r.licenses[i], err = s.store.License(ctx, id); return err })
		g.Go(func() (err error) { r.others[i], err = s.store.MailsAbout(ctx, id, maxMails); return err })
	}
	return r, g.Wait()
}

// keyMails returns the emails with the keys of the licenses.
func (r statusRecords) keyMails() (keys []outbox.Mail) {
	for _, m := range slices.Concat(r.others...) {
		if m.Kind == mail.LicenseKey {
			keys = append(keys, m)
		}
	}
	return keys
}

// issuedLicenses describes the licenses that were issued for a request.
func (s *site) issuedLicenses(of request.Request, records []store.LicenseRecord) (list []issuedLicense, err error) {
	if len(records) == 0 {
		return nil, nil
	}
	c, err := s.catalog()
	if err != nil {
		return nil, err
	}
	for _, recorded := range records {
		l := recorded.License
		list = append(list, issuedLicense{l, s.describe(l.Terms(), l.Packages, c, of.ProductVersion)})
	}
	return list, nil
}

// correctEmail corrects an address that is probably mistyped, as the status page offers. No other address can be set
// with the link, which colleagues share.
func (s *site) correctEmail(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	found, err := s.byToken(r, values.Get("token"))
	if err != nil {
		return err
	}
	if meant := input.LikelySlip(found.Email); meant != "" && found.State.Open() {
		err = s.store.CorrectEmail(r.Context(), found.ID, found.Email, meant)
		if err != nil {
			return err
		}
		s.log.InfoContext(r.Context(), "address of a license request corrected", "id", found.ID)
	}
	http.Redirect(w, r, letter.StatusPath(found), http.StatusSeeOther)
	return nil
}

// emailHint asks about an address that is probably mistyped; "" if it looks right.
func emailHint(r request.Request) string {
	meant := input.LikelySlip(r.Email)
	if meant == "" {
		return ""
	}
	return "The address " + r.Email + " may be mistyped. Did you mean " + meant + "? " +
		"The page behind statusUrl corrects it."
}

// byToken reads the request of the path with the token of its private link. The error does not say whether the ID
// or the token is wrong.
func (s *site) byToken(r *http.Request, given string) (request.Request, error) {
	found, err := s.store.RequestByToken(r.Context(), strings.ToLower(r.PathValue("id")), token.Status.Read(given))
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.NotFound {
		err = fault.Wrap(fault.NotFound, err,
			"This link does not open a license request. It may be incomplete: copy all of it from our email.")
	}
	return found, err
}
