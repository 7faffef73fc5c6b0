package signin

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"marketplace/infra/local/devidp"
)

// A real browser knows what a client with a cookie jar does not: which cookies come along from another site, where
// forms may lead, what a reloaded page sends.

// tab is a tab in the browser that CHROMIUM names.
type tab struct {
	context.Context
	t *testing.T
}

type step = chromedp.Action[chromedp.Void]

func newTab(t *testing.T) tab {
	t.Helper()
	program := os.Getenv("CHROMIUM")
	if program == "" {
		t.Skip("CHROMIUM names no browser; .ci/run installs one")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true)))
	t.Cleanup(cancel)
	b := tab{ctx, t}
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this context
		t.Fatalf("starting %s: %v", program, err)
	}
	return b
}

// act does what a person does, and says what failed where.
func (b tab) act(what string, steps ...step) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		address, _ := chromedp.Run(b, chromedp.Location())
		page, _ := chromedp.Run(b, chromedp.Evaluate[string]("document.body.innerText"))
		b.t.Fatalf("%s: %v; at %s: %s", what, err, address, page)
	}
}

// send submits a form from the current page, under its policy.
func send(method, path string) step {
	return run(fmt.Sprintf(`const f = document.createElement("form");
		f.method = %q; f.action = %q; document.body.append(f); f.submit()`, method, path))
}

func run(script string) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool]("(() => {"+script+"; return true})()")(ctx, t)
		return err
	})
}

// shown waits for words on the page.
func shown(words string) step {
	return chromedp.WaitVisible(chromedp.Search(fmt.Sprintf(`//body//*[contains(text(), %q)]`, words)))
}

func chosen(name string) step {
	return chromedp.Click(chromedp.Search(fmt.Sprintf(`//a[text()=%q]`, name)))
}

// look saves screenshots of the page, wide and narrow, in the folder SCREENSHOTS, if set. A page that is wider than a
// narrow window fails the test.
func (b tab) look(name string) {
	b.t.Helper()
	for window, width := range map[string]int64{"wide": 1200, "narrow": 360} {
		b.act("looking at "+name, chromedp.EmulateViewport(width, 900))
		needed, err := chromedp.Run(b, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
		if err != nil {
			b.t.Fatal(err)
		}
		if needed > width {
			b.t.Errorf("%s is %d pixels wide in a window of %d", name, needed, width)
		}
		if folder := os.Getenv("SCREENSHOTS"); folder != "" {
			picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
			if err != nil {
				b.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, name+"-"+window+".png"), picture, 0o644); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}

func TestInABrowserWithTheProviderOnAnotherSite(t *testing.T) {
	b := newTab(t)
	c := newConsole(t, func(o *Options, p *devidp.Options) {
		o.Issuer = strings.Replace(o.Issuer, "127.0.0.1", "localhost", 1)
		p.Issuer = o.Issuer
	})
	b.act("opening a page", chromedp.Navigate(c.URL+"/console/requests/r1"), shown("Sign in as…"))
	b.look("people")
	b.act("cancelling", chosen("Cancel"), shown("You cancelled on the sign-in page"))
	b.look("cancelled")
	b.act("signing in", chosen("Sign in"), shown("Sign in as…"), chosen("Sam Okoye"),
		shown("|Sam Okoye|sales|/console/requests/r1"))
	b.act("changing something", send("post", "/console/requests/r1"), shown("|Sam Okoye|"))

	c.move(2 * time.Hour)
	b.act("changing something after the session", send("post", "/console/requests/r1"),
		shown("You are no longer signed in"))
	b.look("no-session")
	if c.changes != 1 {
		t.Errorf("%d changes", c.changes)
	}
	opened := chromedp.WaitNewTarget(b, func(*target.Info) bool { return true })
	b.act("opening another tab", chosen("Sign in in a new tab"))
	ctx, cancel := chromedp.NewContext(b, chromedp.WithTargetID(<-opened))
	defer cancel()
	tab{ctx, t}.act("signing in there", shown("Sign in as…"), chosen("Sam Okoye"), shown("|Sam Okoye|"))
	b.act("reloading the page", chromedp.Reload(), shown("|Sam Okoye|sales|/console/requests/r1"))
	if c.changes != 2 {
		t.Errorf("reloaded: %d changes", c.changes)
	}

	c.move(2 * time.Hour)
	b.act("searching after the session", chromedp.Navigate(c.URL+SignedOutPath), send("get", "/console"),
		shown("Sign in as…"),
		chosen("Vera Vogel"), shown("|Vera Vogel|viewer|"))
	b.act("changing something without the role", send("post", "/console/requests/r1"),
		shown("Your role does not allow this"))
	b.look("role-too-low")
	b.act("signing out", send("post", SignOutPath), shown("You are signed out"))
	b.look("signed-out")
	b.act("coming back", chromedp.Navigate(c.URL+"/console"), shown("Sign in as…"), chosen("Nico Neumann"),
		shown("You do not have access yet"))
	b.look("no-role")
	b.act("being someone else", chromedp.Click(chromedp.CSS("main form button")),
		shown("Sign in again to return to the console"), chosen("Sign in"),
		shown("Sign in as…"), chosen("Ada Brandt"), shown("|Ada Brandt|admin|/console"))
}
