package site

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
	"marketplace/shared/web/webtest"
)

// What mail programs send (RFC 8058 §3.1), in both encodings.
const (
	urlencoded        = "application/x-www-form-urlencoded"
	oneClickBody      = "List-Unsubscribe=One-Click"
	ofParts           = "multipart/form-data; boundary=b"
	multipartOneClick = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
)

// stopLink returns the link that stops the reminders of a digest, within the site.
func stopLink(m outbox.Mail) string { return stopLinkOf(m.ID, m.Nonce) }

func stopLinkOf(mailID, nonce string) string {
	return "/reminders/stop?" + url.Values{"mail": {mailID}, "token": {nonce}}.Encode()
}

// press sends what a mail program does when its user presses “Unsubscribe”.
func (env *testEnv) press(at string, header ...string) *webtest.Answer {
	env.t.Helper()
	return env.do("POST", at, oneClickBody, append([]string{"Content-Type", urlencoded}, header...)...)
}

// unsubscribed returns those of the licenses from whose reminders a contact has unsubscribed.
func (env *testEnv) unsubscribed(to license.Contact, ids ...string) (list []string) {
	env.t.Helper()
	for _, id := range ids {
		gone, err := env.store.Unsubscribed(env.t.Context(), id)
		if err != nil {
			env.t.Fatal(err)
		}
		is := func(u store.Unsubscription) bool { return input.SameMailbox(u.Email, to.Email) }
		if slices.ContainsFunc(gone, is) {
			list = append(list, id)
		}
	}
	return list
}

// stopsTold returns the emails that tell sales of stopped reminders.
func (env *testEnv) stopsTold() []outbox.Mail {
	env.t.Helper()
	mails, err := env.store.MailsAbout(env.t.Context(), storetest.CustomerID("Acme Corporation"), 1000)
	if err != nil {
		env.t.Fatal(err)
	}
	return slices.DeleteFunc(mails, func(m outbox.Mail) bool { return m.Kind != mail.RemindersStopped })
}

// stops counts what the timeline of a license says about stopped and resumed reminders.
func (env *testEnv) stops(id string) (stopped, resumed int) {
	env.t.Helper()
	r, err := env.store.License(env.t.Context(), id)
	if err != nil {
		env.t.Fatal(err)
	}
	events, _, err := env.store.LicenseTimeline(env.t.Context(), r.License)
	if err != nil {
		env.t.Fatal(err)
	}
	for _, e := range events {
		switch e.Action {
		case store.Unsubscribed:
			stopped++
		case store.Resubscribed:
			resumed++
		}
	}
	return stopped, resumed
}

// licenses puts n licenses on record that expire in two months, each of a server of its own.
func (env *testEnv) licenses(n int) (ids []string) {
	env.t.Helper()
	for i := range n {
		r := env.sold(func(l *license.License) {
			l.ID, l.Server = fmt.Sprintf("01c7wnn8g0%016d", i), license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf%04d", i))
		})
		ids = append(ids, r.License.ID)
	}
	return ids
}

func TestMailProgramStopsRemindersWithOnePost(t *testing.T) {
	env := newTestEnv(t)
	ids := env.licenses(2)
	m := env.digest(ada, ids...)
	for name, tt := range map[string]struct {
		contentType, body string
		header            []string
	}{
		"a form":            {urlencoded, oneClickBody, nil},
		"with a charset":    {urlencoded + "; charset=utf-8", oneClickBody, nil},
		"of parts":          {ofParts, multipartOneClick, nil},
		"from another site": {urlencoded, oneClickBody, []string{"Origin", "https://mail.example"}},
		"in a frame":        {urlencoded, oneClickBody, []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}},
	} {
		a := env.do("POST", stopLink(m), tt.body, append(tt.header, "Content-Type", tt.contentType)...).WantStatus(200)
		if a.Header.Get("Location") != "" || len(a.Cookies()) > 0 {
			t.Errorf("%s: got a redirect or a cookie: %v", name, a.Header)
		}
		if got := env.unsubscribed(ada, ids...); !slices.Equal(got, ids) {
			t.Errorf("%s: got unsubscribed %v, want %v", name, got, ids)
		}
		doc := a.Page()
		webtest.CheckPage(t, doc)
		if h1 := webtest.Text(doc.Find("h1")); h1 != "You will get no more reminders about these licenses" {
			t.Errorf("%s: got the title %q", name, h1)
		}
		env.send(stopLink(m), url.Values{"resume": {"yes"}}).WantStatus(200)
		if got := env.unsubscribed(ada, ids...); got != nil {
			t.Errorf("%s: got unsubscribed %v after resuming", name, got)
		}
	}
}

