package site

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// The page on which a contact says whether a request is theirs. A stranger may have typed the request, so the page
// names it by our words, the address that asks, and the ends of the server ID.

// answerView is the data of answer.html.
type answerView struct {
	request.Request
	Contact  string          // who is asked
	Answered *request.Answer // what they said last; nil before
	Server   license.Server  // of the license on record that the request names; "" if it names none of theirs
	Effect   string          // what happens after a yes
	Answer   web.Field
	web.Marked
	Sales string
}

// Closed reports whether there is nothing left to answer.
func (v answerView) Closed() bool { return !v.State.Open() }

// asked reads the request that a contact is asked about.
func (s *site) asked(r *http.Request) (of request.Request, contact string, err error) {
	m, err := s.privateMail(r.Context(), openedLink(r, strings.ToLower(r.PathValue("request"))), mail.RequestAsk,
		token.Answer)
	if err != nil {
		return of, "", err
	}
	of, err = s.store.Request(r.Context(), m.About)
	of = of.Known(s.now())
	isReader := func(asked string) bool { return input.SameMailbox(asked, m.To.Email) }
	if err == nil && of.State.Open() && !slices.ContainsFunc(of.AskedOf, isReader) { // sales linked it elsewhere
		return of, "", fault.New(fault.NotFound, "The request has changed since we asked you. "+
			"If we need your answer, we will email you again.")
	}
	return of, m.To.Email, err
}

// answerForm shows what a contact is asked. It only reads, since mail scanners follow links.
func (s *site) answerForm(w http.ResponseWriter, r *http.Request) error {
	of, contact, err := s.asked(r)
	if err != nil {
		return err
	}
	return s.renderAnswer(w, r, of, contact, nil)
}

// answer takes what the contact says, and shows the page again with it. Until the request is closed, it may change.
func (s *site) answer(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	of, contact, err := s.asked(r)
	if err != nil || !of.State.Open() {
		return s.renderAnswerUnless(w, r, of, contact, err)
	}
	said := values.Get("answer")
	if said != "yes" && said != "no" {
		bad := []fault.Field{{Name: "answer", Msg: "Choose one of the two answers."}}
		return s.renderAnswer(w, r, of, contact, bad)
	}
	if err := s.store.AnswerRequest(r.Context(), of.ID, contact, said == "yes"); err != nil {
		return err
	}
	s.log.InfoContext(r.Context(), "contact answered about a license request", "id", of.ID, "answer", said)
	http.Redirect(w, r, r.URL.RequestURI(), http.StatusSeeOther) // the contact's own link
	return nil
}

func (s *site) renderAnswerUnless(w http.ResponseWriter, r *http.Request, of request.Request, contact string,
	err error) error {
	if err != nil {
		return err
	}
	return s.renderAnswer(w, r, of, contact, nil)
}

func (s *site) renderAnswer(w http.ResponseWriter, r *http.Request, of request.Request, contact string,
	bad []fault.Field) error {
	v := answerView{Request: of, Contact: contact, Sales: s.mail.Sales.Email}
	title, status := "Is this license request yours?", http.StatusOK
	switch i := slices.IndexFunc(of.Answers, func(a request.Answer) bool { return input.SameMailbox(a.By, contact) }); {
	case v.Closed():
		title, status = "This request is closed", http.StatusGone
	case i >= 0:
		v.Answered, title = &of.Answers[i], "Thank you for your answer"
	}
	var err error
	if v.Server, err = s.serverOnRecord(r.Context(), of); err != nil {
		return err
	}
	v.Effect = effectOf(of, v.Server)
	v.Answer = web.Field{Name: "answer", Label: "Your answer", Type: "radio", Required: true, Options: []web.Option{
		{Value: "yes", Label: "Yes, this is ours", Hint: "We asked for it, or agree to it."},
		{Value: "no", Label: "No", Hint: "It is not ours, or I know nothing about it."},
	}}
	if v.Marked = web.Mark(bad, &v.Answer); len(bad) > 0 {
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return s.renderPrivate(w, status, "answer.html", web.View{Title: title, Data: v})
}

// effectOf says what a yes leads to.
func effectOf(r request.Request, server license.Server) string {
	if r.Kind != request.Replacement && r.Kind != request.Upgrade {
		return "We may email a license key for your company to " + r.Email + "."
	}
	old := "a license of your company"
	if server != "" {
		old = "your license for server " + string(server)
	}
	return "We may revoke " + old + " and email a new key to " + r.Email + "."
}

// maxNamed is how many licenses are looked up that a request names.
const maxNamed = 2

// serverOnRecord returns the server of the license that a request names, if it is one of the customer that the request
// was linked to: whoever typed the request is told nothing of others.
func (s *site) serverOnRecord(ctx context.Context, of request.Request) (license.Server, error) {
	named := license.ReadReference(of.Replaces).IDs
	if of.Customer == "" || !of.Kind.UsesReplaces() {
		return "", nil
	}
	for _, id := range named[:min(len(named), maxNamed)] {
		l, err := s.store.License(ctx, id)
		switch {
		case err == nil && l.License.Customer == of.Customer:
			return l.License.Server, nil
		case err != nil && fault.KindOf(err) != fault.NotFound:
			return "", err
		}
	}
	return "", nil
}
