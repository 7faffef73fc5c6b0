package main

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// onlyHere answers requests that name this machine or the host of siteURL. A page of any site can have its own name
// lead to this machine (DNS rebinding); its scripts would read the license keys in the outbox.
func onlyHere(siteURL string, h http.Handler) http.Handler {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if u, err := url.Parse(siteURL); err == nil && u.Hostname() != "" {
		hosts = append(hosts, strings.ToLower(u.Hostname()))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(hosts, hostName(r.Host)) {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(http.StatusMisdirectedRequest)
		w.Write([]byte(`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Wrong host</title></head>
<body><main><h1>Wrong host</h1>
<p>The local server answers only at localhost and at the host of SITE_URL.
To use another name, start the server with SITE_URL set to its address.</p></main></body></html>
`))
	})
}

// hostName returns the name in a Host header, in lower case, without port and brackets.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
}
