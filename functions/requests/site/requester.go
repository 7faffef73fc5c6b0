package site

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"marketplace/shared/correction"
	"marketplace/shared/fault"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store/requester"
	"marketplace/shared/web"
)

// What whoever has the private link of a request can do to it: answer our question, correct it, cancel it. Some
// scanners submit the forms that they find, so each wants something typed or ticked.

// Requester changes requests as their customers ask. shared/store/requester implements it.
type Requester interface {
	// AnswerQuestion answers the question of a request. It is a Conflict fault if that is no longer open.
	AnswerQuestion(ctx context.Context, id string, who requester.Who, question, text string) error
	// CorrectRequest gives a request of a version other details, which its address has to confirm again. It is a
	// Conflict fault if the request changed meanwhile.
	CorrectRequest(ctx context.Context, id string, who requester.Who, version int64, d request.Details) error
	// CancelRequest withdraws a request. It is a Conflict fault if the request is closed.
	CancelRequest(ctx context.Context, id string, who requester.Who) error
}

// byLink is who has the private link of a request: it may be anybody.
const byLink requester.Who = ""

// requesterForms are the forms of the status page.
type requesterForms struct {
	ID, Token string
	Question  string     // as the page shows it
	Response  *web.Field // nil if we asked nothing
	Cancel    web.Field
	Correct   string // address of the form that corrects the request
}

// newRequesterForms returns the forms for a request; nil if it is closed.
func newRequesterForms(r request.Request) *requesterForms {
	if !r.State.Open() {
		return nil
	}
	f := &requesterForms{ID: r.ID, Token: r.Token, Cancel: correction.CancelField()}
	if r.Kind != request.Bridge { // its replacement is corrected
		f.Correct = correctPath(r)
	}
	if r.State == request.Waiting {
		response := correction.ResponseField("")
		f.Response, f.Question = &response, r.Question
	}
	return f
}

func correctPath(r request.Request) string {
	return "/requests/" + r.ID + "/correct?" + url.Values{"token": {r.Token}}.Encode()
}

// opened reads the form that was sent on the page of a request, and the request.
func (s *site) opened(r *http.Request) (values url.Values, found request.Request, err error) {
	if values, err = web.ReadForm(r); err == nil {
		found, err = s.byToken(r, values.Get("token"))
	}
	return values, found, err
}

// answerQuestion takes the answer to our question.
func (s *site) answerQuestion(w http.ResponseWriter, r *http.Request) error {
	values, found, err := s.opened(r)
	if err != nil {
		return err
	}
	text, err := request.ParseResponse(values.Get("response"))
	if invalid, ok := errors.AsType[*fault.Error](err); ok {
		return s.showStatus(w, r, found, statusReply{wrong: invalid.Fields, response: values.Get("response")})
	}
	err = s.requester.AnswerQuestion(r.Context(), found.ID, byLink, values.Get("question"), text)
	return s.afterRequester(w, r, found, "question answered", err)
}

// cancelRequest withdraws a request.
func (s *site) cancelRequest(w http.ResponseWriter, r *http.Request) error {
	values, found, err := s.opened(r)
	if err != nil {
		return err
	}
	if values.Get("cancel") != "yes" {
		return s.showStatus(w, r, found, untouched("cancel", "Tick the box to cancel the request."))
	}
	err = s.requester.CancelRequest(r.Context(), found.ID, byLink)
	return s.afterRequester(w, r, found, "cancelled", err)
}

// afterRequester redirects to the page of a request, or shows it with what was in the way.
func (s *site) afterRequester(w http.ResponseWriter, r *http.Request, found request.Request, done string,
	err error) error {
	var f *fault.Error
	switch {
	case errors.As(err, &f) && f.Kind == fault.Conflict:
		if found, err = s.byToken(r, found.Token); err != nil { // as it is now
			return err
		}
		return s.showStatus(w, r, found, statusReply{status: http.StatusConflict, note: f.Msg})
	case err != nil:
		return err
	}
	s.log.InfoContext(r.Context(), "license request changed by its link", "id", found.ID, "done", done)
	http.Redirect(w, r, letter.StatusPath(found), http.StatusSeeOther)
	return nil
}

// correctView is the data of correct.html.
type correctView struct {
	request.Request
	Fields []web.Field
	web.Marked
	Again bool   // the address has to confirm the request again
	Back  string // address of the page of the request
}

// correctForm shows the form that corrects a request, as it is.
func (s *site) correctForm(w http.ResponseWriter, r *http.Request) error {
	found, err := s.byToken(r, r.URL.Query().Get("token"))
	if err != nil {
		return err
	}
	if !found.State.Open() {
		http.Redirect(w, r, letter.StatusPath(found), http.StatusSeeOther)
		return nil
	}
	return s.renderCorrect(w, http.StatusOK, found, request.CorrectionOf(found), nil)
}

// correct takes the corrections of a request.
func (s *site) correct(w http.ResponseWriter, r *http.Request) error {
	values, found, err := s.opened(r)
	if err != nil {
		return err
	}
	f := correction.Read(values)
	d, err := f.Accept(found)
	if invalid, ok := errors.AsType[*fault.Error](err); ok && found.State.Open() {
		return s.renderCorrect(w, http.StatusUnprocessableEntity, found, f, invalid.Fields)
	}
	if seen := values.Get("seen"); seen != found.Fingerprint() {
		err = fault.New(fault.Conflict, "The request changed meanwhile, so your corrections were not saved.")
	} else {
		err = s.requester.CorrectRequest(r.Context(), found.ID, byLink, found.Version, d)
	}
	return s.afterRequester(w, r, found, "corrected", err)
}

func (s *site) renderCorrect(w http.ResponseWriter, status int, of request.Request, f request.CorrectionForm,
	bad []fault.Field) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	v := correctView{Request: of, Fields: correction.Fields(s.brand.Product, of, f, c.LOCThresholds), Again: !of.Bound,
		Back: letter.StatusPath(of)}
	var fields []*web.Field
	for i := range v.Fields {
		fields = append(fields, &v.Fields[i])
	}
	v.Marked = web.Mark(bad, fields...)
	title := "Correct license request " + string(of.Reference)
	if len(bad) > 0 {
		title = "Error: " + title
	}
	return s.renderPrivate(w, status, "correct.html", web.View{Title: title, Data: v})
}
