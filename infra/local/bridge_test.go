package main

import (
	"log/slog"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"marketplace/infra/localdata"
	"marketplace/shared/license"
)

// TestContactGetsABridgeKeyWithoutStaff goes from signing in to the key in the mailbox, and has the key checked for the
// new server by the public page.
func TestContactGetsABridgeKeyWithoutStaff(t *testing.T) {
	data := localdata.Dir(t.TempDir())
	s, err := Start(t.Context(), Options{Addr: "localhost:0", Data: data, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	env := &testEnv{Server: s, t: t}
	if env.client.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}

	begun := time.Now()
	env.postForm("/account/signin", url.Values{"email": {"reto@graniteworks.example"}})
	code := strings.ReplaceAll(env.page("/account/signin/sent").Find("#code").Text(), " ", "")
	link := env.page("/_local/outbox/"+env.awaits("sign-in-link").ID+"/html").Find(`a[href*="/account/signin/"]`).
		AttrOr("href", "")
	env.postForm(strings.TrimPrefix(link, env.URL), url.Values{"code": {code}})
	at := env.page("/account").Find(`main a[href$="/bridge"]`).AttrOr("href", "")

	const server = "BF41A1F2-AWmovedmovedmoved001"
	env.postForm(at, url.Values{"serverId": {server}, "oldServer": {"stopped"}})
	m := env.awaits("license-key")
	if took := time.Since(begun); took > time.Minute || !strings.Contains(m.To, "reto@graniteworks.example") {
		t.Errorf("the key took %s to %s", took, m.To)
	}
	issued, err := s.store.License(t.Context(), m.About)
	if err != nil {
		t.Fatal(err)
	}
	key := issued.License.KeyText
	if !strings.Contains(env.page("/_local/outbox/"+m.ID+"/html").Text(), key) {
		t.Error("the email does not have the key")
	}
	issuer, err := data.Issuer()
	if err != nil {
		t.Fatal(err)
	}
	verdict := license.Evaluate(key, license.Instance{Server: server, Now: time.Now()}, issuer.Keys)
	if !verdict.Valid() || verdict.Key.Kid != "local-bridge" || verdict.Warnings[0].Code != license.BridgeKey {
		t.Errorf("got %+v", verdict)
	}
	_, page := env.postForm("/licenses/check", url.Values{"key": {key}, "serverId": {server}})
	if !strings.Contains(page, "This is a bridge key.") {
		t.Error("the key check does not say that it is a bridge key")
	}
	if got := env.page(at).Find("#bridge-issued").Text(); !strings.Contains(got, server) {
		t.Errorf("the account says %q", got)
	}
}

// awaits returns the newest email of a kind, as soon as there is one.
func (env *testEnv) awaits(kind string) outboxMail {
	env.t.Helper()
	for deadline := time.Now().Add(stepTime); time.Now().Before(deadline); {
		for _, m := range env.outbox() {
			if m.Kind == kind {
				return m
			}
		}
	}
	env.t.Fatalf("got no email of the kind %s", kind)
	return outboxMail{}
}
