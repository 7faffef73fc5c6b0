package devidp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// choice is a person on the page with the link that signs in.
type choice struct {
	Person
	Href string
}

// chooseView is the data of choose.html.
type chooseView struct {
	Choices []choice
	Cancel  string // the address that declines
}

// authorize implements RFC 6749 §4.1.1 with RFC 7636. The links of its page are the same address with the parameter
// "person" or "cancel", and those redirect to the client.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	switch {
	case q.Get("client_id") != p.ClientID:
		return fault.New(fault.Invalid, "Unknown client_id. Start from the sales console.")
	case q.Get("redirect_uri") != p.RedirectURI:
		return fault.New(fault.Invalid, "We did not redirect you: redirect_uri must be exactly %s.", p.RedirectURI)
	}
	if code := authorizeError(q); code != "" {
		return p.redirect(w, r, url.Values{"error": {code}, "state": q["state"]})
	}
	if q.Has("cancel") {
		return p.redirect(w, r, url.Values{"error": {"access_denied"}, "state": q["state"]})
	}
	if q.Has("person") {
		person, ok := p.personByEmail(q.Get("person"))
		if !ok {
			return fault.New(fault.NotFound, "No person has this email address.")
		}
		code := p.codes.issue(grant{person: person, challenge: q.Get("code_challenge"), nonce: q.Get("nonce"),
			redirectURI: p.RedirectURI})
		return p.redirect(w, r, url.Values{"code": {code}, "state": q["state"]})
	}
	view := chooseView{Cancel: p.withParameter(q, "cancel", "yes")}
	for _, person := range p.People {
		view.Choices = append(view.Choices, choice{person, p.withParameter(q, "person", person.Email)})
	}
	return p.pages.Render(w, http.StatusOK, "choose.html", web.View{Title: "Sign in as…", Private: true, Data: view})
}

// authorizeError returns the error code for an invalid request (RFC 6749 §4.1.2.1, RFC 7636 §4.4.1), or "".
func authorizeError(q url.Values) string {
	for _, values := range q {
		if len(values) > 1 {
			return "invalid_request"
		}
	}
	switch {
	case q.Get("response_type") != "code":
		return "unsupported_response_type"
	case !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		return "invalid_scope"
	case q.Get("code_challenge") == "", q.Get("code_challenge_method") != "S256":
		return "invalid_request"
	}
	return ""
}

// redirect redirects to the client.
func (p *provider) redirect(w http.ResponseWriter, r *http.Request, answer url.Values) error {
	http.Redirect(w, r, p.RedirectURI+"?"+answer.Encode(), http.StatusSeeOther)
	return nil
}

// withParameter returns the page's own address with one more parameter.
func (p *provider) withParameter(q url.Values, name, value string) string {
	more := url.Values{name: {value}}
	for name, values := range q {
		more[name] = values
	}
	return p.path + "/authorize?" + more.Encode()
}

// signOut implements RP-Initiated Logout §2. There is no session to end, since the page always asks.
func (p *provider) signOut(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if q.Get("client_id") != p.ClientID || q.Get("post_logout_redirect_uri") != p.SignedOutURI {
		return fault.New(fault.Invalid,
			"You are signed out. We did not redirect you: post_logout_redirect_uri must be exactly %s.", p.SignedOutURI)
	}
	http.Redirect(w, r, p.SignedOutURI, http.StatusSeeOther)
	return nil
}
