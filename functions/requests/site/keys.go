package site

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"marketplace/shared/license"
)

// JSONKeys returns a source for Options.Keys that parses a JWK Set on first use.
func JSONKeys(jwks string) func() (license.KeySet, error) {
	return sync.OnceValues(func() (license.KeySet, error) { return license.ParseKeySet([]byte(jwks)) })
}

// licenseKeys serves the public keys of our licenses as a JWK Set, to scripts of any origin. New keys are published
// long before they sign, so caches may keep the answer for an hour.
func (s *site) licenseKeys(w http.ResponseWriter, r *http.Request) error {
	keys, err := s.keys()
	if err != nil {
		return fmt.Errorf("site: license keys: %w", err)
	}
	body, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("site: license keys: %w", err)
	}
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("ETag", etag)
	if matchesETag(r, etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/jwk-set+json")
	_, err = w.Write(body)
	return err
}

// matchesETag reports whether the client already has the response with this ETag (RFC 9110 §13.1.2).
func matchesETag(r *http.Request, etag string) bool {
	for candidate := range strings.SplitSeq(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		if c := strings.TrimPrefix(strings.TrimSpace(candidate), "W/"); c == etag || c == "*" {
			return true
		}
	}
	return false
}
