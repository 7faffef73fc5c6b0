package signin

import (
	"net/http"

	"marketplace/shared/web"
)

// askAddress asks for the address that the link is sent to.
func (g *Gate) askAddress(w http.ResponseWriter, _ *http.Request) error {
	return g.pages.Render(w, http.StatusOK, "address.html", web.View{Title: "Sign in", Private: true})
}

// signOut ends the session. The browser keeps its cookie until the end is recorded, so that signing out can be retried.
func (g *Gate) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := g.end(r); err != nil {
		return err
	}
	g.cookies.Clear(w, r, sessionCookie)
	http.Redirect(w, r, SignInPath, http.StatusSeeOther)
	return nil
}
