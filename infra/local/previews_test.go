package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
)

func TestEverySampleEmailHasAPreview(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	links := env.page("/_local/letters").Find("tbody a")
	if links.Length() < 15 {
		t.Errorf("got %d sample emails, want one for each kind and more", links.Length())
	}
	links.Each(func(_ int, link *goquery.Selection) {
		path := link.AttrOr("href", "")
		doc := env.page(path)
		if doc.Find("pre.mail").Text() == "" {
			t.Errorf("%s: got no text", path)
		}
		frames := doc.Find("iframe[sandbox]")
		if frames.Length() != 3 {
			t.Errorf("%s: got %d frames, want 3", path, frames.Length())
		}
		frames.Each(func(_ int, frame *goquery.Selection) {
			src := frame.AttrOr("src", "")
			resp, body := env.do("GET", src, "", "")
			if csp := resp.Header.Get("Content-Security-Policy"); resp.StatusCode != http.StatusOK ||
				!strings.HasPrefix(csp, "sandbox ") || !strings.Contains(body, "</h1>") {
				t.Errorf("%s: %s with the policy %q", src, resp.Status, csp)
			}
		})
	})
	if resp, _ := env.do("GET", "/_local/letters/none", "", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown email: got %s, want 404", resp.Status)
	}
}

func TestSampleEmailsFitAPhone(t *testing.T) {
	ctx := browser(t)
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	const width = 360
	act(t, ctx, "sizing the window", chromedp.EmulateViewport(width, 900))
	env.page("/_local/letters").Find("tbody a").Each(func(_ int, link *goquery.Selection) {
		path := link.AttrOr("href", "") + "/html"
		act(t, ctx, "opening "+path, chromedp.Navigate(env.URL+path), chromedp.WaitVisible(`h1`))
		if got := see(t, ctx, "measuring "+path,
			chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); got == 0 || got > width {
			t.Errorf("%s: got %d pixels, want %d or less", path, got, width)
		}
	})
}
