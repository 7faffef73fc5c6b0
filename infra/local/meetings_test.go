package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
)

// visitor is a customer's administrator with a screen of a width, whose browser runs scripts or not.
type visitor struct {
	t       *testing.T
	ctx     context.Context
	env     *testEnv
	n       int // the visitors before
	width   int64
	scripts bool
}

// TestThreeMeetings lets an administrator meet us on the editions pages, at the request form and on the day the server
// ID changes, with a phone and a desktop, with and without scripts.
func TestThreeMeetings(t *testing.T) {
	ctx := browser(t)
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
	env := &testEnv{Server: s, t: t, client: http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
	for n, as := range []visitor{
		{width: 360}, {width: 1280}, {width: 1280, scripts: true}, {width: 360, scripts: true},
	} {
		t.Run(fmt.Sprintf("%d pixels, scripts %v", as.width, as.scripts), func(t *testing.T) {
			v := visitor{t, ctx, env, n, as.width, as.scripts}
			act(t, ctx, "preparing the browser", chromedp.EmulateViewport(v.width, 800), runScripts(v.scripts),
				inZone("UTC"))
			v.comparesEditions()
			v.requestsALicense()
			v.signsIn()
			v.getsABridgeKey()
		})
	}
	t.Run("times in Tokyo", func(t *testing.T) { seesLocalTimes(t, ctx, env) })
	t.Run("copying", func(t *testing.T) { copiesServerID(t, ctx, env) })
}

func runScripts(run bool) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: !run})
		return v, err
	}
}

// does acts, and sees that the page is no wider than the screen.
func (v visitor) does(step string, actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	act(v.t, v.ctx, step, actions...)
	if width := see(v.t, v.ctx, "measuring", chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); width >
		v.width {
		v.t.Errorf("%s: the page is %d pixels wide", step, width)
	}
}

// audits runs axe-core on a page that no other test opens, once.
func (v visitor) audits(name string) {
	v.t.Helper()
	if v.scripts && v.width < 400 {
		audit(v.t, v.ctx, name)
	}
}

func (v visitor) opens(target, then string) {
	v.t.Helper()
	if !strings.HasPrefix(target, "http") {
		target = v.env.URL + target
	}
	v.does("opening "+target, chromedp.Navigate(target), chromedp.WaitVisible(then))
}

// href returns where a link of the page leads.
func (v visitor) href(selector string) string {
	v.t.Helper()
	return see(v.t, v.ctx, "the link "+selector, chromedp.Evaluate[string](
		"(document.querySelector(`"+selector+"`) || {}).href || ''"))
}

func (v visitor) comparesEditions() {
	v.opens("/editions?sourceEdition=developer", `#q`)
	act(v.t, v.ctx, "typing", chromedp.SendKeys(`#q`, "cobol"))
	if !v.scripts {
		act(v.t, v.ctx, "searching", chromedp.Submit(`#q`))
	}
	v.does("waiting for what is found", chromedp.WaitVisible(`#found .hits`))
	if got := text(v.t, v.ctx, `#found`); !strings.Contains(got, "Available only with the Enterprise Edition") {
		v.t.Errorf("got %q for COBOL", got)
	}

	v.opens("/marketplace?version=6.7.1&edition=developer&serverId=AWHW8w9JtzBzSrmf9GQX&ncloc=120000", `.boxes`)
	v.does("choosing Upgrade", chromedp.Click(`[data-edition=enterprise] a.button`), chromedp.WaitVisible(`#dialog`))

	v.opens("/editions/developer", `#terms`)
	v.does("accepting the terms", chromedp.Click(`#terms`), chromedp.WaitVisible(`a[href*="/downloads/developer"]`))
	file := v.href(`a[href*="/downloads/developer"]`)
	if answer, _ := v.env.do("GET", file, "", ""); answer.StatusCode >= http.StatusBadRequest {
		v.t.Errorf("got %s for %s", answer.Status, file)
	}
}

func (v visitor) requestsALicense() {
	email := fmt.Sprintf("ada%d@acme.example", v.n)
	v.opens(requestLink, `#serverId`)
	v.does("sending the form", chromedp.Click(`input[name=kind][value=evaluation]`),
		chromedp.SendKeys(`#productVersion`, "6.7.1"), chromedp.SendKeys(`#name`, "Ada Lovelace"),
		chromedp.SendKeys(`#email`, email), chromedp.SendKeys(`#company`, "Acme AG"),
		chromedp.SendKeys(`#country`, "Switzerland"), chromedp.Submit(`#email`), chromedp.WaitVisible(`#again`))
	v.opens(v.mailed("request-received", email, "confirm="), `input[name=answer][value=yes]`)
	v.does("confirming", chromedp.Click(`input[name=answer][value=yes]`),
		chromedp.Click(`form.sheet button[type=submit]`), chromedp.WaitVisible(`.progress`))
	if page := text(v.t, v.ctx, "main"); !strings.Contains(page, "Ada Lovelace") {
		v.t.Errorf("got status page\n%s", page)
	}
}

