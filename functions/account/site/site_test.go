package site

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"marketplace/functions/account/signin"
	"marketplace/shared/license"
	"marketplace/shared/web"
	"marketplace/shared/web/webtest"
)

func TestTemplatesFitTheirData(t *testing.T) {
	webtest.CheckPages(t, templates, map[string]any{
		"error.html":    web.ErrorView{},
		"overview.html": overviewView{},
		"ask.html":      askView{}, "requests.html": requestsView{}, "request.html": requestView{},
		"loc.html":      locView{},
		"bridge.html":   bridgeView{},
		"contacts.html": contactsView{}, "removecontact.html": removeView{}, "reminders.html": remindersView{},
		"key.html":          keyView{},
		"personaldata.html": personalDataView{},
	})
}

// Every address but those of signing in sends people who are not signed in to sign in, and takes nothing from them.
func TestEveryPageNeedsASession(t *testing.T) {
	e := newTestEnv(t)
	s := &site{}
	for _, route := range s.routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		path = strings.ReplaceAll(path, "{instance}", e.acme.Instances[0].ID)
		answer := webtest.Client{T: t, Site: e.handler}.Do(method, path, "", "Accept", "text/html")
		switch {
		case method == http.MethodPost && answer.StatusCode != http.StatusForbidden:
			t.Errorf("%s: got %d, want 403", route.Pattern, answer.StatusCode)
		case method == http.MethodGet && (answer.StatusCode != http.StatusSeeOther ||
			!strings.HasPrefix(answer.Header.Get("Location"), signin.SignInPath)):
			t.Errorf("%s: got %d to %s", route.Pattern, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
}

func TestContactSeesOnlyWhatTheySpeakFor(t *testing.T) {
	e := newTestEnv(t)
	staging, production := e.instance(e.acme, license.Staging), e.instance(e.acme, license.Production)
	all := open(e.as(ana, e.acme), "/account").WantStatus(200).Body
	if !strings.Contains(all, string(staging.Server())) || !strings.Contains(all, string(production.Server())) {
		t.Error("a contact for everything does not see both installations")
	}
	some := open(e.as(sven, e.acme), "/account").WantStatus(200).Body
	if !strings.Contains(some, string(staging.Server())) || strings.Contains(some, string(production.Server())) {
		t.Error("a contact for staging does not see it alone")
	}
}

func TestSessionEndsWithTheContact(t *testing.T) {
	e := newTestEnv(t)
	open(e.as(bea, e.acme), "/account").WantRedirect(signin.SignInPath) // of another customer
	browser := e.as(ana, e.acme)
	open(browser, "/account").WantStatus(200)
	browser.Send(signin.SignOutPath, url.Values{}).WantRedirect(signin.SignedOutPath)
	open(browser, "/account").WantRedirect(signin.SignInPath)
}
