package signin

import (
	"context"
	"net/http"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/session"
)

// The gate's cookies.
const (
	// CookieName is the name of the cookie of a session.
	CookieName    = "account"
	sessionCookie = CookieName
	attemptCookie = "account-signin"
	// knownCookie says with which address the browser signed in last. It opens nothing: signing in from there is only
	// not limited by what strangers begin with the address.
	knownCookie = "account-browser"
)

// knownFor is how long a browser is known after it signed in.
const knownFor = 180 * 24 * time.Hour

// known is the content of a browser's knownCookie.
type known struct {
	Mailbox string `json:"mailbox"`
	At      int64  `json:"at"` // Unix seconds
}

// remember notes that the browser signed in with an address.
func (g *Gate) remember(w http.ResponseWriter, r *http.Request, email string) error {
	return g.cookies.Set(r.Context(), w, knownCookie, known{input.Mailbox(email), g.now().Unix()}, knownFor)
}

// knows reports whether the browser signed in with an address before.
func (g *Gate) knows(r *http.Request, email string) (bool, error) {
	var k known
	ok, err := g.cookies.Read(r, knownCookie, &k)
	age := g.now().Sub(time.Unix(k.At, 0))
	return ok && k.Mailbox == input.Mailbox(email) && -session.ClocksDiffer <= age && age < knownFor, err
}

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
