// Package devidp is the OpenID Connect provider of `make run`: its page lets the developer choose a person to sign in
// as. It replaces Amazon Cognito and issues the same claims.
//
// It refuses the mistakes of a client as a real provider does: redirect addresses that differ by a character, and codes
// that are used twice, late, by another client or without the PKCE verifier. It asks for no password, so it is for
// developer machines only.
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

	"marketplace/infra/local/frame"
	"marketplace/shared/brand"
	"marketplace/shared/web"
)

// Path is where the local server mounts the provider: the issuer is the site's address with Path, and everything below
// Path + "/" belongs to it.
const Path = "/_local/people"

// Person is a person to sign in as.
type Person struct {
	Email      string
	Name       string
	Groups     []string // roles in the console, as the claim "cognito:groups" lists them
	About      string   // for the page
	Unverified bool     // the email address is not verified
}

// SamplePeople returns the people of the local server: one for each role, and two of sales to try concurrent changes.
func SamplePeople() []Person {
	return []Person{
		{Email: "vera@vendor.example", Name: "Vera Vogel", Groups: []string{"viewer"},
			About: "Can view everything and change nothing."},
		{Email: "sam@vendor.example", Name: "Sam Okoye", Groups: []string{"sales"},
			About: "Works on requests and issues licenses."},
		{Email: "lucia@vendor.example", Name: "Lucía Marín", Groups: []string{"sales"},
			About: "A colleague who works on the same requests."},
		{Email: "ada@vendor.example", Name: "Ada Brandt", Groups: []string{"admin"},
			About: "Same permissions as sales, for now."},
		{Email: "nico@vendor.example", Name: "Nico Neumann", About: "New colleague, no role yet."},
	}
}

// Options configures a provider.
type Options struct {
	Issuer       string // its address, without a trailing slash
	ClientID     string
	ClientSecret string
	RedirectURI  string // where the client receives codes
	SignedOutURI string // where the client continues after signing out
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

// New returns the handler of a provider with a new key, for all paths below the issuer.
func New(o Options) (http.Handler, error) {
	issuer, err := url.Parse(o.Issuer)
	if err != nil {
		return nil, fmt.Errorf("devidp: the issuer's address: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("devidp: making a key: %w", err)
	}
	p := &provider{Options: o, path: issuer.Path, key: key, codes: codes{now: o.Now},
		pages: web.NewPages(web.Layers{templates, frame.Templates}, brand.Brand{})}
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

// discovery implements OpenID Connect Discovery §3, with the sign-out endpoint of RP-Initiated Logout §2.1.
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

// personByEmail finds a person by email address.
func (p *provider) personByEmail(email string) (Person, bool) {
	for _, person := range p.People {
		if person.Email == email {
			return person, true
		}
	}
	return Person{}, false
}

// Roles returns the groups of the person for the page.
func (p Person) Roles() string { return strings.Join(p.Groups, ", ") }
