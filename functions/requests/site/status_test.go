package site

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

const operator = "olga@vendor.example"

// fileForm sends the form, confirms the request, and returns it with the address of its page.
func (env *testEnv) fileForm(pairs ...string) (request.Request, string) {
	env.t.Helper()
	r, page := env.fileUnconfirmed(pairs...)
	return env.confirmed(r), page
}

// fileUnconfirmed sends the form, with other values of some fields, and returns the request and its page's address.
func (env *testEnv) fileUnconfirmed(pairs ...string) (request.Request, string) {
	env.t.Helper()
	page := env.send("/request/developer", withValues(validForm(), pairs...)).WantStatus(303).Header.Get("Location")
	return env.request(requestIDOf(page)), page
}

// request reads a request.
func (env *testEnv) request(id string) request.Request {
	env.t.Helper()
	r, err := env.store.Request(env.t.Context(), id)
	if err != nil {
		env.t.Fatal(err)
	}
	return r
}

// confirmed confirms a request as the person behind its address does, with the link in the email.
func (env *testEnv) confirmed(r request.Request) request.Request {
	env.t.Helper()
	env.send(confirmPath(r), url.Values{"answer": {"yes"}, "request": {r.ID}}).WantRedirect(letter.StatusPath(r))
	return env.request(r.ID)
}

// confirmPath is the address of the form that confirms a request.
func confirmPath(r request.Request) string {
	return strings.TrimPrefix(letter.Writer{}.ConfirmURL(r), siteURL)
}

// review changes the state of a request as an operator does.
func (env *testEnv) review(r request.Request, to request.State, said string) request.Request {
	env.t.Helper()
	r, err := env.store.Review(env.t.Context(),
		store.Review{ID: r.ID, Version: r.Version, By: operator, To: to, Text: said})
	if err != nil {
		env.t.Fatal(err)
	}
	if r.Undo != nil { // only then does the customer see it
		env.pass(request.UndoFor)
	}
	return r
}

// pass moves the clocks of the site and of its store.
func (env *testEnv) pass(d time.Duration) { env.now, env.clock = env.now.Add(d), env.clock.Add(d) }

// issueFor issues licenses for a request.
func (env *testEnv) issueFor(r request.Request, ids ...string) []license.License {
	env.t.Helper()
	var list []license.License
	for _, id := range ids {
		key := env.issue(func(k *license.Key) { k.ID, k.Server = id, r.Server })
		k, err := license.Read(key)
		if err != nil {
			env.t.Fatal(err)
		}
		list = append(list, license.License{
			ID: id, Type: k.Type, Organization: k.Organization, Server: k.Server, Edition: k.Edition, MaxLoc: k.MaxLoc,
			Support:    k.Support,
			Expiration: k.Expiration, NotBefore: k.NotBefore,
			KeyText: key, Issued: k.Issued, Plugins: k.Plugins, Languages: k.Languages, Features: k.Features,
		})
	}
	env.answer(r, license.Contact{Email: r.Email}, list...)
	return list
}

// answer answers a request with licenses of one server, whose keys go to a person.
func (env *testEnv) answer(r request.Request, to license.Contact, list ...license.License) {
	env.t.Helper()
	i, err := storetest.Draft(env.t.Context(), env.store.Store, list[0], to)
	if err != nil {
		env.t.Fatal(err)
	}
	for _, l := range list[1:] {
		first := i.Licenses[0]
		l.Customer, l.Instance, l.Contract = first.Customer, first.Instance, first.Contract
		i.Licenses = append(i.Licenses, l)
	}
	i.By, i.Request, i.RequestVersion = operator, r.ID, r.Version
	if err := env.store.IssueLicenses(env.t.Context(), i); err != nil {
		env.t.Fatal(err)
	}
}

