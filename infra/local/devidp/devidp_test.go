package devidp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/coreos/go-oidc/v3/oidc"

	"marketplace/infra/local/frame"
	"marketplace/shared/web"
	"marketplace/shared/web/webtest"
)

const (
	issuer   = "http://localhost:8080" + Path
	callback = "http://localhost:8080/console/callback"
	verifier = "a-verifier-of-at-least-43-characters-as-rfc7636-asks"
)

type testEnv struct {
	http.Handler
	now time.Time
}

func newTestEnv(t *testing.T) *testEnv {
	t.Helper()
	env := &testEnv{now: time.Date(2018, 3, 1, 9, 0, 0, 0, time.UTC)}
	h, err := New(Options{
		Issuer: issuer, ClientID: "console", ClientSecret: "s3cret", RedirectURI: callback,
		SignedOutURI: "http://localhost:8080/out",
		People:       SamplePeople(), Now: func() time.Time { return env.now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	env.Handler = h
	return env
}

func (env *testEnv) do(r *http.Request) *http.Response {
	rec := httptest.NewRecorder()
	env.ServeHTTP(rec, r)
	return rec.Result()
}

func (env *testEnv) get(target string) *http.Response {
	return env.do(httptest.NewRequest("GET", target, nil))
}

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// authorizeURL returns an authorization request of the console with some parameters changed; "" removes one.
func authorizeURL(changes ...string) string {
	q := url.Values{
		"client_id": {"console"}, "redirect_uri": {callback}, "response_type": {"code"},
		"scope": {"openid email profile"}, "state": {"a&b"}, "nonce": {"n"},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if q.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			q.Del(changes[i])
		}
	}
	return Path + "/authorize?" + q.Encode()
}

// code signs a person in and returns the code.
func (env *testEnv) code(t *testing.T) string {
	t.Helper()
	to, err := env.get(authorizeURL("person", "sam@vendor.example")).Location()
	if err != nil || to.Query().Get("state") != "a&b" || to.Query().Get("code") == "" ||
		!strings.HasPrefix(to.String(), callback+"?") {
		t.Fatalf("got redirect to %s, %v, want a code at the callback", to, err)
	}
	return to.Query().Get("code")
}

// exchange exchanges a code with some form fields changed.
func (env *testEnv) exchange(code string, changes ...string) (int, map[string]any) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback},
		"code_verifier": {verifier}}
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	r := httptest.NewRequest("POST", Path+"/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !form.Has("client_id") {
		r.SetBasicAuth("console", "s3cret")
	}
	res := env.do(r)
	var said map[string]any
	_ = json.NewDecoder(res.Body).Decode(&said)
	return res.StatusCode, said
}

func TestPageOffersEveryPerson(t *testing.T) {
	res := newTestEnv(t).get(authorizeURL())
	page, err := goquery.NewDocumentFromReader(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("got status %d, %v, want 200", res.StatusCode, err)
	}
	cards := page.Find("main .card")
	if cards.Length() != len(SamplePeople()) {
		t.Errorf("got %d people, want %d", cards.Length(), len(SamplePeople()))
	}
	for i, person := range SamplePeople() {
		card := cards.Eq(i)
		href, _ := card.Find("a").Attr("href")
		to, err := url.Parse(href)
		if err != nil || to.Path != Path+"/authorize" || to.Query().Get("person") != person.Email ||
			to.Query().Get("state") != "a&b" {
			t.Errorf("%s: got link %q", person.Name, href)
		}
		if card.Find("a").Text() != person.Name || card.Find(".badge").Text() != person.Roles() ||
			!strings.Contains(card.Text(), person.Email) {
			t.Errorf("%s: got card %s", person.Name, card.Text())
		}
	}
}

func TestInvalidAuthorizationRequests(t *testing.T) {
	env := newTestEnv(t)
	for _, tt := range []struct {
		name, target string
		want         string // the error that is led back; "" for a page that leads nowhere
	}{
		{"another client", authorizeURL("client_id", "x"), ""},
		{"no client", authorizeURL("client_id", ""), ""},
		{"another redirect address", authorizeURL("redirect_uri", "https://evil.example/"), ""},
		{"a longer one", authorizeURL("redirect_uri", callback+"/x"), ""},
		{"one with a query", authorizeURL("redirect_uri", callback+"?a=b"), ""},
		{"a shorter one", authorizeURL("redirect_uri", callback[:len(callback)-1]), ""},
		{"another response type", authorizeURL("response_type", "token"), "unsupported_response_type"},
		{"no openid", authorizeURL("scope", "email openidx"), "invalid_scope"},
		{"no PKCE", authorizeURL("code_challenge", ""), "invalid_request"},
		{"plain PKCE", authorizeURL("code_challenge_method", "plain"), "invalid_request"},
		{"no method of PKCE", authorizeURL("code_challenge_method", ""), "invalid_request"},
		{"a parameter twice", authorizeURL() + "&nonce=m", "invalid_request"},
		{"cancelled", authorizeURL("cancel", "yes"), "access_denied"},
	} {
		for _, target := range []string{tt.target, tt.target + "&person=ada%40vendor.example"} {
			res := env.get(target)
			if tt.want == "" {
				if res.StatusCode != 400 || res.Header.Get("Location") != "" {
					t.Errorf("%s: got %d to %q, want 400 and no redirect", tt.name, res.StatusCode,
						res.Header.Get("Location"))
				}
				continue
			}
			to, err := res.Location()
			if err != nil || !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("error") != tt.want ||
				to.Query().Get("state") != "a&b" || to.Query().Has("code") {
				t.Errorf("%s: got %d to %s, want error %s", tt.name, res.StatusCode, to, tt.want)
			}
		}
	}
	if res := env.get(authorizeURL("person", "nobody@vendor.example")); res.StatusCode != 404 {
		t.Errorf("unknown person: got %d, want 404", res.StatusCode)
	}
}

