package signin

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// signInFor is the address that signs in and then leads to a page.
func signInFor(page string) string {
	if page = returnPath(page); page != Home {
		return SignInPath + "?return=" + url.QueryEscape(page)
	}
	return SignInPath
}

// maxReturn is how long the address of a page to return to may be, in bytes: it travels in a cookie, of which browsers
// keep 4 KB.
const maxReturn = 2000

// returnPath is where somebody may be led after signing in: a page of the console. Any other address, of this host or of
// another, gives Home.
func returnPath(to string) string {
	u, err := url.Parse(to)
	switch {
	case err != nil, len(u.RequestURI()) > maxReturn, strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r > '~' }):
		return Home
	case u.IsAbs(), u.Host != "", u.User != nil, strings.Contains(u.Path, `\`):
		return Home
	case u.Path != Home && !strings.HasPrefix(u.Path, Home+"/"), path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/"):
		return Home
	case u.Path == SignInPath, u.Path == CallbackPath, u.Path == SignOutPath, u.Path == SignedOutPath:
		return Home
	}
	return u.RequestURI()
}

// signIn sends somebody to the provider.
func (g *Gate) signIn(w http.ResponseWriter, r *http.Request) error {
	page := returnPath(r.URL.Query().Get("return"))
	provider, err := g.party.provider(r.Context())
	if err != nil {
		return g.refuse(w, r, err, page)
	}
	a := attempt{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Return: page, Begun: g.now().Unix(),
	}
	if err := g.cookies.set(w, attemptCookie, a, attemptLife); err != nil {
		return err
	}
	to := provider.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier))
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		// It may have begun with a form, such as a search after an hour of quiet, and browsers follow forms to another
		// site by no redirect: the pages' form-action is 'self'. A page of its own ends the form's way.
		return g.show(w, http.StatusOK, notice{Title: "Signing in", Text: "You are being taken to the sign-in page.", Onward: to, Go: "Continue"})
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// callback takes the provider's answer (RFC 6749 §4.1.2).
func (g *Gate) callback(w http.ResponseWriter, r *http.Request) error {
	answer := r.URL.Query()
	a, ok := g.attempt(r)
	if !ok || subtle.ConstantTimeCompare([]byte(a.State), []byte(answer.Get("state"))) != 1 {
		_, in, err := g.session(r)
		if err != nil {
			return err
		}
		if in {
			// Signed in with another tab, or back by the browser's button.
			http.Redirect(w, r, Home, http.StatusSeeOther)
			return nil
		}
		return g.refuse(w, r, stale("the state is not this browser's"), a.Return)
	}
	// An attempt has one answer.
	g.cookies.clear(w, r, attemptCookie)
	if code := answer.Get("error"); code != "" {
		return g.refuse(w, r, declined(code), a.Return)
	}
	p, err := g.party.person(r.Context(), answer.Get("code"), a)
	if err != nil {
		return g.refuse(w, r, err, a.Return)
	}
	// Where somebody signs in again, nobody is left who could sign out of the session of before.
	if err := g.end(r); err != nil {
		return err
	}
	if err := g.write(w, newSession(p, g.now())); err != nil {
		return err
	}
	g.log.LogAttrs(r.Context(), slog.LevelInfo, "signed in", slog.String("role", p.Role.String()))
	http.Redirect(w, r, a.Return, http.StatusSeeOther)
	return nil
}

// declined is what an error of the provider's answer means (RFC 6749 §4.1.2.1).
func declined(code string) error {
	switch code {
	case "access_denied":
		return &refusal{
			err:   fault.New(fault.Forbidden, "Signing in was cancelled at the sign-in page."),
			title: "You are not signed in", reason: "cancelled", again: "Sign in",
		}
	case "server_error", "temporarily_unavailable":
		return unavailable("the provider declined", fmt.Errorf("its error is %s", code))
	}
	return fmt.Errorf("signin: the provider refuses to sign anybody in: error %s", wellFormed(code))
}

// signOut ends the session here, then at the provider: else whoever comes next is signed in again without being asked. A
// browser keeps its cookie until the end is noted, so that signing out can be tried again.
func (g *Gate) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := g.end(r); err != nil {
		return g.refuse(w, r, notEnded(err), "")
	}
	g.cookies.clear(w, r, sessionCookie)
	g.cookies.clear(w, r, attemptCookie)
	provider, err := g.party.provider(r.Context())
	if err != nil {
		g.tell(r, err)
		return g.show(w, http.StatusOK, notice{
			Title: "You are signed out here", Text: "The sign-in service did not answer, so it may still know you: close the browser.", Go: "Sign in", To: SignInPath,
		})
	}
	if provider.endSession == "" {
		http.Redirect(w, r, SignedOutPath, http.StatusSeeOther)
		return nil
	}
	// No redirect: it would be the form's, see signIn.
	return g.show(w, http.StatusOK, notice{
		Title: "Signing out", Text: "You are signed out here, and are being signed out at the sign-in service.", Onward: provider.endSession, Go: "Continue",
	})
}

// signedOut is where the provider leads who has signed out.
func (g *Gate) signedOut(w http.ResponseWriter, _ *http.Request) error {
	return g.show(w, http.StatusOK, notice{Title: "You are signed out", Text: "To come back, sign in again.", Go: "Sign in", To: SignInPath})
}

func (g *Gate) show(w http.ResponseWriter, status int, n notice) error {
	if n.Onward != "" {
		w.Header().Set("Refresh", "0; url="+n.Onward)
		n.To = n.Onward
	}
	return g.pages.Render(w, status, "notice.html", web.View{Title: n.Title, Private: true, Data: n})
}
