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

type statusView struct {
	request.Request
	State    progress
	Late     bool // the answer should be there by now
	Licenses []license.License
	History  []event
	Query    string // what links keep
	Sales    string
}

// event is something that happened to a request, in words for its customer.
type event struct {
	At   time.Time
	Text string
}

// Waiting reports whether it is the customer's turn.
func (v statusView) Waiting() bool { return v.Request.State == request.Waiting }

// progress is how far a request is, in words for its customer.
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
		return progress{"We have your request", "It waits for our sales team to look at it.", 1, true, ""}
	case request.InReview:
		return progress{"We are looking at your request", "Somebody of our sales team is working on it.", 2, true, ""}
	case request.Waiting:
		return progress{"We need something from you", "The request goes on when we have your answer.", 2, true, "warn"}
	case request.Issued:
		return progress{"Your license was issued", "The key went to you by mail, together with what to do with it.", 3, false, "good"}
	case request.Rejected:
		return progress{"The request was declined", "The reason stands below; we wrote it to you, too.", 3, false, "bad"}
	case request.Withdrawn:
		return progress{"The request was withdrawn", "Nothing more happens. You can send a new request at any time.", 3, false, ""}
	}
	return progress{"Your request: " + string(s), "", 1, true, ""}
}

// happened is what customers are told of the actions on their requests. Whatever is not here, such as notes, is not for them;
// neither are the names of operators.
var happened = map[store.Action]string{
	store.RequestReceived:  "You sent the request.",
	store.RequestTaken:     "Our sales team began to look at it.",
	store.CustomerAsked:    "We asked you a question.",
	store.RequestResumed:   "We went on with it.",
	store.RequestIssued:    "The license was issued, and its key went to you by mail.",
	store.RequestRejected:  "The request was declined.",
	store.RequestWithdrawn: "The request was withdrawn.",
}

func history(events []store.Event) (list []event) {
	for _, e := range events {
		if said := happened[e.Action]; said != "" {
			list = append(list, event{e.At, said})
		}
	}
	return list
}

// status is the page behind a customer's private link. It only reads: mail scanners follow links.
//
// It tells which license was issued and never shows its key. The link was sent before anybody had looked at the request, to an
// address that nobody had checked, and is passed on among colleagues to follow the request; the key goes by a mail of its own
// to the contact that sales chose, and sales can send it again.
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
		Request: found, State: progressOf(found.State), Late: found.Late(s.now()), History: history(events), Sales: s.mail.Sales.Email,
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
	return s.pages.Render(w, http.StatusOK, "status.html", web.View{Title: "License request " + found.ID, Private: true, Query: v.Query, Data: v})
}

// byToken reads the request of the path for who has its token. Whether the ID or the token is wrong is not told.
func (s *site) byToken(r *http.Request, token string) (request.Request, error) {
	found, err := s.store.RequestByToken(r.Context(), strings.ToLower(r.PathValue("id")), token)
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.NotFound {
		err = fault.Wrap(fault.NotFound, err, "This link opens no license request. Perhaps it was cut: copy all of it from the mail.")
	}
	return found, err
}
