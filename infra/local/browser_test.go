package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
)

// browser starts the Chromium that CHROMIUM names, with a profile of its own.
func browser(t *testing.T) context.Context {
	t.Helper()
	program := os.Getenv("CHROMIUM")
	if program == "" {
		t.Skip("CHROMIUM names no browser; .ci/run installs one")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1200, 900)); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// stepTime limits each step.
const stepTime = 2 * time.Minute

// act runs actions as one step and names the step if it fails.
func act(t *testing.T, ctx context.Context, step string, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

// see reads something from the page.
func see[T any](t *testing.T, ctx context.Context, what string, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return v
}

// look takes a wide and a narrow screenshot into the folder that SCREENSHOTS names, if any. It fails if the page is
// wider than the narrow window, or if axe-core finds a fault in it.
func look(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	for _, size := range []struct {
		name  string
		width int64
	}{{"wide", 1200}, {"narrow", 360}} {
		act(t, ctx, "sizing the window", chromedp.EmulateViewport(size.width, 900))
		if width := see(t, ctx, "measuring "+name,
			chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); width > size.width {
			t.Errorf("%s: got %d pixels, want at most %d", name, width, size.width)
		}
		if folder := os.Getenv("SCREENSHOTS"); folder != "" {
			picture := see(t, ctx, "looking at "+name, chromedp.FullScreenshot(100))
			if err := os.WriteFile(filepath.Join(folder, name+"-"+size.name+".png"), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	act(t, ctx, "widening the window again", chromedp.EmulateViewport(1200, 900))
	audit(t, ctx, name)
}

// text returns the text of a part of the page.
func text(t *testing.T, ctx context.Context, selector string) string {
	t.Helper()
	return see(t, ctx, "reading "+selector, chromedp.Text(selector))
}

// fileByBrowser files an evaluation request as a customer, confirms it, and leaves its status page open.
func fileByBrowser(t *testing.T, ctx context.Context, env *testEnv) {
	t.Helper()
	act(t, ctx, "opening the form", chromedp.Navigate(env.URL+requestLink), chromedp.WaitVisible(`#serverId`))
	look(t, ctx, "form")
	act(t, ctx, "sending the form with nothing chosen",
		chromedp.SendKeys(`#name`, "Ada Lovelace"),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("form[method=post]").noValidate = true`),
		chromedp.Submit(`#name`), chromedp.WaitVisible(`[aria-invalid=true]`))
	look(t, ctx, "form-refused")
	act(t, ctx, "filling the form",
		chromedp.Click(`input[name=kind][value=evaluation]`),
		chromedp.SendKeys(`#productVersion`, "6.7.1"),
		chromedp.SendKeys(`#email`, "ada@acme.example"),
		chromedp.SendKeys(`#company`, "Acme AG"),
		chromedp.SendKeys(`#country`, "Switzerland"))
	act(t, ctx, "sending the form", chromedp.Submit(`#email`), chromedp.WaitVisible(`#again`))
	look(t, ctx, "status-unconfirmed")
	if page := text(t, ctx, "main"); strings.Contains(page, "Ada Lovelace") {
		t.Errorf("got status page before the request is confirmed:\n%s", page)
	}
	confirmByBrowser(t, ctx, env)
}

// confirmByBrowser follows the link of the only email so far, says that the request is theirs, and leaves its status
// page open.
func confirmByBrowser(t *testing.T, ctx context.Context, env *testEnv) {
	t.Helper()
	mails := env.outbox()
	if len(mails) != 1 || mails[0].Kind != "request-received" || mails[0].To != "ada@acme.example" {
		t.Fatalf("got emails %v, want one to the customer", mails)
	}
	act(t, ctx, "opening the mail", chromedp.Navigate(env.URL+"/_local/outbox/"+mails[0].ID+"/html"),
		chromedp.WaitVisible(`a[href*="confirm="]`))
	// A click opens a new window, as in an email program; the test stays in its own.
	link := see(t, ctx, "the link of the mail", chromedp.AttributeValue(`a[href*="confirm="]`, "href"))
	act(t, ctx, "following the link", chromedp.Navigate(link.Value),
		chromedp.WaitVisible(`input[name=answer][value=yes]`))
	look(t, ctx, "confirm")
	act(t, ctx, "confirming", chromedp.Click(`input[name=answer][value=yes]`),
		chromedp.Click(`form.sheet button[type=submit]`), chromedp.WaitVisible(`.progress`))
	look(t, ctx, "status")
}

func TestCustomerFilesARequestInABrowser(t *testing.T) {
	ctx := browser(t)
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	for name, path := range map[string]string{"home": "/", "edition": "/editions/enterprise", "local": "/_local/",
		"clock": "/_local/clock", "not-found": "/editions/none"} {
		act(t, ctx, "opening "+path, chromedp.Navigate(env.URL+path), chromedp.WaitVisible(`main h1`))
		look(t, ctx, name)
	}
	fileByBrowser(t, ctx, env)
	if page := text(t, ctx, "main"); !strings.Contains(page, "AWHW8w9JtzBzSrmf9GQX") ||
		!strings.Contains(page, "Ada Lovelace") {
		t.Errorf("got status page:\n%s", page)
	}
	mails := env.outbox()
	if len(mails) != 2 {
		t.Fatalf("got emails %v, want two", mails)
	}
	for _, m := range mails {
		act(t, ctx, "opening the mail", chromedp.Navigate(env.URL+"/_local/outbox/"+m.ID+"/html"),
			chromedp.WaitVisible(`h1`))
		look(t, ctx, "mail-"+m.Kind)
	}
}

func TestAcceptingTheTermsShowsDownloads(t *testing.T) {
	ctx := browser(t)
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	link := `a[href*="/downloads/developer-edition-7.1.0"]`
	visible := chromedp.Evaluate[bool](`(() => { const a = document.querySelector('` + link +
		`'); return !!a && a.offsetParent !== null })()`)
	act(t, ctx, "opening the page", chromedp.Navigate(env.URL+"/editions/developer"), chromedp.WaitVisible(`main h1`))
	before := see(t, ctx, "looking for the link", visible)
	act(t, ctx, "accepting the terms", chromedp.Click(`main input[type=checkbox]`))
	after := see(t, ctx, "looking for the link", visible)
	if before || !after {
		t.Errorf("link visible before the terms are accepted: got %v, want false; after: got %v, want true", before,
			after)
	}
}

func TestSearchingWhileTyping(t *testing.T) {
	ctx := browser(t)
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	act(t, ctx, "opening the page", chromedp.Navigate(env.URL+"/editions?sourceEdition=developer"),
		chromedp.WaitVisible(`#q`))
	look(t, ctx, "editions")
	found := func(typed, want string) {
		t.Helper()
		act(t, ctx, "typing "+typed, chromedp.SendKeys(`#q`, typed),
			chromedp.Poll[chromedp.Void](`document.querySelector("#found").textContent.includes("`+want+`")`))
	}
	found("rp", "RPG")
	found("x", "matches “rpx”")
	address := see(t, ctx, "reading the address", chromedp.Evaluate[string](`location.search`))
	if address != "?sourceEdition=developer&q=rpx" {
		t.Errorf("got address %s, want one that finds the same", address)
	}
	act(t, ctx, "emptying the field", chromedp.Evaluate[chromedp.Void](`document.querySelector("#q").value = ""`))
	found("cobol", "Available only with the Enterprise Edition or the Data Center Edition")
	if page := text(t, ctx, "#found"); !strings.Contains(page, "the Developer Edition, does not include it.") {
		t.Errorf("got %s", page)
	}
	look(t, ctx, "editions-found")
}
