package site

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/web/webtest"
)

// queued files requests an hour apart, named "0", "1" and so on: renewals where the number is odd.
func (w *testEnv) queued(n int) (all []request.Request) {
	w.t.Helper()
	for i := range n {
		d := sampleDetails
		d.Company, d.Server = fmt.Sprint(i), license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9G%02d", i))
		if i%2 == 1 {
			d.Kind = request.Renewal
		}
		all = append(all, w.file(d))
		w.advance(time.Hour)
	}
	return all
}

// fromQueue opens a request from a queue by the link in it.
func (w *testEnv) fromQueue(who, queue, company string) *webtest.Answer {
	w.t.Helper()
	link := w.get(who, queue).WantStatus(200).Page().Find("main tbody th a")
	for i := range link.Length() {
		if webtest.Text(link.Eq(i)) == company {
			return w.get(who, link.Eq(i).AttrOr("href", "")).WantStatus(200)
		}
	}
	w.t.Fatalf("%s does not list %s", queue, company)
	return nil
}

// act sends the form of an action on a request's page, and returns the page that follows.
func (w *testEnv) act(who string, page *webtest.Answer, action string) *webtest.Answer {
	w.t.Helper()
	form := page.Page().Find("main form[action*='/" + action + "']")
	values := filledIn(form)
	for name := range values {
		if name != "version" && name != "seen" {
			values.Set(name, "Because.")
		}
	}
	to := w.reply(who, form.AttrOr("action", ""), values).WantStatus(303).Header.Get("Location")
	return w.get(who, to).WantStatus(200)
}

func nextOn(page *webtest.Answer) string { return webtest.Text(page.Page().Find(".next")) }

func TestEveryActionOffersTheNextRequest(t *testing.T) {
	for _, tt := range []struct{ queue, company, action, want string }{
		{"/console", "1", "take", "Next: 2, New, Developer Due in 20 h"},
		{"/console", "1", "note", "Next: 2, New, Developer Due in 20 h"},
		{"/console", "2", "ask", "Next: 4, New, Developer Due in 22 h"},  // a colleague reviews 3
		{"/console", "6", "note", "Next: 0, New, Developer Due in 18 h"}, // behind the last one comes the first
		{"/console?kind=renewal", "1", "reject", "Next: 5, Renewal, Developer Due in 23 h"},
		{"/console?kind=renewal", "5", "withdraw", "Next: 1, Renewal, Developer Due in 19 h"},
		{"/console?show=mine", "6", "note", "You're all caught up. Back to requests"},
	} {
		w := newTestEnv(t)
		all := w.queued(6)
		w.review(all[3], request.InReview) // by a colleague
		d := sampleDetails
		d.Company = "6"
		mine := "/console/requests/" + w.file(d).ID
		w.send(sam, mine+"/take", w.snapshot(mine)).WantStatus(303)
		page := w.fromQueue(sam, tt.queue, tt.company)
		if nextOn(page) != "" {
			t.Errorf("%s: the page offers %q before anything is done", tt.queue, nextOn(page))
		}
		done := w.act(sam, page, tt.action)
		if got := nextOn(done); got != tt.want {
			t.Errorf("%s of %s in %s: got %q, want %q", tt.action, tt.company, tt.queue, got, tt.want)
		}
		// The link leads on in the same queue.
		link := done.Page().Find(".next a").AttrOr("href", "")
		if _, filter, _ := strings.Cut(tt.queue, "?"); filter != "" && link != tt.queue &&
			!strings.HasSuffix(link, "?queue="+url.QueryEscape(filter)) {
			t.Errorf("%s: the next request is linked as %s", tt.queue, link)
		}
	}
}

func TestIssuingOffersTheNextRequest(t *testing.T) {
	w := newWorkshop(t)
	w.queued(4)
	page := w.fromQueue(sam, "/console?kind=renewal", "1")
	for _, want := range []string{"Next: 3, Renewal, Developer Due in 23 h", "You're all caught up. Back to requests"} {
		form := w.get(sam, page.Page().Find(".tasks a.button").AttrOr("href", "")).WantStatus(200)
		review := w.press(w.press(w.press(form, "Review"), "Edit"), "Review").WantStatus(200)
		to := w.press(review, "Issue and send", confirm(review)).WantStatus(303).Header.Get("Location")
		page = w.get(sam, to).WantStatus(200)
		if got := nextOn(page); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		page = w.get(sam, page.Page().Find(".next a").AttrOr("href", "")).WantStatus(200)
	}
	if got := listed(page.Page()); len(got) != 0 {
		t.Errorf("“Back to requests” shows %q, want the renewals: none is left", got)
	}
}
