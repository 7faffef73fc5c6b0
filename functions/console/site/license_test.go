package site

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

func day(s string) license.Date {
	d, err := license.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func (w *testEnv) license(id string) store.LicenseRecord {
	w.t.Helper()
	l, err := w.store.License(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func TestLicensePageShowsStatus(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*license.License)
		want   string
	}{
		{"far from its end", func(l *license.License) { l.Expiration = day("2019-03-05") }, "Active"},
		{"two months before", func(l *license.License) { l.Expiration = day("2018-05-05") }, "Expires in 61 days"},
		{"tomorrow", func(l *license.License) { l.Expiration = day("2018-03-06") }, "Expires tomorrow"},
		{"on its last day", func(l *license.License) { l.Expiration = day("2018-03-05") }, "Expires today"},
		{"the day after", func(l *license.License) { l.Expiration = day("2018-03-04") }, "Expired"},
		{"before its first day", func(l *license.License) {
			l.NotBefore, l.Expiration = day("2018-03-06"),
				day("2019-03-05")
		}, "Not yet valid"},
		{"followed", func(l *license.License) { l.Successor = "l2"; l.Expiration = day("2018-04-05") },
			"Active, renewed"},
		{"revoked", func(l *license.License) { l.Revoked = start; l.Expiration = day("2018-03-04") }, "Revoked"},
		{"replaced", func(l *license.License) { l.Revoked, l.ReplacedBy = start, "l2" }, "Replaced"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTestEnv(t)
			l := sampleLicense("l1", day("2019-03-05"))
			l.NotBefore = license.Date{}
			tt.change(&l)
			w.record(l)
			if got := webtest.Text(w.get(vera,
				"/console/licenses/l1").WantStatus(200).Page().Find(".head .state")); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLicenseKeyCanBeCopiedAndDownloaded(t *testing.T) {
	w := newTestEnv(t)
	l := sampleLicense("l1", day("2018-08-31"))
	w.record(l)
	page := w.get(sam, "/console/licenses/l1").WantStatus(200)
	if strings.Contains(page.Body, l.KeyText) {
		t.Error("the page of the license has the key, which the audit does not tell")
	}
	shown := w.get(sam, page.Page().Find("a[href$='/key/text']").AttrOr("href", "")).WantStatus(200).Page()
	webtest.CheckPage(t, shown)
	if got := shown.Find("pre.key").Text(); got != l.KeyText {
		t.Errorf("got key %q", got)
	}
	if page := w.get(vera, "/console/licenses/l1").WantStatus(200); strings.Contains(page.Body, l.KeyText) ||
		page.Page().Find("a[href*='/key']").Length() > 0 {
		t.Error("a viewer sees the key")
	}
	for _, path := range []string{"/key", "/key/text"} {
		w.get(vera, "/console/licenses/l1"+path).WantStatus(403)
	}
	file := w.get(sam, "/console/licenses/l1/key").WantStatus(200)
	if file.Body != l.KeyText+"\n" || file.Header.Get("Content-Type") != "text/plain; charset=us-ascii" ||
		file.Header.Get("Content-Disposition") != `attachment; filename="license-l1.txt"` {
		t.Errorf("got file %q, %v", file.Body, file.Header)
	}
	l.ID, l.KeyText = "l2", ""
	w.record(l)
	w.get(sam, "/console/licenses/l2/key").WantStatus(404)
	l2 := w.get(sam, "/console/licenses/l2").WantStatus(200).Page()
	if l2.Find("form[action$='/send-key']").Length() > 0 {
		t.Error("a missing key can be resent")
	}
	w.send(sam, "/console/licenses/l2/send-key", w.filled("/console/licenses/l2")).WantStatus(404)
	w.get(vera, "/console/licenses/L1").WantStatus(200)
}

func TestKeyIsResentOncePerForm(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	l := sampleLicense("l1", day("2018-08-31"))
	l.Request = r.ID
	w.record(l)
	page := "/console/licenses/l1"
	form := with(w.snapshot(page), "to", "john@customer.example")
	for range 3 {
		w.send(sam, page+"/send-key", form).WantRedirect(page + "?done=send-key")
	}
	mails, err := w.store.MailsAbout(t.Context(), "l1", 10)
	if err != nil || len(mails) != 1 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	m := w.letter(mails[0].ID)
	if m.Kind != mail.LicenseKey || m.To.Email != "john@customer.example" || !strings.Contains(m.Text, l.KeyText) ||
		!strings.HasPrefix(m.Subject, "Resent: ") {
		t.Errorf("the mail is %s to %s: %s", m.Kind, m.To, m.Subject)
	}
	doc := w.get(vera, page).Page()
	const want = "License key john@customer.example Queued It has waited less than a minute in the queue for urgent emails. " +
		"05 Mar 2018, 09:30 UTC"
	if got := webtest.Text(doc.Find("section[aria-labelledby=mails-title] tbody tr")); got != want {
		t.Errorf("the page lists %q", got)
	}
	w.send(sam, page+"/send-key", with(w.snapshot(page), "to", "john@customer.example")).WantStatus(303)
	w.send(sam, page+"/send-key", with(w.snapshot(page), "to",
		"stranger@evil.example")).WantStatus(http.StatusBadRequest)
	if n := len(w.pendingMails()); n != 4 { // with the two about the request
		t.Errorf("%d mails", n)
	}
}

func TestTwoPeopleResendKeyToDifferentContactsAtOnce(t *testing.T) {
	w := newTestEnv(t)
	l := sampleLicense("l1", day("2018-08-31"))
	l.KeyText = "Rm9ybWF0PTE="
	w.record(l, license.Contact{Email: "john@customer.example"}, license.Contact{Email: "mary@customer.example"})
	page := "/console/licenses/l1"
	seen := w.snapshot(page)
	w.send(sam, page+"/send-key", with(seen, "to", "john@customer.example")).WantStatus(303)
	w.send(lucia, page+"/send-key", sameSnapshot(seen, "to", "mary@customer.example")).WantStatus(303)
	w.send(lucia, page+"/send-key", sameSnapshot(seen, "to", "mary@customer.example")).WantStatus(303)
	if n := len(w.pendingMails()); n != 2 {
		t.Errorf("%d mails", n)
	}
	timeline := webtest.Text(w.get(vera, page).Page().Find(".timeline"))
	for _, want := range []string{"mary@customer.example", "john@customer.example"} {
		if strings.Count(timeline, want) != 1 {
			t.Errorf("got timeline %q, want each recipient once", timeline)
		}
	}
}

// fact returns what the page of a license says under a label; "" if it says nothing.
func (w *testEnv) fact(page, label string) (value string) {
	w.t.Helper()
	w.get(vera, page).WantStatus(200).Page().Find(".facts div").Each(func(_ int, fact *goquery.Selection) {
		if webtest.Text(fact.Find("dt")) == label {
			value = webtest.Text(fact.Find("dd"))
		}
	})
	return value
}

func TestRemindersArePausedWithAReasonAndResumed(t *testing.T) {
	w := newTestEnv(t)
	w.record(sampleLicense("l1", day("2018-08-31")))
	page := "/console/licenses/l1"
	const next = "30 Jun 2018, 2 months before, to Jane Doe jane.doe@customer.example"
	if got := w.fact(page, "Next reminder"); got != next {
		t.Errorf("got next reminder %q, want %q", got, next)
	}
	first := with(w.snapshot(page), "reason", "They decide in July.", "until", "2018-07-10")
	for range 2 {
		w.send(sam, page+"/mute", first).WantRedirect(page + "?done=mute")
	}
	const later = "11 Jul 2018, 2 months before, to Jane Doe jane.doe@customer.example"
	if got := w.fact(page, "Next reminder"); got != later {
		t.Errorf("got next reminder %q, want %q", got, later)
	}
	const paused = "Through 10 Jul 2018, by sam@vendor.example on 05 Mar 2018, 09:30 UTC: They decide in July."
	if got := w.fact(page, "Reminders paused"); !strings.HasSuffix(got, paused) {
		t.Errorf("got %q, want %q", got, paused)
	}
	timeline := webtest.Text(w.get(vera, page).Page().Find(".timeline"))
	if n := strings.Count(timeline, "They decide in July. (through 10 Jul 2018)"); n != 1 {
		t.Errorf("got timeline %q, want once why and how long reminders are paused", timeline)
	}
	w.send(sam, page+"/unmute", w.snapshot(page)).WantRedirect(page + "?done=unmute")
	w.send(sam, page+"/unmute", w.snapshot(page)).WantRedirect(page + "?done=unmute")
	if got := w.fact(page, "Next reminder") + w.fact(page, "Reminders paused"); got != next {
		t.Errorf("got next reminder %q", got)
	}
	told := w.send(lucia, page+"/mute", first).WantStatus(http.StatusConflict).Page()
	if got := webtest.Text(told.Find("#trouble")); !strings.Contains(got, "reminders paused · "+emails[sam]) ||
		!strings.Contains(got, "reminders resumed · "+emails[sam]) {
		t.Errorf("Lucía got the message %q", got)
	}
	w.send(sam, page+"/mute", with(w.snapshot(page), "reason", "They left us.")).WantStatus(303)
	if got := w.fact(page, "Next reminder"); got != "None: the reminders are paused" {
		t.Errorf("got next reminder %q", got)
	}
	if got := w.fact(page, "Reminders paused"); !strings.HasPrefix(got, "Until resumed, by ") {
		t.Errorf("got %q, want that reminders are paused until resumed", got)
	}
}

func TestPausingNeedsAReasonAndADayThatMakesSense(t *testing.T) {
	w := newTestEnv(t)
	w.record(sampleLicense("l1", day("2018-08-31")))
	page := "/console/licenses/l1"
	basis := w.snapshot(page)
	for _, tt := range []struct{ reason, until, wrong string }{
		{"", "", "#reason-error"}, {" ", "2018-04-01", "#reason-error"}, {strings.Repeat("x", maxReason+1), "", "#reason-error"},
		{"Budget cut.", "2018-03-04", "#until-error"}, {"Budget cut.", "2018-09-01", "#until-error"},
		{"Budget cut.", "2117-04-01", "#until-error"},
		{"Budget cut.", "next week", "#until-error"}, {"Budget cut.", "2018-02-30", "#until-error"},
	} {
		doc := w.send(sam, page+"/mute", with(basis, "reason", tt.reason, "until",
			tt.until)).WantStatus(http.StatusUnprocessableEntity).Page()
		if webtest.Text(doc.Find(tt.wrong)) == "" ||
			doc.Find("details[open] #reason").AttrOr("value", "") != tt.reason ||
			doc.Find("#until").AttrOr("value", "") != tt.until {
			t.Errorf("%q, %q: got no error %s, or not what was typed", tt.reason, tt.until, tt.wrong)
		}
	}
	if m := w.license("l1").License.Mute; m != (license.Mute{}) {
		t.Errorf("got %+v, want nothing paused", m)
	}
	w.send(sam, page+"/mute", with(basis, "reason", "Budget cut.", "until", "2018-03-06")).WantStatus(303)
	w.advance(48 * time.Hour)
	doc := w.get(sam, page).Page()
	if doc.Find("form[action$='/unmute']").Length() != 0 || doc.Find("form[action$='/mute']").Length() != 1 {
		t.Error("the pause is over, want that it can be paused again")
	}
}

func TestPauseMayEndOnTheLastDayOfReminders(t *testing.T) {
	today, expiration := day("2018-08-31"), day("2018-08-31")
	for name, tt := range map[string]struct {
		extra string
		last  license.Date
	}{
		"the promise":        {"", expiration},
		"with a stage after": {"7d-after", day("2018-09-14")},
	} {
		p, err := reminder.ParsePolicy(tt.extra)
		if err != nil {
			t.Fatal(err)
		}
		last := p.Last(license.License{Type: license.Production, Expiration: expiration})
		for until, want := range map[license.Date]bool{
			today.AddDays(-1): false, today: true, tt.last: true, tt.last.AddDays(1): false,
		} {
			typed := map[string]string{"reason": "Budget", "until": until.String()}
			_, _, f, ok := readPause(func(name string) string { return typed[name] }, today, last)
			if ok != want || (f.Until.Error == "") != want {
				t.Errorf("%s, until %v: got %v, %q, want %v", name, until, ok, f.Until.Error, want)
			}
			if until.After(last) && !strings.Contains(f.Until.Error, "up to "+tt.last.Long()) {
				t.Errorf("%s: got %q, want it to name %v", name, f.Until.Error, tt.last)
			}
		}
	}
}

func TestNextReminderSaysWhyThereIsNone(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*license.License)
		want   string
	}{
		"renewed": {func(l *license.License) { l.Successor = "l2" }, "None: the license has been renewed"},
		"revoked": {func(l *license.License) { l.Revoked = start }, "None: the license was revoked"},
		"expired": {func(l *license.License) { l.Expiration = day("2018-03-04") }, "None: the license has expired"},
		"begins too late": {func(l *license.License) { l.Expiration = day("2018-03-20") },
			"None: the license term is too short for a reminder"},
		"paused past its last": {func(l *license.License) {
			l.Mute = license.Mute{By: emails[sam], At: start, Reason: "Budget", Until: day("2018-08-31")}
		}, "None: reminders are paused through 31 Aug 2018, when none is left to send"},
		"evaluation": {func(l *license.License) { l.Type, l.Expiration = license.Evaluation, day("2018-03-30") },
			"23 Mar 2018, 7 days before, to Jane Doe jane.doe@customer.example"},
		"last day": {func(l *license.License) { l.Type, l.Expiration = license.Evaluation, day("2018-03-06") },
			"06 Mar 2018, the last day, to Jane Doe jane.doe@customer.example"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t)
			l := sampleLicense("l1", day("2018-08-31"))
			tt.change(&l)
			w.record(l)
			if got := w.fact("/console/licenses/l1", "Next reminder"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRetiredInstanceHasNoNextReminder(t *testing.T) {
	w := newTestEnv(t)
	l := w.record(sampleLicense("l1", day("2018-08-31"))).License
	a, err := w.store.Account(t.Context(), l.Customer)
	w.must(err)
	change := store.AccountChange{Customer: l.Customer, Version: a.Version, By: emails[sam]}
	w.must(w.store.RetireInstance(t.Context(), change, l.Instance, true))
	if got := w.fact("/console/licenses/l1", "Next reminder"); got != "None: the instance was retired" {
		t.Errorf("got %q", got)
	}
}

func TestWhoUnsubscribedIsShownAndResumed(t *testing.T) {
	w := newTestEnv(t)
	w.record(sampleLicense("l1", day("2018-05-04")))
	page := "/console/licenses/l1"
	digest := w.remind("l1", reminder.MonthsBefore(2), sampleContacts[0])
	w.must(w.store.Unsubscribe(t.Context(), w.mail(digest)))
	const want = "04 Apr 2018, 1 month before: not sent, because jane.doe@customer.example unsubscribed on 05 Mar 2018; " +
		"nobody else is reminded"
	if got := w.fact(page, "Next reminder"); got != want {
		t.Errorf("got next reminder %q, want %q", got, want)
	}
	const gone = "jane.doe@customer.example on 05 Mar 2018, 09:30 UTC"
	if got := w.fact(page, "Unsubscribed from reminders"); got != gone {
		t.Errorf("got %q, want %q", got, gone)
	}
	form := with(w.snapshot(page), "to", "jane.doe@customer.example")
	if w.get(vera, page).Page().Find("form[action$='/resubscribe']").Length() != 0 {
		t.Error("a viewer can resume reminders")
	}
	w.send(vera, page+"/resubscribe", form).WantStatus(403)
	for range 2 {
		w.send(sam, page+"/resubscribe", form).WantRedirect(page + "?done=resubscribe")
	}
	const again = "04 Apr 2018, 1 month before, to Jane Doe jane.doe@customer.example"
	if got := w.fact(page, "Next reminder"); got != again || w.fact(page, "Unsubscribed from reminders") != "" {
		t.Errorf("got next reminder %q, want %q", got, again)
	}
	timeline := webtest.Text(w.get(vera, page).Page().Find(".timeline"))
	if strings.Count(timeline, "reminders to the contact resumed") != 1 {
		t.Errorf("got timeline %q, want once that reminders resumed", timeline)
	}
}

func TestRevokedLicenseOffersNoResumption(t *testing.T) {
	w := newTestEnv(t)
	l := w.record(sampleLicense("l1", day("2018-05-04"))).License
	page := "/console/licenses/l1"
	w.must(w.store.Unsubscribe(t.Context(), w.mail(w.remind("l1", reminder.MonthsBefore(2), sampleContacts[0]))))
	forms := func() int {
		return w.get(sam, page).WantStatus(200).Page().Find("form[action$='/resubscribe']").Length()
	}
	if n := forms(); n != 1 {
		t.Errorf("got %d forms that resume reminders, want one", n)
	}
	change := store.LicenseChange{ID: l.ID, Version: w.license(l.ID).Version, By: emails[sam]}
	w.must(w.store.RevokeLicense(t.Context(), change, "They left us."))
	if n := forms(); n != 0 {
		t.Errorf("got %d forms that resume reminders of a revoked license, want none", n)
	}
}

func TestLastReminderIsNamedWhenNoneIsLeft(t *testing.T) {
	w := newTestEnv(t)
	w.record(sampleLicense("l1", day("2018-04-05")))
	w.remind("l1", reminder.MonthsBefore(1), sampleContacts[0])
	if got := w.fact("/console/licenses/l1", "Next reminder"); got != "None; the last one was due 05 Mar 2018" {
		t.Errorf("got next reminder %q", got)
	}
}

func TestEmailsOfALicenseIncludeItsReminders(t *testing.T) {
	w := newTestEnv(t)
	w.record(w.numbered(1, day("2018-05-04")))
	id := w.remind("l1", reminder.MonthsBefore(2), sampleContacts[0])
	page := "/console/licenses/l1"
	doc := w.get(sam, page).Page()
	if cell := mailCell(doc, "Reminder, 2 months before"); cell.Length() != 1 {
		t.Errorf("got emails %q, want the reminder", webtest.Text(doc.Find(".mails")))
	}
	w.sendMail(id)
	link := mailCell(w.get(sam, page).Page(), "Reminder, 2 months before").Find("a").AttrOr("href", "")
	if !strings.HasPrefix(link, page+"/mails/"+id) {
		t.Errorf("got link %q to the email", link)
	}
	w.get(sam, link).WantStatus(200)
	w.record(w.numbered(3, day("2019-05-04")))
	w.get(sam, strings.Replace(link, "/l1/", "/l3/", 1)).WantStatus(404)
}

func TestEmailThatLeftALicenseOutSaysWhy(t *testing.T) {
	due := []notice.Due{{License: "l1", Stage: reminder.DaysBefore(7)}, {License: "l2", Stage: reminder.DaysBefore(7)},
		{License: "l3", Stage: reminder.DaysBefore(0)}}
	m := outbox.Mail{Notice: notice.Notice{Kind: mail.LicenseExpiring, Due: due},
		State: outbox.State{Omitted: map[string]string{"l2": "the license has been renewed"}}}
	for id, want := range map[string][2]string{
		"l1": {"Reminder, 7 days before, with 1 other license", ""},
		"l2": {"Reminder, 7 days before", "The email left this license out: the license has been renewed."},
		"l3": {"Reminder, on the last day, with 1 other license", ""},
		"l4": {"Reminder", ""},
	} {
		row := mailRow{Name: "Reminder"}
		row.sayDue(m, id)
		if got := [2]string{row.Name, row.Left}; got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
	}
}

func TestNextKeyIsOfferedFromTheFirstReminderOn(t *testing.T) {
	w := newTestEnv(t)
	w.underLongerContract(sampleLicense("l1", day("2018-05-20")), day("2020-12-31"))
	page := "/console/licenses/l1"
	if doc := w.get(sam, page).Page(); doc.Find("#next-key").Length() != 0 {
		t.Error("two weeks before the first reminder, got the next key")
	}
	*w.now = day("2018-03-20").Start()
	doc := w.get(sam, page).Page()
	link := doc.Find("#next-key + p a")
	if got := webtest.Text(link); !strings.HasPrefix(got, "Next key under K-") {
		t.Fatalf("got actions %q, want the next key", webtest.Text(doc.Find(".tasks")))
	}
	form := w.get(sam, link.AttrOr("href", "")).WantStatus(200).Page()
	if got := form.Find("input[name=expiration]").AttrOr("value", ""); got <= "2018-05-20" {
		t.Errorf("got the form with %q as last day, want it filled in", got)
	}
	if doc := w.get(vera, page).Page(); doc.Find("#next-key").Length() != 0 {
		t.Error("a viewer is offered the next key")
	}
}

// underLongerContract records a license of a contract that goes on after it.
func (w *testEnv) underLongerContract(l license.License, last license.Date) {
	w.t.Helper()
	i, err := storetest.Draft(w.t.Context(), w.store.Store, l, sampleContacts...)
	w.must(err)
	i.Imported, i.Contracts[0].Last = true, last
	w.must(w.store.IssueLicenses(w.t.Context(), i))
}

// numbered returns a license of a number, of a server of its own.
func (w *testEnv) numbered(n int, expiration license.Date) license.License {
	l := sampleLicense(fmt.Sprintf("l%d", n), expiration)
	l.Server = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9%03d", n))
	return l
}

func TestRevokingNeedsReasonAndConfirmation(t *testing.T) {
	w := newTestEnv(t)
	w.record(sampleLicense("l1", day("2018-08-31")))
	page := "/console/licenses/l1/revoke"
	basis := w.snapshot(page)
	for _, tt := range []struct{ reason, sure, wrong string }{
		{"Unpaid.", "", "#sure-error"}, {"Unpaid.", "no", "#sure-error"}, {"", "yes", "#reason-error"},
		{strings.Repeat("x", maxText+1), "yes", "#reason-error"},
	} {
		doc := w.send(sam, page, with(basis, "reason", tt.reason, "sure",
			tt.sure)).WantStatus(http.StatusUnprocessableEntity).Page()
		if webtest.Text(doc.Find(tt.wrong)) == "" {
			t.Errorf("%q, %q: %s is missing", tt.reason, tt.sure, tt.wrong)
		}
		if got := strings.TrimPrefix(doc.Find("#reason").Text(), "\n"); got != tt.reason {
			t.Errorf("got text %q, want %q", got, tt.reason)
		}
	}
	if !w.license("l1").License.Revoked.IsZero() {
		t.Fatal("the license was revoked without confirmation")
	}
	form := with(basis, "reason", "Unpaid.", "sure", "yes")
	for range 2 {
		w.send(sam, page, form).WantRedirect("/console/licenses/l1?done=revoke")
	}
	if l := w.license("l1").License; l.RevokedReason != "Unpaid." || !l.Revoked.Equal(start) {
		t.Errorf("the license is %+v", l)
	}
	told := w.send(lucia, page, sameSnapshot(basis, "reason", "Stolen.", "sure",
		"yes")).WantStatus(http.StatusConflict).Page()
	if got := webtest.Text(told.Find("#trouble")); !strings.Contains(got, "license revoked · "+emails[sam]) ||
		!strings.Contains(got, "Stolen.") {
		t.Errorf("Lucía got the message %q", got)
	}
	if got := offered(w.get(sam, "/console/licenses/l1").Page()); len(got) != 0 {
		t.Errorf("a revoked license offers %q", got)
	}
	w.send(sam, "/console/licenses/l1/send-key",
		sameSnapshot(basis, "to", "john@customer.example")).WantStatus(http.StatusConflict)
}

func TestRevokedLicenseLinksToTheNextStep(t *testing.T) {
	w := newTestEnv(t)
	l := sampleLicense("l1", license.Date{Year: 2018, Month: 8, Day: 31})
	l.Mute = license.Mute{By: emails[sam], At: start, Reason: "Budget cut."}
	w.record(l)
	l.ID = "l2"
	w.record(l)
	if err := w.store.RevokeLicense(t.Context(), store.LicenseChange{ID: "l1", Version: 1, By: emails[sam]},
		"Stolen."); err != nil {
		t.Fatal(err)
	}
	next := sampleLicense("l3", l.Expiration)
	w.issue(next, func(i *store.Issue) { i.Replaces = []string{"l2"} })
	for id, to := range map[string]string{"l1": "/console/licenses/new?serverId=" + string(l.Server),
		"l2": "/console/licenses/l3"} {
		tasks := w.get(sam, "/console/licenses/"+id).WantStatus(200).Page().Find(".tasks")
		if tasks.Find("form").Length() > 0 || tasks.Find("a").Length() != 1 ||
			tasks.Find("a").AttrOr("href", "") != to {
			t.Errorf("%s: got actions %q", id, webtest.Text(tasks))
		}
	}
}

func TestKeyOfExpiredLicenseIsNotResent(t *testing.T) {
	w := newTestEnv(t)
	today := license.DateOf(start)
	w.record(sampleLicense("today", today))
	w.record(sampleLicense("over", today.AddDays(-1)))
	for id, status := range map[string]int{"today": http.StatusSeeOther, "over": http.StatusConflict} {
		page := "/console/licenses/" + id
		offered := w.get(sam, page).Page().Find("form[action$='/send-key']").Length() > 0
		if offered != (status == http.StatusSeeOther) {
			t.Errorf("%s: got resend button: %v", id, offered)
		}
		w.send(sam, page+"/send-key", with(w.snapshot(page), "to", "john@customer.example")).WantStatus(status)
	}
}

func TestLicensesOfAMonthArePaged(t *testing.T) {
	w := newTestEnv(t)
	for i := range 120 {
		l := sampleLicense(fmt.Sprintf("l%03d", i), day("2018-08-01").AddDays(i%31))
		l.Server, l.Organization = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9%03d", i)), l.ID
		w.record(l)
	}
	var names []string
	for next := "/console/licenses?expires=2018-08"; next != ""; {
		doc := w.get(vera, next).WantStatus(200).Page()
		names = append(names, listed(doc)...)
		next = doc.Find("a[rel=next]").AttrOr("href", "")
	}
	if slices.Sort(names); len(slices.Compact(names)) != 120 {
		t.Errorf("%d licenses", len(names))
	}
	for _, path := range []string{"/console/licenses?expires=2018-9", "/console/licenses?expires=%00",
		"/console/licenses?after=%00", "/console/licenses"} {
		if h1 := webtest.Text(w.get(vera,
			path).WantStatus(200).Page().Find("h1")); h1 != "Licenses expiring in March 2018" {
			t.Errorf("%s: %q", path, h1)
		}
	}
	december := w.get(vera, "/console/licenses?expires=2018-12").Page()
	if december.Find("a[href='/console/licenses?expires=2019-01']").Length() != 1 {
		t.Error("December has no link to January")
	}
}
