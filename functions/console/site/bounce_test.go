package site

import (
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

// bounce records what the mail provider reports about an email.
func (w *testEnv) bounce(id string, o outbox.Outcome, detail string) {
	w.t.Helper()
	_, err := w.store.RecordReport(w.t.Context(), outbox.Report{Mail: id, ProviderID: "c", Outcome: o, Detail: detail})
	if err != nil {
		w.t.Fatal(err)
	}
}

// mailed records a license and sends its key to the first contact.
func (w *testEnv) mailed() (id string) {
	w.t.Helper()
	l := sampleLicense("l1", day("2018-08-31"))
	w.record(l)
	page := "/console/licenses/l1"
	w.send(sam, page+"/send-key", with(w.snapshot(page), "to", sampleContacts[0].Email)).WantStatus(303)
	mails, err := w.store.MailsAbout(w.t.Context(), "l1", 10)
	if err != nil || len(mails) != 1 {
		w.t.Fatalf("%d mails, %v", len(mails), err)
	}
	return mails[0].ID
}

func rows(doc *goquery.Document, section string) (list []string) {
	doc.Find("section[aria-labelledby=" + section +
		"] tbody tr").Each(func(_ int, s *goquery.Selection) { list = append(list, webtest.Text(s)) })
	return list
}

const scripted = `smtp; 550 <script>alert(1)</script>`

func TestBounceIsShownOnLicenseAndOverview(t *testing.T) {
	w := newTestEnv(t)
	id := w.mailed()
	w.bounce(id, outbox.Bounced, scripted)
	doc := w.get(vera, "/console/licenses/l1").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	if got := webtest.Text(doc.Find("section[aria-labelledby=timeline-title] li").Eq(1)); !strings.HasPrefix(got,
		"email bounced · 05 Mar") || !strings.Contains(got, "jane.doe@customer.example: "+scripted) {
		t.Errorf("got timeline %q", got)
	}
	if got := webtest.Text(doc.Find("section[aria-labelledby=record-title]")); !strings.Contains(got,
		"Jane Doe jane.doe@customer.example Bounced no emails since 05 Mar 2018, john@customer.example") {
		t.Errorf("got contacts %q", got)
	}
	mails := rows(doc, "mails-title")
	if len(mails) != 2 || !strings.Contains(mails[0], "License key jane.doe@customer.example") ||
		!strings.Contains(mails[1], "License key john@customer.example Queued") {
		t.Errorf("got emails %q", mails)
	}
	if doc.Find("#unreached").Length() > 0 || doc.Find("form[action$='/lift']").Length() > 0 {
		t.Error("a viewer sees actions, or the notice of an unreachable customer")
	}

	doc = w.get(vera, "/console/overview").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	if got := rows(doc, "reports-title"); len(got) != 1 ||
		!strings.HasPrefix(got[0], "License keyjane.doe@customer.exampleBounced"+scripted) {
		t.Errorf("got reports %q on the overview", got)
	}
	if to := doc.Find("section[aria-labelledby=reports-title] a").AttrOr("href", ""); to != "/console/licenses/l1" {
		t.Errorf("got link to %s, want the license", to)
	}
	if got := webtest.Text(doc.Find("dl.figures")); !strings.Contains(got,
		"Undelivered or unwanted emails, last 30 days1") {
		t.Errorf("got figures %q", got)
	}
}

func TestDelayedEmailIsOnTheOverviewUntilItArrives(t *testing.T) {
	w := newTestEnv(t)
	id := w.mailed()
	w.bounce(id, outbox.Delayed, "greylisted")
	got := rows(w.get(vera, "/console/overview").WantStatus(200).Page(), "reports-title")
	if len(got) != 1 || !strings.Contains(got[0], "Delayedgreylisted") {
		t.Errorf("got %q, want one delayed email", got)
	}
	w.bounce(id, outbox.Delivered, "")
	if got := rows(w.get(vera, "/console/overview").Page(), "reports-title"); len(got) != 0 {
		t.Errorf("got %q after it arrived, want none", got)
	}
}

func TestUnreachableCustomerIsListedUntilEmailsResume(t *testing.T) {
	w := newTestEnv(t)
	id := w.mailed()
	w.bounce(id, outbox.Bounced, "")
	mails, err := w.store.MailsAbout(t.Context(), "l1", 10)
	if err != nil {
		t.Fatal(err)
	}
	w.bounce(mails[1].ID, outbox.Complained, "abuse")
	page := "/console/licenses/l1"
	if doc := w.get(sam, page).Page(); doc.Find("#unreached").Length() != 1 ||
		doc.Find("form[action$='/lift']").Length() != 2 {
		t.Error("the page lacks the notice of an unreachable customer, or a form to resume emails")
	}
	if w.get(vera, page).Page().Find("#unreached").Length() != 1 {
		t.Error("a viewer does not see the notice")
	}
	if got := rows(w.get(sam, "/console/overview").Page(), "unreached-title"); len(got) != 1 ||
		!strings.HasPrefix(got[0], "Customer & Sons") {
		t.Errorf("got reports %q on the overview", got)
	}
	form := with(w.snapshot("/console/licenses/l1/revoke"), "to", "john@customer.example")
	if doc := w.send(sam, page+"/send-key",
		form).WantStatus(409).Page(); !strings.Contains(webtest.Text(doc.Find("#trouble")),
		"We no longer email john@customer.example because") {
		t.Errorf("resending the key to a suppressed address: got %q", webtest.Text(doc.Find("#trouble")))
	}
	for _, email := range []string{"", "stranger@evil.example"} {
		w.send(sam, page+"/lift", url.Values{"to": {email}, "reason": {"ok"}}).WantStatus(400)
	}
	w.send(sam, page+"/lift", url.Values{"to": {"john@customer.example"}}).WantStatus(400)
	resume := url.Values{"to": {"john@customer.example"}, "reason": {"He called"}}
	w.send(vera, page+"/lift", resume).WantStatus(403)
	for range 2 {
		w.send(sam, page+"/lift", resume).WantRedirect(page + "?done=lift")
	}
	doc := w.get(sam, page+"?done=lift").Page()
	if doc.Find("#unreached").Length() != 0 || webtest.Text(doc.Find("[role=status]")) != emailsResumed ||
		doc.Find("form[action$='/lift']").Length() != 1 {
		t.Errorf("after resuming emails: got %q", webtest.Text(doc.Find("main")))
	}
	w.send(sam, page+"/send-key", with(w.snapshot("/console/licenses/l1/revoke"), "to",
		"john@customer.example")).WantStatus(303)
	timeline := webtest.Text(doc.Find("section[aria-labelledby=timeline-title]"))
	if strings.Count(timeline, "emails to the address resumed · sam@vendor.example") != 1 {
		t.Errorf("got timeline %q", timeline)
	}
	if got := rows(w.get(sam, "/console/overview").Page(), "unreached-title"); len(got) != 0 {
		t.Errorf("got %q on the overview, want none", got)
	}
}

func TestBounceOfRequestEmailIsShownOnTheRequest(t *testing.T) {
	w := newTestEnv(t)
	r := w.fileUnconfirmed(sampleDetails)
	page := "/console/requests/" + r.ID
	w.sendMail(r.ID + "--received")
	w.bounce(r.ID+"--received", outbox.Returned, "MailboxFull")
	doc := w.get(sam, page).Page()
	if got := rows(doc, "mails-title"); len(got) != 2 || !strings.Contains(got[0],
		"Did not arrive The receiving server sent it back. The address may still work. "+
			"We will send it again on 06 Mar 2018, 09:30 UTC. MailboxFull") ||
		doc.Find("form[action$='/lift']").Length() > 0 {
		t.Errorf("got emails %q", got)
	}
	w.bounce(r.ID+"--received", outbox.Bounced, scripted)
	doc = w.get(sam, page).Page()
	webtest.CheckPage(t, doc)
	want := "Request confirmation jane.doe@customer.example Bounced"
	if got := rows(doc, "mails-title"); !strings.Contains(got[0], want) {
		t.Errorf("got emails %q", got)
	}
	if got := webtest.Text(doc.Find("section[aria-labelledby=who-title]")); !strings.Contains(got,
		"jane.doe@customer.example Bounced no emails since 05 Mar 2018") {
		t.Errorf("got requester %q", got)
	}
	if to := w.get(sam, "/console/overview").Page().Find("section[aria-labelledby=reports-title] a").AttrOr("href",
		""); to != page {
		t.Errorf("got link to %s, want the request", to)
	}
	resume := url.Values{"to": {sampleDetails.Email}, "reason": {"She called"}}
	w.send(sam, page+"/lift", resume).WantRedirect(page + "?done=lift")
	if doc := w.get(sam, page+"?done=lift").Page(); webtest.Text(doc.Find("[role=status]")) != emailsResumed ||
		doc.Find("form[action$='/lift']").Length() > 0 {
		t.Errorf("after resuming emails: got %q", webtest.Text(doc.Find("main")))
	}
}

func TestListOfUnconfirmedRequestsHasNoPage(t *testing.T) {
	w := newTestEnv(t)
	r, _, err := storetest.FileUnconfirmed(t.Context(), w.store, sampleDetails, "")
	w.must(err)
	_, err = w.store.TellUnconfirmed(t.Context())
	w.must(err)
	list := notice.RequestsUnconfirmed([]request.Summary{r.Summary()}, license.DateOf(*w.now))
	w.sendMail(list.ID)
	w.bounce(list.ID, outbox.Bounced, "mailbox full")
	doc := w.get(sam, "/console/overview").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	row := doc.Find("section[aria-labelledby=reports-title] tbody tr")
	links := row.Find("a").Length()
	if got := webtest.Text(row); !strings.Contains(got, "Unconfirmed requests (to sales)") || links > 0 {
		t.Errorf("got the row %q with %d links, want the email without one", got, links)
	}
	events, err := w.store.RequestTimeline(t.Context(), list.About)
	if w.must(err); len(events) > 0 {
		t.Errorf("got the timeline %+v of no request", events)
	}
}
