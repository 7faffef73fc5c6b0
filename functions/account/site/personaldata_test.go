package site

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store/erasure"
	"marketplace/shared/web/webtest"
)

func TestPersonDownloadsTheirData(t *testing.T) {
	e := newTestEnv(t)
	mine, others := e.asks(ana, e.acme, "granite quarry"), e.asks(pia, e.acme, "a partner's words")
	page := open(e.as(ana, e.acme), "/account/personal-data").WantStatus(200).Page()
	webtest.CheckPage(t, page)
	file := open(e.as(ana, e.acme), page.Find("a[download]").AttrOr("href", "")).WantStatus(200)
	if !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") {
		t.Error("the browser shows the file instead of keeping it")
	}
	var own erasure.Own
	if err := json.Unmarshal([]byte(file.Body), &own); err != nil {
		t.Fatal(err)
	}
	if len(own.Contacts) != 1 || own.Contacts[0].Customer != "Acme AG" || len(own.Requests) != 1 ||
		own.Requests[0].Reference != mine.Reference || own.Requests[0].Message != "granite quarry" ||
		own.Requests[0].Response == nil || len(own.Emails) == 0 {
		t.Errorf("got %s", file.Body)
	}
	for _, secret := range []string{mine.Token, mine.Secret, string(others.Reference), others.Message, pia, bea} {
		if strings.Contains(file.Body, secret) {
			t.Errorf("got %q in the file", secret)
		}
	}
}

func TestPersonAsksToBeErased(t *testing.T) {
	e := newTestEnv(t)
	browser := e.as(ana, e.acme)
	browser.Send("/account/personal-data/erasure", url.Values{}).WantStatus(422)
	for range 2 {
		browser.Send("/account/personal-data/erasure", url.Values{"erase": {"yes"}}).WantStatus(303)
	}
	doc := open(browser, "/account/personal-data").WantStatus(200).Page()
	if doc.Find("#asked").Length() != 1 || doc.Find("main form").Length() != 0 {
		t.Errorf("got %s", webtest.Text(doc.Find("main")))
	}
	if open(e.as(pia, e.acme), "/account/personal-data").Page().Find("#asked").Length() != 0 {
		t.Error("another contact is told that ana asked")
	}
	about, err := e.kept.MailsAbout(t.Context(), e.acme.Customer.ID, 100)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, m := range about {
		if m.Kind == "erasure-asked" && m.Contacts[0] == (license.Contact{Name: "Contact of Acme AG", Email: ana}) {
			told++
		}
	}
	if told != 1 {
		t.Errorf("got %d emails to sales, want one", told)
	}
}

// endless is a record that nobody finishes reading.
type endless struct{ PersonalData }

func (endless) ReadOwn(ctx context.Context, _ string) (*erasure.Own, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTooMuchToGatherIsSaidInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := gather(t.Context(), endless{}, ana)
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Sentence(err), "Write to us") {
			t.Errorf("got %v, want what to do instead", err)
		}
		if took := time.Since(began); took > 14*time.Second {
			t.Errorf("got an answer after %s, want it before the function's timeout of 15 seconds", took)
		}
	})
}
