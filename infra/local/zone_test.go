package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
	"marketplace/shared/config"
)

// officeInZurich returns the configuration of an office in Zurich with holidays at Christmas.
func officeInZurich(t *testing.T) (c config.Config) {
	t.Helper()
	env := map[string]string{"TIME_ZONE": "Europe/Zurich", "OFFICE_HOURS": "Mon-Fri 09:00-18:00",
		"HOLIDAYS": "12-24 09:00-12:00, 12-25, 12-26, 01-01"}
	c, err := config.Load(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// inZone lets the browser's clock be that of a time zone.
func inZone(zone string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, emulation.SetTimezoneOverride,
			emulation.SetTimezoneOverrideParams{TimezoneID: zone})
		return v, err
	}
}

func TestBrowserTellsItsTimeZone(t *testing.T) {
	ctx := browser(t)
	c := officeInZurich(t)
	env := newTestEnvWith(t, localdata.Dir(t.TempDir()), c)
	act(t, ctx, "choosing the zone", inZone("Asia/Tokyo"))
	act(t, ctx, "opening the form", chromedp.Navigate(env.URL+requestLink), chromedp.WaitVisible(`#serverId`))
	zone := see(t, ctx, "the hidden field", chromedp.Evaluate[string](
		`document.querySelector("input[type=hidden][name=timeZone]").value`))
	if zone != "Asia/Tokyo" {
		t.Errorf("got zone %q in the form, want Asia/Tokyo", zone)
	}
	if page := text(t, ctx, "main"); !strings.Contains(page,
		"Our office hours are Monday to Friday, 09:00–18:00 (Zurich time).") {
		t.Errorf("got no office hours in\n%s", page)
	}
	before := time.Now()
	fileByBrowser(t, ctx, env)
	after := time.Now()
	page := strings.Join(strings.Fields(text(t, ctx, "main")), " ")
	deadline := func(at time.Time) string { return c.Hours.DeadlineIn(c.Hours.Due(at), "Asia/Tokyo") }
	named := strings.Contains(page, deadline(after))
	for at := before; at.Before(after); at = at.Add(time.Minute) { // it was confirmed in one of these minutes
		named = named || strings.Contains(page, deadline(at))
	}
	if !named || !strings.Contains(page, "in Tokyo") {
		t.Errorf("got %q, want the deadline in Zurich and Tokyo, such as %q", page, deadline(before))
	}
}

func TestFormWorksWithoutAScript(t *testing.T) {
	t.Setenv("AXE", "") // axe-core is a script; other tests run it on the same pages
	ctx := browser(t)
	c := officeInZurich(t)
	env := newTestEnvWith(t, localdata.Dir(t.TempDir()), c)
	act(t, ctx, "switching scripts off", func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true})
		return v, err
	}, inZone("Asia/Tokyo"))
	fileByBrowser(t, ctx, env)
	page := text(t, ctx, "main")
	if !strings.Contains(page, "(Zurich time)") || strings.Contains(page, "Tokyo") {
		t.Errorf("got\n%s\nwant the deadline in Zurich alone", page)
	}
}
