package site

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"marketplace/shared/correction"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store/requester"
	"marketplace/shared/web"
)

// The requests of the customer, as far as the person sees them (customer.Seen.SeesRequest), and what can be done to
// them. Whoever sees a request can answer our question and cancel it; who sent it can correct it as well.

func requestPath(r request.Request) string { return "/account/requests/" + url.PathEscape(r.ID) }

// requestsView is the data of requests.html.
type requestsView struct {
	Open, Closed []requestRow
}

// requestRow is a request in a list.
type requestRow struct {
	request.Request
	Own bool
}

// Says words the state of the request.
func (r requestRow) Says() string { return stateWords(r.Request) }

// stateWords words the state of a request for its customer.
func stateWords(r request.Request) string {
	switch {
	case r.State.Open() && r.Unconfirmed:
		return "Waiting for the confirmation by email"
	case r.State == request.Received:
		return "Received"
	case r.State == request.InReview:
		return "In review"
	case r.State == request.Waiting:
		return "We have a question"
	case r.State == request.Issued && r.Kind == request.Bridge:
		return "Bridge key emailed"
	case r.State == request.Issued:
		return "License issued"
	case r.State == request.Answered && r.Kind == request.Bridge:
		return "Not needed: the request for the replacement is closed"
	case r.State == request.Answered:
		return "Key sent again"
	case r.State == request.Rejected:
		return "Declined"
	case r.Cancelled:
		return "Cancelled"
	}
	return "Withdrawn"
}

// requests reads the requests that the person sees, the newest first.
func (s *site) requests(r *http.Request) ([]request.Request, error) {
	of := seen(r)
	var ids []string
	for _, c := range of.Customers() {
		ids = append(ids, c.ID)
	}
	list, err := s.requester.Requests(r.Context(), ids, person(r))
	return slices.DeleteFunc(list, func(one request.Request) bool { return !of.SeesRequest(one) }), err
}

// requestList lists the requests.
func (s *site) requestList(w http.ResponseWriter, r *http.Request) error {
	list, err := s.requests(r)
	if err != nil {
		return err
	}
	var v requestsView
	for _, one := range list {
		row := requestRow{one, seen(r).OwnsRequest(one)}
		if one.State.Open() {
			v.Open = append(v.Open, row)
		} else {
			v.Closed = append(v.Closed, row)
		}
	}
	return s.render(w, r, http.StatusOK, "requests.html", web.View{Title: "Requests", Section: inRequests, Data: v})
}

// requestView is the data of request.html.
type requestView struct {
	requestRow
	Deadline string // of our answer; "" if none was promised
	Instance *customer.Instance
	Licenses []license.License // that were issued for it
	Response web.Field
	Cancel   web.Field
	Fields   []web.Field // that correct it; none if the person cannot
	Note     string      // what was in the way of what was sent
	web.Marked

	corrected *request.CorrectionForm // as it was typed; nil: nothing was
}

// Correct reports whether the form that corrects the request is unfolded.
func (v requestView) Correct() bool { return v.corrected != nil }

// Waiting reports whether we wait for the answer to our question.
func (v requestView) Waiting() bool { return v.State == request.Waiting }

// seenRequest reads the request that the address of a request names, if the person sees it; else a NotFound fault that
// does not say whether there is one.
func (s *site) seenRequest(r *http.Request) (request.Request, error) {
	found, err := s.requester.Request(r.Context(), r.PathValue("request"))
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return found, err
	case err != nil, !seen(r).SeesRequest(found):
		return request.Request{}, fault.New(fault.NotFound, "Your account has no request at this address. "+
			"We may have deleted it, or the link is incomplete.")
	}
	return found, nil
}

// request shows a request.
func (s *site) request(w http.ResponseWriter, r *http.Request) error {
	found, err := s.seenRequest(r)
	if err != nil {
		return err
	}
	return s.renderRequest(w, r, http.StatusOK, found, requestView{}, nil)
}

