package site

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

const advertisement = "call 0800-555-0123"

// replacement files a replacement of a sold license as a stranger does, with an advertisement wherever one fits, and
// links it to the customer.
func (env *testEnv) replacement(change ...string) request.Request {
	env.t.Helper()
	form := withValues(validForm(), "kind", "replacement", "email", "mallory@gmail.com", "serverId",
		"08005550-AWHW8w9JtzBzSrmf9QST", "replaces", licenseID, "environment", "production", "oldServer", "lost",
		"name", advertisement, "company", advertisement, "message", advertisement, "idempotencyKey", "")
	to := env.send("/request/developer", withValues(form, change...)).WantStatus(303).Header.Get("Location")
	u, _ := url.Parse(to)
	r, err := env.store.Request(env.t.Context(), strings.TrimPrefix(u.Path, "/requests/"))
	if err == nil {
		err = env.store.ConfirmRequests(env.t.Context(), r.ID, r.Secret, r.ID)
	}
	if err == nil {
		of := storetest.CustomerID("Acme Corporation")
		err = env.store.LinkRequest(env.t.Context(), store.RequestChange{ID: r.ID, By: storetest.By}, of, "")
	}
	if err != nil {
		env.t.Fatal(err)
	}
	return env.request(r.ID)
}

// ask asks a contact whether a request is theirs, and returns the link in the email.
func (env *testEnv) ask(r request.Request, to license.Contact) string {
	env.t.Helper()
	change := store.RequestChange{ID: r.ID, By: storetest.By}
	if err := env.store.AskContacts(env.t.Context(), change, to); err != nil {
		env.t.Fatal(err)
	}
	text := env.letter(env.mailTo(mail.RequestAsk, r.ID, to).ID).Text
	at := answerLink.FindStringSubmatch(text)
	if at == nil {
		env.t.Fatalf("there is no private link in\n%s", text)
	}
	return at[1]
}

var answerLink = regexp.MustCompile(regexp.QuoteMeta(siteURL) + `(/answer/\S+)`)

func (env *testEnv) say(at, answer string) *webtest.Answer {
	env.t.Helper()
	return env.send(at, url.Values{"answer": {answer}})
}

// told counts the emails that tell sales of answers.
func (env *testEnv) told(r request.Request) (n int) {
	env.t.Helper()
	list, err := env.store.MailsAbout(env.t.Context(), r.ID, 100)
	if err != nil {
		env.t.Fatal(err)
	}
	for _, m := range list {
		if m.Kind == mail.RequestAnswered {
			n++
		}
	}
	return n
}

func TestContactIsShownWhatIsAsked(t *testing.T) {
	env := newTestEnv(t)
	env.sold(nil)
	r := env.replacement()
	page := env.get(env.ask(r, ada)).WantStatus(200)
	if got := page.Header.Get("Referrer-Policy"); got != "strict-origin" {
		t.Errorf("got Referrer-Policy %q, want strict-origin", got)
	}
	text := strings.Join(strings.Fields(page.Page().Find("main").Text()), " ")
	for _, want := range []string{
		"mallory@gmail.com", "0800…9QST", "Replacement", "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX",
		"We may revoke your license for server 4A6F8E2B-AWHW8w9JtzBzSrmf9GQX and email a new key to mallory@gmail.com.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in\n%s", want, text)
		}
	}
	for _, wrong := range []string{"5550", advertisement, r.Token, r.Secret} {
		if strings.Contains(page.Body, wrong) {
			t.Errorf("the page has %s, which a stranger typed, or a secret:\n%s", wrong, page.Body)
		}
	}
	form := page.Page().Find("main form")
	if form.AttrOr("action", "none") != "none" || form.Find("[checked], [type=hidden]").Length() > 0 {
		t.Error("the form has a choice that the contact did not make, or an address or a field with a secret")
	}
}

