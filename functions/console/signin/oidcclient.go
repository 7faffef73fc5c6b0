package signin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// oidcClient is the console as the provider's client, a "relying oidcClient".
type oidcClient struct {
	Options
	mu         sync.Mutex
	discovered *provider // nil until somebody signs in
}

// provider is what the provider says of itself (OpenID Connect Discovery §4).
type provider struct {
	oauth2.Config
	verifier   *oidc.IDTokenVerifier
	endSession string // where a browser is sent to sign out, complete; "" where there is no such place
}

// provider asks the provider where its parts are, once. An answer is kept; a failure is not.
func (p *oidcClient) provider(ctx context.Context) (*provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.discovered != nil {
		return p.discovered, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.Client), p.Issuer)
	var other *oidc.IssuerMismatchError
	switch {
	case errors.As(err, &other):
		return nil, fmt.Errorf("signin: discovering the provider: %w", err)
	case err != nil:
		return nil, unavailable("the provider cannot be discovered", err)
	}
	var more struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := found.Claims(&more); err != nil {
		return nil, fmt.Errorf("signin: discovering the provider: %w", err)
	}
	endpoint := found.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if p.ClientSecret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	p.discovered = &provider{
		Config: oauth2.Config{
			ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: endpoint,
			RedirectURL: p.SiteURL + CallbackPath,
			Scopes:      []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile},
		},
		verifier:   found.Verifier(&oidc.Config{ClientID: p.ClientID, Now: p.Now}),
		endSession: endSession(p.Issuer, endpoint.AuthURL, more.EndSession, p.ClientID, p.SiteURL+SignedOutPath),
	}
	return p.discovered, nil
}

// endSession is where a browser ends its session at the provider and is led back: RP-Initiated Logout §2, or the form of
// Cognito, whose endpoint stands beside /oauth2/authorize and has its own parameters (Cognito developer guide, "The managed
// login sign-out endpoint: /logout").
func endSession(issuer, authURL, endpoint, clientID, back string) string {
	query := url.Values{"client_id": {clientID}}
	if i, err := url.Parse(issuer); err == nil && strings.HasPrefix(i.Host, "cognito-idp.") {
		endpoint = strings.TrimSuffix(authURL, "/oauth2/authorize") + "/logout"
		query.Set("logout_uri", back)
	} else {
		query.Set("post_logout_redirect_uri", back)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	for name, values := range u.Query() {
		query[name] = values
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// person exchanges the code that the provider gave to the browser for an ID token, and checks all of it: signature,
// algorithm, issuer, audience, time, nonce (OpenID Connect Core §3.1.3.7), then what it says of the person.
func (p *oidcClient) person(ctx context.Context, code string, a attempt) (Person, error) {
	provider, err := p.provider(ctx)
	if err != nil {
		return Person{}, err
	}
	token, err := provider.Exchange(oidc.ClientContext(ctx, p.Client), code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return Person{}, notExchanged(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.verifier.Verify(ctx, raw)
	switch {
	case err != nil && strings.Contains(err.Error(), "fetching keys"): // the library flattens this cause
		return Person{}, unavailable("the provider's keys cannot be fetched", err)
	case err != nil:
		return Person{}, unproven("the ID token is not valid", err)
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1:
		return Person{}, unproven("the ID token is of another sign-in", nil)
	}
	var claims map[string]json.RawMessage
	if err := id.Claims(&claims); err != nil {
		return Person{}, unproven("the ID token's claims cannot be read", err)
	}
	if len(id.Audience) > 1 && text(claims["azp"]) != p.ClientID {
		return Person{}, unproven("the ID token was issued to another client", nil)
	}
	return personOf(claims, p.RolesClaim)
}

// notExchanged tells a code that is no longer good from a provider that does not answer and from a client that the
// provider does not accept.
func notExchanged(err error) error {
	var said *oauth2.RetrieveError
	switch {
	case !errors.As(err, &said):
		return unavailable("the code cannot be exchanged", err)
	case said.ErrorCode == "invalid_grant":
		return stale("the code is not good")
	case said.Response.StatusCode >= http.StatusInternalServerError || said.Response.StatusCode == http.StatusTooManyRequests:
		return unavailable("the code cannot be exchanged", fmt.Errorf("the provider answers %s", said.Response.Status))
	}
	return fmt.Errorf("signin: exchanging a code: the provider answers %s, error %s", said.Response.Status, wellFormed(said.ErrorCode))
}
