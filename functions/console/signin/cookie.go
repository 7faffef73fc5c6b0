package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// cookie is one of the gate's cookies. Its name is part of the purpose that it is sealed for, so that one cookie
// cannot be passed off as the other.
type cookie string

const (
	sessionCookie cookie = "console"
	attemptCookie cookie = "console-signin"
)

// purpose returns what the cookie is sealed for. It changes with the format of the content: older cookies no longer
// open.
func (c cookie) purpose() string { return "sales console, cookie " + string(c) + ", form 2" }

type cookies struct {
	secure bool // the site is served over https
	keys   func(context.Context) (Keys, error)
}

// name returns the cookie's name in browsers. With the prefix they accept it only from this host, over TLS, for the
// whole site (RFC 6265bis §4.1.3.2), so no other host of the same domain can plant one.
func (c cookies) name(of cookie) string {
	if c.secure {
		return "__Host-" + string(of)
	}
	return string(of)
}

// set seals v into a cookie that the browser keeps for a lifetime.
//
// SameSite is Lax: people return from the provider by a link of another site, and with Strict the browser would
// withhold the cookies at that moment. It sends Lax cookies with such links, which change nothing, but not with
// another site's forms.
func (c cookies) set(ctx context.Context, w http.ResponseWriter, of cookie, v any, life time.Duration) error {
	keys, err := c.keys(ctx)
	if err != nil {
		return err
	}
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false) // "&" in six bytes would make an address too long
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("signin: cookie %s: %w", of, err)
	}
	http.SetCookie(w, c.httpCookie(of, keys.seal(of.purpose(), data.Bytes()), int(life/time.Second)))
	return nil
}

// clear removes the cookie from a browser that has sent it, valid or not.
func (c cookies) clear(w http.ResponseWriter, r *http.Request, of cookie) {
	for _, line := range r.Header["Cookie"] {
		if strings.Contains(line, c.name(of)+"=") {
			http.SetCookie(w, c.httpCookie(of, "", -1))
			return
		}
	}
}

func (c cookies) httpCookie(of cookie, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: c.name(of), Value: value, Path: "/", MaxAge: maxAge,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// read opens the request's cookie into v, and reports whether it could. It fails only if the keys are out of reach.
func (c cookies) read(r *http.Request, of cookie, v any) (bool, error) {
	have, err := r.Cookie(c.name(of))
	if err != nil {
		return false, nil
	}
	keys, err := c.keys(r.Context())
	if err != nil {
		return false, err
	}
	data, err := keys.open(of.purpose(), have.Value)
	return err == nil && json.Unmarshal(data, v) == nil, nil
}
