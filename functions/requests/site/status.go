package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// statusView is the data of status.html.
type statusView struct {
	request.Request
	State      progress
	Late       bool   // the answer is overdue
	Deadline   string // of the answer
	Office     officeView
	Licenses   []issuedLicense
	Key        *emailFate // of the license keys; nil if we know of no email
	Lost       *emailFate // the newest email about the request, if it could not be delivered
	Emails     []emailFate
	History    []event
	Query      string // of links
	Sales      string
	web.Marked                 // what is wrong with what the visitor just sent
	Note       string          // what became of it; "" for nothing
	Slip       *slipForm       // nil if the address looks right
	Again      *againForm      // nil if there is nothing to confirm
	Forms      *requesterForms // nil if the request is closed
	Deleted    string          // the last day of a request that ended without a license; "" for others
	Unspoken   bool            // the request was closed before anybody said that they sent it
}

// statusReply is what a page of a request says about what its visitor sent.
type statusReply struct {
	status   int    // of HTTP; 0 is OK
	note     string // a sentence on top; "" for none
	wrong    []fault.Field
	response string // the answer as it was typed, which is wrong
}

// issuedLicense is a license that was issued for a request, with the names of the catalog.
type issuedLicense struct {
	license.License
	Covers *checkedKey
	Ends   string // see site.ends
	// Next is the request form for the next license, Action the text of a link to it.
	Next, Action string
	Gauge        web.Gauge // of a license in force
}

// event is something that happened to a request, worded for the customer.
type event struct {
	At   time.Time
	Text string
}

// waitsForAddress reports whether nothing happens before the person behind the address confirms the request.
func (v statusView) waitsForAddress() bool { return v.Unconfirmed && v.Again != nil }

// fields are those of the page's forms, in the order of the page.
func (v statusView) fields() (list []*web.Field) {
	if v.Slip != nil {
		list = append(list, &v.Slip.Right)
	}
	if v.Again != nil {
		list = append(list, &v.Again.Sure)
	}
	if v.Forms != nil {
		if v.Forms.Response != nil {
			list = append(list, v.Forms.Response)
		}
		list = append(list, &v.Forms.Cancel)
	}
	return list
}

// Days is after how many days an unconfirmed request is closed.
func (v statusView) Days() int { return request.ConfirmDays }

// Waiting reports whether we are waiting for the customer.
func (v statusView) Waiting() bool { return v.Request.State == request.Waiting }

// Withdrawn reports whether the request was withdrawn, so that there was no answer.
func (v statusView) Withdrawn() bool { return v.Request.State == request.Withdrawn }

// KeyFailed reports whether the license was issued but its key could not be delivered.
func (v statusView) KeyFailed() bool { return len(v.Licenses) > 0 && v.Key != nil && v.Key.Failed }

// NeedsAction reports whether a notice of the page asks the customer for something.
func (v statusView) NeedsAction() bool {
	return v.Lost != nil || v.Slip != nil || v.Again != nil || v.Server.ReadsAsDate()
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
	if p, ok := bridgeProgress(r, answer); ok {
		return p
	}
	switch r.State {
	case request.Received:
		thanks := ""
		if !r.Confirmed.IsZero() {
			thanks = "Thank you for confirming it. "
		}
		return progress{"We have your request", thanks + "Our sales team will review it.", 1, true, ""}
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
		if r.Cancelled {
			return progress{"The request was cancelled",
				"We will not work on it. You can send a new request at any time.", 3, false, ""}
		}
		return progress{"The request was withdrawn", "We will not work on it. You can send a new request at any time.",
			3, false, ""}
	}
	return progress{"Your request: " + string(r.State), "", 1, true, ""}
}

