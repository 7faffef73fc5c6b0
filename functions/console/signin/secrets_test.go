package signin

import (
	"context"
	"errors"
	"strings"
	"testing"

	"marketplace/infra/local/devidp"
	"marketplace/shared/session"
)

func TestChangedKeysSignEverybodyOut(t *testing.T) {
	first, second := session.NewKey(), session.NewKey()
	now := fixed(t, first, clientSecret)
	c := newConsole(t, func(o *Options, _ *devidp.Options) {
		o.Secrets = func(ctx context.Context) (Secrets, error) { return now(ctx) }
	})
	b := c.signedIn(t, "Sam Okoye")
	b.stay = true
	for _, tt := range []struct {
		keys string
		want int
	}{{second + "," + first, 200}, {second, 303}} {
		now = fixed(t, tt.keys, clientSecret)
		if a := b.do("GET", c.URL+"/console"); a.StatusCode != tt.want {
			t.Errorf("got %d, want %d", a.StatusCode, tt.want)
		}
	}
}

func TestUnreadableKeysSignNobodyOut(t *testing.T) {
	good := fixed(t, session.NewKey(), clientSecret)
	now := good
	c := newConsole(t, func(o *Options, _ *devidp.Options) {
		o.Secrets = func(ctx context.Context) (Secrets, error) { return now(ctx) }
	})
	b := c.signedIn(t, "Sam Okoye")
	b.stay = true
	now = func(context.Context) (Secrets, error) { return Secrets{}, errors.New("no route to the vault") }
	for _, call := range []string{"GET /console", "POST /console/requests/r1", "POST " + SignOutPath,
		"GET " + CallbackPath + "?code=x&state=y", "GET " + SignInPath} {
		method, path, _ := strings.Cut(call, " ")
		a := b.do(method, c.URL+path)
		if a.StatusCode != 503 || len(a.Cookies()) > 0 || strings.Contains(a.body, "vault") {
			t.Errorf("%s: got %d, the cookies %v and %s", call, a.StatusCode, a.Cookies(), a.body)
		}
	}
	if c.changes != 0 {
		t.Errorf("%d changes", c.changes)
	}
	now = good
	if a := b.do("GET", c.URL+"/console"); a.StatusCode != 200 {
		t.Errorf("with the keys again: got %d, want 200", a.StatusCode)
	}
}

func TestClientWithoutASecretSignsInWithPKCEAlone(t *testing.T) {
	c := newConsole(t, func(o *Options, p *devidp.Options) {
		o.Secrets, p.ClientSecret = fixed(t, session.NewKey(), ""), ""
	})
	c.signedIn(t, "Sam Okoye")
}

func TestChangedClientSecretIsUsedAtTheNextSignIn(t *testing.T) {
	now := fixed(t, session.NewKey(), "another")
	c := newConsole(t, func(o *Options, _ *devidp.Options) {
		o.Secrets = func(ctx context.Context) (Secrets, error) { return now(ctx) }
	})
	b := newBrowser(t)
	if a := b.do("GET", c.answered(t, b).String()); a.StatusCode != 500 {
		t.Fatalf("with another secret: got %d, want 500", a.StatusCode)
	}
	now = fixed(t, session.NewKey(), clientSecret)
	c.signedIn(t, "Sam Okoye")
}

func TestParseSecretsReadsAnObject(t *testing.T) {
	first, second := session.NewKey(), strings.TrimRight(session.NewKey(), "=")
	for text, want := range map[string]string{
		`{"session_keys":"` + first + `","client_secret":"s","hash_key":"h"}`: "s",
		`{"session_keys":"` + second + `, ` + first + `"}`:                    "",
		// As Secrets Manager generates a password of 43 letters and digits.
		`{"client_secret":"","session_keys":"` + strings.Repeat("z", 43) + `"}`: "",
	} {
		if s, err := ParseSecrets(text); err != nil || s.ClientSecret != want || s.Keys.Empty() {
			t.Errorf("got keys %v, %q, %v", !s.Keys.Empty(), s.ClientSecret, err)
		}
	}
	for _, text := range []string{"", "{}", `{"session_keys":7}`, `{"client_secret":"hidden"}`, "hidden",
		`{"session_keys":"hidden"}`} {
		if _, err := ParseSecrets(text); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: got the error %v", text, err)
		}
	}
}
