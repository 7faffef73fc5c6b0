package main

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
)

// TestSaleInABrowser is the whole story: a customer files an evaluation request from a link with a server ID, and
// confirms it by the link of an email. Sales signs in, opens it and issues the license. The email arrives with the key,
// the key passes the check page, and the status page says issued.
func TestSaleInABrowser(t *testing.T) {
	ctx := browser(t)
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	fileByBrowser(t, ctx, env)
	status := see(t, ctx, "the address of the status page", chromedp.Location())

	act(t, ctx, "opening the console", chromedp.Navigate(env.URL+"/console"),
		chromedp.WaitVisible(`a[href*="person=sam"]`))
	look(t, ctx, "people")
	act(t, ctx, "signing in", chromedp.Click(`a[href*="person=sam"]`),
		chromedp.WaitVisible(`a[href^="/console/requests/"]`))
	look(t, ctx, "queue")
	act(t, ctx, "opening the request", chromedp.Click(`a[href^="/console/requests/"]`),
		chromedp.WaitVisible(`a[href$="/issue"]`))
	look(t, ctx, "request")
	act(t, ctx, "opening the generator", chromedp.Click(`a[href$="/issue"]`),
		chromedp.WaitVisible(`.send button[value=review]`))
	look(t, ctx, "generator")
	act(t, ctx, "reviewing", chromedp.Click(`.send button[value=review]`), chromedp.WaitVisible(`button[value=issue]`))
	look(t, ctx, "review")
	act(t, ctx, "issuing", chromedp.Click(`button[value=issue]`), chromedp.WaitVisible(`form[action$="/send-key"]`))
	look(t, ctx, "license")

	key := keyInTheMail(t, env)
	act(t, ctx, "opening the key check", chromedp.Navigate(env.URL+"/licenses/check"), chromedp.WaitVisible(`#key`))
	act(t, ctx, "checking the key",
		chromedp.SetValue(`#key`, "> "+key[:70]+"\n> "+key[70:]), // as quoted in a reply
		chromedp.SetValue(`#serverId`, "AWHW8w9JtzBzSrmf9GQX"),
		chromedp.Submit(`#key`), chromedp.WaitVisible(`#result`))
	look(t, ctx, "check")
	if result := text(t, ctx, "main"); !strings.Contains(text(t, ctx, "#result"), "valid") ||
		!strings.Contains(result, "Acme AG") || !strings.Contains(result, "Developer Edition") {
		t.Errorf("got check page:\n%s", result)
	}

	act(t, ctx, "opening the status page", chromedp.Navigate(status), chromedp.WaitVisible(`.progress`))
	look(t, ctx, "status-issued")
	if page := strings.ToLower(text(t, ctx, "main")); !strings.Contains(page, "issued") {
		t.Errorf("got status page:\n%s", page)
	}
	for path, name := range map[string]string{
		"/console/overview": "overview", "/console/licenses": "licenses", "/console/export": "export",
		"/console/search?q=acme": "search", "/console/licenses/new": "generator-empty",
	} {
		act(t, ctx, "opening "+path, chromedp.Navigate(env.URL+path), chromedp.WaitVisible(`main h1`))
		look(t, ctx, name)
	}
}

// keyInTheMail returns the license key from the text and the attachment of the email to the customer.
func keyInTheMail(t *testing.T, env *testEnv) (key string) {
	t.Helper()
	for _, m := range env.outbox() {
		if m.Kind != "license-key" {
			continue
		}
		if m.To != "ada@acme.example" {
			t.Errorf("got the key sent to %s, want ada@acme.example", m.To)
		}
		page := env.page("/_local/outbox/" + url.PathEscape(m.ID))
		page.Find(`a[href*="/attachments/"]`).Each(func(_ int, a *goquery.Selection) {
			if strings.HasSuffix(a.Text(), ".txt") {
				key = strings.TrimSpace(env.get(a.AttrOr("href", ""), 200))
			}
		})
		if body := page.Find("pre.mail").Text(); key == "" || !strings.Contains(squeezed(body), key) {
			t.Fatalf("got %q in the attachment and another key in the email:\n%s", key, body)
		}
	}
	if key == "" {
		t.Fatalf("got no email with a key: %v", env.outbox())
	}
	return key
}

var space = regexp.MustCompile(`\s+`)

func squeezed(s string) string { return space.ReplaceAllString(s, "") }