// mailed returns the link of the newest email of a kind to a person.
func (v visitor) mailed(kind, to, link string) string {
	v.t.Helper()
	for deadline := time.Now().Add(stepTime); time.Now().Before(deadline); {
		for _, m := range v.env.outbox() {
			if m.Kind == kind && strings.Contains(m.To, to) {
				return v.env.page("/_local/outbox/"+m.ID+"/html").Find(`a[href*="`+link+`"]`).AttrOr("href", "")
			}
		}
	}
	v.t.Fatalf("got no email of the kind %s to %s", kind, to)
	return ""
}

// signsIn signs one of four contacts in, who has no session yet.
func (v visitor) signsIn() {
	forget := func(ctx context.Context, _ *chromedp.Target) (n chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{})
		return n, err
	}
	act(v.t, v.ctx, "forgetting the session", forget)
	contact := []string{"nina@helvetia-robotics.example", "oscar@aurorabank.example", "jorg@nordlicht.example",
		"reto@graniteworks.example"}[v.n]
	v.opens("/_local/", `main h1`)
	v.opens(v.href(`main a[href="/account"]`), `#email`)
	v.does("asking for a link", chromedp.SetValue(`#email`, contact), chromedp.Submit(`#email`),
		chromedp.WaitVisible(`#code`))
	code := strings.ReplaceAll(text(v.t, v.ctx, `#code`), " ", "")
	v.opens(v.mailed("sign-in-link", contact, "/account/signin/"), `input[name=code]`)
	v.does("typing the code", chromedp.SetValue(`input[name=code]`, code), chromedp.Submit(`input[name=code]`),
		chromedp.WaitVisible(`nav[aria-label=Account]`))
}

// getsABridgeKey plans the change of a server ID, and then gets a key for the new one.
func (v visitor) getsABridgeKey() {
	home := see(v.t, v.ctx, "the address", chromedp.Location())
	v.opens(v.href(`.do a[href^="/server-id"]`), `#plan`)
	v.audits("server-id-of-account")
	v.opens(home, `.do`)
	server := fmt.Sprintf("BF41A1F%d-AWmovedmovedmoved001", v.n)
	at := v.href(`.do a[href$="/bridge"]`)
	v.opens(at, `#serverId`)
	v.audits("bridge")
	v.does("asking for the key", chromedp.SetValue(`#serverId`, server), chromedp.Click(`input[value=stopped]`),
		chromedp.Submit(`#serverId`), chromedp.WaitVisible(`main .notice`))
	for deadline := time.Now().Add(stepTime); ; {
		v.opens(at, `main .notice`)
		if page := text(v.t, v.ctx, "main"); strings.Contains(page, "We emailed a bridge key for "+server) {
			v.audits("bridge-issued")
			return
		} else if time.Now().After(deadline) {
			v.t.Fatalf("got no bridge key:\n%s", page)
		}
	}
}

// seesLocalTimes reads the overview in another zone: each time in UTC has the reader's beside it, with its day if that
// is another one.
func seesLocalTimes(t *testing.T, ctx context.Context, env *testEnv) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	act(t, ctx, "moving to Tokyo", inZone("Asia/Tokyo"), chromedp.Navigate(env.URL+"/account"),
		chromedp.WaitVisible(`.gauge`))
	notes := see(t, ctx, "the times", chromedp.Evaluate[[][2]string](`[...document.querySelectorAll(".gauge time")].map(
		e => [e.getAttribute("datetime"), e.nextElementSibling?.textContent || ""])`))
	sameDay, otherDay := 0, 0
	for _, note := range notes {
		at, err := time.Parse(time.RFC3339, note[0])
		if err != nil {
			t.Fatal(err)
		}
		want := at.In(tokyo).Format("15:04")
		if at.UTC().Day() == at.In(tokyo).Day() {
			sameDay++
		} else {
			want = at.In(tokyo).Format("02 Jan 2006, 15:04")
			otherDay++
		}
		if want = " (" + want + " your time)"; note[1] != want {
			t.Errorf("%s: got %q, want %q", note[0], note[1], want)
		}
	}
	if sameDay == 0 || otherDay == 0 {
		t.Errorf("got %d times on the same day and %d on another, want both", sameDay, otherDay)
	}
}

// copiesServerID presses the button beside a server ID of the overview.
func copiesServerID(t *testing.T, ctx context.Context, env *testEnv) {
	allow := func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		for _, name := range []string{"clipboard-read", "clipboard-write"} {
			if _, err = chromedp.CallBrowser(ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
				Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: "granted",
			}); err != nil {
				break
			}
		}
		return v, err
	}
	act(t, ctx, "letting pages use the clipboard", allow, chromedp.Navigate(env.URL+"/account"),
		chromedp.WaitVisible(`button.copy`))
	want := text(t, ctx, `.server code`)
	act(t, ctx, "copying", chromedp.Click(`.server button.copy`),
		chromedp.Poll[chromedp.Void](`document.querySelector("main [role=status]").textContent === "Copied"`))
	got := see(t, ctx, "the clipboard", chromedp.Evaluate[string](`navigator.clipboard.readText()`,
		chromedp.EvalAwaitPromise))
	if got != want || want == "" {
		t.Errorf("got %q in the clipboard, want %q", got, want)
	}
}