// historyTexts words the actions on a request for its customer. Notes and the names of operators are not for customers.
// Emails have lines of their own (delivery).
var historyTexts = map[store.Action]string{
	store.RequestReceived:  "You sent the request.",
	store.ConfirmationSent: "We sent the email to confirm the request again.",
	store.RequestConfirmed: "You confirmed the request.",
	store.RequestDenied:    "The owner of the email address said that they did not send the request.",
	store.EmailCorrected:   "You corrected your email address.",
	store.RequestTaken:     "Our sales team started the review.",
	store.CustomerAsked:    "We asked you a question.",
	store.RequestResumed:   "We continued the review.",
	store.QuestionAnswered: "You answered our question.",
	store.RequestCorrected: "You corrected the request.",
	store.RequestCancelled: "You cancelled the request.",
	store.RequestIssued:    "We issued the license.",
	store.RequestAnswered:  "We sent the key again.",
	store.RequestRejected:  "We declined the request.",
	store.RequestWithdrawn: "The request was withdrawn.",
}

func history(events []store.Event, keys []emailFate) (list []event) {
	for _, e := range events {
		said := historyTexts[e.Action]
		switch {
		case e.Action == store.RequestReceived && e.By != store.Customer:
			said = "We recorded the request for you."
		case expired(e):
			said = "Nobody confirmed the request, so we closed it."
		}
		if said != "" {
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

// expired reports whether an event closed a request that nobody had confirmed.
func expired(e store.Event) bool { return e.Action == store.RequestWithdrawn && e.By == store.System }

// neverSent words the state of a request that was closed because its address denied or never confirmed it; ok is false
// for any other.
func neverSent(r request.Request, events []store.Event) (p progress, ok bool) {
	if r.State != request.Withdrawn {
		return progress{}, false
	}
	for _, e := range events {
		switch {
		case e.Action == store.RequestDenied:
			return progress{"We closed the request",
				"The owner of the email address did not send it. You will not hear from us about it again.",
				3, false, ""}, true
		case expired(e):
			return progress{"The request has expired",
				fmt.Sprintf("Nobody confirmed it within %d days. You can send a new request at any time.",
					request.ConfirmDays), 3, false, ""}, true
		}
	}
	return progress{}, false
}

// status shows the page behind a customer's private link, or the form that confirms the request if the link has the
// secret of the email (confirm.go). It only reads, since mail scanners follow links.
//
// It shows which license was issued but never the key. The link was sent to an unverified address before anyone
// reviewed the request, and colleagues share it. The key goes only to the contact that sales chose, and sales can
// resend it.
func (s *site) status(w http.ResponseWriter, r *http.Request) error {
	found, err := s.byToken(r, r.URL.Query().Get("token"))
	switch {
	case err != nil:
		return err
	case r.URL.Query().Has(confirmParameter):
		return s.confirmForm(w, r, found)
	}
	return s.showStatus(w, r, found, statusReply{})
}

// showStatus shows the page of a request with a reply to what its visitor sent.
func (s *site) showStatus(w http.ResponseWriter, r *http.Request, found request.Request, reply statusReply) error {
	records, err := s.readStatus(r.Context(), found)
	if err != nil {
		return err
	}
	v, err := s.newStatusView(found, records, reply)
	if err != nil {
		return err
	}
	page := "status.html"
	if v.waitsForAddress() {
		page = "unconfirmed.html"
	}
	title := "License request " + string(found.Reference)
	if len(reply.wrong) > 0 {
		title, reply.status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return s.renderPrivate(w, max(reply.status, http.StatusOK), page,
		web.View{Title: title, Query: v.Query, Data: v})
}

// renderPrivate writes a page whose address is a secret: no link passes it on, and no search engine keeps it.
func (s *site) renderPrivate(w http.ResponseWriter, status int, page string, v web.View) error {
	v.Private = true
	w.Header().Set("Referrer-Policy", "strict-origin")
	return s.pages.Render(w, status, page, v)
}

func (s *site) newStatusView(found request.Request, records statusRecords, reply statusReply) (statusView, error) {
	v := statusView{
		Request: found, Late: found.Late(s.now()), Deadline: s.mail.Hours.DeadlineIn(found.Due, found.Zone),
		Office: s.office(), Sales: s.mail.Sales.Email, Note: reply.note, Deleted: lastDay(found),
		Query: linkQuery(url.Values{"serverId": {string(found.Server)}, "ncloc": {strconv.FormatInt(found.Loc, 10)}}),
	}
	var err error
	if v.Licenses, err = s.issuedLicenses(found, records.licenses); err != nil {
		return statusView{}, err
	}
	asked, keys := s.deliveries(records.mails, found), s.deliveries(records.keyMails(), found)
	v.Emails = slices.Concat(asked, keys)
	v.Key = newestDelivery(keys, mail.LicenseKey)
	answer := v.Key
	if found.State != request.Issued {
		answer = newestDelivery(asked, mail.RequestRejected, mail.RequestWithdrawn)
	}
	v.Lost = lost(found, asked)
	confirmation := newestDelivery(asked, mail.RequestReceived, mail.RequestsToConfirm)
	v.Slip, v.Again = newSlipForm(found), newAgainForm(found, confirmation)
	if v.Forms = newRequesterForms(found); v.Forms != nil && v.Forms.Response != nil {
		v.Forms.Response.Value = reply.response
	}
	v.Marked = web.Mark(reply.wrong, v.fields()...)
	records.events = knownEvents(records.events, found.Undoable(s.now()))
	v.History = history(records.events, keys)
	if v.State, v.Unspoken = neverSent(found, records.events); v.Unspoken {
		v.Replaces = "" // nobody stands by what was typed
	} else {
		v.State = progressOf(found, answer)
	}
	if v.waitsForAddress() {
		v.State, v.Query = unconfirmedProgress(found, confirmation), ""
	}
	return v, nil
}

// lost returns the newest email about a request if it could not be delivered; nil if it was, or no longer matters.
func lost(r request.Request, asked []emailFate) *emailFate {
	about := []mail.Kind{mail.RequestReceived, mail.RequestsToConfirm, mail.RequestQuestion, mail.RequestRejected,
		mail.RequestWithdrawn}
	if r.State == request.Waiting {
		about = []mail.Kind{mail.RequestQuestion} // a delivered confirmation does not make up for a lost question
	}
	newest := newestDelivery(asked, about...)
	if newest == nil || !newest.Failed || r.State == request.Issued || r.State == request.Answered {
		return nil
	}
	return newest
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
		covers := s.describe(l.Terms(), l.Packages, c, of.ProductVersion)
		next, action := nextForm(l)
		list = append(list, issuedLicense{l, covers, s.ends(l), next, action, s.gaugeOf(l, of, c)})
	}
	return list, nil
}

// gaugeOf shows how much of a license the server uses, as the request told; nothing of a license that is over.
func (s *site) gaugeOf(l license.License, of request.Request, c *catalog.Catalog) web.Gauge {
	if !l.Revoked.IsZero() || license.DateOf(s.now()).After(l.Expiration) || l.Server != of.Server {
		return web.Gauge{}
	}
	g := web.NewGauge(of.Loc, of.Created, l.MaxLoc, c.LOCThresholds)
	if g.Next > 0 {
		g.More = formPath(request.Form{
			Edition: string(l.Edition), Server: string(l.Server), Loc: strconv.FormatInt(of.Loc, 10),
			Kind: string(request.Upgrade),
		})
	}
	return g
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
	switch {
	case errors.Is(err, store.ErrMaybeDeleted):
		err = fault.Wrap(fault.NotFound, err, "We no longer have this request, or the link is incomplete. "+
			"We delete a request that ends without a license %s after it is closed.", s.store.Retention().Requests())
	case errors.As(err, &f) && f.Kind == fault.NotFound:
		err = fault.Wrap(fault.NotFound, err,
			"This link does not open a license request. It may be incomplete: copy all of it from our email.")
	}
	return found, err
}
