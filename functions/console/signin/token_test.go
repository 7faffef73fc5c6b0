package signin

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"marketplace/infra/local/devidp"
)

// rogue is a provider that signs whatever a test wants, with RS256 as Cognito does.
type rogue struct {
	*httptest.Server
	key   *rsa.PrivateKey
	token func(claims map[string]any) string // the ID token; "" to answer without one
	down  string                             // a path that does not work
	asked int                                // how often for a token
}

func newRogue(t *testing.T) *rogue {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &rogue{key: key}
	var nonce string
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/token" {
			p.asked++
		}
		if r.URL.Path == p.down {
			http.Error(w, "<html>jane@customer.example", http.StatusBadGateway)
			return
		}
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":"%[1]s/auth","token_endpoint":"%[1]s/token",
			"jwks_uri":"%[1]s/keys",
				"id_token_signing_alg_values_supported":["RS256","HS256","none"]}`, p.URL)
		case "/keys":
			fmt.Fprintf(w, `{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"1","n":%q,"e":"AQAB"}]}`,
				b64(key.N.Bytes()))
		case "/auth":
			nonce = r.URL.Query().Get("nonce")
			http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?code=c&state="+r.URL.Query().Get("state"),
				http.StatusFound)
		case "/token":
			now := time.Date(2018, 3, 1, 9, 0, 0, 0, time.UTC)
			token := p.token(map[string]any{
				"iss": p.URL, "sub": "7", "aud": "console", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(),
				"nonce": nonce,
				"email": "Jane.Doe@vendor.example", "email_verified": true, "name": "Jane Doe",
				"cognito:groups": []string{"sales", "golf"},
			})
			_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer",
				"id_token": token})
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// unsigned returns the signed part of a token.
func unsigned(header string, claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return b64([]byte(header)) + "." + b64(payload)
}

func (p *rogue) sign(claims map[string]any) string {
	text := unsigned(`{"alg":"RS256","kid":"1"}`, claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return text + "." + b64(signature)
}

// with signs the claims with some of them changed; nil removes a claim.
func (p *rogue) with(changes map[string]any) func(map[string]any) string {
	return func(claims map[string]any) string {
		maps.Copy(claims, changes)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		return p.sign(claims)
	}
}

// signIn goes through a sign-in with the provider.
func (p *rogue) signIn(t *testing.T) (answer, string) {
	t.Helper()
	c := newConsole(t, func(o *Options, _ *devidp.Options) { o.Issuer = p.URL })
	return newBrowser(t).do("GET", c.URL+"/console"), c.log.String()
}

func TestPersonIsReadFromClaims(t *testing.T) {
	p := newRogue(t)
	for _, tt := range []struct {
		name    string
		changes map[string]any
		want    string
	}{
		{"as Cognito has them", nil, "jane.doe@vendor.example|Jane Doe|sales|/console"},
		{"the highest role counts", map[string]any{"cognito:groups": []string{"viewer", "admin", "sales"}},
			"jane.doe@vendor.example|Jane Doe|admin|/console"},
		{"one role by itself", map[string]any{"cognito:groups": "viewer"},
			"jane.doe@vendor.example|Jane Doe|viewer|/console"},
		{"verified, as a string", map[string]any{"email_verified": "true"},
			"jane.doe@vendor.example|Jane Doe|sales|/console"},
		{"a name in parts", map[string]any{"name": nil, "given_name": "Jane", "family_name": "Q. Doe"},
			"jane.doe@vendor.example|Jane Q. Doe|sales|/console"},
		{"no name", map[string]any{"name": 7}, "jane.doe@vendor.example|jane.doe@vendor.example|sales|/console"},
		{"a name of many lines", map[string]any{"name": " Jane\r\n\u2028\u202eDoe\x00 "},
			"jane.doe@vendor.example|Jane Doe|sales|/console"},
		{"a long name", map[string]any{"name": strings.Repeat("ü", 300)},
			"jane.doe@vendor.example|" + strings.Repeat("ü", 100) + "|sales|/console"},
		{"two audiences, for us", map[string]any{"aud": []string{"console", "other"}, "azp": "console"},
			"jane.doe@vendor.example|Jane Doe|sales|/console"},
	} {
		p.token = p.with(tt.changes)
		if a, log := p.signIn(t); a.body != tt.want {
			t.Errorf("%s: %d %s\n%s", tt.name, a.StatusCode, a.body, log)
		}
	}
}

func TestInvalidTokensAreRefused(t *testing.T) {
	p := newRogue(t)
	const identified, verified, role = "We could not verify who you are", "Verify your email address",
		"You do not have access yet"
	changed := func(name string, value any) func(map[string]any) string { return p.with(map[string]any{name: value}) }
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, title string
		token       func(map[string]any) string
	}{
		{"none", identified, func(map[string]any) string { return "" }},
		{"not a token", identified, func(map[string]any) string { return "a.b.c" }},
		{"for another client", identified, changed("aud", "another")},
		{"for nobody", identified, changed("aud", nil)},
		{"issued to another client", identified,
			p.with(map[string]any{"aud": []string{"console", "other"}, "azp": "other"})},
		{"issued to nobody in particular", identified, changed("aud", []string{"console", "other"})},
		{"of another issuer", identified, changed("iss", "https://evil.example")},
		{"of a similar issuer", identified, changed("iss", p.URL+"/")},
		{"expired", identified, changed("exp", time.Date(2018, 3, 1, 8, 59, 59, 0, time.UTC).Unix())},
		{"without an end", identified, changed("exp", nil)},
		{"of the future", identified, changed("nbf", time.Date(2018, 3, 1, 10, 0, 0, 0, time.UTC).Unix())},
		{"of another sign-in", identified, changed("nonce", "x")},
		{"of no sign-in", identified, changed("nonce", nil)},
		{"without an address", identified, changed("email", nil)},
		{"with something else for an address", identified, changed("email", "Jane <jane@vendor.example>")},
		{"with a broken address", identified, changed("email", "jane@vendor.example\r\nBcc: x@evil.example")},
		{"with a long address", identified, changed("email", strings.Repeat("j", 250)+"@vendor.example")},
		{"not verified", verified, changed("email_verified", false)},
		{"not said to be verified", verified, changed("email_verified", nil)},
		{"nearly verified", verified, changed("email_verified", 1)},
		{"without a role", role, changed("cognito:groups", nil)},
		{"with an empty role", role, changed("cognito:groups", []string{""})},
		{"with an unknown role", role, changed("cognito:groups", []string{"root", "SALES", "sales "})},
		{"with roles of another shape", role, changed("cognito:groups", map[string]bool{"admin": true})},
		{"not signed", identified, func(claims map[string]any) string {
			return unsigned(`{"alg":"none"}`, claims) +
				"."
		}},
		{"signed by another", identified,
			func(claims map[string]any) string { return (&rogue{key: other}).sign(claims) }},
		{"altered", identified, func(claims map[string]any) string {
			parts := strings.Split(p.sign(claims), ".")
			claims["cognito:groups"] = "admin"
			return unsigned(`{"alg":"RS256","kid":"1"}`, claims) + "." + parts[2]
		}},
		{"signed with the public key as a secret", identified, func(claims map[string]any) string {
			text := unsigned(`{"alg":"HS256","kid":"1"}`, claims)
			mac := hmac.New(sha256.New, p.key.N.FillBytes(make([]byte, 256)))
			mac.Write([]byte(text))
			return text + "." + b64(mac.Sum(nil))
		}},
		{"that brings its own key", identified, func(claims map[string]any) string {
			header := fmt.Sprintf(`{"alg":"RS256","jwk":{"kty":"RSA","n":%q,"e":%q}}`, b64(other.N.Bytes()),
				b64(big.NewInt(int64(other.E)).Bytes()))
			text := unsigned(header, claims)
			digest := sha256.Sum256([]byte(text))
			signature, err := rsa.SignPKCS1v15(nil, other, crypto.SHA256, digest[:])
			if err != nil {
				panic(err)
			}
			return text + "." + b64(signature)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.token = tt.token
			a, log := p.signIn(t)
			if a.StatusCode != 403 || a.text("h1") != tt.title {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
			if strings.Contains(log, "ane@") || strings.Contains(log, "Doe") ||
				!strings.Contains(log, "sign-in refused") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

func TestProviderFailureDuringSignInIsReported(t *testing.T) {
	p := newRogue(t)
	p.token = p.sign
	for _, path := range []string{"/token", "/keys"} {
		p.down, p.asked = path, 0
		a, log := p.signIn(t)
		if a.StatusCode != 503 || a.text("h1") != "Sign-in is unavailable" || strings.Contains(a.body, "jane") {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
		if p.asked != 1 {
			t.Errorf("%s: the code was sent %d times", path, p.asked)
		}
		if !strings.Contains(log, "level=WARN") || strings.Contains(log, "jane@") {
			t.Errorf("%s: log %s", path, log)
		}
	}
}