func TestOnlyTheStopLinkTakesFormsFromAnyOrigin(t *testing.T) {
	for _, route := range (&site{}).routes() {
		if want := route.Pattern == "POST /reminders/stop"; route.AnyOrigin != want {
			t.Errorf("%s: got AnyOrigin %v, want %v", route.Pattern, route.AnyOrigin, want)
		}
	}
}

func TestAnythingElseStopsNothing(t *testing.T) {
	env := newTestEnv(t)
	m := env.digest(ada, env.sold(nil).License.ID)
	inQuery := stopLink(m) + "&" + oneClickBody
	for name, tt := range map[string]struct {
		at, contentType, body string
		status                int
	}{
		"no body":            {stopLink(m), "", "", 422},
		"an empty form":      {stopLink(m), urlencoded, "", 422},
		"words in the query": {inQuery, urlencoded, "", 422},
		"another value":      {stopLink(m), urlencoded, "List-Unsubscribe=Yes", 422},
		"another field":      {stopLink(m), urlencoded, "unsubscribe=One-Click", 422},
		"no type":            {stopLink(m), "", oneClickBody, 422},
		"text":               {stopLink(m), "text/plain", oneClickBody, 422},
		"JSON":               {stopLink(m), "application/json", `{"List-Unsubscribe":"One-Click"}`, 422},
		"cut parts":          {stopLink(m), ofParts, multipartOneClick[:70], 422},
		"too large":          {stopLink(m), urlencoded, oneClickBody + "&x=" + strings.Repeat("x", 1<<20), 413},
	} {
		a := env.do("POST", tt.at, tt.body, "Content-Type", tt.contentType).WantStatus(tt.status)
		if tt.status == 422 && a.Page().Find("main form, #List-Unsubscribe-error").Length() != 2 {
			t.Errorf("%s: got no page that says what to do:\n%s", name, a.Body)
		}
		if tt.status == 422 {
			webtest.CheckPage(t, a.Page())
		}
	}
	for _, method := range []string{"GET", "HEAD"} {
		env.do(method, inQuery, "").WantStatus(200)
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		env.do(method, stopLink(m), oneClickBody, "Content-Type", urlencoded).WantStatus(405)
	}
	if got := env.unsubscribed(ada, licenseID); got != nil || len(env.stopsTold()) > 0 {
		t.Errorf("got unsubscribed %v, and sales told %v", got, env.stopsTold())
	}
}

func TestScannerNeitherStopsNorResumesReminders(t *testing.T) {
	env := newTestEnv(t)
	m := env.digest(ada, env.sold(nil).License.ID)
	for _, stopped := range []bool{false, true} {
		if stopped {
			env.press(stopLink(m)).WantStatus(200)
		}
		scanner := webtest.Scanner{Client: webtest.Client{T: t, Site: env.site}, SiteURL: siteURL}
		scanner.Scan(env.letterOf(m))
		scanner.Open(siteURL + stopLink(m))
		ours := func(at string) bool { return strings.HasPrefix(at, "/reminders/stop") }
		if !slices.ContainsFunc(scanner.Submitted, ours) {
			t.Errorf("got forms %v, want that of the page", scanner.Submitted)
		}
		if got := len(env.unsubscribed(ada, licenseID)) > 0; got != stopped {
			t.Errorf("a scanner made unsubscribed %v of %v", got, stopped)
		}
	}
}

// letterOf returns the text of a reminder; "" if it has no point any more.
func (env *testEnv) letterOf(m outbox.Mail) string {
	env.t.Helper()
	records, err := env.store.Records(env.t.Context(), m.Notice)
	if err != nil {
		env.t.Fatal(err)
	}
	if m.Pointless(records) != "" {
		return ""
	}
	return env.write(m).Text
}

