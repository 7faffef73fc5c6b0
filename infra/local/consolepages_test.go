package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
)

// TestConsolePagesFitAndAreAccessible looks at the console with the sample data, before and after an action.
func TestConsolePagesFitAndAreAccessible(t *testing.T) {
	ctx := browser(t)
	s, err := Start(t.Context(), Options{
		Addr: "localhost:0", Data: localdata.Dir(t.TempDir()), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	act(t, ctx, "signing in", chromedp.Navigate(s.URL+"/console"), chromedp.WaitVisible(`.cards`),
		chromedp.Click(`a[href*="ada%40"]`), chromedp.WaitVisible(`.tabs`))
	for name, path := range map[string]string{
		"console-queue": "/console", "console-late": "/console?late=yes", "console-mine": "/console?show=mine&late=yes",
		"console-closed": "/console?show=closed", "console-overview": "/console/overview",
		"console-settings": "/console/settings", "console-replies": "/console/settings/replies",
		"console-reply":     "/console/settings/replies/new",
		"console-retention": "/console/retention", "console-erase": "/console/erase",
		"console-audit": "/console/audit", "privacy": "/privacy",
		"console-licenses": "/console/licenses", "console-search": "/console/search?q=northwind",
	} {
		act(t, ctx, "opening "+path, chromedp.Navigate(s.URL+path), chromedp.WaitVisible(`main h1`))
		look(t, ctx, name)
	}
	act(t, ctx, "opening a late request", chromedp.Navigate(s.URL+"/console?late=yes"),
		chromedp.Click(`main tbody th a`), chromedp.WaitVisible(`.timeline`))
	look(t, ctx, "console-request")
	act(t, ctx, "taking it", chromedp.Click(`form[action*="/take"] button`), chromedp.WaitVisible(`.next`))
	look(t, ctx, "console-next")
	act(t, ctx, "opening the generator", chromedp.Click(`.tasks a.button`), chromedp.WaitVisible(`form.wizard`))
	look(t, ctx, "console-generator")
	act(t, ctx, "opening a customer", chromedp.Navigate(s.URL+"/console/search?q=northwind"),
		chromedp.Click(`main a[href^="/console/customers/"]`), chromedp.WaitVisible(`.timeline`))
	act(t, ctx, "opening a license", chromedp.Click(`main .instances td a[href^="/console/licenses/"]`),
		chromedp.WaitVisible(`#key-title`))
	look(t, ctx, "console-license")
	act(t, ctx, "resuming reminders", chromedp.Click(`form[action$="/unmute"] button`),
		chromedp.WaitVisible(`.notice.good`))
	act(t, ctx, "opening the pause of reminders", chromedp.Click(`details:has(#reason) summary`),
		chromedp.SendKeys(`#reason`, "They decide in July."), chromedp.Evaluate[chromedp.Void](
			`document.querySelector("#until").value = "2016-12-31"`))
	look(t, ctx, "console-pause")
	act(t, ctx, "pausing through a day in the past",
		chromedp.Evaluate[chromedp.Void](`document.querySelector("form[action$='/mute']").noValidate = true`),
		chromedp.Submit(`#reason`), chromedp.WaitVisible(`#until-error`))
	look(t, ctx, "console-pause-refused")
	act(t, ctx, "pausing for good",
		chromedp.Evaluate[chromedp.Void](`document.querySelector("#until").value = ""`),
		chromedp.Submit(`#reason`), chromedp.WaitVisible(`form[action$="/unmute"]`))
	look(t, ctx, "console-paused")
	act(t, ctx, "opening the license's forecast", chromedp.Click(`a[href^="/console/reminders?license="]`),
		chromedp.WaitVisible(`main h1`))
	look(t, ctx, "console-reminders-license")
	act(t, ctx, "opening the forecast", chromedp.Click(`.top a[href="/console/reminders"]`),
		chromedp.WaitVisible(`.days`))
	look(t, ctx, "console-reminders")
	act(t, ctx, "opening a day", chromedp.Evaluate[chromedp.Void](
		`document.querySelector(".days a").click()`), chromedp.WaitVisible(`.forecast`))
	look(t, ctx, "console-reminders-day")
}
