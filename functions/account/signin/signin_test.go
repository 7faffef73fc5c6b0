package signin

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

func TestTemplatesFitTheirData(t *testing.T) {
	webtest.CheckPages(t, templates, map[string]any{"address.html": addressView{}, "sent.html": sentView{},
		"code.html": codeView{}, "choose.html": chooseView{}, "notice.html": notice{}})
}

func TestContactSignsInWithLinkAndCode(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	b.get(Home).WantRedirect(SignInPath)
	code := b.begin("Ana@Acme.example")
	link := e.deliver()
	page := b.get(link).WantStatus(200)
	webtest.CheckPage(t, page.Page())
	if strings.Contains(page.Body, code) || strings.Contains(page.Body, link) {
		t.Error("the page of the link shows the code or the link")
	}
	if got := page.Header.Get("Referrer-Policy"); got != "strict-origin" {
		t.Errorf("got the Referrer-Policy %s", got)
	}
	b.enter(link, code[:3]+" "+code[3:]).WantRedirect(Home)
	if got := b.get(Home).WantStatus(200).Body; got != "ana@acme.example at Acme AG" {
		t.Errorf("got %q", got)
	}
	b.do("POST", SignOutPath, nil).WantRedirect(SignedOutPath)
	b.get(Home).WantRedirect(SignInPath)
}

func TestSignInLeadsToThePageThatWasWanted(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	const wanted = Home + "/instances/i1?x=1"
	b.get(wanted).WantRedirect(SignInPath + "?return=" + url.QueryEscape(wanted))
	b.do("POST", SignInPath, url.Values{"email": {ana}, "return": {wanted}}).WantRedirect(sentPath)
	code := strings.ReplaceAll(b.get(sentPath).Page().Find("#code").Text(), " ", "")
	b.enter(e.deliver(), code).WantRedirect(wanted)
	for _, elsewhere := range []string{"https://evil.example/account", "//evil.example", "/console", SignOutPath} {
		if got := returnPath(elsewhere); got != Home {
			t.Errorf("%s: got %s, want the overview", elsewhere, got)
		}
	}
}

// Nothing that an answer has tells whether an address is a contact's, and strangers get no email.
func TestUnknownAddressIsAnsweredLikeAKnownOne(t *testing.T) {
	e := newTestEnv(t)
	answers := map[string]string{}
	for _, email := range []string{ana, nobo} {
		b := e.browser()
		before := len(e.rows.Rows())
		sent := b.do("POST", SignInPath, url.Values{"email": {email}})
		code := strings.TrimSpace(b.get(sentPath).Page().Find("#code").Text())
		page := b.get(sentPath).WantStatus(200).Body
		page = strings.NewReplacer(email, "ADDRESS", url.QueryEscape(email), "ADDRESS", code, "CODE").Replace(page)
		answers[email] = fmt.Sprint(sent.StatusCode, sent.Header.Get("Location"), len(e.rows.Rows())-before, page)
	}
	if answers[ana] != answers[nobo] {
		t.Errorf("got different answers:\n%s\n%s", answers[ana], answers[nobo])
	}
	if link := e.deliver(); link == "" {
		t.Error("the contact got no email")
	}
	e.browser().begin(nobo)
	if link := e.deliver(); link != "" {
		t.Errorf("a stranger got the link %s", link)
	}
}

func TestLinkWorksOnceAndForFifteenMinutesFromSending(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	code := b.begin(ana)
	e.now = e.now.Add(40 * time.Minute) // in the queue
	link := e.deliver()
	e.now = e.now.Add(15*time.Minute - time.Second)
	b.get(link).WantStatus(200)
	b.enter(link, code).WantRedirect(Home)
	replayed := b.get(link).WantStatus(http.StatusGone)
	if !strings.Contains(replayed.Body, "works once") {
		t.Errorf("got %s", replayed.Body)
	}
	e.browser().enter(link, code).WantStatus(http.StatusGone)

	other := e.browser()
	code = other.begin(ana)
	link = e.deliver()
	e.now = e.now.Add(15 * time.Minute)
	other.enter(link, code).WantStatus(http.StatusGone)
	other.get(Home).WantRedirect(SignInPath)
}

func TestEmailThatNobodyWaitsForIsNotSent(t *testing.T) {
	e := newTestEnv(t)
	e.browser().begin(ana)
	e.now = e.now.Add(time.Hour + time.Second)
	if link := e.deliver(); link != "" {
		t.Errorf("got the link %s an hour later", link)
	}
}

func TestForwardedLinkOpensNothingWithoutTheCode(t *testing.T) {
	e := newTestEnv(t)
	code := e.browser().begin(ana)
	link := e.deliver()
	reader := e.browser() // to whom the email was forwarded
	for i := range 5 {
		guess := fmt.Sprintf("%06d", i)
		if guess == code {
			guess = "999999"
		}
		want := http.StatusUnprocessableEntity
		if i == 4 {
			want = http.StatusGone
		}
		reader.enter(link, guess).WantStatus(want)
	}
	reader.enter(link, code).WantStatus(http.StatusGone)
	reader.get(Home).WantRedirect(SignInPath)
}

