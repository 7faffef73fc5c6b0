package site

import (
	"log/slog"
	"net/http"
	"strconv"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// sentLetterView is the page of an email as an attempt sent it.
type sentLetterView struct {
	mail.Message
	Name    string // what the email is for
	Attempt int
	Back    string // the page of its request or license
	HTMLAt  string // the address of its HTML
}

// sentLetter reads the email in the address as an attempt sent it, without the secrets of its private links: they are
// the recipient's alone.
func (s *site) sentLetter(r *http.Request, about string) (m mail.Message, attempt int, err error) {
	id, err := s.mailOf(r, about)
	if err != nil {
		return m, 0, err
	}
	attempt, err = strconv.Atoi(r.PathValue("attempt"))
	if err != nil || attempt < 1 {
		return m, 0, fault.Wrap(fault.NotFound, err, "There is no such email.")
	}
	if m, err = s.store.Letter(r.Context(), id, attempt); err == nil && m.Kind == mail.LicenseKey {
		err = s.recordKeyLetter(r, m)
	}
	return m.WithoutSecrets(), attempt, err
}

// recordKeyLetter records in the audit who reads an email with a license key: its page and its HTML, since either has
// the key.
func (s *site) recordKeyLetter(r *http.Request, m mail.Message) error {
	about := store.Subject{License: notice.AboutID(m.ID)}
	of, err := s.store.License(r.Context(), about.License)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return s.audit.RecordLetterRead(r.Context(), operator(r), about, of.License.Customer)
}

// showSentLetter returns the handler of the page of a sent email. section and path are those of its request or license.
func (s *site) showSentLetter(section, path string) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		m, attempt, err := s.sentLetter(r, r.PathValue("id"))
		if err != nil {
			return err
		}
		s.logBy(r, "sent email opened", slog.String("mail", m.ID))
		page := path + r.PathValue("id")
		v := sentLetterView{
			Message: m, Name: mailName(m.Kind), Attempt: attempt, Back: page,
			HTMLAt: page + "/mails/" + m.ID + "/" + strconv.Itoa(attempt) + "/html",
		}
		web.AllowFrames(w.Header())
		return s.render(w, r, http.StatusOK, "sent-letter.html", section, m.Subject, v)
	}
}

// sentLetterHTML serves the HTML of a sent email for the frame of its page.
func (s *site) sentLetterHTML(w http.ResponseWriter, r *http.Request) error {
	m, _, err := s.sentLetter(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.WriteFramed(w, m.HTMLBody())
}
