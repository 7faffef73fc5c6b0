package signin

import (
	"context"
	"net/http"
	"strings"
	"time"

	"marketplace/shared/session"
	"marketplace/shared/token"
)

// The gate's cookies.
const (
	sessionCookie = "console"
	attemptCookie = "console-signin"
)

const attemptLife = 15 * time.Minute // from leaving for the provider to returning

// signedIn is the content of a session's cookie.
type signedIn struct {
	// ID names the session: 130 random bits. It is not a secret: signing in needs a cookie sealed with our keys.
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role"`
	session.Times
}

func newSession(p Person, now time.Time) signedIn {
	return signedIn{ID: token.Session.New(), Email: p.Email, Name: p.Name, Role: p.Role.String(),
		Times: session.Begin(now)}
}

func (s signedIn) person() Person {
	return Person{Email: s.Email, Name: s.Name, Role: roleNamed(s.Role)}
}

// session returns the request's session, unless it has ended. Without a valid cookie it does not ask the store.
func (g *Gate) session(r *http.Request) (s signedIn, ok bool, err error) {
	if ok, err := g.cookies.Read(r, sessionCookie, &s); err != nil || !ok || s.Remaining(g.now()) <= 0 {
		return signedIn{}, false, err
	}
	ended, err := g.sessions.SessionEnded(r.Context(), s.ID)
	if err != nil || ended {
		return signedIn{}, false, err
	}
	return s, true, nil
}

// end ends the request's session for every copy of its cookie, even one that was idle for too long: another copy may
// have been used since.
func (g *Gate) end(r *http.Request) error {
	var s signedIn
	if ok, err := g.cookies.Read(r, sessionCookie, &s); err != nil || !ok || !g.now().Before(s.Latest()) {
		return err
	}
	return g.sessions.EndSession(r.Context(), s.ID, s.Email, s.Latest())
}

// write sends the session to the browser, as used now.
func (g *Gate) write(ctx context.Context, w http.ResponseWriter, s signedIn) error {
	now := g.now()
	s.Used = now.Unix()
	return g.cookies.Set(ctx, w, sessionCookie, s, s.Remaining(now))
}

// attempt is what the gate remembers of a browser that it sent to the provider.
type attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // of PKCE
	Return   string `json:"return"`   // the page to return to
	Begun    int64  `json:"begun"`    // Unix seconds
}

// attempt returns the request's attempt, unless it took too long.
func (g *Gate) attempt(r *http.Request) (a attempt, ok bool, err error) {
	if ok, err := g.cookies.Read(r, attemptCookie, &a); err != nil || !ok {
		return attempt{}, false, err
	}
	age := g.now().Sub(time.Unix(a.Begun, 0))
	return a, age >= -session.ClocksDiffer && age < attemptLife, nil
}

// cookiesOf returns the cookies of a gate.
func cookiesOf(o Options) session.Cookies {
	return session.Cookies{
		Secure: strings.HasPrefix(o.SiteURL, "https:"), Keys: keysOf(o.Secrets), Site: "sales console", Form: "2",
	}
}
