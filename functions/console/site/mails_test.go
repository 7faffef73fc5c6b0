package site

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web/webtest"
)

// report records what the mail provider reports about an email.
func (w *testEnv) report(r outbox.Report) {
	w.t.Helper()
	r.ProviderID = "c"
	if _, err := w.store.RecordReport(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
}

// begin marks a queued email as being sent.
func (w *testEnv) begin(id string) outbox.Mail {
	w.t.Helper()
	m, err := w.store.Outbox().Begin(w.t.Context(), w.mail(id), 1, w.letter(id))
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *testEnv) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestPageSaysWhatBecameOfAnEmail(t *testing.T) {
	for name, tt := range map[string]struct {
		happens func(w *testEnv, id string)
		badge   string
		says    []string // the status, in this order
		lacks   string
	}{
		"queued": {func(w *testEnv, _ string) { w.advance(3 * time.Minute) }, "Queued",
			[]string{"3 min", "urgent"}, ""},
		"sending": {func(w *testEnv, id string) { w.begin(id) }, "Sending",
			[]string{"handing it to the email provider"}, ""},
		"paused": {func(w *testEnv, id string) {
			w.must(w.store.Outbox().Pause(w.t.Context(), w.begin(id), "connection refused", w.now.Add(time.Hour), true))
		}, "Paused", []string{"try again on 05 Mar 2018, 10:30 UTC", "connection refused"}, "attempts"},
		"in doubt": {func(w *testEnv, id string) {
			w.must(w.store.Outbox().Doubt(w.t.Context(), w.begin(id), "timeout", w.now.Add(5*time.Minute)))
		}, "Maybe sent", []string{"wait for its answer until 05 Mar 2018, 09:35 UTC", "timeout"}, "more than once"},
		"sent after a doubt": {func(w *testEnv, id string) {
			w.must(w.store.Outbox().Doubt(w.t.Context(), w.begin(id), "timeout", w.now.Add(5*time.Minute)))
			w.sendMail(id)
		}, "Sent", []string{"provider accepted it", "2 attempts", "more than once"}, "timeout"},
		"failed": {func(w *testEnv, id string) {
			w.must(w.store.Outbox().Fail(w.t.Context(), w.begin(id), "refused for good"))
		}, "Failed", []string{"We gave up", "refused for good", "Try again"}, "Send again"},
		"pointless": {func(w *testEnv, id string) {
			w.must(w.store.Outbox().Drop(w.t.Context(), w.mail(id), "the question is no longer open"))
		}, "Not sent", []string{"No longer needed: the question is no longer open."}, "Send again"},
		"sent": {func(w *testEnv, id string) { w.sendMail(id) }, "Sent", []string{"not confirmed it yet", "Send again"},
			"attempts"},
		"delivered": {func(w *testEnv, id string) {
			w.sendMail(id)
			w.report(outbox.Report{Mail: id, Outcome: outbox.Delivered, At: w.now.Add(time.Minute), Detail: "250 ok"})
		}, "Delivered", []string{"The receiving server accepted it on 05 Mar 2018, 09:31 UTC.", "250 ok"}, "read"},
		"delayed": {func(w *testEnv, id string) {
			w.sendMail(id)
			w.report(outbox.Report{Mail: id, Outcome: outbox.Delayed, Detail: "greylisted"})
		}, "Delayed", []string{"keeps trying", "greylisted"}, ""},
		"delayed, then delivered": {func(w *testEnv, id string) {
			w.sendMail(id)
			w.report(outbox.Report{Mail: id, Outcome: outbox.Delayed, Detail: "greylisted"})
			w.report(outbox.Report{Mail: id, Outcome: outbox.Delivered})
		}, "Delivered", []string{"accepted it."}, "keeps trying"},
		"absence note": {func(w *testEnv, id string) {
			w.sendMail(id)
			w.report(outbox.Report{Mail: id, Outcome: outbox.Delivered})
			w.report(outbox.Report{Mail: id, Outcome: outbox.Returned, Detail: "General"})
		}, "Delivered", []string{"out-of-office reply"}, "sent it back"},
		"returned": {func(w *testEnv, id string) {
			w.sendMail(id)
			w.report(outbox.Report{Mail: id, Outcome: outbox.Delivered})
			w.report(outbox.Report{Mail: id, Outcome: outbox.Returned, Status: "5.2.2", Detail: "mailbox full"})
		}, "Did not arrive", []string{"sent it back", "mailbox full"}, "absence"},
		"bounced": {func(w *testEnv, id string) {
			w.sendMail(id)
			w.report(outbox.Report{Mail: id, Outcome: outbox.Bounced, Detail: "user unknown"})
		}, "Bounced", []string{"no longer write to it", "user unknown"}, ""},
		"complained": {func(w *testEnv, id string) {
			w.sendMail(id)
			w.report(outbox.Report{Mail: id, Outcome: outbox.Delivered})
			w.report(outbox.Report{Mail: id, Outcome: outbox.Complained})
		}, "Marked as spam", []string{"no longer write to this address"}, ""},
		"refused": {func(w *testEnv, id string) {
			w.sendMail(id)
			w.report(outbox.Report{Mail: id, Outcome: outbox.Refused, Detail: "virus"})
		}, "Rejected by the email provider", []string{"did not send it", "virus"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t)
			asked := w.review(w.file(sampleDetails), request.Waiting)
			id := notice.RequestQuestion(asked, asked.Version-1).ID
			tt.happens(w, id)
			doc := w.get(sam, "/console/requests/"+asked.ID).WantStatus(200).Page()
			webtest.CheckPage(t, doc)
			cell := mailCell(doc, "Question")
			if got := webtest.Text(cell.Find(".state")); got != tt.badge {
				t.Errorf("got badge %q, want %q", got, tt.badge)
			}
			text := webtest.Text(cell)
			rest := text
			for _, want := range tt.says {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Errorf("got %q, want %q in it", text, want)
				}
				rest = after
			}
			if tt.lacks != "" && strings.Contains(text, tt.lacks) {
				t.Errorf("got %q, want no %q", text, tt.lacks)
			}
			seen := mailCell(w.get(vera, "/console/requests/"+asked.ID).WantStatus(200).Page(), "Question")
			if seen.Find("form, a").Length() > 0 || webtest.Text(seen.Find(".state")) != tt.badge {
				t.Errorf("a viewer sees %q, want the status without actions", webtest.Text(seen))
			}
		})
	}
}

