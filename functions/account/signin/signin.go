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
	"marketplace/shared/secret"
	"marketplace/shared/session"
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

// Sessions records which sessions were signed out of, by their IDs.
type Sessions interface {
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
	SignIns  Sessions
	Brand    brand.Brand
	Now      func() time.Time
	Log      *slog.Logger
}

// Addresses of the gate.
const (
	Home        = "/account" // the page after signing in
	SignInPath  = "/account/signin"
	SignOutPath = "/account/signout"
	ChoosePath  = "/account/customers" // of somebody who is a contact of several customers
)

// Gate decides who may open which account. Its methods are safe for concurrent use.
type Gate struct {
	cookies  session.Cookies
	accounts Accounts
	signIns  Sessions
	pages    *web.Pages
	now      func() time.Time
	log      *slog.Logger
}

// New returns a gate.
func New(o Options) *Gate {
	return &Gate{
		cookies: CookiesOf(o.SiteURL, o.Keys), accounts: o.Accounts, signIns: o.SignIns,
		pages: web.NewPages(templates, o.Brand), now: o.Now, log: o.Log,
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

// Routes returns the gate's addresses.
func (g *Gate) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + SignInPath, Handle: g.askAddress},
		{Pattern: "POST " + SignOutPath, Handle: g.signOut},
	}
}

//go:embed templates
var templates embed.FS
