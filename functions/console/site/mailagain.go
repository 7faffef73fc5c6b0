package site

import (
	"net/http"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web"
)

// Where the page goes after an action on an email, and what it says then.
const (
	doneTryAgain  = "try-again"
	doneTryAll    = "try-all"
	doneSendAgain = "send-again"
)

// doneToMail returns the message after an action on an email; "" if the action is another.
func doneToMail(path string) string {
	switch path {
	case doneTryAgain:
		return "The email was queued and will be sent shortly."
	case doneTryAll:
		return "The failed emails were queued and will be sent shortly."
	case doneSendAgain:
		return "The email will be sent again shortly."
	}
	return ""
}

// mailAction is an action on an email of a request or a license.
type mailAction struct {
	done string
	do   func(r *http.Request, id string, b snapshot) error
}

func (s *site) tryMailAgain() mailAction {
	return mailAction{doneTryAgain, func(r *http.Request, id string, _ snapshot) error {
		return s.store.TryMailAgain(r.Context(), id, operator(r))
	}}
}

// sendMailAgain sends an email once more. A form that is submitted twice sends one.
func (s *site) sendMailAgain() mailAction {
	return mailAction{doneSendAgain, func(r *http.Request, id string, b snapshot) error {
		return s.store.SendMailAgain(r.Context(), id, operator(r), b.LastEvent)
	}}
}

// performOnMail performs an action on the email in the address, which is about the request or license with an ID.
func (s *site) performOnMail(a mailAction, r *http.Request, about string) (snapshot, error) {
	_, b, err := readForm(r)
	if err != nil {
		return b, err
	}
	id, err := s.mailOf(r, about)
	if err != nil {
		return b, err
	}
	return b, a.do(r, id, b)
}

// mailOf returns the ID of the email in the address. It is a NotFound fault if the email is about something else and
// does not remind of it either.
func (s *site) mailOf(r *http.Request, about string) (string, error) {
	id := r.PathValue("mail")
	if notice.AboutID(id) == about {
		return id, nil
	}
	mails, err := s.store.MailsAbout(r.Context(), about, maxMails)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(mails, func(m outbox.Mail) bool { return m.ID == id }) {
		return "", fault.New(fault.NotFound, "There is no such email.")
	}
	return id, nil
}

// onRequestMail returns the handler of an action on an email about a request.
func (s *site) onRequestMail(a mailAction) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		asked, err := s.store.Request(r.Context(), requestID(r))
		if err != nil {
			return err
		}
		b, err := s.performOnMail(a, r, asked.ID)
		if fault.KindOf(err) == fault.Conflict {
			return s.showRequestError(w, r, b, err)
		}
		if err != nil {
			return err
		}
		return redirectToRequest(w, r, asked.ID, a.done)
	}
}

// showRequestError shows the request with the conflict and the events since the form was shown.
func (s *site) showRequestError(w http.ResponseWriter, r *http.Request, b snapshot, conflict error) error {
	v, err := s.requestView(r, "")
	if err != nil {
		return err
	}
	v.Error = conflictError(conflict, v.Timeline, b)
	return s.showRequest(w, r, http.StatusConflict, v)
}

// onLicenseMail returns the handler of an action on an email about a license.
func (s *site) onLicenseMail(a mailAction) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		recorded, err := s.licenseRecord(r)
		if err != nil {
			return err
		}
		b, err := s.performOnMail(a, r, recorded.License.ID)
		if fault.KindOf(err) == fault.Conflict {
			return s.showLicenseError(w, r, b, err)
		}
		if err != nil {
			return err
		}
		return redirectToLicense(w, r, recorded.License.ID, a.done)
	}
}

// maxTriedAgain is how many failed emails one click tries again. Each is a transaction of its own.
const maxTriedAgain = 500

// tryFailedAgain tries the failed email in the form again, or all of them.
func (s *site) tryFailedAgain(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	done := doneTryAgain
	if id := form.Get("mail"); id != "" {
		err = s.store.TryMailAgain(r.Context(), id, operator(r))
	} else {
		done = doneTryAll
		_, err = s.store.TryFailedMailsAgain(r.Context(), operator(r), maxTriedAgain)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/console/overview?done="+done, http.StatusSeeOther)
	return nil
}
