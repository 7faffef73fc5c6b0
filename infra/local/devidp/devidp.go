// Package devidp is the OpenID Connect provider of `make run`: a page asks who to be, and the sales console is told
// that it is so. It stands in for Amazon Cognito, which gives out the same claims.
//
// What a client could get wrong it refuses as a real provider would: redirect addresses that differ by a character,
// codes used twice, late, by another client or without the PKCE verifier. It asks nobody for a password, so it belongs
// on one's own machine only.
package devidp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"embed"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"marketplace/shared/web"
)

// Path is where the local server mounts the provider: its issuer is the site's address with Path, and everything below
// Path + "/" is its own.
const Path = "/_local/people"

// Person is somebody to be.
type Person struct {
	Email      string
	Name       string
	Groups     []string // roles in the console, as the claim "cognito:groups" lists them
	About      string   // for the page
	Unverified bool     // nobody verified the e-mail address
}

// Invented are the people of the local server: one for each thing that a role makes different, two of sales, who can
// get in each other's way.
func Invented() []Person {
	return []Person{
		{Email: "vera@vendor.example", Name: "Vera Vogel", Groups: []string{"viewer"},
			About: "Can view everything and change nothing."},
		{Email: "sam@vendor.example", Name: "Sam Okoye", Groups: []string{"sales"},
			About: "Works on requests and issues licenses."},
		{Email: "lucia@vendor.example", Name: "Lucía Marín", Groups: []string{"sales"},
			About: "A colleague who works on the same requests."},
		{Email: "ada@vendor.example", Name: "Ada Brandt", Groups: []string{"admin"},
			About: "Can do everything that sales can."},
		{Email: "nico@vendor.example", Name: "Nico Neumann", About: "New colleague, no role yet."},
	}
}

// Options are what a provider is made of.
type Options struct {
	Issuer       string // its address, without a slash at the end
	ClientID     string
	ClientSecret string
	RedirectURI  string // where the client takes codes
	SignedOutURI string // where the client takes who has signed out
	People       []Person
	Now          func() time.Time
	Log          *slog.Logger
}

type provider struct {
	Options
	path  string // of the issuer's address
	key   *ecdsa.PrivateKey
	codes codes
	pages *web.Pages
}

//go:embed templates
var templates embed.FS

// New makes the provider's handler, with a key of its own, for all paths below the issuer's.
func New(o Options) (http.Handler, error) {
	issuer, err := url.Parse(o.Issuer)
	if err != nil {
		return nil, fmt.Errorf("devidp: the issuer's address: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("devidp: making a key: %w", err)
	}
	p := &provider{Options: o, path: issuer.Path, key: key, codes: codes{now: o.Now}, pages: web.NewPages(templates)}
	return web.New(web.Options{Routes: p.routes(), Pages: p.pages, SiteURL: o.Issuer, Log: o.Log}), nil
}

func (p *provider) routes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + p.path + "/.well-known/openid-configuration", Handle: p.discovery},
		{Pattern: "GET " + p.path + "/keys", Handle: p.keys},
		{Pattern: "GET " + p.path + "/authorize", Handle: p.authorize},
		{Pattern: "POST " + p.path + "/token", Handle: p.token},
		{Pattern: "GET " + p.path + "/signout", Handle: p.signOut},
	}
}

// discovery is OpenID Connect Discovery §3, with the sign-out endpoint of RP-Initiated Logout §2.1.
func (p *provider) discovery(w http.ResponseWriter, _ *http.Request) error {
	return web.WriteJSON(w, http.StatusOK, map[string]any{
		"issuer":                                p.Issuer,
		"authorization_endpoint":                p.Issuer + "/authorize",
		"token_endpoint":                        p.Issuer + "/token",
		"jwks_uri":                              p.Issuer + "/keys",
		"end_session_endpoint":                  p.Issuer + "/signout",
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
		"scopes_supported":                      []string{"openid", "email", "profile"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"claims_supported": []string{"iss", "sub", "aud", "exp", "iat", "nonce", "email",
			"email_verified", "name", groupsClaim},
		"code_challenge_methods_supported": []string{"S256"},
	})
}

// named finds a person by the e-mail address.
func (p *provider) named(email string) (Person, bool) {
	for _, person := range p.People {
		if person.Email == email {
			return person, true
		}
	}
	return Person{}, false
}

// Roles is how the page writes the person's groups.
func (p Person) Roles() string { return strings.Join(p.Groups, ", ") }