// historyLines returns the history on a page, without the times.
func historyLines(doc *goquery.Document) (list []string) {
	doc.Find(".history dd").Each(func(_ int, s *goquery.Selection) { list = append(list, webtest.Text(s)) })
	return list
}

func TestStatusShowsOurQuestion(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileForm()
	const asked = "Is the old server off?\n\n\"><script>alert(1)</script> And why?"
	env.review(r, request.Waiting, asked)
	doc := env.get(page).WantStatus(200).Page()
	if got := doc.Find("#question").Text(); got != asked {
		t.Errorf("question: got %q, want %q", got, asked)
	}
	main := webtest.Text(doc.Find("main"))
	for _, want := range []string{"We need something from you", "You can also reply to our email.",
		string(r.Reference)} {
		if !strings.Contains(main, want) {
			t.Errorf("got no %q on the page", want)
		}
	}
	if strings.Contains(main, "We will email you") || doc.Find(webtest.ForeignScript).Length() > 0 {
		t.Error("got a promised answer or markup, want neither while we wait")
	}
	// Once the review continues, the question is gone.
	again, err := env.store.Request(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	env.review(again, request.InReview, "")
	if env.get(page).Page().Find("#question").Length() > 0 {
		t.Error("got the question after the review continued, want none")
	}
}

func TestStatusShowsTheReason(t *testing.T) {
	for state, title := range map[request.State]string{request.Rejected: "The request was declined",
		request.Withdrawn: "The request was withdrawn"} {
		env := newTestEnv(t)
		r, page := env.fileForm()
		env.review(r, state, "There is no contract <b>yet</b>.")
		doc := env.get(page).WantStatus(200).Page()
		if webtest.Text(doc.Find("h1")) != title || doc.Find("#reason").Text() != "There is no contract <b>yet</b>." {
			t.Errorf("%s: got title %q and reason %q", state, webtest.Text(doc.Find("h1")), doc.Find("#reason").Text())
		}
		if doc.Find(`main a[href="/request/developer?ncloc=120000&serverId=AWHW8w9JtzBzSrmf9GQX"]`).Length() != 1 {
			t.Errorf("%s: got no link to another request", state)
		}
	}
}

func TestStatusShowsLicensesWithoutTheirKeys(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileForm()
	licenses := env.issueFor(r, "01c7wnn8g0aaaaaaaaaaaaaaaa", "01c7wnn8g0bbbbbbbbbbbbbbbb")
	a := env.get(page).WantStatus(200)
	doc := a.Page()
	if got := webtest.Text(doc.Find("h1")); got != "Your license was issued" {
		t.Errorf("got title %q", got)
	}
	var told []string
	doc.Find("dl.license").Each(func(_ int, s *goquery.Selection) { told = append(told, webtest.Text(s)) })
	if len(told) != 2 {
		t.Fatalf("got licenses %q, want two", told)
	}
	for i, l := range licenses {
		for _, want := range []string{l.ID, "Developer Edition", "AWHW8w9JtzBzSrmf9GQX", "up to 5'000'000",
			"28 Feb 2019, 23:59:59 UTC", "Custom packagelinked in the email with the key",
			"InstallationHow to install the package", "FeaturesBranch", "COBOL", "Supportincluded",
			"Valid from01 Mar 2018"} {
			if !strings.Contains(told[i], want) {
				t.Errorf("license %d: got %q, want %q in it", i, told[i], want)
			}
		}
		id, token, _ := strings.Cut(strings.TrimPrefix(page, "/requests/"), "?token=")
		for where, body := range map[string]string{"page": a.Body,
			"API": env.get("/api/license-requests/" + id + "?token=" + token).WantStatus(200).Body} {
			for n := 0; n+40 < len(l.KeyText); n += 20 {
				if strings.Contains(body, l.KeyText[n:n+40]) {
					t.Fatalf("the %s contains a part of the key", where)
				}
			}
		}
	}
	if check := doc.Find(`main a[href^="/licenses/check"]`).AttrOr("href", ""); check == "" ||
		env.get(check).StatusCode != 200 {
		t.Errorf("link to the key check: got %q", check)
	}

	recorded, err := env.store.License(t.Context(), licenses[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	change := store.LicenseChange{ID: licenses[0].ID, Version: recorded.Version, By: operator}
	if err := env.store.RevokeLicense(t.Context(), change, "never paid"); err != nil {
		t.Fatal(err)
	}
	a = env.get(page).WantStatus(200)
	if first := webtest.Text(a.Page().Find("dl.license").First()); !strings.Contains(first, "Revoked") ||
		strings.Contains(a.Body, "never paid") {
		t.Errorf("revoked license: got %q, want it marked, without our reason", first)
	}
}

func TestHistoryIsWordedForTheCustomer(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileForm()
	r = env.review(r, request.InReview, "")
	if err := env.store.NoteOnRequest(t.Context(), r.ID, operator, "difficult people"); err != nil {
		t.Fatal(err)
	}
	r = env.review(r, request.Waiting, "Why?")
	r = env.review(r, request.InReview, "")
	env.issueFor(r, "01c7wnn8g0aaaaaaaaaaaaaaaa")
	a := env.get(page).WantStatus(200)
	want := []string{
		"You sent the request.", "You confirmed the request.", "Our sales team started the review.",
		"We asked you a question.",
		"We continued the review.", "We issued the license.",
	}
	if got := historyLines(a.Page()); !slices.Equal(got, want) {
		t.Errorf("got history %q, want %q", got, want)
	}
	for _, secret := range []string{operator, "olga", "difficult"} {
		if strings.Contains(a.Body, secret) {
			t.Errorf("the page contains %q", secret)
		}
	}
}

func TestStatusApologizesForALateAnswer(t *testing.T) {
	env := newTestEnv(t)
	_, page := env.fileForm()
	if main := webtest.Text(env.get(page).Page().Find("main")); !strings.Contains(main,
		"We will email you at jane.doe@customer.example by Tuesday 06 Mar 2018, 09:30 UTC") {
		t.Errorf("in time: got %q, want the deadline", main)
	}
	env.clock = start.Add(25 * time.Hour)
	if main := webtest.Text(env.get(page).Page().Find("main")); !strings.Contains(main,
		"We promised an answer by Tuesday 06 Mar 2018, 09:30 UTC") || strings.Contains(main, "We will email you") {
		t.Errorf("late: got %q, want an apology", main)
	}
}

func TestStatusPageCorrectsALikelySlip(t *testing.T) {
	env := newTestEnv(t)
	to := env.send("/request/developer", withValues(validForm(), "email", "ana@hotmial.com")).
		WantStatus(303).Header.Get("Location")
	id, token, _ := strings.Cut(strings.TrimPrefix(to, "/requests/"), "?token=")
	form := env.get(to).WantStatus(200).Page().Find("form#slip[method=post]")
	if form.Length() != 1 || !strings.Contains(webtest.Text(form), "ana@hotmail.com") {
		t.Fatalf("got form %q, want ana@hotmail.com offered", webtest.Text(form))
	}
	if strings.Contains(webtest.Text(env.get(to).Page().Find("main")), "nothing you need to do") {
		t.Error("got that there is nothing to do beside the form")
	}
	action := form.AttrOr("action", "")
	env.send(action, url.Values{"token": {"wrong"}}).WantStatus(404)
	again := env.send(action, url.Values{"token": {token}}).WantStatus(422).Page()
	if again.Find("#right-error").Length() != 1 || env.request(id).Email != "ana@hotmial.com" {
		t.Error("a form that nobody touched corrects the address")
	}
	for range 2 { // the second time there is nothing to correct
		env.send(action, url.Values{"token": {token}, "right": {"yes"}, "email": {"eve@evil.example"}}).WantStatus(303)
	}
	r, err := env.store.Request(t.Context(), id)
	if err != nil || r.Email != "ana@hotmail.com" {
		t.Errorf("got address %s, %v, want ana@hotmail.com", r.Email, err)
	}
	mails := env.pendingMails()
	if len(mails) != 2 || mails[0] != id+"--received" || env.letter(mails[1]).To.Email != "ana@hotmail.com" {
		t.Errorf("got emails %v, want one to the corrected address as well", mails)
	}
	doc := env.get(to).Page()
	if doc.Find("form#slip").Length() != 0 || !strings.Contains(webtest.Text(doc.Find(".lead")), "ana@hotmail.com") {
		t.Errorf("corrected: got %q, and the form %d times", webtest.Text(doc.Find(".lead")),
			doc.Find("form#slip").Length())
	}
	env.confirmed(env.request(id))
	if doc = env.get(to).Page(); !slices.Contains(historyLines(doc), "You corrected your email address.") {
		t.Errorf("corrected: got history %q", historyLines(doc))
	}
	hint := jsonObject(env.api(validJSON("email", "ana@hotmial.com")).WantStatus(201))["hint"]
	if said, _ := hint.(string); !strings.Contains(said, "ana@hotmail.com") {
		t.Errorf("API: got hint %v, want ana@hotmail.com in it", hint)
	}
	if hint := jsonObject(env.api(validJSON()).WantStatus(201))["hint"]; hint != nil {
		t.Errorf("API, right address: got hint %v, want none", hint)
	}
}

func TestServerIDThatReadsAsADateGetsAHint(t *testing.T) {
	env := newTestEnv(t)
	for id, dated := range map[string]bool{"20180305093000": true, "120180305093000": false, "101899050930001": false,
		"100012050930001": true, "15bf41a1f2a93c4": false, "AWHW8w9JtzBzSrmf9GQX": false} {
		if got := license.Server(id).ReadsAsDate(); got != dated {
			t.Errorf("%s: got %v, want %v", id, got, dated)
		}
		form := env.get("/request/developer?serverId=" + id).WantStatus(200).Page()
		if got := strings.Contains(webtest.Text(form.Find("#serverId-hint")), "old version"); got != dated {
			t.Errorf("form, %s: got hint %v, want %v", id, got, dated)
		}
		sent := env.send("/request/developer", withValues(validForm(), "serverId", id)).WantStatus(303)
		to := sent.Header.Get("Location")
		env.confirmed(env.request(requestIDOf(to)))
		if got := env.get(to).WantStatus(200).Page().Find("#old-id").Length() == 1; got != dated {
			t.Errorf("status page, %s: got hint %v, want %v", id, got, dated)
		}
	}
}

func TestStatusPageShowsHowMuchOfTheLicenseIsUsed(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileForm("ncloc", "450000")
	if env.get(page).Page().Find(".gauge").Length() != 0 {
		t.Error("got a gauge without a license")
	}
	l := env.issueFor(r, "01c7wnn8g0aaaaaaaaaaaaaaaa")[0]
	gauge := env.get(page).Page().Find(".gauge")
	said := webtest.Text(gauge)
	if !strings.HasPrefix(said, "450'000 of "+license.Lines(l.MaxLoc)+" lines of code used") ||
		!strings.Contains(said, "As of 05 Mar 2018") {
		t.Errorf("got %q", said)
	}
	to, err := url.Parse(gauge.Find("a").AttrOr("href", ""))
	if err != nil || to.Path != "/request/developer" || to.Query().Get("kind") != "upgrade" ||
		to.Query().Get("ncloc") != "450000" || to.Query().Get("serverId") != string(r.Server) {
		t.Errorf("got the upgrade at %v, %v", to, err)
	}
	env.pass(400 * 24 * time.Hour)
	if env.get(page).Page().Find(".gauge").Length() != 0 {
		t.Error("got a gauge of a license that has expired")
	}
}
