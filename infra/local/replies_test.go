package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
)

// TestReplyIsPreviewedSentAndUndone rejects a request in a browser: template, preview, edit, send, undo.
func TestReplyIsPreviewedSentAndUndone(t *testing.T) {
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
	act(t, ctx, "adding a template", chromedp.Navigate(s.URL+"/console/settings/replies/new"),
		chromedp.SendKeys(`#name`, "No contract"),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("#for").value = "rejected"`),
		chromedp.SendKeys(`#text`, "We have no contract for {edition}."), chromedp.Submit(`#text`),
		chromedp.WaitVisible(`.notice.good`))
	look(t, ctx, "console-replies-one")
	act(t, ctx, "using it", chromedp.Navigate(s.URL+"/console?late=yes"), chromedp.Click(`main tbody th a`),
		chromedp.WaitVisible(`.timeline`), chromedp.Click(`details:has(#rejection) summary`),
		chromedp.Click(`form[action*="/reject"] button[value=use]`), chromedp.WaitVisible(`details[open] #rejection`))
	text, err := chromedp.Run(ctx, chromedp.Value(`#rejection`))
	if err != nil || !strings.HasPrefix(text, "We have no contract for ") || strings.Contains(text, "{") {
		t.Errorf("got text %q, %v", text, err)
	}
	act(t, ctx, "previewing", chromedp.Submit(`#rejection`), chromedp.WaitVisible(`form.reply`),
		chromedp.WaitVisible(`iframe.mail`))
	look(t, ctx, "console-preview")
	act(t, ctx, "editing", chromedp.Click(`form.reply button[value=edit]`),
		chromedp.WaitVisible(`details[open] #rejection`), chromedp.SendKeys(`#rejection`, " Sorry."),
		chromedp.Submit(`#rejection`), chromedp.WaitVisible(`form.reply`))
	act(t, ctx, "sending", chromedp.Click(`form.reply button.bad`), chromedp.WaitVisible(`#undo`))
	look(t, ctx, "console-undo")
	act(t, ctx, "undoing", chromedp.Click(`#undo button`), chromedp.WaitVisible(`.notice.good`),
		chromedp.WaitNotPresent(`#undo`), chromedp.WaitVisible(`details:has(#rejection)`))
	look(t, ctx, "console-undone")
}