// mailCell finds the status of an email in the list of a page.
func mailCell(doc *goquery.Document, name string) *goquery.Selection {
	rows := doc.Find("section[aria-labelledby=mails-title] tbody tr")
	named := func(_ int, s *goquery.Selection) bool { return webtest.Text(s.Find("th")) == name }
	return rows.FilterFunction(named).First().Find("td").Eq(1)
}

// TestPageSaysWhatFollowedFromAnEmailThatDidNotArrive has the emails that the store queues then.
func TestPageSaysWhatFollowedFromAnEmailThatDidNotArrive(t *testing.T) {
	at := time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)
	l := sampleLicense("l1", day("2018-04-30"))
	key := outbox.Mail{Notice: notice.LicenseKey([]license.License{l}, sampleContacts[0]), State: outbox.State{Status: outbox.Sent},
		Reports: []outbox.Report{{Outcome: outbox.Returned, Status: "4.4.7"}}}
	follows := func(n notice.Notice, s outbox.State) outbox.Mail { return outbox.Mail{Notice: n, State: s} }
	for name, tt := range map[string]struct {
		later outbox.Mail
		want  string
	}{
		"to be repeated": {follows(key.Repeated(), outbox.State{Status: outbox.Waiting, NotBefore: at}),
			"We will send it again on 05 Mar 2018, 09:30 UTC."},
		"repeated": {follows(key.Repeated(), outbox.State{Status: outbox.Sent, Closed: at}),
			"We sent it again on 05 Mar 2018, 09:30 UTC."},
		"not repeated": {follows(key.Repeated(), outbox.State{Status: outbox.Pointless, Cause: "it was revoked"}),
			"We did not send it again: it was revoked."},
		"failed again": {follows(key.Repeated(), outbox.State{Status: outbox.Failed}), "We could not send it again."},
		"next contact": {follows(key.ToContact(sampleContacts[1]), outbox.State{}),
			"We wrote to the next contact instead: john@customer.example."},
		"nobody left": {follows(notice.LicenseUnreached(l), outbox.State{}),
			"No other contact can be reached, so we told sales."},
		"something else": {follows(notice.LicensesExpiring("c1", day("2018-03-05"), sampleContacts[0], 1),
			outbox.State{}), ""},
	} {
		badge, text := mailStatus(key, []outbox.Mail{tt.later}, at)
		const before = "The receiving server sent it back. The address may still work."
		got := strings.TrimSpace(strings.TrimPrefix(text, before))
		if badge.Text != "Did not arrive" || got != tt.want {
			t.Errorf("%s: got %s, %q, want %q", name, badge.Text, text, tt.want)
		}
	}
	told := key
	told.Notice = notice.LicenseRevoked(l, "unpaid", "sam").ToContact(sampleContacts[0])
	also := follows(told.ToContact(sampleContacts[1]), outbox.State{})
	if _, text := mailStatus(told, []outbox.Mail{also}, at); strings.Contains(text, "instead") {
		t.Errorf("got %q of an email that every contact gets, want nobody in its reader's place", text)
	}
	again := follows(key.Repeated(), outbox.State{Status: outbox.Waiting, NotBefore: at.Add(time.Hour)})
	if badge, text := mailStatus(again, nil, at); badge.Text != "Scheduled" || !strings.Contains(text, "10:30 UTC") {
		t.Errorf("repetition: got %s, %q, want when it is sent", badge.Text, text)
	}
}