func TestOnlyTheWholeLinkStopsReminders(t *testing.T) {
	env := newTestEnv(t)
	sold := env.sold(nil)
	m, bobs := env.digest(ada, licenseID), env.digest(bob, licenseID)
	if err := env.store.SendKeyAgain(t.Context(), licenseID, storetest.By, ada, "n1"); err != nil {
		t.Fatal(err)
	}
	key := env.mailTo(mail.LicenseKey, licenseID, ada)
	strange := key.Again("n2")
	strange.Nonce = m.Nonce
	c := env.store.Table().Begin()
	env.store.Outbox().Queue(c, strange)
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	undo, _ := url.Parse(env.removed(ada, undoNonce, ada))
	wrong := map[string]string{
		"nothing":               "/reminders/stop",
		"no token":              stopLinkOf(m.ID, ""),
		"a guessed token":       stopLinkOf(m.ID, "QX4C7D2WJ5T3VAZLQK2M6YHN3E"),
		"another contact's":     stopLinkOf(m.ID, bobs.Nonce),
		"another email":         stopLinkOf(bobs.ID, m.Nonce),
		"the license":           stopLinkOf(licenseID, m.Nonce),
		"the customer":          stopLinkOf(sold.License.Customer, m.Nonce),
		"the end of the email":  stopLinkOf(m.What(), m.Nonce),
		"no email":              stopLinkOf("", m.Nonce),
		"a long email":          stopLinkOf(strings.Repeat("x", 5000), m.Nonce),
		"another partition":     stopLinkOf("../x--y", m.Nonce),
		"a key":                 stopLinkOf(key.ID, ""),
		"a key, with the token": stopLinkOf(strange.ID, m.Nonce),
		"a removal":             stopLinkOf(undo.Query().Get("mail"), undoNonce),
		"a removal, whole":      stopLinkOf(sold.License.Customer+"--"+undo.Query().Get("mail"), undoNonce),
	}
	var first string
	for name, at := range wrong {
		opened, pressed := env.get(at).WantStatus(404), env.press(at).WantStatus(404)
		resumed := env.send(at, url.Values{"resume": {"yes"}}).WantStatus(404)
		for _, a := range []*webtest.Answer{opened, pressed, resumed} {
			text := webtest.Text(a.Page().Find("main"))
			if first == "" {
				first = text
			}
			if text != first {
				t.Errorf("%s: got %q, want what every wrong link gets: %q", name, text, first)
			}
		}
	}
	if got := append(env.unsubscribed(ada, licenseID), env.unsubscribed(bob, licenseID)...); len(got) > 0 {
		t.Errorf("got unsubscribed %v, want nobody", got)
	}
	for name, at := range map[string]string{
		"quoted-printable":  "/reminders/stop?mail=3D" + m.ID + "&token=3D" + m.Nonce,
		"half decoded":      "/reminders/stop?mail==3D" + m.ID + "&token==3D" + m.Nonce,
		"full stop":         stopLink(m) + ".",
		"another parameter": stopLink(m) + "&utm_source=mail",
	} {
		if got := env.get(at).StatusCode; got != 200 {
			t.Errorf("%s: got status %d, want 200", name, got)
		}
	}
}

func TestStoppingConcernsTheLettersLicensesAndItsReader(t *testing.T) {
	env := newTestEnv(t)
	ids := env.licenses(4)
	bobs := env.digest(bob, ids...)
	m := env.digest(ada, ids[:3]...)
	m.State.Omitted = map[string]string{ids[0]: "the reminders are paused", ids[1]: "the reminders are paused"}
	if _, err := env.store.Outbox().Begin(t.Context(), m, 1, mail.Message{ID: m.ID}); err != nil {
		t.Fatal(err)
	}
	env.press(stopLink(m)).WantStatus(200)
	if got := env.unsubscribed(ada, ids...); !slices.Equal(got, ids[2:3]) {
		t.Errorf("got unsubscribed %v, want the license that the letter named", got)
	}
	if got := env.unsubscribed(bob, ids...); got != nil {
		t.Errorf("got bob unsubscribed from %v by ada's letter", got)
	}
	text := webtest.Text(env.get(stopLink(m)).WantStatus(200).Page().Find("table"))
	if strings.Contains(text, "0000") || strings.Contains(text, "0001") || !strings.Contains(text, "0002") {
		t.Errorf("got the licenses %s, want the one that the letter named", text)
	}
	env.get("/renew/" + ids[0] + "?" + url.Values{"mail": {m.ID}, "token": {m.Nonce}}.Encode()).WantStatus(404)

	// The email is repeated a day later, and names one more.
	again := m.Repeated()
	c := env.store.Table().Begin()
	env.store.Outbox().Queue(c, again)
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := env.store.Outbox().Read(t.Context(), again.ID)
	if err != nil {
		t.Fatal(err)
	}
	second.State.Omitted = map[string]string{ids[0]: "the reminders are paused"}
	if _, err := env.store.Outbox().Begin(t.Context(), second, 1, mail.Message{ID: second.ID}); err != nil {
		t.Fatal(err)
	}
	env.get("/renew/" + ids[1] + "?" + url.Values{"mail": {m.ID}, "token": {m.Nonce}}.Encode()).WantStatus(200)
	if !strings.Contains(env.get(stopLink(m)).Body, "on</td>") {
		t.Error("got no license whose reminders are on, want the one that the repetition names")
	}
	env.press(stopLink(m)).WantStatus(200)
	if got := env.unsubscribed(ada, ids...); !slices.Equal(got, ids[1:3]) {
		t.Errorf("got unsubscribed %v, want what the two letters named", got)
	}
	env.press(stopLink(bobs)).WantStatus(200)
	if got := env.unsubscribed(bob, ids...); !slices.Equal(got, ids) {
		t.Errorf("got unsubscribed %v, want all", got)
	}
}

