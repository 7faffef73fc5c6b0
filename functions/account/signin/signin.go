// Package signin signs the contacts of customers in to their account. A person types an address, gets a link by email
// and types on the page of the link the code that the first page shows. Who opens a link without the code, as a mail
// scanner or the reader of a forwarded email does, gets nowhere.
//
// A session lives in the browser's sealed cookie (shared/session) and says whose mailbox was proven and which customer
// was chosen, nothing else: with every request the account is read anew, and the address must still be that of a
// contact in effect.
package signin

import (
	"context"
	"embed"
	"log/slog"
	"strings"
	"time"

	"marketplace/shared/brand"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	"marketplace/shared/store/signin"
	"marketplace/shared/web"
)

// Accounts reads customers; *store.Store implements it.
type Accounts interface {
	// Account reads all that is on record about a customer and those merged into it. An unknown one is a NotFound
	// fault.
	Account(ctx context.Context, id string) (*customer.Account, error)
	// AccountsOf reads the accounts of all customers that have a contact with an address.
	AccountsOf(ctx context.Context, email string) ([]*customer.Account, error)
}

// SignIns keeps sign-ins and the ends of sessions; *signin.Store of shared/store/signin implements it.
type SignIns interface {
	// Begin begins a sign-in, and has the link sent if the address is a contact's. It is a RateLimited fault if too
	// many were begun with the address.
	Begin(ctx context.Context, a signin.Attempt) (id string, err error)
	// Open reads the sign-in of a link. A wrong link is a NotFound fault, and one that has ended is Gone.
	Open(ctx context.Context, id, nonce string) (signin.SignIn, error)
	// Enter uses up a link with its code. A wrong code is an Invalid fault of the field "code".
	Enter(ctx context.Context, id, nonce, code string) (signin.SignIn, error)
	// RecordVisit records that a contact opened the account of a customer.
	RecordVisit(ctx context.Context, customer string) error
	// EndSession records that somebody signed out of a session, at least until the time. Ending it twice is not an
	// error.
	EndSession(ctx context.Context, id string, until time.Time) error
	// SessionEnded reports whether it was. It sees every end that was recorded before the call.
	SessionEnded(ctx context.Context, id string) (bool, error)
}

// Options configure a Gate.
type Options struct {
	SiteURL  string // where browsers reach the site, without a slash at the end
	Keys     secret.Value[session.Keys]
	Accounts Accounts
	SignIns  SignIns
	Sales    mail.Address // whom people write to who cannot sign in
	Brand    brand.Brand
	Now      func() time.Time
	Log      *slog.Logger
}

// Addresses of the gate.
const (
	Home        = "/account" // the page after signing in
	SignInPath  = "/account/signin"
	sentPath    = SignInPath + "/sent"
	SignOutPath = "/account/signout"
	// SignedOutPath is the page after signing out.
	SignedOutPath = "/account/signedout"
	ChoosePath    = "/account/customers" // of somebody who is a contact of several customers
)

// Gate decides who may open which account. Its methods are safe for concurrent use.
type Gate struct {
	cookies  session.Cookies
	accounts Accounts
	signIns  SignIns
	sales    string
	pages    *web.Pages
	now      func() time.Time
	log      *slog.Logger
}

// New returns a gate.
func New(o Options) *Gate {
	return &Gate{
		cookies: CookiesOf(o.SiteURL, o.Keys), accounts: o.Accounts, signIns: o.SignIns,
		pages: web.NewPages(templates, o.Brand), sales: o.Sales.Email, now: o.Now, log: o.Log,
	}
}

// CookiesOf returns the cookies of the account on a site.
func CookiesOf(siteURL string, keys secret.Value[session.Keys]) session.Cookies {
	return session.Cookies{
		Secure: strings.HasPrefix(siteURL, "https:"), Site: "account", Form: "1",
		Keys: func(ctx context.Context) (session.Keys, error) {
			found, err := keys(ctx)
			if err != nil {
				return found, fault.Wrap(fault.Unavailable, err,
					"We cannot check who you are at the moment. Try again in a minute.")
			}
			return found, nil
		},
	}
}

// Routes returns the gate's addresses. The form of a link is posted to the link's own address.
func (g *Gate) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + SignInPath, Handle: g.askAddress},
		{Pattern: "POST " + SignInPath, Handle: g.begin},
		{Pattern: "GET " + sentPath, Handle: g.sent},
		{Pattern: "GET " + SignInPath + "/{signin}", Handle: g.askCode},
		{Pattern: "POST " + SignInPath + "/{signin}", Handle: g.enter},
		{Pattern: "GET " + ChoosePath, Handle: g.choose},
		{Pattern: "POST " + ChoosePath, Handle: g.chosen},
		{Pattern: "POST " + SignOutPath, Handle: g.signOut},
		{Pattern: "GET " + SignedOutPath, Handle: g.signedOut},
	}
}

//go:embed templates
var templates embed.FS