func TestTokenPassesTheClientsVerifier(t *testing.T) {
	env := newTestEnv(t)
	status, said := env.exchange(env.code(t))
	if status != 200 || said["token_type"] != "Bearer" || said["access_token"] == "" {
		t.Fatalf("got %d %v, want tokens", status, said)
	}
	server := httptest.NewServer(env)
	defer server.Close()
	keys := oidc.NewRemoteKeySet(t.Context(), server.URL+Path+"/keys")
	v := oidc.NewVerifier(issuer, keys,
		&oidc.Config{ClientID: "console", SupportedSigningAlgs: []string{"ES256"},
			Now: func() time.Time { return env.now }})
	token, err := v.Verify(t.Context(), said["id_token"].(string))
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Email    string   `json:"email"`
		Verified bool     `json:"email_verified"`
		Name     string   `json:"name"`
		Groups   []string `json:"cognito:groups"`
	}
	if err := token.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%v %s %v", claims, token.Nonce,
		token.Expiry.Sub(token.IssuedAt)); got != "{sam@vendor.example true Sam Okoye [sales]} n 5m0s" {
		t.Error(got)
	}
}

func TestCodeWorksOnceForItsClient(t *testing.T) {
	env := newTestEnv(t)
	for _, tt := range []struct {
		name    string
		changes []string
		status  int
		want    string
	}{
		{"another verifier", []string{"code_verifier", "x"}, 400, "invalid_grant"},
		{"no verifier", []string{"code_verifier", ""}, 400, "invalid_grant"},
		{"the challenge for a verifier", []string{"code_verifier", challenge()}, 400, "invalid_grant"},
		{"another redirect address", []string{"redirect_uri", callback + "/"}, 400, "invalid_grant"},
		{"another code", []string{"code", "x"}, 400, "invalid_grant"},
		{"another kind of grant", []string{"grant_type", "password"}, 400, "unsupported_grant_type"},
		{"another secret", []string{"client_id", "console", "client_secret", "x"}, 401, "invalid_client"},
		{"no secret", []string{"client_id", "console"}, 401, "invalid_client"},
		{"another client", []string{"client_id", "x", "client_secret", "s3cret"}, 401, "invalid_client"},
		{"the secret in the form", []string{"client_id", "console", "client_secret", "s3cret"}, 200, ""},
	} {
		if status, said := env.exchange(env.code(t), tt.changes...); status != tt.status || tt.want != "" &&
			said["error"] != tt.want {
			t.Errorf("%s: got %d %v", tt.name, status, said)
		}
	}
	code := env.code(t)
	if status, _ := env.exchange(code, "code_verifier", "x"); status != 400 {
		t.Errorf("wrong secret: got %d", status)
	}
	if status, _ := env.exchange(code); status != 400 {
		t.Errorf("after a wrong secret: got %d", status)
	}
	code = env.code(t)
	if status, _ := env.exchange(code); status != 200 {
		t.Errorf("first use: got %d, want 200", status)
	}
	if status, _ := env.exchange(code); status != 400 {
		t.Errorf("second use: got %d, want 400", status)
	}
	code = env.code(t)
	env.now = env.now.Add(codeLife)
	if status, _ := env.exchange(code); status != 400 {
		t.Errorf("late use: got %d, want 400", status)
	}
}

func TestSignOutRedirectsOnlyToTheClient(t *testing.T) {
	env := newTestEnv(t)
	for query, want := range map[string]int{
		"client_id=console&post_logout_redirect_uri=" + url.QueryEscape("http://localhost:8080/out"):   303,
		"client_id=console&post_logout_redirect_uri=" + url.QueryEscape("http://localhost:8080/out/x"): 400,
		"client_id=console&post_logout_redirect_uri=" + url.QueryEscape("https://evil.example"):        400,
		"client_id=x&post_logout_redirect_uri=" + url.QueryEscape("http://localhost:8080/out"):         400,
		"": 400,
	} {
		if res := env.get(Path + "/signout?" + query); res.StatusCode != want {
			t.Errorf("%s: got %d, want %d", query, res.StatusCode, want)
		}
	}
}

func TestTemplatesMatchTheirData(t *testing.T) {
	webtest.CheckPages(t, web.Layers{templates, frame.Templates}, map[string]any{"choose.html": chooseView{}, "error.html": web.ErrorView{}})
}
