package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/web/webtest"
)

// browser follows links and sends forms; it keeps cookies.
type browser struct {
	http.Client
	ctx  context.Context
	at   *url.URL
	page *goquery.Document
}

func newBrowser(ctx context.Context) *browser {
	jar, _ := cookiejar.New(nil) // its only error is one of its options, which are none
	return &browser{ctx: ctx, Client: http.Client{Jar: jar}}
}

// open opens an address, which may be relative to the page.
func (b *browser) open(address string) error { return b.ask(http.MethodGet, address, nil) }

func (b *browser) ask(method, address string, form url.Values) error {
	target, err := url.Parse(address)
	if err != nil {
		return err
	}
	if b.at != nil {
		target = b.at.ResolveReference(target)
	}
	r, err := http.NewRequestWithContext(b.ctx, method, target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := b.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b.at = resp.Request.URL
	if b.page, err = goquery.NewDocumentFromReader(resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %.300s", method, target, resp.Status, webtest.Text(b.page.Find("body")))
	}
	return nil
}

// follow opens the first link that a selector finds.
func (b *browser) follow(selector string) error {
	href, ok := b.page.Find(selector).Attr("href")
	if !ok {
		return fmt.Errorf("%s has no link %s: %.300s", b.at, selector, b.main())
	}
	return b.open(href)
}

// press sends the form that has a button of this text, as a browser does, with some fields changed.
func (b *browser) press(button string, change ...func(url.Values)) error {
	pressed := b.page.Find("main form button").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return webtest.Text(s) == button
	}).First()
	if pressed.Length() == 0 {
		return fmt.Errorf("%s has no button %q: %.1000s", b.at, button, b.main())
	}
	form := pressed.Closest("form")
	values := filledIn(form)
	if name := pressed.AttrOr("name", ""); name != "" {
		values.Set(name, pressed.AttrOr("value", ""))
	}
	for _, c := range change {
		c(values)
	}
	return b.ask(http.MethodPost, form.AttrOr("action", ""), values)
}

func (b *browser) main() string { return webtest.Text(b.page.Find("main")) }

// filledIn returns what a browser would send of a form.
func filledIn(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input, textarea, select").Each(func(_ int, s *goquery.Selection) {
		name, kind := s.AttrOr("name", ""), s.AttrOr("type", "")
		_, checked := s.Attr("checked")
		switch {
		case name == "":
		case goquery.NodeName(s) == "textarea":
			values.Add(name, strings.TrimPrefix(s.Text(), "\n"))
		case goquery.NodeName(s) == "select":
			chosen := s.Find("option").First()
			if marked := s.Find("option[selected]"); marked.Length() > 0 {
				chosen = marked.First()
			}
			values.Add(name, chosen.AttrOr("value", chosen.Text()))
		case !slices.Contains([]string{"radio", "checkbox", "submit"}, kind) || checked:
			values.Add(name, s.AttrOr("value", ""))
		}
	})
	return values
}

func with(fields map[string]string) func(url.Values) {
	return func(v url.Values) {
		for name, value := range fields {
			v.Set(name, value)
		}
	}
}