func TestGuessedLinkIsAnsweredLikeAMissingPage(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	code := b.begin(ana)
	link := e.deliver()
	address, token, _ := strings.Cut(link, "?token=")
	for _, guess := range []string{
		address, address + "?token=", address + "?token=" + strings.Repeat("A", 26), address + "?token=" + token[:25],
		siteURL + SignInPath + "/01m8nq7d2c1kcqw6m710s5qqec?token=" + token, siteURL + SignInPath + "/x?token=" + token,
		siteURL + SignInPath + "/sent/x?token=" + token,
	} {
		b.get(guess).WantStatus(http.StatusNotFound)
		b.enter(guess, code).WantStatus(http.StatusNotFound)
	}
	b.get(Home).WantRedirect(SignInPath)
	b.enter(strings.ToLower(link), code).WantRedirect(Home) // as some mail programs write it
}

// A scanner of a mail program opens each link and sends each form as it is.
func TestScannerSignsNobodyInAndUsesNothingUp(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	code := b.begin(ana)
	link := e.deliver()
	scanner := e.browser()
	for range 10 {
		page := scanner.get(link).WantStatus(200).Page()
		form := url.Values{}
		for _, field := range page.Find("form[method=post] [name]").EachIter() {
			form.Set(field.AttrOr("name", ""), field.AttrOr("value", ""))
		}
		scanner.do("POST", link, form).WantStatus(http.StatusUnprocessableEntity)
	}
	scanner.get(Home).WantRedirect(SignInPath)
	b.enter(link, code).WantRedirect(Home)
}

func TestSignInsOfAnAddressAreLimited(t *testing.T) {
	e := newTestEnv(t)
	for _, email := range []string{ana, nobo} {
		b := e.browser()
		for range 5 {
			b.begin(email)
		}
		a := b.do("POST", SignInPath, url.Values{"email": {strings.ToUpper(email)}})
		if a.WantStatus(http.StatusTooManyRequests); !strings.Contains(a.Body, "Try again after 10:00 UTC") {
			t.Errorf("%s: got %s", email, a.Body)
		}
	}
	e.now = e.now.Add(30 * time.Minute)
	e.browser().begin(ana)
}

// A stranger uses up the sign-ins of an address, hour after hour: the contact gets in all the same where they signed in
// before.
func TestStrangerKeepsNobodyOut(t *testing.T) {
	e := newTestEnv(t)
	own, others := e.browser(), e.browser()
	own.signIn(ana).WantRedirect(Home)
	own.do("POST", SignOutPath, nil).WantRedirect(SignedOutPath)
	others.signIn(pia).WantRedirect(ChoosePath)
	for range 3 {
		e.now = e.now.Add(time.Hour)
		stranger := e.browser()
		for range 5 {
			stranger.begin(ana)
		}
		for _, b := range []*browser{stranger, others} { // one that another person's sign-in made known
			b.do("POST", SignInPath, url.Values{"email": {ana}}).WantStatus(http.StatusTooManyRequests)
		}
		e.deliver()
		own.signIn(strings.ToUpper(ana)).WantRedirect(Home)
		own.do("POST", SignOutPath, nil)
	}
	for range 4 {
		own.begin(ana)
	}
	own.do("POST", SignInPath, url.Values{"email": {ana}}).WantStatus(http.StatusTooManyRequests)
	e.now = e.now.AddDate(0, 0, 180)
	for range 5 {
		e.browser().begin(ana)
	}
	own.do("POST", SignInPath, url.Values{"email": {ana}}).WantStatus(http.StatusTooManyRequests)
}

func TestWrongAddressIsSaidBesideTheField(t *testing.T) {
	b := newTestEnv(t).browser()
	for _, typed := range []string{"", "ana", "ana@", "a@b.example, c@d.example"} {
		page := b.do("POST", SignInPath, url.Values{"email": {typed}}).WantStatus(422).Page()
		webtest.CheckPage(t, page)
		if page.Find("#email-error").Length() != 1 {
			t.Errorf("%q: no error beside the field", typed)
		}
	}
}

