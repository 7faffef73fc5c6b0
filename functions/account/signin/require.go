package signin

import (
	"context"
	"net/http"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// Require returns a handler that admits a contact of a customer to h, where VisitOf returns who it is and what the
// person sees. It is the only place where that is decided: every address of the account goes through it.
//
// It sends people who are not signed in to sign in; a request that would change something is refused instead.
func (g *Gate) Require(h web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, ok, err := g.session(r)
		if err != nil {
			return err
		}
		var seen customer.Seen
		if ok && s.Customer == "" {
			http.Redirect(w, r, withReturn(ChoosePath, pageOf(r)), http.StatusSeeOther)
			return nil
		}
		if ok {
			seen, ok, err = g.seen(r.Context(), s)
			if err != nil {
				return err
			}
		}
		if !ok {
			g.cookies.Clear(w, r, sessionCookie)
			if r.Method == http.MethodGet || r.Method == http.MethodHead {
				http.Redirect(w, r, signInFor(pageOf(r)), http.StatusSeeOther)
				return nil
			}
			return g.refuse(w, r, signedOutMeanwhile(SignInPath))
		}
		if s.ToRenew(g.now()) {
			if err := g.write(r.Context(), w, s); err != nil {
				return err
			}
		}
		visit := Visit{Email: seen.Contact.Email, Mail: s.Mail, Seen: seen, Several: s.Several}
		return h(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, visit)))
	}
}

// pageOf returns the page to return to: that of the request, if it reads one.
func pageOf(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	return Home
}

// seen reads what a session's person sees of the customer now; ok is false for somebody who is a contact no more.
func (g *Gate) seen(ctx context.Context, s Session) (seen customer.Seen, ok bool, err error) {
	a, err := g.accounts.Account(ctx, s.Customer)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return seen, false, nil
	case err != nil:
		return seen, false, err
	}
	seen, ok = a.SeenBy(s.Email, g.now())
	return seen, ok, nil
}