func TestLettersThatOverlapAreStoppedOneByOne(t *testing.T) {
	env := newTestEnv(t)
	ids := env.licenses(3)
	first := env.digest(ada, ids[:2]...)
	env.press(stopLink(first)).WantStatus(200)
	second := env.digest(ada, ids[2])
	second.Due = append(first.Due, second.Due...)
	again := second.Again("n1") // names all three
	c := env.store.Table().Begin()
	env.store.Outbox().Queue(c, again)
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := stopLinkOf(again.ID, again.Nonce)
	page := env.get(at).WantStatus(200).Page()
	if forms := page.Find("main form").Length(); forms != 2 {
		t.Errorf("got %d forms, want one that stops the rest and one that resumes the stopped ones", forms)
	}
	webtest.CheckPage(t, page)
	for form, want := range map[string]string{"": "List-Unsubscribe-error", "resume": "resume-error"} {
		page := env.send(at, url.Values{"form": {form}}).WantStatus(422).Page()
		wrong := page.Find("[id$=-error]")
		if wrong.Length() != 1 || wrong.AttrOr("id", "") != want || page.Find("#errors li").Length() != 1 {
			t.Errorf("form %q without a tick: got %d errors, the first %q, want only %q", form, wrong.Length(),
				wrong.AttrOr("id", ""), want)
		}
		webtest.CheckPage(t, page)
	}
	if name := page.Find("button[name=form][value=resume]").Length(); name != 1 {
		t.Errorf("got %d buttons that name the form that resumes, want one", name)
	}
	env.press(at).WantStatus(200)
	if got := env.unsubscribed(ada, ids...); !slices.Equal(got, ids) {
		t.Errorf("got unsubscribed %v, want all", got)
	}
	env.send(stopLink(first), url.Values{"resume": {"yes"}}).WantStatus(200)
	if got := env.unsubscribed(ada, ids...); !slices.Equal(got, ids[2:]) {
		t.Errorf("got unsubscribed %v, want what only the second letter named", got)
	}
}

func TestStopPageHasNoFormWithoutReminders(t *testing.T) {
	const over = "There are no more reminders about "
	for name, tt := range map[string]struct {
		licenses int
		later    time.Duration
		omitted  bool
		pressed  bool
		h1       string
		rows     int
	}{
		"one expired license":    {1, 90 * 24 * time.Hour, false, false, over + "this license", 1},
		"three expired licenses": {3, 90 * 24 * time.Hour, false, false, over + "these licenses", 3},
		"expired and stopped":    {1, 90 * 24 * time.Hour, false, true, over + "this license", 1},
		"a letter without any":   {2, 0, true, false, "There is nothing to stop", 0},
	} {
		t.Run(name, func(t *testing.T) {
			env := newTestEnv(t)
			ids := env.licenses(tt.licenses)
			m := env.digest(ada, ids...)
			if tt.pressed {
				env.press(stopLink(m)).WantStatus(200)
			}
			if tt.omitted {
				m.State.Omitted = make(map[string]string)
				for _, id := range ids {
					m.State.Omitted[id] = "the reminders are paused"
				}
				if _, err := env.store.Outbox().Begin(t.Context(), m, 1, mail.Message{ID: m.ID}); err != nil {
					t.Fatal(err)
				}
			}
			env.clock = env.clock.Add(tt.later)
			for _, a := range []*webtest.Answer{env.get(stopLink(m)), env.send(stopLink(m), nil)} {
				page := a.WantStatus(200).Page()
				webtest.CheckPage(t, page)
				h1, rows := webtest.Text(page.Find("h1")), page.Find("tbody tr").Length()
				if h1 != tt.h1 || page.Find("main form").Length() != 0 || rows != tt.rows {
					t.Errorf("got the title %q, %d forms and %d licenses, want %q, none and %d", h1,
						page.Find("main form").Length(), rows, tt.h1, tt.rows)
				}
			}
		})
	}
}