func TestFailedEmailIsTriedAgainFromItsPages(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	id := notice.RequestReceived(r).ID
	w.failMail(id, "no such host")
	action := mailCell(w.get(sam, page).Page(), "Request confirmation").Find("form").AttrOr("action", "")
	form := w.snapshot(page)
	for range 2 {
		w.send(sam, action, form).WantRedirect(page + "?done=try-again")
	}
	if m := w.mail(id); m.State.Status != outbox.Waiting {
		t.Errorf("got status %s, want it queued", m.State.Status)
	}
	doc := w.get(sam, page+"?done=try-again").Page()
	if got := webtest.Text(doc.Find("[role=status]")); got != "The email was queued and will be sent shortly." {
		t.Errorf("got message %q", got)
	}
	const want = "failed email tried again · sam@vendor.example"
	timeline := webtest.Text(doc.Find("section[aria-labelledby=timeline-title]"))
	if strings.Count(timeline, want) != 1 || !strings.Contains(timeline, "Request confirmation to jane.doe@") {
		t.Errorf("got timeline %q, want once who tried which email again", timeline)
	}
	w.send(vera, action, form).WantStatus(403)
	w.send(sam, page+"/mails/l1--key/try-again", form).WantStatus(404)
	w.send(sam, page+"/mails/"+r.ID+"--none/try-again", form).WantStatus(404)
}

func TestFailedEmailsAreTriedAgainFromTheOverview(t *testing.T) {
	w := newTestEnv(t)
	for range 3 {
		r := w.file(sampleDetails)
		w.expand(notice.RequestConfirmed(r).ID)
		w.failMail(notice.RequestNew(r).ID, "no such host")
	}
	failed := func(who string) *goquery.Selection {
		doc := w.get(who, "/console/overview").WantStatus(200).Page()
		webtest.CheckPage(t, doc)
		return doc.Find("section[aria-labelledby=failed-title]")
	}
	if failed(vera).Find("form").Length() > 0 {
		t.Error("a viewer sees “Try again”")
	}
	one := failed(sam).Find("tbody form").First()
	mailID := one.Find("input[name=mail]").AttrOr("value", "")
	w.send(vera, "/console/overview/try-again", url.Values{"mail": {mailID}}).WantStatus(403)
	w.send(sam, "/console/overview/try-again", url.Values{"mail": {mailID}}).
		WantRedirect("/console/overview?done=try-again")
	left := failed(sam).Find("tbody tr").Length()
	if m := w.mail(mailID); m.State.Status != outbox.Waiting || left != 2 {
		t.Errorf("got status %s and %d failed emails, want one less", m.State.Status, left)
	}
	all := failed(sam).Find("form:has(input[name=all])")
	w.send(sam, all.AttrOr("action", ""), url.Values{"all": {"yes"}}).
		WantRedirect("/console/overview?done=try-all")
	doc := w.get(sam, "/console/overview?done=try-all").Page()
	const want = "The failed emails were queued and will be sent shortly."
	if got := webtest.Text(doc.Find("[role=status]")); got != want {
		t.Errorf("got message %q", got)
	}
	if n := failed(sam).Find("tbody tr").Length(); n != 0 {
		t.Errorf("got %d failed emails, want none", n)
	}
}

