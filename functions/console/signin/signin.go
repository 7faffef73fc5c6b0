// Package signin lets people into the sales console. It sends them to an OpenID Connect provider (Amazon Cognito in the
// cloud, infra/local/devidp on a laptop), makes a Person of what the provider says, keeps the person in a sealed cookie,
// and is the one place where roles are enforced.
//
// Who has which role is kept by the provider. What a role may do is the console site's to say, which names the role that each of
// its addresses needs. Nothing here is fetched, parsed or computed before somebody signs in.
//
// A session lives in the browser's cookie: it ends an hour after its last use, eight hours after it began, and when all of
// its keys are taken out of the configuration. Signing out ends it for every copy of the cookie: that it ended is all that is
// kept of a session on our side (decision 13). Until its end it keeps its role, whatever the provider has learned meanwhile.
package signin

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"marketplace/shared/web"
)

// Sessions keeps which sessions somebody signed out of; *store.Store does. A session is known by its ID alone.
type Sessions interface {
	// EndSession notes that a session was signed out of, at least until the time. To end it twice is no error.
	EndSession(ctx context.Context, id string, until time.Time) error
	// SessionEnded reports whether it was. It sees every end that was noted before it was called.
	SessionEnded(ctx context.Context, id string) (bool, error)
}

// Options are what a Gate is made of.
type Options struct {
	// Issuer is the provider's address, exactly as its tokens name it, such as
	// "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI".
	Issuer       string
	ClientID     string
	ClientSecret string // "" for a client without one; PKCE is used either way
	// SiteURL is where browsers reach the console's site, without a slash at the end. The provider has to know
	// SiteURL + CallbackPath as a redirect address and SiteURL + SignedOutPath as a sign-out address.
	SiteURL  string
	Keys     Keys // at least one
	Sessions Sessions
	// RolesClaim is the claim of the ID token that lists roles; "" is "cognito:groups", the groups of a Cognito user.
	RolesClaim string
	// Client calls the provider; nil is one that gives up after five seconds.
	Client *http.Client
	Now    func() time.Time
	Log    *slog.Logger
}

// Addresses of the gate.
const (
	Home          = "/console" // where people land who asked for no other page
	SignInPath    = "/console/signin"
	CallbackPath  = "/console/callback"
	SignOutPath   = "/console/signout"
	SignedOutPath = "/console/signedout"
)

// Gate decides who comes into the console. Its methods may be called at once.
type Gate struct {
	party    *oidcClient
	cookies  cookies
	sessions Sessions
	pages    *web.Pages
	now      func() time.Time
	log      *slog.Logger
}

// New makes a gate. It calls nobody: the provider is asked when the first person signs in.
func New(o Options) *Gate {
	if o.RolesClaim == "" {
		o.RolesClaim = "cognito:groups"
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 5 * time.Second}
	}
	return &Gate{
		party:    &oidcClient{Options: o},
		cookies:  cookies{secure: strings.HasPrefix(o.SiteURL, "https:"), keys: o.Keys},
		sessions: o.Sessions,
		pages:    web.NewPages(templates),
		now:      o.Now,
		log:      o.Log,
	}
}

// Routes are the gate's addresses. Sign-out is a POST, sent by a form without fields.
func (g *Gate) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + SignInPath, Handle: g.signIn},
		{Pattern: "GET " + CallbackPath, Handle: g.callback},
		{Pattern: "POST " + SignOutPath, Handle: g.signOut},
		{Pattern: "GET " + SignedOutPath, Handle: g.signedOut},
	}
}

//go:embed templates
var templates embed.FS
