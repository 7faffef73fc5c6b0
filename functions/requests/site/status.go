package site

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// statusView is the data of status.html.
type statusView struct {
	request.Request
	State    progress
	Late     bool // the answer is overdue
	Licenses []license.License
	History  []event
	Query    string // of links
	Sales    string
}

// event is something that happened to a request, worded for the customer.
type event struct {
	At   time.Time
	Text string
}

// Deadline returns when we promised an answer, with the weekday: "Tuesday 06 Mar 2018, 09:30 UTC".
func (v statusView) Deadline() string { return v.Due.UTC().Format("Monday ") + web.Instant(v.Due) }

// Waiting reports whether we are waiting for the customer.
func (v statusView) Waiting() bool { return v.Request.State == request.Waiting }

// progress is the state of a request, worded for the customer.
type progress struct {
	Title string
	Text  string
	Step  int  // of Received, In review, Answered: 1 to 3
	Open  bool // an answer is still to come
	Tone  string
}

func progressOf(s request.State) progress {
	switch s {
	case request.Received:
		return progress{"We have your request", "Our sales team will review it.", 1, true, ""}
	case request.InReview:
		return progress{"We are reviewing your request", "Someone in our sales team is working on it.", 2, true, ""}
	case request.Waiting:
		return progress{"We need something from you", "We will continue once we have your answer.", 2, true, "warn"}
	case request.Issued:
		return progress{"Your license was issued", "We emailed you the key with installation steps.", 3, false, "good"}
	case request.Rejected:
		return progress{"The request was declined", "The reason is below. We emailed it to you as well.",
			3, false, "bad"}
	case request.Withdrawn:
		return progress{"The request was withdrawn", "We will not work on it. You can send a new request at any time.",
			3, false, ""}
	}
	return progress{"Your request: " + string(s), "", 1, true, ""}
}

// historyTexts words the actions on a request for its customer. Notes and the names of operators are not for customers.
var historyTexts = map[store.Action]string{
	store.RequestReceived:  "You sent the request.",
	store.RequestTaken:     "Our sales team started the review.",
	store.CustomerAsked:    "We asked you a question.",
	store.RequestResumed:   "We continued the review.",
	store.RequestIssued:    "We issued the license and emailed you the key.",
	store.RequestRejected:  "We declined the request.",
	store.RequestWithdrawn: "The request was withdrawn.",
}

func history(events []store.Event) (list []event) {
	for _, e := range events {
		if said := historyTexts[e.Action]; said != "" {
			list = append(list, event{e.At, said})
		}
	}
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
	events, err := s.store.RequestTimeline(r.Context(), found.ID)
	if err != nil {
		return err
	}
	v := statusView{
		Request: found, State: progressOf(found.State), Late: found.Late(s.now()), History: history(events),
		Sales: s.mail.Sales.Email,
		Query: linkQuery(url.Values{"serverId": {string(found.Server)}, "ncloc": {strconv.FormatInt(found.Loc, 10)}}),
	}
	for _, id := range found.Licenses {
		l, err := s.store.License(r.Context(), id)
		if err != nil {
			return err
		}
		v.Licenses = append(v.Licenses, l.License)
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	return s.pages.Render(w, http.StatusOK, "status.html",
		web.View{Title: "License request " + found.ID, Private: true, Query: v.Query, Data: v})
}

// byToken reads the request of the path with its token. The error does not say whether the ID or the token is wrong.
func (s *site) byToken(r *http.Request, token string) (request.Request, error) {
	found, err := s.store.RequestByToken(r.Context(), strings.ToLower(r.PathValue("id")), token)
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.NotFound {
		err = fault.Wrap(fault.NotFound, err,
			"This link does not open a license request. It may be incomplete: copy all of it from our email.")
	}
	return found, err
}
