package lambdahttp

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// originEvent is a GET with more headers, as JSON members.
func originEvent(headers string) []byte {
	return fmt.Appendf(nil, `{"version":"2.0","rawPath":"/","headers":{"host":"h"%s},"requestContext":{"http":`+
		`{"method":"GET","sourceIp":"192.0.2.1","protocol":"HTTP/1.1"},"requestId":"r","stage":"$default"}}`, headers)
}

func TestOnlyTheDistributionIsAdmitted(t *testing.T) {
	old, new := sha256.Sum256([]byte("old key")), sha256.Sum256([]byte("new key"))
	served := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served++
		if len(r.Header["X-Origin-Key"]) > 0 {
			t.Error("the handler sees the key")
		}
	})
	for _, tt := range []struct {
		name, headers string
		keys          OriginKeys
		admitted      bool
	}{
		{"no hashes", ``, nil, true},
		{"no hashes, with a key", `,"x-origin-key":"any"`, nil, true},
		{"no header", ``, OriginKeys{old, new}, false},
		{"an empty header", `,"x-origin-key":""`, OriginKeys{old, new}, false},
		{"another key", `,"x-origin-key":"a key"`, OriginKeys{old, new}, false},
		{"the hash", fmt.Sprintf(`,"x-origin-key":"%x"`, old), OriginKeys{old}, false},
		{"the first key", `,"x-origin-key":"old key"`, OriginKeys{old, new}, true},
		{"the second key", `,"x-origin-key":"new key"`, OriginKeys{old, new}, true},
		{"another spelling", `,"X-Origin-Key":"new key"`, OriginKeys{old, new}, true},
		{"a key taken away", `,"x-origin-key":"old key"`, OriginKeys{new}, false},
		{"both keys in one header", `,"x-origin-key":"old key,new key"`, OriginKeys{old, new}, false},
	} {
		served = 0
		payload, err := New(handler, nil).Behind(tt.keys).Invoke(t.Context(), originEvent(tt.headers))
		if err != nil {
			t.Fatal(err)
		}
		refused := strings.HasPrefix(string(payload), `{"statusCode":403,`) &&
			strings.Contains(string(payload), `"access-control-allow-origin":"*"`)
		if (served == 1) != tt.admitted || refused == tt.admitted {
			t.Errorf("%s: served %d times: %s", tt.name, served, payload)
		}
	}
}

func TestHashOfNothingAdmitsNobody(t *testing.T) {
	e, err := ParseEvent(originEvent(``))
	if err != nil {
		t.Fatal(err)
	}
	if (OriginKeys{sha256.Sum256(nil)}).Admit(e) {
		t.Error("a request without the header is admitted by the hash of an empty key")
	}
}
