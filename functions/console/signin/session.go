package signin

import (
	"crypto/rand"
	"net/http"
	"time"
)

const (
	sessionLife  = 8 * time.Hour    // from signing in, whatever happens
	idleLife     = time.Hour        // from the last request, give or take renewAfter
	renewAfter   = time.Minute      // a session that was used this long ago is written anew
	attemptLife  = 15 * time.Minute // from leaving for the provider to coming back
	clocksDiffer = time.Minute      // by how much the clocks of two machines may
)

// session is what a session's cookie holds.
type session struct {
	// ID names the session from signing in to its end: 130 random bits. It opens nothing: that takes a cookie under our keys.
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
	Role  string `json:"role"`
	Begun int64  `json:"begun"` // Unix seconds
	Used  int64  `json:"used"`  // Unix seconds; when it was last written
}

func newSession(p Person, now time.Time) session {
	return session{ID: rand.Text(), Email: p.Email, Name: p.Name, Role: p.Role.String(), Begun: now.Unix(), Used: now.Unix()}
}

func (s session) person() Person {
	return Person{Email: s.Email, Name: s.Name, Role: roleNamed(s.Role)}
}

// lives is how long the session goes on if it is not used; nothing or less: it has ended. A session of the future, on a
// clock that was set back, has ended too.
func (s session) lives(now time.Time) time.Duration {
	used := time.Unix(s.Used, 0)
	if now.Before(used.Add(-clocksDiffer)) {
		return 0
	}
	return min(s.latest().Sub(now), used.Add(idleLife).Sub(now))
}

// latest is when the session ends at the latest, however it is used.
func (s session) latest() time.Time { return time.Unix(s.Begun, 0).Add(sessionLife) }

// session is the request's, if it has one that has not ended. Without a cookie that could be one, nobody is asked.
func (g *Gate) session(r *http.Request) (s session, ok bool, err error) {
	if !g.cookies.read(r, sessionCookie, &s) || s.lives(g.now()) <= 0 {
		return session{}, false, nil
	}
	ended, err := g.sessions.SessionEnded(r.Context(), s.ID)
	if err != nil || ended {
		return session{}, false, err
	}
	return s, true, nil
}

// end ends the request's session for every copy of its cookie. So it does with one that was idle for too long: another copy
// may have been used since.
func (g *Gate) end(r *http.Request) error {
	var s session
	if !g.cookies.read(r, sessionCookie, &s) || !g.now().Before(s.latest()) {
		return nil
	}
	return g.sessions.EndSession(r.Context(), s.ID, s.latest())
}

// write gives the session to the browser, as used now.
func (g *Gate) write(w http.ResponseWriter, s session) error {
	now := g.now()
	s.Used = now.Unix()
	return g.cookies.set(w, sessionCookie, s, s.lives(now))
}

// attempt is what the gate has to know again of somebody who was sent to the provider.
type attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // of PKCE
	Return   string `json:"return"`   // the page that was asked for
	Begun    int64  `json:"begun"`    // Unix seconds
}

// attempt is the request's, if it has one that has not taken too long.
func (g *Gate) attempt(r *http.Request) (attempt, bool) {
	var a attempt
	if !g.cookies.read(r, attemptCookie, &a) {
		return attempt{}, false
	}
	age := g.now().Sub(time.Unix(a.Begun, 0))
	return a, age >= -clocksDiffer && age < attemptLife
}
