package main

import (
	"strings"
	"sync"
	"time"
)

// route is a route of the HTTP API.
type route struct {
	key          string // as API Gateway writes it: POST /request/{edition}, or $default
	method, path string // ANY is every method; the path of $default is ""
	function     string // logical ID
	limit        *limit
}

// match compares a request with the route. rank grows with how exactly they match: API Gateway prefers texts to
// variables, variables to a greedy one, $default comes last, and a method is preferred to ANY (its guide, "Routes for
// HTTP APIs").
func (r route) match(method, path string) (rank string, ok bool) {
	if r.path == "" {
		return "", true
	}
	if r.method != "ANY" && r.method != method {
		return "", false
	}
	want, got := strings.Split(r.path, "/"), strings.Split(path, "/")
	for i, segment := range want {
		switch {
		case strings.HasSuffix(segment, "+}"):
			if len(got) <= i || strings.Join(got[i:], "/") == "" {
				return "", false
			}
			return rank + "1" + tie(r.method), true
		case i >= len(got):
			return "", false
		case strings.HasPrefix(segment, "{"):
			if got[i] == "" {
				return "", false
			}
			rank += "2"
		case segment == got[i]:
			rank += "3"
		default:
			return "", false
		}
	}
	return rank + tie(r.method), len(want) == len(got)
}

func tie(method string) string {
	if method == "ANY" {
		return "1"
	}
	return "2"
}

// limit throttles requests with a bucket of tokens, as API Gateway does.
type limit struct {
	rate, burst float64 // a second, and at once

	mu     sync.Mutex
	tokens float64
	filled time.Time
}

// take reports whether a request may pass at a time.
func (l *limit) take(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.filled.IsZero() {
		l.tokens = l.burst
	} else if passed := now.Sub(l.filled); passed > 0 {
		l.tokens = min(l.burst, l.tokens+passed.Seconds()*l.rate)
	}
	l.filled = now
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}
