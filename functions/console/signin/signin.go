// Package signin signs people in to the sales console. It sends them to an OpenID Connect (OIDC) provider (Amazon
// Cognito in the cloud, infra/local/devidp on a laptop), reads a Person from the provider's answer, keeps the person
// in a sealed cookie, and is the one place where roles are enforced.
//
// The provider knows who has which role. The console's site says which role each of its addresses needs. Nothing is
// fetched, parsed or computed here before somebody signs in.
//
// A session lives in the browser's cookie. It ends an hour after its last use, eight hours after it began, and when
// its keys are taken out of the secrets. Signing out ends it for every copy of the cookie: we keep nothing of a
// session but that it ended (decision 13). Until then it keeps its role, even if the provider changes that.
package signin

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"time"

	"marketplace/shared/brand"
	"marketplace/shared/secret"
	"marketplace/shared/session"
	"marketplace/shared/web"
)

// Sessions records which sessions were signed out of, by their IDs; *store.Store implements it.
type Sessions interface {
	// EndSession records that somebody signed out of a session, at least until the time. Ending it twice is not an
	// error.
	EndSession(ctx context.Context, id, by string, until time.Time) error
	// SessionEnded reports whether it was. It sees every end that was recorded before the call.
	SessionEnded(ctx context.Context, id string) (bool, error)
}

// Directory records who signed in, for the audit and so that colleagues can be shown by name; *store.Store implements
// it.
type Directory interface {
	// RecordSignIn records that a person signed in, with the name and the role that the provider gave.
	RecordSignIn(ctx context.Context, email, name, role string) error
	// RecordRefusedSignIn records that a person whom the provider knows has no role.
	RecordRefusedSignIn(ctx context.Context, email string) error
}

// Options configure a Gate.
type Options struct {
	// Issuer is the provider's address, exactly as its tokens name it, such as
	// "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI".
	Issuer   string
	ClientID string
	// SiteURL is where browsers reach the console's site, without a slash at the end. Register SiteURL + CallbackPath
	// with the provider as a redirect address and SiteURL + SignedOutPath as a sign-out address.
	SiteURL string
	// Secrets may change while the program runs.
	Secrets  secret.Value[Secrets]
	Sessions Sessions
	// Directory is nil where nobody asks for names, nor who signed in.
	Directory Directory
	// RolesClaim is the claim of the ID token that lists roles; "" is "cognito:groups", the groups of a Cognito user.
	RolesClaim string
	// Client calls the provider; nil is a client with a timeout of five seconds.
	Client *http.Client
	Brand  brand.Brand
	Now    func() time.Time
	Log    *slog.Logger
}

// Addresses of the gate.
const (
	Home          = "/console" // the default page after signing in
	SignInPath    = "/console/signin"
	CallbackPath  = "/console/callback"
	SignOutPath   = "/console/signout"
	SignedOutPath = "/console/signedout"
)

// Gate decides who may use the console. Its methods are safe for concurrent use.
type Gate struct {
	client   *oidcClient
	cookies  session.Cookies
	sessions Sessions
	names    Directory // may be nil
	pages    *web.Pages
	now      func() time.Time
	log      *slog.Logger
}

// New returns a gate. It makes no calls: the provider is discovered when the first person signs in.
func New(o Options) *Gate {
	if o.RolesClaim == "" {
		o.RolesClaim = "cognito:groups"
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 5 * time.Second}
	}
	return &Gate{
		client:   &oidcClient{Options: o},
		cookies:  cookiesOf(o),
		sessions: o.Sessions,
		names:    o.Directory,
		pages:    web.NewPages(templates, o.Brand),
		now:      o.Now,
		log:      o.Log,
	}
}

// Routes returns the gate's addresses. Signing out is a POST from a form without fields.
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
