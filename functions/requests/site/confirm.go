package site

import (
	"net/http"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// The form that confirms requests. Its address is that of the status page with the secret of the email, and it is
// posted to its own address: so no page, redirect or answer has the secret, and whoever only typed an address never
// sees the form. Scanners open links and submit forms as they are, so nothing is chosen before a person does.

// confirmParameter is the parameter of a link that has the secret (letter.Writer.ConfirmURL).
const confirmParameter = "confirm"

// tickedAtMost is up to how many requests are ticked when the form is opened. More are a flood under somebody's
// address, among which that person has to find their own.
const tickedAtMost = 10

// confirmView is the data of confirm.html.
type confirmView struct {
	request.Request // of the link
	Listed          []request.Request
	Requests        web.Field // of several
	Answer          web.Field
	web.Marked
	Days     int    // until an unconfirmed request is closed
	Deadline string // by when we reply if it is confirmed now; "" if that was promised before
}

// One returns the request if there is only one; nil if there are several.
func (v confirmView) One() *request.Request {
	if len(v.Listed) == 1 {
		return &v.Listed[0]
	}
	return nil
}

// newConfirmView returns the form for some requests, with those ticked that have the IDs.
func newConfirmView(of request.Request, listed []request.Request, ticked []string, answer string) confirmView {
	v := confirmView{Request: of, Listed: listed, Days: request.ConfirmDays}
	yes, no := "Yes, I sent the requests that are ticked", "No, I sent none of these"
	v.Requests = web.Field{Name: "request", Label: "Requests with your email address", Type: "boxes", Class: "rows"}
	for _, r := range listed {
		v.Requests.Options = append(v.Requests.Options, web.Option{
			Value: r.ID, Label: string(r.Reference) + ": " + r.Kind.Name(),
			Hint:   r.Edition.Name() + ", server ID " + string(r.Server) + ", received " + web.Instant(r.Created),
			Ticked: slices.Contains(ticked, r.ID),
		})
	}
	if len(listed) == 1 {
		yes, no = "Yes, I sent this request", "No, I did not send it"
	}
	v.Answer = web.Field{Name: "answer", Label: "Was it you?", Type: "radio", Required: true, Value: answer,
		Options: []web.Option{{Value: "yes", Label: yes}, {Value: "no", Label: no}}}
	return v
}

// ticked returns the IDs of those requests that are ticked when the form is opened.
func ticked(of request.Request, listed []request.Request) (ids []string) {
	for _, r := range listed {
		if r.ID == of.ID || len(listed) <= tickedAtMost {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// What the status page says if there is no form to show.
const (
	wrongSecret = "This link cannot confirm the request: it is incomplete or no longer valid. " +
		"Open the link in our newest email about it."
	nothingToConfirm = "There is nothing left to confirm."
)

// toConfirm reads what the secret in a request's address confirms. If that is nothing, why says so.
func (s *site) toConfirm(r *http.Request, of request.Request) (list []request.Request, why string, err error) {
	secret := secretOf(r)
	switch {
	case !of.AwaitsConfirmation():
		return nil, nothingToConfirm, nil
	case !token.Confirmation.Same(of.Secret, secret):
		return nil, wrongSecret, nil
	}
	list, err = s.store.ToConfirm(r.Context(), of.ID, secret)
	list = slices.DeleteFunc(list, func(found request.Request) bool { return !found.AwaitsConfirmation() })
	if len(list) == 0 {
		why = nothingToConfirm
	}
	return list, why, err
}

func secretOf(r *http.Request) string {
	return token.Confirmation.Read(r.URL.Query().Get(confirmParameter))
}

// confirmForm shows the form, or the status page if the secret confirms nothing.
func (s *site) confirmForm(w http.ResponseWriter, r *http.Request, of request.Request) error {
	list, why, err := s.toConfirm(r, of)
	switch {
	case err != nil:
		return err
	case why != "":
		return s.showStatus(w, r, of, statusReply{note: why})
	}
	return s.renderConfirm(w, http.StatusOK, newConfirmView(of, list, ticked(of, list), ""))
}

func (s *site) renderConfirm(w http.ResponseWriter, status int, v confirmView) error {
	if v.Unconfirmed {
		v.Deadline = s.mail.Hours.DeadlineIn(s.mail.Hours.Due(v.Begins(s.now())), v.Zone)
	}
	title := "Confirm license request " + string(v.Reference)
	if status != http.StatusOK {
		title = "Error: " + title
	}
	return s.renderPrivate(w, status, "confirm.html", web.View{Title: title, Data: v})
}

// wrongAnswer says what is missing in an answer that is neither a no nor a yes to something.
func wrongAnswer(answer string) []fault.Field {
	if answer == "yes" {
		return []fault.Field{{Name: "request", Msg: "Tick the requests that you sent."}}
	}
	return []fault.Field{{Name: "answer", Msg: "Choose one of the two answers."}}
}

// confirm takes the answer of the person behind an address: they sent the ticked requests, or none of those listed. It
// redirects to the status page without the secret.
func (s *site) confirm(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	of, err := s.byToken(r, r.URL.Query().Get("token"))
	if err != nil {
		return err
	}
	list, why, err := s.toConfirm(r, of)
	switch {
	case err != nil:
		return err
	case why == wrongSecret:
		return s.showStatus(w, r, of, statusReply{status: http.StatusForbidden, note: why})
	}
	answer, sent := values.Get("answer"), values["request"]
	switch {
	case why != "": // the same answer was sent before
	case answer == "yes" && len(sent) > 0:
		err = s.store.ConfirmRequests(r.Context(), of.ID, secretOf(r), sent...)
	case answer == "no":
		err = s.store.DenyRequests(r.Context(), of.ID, secretOf(r), values["listed"]...)
	default:
		v := newConfirmView(of, list, sent, answer)
		v.Marked = web.Mark(wrongAnswer(answer), &v.Requests, &v.Answer)
		return s.renderConfirm(w, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	if why == "" {
		s.log.InfoContext(r.Context(), "license requests answered by their address", "id", of.ID, "answer", answer)
	}
	http.Redirect(w, r, letter.StatusPath(of), http.StatusSeeOther)
	return nil
}
