package site

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/web/webtest"
)

func TestOnlyAdminsSeeTheSampleEmails(t *testing.T) {
	w := newTestEnv(t)
	for _, path := range []string{"/console/letters", "/console/letters/license-key",
		"/console/letters/license-key/html"} {
		for who, want := range map[string]int{
			"": http.StatusSeeOther, vera: http.StatusForbidden, sam: http.StatusForbidden, ada: http.StatusOK,
		} {
			if got := w.get(who, path).StatusCode; got != want {
				t.Errorf("%s by %q: got %d, want %d", path, who, got, want)
			}
		}
	}
	for who, want := range map[string]int{vera: 0, sam: 0, ada: 1} {
		if n := w.get(who, "/console").Page().Find("nav a[href='/console/settings']").Length(); n != want {
			t.Errorf("%s: got %d links to the settings, want %d", who, n, want)
		}
	}
	if n := w.get(ada, "/console/settings").Page().Find("main a[href='/console/letters']").Length(); n != 1 {
		t.Errorf("got %d links from the settings to the sample emails, want 1", n)
	}
}

func TestEverySampleEmailIsShown(t *testing.T) {
	w := newTestEnv(t)
	list := w.get(ada, "/console/letters").WantStatus(200).Page()
	webtest.CheckPage(t, list)
	links := list.Find("tbody a")
	if links.Length() < 15 {
		t.Errorf("got %d sample emails, want one for each kind and more", links.Length())
	}
	links.Each(func(_ int, link *goquery.Selection) {
		path := link.AttrOr("href", "")
		a := w.get(ada, path).WantStatus(200)
		doc := a.Page()
		webtest.CheckPage(t, doc)
		if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-src 'self'") ||
			!strings.HasPrefix(csp, "default-src 'none'; style-src 'self'; ") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: got the policy %q", path, csp)
		}
		if text := doc.Find("pre.mail").Text(); !strings.HasSuffix(text, "\n") || strings.Contains(text, "\x1a") {
			t.Errorf("%s: got the text %q", path, text)
		}
		frames := doc.Find("iframe[sandbox='allow-popups allow-popups-to-escape-sandbox']")
		if all := doc.Find("iframe").Length(); frames.Length() != 3 || all != 3 {
			t.Errorf("%s: got %d frames, %d of them sandboxed, want 3", path, all, frames.Length())
		}
		frames.Each(func(_ int, frame *goquery.Selection) {
			src := frame.AttrOr("src", "")
			mail := w.get(ada, src).WantStatus(200)
			if csp := mail.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox ") ||
				!strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script") {
				t.Errorf("%s: got the policy %q", src, csp)
			}
			if title := mail.Page().Find("h1").Text(); title == "" {
				t.Errorf("%s: got no email", src)
			}
		})
	})
	w.get(ada, "/console/letters/none").WantStatus(404)
	w.get(ada, "/console/letters/none/html").WantStatus(404)
}
