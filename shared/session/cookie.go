package session

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Cookies are a site's sealed cookies. The name of a cookie is part of the purpose that it is sealed for, so that one
// cookie cannot be passed off as another, nor as one of another site with the same keys.
type Cookies struct {
	Secure bool // the site is served over https
	// Keys returns the keys of the moment. What it fails with is answered as it is.
	Keys func(context.Context) (Keys, error)
	// Site names the site, such as "sales console", with the form of the content: once it changes, older cookies no
	// longer open.
	Site, Form string
}

func (c Cookies) purpose(name string) string { return c.Site + ", cookie " + name + ", form " + c.Form }

// Name returns the cookie's name in browsers. With the prefix they accept it only from this host, over TLS, for the
// whole site (RFC 6265bis §4.1.3.2), so no other host of the same domain can plant one.
func (c Cookies) Name(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

// Set seals v into a cookie that the browser keeps for a lifetime.
//
// SameSite is Lax: people arrive by a link of another site, such as that of an identity provider or of a mail program,
// and with Strict the browser would withhold the cookies at that moment. It sends Lax cookies with such links, which
// change nothing, but not with another site's forms.
func (c Cookies) Set(ctx context.Context, w http.ResponseWriter, name string, v any, life time.Duration) error {
	keys, err := c.Keys(ctx)
	if err != nil {
		return err
	}
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false) // "&" in six bytes would make an address too long
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("session: cookie %s: %w", name, err)
	}
	http.SetCookie(w, c.httpCookie(name, keys.Seal(c.purpose(name), data.Bytes()), int(life/time.Second)))
	return nil
}

// Clear removes the cookie from a browser that has sent it, valid or not.
func (c Cookies) Clear(w http.ResponseWriter, r *http.Request, name string) {
	for _, line := range r.Header["Cookie"] {
		if strings.Contains(line, c.Name(name)+"=") {
			http.SetCookie(w, c.httpCookie(name, "", -1))
			return
		}
	}
}

func (c Cookies) httpCookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: c.Name(name), Value: value, Path: "/", MaxAge: maxAge,
		Secure: c.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// Read opens the request's cookie into v, and reports whether it could. It fails only if the keys are out of reach.
func (c Cookies) Read(r *http.Request, name string, v any) (bool, error) {
	have, err := r.Cookie(c.Name(name))
	if err != nil {
		return false, nil
	}
	keys, err := c.Keys(r.Context())
	if err != nil {
		return false, err
	}
	data, err := keys.Open(c.purpose(name), have.Value)
	return err == nil && json.Unmarshal(data, v) == nil, nil
}
