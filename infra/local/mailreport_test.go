package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/infra/localdata"
)

// licensePage returns the address of the console's page of the license that a reminder names.
func (env *testEnv) licensePage(reminder outboxMail) string {
	env.t.Helper()
	link := env.page("/_local/outbox/"+reminder.ID+"/html").Find("a[href*='/renew/']").AttrOr("href", "")
	_, renew, _ := strings.Cut(link, "/renew/")
	id, _, found := strings.Cut(renew, "?")
	if !found {
		env.t.Fatalf("%s: got the link %q, want one to renew a license", reminder.ID, link)
	}
	return "/console/licenses/" + id
}

// TestBounceReachesTheConsole follows a bounced reminder for a license with one contact: it becomes a task for sales,
// the console shows it, sales resumes emails to the address, and the next reminder is sent.
func TestBounceReachesTheConsole(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	env.moveClock("2028-06-01T12:00:00Z")
	env.importLicenses("2028-08-31", "2028-09-30")
	env.moveClock("2028-07-01T12:00:00Z")
	mails := env.outbox()
	if len(mails) != 1 {
		t.Fatalf("got emails %+v, want one", mails)
	}
	report := func(said string, want int) {
		t.Helper()
		if resp, body := env.postForm("/_local/outbox/"+mails[0].ID+"/report",
			url.Values{"said": {said}}); resp.StatusCode != want {
			t.Fatalf("%s: got %s %s, want %d", said, resp.Status, body, want)
		}
	}
	buttons := env.page("/_local/outbox/" + mails[0].ID).Find("form[action$='/report'] button")
	if buttons.Length() != 7 {
		t.Errorf("got %d buttons, want 7", buttons.Length())
	}
	buttons.Each(func(_ int, b *goquery.Selection) {
		if value := b.AttrOr("value", ""); feedbackEvents[value].Type == "" {
			t.Errorf("got the button %q, which simulates no event", value)
		}
	})
	report("lost", http.StatusBadRequest)
	report("retrying", http.StatusSeeOther)
	if n := len(env.outbox()); n != 1 {
		t.Errorf("delayed: got %d emails, want 1", n)
	}
	report("bounced", http.StatusSeeOther)
	report("bounced", http.StatusSeeOther)
	report("complained", http.StatusSeeOther)
	after := env.outbox()
	if len(after) != 2 || after[0].Kind != "license-unreached" || after[0].To != "sales@vendor.example" {
		t.Fatalf("got emails %+v, want one to sales on top", after)
	}

	cookie := env.signIn("sam")
	page := env.licensePage(mails[0])
	see := func(target string) string {
		t.Helper()
		resp, body := env.do("GET", target, "", "", "Cookie", cookie)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: got %s, want 200", target, resp.Status)
		}
		return body
	}
	overview := document(t, see("/console/overview"))
	if n, m := overview.Find("section[aria-labelledby=reports-title] tbody tr").Length(),
		overview.Find("section[aria-labelledby=unreached-title] tbody tr").Length(); n != 2 || m != 1 {
		t.Errorf("overview: got %d reports and %d customers, want 2 and 1", n, m)
	}
	if !strings.Contains(see(page), "user unknown") {
		t.Error("got a license page without the reason of the bounce")
	}
	resp, body := env.do("POST", page+"/lift", "application/x-www-form-urlencoded",
		url.Values{"to": {mails[0].To}, "reason": {"She called"}}.Encode(), "Cookie", cookie)
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("got %s %s, want 303", resp.Status, body)
	}
	env.moveClock("2028-08-02T12:00:00Z")
	got := map[string]int{}
	for _, m := range env.outbox() {
		got[m.To]++
	}
	if got["ada+2028-08-31@acme.example"] != 2 || got["ada+2028-09-30@acme.example"] != 1 ||
		got["sales@vendor.example"] != 1 {
		t.Errorf("got emails by recipient %v", got)
	}
}

// TestSoftBounceIsOnTheOverviewAndTheEmailIsSentAgain follows a reminder that comes back because the mailbox is full.
func TestSoftBounceIsOnTheOverviewAndTheEmailIsSentAgain(t *testing.T) {
	for _, said := range []string{"returned", "delayed"} {
		env := newTestEnv(t, localdata.Dir(t.TempDir()))
		env.moveClock("2028-06-01T12:00:00Z")
		env.importLicenses("2028-08-31")
		env.moveClock("2028-07-01T12:00:00Z")
		first := env.outbox()[0]
		for range 2 {
			resp, body := env.postForm("/_local/outbox/"+first.ID+"/report", url.Values{"said": {said}})
			if resp.StatusCode != http.StatusSeeOther {
				t.Fatalf("%s: got %s %s, want 303", said, resp.Status, body)
			}
		}
		cookie := env.signIn("sam")
		_, body := env.do("GET", "/console/overview", "", "", "Cookie", cookie)
		if rows := document(t, body).Find("section[aria-labelledby=reports-title] tbody tr"); rows.Length() != 1 ||
			!strings.Contains(rows.Text(), "mailbox full") {
			t.Errorf("%s: got %q on the overview, want the return", said, rows.Text())
		}
		if n := len(env.outbox()); n != 1 {
			t.Errorf("%s: got %d emails at once, want 1", said, n)
		}
		env.moveClock("2028-07-02T13:00:00Z")
		if mails := env.outbox(); len(mails) != 2 || mails[0].To != first.To || mails[0].Subject == "" {
			t.Errorf("%s: got emails %+v a day later, want the reminder again", said, mails)
		}
	}
}

func TestEventsAtRandomFollowTheClock(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	for share, want := range map[string]int{"2": 400, "x": 400, "-0.1": 400, "NaN": 400, "": 303, "0": 303} {
		if resp, _ := env.postForm("/_local/outbox", url.Values{"share": {share}}); resp.StatusCode != want {
			t.Errorf("share %q: got %s, want %d", share, resp.Status, want)
		}
	}
	if resp, _ := env.postForm("/_local/outbox", url.Values{"share": {" 0 "}}); resp.StatusCode != 303 {
		t.Fatal(resp.Status)
	}
	if got := env.page("/_local/outbox").Find("#share").AttrOr("value", ""); got != "0" {
		t.Errorf("got the share %q on the page, want 0", got)
	}
	env.moveClock("2028-06-01T12:00:00Z")
	env.importLicenses("2028-08-31")
	env.moveClock("2028-07-01T12:00:00Z")
	env.moveClock("2028-07-01T12:01:00Z")
	cookie := env.signIn("sam")
	_, body := env.do("GET", env.licensePage(env.outbox()[0]), "", "", "Cookie", cookie)
	if mails := document(t, body).Find("section[aria-labelledby=mails-title] tbody tr"); mails.Length() != 1 ||
		!strings.Contains(mails.Text(), "Delivered") {
		t.Errorf("got emails %q, want the reminder delivered", mails.Text())
	}
	// Whatever happens to the emails of a year, the worker goes on.
	if resp, _ := env.postForm("/_local/outbox", url.Values{"share": {"1"}}); resp.StatusCode != 303 {
		t.Fatal(resp.Status)
	}
	env.importLicenses("2028-10-31", "2028-11-30", "2028-12-31")
	env.moveClock("2029-01-15T12:00:00Z")
	if n := len(env.outbox()); n < 7 {
		t.Errorf("got %d emails in a year, want at least the seven reminders", n)
	}
}
