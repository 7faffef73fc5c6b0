package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOnlyThisMachineAndTheSiteAreAnswered(t *testing.T) {
	h := onlyHere("https://licenses.example.com:8443", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("a license key"))
	}))
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "LOCALHOST:8080": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "[::1]": 200,
		"licenses.example.com": 200, "licenses.example.com:8443": 200,
		"evil.example": 421, "evil.example:8080": 421, "localhost.evil.example": 421, "127.0.0.1.nip.example:8080": 421,
		"licenses.example.com.evil.example": 421, "": 421, "192.168.1.5:8080": 421,
	} {
		for _, path := range []string{"/", "/_local/outbox.json", "/console", "/_idp/authorize"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want || (want == 421) == strings.Contains(w.Body.String(), "key") {
				t.Errorf("%s of %q: got %d %s, want %d", path, host, w.Code, w.Body, want)
			}
		}
	}
}
