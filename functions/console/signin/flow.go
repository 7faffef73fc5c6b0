package signin

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"marketplace/shared/fault"
	"marketplace/shared/logging"
	"marketplace/shared/session"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// signInFor returns the address that signs in and then leads to a page.
func signInFor(page string) string {
	if page = returnPath(page); page != Home {
		return SignInPath + "?return=" + url.QueryEscape(page)
	}
	return SignInPath
}

// maxReturn is the longest address to return to, in bytes.
const maxReturn = session.MaxReturn

// returnPath returns where to go after signing in, if that is a page of the console. Any other address, of this host
// or of another, becomes Home.
func returnPath(to string) string {
	return session.ReturnPath(to, Home, SignInPath, CallbackPath, SignOutPath, SignedOutPath)
}

// signIn sends the browser to the provider.
func (g *Gate) signIn(w http.ResponseWriter, r *http.Request) error {
	page := returnPath(r.URL.Query().Get("return"))
	provider, err := g.client.provider(r.Context())
	if err != nil {
		return g.refuse(w, r, err, page)
	}
	a := attempt{
		State: token.SignIn.New(), Nonce: token.SignIn.New(), Verifier: oauth2.GenerateVerifier(), Return: page,
		Begun: g.now().Unix(),
	}
	if err := g.cookies.Set(r.Context(), w, attemptCookie, a, attemptLife); err != nil {
		return err
	}
	to := provider.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier))
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		// A form may have led here, such as a search after an hour of idleness, and form-action 'self' forbids
		// redirects of forms to another site. A page in between avoids that.
		return g.show(w, http.StatusOK, notice{
			Title: "Signing in", Text: "We are taking you to the sign-in page.", RefreshTo: to, Link: "Continue",
		})
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// callback handles the provider's answer (RFC 6749 §4.1.2).
func (g *Gate) callback(w http.ResponseWriter, r *http.Request) error {
	answer := r.URL.Query()
	a, ok, err := g.attempt(r)
	if err != nil {
		return err
	}
	if !ok || !token.SignIn.Same(a.State, answer.Get("state")) {
		_, in, err := g.session(r)
		if err != nil {
			return err
		}
		if in {
			// Signed in in another tab, or returned with the back button.
			http.Redirect(w, r, Home, http.StatusSeeOther)
			return nil
		}
		return g.refuse(w, r, stale("the state is not from this browser"), a.Return)
	}
	// An attempt is good for one answer.
	g.cookies.Clear(w, r, attemptCookie)
	if code := answer.Get("error"); code != "" {
		return g.refuse(w, r, declined(code), a.Return)
	}
	p, err := g.client.person(r.Context(), answer.Get("code"), a)
	if err != nil {
		g.recordRefusal(r, err)
		return g.refuse(w, r, err, a.Return)
	}
	// Nobody could sign out of the previous session once its cookie is replaced, so it ends here.
	if err := g.end(r); err != nil {
		return err
	}
	if err := g.record(r, p); err != nil {
		return g.refuse(w, r, err, a.Return)
	}
	if err := g.write(r.Context(), w, newSession(p, g.now())); err != nil {
		return err
	}
	g.log.LogAttrs(r.Context(), slog.LevelInfo, "signed in", slog.Any("by", p),
		slog.String("role", p.Role.String()))
	http.Redirect(w, r, a.Return, http.StatusSeeOther)
	return nil
}

// record notes in the directory who signed in. Nobody gets in whose sign-in is not in the audit.
func (g *Gate) record(r *http.Request, p Person) error {
	if g.names == nil {
		return nil
	}
	if err := g.names.RecordSignIn(r.Context(), p.Email, p.Name, p.Role.String()); err != nil {
		return notRecorded(err)
	}
	return nil
}

// recordRefusal notes who was refused, if the provider proved who it was. That nobody gets in does not depend on it.
func (g *Gate) recordRefusal(r *http.Request, err error) {
	var no *refusal
	if g.names == nil || !errors.As(err, &no) || no.who == "" {
		return
	}
	if err := g.names.RecordRefusedSignIn(r.Context(), no.who); err != nil {
		g.log.WarnContext(r.Context(), "refused sign-in not recorded", logging.Error(err))
	}
}

// declined returns what an error in the provider's answer means (RFC 6749 §4.1.2.1).
func declined(code string) error {
	switch code {
	case "access_denied":
		return &refusal{
			err:   fault.New(fault.Forbidden, "You cancelled on the sign-in page."),
			title: "You are not signed in", reason: "cancelled", again: "Sign in",
		}
	case "server_error", "temporarily_unavailable":
		return unavailable("the provider declined", fmt.Errorf("error %s", code))
	}
	return &refusal{
		err: fault.Wrap(fault.Forbidden, fmt.Errorf("error %s", wellFormed(code)),
			"The sign-in service rejected this sign-in. Start again. If this keeps happening, tell an administrator."),
		title: "You are not signed in", reason: "the provider rejected the sign-in", again: "Start again", warn: true,
	}
}

// signOut ends the session here, then at the provider, which would otherwise sign the next person in without asking.
// The browser keeps its cookie until the end is recorded, so that signing out can be retried.
func (g *Gate) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := g.end(r); err != nil {
		return g.refuse(w, r, notEnded(err), "")
	}
	g.cookies.Clear(w, r, sessionCookie)
	g.cookies.Clear(w, r, attemptCookie)
	provider, err := g.client.provider(r.Context())
	if err != nil {
		g.logRefusal(r, err)
		return g.show(w, http.StatusOK, notice{
			Title: "You are signed out of the console",
			Text: "The sign-in service did not respond, so you may still be signed in there. " +
				"Close your browser to be safe.",
			Link: "Sign in", To: SignInPath,
		})
	}
	if provider.endSession == "" {
		http.Redirect(w, r, SignedOutPath, http.StatusSeeOther)
		return nil
	}
	// A page instead of a redirect, as in signIn.
	return g.show(w, http.StatusOK, notice{
		Title:     "Signing out",
		Text:      "You are signed out of the console. We are signing you out of the sign-in service too.",
		RefreshTo: provider.endSession, Link: "Continue",
	})
}

// signedOut is where the provider sends people after signing out.
func (g *Gate) signedOut(w http.ResponseWriter, _ *http.Request) error {
	return g.show(w, http.StatusOK, notice{
		Title: "You are signed out", Text: "Sign in again to return to the console.", Link: "Sign in", To: SignInPath,
	})
}

func (g *Gate) show(w http.ResponseWriter, status int, n notice) error {
	if n.RefreshTo != "" {
		w.Header().Set("Refresh", "0; url="+n.RefreshTo)
		n.To = n.RefreshTo
	}
	return g.pages.Render(w, status, "notice.html", web.View{Title: n.Title, Private: true, Data: n})
}
