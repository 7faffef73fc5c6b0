package site

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
)

var ada, bob = license.Contact{Name: "Ada Lovelace", Email: "ada@acme.example"},
	license.Contact{Email: "bob@acme.example"}

const licenseID = "01c7wnn8g0aaaaaaaaaaaaaaaa"

// sold puts a license that expires in two months on record, of a customer with two contacts.
func (env *testEnv) sold(change func(*license.License)) store.LicenseRecord {
	env.t.Helper()
	l := license.License{
		ID: licenseID, Type: license.Production, Organization: "Acme Corporation", Edition: license.Developer,
		Server: "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", MaxLoc: 500_000, Expiration: license.DateOf(start).AddMonths(2),
	}
	if change != nil {
		change(&l)
	}
	return storetest.Record(env.t, env.store.Store, l, ada, bob)
}

// remind sends a reminder of a license, and returns its private link within the site.
func (env *testEnv) remind(sold store.LicenseRecord, to license.Contact) string {
	env.t.Helper()
	return env.renewLink(env.digest(to, sold.License.ID).ID)
}

// digest sends one email that reminds of some licenses of one customer, as the daily run does.
func (env *testEnv) digest(to license.Contact, ids ...string) outbox.Mail {
	env.t.Helper()
	today := license.DateOf(env.clock)
	var digest *outbox.Digest
	for i, id := range ids {
		sold, err := env.store.License(env.t.Context(), id)
		if err == nil && i == 0 {
			digest = env.store.NewDigest(sold.License.Customer, today, to, env.clock, 0)
		}
		if err == nil {
			stage := env.store.Policy().Newest(sold.License, today)
			err = env.store.RecordReminder(env.t.Context(), store.Due{LicenseRecord: sold},
				store.Reminding{Stage: stage, Digest: digest})
		}
		if err != nil {
			env.t.Fatal(err)
		}
	}
	if err := digest.Release(env.t.Context()); err != nil {
		env.t.Fatal(err)
	}
	list, err := env.store.MailsAbout(env.t.Context(), ids[0], 100)
	if err != nil {
		env.t.Fatal(err)
	}
	for _, m := range slices.Backward(list) {
		if m.Kind == mail.LicenseExpiring && m.To.Email == to.Email {
			return m
		}
	}
	env.t.Fatalf("there is no reminder to %s", to.Email)
	return outbox.Mail{}
}

// mailTo returns the email of a kind about a license or request to a contact.
func (env *testEnv) mailTo(kind mail.Kind, about string, to license.Contact) outbox.Mail {
	env.t.Helper()
	list, err := env.store.MailsAbout(env.t.Context(), about, 100)
	if err != nil {
		env.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(m outbox.Mail) bool { return m.Kind == kind && m.To.Email == to.Email })
	if i < 0 {
		env.t.Fatalf("there is no %s to %s", kind, to.Email)
	}
	return list[i]
}

var renewLink = regexp.MustCompile(regexp.QuoteMeta(siteURL) + `(/renew/\S+)`)

// renewLink returns the private link in the letter of a reminder.
func (env *testEnv) renewLink(id string) string {
	env.t.Helper()
	text := env.letter(id).Text
	found := renewLink.FindStringSubmatch(text)
	if found == nil {
		env.t.Fatalf("there is no private link in\n%s", text)
	}
	return found[1]
}

// requests lists what was filed with an address.
func (env *testEnv) requests(email string) []request.Request {
	env.t.Helper()
	list, err := env.store.RequestsToConfirm(env.t.Context(), email, start)
	if err != nil {
		env.t.Fatal(err)
	}
	return list
}

// standing judges who asks, as the console does.
func (env *testEnv) standing(r request.Request) customer.Standing {
	env.t.Helper()
	a, err := env.store.Account(env.t.Context(), storetest.CustomerID("Acme Corporation"))
	if err != nil {
		env.t.Fatal(err)
	}
	return a.Standing(customer.Asker{Request: r, Instance: a.Match(customer.AskedBy(r)).Instance}, env.clock)
}

