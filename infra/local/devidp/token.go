package devidp

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"

	"marketplace/shared/web"
)

const (
	codeLife  = time.Minute
	tokenLife = 5 * time.Minute
)

// groupsClaim lists the roles of a person, under the name that Cognito uses.
const groupsClaim = "cognito:groups"

// grant is what a code gives access to.
type grant struct {
	person      Person
	challenge   string // of PKCE
	nonce       string
	redirectURI string
	expires     time.Time
}

// codes are the codes that are not yet exchanged.
type codes struct {
	now  func() time.Time
	mu   sync.Mutex
	open map[string]grant
}

func (c *codes) issue(g grant) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	maps.DeleteFunc(c.open, func(_ string, g grant) bool { return !now.Before(g.expires) })
	if c.open == nil {
		c.open = map[string]grant{}
	}
	code := rand.Text()
	g.expires = now.Add(codeLife)
	c.open[code] = g
	return code
}

// redeem returns the grant of a code, once.
func (c *codes) redeem(code string) (grant, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g, ok := c.open[code]
	delete(c.open, code)
	return g, ok && c.now().Before(g.expires)
}

// token exchanges a code (RFC 6749 §4.1.3, RFC 7636 §4.5, OpenID Connect Core §3.1.3).
func (p *provider) token(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	id, secret := credentials(r, form)
	if !equal(id, p.ClientID) || !equal(secret, p.ClientSecret) {
		w.Header().Set("WWW-Authenticate", `Basic realm="people"`)
		return web.WriteJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
	}
	if form.Get("grant_type") != "authorization_code" {
		return web.WriteJSON(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
	}
	g, ok := p.codes.redeem(form.Get("code"))
	challenge := sha256.Sum256([]byte(form.Get("code_verifier")))
	if !ok || form.Get("redirect_uri") != g.redirectURI ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != g.challenge {
		return web.WriteJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
	}
	idToken, err := p.sign(p.claims(g))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, map[string]any{
		"access_token": rand.Text(), "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()),
		"id_token": idToken,
	})
}

// credentials returns the client's credentials from either method of RFC 6749 §2.3.1.
func credentials(r *http.Request, form url.Values) (id, secret string) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		return form.Get("client_id"), form.Get("client_secret")
	}
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	return id, secret
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (p *provider) claims(g grant) map[string]any {
	now := p.Now()
	claims := map[string]any{
		"iss": p.Issuer, "sub": g.person.Email, "aud": p.ClientID, "token_use": "id",
		"iat": now.Unix(), "auth_time": now.Unix(), "exp": now.Add(tokenLife).Unix(),
		"email": g.person.Email, "email_verified": !g.person.Unverified, "name": g.person.Name,
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if len(g.person.Groups) > 0 {
		claims[groupsClaim] = g.person.Groups
	}
	return claims
}

// sign returns the claims as a signed JSON Web Token: ES256, RFC 7518 §3.4.
func (p *provider) sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("devidp: encoding claims: %w", err)
	}
	header := fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"JWT"}`, keyID)
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, digest[:])
	if err != nil {
		return "", fmt.Errorf("devidp: signing a token: %w", err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature[:]), nil
}

const keyID = "local"

// keys serves the public key as in RFC 7517 and RFC 7518 §6.2.1.
func (p *provider) keys(w http.ResponseWriter, _ *http.Request) error {
	point, err := p.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return fmt.Errorf("devidp: encoding the key: %w", err)
	}
	return web.WriteJSON(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": keyID,
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}}})
}
