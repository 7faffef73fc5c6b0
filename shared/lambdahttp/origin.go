package lambdahttp

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"marketplace/shared/response"
)

// originHeader is where the distribution shows its key. Handlers never see it.
const originHeader = "X-Origin-Key"

// OriginKeys are the SHA-256 hashes of the keys by which a function knows its distribution, which adds one of them to
// every request. Requests without one have gone around it, and around its limits. Two hashes let a key be replaced;
// none admit everybody. A key needs 128 random bits, since the hashes are no secret.
type OriginKeys [][sha256.Size]byte

// Admit reports whether an event came through the distribution.
func (k OriginKeys) Admit(e *Event) bool {
	if len(k) == 0 {
		return true
	}
	key := e.Header("x-origin-key")
	if key == "" {
		return false
	}
	sum := sha256.Sum256([]byte(key))
	found := 0
	for i := range k {
		found |= subtle.ConstantTimeCompare(sum[:], k[i][:])
	}
	return found == 1
}

// Refusal is the encoded response to an event that is not admitted. Scripts of any origin may read it, as all responses
// of the catalog.
func (k OriginKeys) Refusal(e *Event) []byte {
	payload, _ := Record(e.Method, func(w http.ResponseWriter) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cache-Control", "no-store")
		response.NewProblem(http.StatusForbidden, "This address is not for browsers. Use the address of the site.").
			Write(w)
	})
	return payload
}

// Behind makes h refuse events that did not come through the distribution with one of the keys, and returns it.
func (h *Handler) Behind(keys OriginKeys) *Handler {
	h.origin = keys
	return h
}
