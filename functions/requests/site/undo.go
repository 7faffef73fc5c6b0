package site

import (
	"context"
	"net/http"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store/outbox"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// The page on which somebody who was removed from a customer's contacts undoes that. The site neither reads nor writes
// customers: it asks the mailer to do it.

// undoView is the data of undo.html.
type undoView struct {
	Contact string       // the removed address
	Removed time.Time    // when
	Until   license.Date // the last day on which it can be undone
	Ended   bool
	Undone  bool // it was asked for
	Kept    bool // the answer was no
	Answer  web.Field
	web.Marked
	Sales string
}

// removal reads the email that told somebody of the removal, for the holder of its link.
func (s *site) removal(r *http.Request) (outbox.Mail, error) {
	link := openedLink(r, r.URL.Query().Get("customer"))
	return s.privateMail(r.Context(), link, mail.ContactRemoved, token.Undo)
}

// undoForm asks whether the removal is undone. It only reads, since mail scanners follow links.
func (s *site) undoForm(w http.ResponseWriter, r *http.Request) error {
	m, err := s.removal(r)
	if err != nil {
		return err
	}
	v, err := s.undoView(r.Context(), m)
	if err != nil {
		return err
	}
	return s.renderUndo(w, v, nil)
}

// undo takes the answer.
func (s *site) undo(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	m, err := s.removal(r)
	if err != nil {
		return err
	}
	v, err := s.undoView(r.Context(), m)
	answer := values.Get("answer")
	switch {
	case err != nil:
		return err
	case v.Ended, v.Undone:
		return s.renderUndo(w, v, nil)
	case answer == "no":
		v.Kept = true
		return s.renderUndo(w, v, nil)
	case answer != "yes":
		return s.renderUndo(w, v, []fault.Field{{Name: "answer", Msg: "Choose one of the two answers."}})
	}
	if err := s.store.UndoRemoval(r.Context(), m); err != nil {
		return err
	}
	s.log.InfoContext(r.Context(), "removal of a contact undone", "id", m.ID)
	http.Redirect(w, r, r.URL.RequestURI(), http.StatusSeeOther) // the person's own link
	return nil
}

func (s *site) undoView(ctx context.Context, m outbox.Mail) (undoView, error) {
	v := undoView{
		Contact: m.To.Email, Removed: m.Created, Until: m.Expiration, Sales: s.mail.Sales.Email,
		Ended: license.DateOf(s.now()).After(m.Expiration),
	}
	undone, err := s.store.RemovalUndone(ctx, m)
	v.Undone = undone
	v.Answer = web.Field{Name: "answer", Label: "Do you want to stay a contact?", Type: "radio", Required: true,
		Options: []web.Option{
			{Value: "yes", Label: "Yes, keep me as a contact",
				Hint: "We will write to you about this company's licenses again."},
			{Value: "no", Label: "No, the removal is right"},
		}}
	return v, err
}

func (s *site) renderUndo(w http.ResponseWriter, v undoView, bad []fault.Field) error {
	title, status := "Stay a contact", http.StatusOK
	if v.Ended && !v.Undone {
		title, status = "This link has ended", http.StatusGone
	}
	if v.Marked = web.Mark(bad, &v.Answer); len(bad) > 0 {
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return s.renderPrivate(w, status, "undo.html", web.View{Title: title, Data: v})
}
