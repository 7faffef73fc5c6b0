package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
)

// audit fails for each fault that axe-core finds in the page. Without AXE it does nothing.
func audit(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if os.Getenv("AXE") == "" {
		return
	}
	rules := "{}"
	if strings.HasPrefix(name, "mail-") {
		// An email is part of a page, so it needs no landmarks. The page of one in the outbox lets no script run.
		rules = `{"region": {enabled: false}, "landmark-one-main": {enabled: false}}`
		mail := see(t, ctx, "reading the email", chromedp.OuterHTML("html"))
		quoted, err := json.Marshal(mail)
		if err != nil {
			t.Fatal(err)
		}
		act(t, ctx, "copying the email", chromedp.Navigate("about:blank"),
			chromedp.Evaluate[chromedp.Void](
				`document.write("<!doctype html>" + `+string(quoted)+`); document.close()`))
	}
	for _, scheme := range []string{"dark", "light"} {
		for _, fault := range violations(t, ctx, name, scheme, rules) {
			t.Errorf("%s, %s: %s", name, scheme, fault)
		}
	}
}

// violations runs axe-core, the script that AXE names, on the page with a color scheme.
func violations(t *testing.T, ctx context.Context, name, scheme, rules string) []string {
	t.Helper()
	script, err := os.ReadFile(os.Getenv("AXE"))
	if err != nil {
		t.Fatal(err)
	}
	act(t, ctx, "choosing the colors", func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return v, err
	}, chromedp.Evaluate[chromedp.Void](string(script)))
	return see(t, ctx, "running axe-core on "+name, chromedp.Evaluate[[]string](`axe.run(document,
		{resultTypes: ["violations"], rules: `+rules+`}).then(r => r.violations.flatMap(v =>
		v.nodes.map(n => v.id + " at " + n.target.join(" ") + ": " + n.failureSummary)))`,
		chromedp.EvalAwaitPromise))
}

func TestPagesAreAccessible(t *testing.T) {
	if os.Getenv("AXE") == "" {
		t.Skip("AXE names no axe-core; infra/engines/with-axe.sh installs it")
	}
	ctx := browser(t)
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	for _, path := range []string{
		"/", "/terms", "/privacy", "/server-id", "/server-id?plan=yes", "/editions", "/editions?q=cobol",
		"/editions/developer/install", "/marketplace", "/account/signin", "/editions/community",
		"/editions/developer", "/editions/enterprise", "/editions/datacenter",
		"/editions", "/editions?q=cobol&sourceEdition=developer", "/editions?q=cobal", "/editions/enterprise/install",
		"/editions/datacenter/install?os=windows&version=6.7.1&sourceEdition=enterprise",
		"/editions/none", "/request", "/request/community", "/request/developer", "/request/enterprise",
		"/request/datacenter", "/licenses/check", "/requests/none?token=x",
		"/downloads/none.zip", "/_local/", "/_local/outbox", "/_local/letters", "/_local/letters/license-key",
		"/_local/clock", "/_local/none", "/console/none",
	} {
		act(t, ctx, "opening "+path, chromedp.Navigate(env.URL+path), chromedp.WaitVisible(`main h1`))
		audit(t, ctx, path)
	}
	for name, key := range map[string]string{
		"no key": "hello", "damaged key": base64.StdEncoding.EncodeToString([]byte("Format=1\nKid=none\n")),
	} {
		act(t, ctx, "opening the key check", chromedp.Navigate(env.URL+"/licenses/check"), chromedp.WaitVisible(`#key`))
		act(t, ctx, "checking "+name, chromedp.SetValue(`#key`, key), chromedp.Submit(`#key`),
			chromedp.WaitVisible(`#result`))
		audit(t, ctx, name)
	}

	act(t, ctx, "spoiling the page", chromedp.Evaluate[chromedp.Void](`(() => {
		document.querySelector("main").outerHTML = "<p id=spoiled>Unreadable</p>";
		document.querySelector("#spoiled").style = "color: #ccc; background: #fff";
	})()`))
	found := strings.Join(violations(t, ctx, "a spoiled page", "light", "{}"), "\n")
	for _, rule := range []string{"landmark-one-main", "color-contrast"} {
		if !strings.Contains(found, rule) {
			t.Errorf("spoiled page: got %q, want %s in it", found, rule)
		}
	}
}
