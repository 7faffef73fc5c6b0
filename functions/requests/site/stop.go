package site

import (
	"context"
	"net/http"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web"
)

// The page that stops reminders, and resumes them. Its link is in the header of every reminder and in its text: it
// names the email and has its secret.
//
// Mail programs post the header's link when their users press “Unsubscribe” (RFC 8058): without a cookie, from any
// origin, with a body that nothing else sends by chance. Their answer is a page, never a redirect. People open the
// link, and mail scanners do too, of which some submit the forms that they find. A scanner must not stop reminders that
// nobody else gets instead, nor resume what a person has stopped. So both forms want a tick, and the box that stops
// reminders sends the very words of the mail programs.

// The words of RFC 8058 §3.1.
const (
	oneClick      = "List-Unsubscribe"
	oneClickValue = "One-Click"
)

// resume is the field that resumes the reminders.
const resume = "resume"

// formName is the field that says which form was sent, since an unticked box sends nothing. It is resume for that form;
// the other has no such field.
const formName = "form"

// stopView is the data of stop.html.
type stopView struct {
	Contact  string // to whom the reminder was sent
	Licenses []remindedLicense
	Over     bool // no reminder about any of the licenses will be sent, to anybody
	Resumed  bool // by what was just sent
	Stop     *web.Field
	Resume   *web.Field
	web.Marked
	Sales string
}

// remindedLicense is a license that a reminder named. The reminder may have been forwarded, so nothing says whose it
// is.
type remindedLicense struct {
	license.License
	Ends      string // see site.ends
	Reminders string // to the contact: "on", "stopped", or "none", if nobody is reminded
}

// One returns the license if there is only one; nil if there are several.
func (v stopView) One() *remindedLicense {
	if len(v.Licenses) == 1 {
		return &v.Licenses[0]
	}
	return nil
}

// These names the licenses within a sentence.
func (v stopView) These() string {
	if v.One() != nil {
		return "this license"
	}
	return "these licenses"
}

// stopForm asks whether the reminders are stopped. It only reads, since mail scanners follow links.
func (s *site) stopForm(w http.ResponseWriter, r *http.Request) error {
	m, err := s.digest(r.Context(), openedLink(r, ""))
	if err != nil {
		return err
	}
	v, err := s.stopView(r.Context(), m)
	if err != nil {
		return err
	}
	return s.renderStop(w, v, nil)
}

// stop stops the reminders, or resumes them. Sent again, it changes nothing and says the same.
func (s *site) stop(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadAnyForm(r)
	if fault.KindOf(err) == fault.TooLarge {
		return err
	}
	m, err := s.digest(r.Context(), openedLink(r, "")) // what cannot be read says nothing, and is shown the page
	if err != nil {
		return err
	}
	var done string
	switch {
	case values.Get(oneClick) == oneClickValue:
		done, err = "reminders stopped by their reader", s.store.Unsubscribe(r.Context(), m)
	case values.Get(resume) == "yes":
		done, err = "reminders resumed by their reader", s.store.Resubscribe(r.Context(), m)
	}
	if err != nil {
		return err
	}
	v, err := s.stopView(r.Context(), m)
	if err != nil {
		return err
	}
	if done == "" {
		return s.renderStop(w, v, v.unticked(values.Get(formName)))
	}
	s.log.InfoContext(r.Context(), done, "id", m.ID, "licenses", len(v.Licenses))
	v.Resumed = values.Get(oneClick) != oneClickValue
	return s.renderStop(w, v, nil)
}

// unticked returns the error of the form that was sent without its tick; none if the page has no form. If only the
// other form is left on the page, it is the one in error.
func (v stopView) unticked(form string) []fault.Field {
	switch {
	case v.Resume != nil && (form == resume || v.Stop == nil):
		return []fault.Field{{Name: resume, Msg: "Tick the box to resume the reminders."}}
	case v.Stop != nil:
		return []fault.Field{{Name: oneClick, Msg: "Tick the box to stop the reminders."}}
	}
	return nil
}

func (s *site) stopView(ctx context.Context, m outbox.Mail) (stopView, error) {
	v := stopView{Contact: m.To.Email, Sales: s.mail.Sales.Email}
	named := m.Named()
	ids := make([]string, len(named))
	for i, due := range named {
		ids[i] = due.License
	}
	found, err := s.store.Licenses(ctx, ids...)
	if err != nil {
		return v, err
	}
	stopped, err := s.store.UnsubscribedFrom(ctx, m)
	if err != nil {
		return v, err
	}
	today, canStop, canResume := license.DateOf(s.now()), false, false
	for _, recorded := range found {
		l := remindedLicense{recorded.License, s.ends(recorded.License), "on"}
		resumed := l.License // a pause may end, so its reminders can be stopped
		resumed.Mute = license.Mute{}
		switch {
		case s.store.Policy().Over(resumed, today):
			l.Reminders = "none"
		case slices.Contains(stopped, l.ID):
			l.Reminders, canResume = "stopped", true
		default:
			canStop = true
			if l.Mute.On(today) {
				l.Reminders = "none"
			}
		}
		v.Licenses = append(v.Licenses, l)
	}
	v.Over = !canStop && !canResume
	if canStop {
		v.Stop = tickBox(oneClick, "Do you want to stop them?", web.Option{
			Value: oneClickValue, Label: "Yes, stop the reminders about " + v.These(),
		})
	}
	if canResume {
		v.Resume = tickBox(resume, "Changed your mind?", web.Option{
			Value: "yes", Label: "Yes, resume the reminders about " + v.These(),
		})
	}
	return v, nil
}

func tickBox(name, label string, box web.Option) *web.Field {
	return &web.Field{Name: name, Label: label, Type: "boxes", Class: "rows", Options: []web.Option{box}}
}

// renderStop shows the page. bad are errors of its forms.
func (s *site) renderStop(w http.ResponseWriter, v stopView, bad []fault.Field) error {
	title, status := "Stop reminders", http.StatusOK
	switch {
	case len(v.Licenses) == 0:
		title = "Nothing to stop"
	case v.Over:
		title = "No more reminders"
	case v.Stop == nil:
		title = "Reminders stopped"
	case v.Resumed:
		title = "Reminders resumed"
	}
	var fields []*web.Field
	for _, f := range []*web.Field{v.Stop, v.Resume} {
		if f != nil {
			fields = append(fields, f)
		}
	}
	if len(bad) > 0 {
		v.Marked = web.Mark(bad, fields...)
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return s.renderPrivate(w, status, "stop.html", web.View{Title: title, Data: v})
}
