package signin

import (
	"context"
	"net/http"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// Require lets people with the role or a higher one through to h, where PersonOf tells who it is. Who is not signed in is
// sent to sign in and comes back to the page asked for; what would change something is refused instead, with nothing
// changed. While it cannot be known whether they signed out, nobody comes in. It is the only place where roles are enforced:
// every address of the console goes through it.
func (g *Gate) Require(role Role, h web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, ok, err := g.session(r)
		if err != nil {
			return err
		}
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case !ok && reads:
			g.cookies.clear(w, r, sessionCookie)
			http.Redirect(w, r, signInFor(r.URL.RequestURI()), http.StatusSeeOther)
			return nil
		case !ok:
			g.cookies.clear(w, r, sessionCookie)
			return g.refuse(w, r, &refusal{
				err:   fault.New(fault.Forbidden, "Nothing was changed. Sign in, then come back to this tab and reload it: your browser sends what you typed again."),
				title: "You are not signed in any more", reason: "no session", again: "Sign in, in a new tab", newTab: true,
			}, "")
		}
		p := s.person()
		if p.Role < role {
			return g.refuse(w, r, &refusal{
				err:   fault.New(fault.Forbidden, "This needs the role %s. You are signed in as %s with the role %s, and nothing was changed.", role, p.Name, p.Role),
				title: "Your role does not allow this", reason: "role too low", home: true,
			}, "")
		}
		if g.now().Sub(time.Unix(s.Used, 0)) >= renewAfter {
			if err := g.write(w, s); err != nil {
				return err
			}
		}
		return h(w, r.WithContext(context.WithValue(r.Context(), personKey{}, p)))
	}
}