// removeContact removes a contact of the customer.
func (env *testEnv) removeContact(email string) {
	env.t.Helper()
	c, err := env.store.Customer(env.t.Context(), storetest.CustomerID("Acme Corporation"))
	if err == nil {
		c.Contacts = slices.DeleteFunc(c.Contacts, func(c customer.Contact) bool { return c.Email == email })
		err = env.store.IssueLicenses(env.t.Context(), store.Issue{Customer: &c, By: storetest.By})
	}
	if err != nil {
		env.t.Fatal(err)
	}
}

func TestContactRenewsThroughTheReminder(t *testing.T) {
	env := newTestEnv(t)
	at := env.remind(env.sold(nil), ada)
	queued := env.pendingMails()

	page := env.get(at).WantStatus(200)
	if got := page.Header.Get("Referrer-Policy"); got != "strict-origin" {
		t.Errorf("got Referrer-Policy %q, want strict-origin", got)
	}
	text := page.Page().Text()
	for _, want := range []string{"Developer Edition", "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", "up to 500'000",
		"The key goes to the contacts that we have on record."} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in\n%s", want, text)
		}
	}
	form := page.Page().Find("main form")
	if form.AttrOr("action", "none") != "none" || form.Find("input[checked]").Length() != 0 ||
		form.Find("input[type=hidden]").Length() != 1 || form.Find("input[name=timeZone]").AttrOr("value", "") != "" {
		t.Error("the form has a choice that the customer did not make, or an address or a field with a secret")
	}
	if got := env.pendingMails(); len(got) != len(queued) || len(env.requests(ada.Email)) != 0 {
		t.Errorf("opening the link changed something: got emails %q", got)
	}

	typed := url.Values{"renewal": {"same"}, "timeZone": {"Asia/Tokyo"}}
	status := env.send(at, typed).WantStatus(303).Header.Get("Location")
	r := env.requests(ada.Email)[0]
	want := request.Details{
		Kind: request.Renewal, Edition: license.Developer, Server: "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", Name: ada.Name,
		Email: ada.Email, Company: "Acme Corporation", Replaces: licenseID, WantedLoc: 500_000,
	}
	if r.Details.Fingerprint() != want.Fingerprint() {
		t.Errorf("got %+v, want %+v", r.Details, want)
	}
	if r.Zone != "Asia/Tokyo" {
		t.Errorf("got the browser's zone %q, want Asia/Tokyo", r.Zone)
	}
	if r.Unconfirmed || status != letter.StatusPath(r) || env.standing(r) != customer.Linked {
		t.Errorf("got unconfirmed %v at %s, standing %s, want a linked request", r.Unconfirmed, status, env.standing(r))
	}
	text = env.get(status).WantStatus(200).Page().Text()
	for _, unknown := range []string{"Country", "SonarQube version", "Lines of code0", "hidden field"} {
		if strings.Contains(text, unknown) {
			t.Errorf("the page has %s:\n%s", unknown, text)
		}
	}
	if got := len(env.pendingMails()); got != len(queued)+2 {
		t.Errorf("got %d emails, want one to the contact and one that tells sales", got-len(queued))
	}
}

func TestRenewalSaysHowManyLinesAreNeeded(t *testing.T) {
	env := newTestEnv(t)
	at := env.remind(env.sold(nil), ada)
	for name, tt := range map[string]struct {
		form  url.Values
		field string
	}{
		"untouched":      {url.Values{"renewal": nil, "wantedLoc": {""}, "ncloc": {""}, "message": {""}}, "renewal"},
		"made up":        {url.Values{"renewal": {"forever"}}, "renewal"},
		"no number":      {url.Values{"renewal": {"other"}, "wantedLoc": {""}}, "wantedLoc"},
		"too few":        {url.Values{"renewal": {"other"}, "wantedLoc": {"100000"}, "ncloc": {"120000"}}, "wantedLoc"},
		"more than same": {url.Values{"renewal": {"same"}, "ncloc": {"500001"}}, "renewal"},
		"not a number":   {url.Values{"renewal": {"same"}, "ncloc": {"many"}}, "ncloc"},
	} {
		page := env.send(at, tt.form).WantStatus(422).Page()
		if page.Find("#"+tt.field+"-error").Length() != 1 {
			t.Errorf("%s: got no error beside %s", name, tt.field)
		}
	}
	if got := env.requests(ada.Email); len(got) > 0 {
		t.Errorf("got requests %+v, want none", got)
	}
	env.send(at, url.Values{"renewal": {"other"}, "wantedLoc": {"1000000"}, "ncloc": {"620'000"},
		"message": {"We grow."}}).WantStatus(303)
	if r := env.requests(ada.Email)[0]; r.WantedLoc != 1_000_000 || r.Loc != 620_000 || r.Message != "We grow." {
		t.Errorf("got %+v", r.Details)
	}
}

