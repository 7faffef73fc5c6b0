package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"marketplace/shared/token"
)

// oidcClient is the console in its role as a client of the OIDC provider, a "relying party".
type oidcClient struct {
	Options
	mu         sync.Mutex
	discovered *provider // nil until the first sign-in
}

// provider is the OIDC provider, as it describes itself (OpenID Connect Discovery §4).
type provider struct {
	oauth2.Config
	verifier   *oidc.IDTokenVerifier
	endSession string // the complete address for signing out there; "" if there is none
}

// provider discovers the provider's endpoints, once. It keeps a success, not a failure.
func (c *oidcClient) provider(ctx context.Context) (*provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.discovered != nil {
		return c.discovered, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, c.Client), c.Issuer)
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
	c.discovered = &provider{
		Config: oauth2.Config{
			ClientID: c.ClientID, Endpoint: endpoint,
			RedirectURL: c.SiteURL + CallbackPath,
			Scopes:      []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile},
		},
		verifier:   found.Verifier(&oidc.Config{ClientID: c.ClientID, Now: c.Now}),
		endSession: endSession(c.Issuer, endpoint.AuthURL, more.EndSession, c.ClientID, c.SiteURL+SignedOutPath),
	}
	return c.discovered, nil
}

// endSession returns the address where a browser ends its session at the provider and is sent back: RP-Initiated
// Logout §2, or Cognito's own endpoint next to /oauth2/authorize, with its own parameters (Cognito developer guide,
// "The managed login sign-out endpoint: /logout").
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

// person exchanges the browser's code for an ID token, checks its signature, algorithm, issuer, audience, time and
// nonce (OpenID Connect Core §3.1.3.7), and returns the person that it names.
func (c *oidcClient) person(ctx context.Context, code string, a attempt) (Person, error) {
	provider, err := c.provider(ctx)
	if err != nil {
		return Person{}, err
	}
	client, err := c.credentials(ctx, provider.Config)
	if err != nil {
		return Person{}, err
	}
	answer, err := client.Exchange(oidc.ClientContext(ctx, c.Client), code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return Person{}, notExchanged(err)
	}
	raw, _ := answer.Extra("id_token").(string)
	id, err := provider.verifier.Verify(ctx, raw)
	switch {
	case err != nil && strings.Contains(err.Error(), "fetching keys"): // the library flattens this cause
		return Person{}, unavailable("the provider's keys cannot be fetched", err)
	case err != nil:
		return Person{}, unproven("the ID token is not valid", err)
	case !token.SignIn.Same(a.Nonce, id.Nonce):
		return Person{}, unproven("the ID token belongs to another sign-in", nil)
	}
	var claims map[string]json.RawMessage
	if err := id.Claims(&claims); err != nil {
		return Person{}, unproven("the ID token's claims cannot be read", err)
	}
	if len(id.Audience) > 1 && text(claims["azp"]) != c.ClientID {
		return Person{}, unproven("the ID token was issued to another client", nil)
	}
	return personOf(claims, c.RolesClaim)
}

// credentials returns the client with its secret of the moment, if it has one.
func (c *oidcClient) credentials(ctx context.Context, client oauth2.Config) (oauth2.Config, error) {
	secrets, err := c.Secrets(ctx)
	if err != nil {
		return client, unavailable("the client's secret cannot be read", err)
	}
	client.ClientSecret, client.Endpoint.AuthStyle = secrets.ClientSecret, oauth2.AuthStyleInHeader
	if client.ClientSecret == "" {
		client.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return client, nil
}

// notExchanged returns whether the code is no longer valid, the provider does not respond, or it does not accept the
// client.
func notExchanged(err error) error {
	var said *oauth2.RetrieveError
	switch {
	case !errors.As(err, &said):
		return unavailable("the code cannot be exchanged", err)
	case said.ErrorCode == "invalid_grant":
		return stale("the code is not valid")
	case said.Response.StatusCode >= http.StatusInternalServerError ||
		said.Response.StatusCode == http.StatusTooManyRequests:
		return unavailable("the code cannot be exchanged", fmt.Errorf("the provider responds %s", said.Response.Status))
	}
	return fmt.Errorf("signin: exchanging a code: the provider responds %s, error %s",
		said.Response.Status, wellFormed(said.ErrorCode))
}
