package signin

import (
	"context"
	"net/http"
	"time"

	"marketplace/shared/token"
)

const (
	sessionLife  = 8 * time.Hour    // from signing in, at the latest
	idleLife     = time.Hour        // from the last request, give or take renewAfter
	renewAfter   = time.Minute      // a session that was last written this long ago is renewed
	attemptLife  = 15 * time.Minute // from leaving for the provider to returning
	clocksDiffer = time.Minute      // the tolerated difference between two machines' clocks
)

// session is the content of a session's cookie.
type session struct {
	// ID names the session: 130 random bits. It is not a secret: signing in needs a cookie sealed with our keys.
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role"`
	Begun int64  `json:"begun"` // Unix seconds
	Used  int64  `json:"used"`  // Unix seconds; when it was last written
}

func newSession(p Person, now time.Time) session {
	return session{ID: token.Session.New(), Email: p.Email, Name: p.Name, Role: p.Role.String(), Begun: now.Unix(),
		Used: now.Unix()}
}

func (s session) person() Person {
	return Person{Email: s.Email, Name: s.Name, Role: roleNamed(s.Role)}
}

// remaining returns how long the session lasts if it is not used; zero or less if it has ended. A session from the
// future, on a clock that was set back, has ended too.
func (s session) remaining(now time.Time) time.Duration {
	used := time.Unix(s.Used, 0)
	if now.Before(used.Add(-clocksDiffer)) {
		return 0
	}
	return min(s.latest().Sub(now), used.Add(idleLife).Sub(now))
}

// latest returns when the session ends at the latest, however it is used.
func (s session) latest() time.Time { return time.Unix(s.Begun, 0).Add(sessionLife) }

// session returns the request's session, unless it has ended. Without a valid cookie it does not ask the store.
func (g *Gate) session(r *http.Request) (s session, ok bool, err error) {
	if ok, err := g.cookies.read(r, sessionCookie, &s); err != nil || !ok || s.remaining(g.now()) <= 0 {
		return session{}, false, err
	}
	ended, err := g.sessions.SessionEnded(r.Context(), s.ID)
	if err != nil || ended {
		return session{}, false, err
	}
	return s, true, nil
}

// end ends the request's session for every copy of its cookie, even one that was idle for too long: another copy may
// have been used since.
func (g *Gate) end(r *http.Request) error {
	var s session
	if ok, err := g.cookies.read(r, sessionCookie, &s); err != nil || !ok || !g.now().Before(s.latest()) {
		return err
	}
	return g.sessions.EndSession(r.Context(), s.ID, s.Email, s.latest())
}

// write sends the session to the browser, as used now.
func (g *Gate) write(ctx context.Context, w http.ResponseWriter, s session) error {
	now := g.now()
	s.Used = now.Unix()
	return g.cookies.set(ctx, w, sessionCookie, s, s.remaining(now))
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
	if ok, err := g.cookies.read(r, attemptCookie, &a); err != nil || !ok {
		return attempt{}, false, err
	}
	age := g.now().Sub(time.Unix(a.Begun, 0))
	return a, age >= -clocksDiffer && age < attemptLife, nil
}
