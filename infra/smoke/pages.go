package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// form opens the request form as a server's page links to it.
func (s *site) form(ctx context.Context) (string, error) {
	const p = "/request/developer"
	a, err := s.get(ctx, s.Site+p+"?serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000")
	if err == nil {
		err = a.status(p, http.StatusOK)
	}
	if err != nil {
		return "", err
	}
	for _, want := range []string{`method="post"`, `name="email"`, "AWHW8w9JtzBzSrmf9GQX"} {
		if !strings.Contains(string(a.body), want) {
			return "", fmt.Errorf("%s: got a page without %s", p, want)
		}
	}
	return "opens with what a server fills in", nil
}

// keyCheck checks a text that is no key, which needs no record and leaves none.
func (s *site) keyCheck(ctx context.Context) (string, error) {
	const page, p = "/licenses/check", "/api/licenses/check"
	a, err := s.get(ctx, s.Site+page)
	if err == nil {
		err = a.status(page, http.StatusOK)
	}
	if err != nil {
		return "", err
	}
	a, err = s.ask(ctx, http.MethodPost, s.Site+p, `{"key":"c21va2U="}`, maxBody, "Content-Type", "application/json")
	if err == nil {
		err = a.status(p, http.StatusOK)
	}
	if err != nil {
		return "", err
	}
	var result struct {
		Valid   *bool
		Reasons []struct{ Code string }
	}
	err = json.Unmarshal(a.body, &result)
	if err != nil || result.Valid == nil || *result.Valid || len(result.Reasons) == 0 {
		return "", fmt.Errorf("%s: got no reason against a text that is no key", p)
	}
	return "says what is wrong with a text that is no key", nil
}

// publicKeys reads the key set by which license plugins verify.
func (s *site) publicKeys(ctx context.Context) (string, error) {
	const p = "/.well-known/license-keys.json"
	a, err := s.get(ctx, s.Site+p, "Origin", origin)
	if err == nil {
		err = errors.Join(a.status(p, http.StatusOK), a.anyOrigin(p))
	}
	if err != nil {
		return "", err
	}
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal(a.body, &set); err != nil || len(set.Keys) == 0 {
		return "", fmt.Errorf("%s: got no keys: is the parameter LicenseKeys deployed?", p)
	}
	kids := make([]string, len(set.Keys))
	for i, key := range set.Keys {
		kids[i] = key.Kid
	}
	return strings.Join(kids, ", "), nil
}

// account opens the customers' account without a session, which leads to the form for a link.
func (s *site) account(ctx context.Context) (string, error) {
	const p, page = "/account", "/account/signin"
	a, err := s.get(ctx, s.Site+p)
	if err == nil {
		err = a.status(p, http.StatusSeeOther)
	}
	if err != nil {
		return "", err
	}
	if to, err := a.Location(); err != nil || to.Path != page {
		return "", fmt.Errorf("%s: got no redirect to %s", p, page)
	}
	a, err = s.get(ctx, s.Site+page)
	if err == nil {
		err = a.status(page, http.StatusOK)
	}
	if err != nil {
		return "", err
	}
	if !strings.Contains(string(a.body), `name="email"`) {
		return "", fmt.Errorf("%s: got a page that does not ask for an address", page)
	}
	return "asks for an address", nil
}

// signIn begins to sign in to the console and follows the provider to the page that asks who it is.
func (s *site) signIn(ctx context.Context) (string, error) {
	const p = "/console/signin"
	a, err := s.get(ctx, s.Site+p)
	if err == nil {
		err = a.status(p, http.StatusSeeOther)
	}
	if err != nil {
		return "", err
	}
	provider, err := a.Location()
	if err != nil {
		return "", fmt.Errorf("%s: got no redirect to the provider", p)
	}
	q := provider.Query()
	if got, want := q.Get("redirect_uri"), s.Site+"/console/callback"; got != want {
		return "", fmt.Errorf("%s: got the address to return to %s, want %s: compare SiteUrl", p, got, want)
	}
	if q.Get("client_id") == "" || q.Get("code_challenge") == "" {
		return "", fmt.Errorf("%s: got no client or no PKCE challenge", p)
	}
	next := provider
	for range maxHops {
		if a, err = s.get(ctx, next.String()); err != nil {
			return "", fmt.Errorf("the provider at %s: %w", next.Host, err)
		}
		to, err := a.Location()
		if err != nil || a.StatusCode/100 != 3 {
			break
		}
		next = to
	}
	// Cognito's page of errors answers 200 or 400; its path says what it is.
	if a.StatusCode != http.StatusOK || strings.HasSuffix(next.Path, "/error") {
		return "", fmt.Errorf("the provider at %s: got status %d at %s, want its sign-in page: does it know the "+
			"client and the address %s/console/callback?", next.Host, a.StatusCode, next.Path, s.Site)
	}
	return "the provider at " + provider.Host + " asks who it is", nil
}