func TestReminderHasOneOpenRenewal(t *testing.T) {
	env := newTestEnv(t)
	sold := env.sold(nil)
	at := env.remind(sold, ada)
	same := url.Values{"renewal": {"same"}}
	first := env.send(at, same).WantStatus(303).Header.Get("Location")
	if again := env.send(at, same).WantStatus(303).Header.Get("Location"); again != first {
		t.Errorf("sent twice: got %s, want %s", again, first)
	}
	queued := env.pendingMails()
	// Somebody else with the email sends something else: neither a second request nor the first one's link.
	other := env.send(at, url.Values{"renewal": {"same"}, "message": {"Call 0800 1234."}}).WantStatus(200)
	opened := env.get(at).WantStatus(200)
	r := env.requests(ada.Email)[0]
	for _, page := range []string{other.Body, opened.Body} {
		if strings.Contains(page, r.Token) || !strings.Contains(page, string(r.Reference)) ||
			strings.Contains(page, "<form") {
			t.Errorf("want the reference of the open request, neither its link nor a form:\n%s", page)
		}
	}
	if len(env.requests(ada.Email)) != 1 || !slices.Equal(env.pendingMails(), queued) {
		t.Error("a second renewal was filed, or emails about it were queued")
	}

	closed, err := env.store.Review(t.Context(), store.Review{ID: r.ID, By: storetest.By, To: request.InReview,
		Version: r.Version})
	if err == nil {
		_, err = env.store.Review(t.Context(), store.Review{ID: r.ID, By: storetest.By, To: request.Withdrawn,
			Version: closed.Version, Text: "By mistake."})
	}
	if err != nil {
		t.Fatal(err)
	}
	env.pass(request.UndoFor)
	if next := env.send(at, same).WantStatus(303).Header.Get("Location"); next == first {
		t.Error("the closed request came again, want a new one")
	}
}

func TestOnlyTheWholeLinkOpensItsLicense(t *testing.T) {
	env := newTestEnv(t)
	sold := env.sold(nil)
	other := env.sold(func(l *license.License) {
		l.ID, l.Server = "01c7wnn8g0bbbbbbbbbbbbbbbb", "AWHW8w9JtzBzSrmf9GQY"
	})
	at := env.remind(sold, ada)
	atOther, atBob := env.remind(other, ada), env.remind(sold, bob)
	u, _ := url.Parse(at)
	part := func(link, name string) string { v, _ := url.Parse(link); return v.Query().Get(name) }
	with := func(license, mail, token string) string {
		return "/renew/" + license + "?mail=" + url.QueryEscape(mail) + "&token=" + url.QueryEscape(token)
	}
	mailed, nonce := u.Query().Get("mail"), u.Query().Get("token")
	if err := env.store.SendKeyAgain(t.Context(), licenseID, storetest.By, ada, "n1"); err != nil {
		t.Fatal(err)
	}
	key := env.mailTo(mail.LicenseKey, licenseID, ada)
	strange := key.Again("n2")
	strange.Nonce = nonce
	c := env.store.Table().Begin()
	env.store.Outbox().Queue(c, strange)
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wrong := map[string]string{
		"no token":                 with(licenseID, mailed, ""),
		"another token":            with(licenseID, mailed, "QX4C7D2WJ5T3VAZLQK2M6YHN3E"),
		"another contact's token":  with(licenseID, mailed, part(atBob, "token")),
		"another contact's email":  with(licenseID, part(atBob, "mail"), nonce),
		"another license":          with(other.License.ID, mailed, nonce),
		"another license's email":  with(licenseID, part(atOther, "mail"), nonce),
		"another license, its own": with(licenseID, part(atOther, "mail"), part(atOther, "token")),
		"the end of the email":     with(licenseID, strings.TrimPrefix(mailed, sold.License.Customer+"--"), nonce),
		"an email of the license":  with(licenseID, licenseID+"--"+mailed, nonce),
		"no email":                 with(licenseID, "", nonce),
		"an email without a link":  with(licenseID, key.ID, ""),
		"an email of another kind": with(licenseID, strange.ID, nonce),
		"no license":               with("01c7wnn8g0cccccccccccccccc", mailed, nonce),
		"a long email":             with(licenseID, strings.Repeat("x", 5000), nonce),
		"a strange license":        with("%2e%2e%2f", mailed, nonce),
	}
	var body string
	for name, link := range wrong {
		got := env.get(link).WantStatus(404).Page().Find("main").Text()
		if body == "" {
			body = got
		}
		if got != body {
			t.Errorf("%s: got %q, want what every wrong link gets: %q", name, got, body)
		}
		env.send(link, url.Values{"renewal": {"same"}}).WantStatus(404)
	}
	if got := env.requests(ada.Email); len(got) != 0 {
		t.Errorf("got requests %+v, want none", got)
	}
	for name, link := range map[string]string{
		"quoted-printable":  "/renew/" + licenseID + "?mail=3D" + mailed + "&token=3D" + nonce,
		"half decoded":      "/renew/" + licenseID + "?mail==3D" + mailed + "&token==3D" + nonce,
		"full stop":         at + ".",
		"small letters":     with(licenseID, mailed, strings.ToLower(nonce)),
		"another parameter": at + "&utm_source=mail",
	} {
		if got := env.get(link).StatusCode; got != 200 {
			t.Errorf("%s: got status %d, want 200", name, got)
		}
	}
}

