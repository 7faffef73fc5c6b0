package signin

import (
	"errors"
	"log/slog"
	"net/http"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// refusal says why somebody is not admitted, and what to do. Its fault has the status of the answer and the sentence
// for the person.
type refusal struct {
	err    *fault.Error
	title  string
	reason string // for the log, with nothing about the person
	to     string // where the link leads; "" is SignInPath
	newTab bool   // the link opens a new tab
}

// notice is the data of notice.html.
type notice struct {
	Title, Text string
	Link, To    string
	NewTab      bool
}

func (g *Gate) show(w http.ResponseWriter, status int, n notice) error {
	return g.pages.Render(w, status, "notice.html", web.View{Title: n.Title, Private: true, Data: n})
}

func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, no refusal) error {
	g.log.LogAttrs(r.Context(), slog.LevelInfo, "sign-in to the account refused", slog.String("reason", no.reason),
		slog.String("kind", no.err.Kind.String()))
	n := notice{Title: no.title, Text: no.err.Msg, Link: "Start again", To: SignInPath, NewTab: no.newTab}
	if no.to != "" {
		n.Link, n.To = "Sign in", no.to
	}
	if no.newTab {
		n.Link = "Sign in in a new tab"
	}
	return g.show(w, web.ProblemOf(no.err).Status, n)
}

// refuseLink answers what is wrong with the link of a sign-in.
func (g *Gate) refuseLink(w http.ResponseWriter, r *http.Request, err error) error {
	private(w)
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && f.Kind == fault.NotFound:
		return g.refuse(w, r, refusal{err: f, title: "This link does not work", reason: "no such link"})
	case ok && f.Kind == fault.Gone:
		return g.refuse(w, r, refusal{err: f, title: "This link no longer works", reason: "the link has ended"})
	}
	return err
}

// signedOutMeanwhile refuses a change by somebody whose session has ended.
func signedOutMeanwhile(to string) refusal {
	return refusal{
		err: fault.New(fault.Forbidden, "Your change was not saved. Sign in, then return to this tab and reload it: "+
			"your browser will send the form again."),
		title: "You are no longer signed in", reason: "no session", to: to, newTab: true,
	}
}

// notYet refuses a contact who is not in effect.
func notYet(c choice) refusal {
	return refusal{
		err: fault.New(fault.Forbidden, "You were added as a contact of %s less than %d days ago. To protect your "+
			"company, new contacts can sign in only after %[2]d days: you can sign in from %s.", c.Name,
			customer.NewContactDays, web.Instant(c.From)),
		title: "You cannot sign in yet", reason: "a new contact",
	}
}
