package site

import (
	"errors"
	"net/http"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

type statusView struct {
	request.Request
	State progress
	Sales string
}

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
		return progress{"We need something from you", "We wrote to you with a question. Please answer that mail: the request goes on when we have your answer.", 2, true, "warn"}
	case request.Issued:
		return progress{"Your license was issued", "The key went to you by mail, together with what to do with it.", 3, false, "good"}
	case request.Rejected:
		return progress{"The request was declined", "We wrote to you why. Answer that mail if you have questions.", 3, false, "bad"}
	case request.Withdrawn:
		return progress{"The request was withdrawn", "Nothing more happens. You can send a new request at any time.", 3, false, ""}
	}
	return progress{"Your request: " + string(s), "", 1, true, ""}
}

// status is the page behind a customer's private link. It only reads: mail scanners follow links.
func (s *site) status(w http.ResponseWriter, r *http.Request) error {
	found, err := s.byToken(r, r.URL.Query().Get("token"))
	if err != nil {
		return err
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	return s.pages.Render(w, http.StatusOK, "status.html", web.View{
		Title: "License request " + found.ID, Private: true,
		Data: statusView{found, progressOf(found.State), s.mail.Sales.Email},
	})
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
