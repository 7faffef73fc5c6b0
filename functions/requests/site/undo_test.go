package site

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	mailnotice "marketplace/shared/mail/notice"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

// removed tells a contact of the removal, as the mailer expands it, and returns the link in the letter.
func (env *testEnv) removed(to license.Contact, nonce string, gone ...license.Contact) string {
	env.t.Helper()
	n := mailnotice.ContactRemoved(mailnotice.ContactChange{
		Customer: storetest.CustomerID("Acme Corporation"), Contacts: gone, By: storetest.By,
		Until: license.DateOf(start).AddDays(14),
	}).ToContact(to)
	n.Nonce = nonce
	c := env.store.Table().Begin()
	env.store.Outbox().Queue(c, n)
	if err := c.Commit(env.t.Context()); err != nil {
		env.t.Fatal(err)
	}
	found := undoLink.FindStringSubmatch(env.letter(n.ID).Text)
	if found == nil {
		return ""
	}
	return found[1]
}

var undoLink = regexp.MustCompile(regexp.QuoteMeta(siteURL) + `(/contacts/undo\S+)`)

const undoNonce = "QX4C7D2WJ5T3VAZLQK2M6YHN3E"

// undos counts the requests to the mailer to put a contact back.
func (env *testEnv) undos() (n int) {
	env.t.Helper()
	list, err := env.store.MailsAbout(env.t.Context(), storetest.CustomerID("Acme Corporation"), 100)
	if err != nil {
		env.t.Fatal(err)
	}
	for _, m := range list {
		if m.Kind == mail.ContactUndo {
			n++
		}
	}
	return n
}

func TestRemovedContactUndoesIt(t *testing.T) {
	env := newTestEnv(t)
	env.sold(nil)
	at := env.removed(ada, undoNonce, ada)
	page := env.get(at).WantStatus(200)
	form := page.Page().Find("main form")
	if form.AttrOr("action", "none") != "none" || form.Find("[checked], [type=hidden]").Length() > 0 ||
		strings.Contains(page.Body, undoNonce) || page.Header.Get("Referrer-Policy") != "strict-origin" {
		t.Errorf("the page has a choice that nobody made, or its secret:\n%s", page.Body)
	}
	scanner := webtest.Scanner{Client: webtest.Client{T: t, Site: env.site}, SiteURL: siteURL}
	scanner.Open(siteURL + at)
	env.say(at, "").WantStatus(422)
	env.say(at, "maybe").WantStatus(422)
	kept := env.say(at, "no").WantStatus(200)
	if env.undos() > 0 || !strings.Contains(kept.Body, "Nothing has changed") {
		t.Errorf("a scanner or a no undid the removal:\n%s", kept.Body)
	}
	for range 2 { // the second changes nothing
		if to := env.say(at, "yes").StatusCode; to != 303 && to != 200 {
			t.Errorf("got status %d, want the page again", to)
		}
	}
	told := env.mailTo(mail.ContactRemoved, storetest.CustomerID("Acme Corporation"), ada)
	if err := env.store.UndoRemoval(t.Context(), told); err != nil {
		t.Errorf("at the same time: %v", err)
	}
	if env.undos() != 1 || !strings.Contains(env.get(at).WantStatus(200).Body, "You will be a contact again") {
		t.Errorf("got %d requests to put the contact back, want one, and the page to say so", env.undos())
	}
	if m := env.mailTo(mail.ContactUndo, storetest.CustomerID("Acme Corporation"), license.Contact{}); m.Mail == "" ||
		m.Rank() != mailnotice.RankSoon {
		t.Errorf("got %+v, want the email of the link, and a rank that the site may write", m.Notice)
	}
}

func TestRemovalIsUndoneForTwoWeeks(t *testing.T) {
	env := newTestEnv(t)
	env.sold(nil)
	at := env.removed(ada, undoNonce, ada)
	env.clock = license.DateOf(start).AddDays(15).Start().Add(-1)
	env.get(at).WantStatus(200)
	env.clock = license.DateOf(start).AddDays(15).Start()
	for _, page := range []*webtest.Answer{env.get(at), env.say(at, "yes")} {
		if page.WantStatus(410).Page().Find("form").Length() > 0 {
			t.Errorf("got a form after two weeks:\n%s", page.Body)
		}
	}
	if env.undos() > 0 {
		t.Error("the removal was undone after two weeks")
	}
}

func TestOnlyTheRemovedContactUndoesIt(t *testing.T) {
	env := newTestEnv(t)
	sold := env.sold(nil)
	at := env.removed(ada, undoNonce, ada)
	if other := env.removed(bob, "", ada); other != "" {
		t.Errorf("another contact has the link %s", other)
	}
	u, _ := url.Parse(at)
	reminder, _ := url.Parse(env.remind(sold, bob))
	with := func(pairs ...string) string {
		q := u.Query()
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return "/contacts/undo?" + q.Encode()
	}
	others := env.mailTo(mail.ContactRemoved, storetest.CustomerID("Acme Corporation"), bob)
	for name, wrong := range map[string]string{
		"no token":         with("token", ""),
		"another token":    with("token", reminder.Query().Get("token")),
		"another email":    with("mail", others.ID),
		"no token, bob's":  with("mail", others.ID, "token", ""),
		"another customer": with("customer", storetest.CustomerID("Another Ltd")),
		"no customer":      with("customer", ""),
		"a reminder":       with("customer", licenseID, "mail", reminder.Query().Get("mail"), "token", reminder.Query().Get("token")),
		"as a renewal":     "/renew/" + u.Query().Get("customer") + "?" + u.RawQuery,
		"as an answer":     "/answer/" + u.Query().Get("customer") + "?" + u.RawQuery,
	} {
		if got := env.get(wrong).StatusCode; got != 404 {
			t.Errorf("%s: got status %d, want 404", name, got)
		}
		env.say(wrong, "yes").WantStatus(404)
	}
	if env.undos() > 0 {
		t.Error("a wrong link undid the removal")
	}
}
