package site

import (
	"encoding/json"
	"testing"

	"marketplace/shared/license"
)

func TestPublicKeysArePublished(t *testing.T) {
	env := newTestEnv(t)
	a := env.get("/.well-known/license-keys.json", "Origin", "https://elsewhere.example").WantStatus(200)
	keys, err := license.ParseKeySet([]byte(a.Body))
	if err != nil || len(keys) != 2 {
		t.Fatalf("got error %v in %s, want two keys", err, a.Body)
	}
	if v := license.Evaluate(env.issue(nil), license.Instance{Server: serverID, Now: start}, keys); !v.Valid() {
		t.Errorf("license key: got reasons %v, want a valid key", v.Reasons)
	}
	etag := a.Header.Get("ETag")
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "*",
		"Content-Type": "application/jwk-set+json", "Cache-Control": "public, max-age=3600"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for _, match := range []string{etag, `"x", W/` + etag, "*"} {
		again := env.get("/.well-known/license-keys.json", "If-None-Match", match).WantStatus(304)
		if again.Body != "" || again.Header.Get("ETag") != etag ||
			again.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: got headers %v and body %q, want no body", match, again.Header, again.Body)
		}
	}
	env.keys.Keys = env.keys.Keys[:1]
	if rotated := env.get("/.well-known/license-keys.json", "If-None-Match",
		etag).WantStatus(200); rotated.Header.Get("ETag") == etag {
		t.Error("got the same ETag for other keys")
	}
}

func TestJSONKeysParsesTheConfiguration(t *testing.T) {
	env := newTestEnv(t)
	jwks, err := json.Marshal(env.keys.Keys)
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := JSONKeys(string(jwks))(); err != nil || len(keys) != 2 {
		t.Errorf("got %v, %v, want two keys", keys, err)
	}
	if _, err := JSONKeys(`{"keys":[{}]}`)(); err == nil {
		t.Error("invalid key: got no error")
	}
}