func TestRequestNamesLicensesOfItsCustomerOnly(t *testing.T) {
	env := newTestEnv(t)
	env.sold(nil)
	other := storetest.Record(t, env.store.Store, license.License{
		ID: "01c7wnn8g0bbbbbbbbbbbbbbbb", Type: license.Production, Organization: "Another Ltd",
		Edition: license.Developer, Server: "5B7F9D3C-AWHW8w9JtzBzSrmf9GQY", MaxLoc: 1,
		Expiration: license.DateOf(start).AddMonths(2),
	})
	for name, replaces := range map[string]string{
		"another customer's": other.License.ID, "none on record": "01c7wnn8g0cccccccccccccccc", "no ID": advertisement,
	} {
		page := env.get(env.ask(env.replacement("replaces", replaces), ada)).WantStatus(200)
		if strings.Contains(page.Body, "5B7F9D3C") || strings.Contains(page.Body, "Your server") ||
			!strings.Contains(page.Body, "We may revoke a license of your company") {
			t.Errorf("%s: want no server of anybody's in\n%s", name, page.Body)
		}
	}
}

func TestContactAnswersAndChangesTheAnswer(t *testing.T) {
	env := newTestEnv(t)
	env.sold(nil)
	r := env.replacement()
	at := env.ask(r, ada)
	if got := env.standing(env.request(r.ID)); got != customer.Stranger {
		t.Fatalf("before: got %s, want a stranger", got)
	}
	env.say(at, "").WantStatus(422)
	env.say(at, "maybe").WantStatus(422)
	if got := env.request(r.ID).Answers; len(got) > 0 {
		t.Errorf("got answers %+v without a choice", got)
	}
	for i, tt := range []struct {
		answer   string
		standing customer.Standing
		told     int
	}{{"yes", customer.Proven, 1}, {"yes", customer.Proven, 1}, {"no", customer.Stranger, 2}, {"yes", customer.Proven, 3}} {
		env.now = env.now.Add(time.Minute)
		if to := env.say(at, tt.answer).WantStatus(303).Header.Get("Location"); to != at {
			t.Errorf("got redirected to %s, want %s", to, at)
		}
		now := env.request(r.ID)
		if len(now.Answers) != 1 || env.standing(now) != tt.standing || env.told(r) != tt.told {
			t.Errorf("%d: %s: got answers %+v, standing %s and %d emails to sales, want %s and %d", i, tt.answer,
				now.Answers, env.standing(now), env.told(r), tt.standing, tt.told)
		}
		text := env.get(at).WantStatus(200).Page().Find("main").Text()
		if !strings.Contains(text, "Thank you for your answer") || !strings.Contains(text, "You said "+tt.answer) {
			t.Errorf("got no thanks for the %s in\n%s", tt.answer, text)
		}
	}
	// Another contact's no weighs more.
	if env.say(env.ask(r, bob), "no").WantStatus(303); env.standing(env.request(r.ID)) != customer.Stranger {
		t.Error("the request is proven although a contact said no")
	}
}