func TestSentEmailIsSentAgainUnlessItHasNoPoint(t *testing.T) {
	w := newTestEnv(t)
	asked := w.review(w.file(sampleDetails), request.Waiting)
	page := "/console/requests/" + asked.ID
	id := notice.RequestQuestion(asked, asked.Version-1).ID
	w.sendMail(id)
	action := mailCell(w.get(sam, page).Page(), "Question").Find("form").AttrOr("action", "")
	form, before := w.snapshot(page), len(w.pendingMails())
	for range 2 {
		w.send(sam, action, form).WantRedirect(page + "?done=send-again")
	}
	if n := len(w.pendingMails()); n != before+1 {
		t.Errorf("got %d emails, want one more than %d", n, before)
	}
	w.review(asked, request.InReview)
	answer := w.send(sam, action, w.snapshot(page)).WantStatus(409).Page()
	if got := webtest.Text(answer.Find("#trouble")); !strings.Contains(got, "the question is no longer open") {
		t.Errorf("got %q, want why the email was not sent again", got)
	}
	if n := len(w.pendingMails()); n != before+1 {
		t.Errorf("got %d emails, want no further one", n)
	}

	l := sampleLicense("l1", day("2018-05-04"))
	w.record(l)
	reminder := w.remind("l1", reminder.MonthsBefore(2), sampleContacts[0])
	w.sendMail(reminder)
	page = "/console/licenses/l1"
	action = page + "/mails/" + reminder + "/send-again"
	w.send(sam, action, w.snapshot(page)).WantRedirect(page + "?done=send-again")
	w.send(sam, page+"/mute", with(w.snapshot(page), "reason", "They told us.")).WantStatus(303)
	answer = w.send(sam, action, w.snapshot(page)).WantStatus(409).Page()
	if got := webtest.Text(answer.Find("#trouble")); !strings.Contains(got, "paused") {
		t.Errorf("got %q, want that reminders are paused", got)
	}
	if k := w.mail(reminder).Kind; k != mail.LicenseExpiring {
		t.Errorf("got kind %s", k)
	}
}