func TestContactOfTwoCompaniesChooses(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	b.signIn(pia).WantRedirect(ChoosePath)
	b.get(Home).WantRedirect(ChoosePath)
	page := b.get(ChoosePath).WantStatus(200).Page()
	webtest.CheckPage(t, page)
	if got := webtest.Text(page.Find("input[name=customer]").Parent().Find("b")); got != "Acme AGBorealis GmbH" &&
		got != "Borealis GmbHAcme AG" {
		t.Errorf("got the companies %s", got)
	}
	b.do("POST", ChoosePath, nil).WantStatus(422)
	b.do("POST", ChoosePath, url.Values{"customer": {"another"}}).WantStatus(422)
	b.get(Home).WantRedirect(ChoosePath)
	for _, company := range []string{"Borealis GmbH", "Acme AG"} {
		b.do("POST", ChoosePath, url.Values{"customer": {storetest.CustomerID(company)}}).WantRedirect(Home)
		if got := b.get(Home).Body; got != pia+" at "+company {
			t.Errorf("got %q, want %s", got, company)
		}
	}
	only := e.browser()
	only.signIn(ana).WantRedirect(Home)
	only.do("POST", ChoosePath, url.Values{"customer": {storetest.CustomerID("Borealis GmbH")}}).WantStatus(422)
	if got := only.get(Home).Body; got != ana+" at Acme AG" {
		t.Errorf("got %q after choosing another's company", got)
	}
}

// edit changes the contacts of Acme AG.
func (e *testEnv) edit(f func(*customer.Customer)) {
	e.t.Helper()
	a, err := e.kept.Account(e.t.Context(), storetest.CustomerID("Acme AG"))
	if err == nil {
		change := store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: storetest.By}
		err = e.kept.SaveCustomer(e.t.Context(), change, a.Customer.ID, func(c *customer.Customer) error {
			f(c)
			return nil
		})
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

func TestRemovedContactIsOutAtOnce(t *testing.T) {
	e := newTestEnv(t)
	b, late := e.browser(), e.browser()
	b.signIn(ana).WantRedirect(Home)
	code := late.begin(ana)
	link := e.deliver()
	e.edit(func(c *customer.Customer) { c.Contacts = c.Contacts[1:] })
	b.get(Home).WantRedirect(SignInPath)
	b.do("POST", Home+"/instances/i1", nil).WantStatus(http.StatusForbidden)
	late.enter(link, code).WantStatus(http.StatusForbidden)
	late.get(Home).WantRedirect(SignInPath)
}

func TestNewContactIsToldFromWhenOn(t *testing.T) {
	e := newTestEnv(t)
	e.edit(func(c *customer.Customer) {
		c.Contacts = append(c.Contacts, customer.Contact{Email: "new@acme.example", Since: e.now})
	})
	e.browser().begin("new@acme.example")
	if link := e.deliver(); link != "" {
		t.Errorf("a new contact got the link %s", link)
	}
	e.now = e.now.Add(customer.NewContactDays * 24 * time.Hour)
	b := e.browser()
	b.signIn("new@acme.example").WantRedirect(Home)

	both := e.browser()
	e.edit(func(c *customer.Customer) {
		c.Contacts = append(c.Contacts, customer.Contact{Email: "bea@borealis.example", Since: e.now})
	})
	e.record("Borealis GmbH", "AWborealis0000000003", "bea@borealis.example")
	both.signIn("bea@borealis.example").WantRedirect(ChoosePath)
	page := both.get(ChoosePath).WantStatus(200).Page()
	if got := webtest.Text(page.Find(".facts")); got != "Acme AGfrom 14 Dec 2026, 09:30 UTC" {
		t.Errorf("got %q", got)
	}
	acme := url.Values{"customer": {storetest.CustomerID("Acme AG")}}
	both.do("POST", ChoosePath, acme).WantStatus(422)
}

func TestSessionEndsWhenIdleOrOld(t *testing.T) {
	e := newTestEnv(t)
	b := e.browser()
	b.signIn(ana).WantRedirect(Home)
	for range 9 {
		e.now = e.now.Add(50 * time.Minute)
		b.get(Home).WantStatus(200)
	}
	e.now = e.now.Add(time.Hour)
	b.get(Home).WantRedirect(SignInPath)
	b.signIn(ana).WantRedirect(Home)
	copied := *b
	copied.cookies = map[string]*http.Cookie{CookieName: b.cookies["__Host-"+CookieName]}
	b.do("POST", SignOutPath, nil).WantRedirect(SignedOutPath)
	copied.get(Home).WantRedirect(SignInPath)
}

// What is kept of a sign-in expires, and the audit does not name the person.
func TestSignInLeavesNoAddressBehind(t *testing.T) {
	e := newTestEnv(t)
	seen := map[string]bool{}
	for _, row := range e.rows.Rows() {
		seen[row.PK+row.SK] = true
	}
	b := e.browser()
	b.signIn(ana).WantRedirect(Home)
	b.do("POST", SignOutPath, nil)
	audited := 0
	for _, row := range e.rows.Rows() {
		if seen[row.PK+row.SK] {
			continue
		}
		if row.Type == "audit" {
			audited++
			if strings.Contains(string(row.Data), ana) {
				t.Errorf("the audit names the person: %s", row.Data)
			}
			continue
		}
		if row.Expires.IsZero() || row.Expires.After(e.now.Add(25*time.Hour)) {
			t.Errorf("%s %s expires %v, want within a day", row.PK, row.SK, row.Expires)
		}
	}
	if audited != 2 {
		t.Errorf("got %d rows in the audit, want signing in and out", audited)
	}

}
