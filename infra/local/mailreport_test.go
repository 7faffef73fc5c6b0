package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"marketplace/infra/localdata"
)

// TestBounceReachesTheConsole: a reminder that bounced is a task for sales, since the license has one
// contact; the console shows it, sales let mail go there again, and the next reminder is sent.
func TestBounceReachesTheConsole(t *testing.T) {
	env := newTestEnv(t, localdata.Dir(t.TempDir()))
	env.moveClock("2028-06-01T12:00:00Z")
	env.importLicenses("2028-08-31", "2028-09-30")
	env.moveClock("2028-07-01T12:00:00Z")
	mails := env.outbox()
	if len(mails) != 1 {
		t.Fatalf("mails %+v", mails)
	}
	report := func(said string, want int) {
		t.Helper()
		if resp, body := env.postForm("/_local/outbox/"+mails[0].ID+"/report",
			url.Values{"said": {said}}); resp.StatusCode != want {
			t.Fatalf("%s: %s %s", said, resp.Status, body)
		}
	}
	buttons := env.page("/_local/outbox/" + mails[0].ID).Find("form[action$='/report'] button")
	if buttons.Length() != len(feedbackEvents) {
		t.Errorf("%d buttons", buttons.Length())
	}
	report("lost", http.StatusBadRequest)
	report("delayed", http.StatusSeeOther)
	if n := len(env.outbox()); n != 1 {
		t.Errorf("a full mailbox made %d mails", n)
	}
	report("bounced", http.StatusSeeOther)
	report("bounced", http.StatusSeeOther)
	report("complained", http.StatusSeeOther)
	after := env.outbox()
	if len(after) != 2 || after[0].Kind != "license-unreached" || after[0].To != "sales@vendor.example" {
		t.Fatalf("mails %+v", after)
	}

	cookie := env.signIn("sam")
	page := "/console/licenses/" + mails[0].About
	see := func(target string) string {
		t.Helper()
		resp, body := env.do("GET", target, "", "", "Cookie", cookie)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", target, resp.Status)
		}
		return body
	}
	overview := document(t, see("/console/overview"))
	if n, m := overview.Find("section[aria-labelledby=reports-title] tbody tr").Length(),
		overview.Find("section[aria-labelledby=unreached-title] tbody tr").Length(); n != 2 || m != 1 {
		t.Errorf("the overview lists %d reports and %d customers", n, m)
	}
	if !strings.Contains(see(page), "user unknown") {
		t.Error("the license does not say why")
	}
	resp, body := env.do("POST", page+"/lift", "application/x-www-form-urlencoded",
		url.Values{"to": {mails[0].To}}.Encode(), "Cookie", cookie)
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", resp.Status, body)
	}
	env.moveClock("2028-08-02T12:00:00Z")
	got := map[string]int{}
	for _, m := range env.outbox() {
		got[m.To]++
	}
	if got["ada+2028-08-31@acme.example"] != 2 || got["ada+2028-09-30@acme.example"] != 1 ||
		got["sales@vendor.example"] != 1 {
		t.Errorf("mails by reader: %v", got)
	}
}