func TestPausedRemindersCanBeStopped(t *testing.T) {
	env := newTestEnv(t)
	m := env.digest(ada, env.sold(nil).License.ID)
	r, err := env.store.License(t.Context(), licenseID)
	if err != nil {
		t.Fatal(err)
	}
	change := store.LicenseChange{ID: licenseID, Version: r.Version, By: storetest.By}
	if err := env.store.MuteReminders(t.Context(), change, "Budget", license.Date{}); err != nil {
		t.Fatal(err)
	}
	page := env.get(stopLink(m)).WantStatus(200).Page()
	if h1 := webtest.Text(page.Find("h1")); h1 != "Stop reminders about this license?" ||
		page.Find("main form").Length() != 1 {
		t.Errorf("got the title %q and %d forms, want the form that stops them", h1, page.Find("main form").Length())
	}
	lead := "We emailed " + ada.Email + " about this license."
	if got := webtest.Text(page.Find(".lead")); got != lead {
		t.Errorf("got %q, want %q", got, lead)
	}
	env.press(stopLink(m)).WantStatus(200)
	page = env.send(stopLink(m), url.Values{"resume": {"yes"}}).WantStatus(200).Page()
	if got, want := webtest.Text(page.Find(".lead")), "We will remind "+ada.Email+" again."; got != want {
		t.Errorf("got %q after resuming, want %q", got, want)
	}
}

func TestHundredPressesStopRemindersOnce(t *testing.T) {
	env := newTestEnv(t)
	ids := env.licenses(3)
	m := env.digest(ada, ids...)
	for round := 1; round <= 2; round++ {
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				if a := env.press(stopLink(m)); a.StatusCode != 200 {
					t.Errorf("press %d: got status %d", i, a.StatusCode)
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			if stopped, resumed := env.stops(id); stopped != round || resumed != round-1 {
				t.Errorf("round %d: got %d stops and %d resumptions on the timeline", round, stopped, resumed)
			}
		}
		if got := env.stopsTold(); len(got) != round {
			t.Errorf("round %d: got %d emails to sales, want one for each", round, len(got))
		}
		if round == 2 {
			break
		}
		for i := range 10 {
			wg.Go(func() {
				if a := env.send(stopLink(m), url.Values{"resume": {"yes"}}); a.StatusCode != 200 {
					t.Errorf("resumption %d: got status %d", i, a.StatusCode)
				}
			})
		}
		wg.Wait()
	}
}

func TestLetterOf200LicensesIsStoppedWhole(t *testing.T) {
	env := newTestEnvOver(t, &tabletest.Memory{})
	ids := env.licenses(200)
	m := env.digest(ada, ids...)
	if len(m.Due) != 200 {
		t.Fatalf("got %d licenses in the digest, want 200", len(m.Due))
	}
	page := env.press(stopLink(m)).WantStatus(200).Page()
	if got := page.Find("tbody tr").Length(); got != 200 {
		t.Errorf("got %d licenses on the page, want 200", got)
	}
	if got := env.unsubscribed(ada, ids...); len(got) != 200 {
		t.Errorf("got unsubscribed from %d, want 200", len(got))
	}
	if sales := env.stopsTold(); len(sales) != 1 || len(sales[0].Due) != 200 {
		t.Errorf("got %d emails to sales, want one about all", len(sales))
	}
	env.send(stopLink(m), url.Values{"resume": {"yes"}}).WantStatus(200)
	if got := env.unsubscribed(ada, ids...); got != nil {
		t.Errorf("got unsubscribed from %d after resuming", len(got))
	}
}