// due returns a license as the daily run finds it.
func (w *testEnv) due(id string) store.Due {
	w.t.Helper()
	recorded, err := w.store.License(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return store.Due{LicenseRecord: recorded}
}

// remind queues the reminder of a license as the daily run does, and returns the ID of its email.
func (w *testEnv) remind(id string, stage reminder.Stage, to license.Contact) string {
	w.t.Helper()
	due := w.due(id)
	d := w.store.NewDigest(due.License.Customer, license.DateOf(*w.now), to, *w.now, 0)
	w.must(w.store.RecordReminder(w.t.Context(), due, store.Reminding{Stage: stage, Digest: d}))
	w.must(d.Release(w.t.Context()))
	mails, err := w.store.MailsAbout(w.t.Context(), id, maxMails)
	w.must(err)
	for _, m := range mails {
		if m.Kind == mail.LicenseExpiring && m.To.Email == to.Email {
			return m.ID
		}
	}
	w.t.Fatalf("no reminder of license %s is queued", id)
	return ""
}

func TestSentEmailCanBeOpenedBySales(t *testing.T) {
	w := newTestEnv(t)
	l := sampleLicense("l1", day("2018-08-31"))
	w.record(l)
	page := "/console/licenses/l1"
	w.send(sam, page+"/send-key", with(w.snapshot(page), "to", sampleContacts[0].Email)).WantStatus(303)
	mails, err := w.store.MailsAbout(t.Context(), "l1", 10)
	if err != nil || len(mails) != 1 {
		t.Fatalf("got emails %+v, %v, want one", mails, err)
	}
	w.must(w.store.Outbox().Pause(t.Context(), w.begin(mails[0].ID), "busy", w.now.Add(time.Minute), true))
	w.sendMail(mails[0].ID)
	links := mailCell(w.get(sam, page).Page(), "License key").Find("a")
	if links.Length() != 2 {
		t.Fatalf("got %d links, want one for each attempt", links.Length())
	}
	links.Each(func(_ int, link *goquery.Selection) {
		to := link.AttrOr("href", "")
		a := w.get(sam, to).WantStatus(200)
		doc := a.Page()
		webtest.CheckPage(t, doc)
		if !strings.Contains(doc.Find("pre.mail").Text(), l.KeyText) ||
			webtest.Text(doc.Find("h1")) != w.letter(mails[0].ID).Subject {
			t.Errorf("%s: got no key, or the subject %q", to, webtest.Text(doc.Find("h1")))
		}
		if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-src 'self'") {
			t.Errorf("%s: got the policy %q", to, csp)
		}
		frame := doc.Find("iframe[sandbox='allow-popups allow-popups-to-escape-sandbox']").AttrOr("src", "")
		html := w.get(sam, frame).WantStatus(200)
		if csp := html.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox ") ||
			!strings.Contains(html.Body, l.KeyText) {
			t.Errorf("%s: got the policy %q, or no key", frame, csp)
		}
		w.get(vera, to).WantStatus(403)
		w.get(vera, frame).WantStatus(403)
	})
	if !strings.Contains(w.log.String(), "sent email opened") || strings.Contains(w.log.String(), l.KeyText) {
		t.Error("the log lacks who opened the email, or has the key")
	}
	for _, missing := range []string{"l1--key/1", mails[0].ID + "/3", mails[0].ID + "/0", mails[0].ID + "/x",
		"l2--key/1"} {
		w.get(sam, page+"/mails/"+missing).WantStatus(404)
		w.get(sam, page+"/mails/"+missing+"/html").WantStatus(404)
	}
}

func TestAddressThatGetsNoConfirmationsIsShown(t *testing.T) {
	w := newTestEnv(t)
	r := w.fileUnconfirmed(sampleDetails)
	id := notice.RequestReceived(r).ID
	w.sendMail(id)
	w.report(outbox.Report{Mail: id, Outcome: outbox.Complained})
	doc := w.get(sam, "/console/requests/"+r.ID).WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	if got := webtest.Text(doc.Find("section[aria-labelledby=who-title]")); !strings.Contains(got,
		"Marked as spam no confirmations since 05 Mar 2018") {
		t.Errorf("got requester %q", got)
	}
	doc = w.get(vera, "/console/overview").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	if got := rows(doc, "suppressed-title"); len(got) != 1 ||
		got[0] != "jane.doe@customer.exampleConfirmations onlyMarked as spam05 Mar 2018, 09:30 UTC" {
		t.Errorf("got suppressed addresses %q", got)
	}
}

func TestOverviewTellsHowTheOutboxIsDoing(t *testing.T) {
	w := newTestEnv(t)
	w.file(sampleDetails)
	w.review(w.file(sampleDetails), request.Waiting)
	lease, err := w.store.Outbox().Acquire(t.Context(), time.Minute)
	w.must(err)
	lease.Provider.CountSent(*w.now, 42)
	lease.Provider.PerDay = 200
	lease.Provider.Outage = outbox.Outage{Class: "503", Mails: []string{"a", "b", "c"}, Since: *w.now,
		NextProbe: w.now.Add(8 * time.Minute)}
	w.must(lease.Release(t.Context()))
	doc := w.get(vera, "/console/overview").WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	got := webtest.Text(doc.Find("section[aria-labelledby=outbox-title]"))
	for _, want := range []string{"questions, answers1", "emails to sales4", "Reminders0", "attempt0",
		"24 hours42 of 200 allowed"} {
		if !strings.Contains(got, want) {
			t.Errorf("got outbox %q, want %q in it", got, want)
		}
	}
	const want = "The email provider has accepted no emails since 05 Mar 2018, 09:30 UTC."
	if got := webtest.Text(doc.Find("#outage")); !strings.HasPrefix(got, want) ||
		!strings.Contains(got, "again on 05 Mar 2018, 09:38 UTC") || !strings.Contains(got, "503") {
		t.Errorf("got outage %q", got)
	}
}
