package site

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/request"
	"marketplace/shared/retention"
	"marketplace/shared/store/deletion"
)

func TestPrivacyPageStatesWhatTheStoreGoesBy(t *testing.T) {
	env := newTestEnv(t)
	a := env.get("/privacy")
	if a.StatusCode != http.StatusOK {
		t.Fatalf("got %d", a.StatusCode)
	}
	doc := a.Page()
	rows := doc.Find("tbody tr")
	if rows.Length() != len(retention.Categories) {
		t.Errorf("got %d rows, want %d", rows.Length(), len(retention.Categories))
	}
	rows.Each(func(i int, row *goquery.Selection) {
		c := retention.Categories[i]
		for _, want := range []string{c.Name, c.Of, c.What, c.Why, c.Kept(env.store.Retention())} {
			if !strings.Contains(row.Text(), want) {
				t.Errorf("%s: got %q, want %q", c.Name, row.Text(), want)
			}
		}
	})
	if text := doc.Find("main").Text(); !strings.Contains(text, "sales@vendor.example") ||
		!strings.Contains(text, "180 days after it is closed") {
		t.Errorf("got %q, want the sales mailbox and how long requests are kept", text)
	}
	for _, page := range []string{"/", "/request/developer"} {
		if env.get(page).Page().Find(`a[href="/privacy"]`).Length() == 0 {
			t.Errorf("%s has no link to the page", page)
		}
	}
}

func TestStatusPageSaysWhenTheRequestIsDeletedAndThenThatItWas(t *testing.T) {
	env := newTestEnv(t)
	r, link := env.fileForm()
	env.review(r, request.Rejected, "no")
	env.pass(time.Hour)
	last := env.request(r.ID).Expires.AddDate(0, 0, -1)
	if got := env.get(link).Page().Find("main").Text(); !strings.Contains(got,
		"We delete this request after "+last.Format("02 Jan 2006")) {
		t.Errorf("got %q, want the last day %v", got, last)
	}
	env.pass(182 * 24 * time.Hour)
	for _, when := range []string{"expired", "deleted"} {
		a := env.get(link)
		if got := a.Page().Find("main").Text(); a.StatusCode != http.StatusNotFound ||
			!strings.Contains(got, "We delete a request that ends without a license 180 days after it is closed.") {
			t.Errorf("%s: got %d %q", when, a.StatusCode, got)
		}
		if _, err := deletion.New(env.store.Store).DeleteExpired(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
	}
}