// TestStoppingIsFinishedByTheNextPress loses the answer of each transaction, or the call, in turn.
func TestStoppingIsFinishedByTheNextPress(t *testing.T) {
	for name, fault := range map[string]tabletest.Fault{"down": tabletest.Down, "lost": tabletest.Lost} {
		for n := 1; n <= 3; n++ {
			faulty := &tabletest.Faulty{Table: &tabletest.Memory{}}
			env := newTestEnvOver(t, faulty)
			ids := env.licenses(120)
			m := env.digest(ada, ids...)
			transacts := 0
			faulty.Fault = func(c tabletest.Call) tabletest.Fault {
				if c.Op != "transact" {
					return tabletest.Fault{}
				}
				if transacts++; transacts == n {
					return fault
				}
				return tabletest.Fault{}
			}
			if a := env.press(stopLink(m)).WantStatus(503); a.Header.Get("Retry-After") == "" {
				t.Errorf("%s %d: got no Retry-After", name, n)
			}
			env.press(stopLink(m)).WantStatus(200)
			if got := env.unsubscribed(ada, ids...); len(got) != len(ids) {
				t.Errorf("%s %d: got unsubscribed from %d, want all", name, n, len(got))
			}
			if got := env.stopsTold(); len(got) != 1 || len(got[0].Due) != len(ids) {
				t.Errorf("%s %d: got %d emails to sales, want one about all", name, n, len(got))
			}
		}
	}
}

func TestStoppedRemindersLeaveKeysAlone(t *testing.T) {
	env := newTestEnv(t)
	env.sold(func(l *license.License) { l.KeyText = "Rm9ybWF0PTE=" })
	m := env.digest(ada, licenseID)
	env.press(stopLink(m)).WantStatus(200)
	if err := env.store.SendKeyAgain(t.Context(), licenseID, storetest.By, ada, "n1"); err != nil {
		t.Fatal(err)
	}
	text := env.letter(env.mailTo(mail.LicenseKey, licenseID, ada).ID).Text
	if !strings.Contains(text, "Rm9ybWF0PTE=") {
		t.Errorf("got no key in\n%s", text)
	}
}

func TestStopPageTellsAForwardedReaderLittle(t *testing.T) {
	env := newTestEnv(t)
	env.sold(func(l *license.License) { l.KeyText = "Rm9ybWF0PTE=" })
	m := env.digest(ada, licenseID)
	for _, press := range []func(string, ...string) *webtest.Answer{env.get, env.press} {
		a := press(stopLink(m)).WantStatus(200)
		for _, want := range []string{"Developer Edition", "Production", "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", "05 May 2018",
			"expires in 61 days", ada.Email, "We will not remind anyone else instead.",
			"We will still email license keys"} {
			if !strings.Contains(webtest.Text(a.Page().Find("main")), want) {
				t.Errorf("got no %q in\n%s", want, a.Body)
			}
		}
		for _, secret := range []string{"Acme", "Ada", bob.Email, m.Nonce, m.ID, licenseID, "Rm9ybWF0"} {
			if strings.Contains(a.Body, secret) {
				t.Errorf("got %q in\n%s", secret, a.Body)
			}
		}
		for name, value := range map[string]string{"Referrer-Policy": "strict-origin", "X-Robots-Tag": "noindex",
			"Cache-Control": "no-store"} {
			if got := a.Header.Get(name); got != value {
				t.Errorf("got %s %q, want %q", name, got, value)
			}
		}
		form := a.Page().Find("main form")
		if form.Length() != 1 || form.AttrOr("action", "none") != "none" ||
			form.Find("[checked], [type=hidden]").Length() > 0 {
			t.Errorf("got a choice that nobody made, or an address or a field with a secret:\n%s", a.Body)
		}
		webtest.CheckPage(t, a.Page())
	}
	if log := env.log.String(); strings.Contains(log, ada.Email) || strings.Contains(log, m.Nonce) {
		t.Errorf("got the address or the token in the log: %s", log)
	}
}

func TestStopPageAsksToRetryIfStorageIsDown(t *testing.T) {
	env := newTestEnvOver(t, failingTable{err: table.ErrUnavailable})
	at := stopLinkOf("01c7wnn8g0aaaaaaaaaaaaaaaa--2018-03-05-0123abcd-01", "QX4C7D2WJ5T3VAZLQK2M6YHN3E")
	for _, a := range []*webtest.Answer{env.get(at), env.press(at)} {
		if a.WantStatus(503); a.Header.Get("Retry-After") == "" || strings.Contains(a.Body, "MAILS#") {
			t.Errorf("got headers %v and body %s, want Retry-After and no row key", a.Header, a.Body)
		}
	}
}