func TestClosedRequestHasNothingToAnswer(t *testing.T) {
	env := newTestEnv(t)
	env.sold(nil)
	r := env.replacement()
	at := env.ask(r, ada)
	for _, to := range []request.State{request.InReview, request.Rejected} {
		v := store.Review{ID: r.ID, By: storetest.By, To: to, Version: env.request(r.ID).Version, Text: "Not yours."}
		if _, err := env.store.Review(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	env.pass(request.UndoFor)
	for _, page := range []*webtest.Answer{env.get(at), env.say(at, "yes")} {
		page.WantStatus(410)
		if page.Page().Find("form").Length() > 0 || !strings.Contains(page.Body, "This request is closed") {
			t.Errorf("got a form, or no word that the request is closed:\n%s", page.Body)
		}
	}
	if got := env.request(r.ID).Answers; len(got) > 0 || env.told(r) > 0 {
		t.Errorf("got answers %+v about a closed request", got)
	}
}

func TestOnlyTheWholeLinkAnswersItsRequest(t *testing.T) {
	env := newTestEnv(t)
	sold := env.sold(nil)
	r := env.replacement()
	other := env.replacement("serverId", "AWHW8w9JtzBzSrmf9ZZZ")
	at, atBob, atOther := env.ask(r, ada), env.ask(r, bob), env.ask(other, ada)
	renewal := env.remind(sold, ada)
	link := func(id string, query url.Values) string { return "/answer/" + id + "?" + query.Encode() }
	queryOf := func(at string) url.Values { u, _ := url.Parse(at); return u.Query() }
	mine, bobs, others, reminders := queryOf(at), queryOf(atBob), queryOf(atOther), queryOf(renewal)
	with := func(mail, token string) url.Values { return url.Values{"mail": {mail}, "token": {token}} }
	for name, wrong := range map[string]string{
		"no token":                     link(r.ID, with(mine.Get("mail"), "")),
		"another contact's token":      link(r.ID, with(mine.Get("mail"), bobs.Get("token"))),
		"another request's":            link(r.ID, others),
		"at another request":           link(other.ID, mine),
		"the status link's token":      link(r.ID, with(mine.Get("mail"), r.Token)),
		"the confirmation's secret":    link(r.ID, with(mine.Get("mail"), r.Secret)),
		"the reminder's":               link(licenseID, reminders),
		"the reminder's token":         link(r.ID, with(mine.Get("mail"), reminders.Get("token"))),
		"as a renewal":                 "/renew/" + r.ID + "?" + mine.Encode(),
		"as a renewal of the license":  "/renew/" + licenseID + "?" + mine.Encode(),
		"the answer's token as status": "/requests/" + r.ID + "?token=" + mine.Get("token"),
	} {
		if got := env.get(wrong).StatusCode; got != 404 {
			t.Errorf("%s: got status %d, want 404", name, got)
		}
		if strings.HasPrefix(wrong, "/answer/") {
			env.say(wrong, "yes").WantStatus(404)
		}
	}
	if got := env.request(r.ID).Answers; len(got) > 0 {
		t.Errorf("got answers %+v", got)
	}
	env.get(strings.ToUpper(at[:len("/answer/")+len(r.ID)]) + at[len("/answer/")+len(r.ID):]).WantStatus(404)
	env.get("/answer/" + strings.ToUpper(r.ID) + "?" + mine.Encode() + ".").WantStatus(200)
}

// TestScannerAnswersAndRenewsNothing has a program open every link of the emails and submit every form as it is.
func TestScannerAnswersAndRenewsNothing(t *testing.T) {
	env := newTestEnv(t)
	sold := env.sold(nil)
	r := env.replacement()
	links := []string{env.ask(r, ada), env.remind(sold, ada)}
	before := env.pendingMails()
	scanner := webtest.Scanner{Client: webtest.Client{T: t, Site: env.site}, SiteURL: siteURL}
	for _, at := range links {
		scanner.Open(siteURL + at)
	}
	for _, at := range links {
		if !slices.ContainsFunc(scanner.Submitted, func(s string) bool { return strings.HasSuffix(s, at) }) {
			t.Errorf("the scanner submitted %q, want the form of %s among them", scanner.Submitted, at)
		}
	}
	if got := env.request(r.ID); len(got.Answers) > 0 || !slices.Equal(env.pendingMails(), before) {
		t.Errorf("the scanner changed something: answers %+v, emails %q", got.Answers, env.pendingMails())
	}
	if got := env.requests(ada.Email); len(got) > 0 {
		t.Errorf("the scanner filed %+v", got)
	}
}

func TestAnswerOfARemovedContactCountsForNothing(t *testing.T) {
	env := newTestEnv(t)
	env.sold(nil)
	r := env.replacement()
	at := env.ask(r, ada)
	env.removeContact(ada.Email)
	env.say(at, "yes").WantStatus(303)
	if got := env.standing(env.request(r.ID)); got != customer.Stranger {
		t.Errorf("got %s, want a stranger", got)
	}
}
