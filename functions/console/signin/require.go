package signin

import (
	"context"
	"fmt"
	"net/http"

	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// Require returns a handler that admits people with the role or a higher one to h, where PersonOf returns the person.
// It is the only place where roles are enforced: every address of the console goes through it.
//
// It sends people who are not signed in to sign in and then back to the page; a request that would change something is
// refused instead, and changes nothing. While it is unknown whether they signed out, nobody is admitted.
func (g *Gate) Require(role Role, h web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, ok, err := g.session(r)
		if err != nil {
			return err
		}
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case !ok && reads:
			g.cookies.Clear(w, r, sessionCookie)
			http.Redirect(w, r, signInFor(r.URL.RequestURI()), http.StatusSeeOther)
			return nil
		case !ok:
			g.cookies.Clear(w, r, sessionCookie)
			return g.refuse(w, r, &refusal{
				err: fault.New(fault.Forbidden,
					"Your change was not saved. Sign in, then return to this tab and reload it: "+
						"your browser will send the form again."),
				title: "You are no longer signed in", reason: "no session", again: "Sign in in a new tab", newTab: true,
			}, "")
		}
		p := s.person()
		if p.Role < role {
			msg := fmt.Sprintf("This requires the role %s. You are signed in as %s with the role %s. "+
				"Ask an administrator for the %[1]s role.", role, p.Name, p.Role)
			if !reads {
				msg += " Nothing was changed."
			}
			return g.refuse(w, r, &refusal{
				err:   fault.New(fault.Forbidden, "%s", msg),
				title: "Your role does not allow this", reason: "role too low", home: true,
			}, "")
		}
		if s.ToRenew(g.now()) {
			if err := g.write(r.Context(), w, s); err != nil {
				return err
			}
		}
		return h(w, r.WithContext(context.WithValue(r.Context(), personKey{}, p)))
	}
}
