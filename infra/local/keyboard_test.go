package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"marketplace/infra/localdata"
)

// keyboard is a person who uses a page without a mouse.
type keyboard struct {
	t   *testing.T
	ctx context.Context
}

// mostTabs is more than anybody should have to press on a page.
const mostTabs = 150

// to presses Tab until an element that the selector matches has the focus, and sees that the page shows where it is.
func (k keyboard) to(selector string) {
	k.t.Helper()
	at := chromedp.Evaluate[bool](`!!document.activeElement && document.activeElement.matches(` +
		"`" + selector + "`" + `)`)
	for range mostTabs {
		if see(k.t, k.ctx, "the focus", at) {
			shown := see(k.t, k.ctx, "the outline", chromedp.Evaluate[bool](`[document.activeElement,
				document.activeElement.closest("label"), document.activeElement.closest(".card, li")].some(e => e &&
				["", "::after"].some(part => {
					const s = getComputedStyle(e, part || null);
					return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;
				}))`))
			if !shown {
				k.t.Errorf("%s: the page does not show that it has the focus", selector)
			}
			return
		}
		k.press(kb.Tab)
	}
	k.t.Fatalf("%s: got no focus in %d steps", selector, mostTabs)
}

func (k keyboard) press(keys string) {
	k.t.Helper()
	act(k.t, k.ctx, "pressing "+keys, chromedp.KeyEvent(keys))
}

// enter types a text into a field.
func (k keyboard) enter(selector, text string) {
	k.t.Helper()
	k.to(selector)
	k.press(text)
}

// choose selects one of several radio buttons.
func (k keyboard) choose(name, value string) {
	k.t.Helper()
	k.to(`input[name="` + name + `"]`)
	chosen := chromedp.Evaluate[bool](`document.querySelector(` + "`" + `input[name="` + name + `"][value="` + value +
		`"]` + "`" + `).checked`)
	k.press(" ")
	for range 12 {
		if see(k.t, k.ctx, "the choice", chosen) {
			return
		}
		k.press(kb.ArrowDown)
	}
	k.t.Fatalf("%s: cannot choose %s", name, value)
}

// open follows the link of the newest email of a kind, which is another program's.
func (k keyboard) open(env *testEnv, kind, link string) {
	k.t.Helper()
	at := ""
	for deadline := time.Now().Add(stepTime); at == ""; {
		for _, m := range env.outbox() {
			if m.Kind == kind {
				at = env.page("/_local/outbox/"+m.ID+"/html").Find(`a[href*="`+link+`"]`).AttrOr("href", "")
			}
		}
		if at == "" && time.Now().After(deadline) {
			k.t.Fatalf("got no email of the kind %s", kind)
		}
	}
	act(k.t, k.ctx, "following the link of the email", chromedp.Navigate(at), chromedp.WaitVisible(`main h1`))
}

func TestKeyboardAloneCompletesARequest(t *testing.T) {
	k := keyboard{t, browser(t)}
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	act(t, k.ctx, "opening the page about server IDs", chromedp.Navigate(env.URL+"/server-id"),
		chromedp.WaitVisible(`#plan`))
	look(t, k.ctx, "server-id")
	k.choose("change", "copied")
	k.to(`#planned`)
	day := time.Now().UTC().AddDate(0, 1, 0)
	k.press(day.Format("01022006")) // as the field's parts follow each other in an American browser
	k.enter(`#serverId`, "AWHW8w9JtzBzSrmf9GQX")
	k.enter(`#edition`, "Developer")
	k.to(`button[name=plan]`)
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the form", chromedp.WaitVisible(`#productVersion`))
	look(t, k.ctx, "form-planned")
	if got := see(t, k.ctx, "the day", chromedp.Value(`#planned`)); got != day.Format(time.DateOnly) {
		t.Errorf("got the day %q, want %s", got, day.Format(time.DateOnly))
	}
	k.choose("environment", "production")
	k.enter(`#ncloc`, "120000")
	k.enter(`#productVersion`, "6.7.1")
	k.enter(`#name`, "Ada Lovelace")
	k.enter(`#email`, "ada@acme.example")
	k.enter(`#company`, "Acme AG")
	k.enter(`#country`, "Switzerland")
	k.to(`form.sheet button[type=submit]`)
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the request's page", chromedp.WaitVisible(`#again`))
	k.open(env, "request-received", "confirm=")
	k.choose("answer", "yes")
	k.to(`form.sheet button[type=submit]`)
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the confirmation", chromedp.WaitVisible(`.progress`))
	look(t, k.ctx, "status-planned")
	if got := text(t, k.ctx, `#planned`); !strings.Contains(got, "Copy the data to a new database") {
		t.Errorf("got %q about the plan", got)
	}
}

func TestKeyboardAloneUsesTheAccount(t *testing.T) {
	k := keyboard{t, browser(t)}
	s, err := Start(t.Context(), Options{Addr: "localhost:0", Data: localdata.Dir(t.TempDir()), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	env := &testEnv{Server: s, t: t}
	act(t, k.ctx, "opening the account", chromedp.Navigate(env.URL+"/account"), chromedp.WaitVisible(`#email`))
	look(t, k.ctx, "account-signin")
	k.enter(`#email`, "reto@graniteworks.example")
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the code", chromedp.WaitVisible(`#code`))
	look(t, k.ctx, "account-code")
	code := strings.ReplaceAll(text(t, k.ctx, `#code`), " ", "")
	k.open(env, "sign-in-link", "/account/signin/")
	k.enter(`input[name=code]`, code)
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the account", chromedp.WaitVisible(`nav[aria-label=Account]`))
	look(t, k.ctx, "account")

	k.to(`main a[href$="/loc"]`)
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the form", chromedp.WaitVisible(`#ncloc`))
	look(t, k.ctx, "account-loc")
	k.enter(`#ncloc`, "430'000")
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the gauge", chromedp.WaitVisible(`.gauge .used`))
	k.to(`main a[href$="/renew"]`)
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the renewal", chromedp.WaitVisible(`#wantedLoc`))
	look(t, k.ctx, "account-renew")
	k.to(`form.sheet button[type=submit]`)
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the request", chromedp.WaitVisible(`#asked-title`))
	look(t, k.ctx, "account-request")
	for name, path := range map[string]string{
		"account-requests": "/account/requests", "account-contacts": "/account/contacts",
		"account-personal-data": "/account/personal-data",
	} {
		k.to(`nav[aria-label=Account] a[href="` + path + `"]`)
		k.press(kb.Enter)
		act(t, k.ctx, "opening "+path, chromedp.WaitVisible(`nav[aria-label=Account] a[href="`+path+`"][aria-current]`))
		look(t, k.ctx, name)
	}
}

func TestKeyboardAloneDownloadsAPackage(t *testing.T) {
	k := keyboard{t, browser(t)}
	cdn := new(brokenCDN)
	siteURL, _ := downloadSite(t, cdn)
	act(t, k.ctx, "opening the page", chromedp.Navigate(siteURL+"/editions/developer"), chromedp.WaitVisible(`#terms`))
	k.to(`#terms`)
	k.press(" ")
	k.to(bigLink)
	k.press(kb.Enter)
	act(t, k.ctx, "waiting for the package", chromedp.WaitVisible(`.transfer[data-state=done]`))
}
