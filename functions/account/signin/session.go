package signin

import (
	"context"
	"net/http"

	"marketplace/shared/customer"
	"marketplace/shared/session"
)

// The gate's cookies.
const (
	// CookieName is the name of the cookie of a session.
	CookieName    = "account"
	sessionCookie = CookieName
	attemptCookie = "account-signin"
)

// Session is the content of a session's cookie.
type Session struct {
	ID       string `json:"id"` // names the session: 130 random bits
	Email    string `json:"email"`
	Mail     string `json:"mail"`     // the ID of the email whose link signed the person in
	Customer string `json:"customer"` // the ID of the chosen customer; "" for one who has yet to choose
	Several  bool   `json:"several,omitempty"`
	session.Times
}

// Visit is who makes a request, and what the person sees of the customer.
type Visit struct {
	Email string // the proven mailbox, as it is written on record
	Mail  string // the ID of the email that proved it
	Seen  customer.Seen
	// Several reports whether the person is a contact of more than one customer.
	Several bool
}

type visitKey struct{}

// VisitOf returns who makes the request; the zero Visit, which sees nothing, outside handlers that Require wraps.
func VisitOf(ctx context.Context) Visit {
	v, _ := ctx.Value(visitKey{}).(Visit)
	return v
}

// session returns the request's session, unless it has ended. Without a valid cookie it does not ask the store.
func (g *Gate) session(r *http.Request) (s Session, ok bool, err error) {
	if ok, err := g.cookies.Read(r, sessionCookie, &s); err != nil || !ok || s.Remaining(g.now()) <= 0 {
		return Session{}, false, err
	}
	ended, err := g.signIns.SessionEnded(r.Context(), s.ID)
	if err != nil || ended {
		return Session{}, false, err
	}
	return s, true, nil
}

// end ends the request's session for every copy of its cookie, even one that was idle for too long.
func (g *Gate) end(r *http.Request) error {
	var s Session
	if ok, err := g.cookies.Read(r, sessionCookie, &s); err != nil || !ok || !g.now().Before(s.Latest()) {
		return err
	}
	return g.signIns.EndSession(r.Context(), s.ID, s.Latest())
}

// write sends the session to the browser, as used now.
func (g *Gate) write(ctx context.Context, w http.ResponseWriter, s Session) error {
	now := g.now()
	s.Used = now.Unix()
	return g.cookies.Set(ctx, w, sessionCookie, s, s.Remaining(now))
}