// renderRequest shows a request with what was typed into its forms. v has what the page says besides.
func (s *site) renderRequest(w http.ResponseWriter, r *http.Request, status int, found request.Request,
	v requestView, bad []fault.Field) error {
	of := seen(r)
	v.requestRow = requestRow{found, of.OwnsRequest(found)}
	v.Instance = of.Instance(found.Instance)
	if found.Summary().AwaitsReply() {
		v.Deadline = s.mail.Hours.DeadlineIn(found.Due, found.Zone)
	}
	if v.Response.Name == "" {
		v.Response = correction.ResponseField("")
	}
	v.Cancel = correction.CancelField()
	if len(found.Licenses) > 0 {
		records, err := s.store.Licenses(r.Context(), found.Licenses...)
		if err != nil {
			return err
		}
		for _, l := range records {
			if of.InstanceOf(l.License.ID) != nil {
				v.Licenses = append(v.Licenses, l.License)
			}
		}
	}
	fields := []*web.Field{&v.Response, &v.Cancel}
	if v.Own && found.State.Open() && found.Kind != request.Bridge { // its replacement is corrected
		c, err := s.catalog()
		if err != nil {
			return err
		}
		f := request.CorrectionOf(found)
		if v.corrected != nil {
			f = *v.corrected
		}
		v.Fields = correction.Fields(s.product, found, f, c.LOCThresholds)
		for i := range v.Fields {
			fields = append(fields, &v.Fields[i])
		}
	}
	v.Marked = web.Mark(bad, fields...)
	title := "Request " + string(found.Reference)
	if len(bad) > 0 {
		title = "Error: " + title
	}
	return s.render(w, r, status, "request.html", web.View{Title: title, Section: inRequests, Data: v})
}

// sentTo reads a form that was sent on the page of a request, and the request.
func (s *site) sentTo(r *http.Request) (values url.Values, found request.Request, err error) {
	if values, err = web.ReadForm(r); err == nil {
		found, err = s.seenRequest(r)
	}
	return values, found, err
}

// answerQuestion takes the answer to our question.
func (s *site) answerQuestion(w http.ResponseWriter, r *http.Request) error {
	values, found, err := s.sentTo(r)
	if err != nil {
		return err
	}
	text, err := request.ParseResponse(values.Get("response"))
	if invalid, ok := errors.AsType[*fault.Error](err); ok {
		v := requestView{Response: correction.ResponseField(values.Get("response"))}
		return s.renderRequest(w, r, http.StatusUnprocessableEntity, found, v, invalid.Fields)
	}
	err = s.requester.AnswerQuestion(r.Context(), found.ID, who(r), values.Get("question"), text)
	return s.afterRequest(w, r, found, "question answered", err)
}

// cancelRequest withdraws a request.
func (s *site) cancelRequest(w http.ResponseWriter, r *http.Request) error {
	values, found, err := s.sentTo(r)
	if err != nil {
		return err
	}
	if values.Get("cancel") != "yes" {
		bad := []fault.Field{{Name: "cancel", Msg: "Tick the box to cancel the request."}}
		return s.renderRequest(w, r, http.StatusUnprocessableEntity, found, requestView{}, bad)
	}
	return s.afterRequest(w, r, found, "cancelled", s.requester.CancelRequest(r.Context(), found.ID, who(r)))
}

// correctRequest takes the corrections of a request that the person sent.
func (s *site) correctRequest(w http.ResponseWriter, r *http.Request) error {
	values, found, err := s.sentTo(r)
	switch {
	case err != nil:
		return err
	case !input.SameMailbox(found.Email, person(r)):
		return fault.New(fault.Forbidden, "Only the person who sent the request can correct it. "+
			"You can cancel it and send another.")
	}
	f := correction.Read(values)
	d, err := f.Accept(found)
	if invalid, ok := errors.AsType[*fault.Error](err); ok && found.State.Open() {
		return s.renderRequest(w, r, http.StatusUnprocessableEntity, found, requestView{corrected: &f}, invalid.Fields)
	}
	if values.Get("seen") != found.Fingerprint() {
		err = fault.New(fault.Conflict, "The request changed meanwhile, so your corrections were not saved.")
	} else {
		err = s.requester.CorrectRequest(r.Context(), found.ID, who(r), found.Version, d)
	}
	return s.afterRequest(w, r, found, "corrected", err)
}

// who is the person, as shared/store/requester knows them.
func who(r *http.Request) requester.Who { return requester.Who(person(r)) }

// afterRequest redirects to the page of a request, or shows it with what was in the way.
func (s *site) afterRequest(w http.ResponseWriter, r *http.Request, found request.Request, done string,
	err error) error {
	var f *fault.Error
	switch {
	case errors.As(err, &f) && f.Kind == fault.Conflict:
		if found, err = s.seenRequest(r); err != nil { // as it is now
			return err
		}
		return s.renderRequest(w, r, http.StatusConflict, found, requestView{Note: f.Msg}, nil)
	case err != nil:
		return err
	}
	s.log.InfoContext(r.Context(), "license request changed in the account", "id", found.ID, "done", done)
	http.Redirect(w, r, requestPath(found), http.StatusSeeOther)
	return nil
}