func TestLinkEndsWithTheLicense(t *testing.T) {
	for want, change := range map[string]func(*testEnv, store.LicenseRecord) error{
		"expired on": func(env *testEnv, _ store.LicenseRecord) error {
			env.clock = start.AddDate(0, 3, 0)
			return nil
		},
		"We revoked": func(env *testEnv, r store.LicenseRecord) error {
			change := store.LicenseChange{ID: r.License.ID, Version: r.Version, By: storetest.By}
			return env.store.RevokeLicense(t.Context(), change, "unpaid")
		},
		"already been renewed": func(env *testEnv, r store.LicenseRecord) error {
			l := r.License
			l.ID, l.NotBefore = "01c7wnn8g0dddddddddddddddd", l.Expiration.AddDays(1)
			l.Expiration = l.Expiration.AddMonths(12)
			storetest.Record(t, env.store.Store, l)
			return nil
		},
	} {
		env := newTestEnv(t)
		sold := env.sold(nil)
		at := env.remind(sold, ada)
		now, err := env.store.License(t.Context(), licenseID)
		if err == nil {
			err = change(env, now)
		}
		if err != nil {
			t.Fatal(err)
		}
		page := env.get(at).WantStatus(410).Page()
		if text := page.Text(); !strings.Contains(text, want) || page.Find("form").Length() > 0 {
			t.Errorf("want %q and no form in\n%s", want, text)
		}
		href := page.Find(`main a[href^="/request/developer?"]`).AttrOr("href", "")
		if strings.Contains(href, "token") || href == "" {
			t.Errorf("%s: got the link %q, want the plain request form", want, href)
		}
		env.send(at, url.Values{"renewal": {"same"}}).WantStatus(410)
		env.send("/request/developer", carrying(at, validForm())).WantStatus(303)
		if r := env.requests("jane.doe@customer.example"); len(env.requests(ada.Email)) > 0 || r[0].Link != nil {
			t.Errorf("%s: the link still says something: %+v", want, r)
		}
	}
}

// carrying returns the form as the page behind a reminder's link opens it.
func carrying(link string, form url.Values) url.Values {
	u, _ := url.Parse(link)
	return withValues(form, "license", strings.TrimPrefix(u.Path, "/renew/"), "mail", u.Query().Get("mail"),
		"token", u.Query().Get("token"))
}

// TestForwardedReminderRenewsAndNothingElse has somebody who was forwarded a reminder try what it is good for.
func TestForwardedReminderRenewsAndNothingElse(t *testing.T) {
	env := newTestEnv(t)
	at := env.remind(env.sold(nil), ada)
	page := env.get(at).WantStatus(200).Page()
	other := page.Find(`main a[href*="token="]`).AttrOr("href", "")
	form := env.get(other).WantStatus(200)
	if form.Header.Get("Referrer-Policy") != "strict-origin" ||
		form.Page().Find(`input[type=hidden][name=token]`).Length() != 1 {
		t.Error("the form does not carry the link, or shows it to other sites")
	}
	switched := form.Page().Find(`.hero a[href^="/request/enterprise"]`).AttrOr("href", "")
	if !strings.Contains(switched, "token=") {
		t.Errorf("got the link %s to another edition, want one that carries the reminder's", switched)
	}

	filed := func(pairs ...string) request.Request {
		t.Helper()
		f := withValues(carrying(at, validForm()), append([]string{"kind", "replacement", "replaces", licenseID,
			"environment", "production", "oldServer", "lost"}, pairs...)...)
		to := env.send("/request/developer", f).WantStatus(303).Header.Get("Location")
		u, _ := url.Parse(to)
		r, err := env.store.Request(t.Context(), strings.TrimPrefix(u.Path, "/requests/"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	mine := filed("email", "mallory@gmail.com", "serverId", "AWHW8w9JtzBzSrmf9ZZZ")
	ours := filed("email", ada.Email, "serverId", "AWHW8w9JtzBzSrmf9ZZZ")
	renewal := filed("kind", "renewal", "email", ada.Email, "serverId", "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX", "contacts",
		"mallory@gmail.com")
	for name, r := range map[string]request.Request{
		"to himself": mine, "as the contact": ours, "with a reader": renewal,
	} {
		if !r.Unconfirmed || r.Link == nil || r.Link.Contact != ada.Email || env.standing(r) != customer.Stranger {
			t.Errorf("%s: got unconfirmed %v, link %+v, standing %s, want an unconfirmed stranger's", name,
				r.Unconfirmed, r.Link, env.standing(r))
		}
	}
	// His own mailbox he can confirm, and is a stranger still; the contact's he cannot.
	if err := env.store.ConfirmRequests(t.Context(), mine.ID, mine.Secret, mine.ID); err != nil {
		t.Fatal(err)
	}
	mine, _ = env.store.Request(t.Context(), mine.ID)
	if got := env.standing(mine); got != customer.Stranger {
		t.Errorf("with his own mailbox confirmed: got %s, want a stranger", got)
	}
	if err := env.store.ConfirmRequests(t.Context(), ours.ID, ours.Secret, ours.ID); err != nil {
		t.Fatal(err)
	}
	ours, _ = env.store.Request(t.Context(), ours.ID)
	if got := env.standing(ours); got != customer.Proven {
		t.Errorf("with the contact's mailbox confirmed: got %s, want proven", got)
	}

	// The renewal itself: the key goes to contacts on record, or to nobody without a second person.
	env.send(at, url.Values{"renewal": {"same"}}).WantStatus(303)
	list := env.requests(ada.Email)
	linked := list[slices.IndexFunc(list, func(r request.Request) bool { return r.Bound })]
	a, err := env.store.Account(t.Context(), storetest.CustomerID("Acme Corporation"))
	if err != nil {
		t.Fatal(err)
	}
	who := customer.Asker{Request: linked, Instance: a.InstanceOf(licenseID).ID}
	for to, want := range map[string]customer.Permission{
		ada.Email: customer.Free, bob.Email: customer.Free, "mallory@gmail.com": customer.NeedsVouch,
	} {
		c := customer.Charge{Contract: true, Server: linked.Server, To: to}
		if got := a.Permit(who, c, storetest.By, env.clock); got != want {
			t.Errorf("key to %s: got %s, want %s", to, got, want)
		}
	}
	revoking := customer.Charge{Revoked: []string{licenseID}, Contract: true, Server: linked.Server, To: ada.Email}
	if got := a.Permit(who, revoking, storetest.By, env.clock); got != customer.NeedsVouch {
		t.Errorf("revoking: got %s, want that it needs a vouch", got)
	}
}

func TestReminderOfARemovedContactProvesNothing(t *testing.T) {
	env := newTestEnv(t)
	at := env.remind(env.sold(nil), ada)
	env.removeContact(ada.Email)
	env.send(at, url.Values{"renewal": {"same"}}).WantStatus(303)
	r := env.requests(ada.Email)[0]
	if got := env.standing(r); got != customer.Stranger {
		t.Errorf("got %s, want a stranger", got)
	}
}

func TestLinkedRenewalKeepsTheContactsAddress(t *testing.T) {
	env := newTestEnv(t)
	slip := license.Contact{Email: "ada@gmial.com"}
	sold := storetest.Record(t, env.store.Store, license.License{
		ID: licenseID, Type: license.Production, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX",
		MaxLoc: 100_000, Expiration: license.DateOf(start).AddMonths(2),
	}, slip)
	env.send(env.remind(sold, slip), url.Values{"renewal": {"same"}}).WantStatus(303)
	r := env.requests(slip.Email)[0]
	if err := env.store.CorrectEmail(t.Context(), r.ID, slip.Email, "ada@gmail.com"); err != nil {
		t.Fatal(err)
	}
	if r, _ = env.store.Request(t.Context(), r.ID); r.Email != slip.Email {
		t.Errorf("got the address %s, want the one that the reminder was sent to", r.Email)
	}
}

func TestCalendarHasNoPrivateLink(t *testing.T) {
	env := newTestEnv(t)
	sold := env.sold(func(l *license.License) { l.KeyText = "Rm9ybWF0PTE=" })
	env.remind(sold, ada)
	if err := env.store.SendKeyAgain(t.Context(), licenseID, storetest.By, ada, "n1"); err != nil {
		t.Fatal(err)
	}
	m := env.letter(env.mailTo(mail.LicenseKey, licenseID, ada).ID)
	i := slices.IndexFunc(m.Attachments, func(a mail.Attachment) bool {
		return strings.HasPrefix(a.ContentType, "text/calendar")
	})
	if i < 0 {
		t.Fatal("the letter has no calendar")
	}
	calendar := strings.ReplaceAll(string(m.Attachments[i].Data), "\r\n ", "")
	at := regexp.MustCompile(`(?m)^URL:(\S+)`).FindStringSubmatch(calendar)[1]
	if strings.Contains(calendar, "token") || strings.Contains(calendar, "/renew/") {
		t.Errorf("got a private link in\n%s", calendar)
	}
	env.get(strings.TrimPrefix(at, siteURL)).WantStatus(200)
	env.send("/request/developer", withValues(validForm(), "kind", "renewal", "email", ada.Email)).WantStatus(303)
	if r := env.requests(ada.Email)[0]; !r.Unconfirmed || r.Link != nil {
		t.Errorf("got %+v, want an unconfirmed request without a link", r)
	}
}

func TestEvaluationsReminderLeadsToTheForm(t *testing.T) {
	env := newTestEnv(t)
	sold := env.sold(func(l *license.License) {
		l.Type, l.Expiration = license.Evaluation, license.DateOf(start).AddDays(7)
	})
	m := env.digest(ada, sold.License.ID)
	if text := env.letter(m.ID).Text; strings.Contains(text, "/renew/") {
		t.Errorf("got a private link in\n%s", text)
	}
	q := url.Values{"mail": {m.ID}, "token": {m.Nonce}}
	env.get("/renew/" + licenseID + "?" + q.Encode()).WantStatus(404)
	env.send("/renew/"+licenseID+"?"+q.Encode(), url.Values{"renewal": {"same"}}).WantStatus(404)
}

func TestEveryContactHasALinkOfTheirOwn(t *testing.T) {
	env := newTestEnv(t)
	sold := env.sold(nil)
	env.remind(sold, ada)
	m := env.mailTo(mail.LicenseExpiring, licenseID, ada)
	if again := m.Again("n1"); again.Nonce != m.Nonce || m.Repeated().Nonce != m.Nonce {
		t.Error("the same email to the same contact has another link")
	}
	if next := env.digest(bob, licenseID); next.Nonce == m.Nonce || next.Nonce == "" {
		t.Error("the next contact has the first one's link")
	}
}
