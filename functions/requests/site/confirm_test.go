package site

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table/tabletest"
	"marketplace/shared/web/webtest"
)

// yes and no are the answers to a form that lists some requests.
func yes(list ...request.Request) url.Values { return answerTo("yes", list) }
func no(list ...request.Request) url.Values  { return answerTo("no", list) }

func answerTo(answer string, list []request.Request) url.Values {
	form := url.Values{"answer": {answer}}
	for _, r := range list {
		form.Add("request", r.ID)
		form.Add("listed", r.ID)
	}
	return form
}

func TestConfirmationFormListsRequestsOfTheAddress(t *testing.T) {
	env := newTestEnv(t)
	first, _ := env.fileUnconfirmed()
	doc := env.get(confirmPath(first)).WantStatus(200).Page()
	webtest.CheckPage(t, doc)
	main := webtest.Text(doc.Find("main"))
	for _, want := range []string{"Did you send this request?", string(first.Reference), "New license",
		"Developer Edition", "AWHW8w9JtzBzSrmf9GQX", "05 Mar 2018, 09:30 UTC", "jane.doe@customer.example"} {
		if !strings.Contains(main, want) {
			t.Errorf("got %q, want %q in it", main, want)
		}
	}
	for _, typed := range []string{"Jane Doe", "Customer & Sons", "hurry", "555", "120'000"} {
		if strings.Contains(main, typed) {
			t.Errorf("got %q of what was typed", typed)
		}
	}

	second, _ := env.fileUnconfirmed("kind", "renewal", "email", "Jane.Doe@CUSTOMER.example")
	env.fileUnconfirmed("email", "other@customer.example")
	for _, r := range []request.Request{first, second} {
		doc = env.get(confirmPath(r)).WantStatus(200).Page()
		webtest.CheckPage(t, doc)
		boxes := doc.Find("input[name=request][type=checkbox][checked]")
		if boxes.Length() != 2 || doc.Find("#request-"+first.ID+", #request-"+second.ID).Length() != 2 {
			t.Errorf("got %d ticked requests, want both", boxes.Length())
		}
		if doc.Find("input[name=answer]").Length() != 2 || doc.Find("input[name=answer][checked]").Length() != 0 {
			t.Error("want two answers of which none is chosen")
		}
		if text := webtest.Text(doc.Find("main")); !strings.Contains(text, "Did you send these requests?") ||
			!strings.Contains(text, "Yes, I sent the requests that are ticked") ||
			!strings.Contains(text, "No, I sent none of these") {
			t.Errorf("got %q", text)
		}
	}
}

func TestPagesWithASecretInTheirAddressKeepIt(t *testing.T) {
	env := newTestEnv(t)
	r, _ := env.fileUnconfirmed()
	form := confirmPath(r)
	for name, a := range map[string]*webtest.Answer{
		"form":     env.get(form).WantStatus(200),
		"again":    env.send(form, url.Values{}).WantStatus(422),
		"wrong":    env.get(letter.StatusPath(r) + "&confirm=wrong").WantStatus(200),
		"status":   env.get(letter.StatusPath(r)).WantStatus(200),
		"API":      env.get(apiPath + "/" + r.ID + "?token=" + r.Token).WantStatus(200),
		"public":   env.get(apiPath + "/" + r.ID).WantStatus(200),
		"no token": env.get("/requests/" + r.ID + "?confirm=" + r.Secret).WantStatus(404),
		"answered": env.send(form, yes(r)).WantStatus(303),
		"twice":    env.send(form, yes(r)).WantStatus(303),
		"after":    env.get(form).WantStatus(200),
	} {
		if strings.Contains(a.Body, r.Secret) || strings.Contains(a.Header.Get("Location"), r.Secret) {
			t.Errorf("%s: the answer has the secret", name)
		}
		if name == "public" || name == "answered" || name == "twice" || name == "no token" {
			continue
		}
		if got := a.Header.Get("Referrer-Policy"); got != "strict-origin" {
			t.Errorf("%s: got Referrer-Policy %q", name, got)
		}
		if got := a.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: got Cache-Control %q", name, got)
		}
		if got := a.Header.Get("X-Robots-Tag"); name != "API" && got != "noindex" {
			t.Errorf("%s: got X-Robots-Tag %q", name, got)
		}
	}
	if form := env.get(confirmPath(env.mustFile())).Page().Find("main form"); form.Length() != 1 ||
		form.AttrOr("method", "") != "post" || form.Is("[action]") {
		t.Error("the form has an address of its own, which would have to repeat the secret")
	}
	if log := env.log.String(); strings.Contains(log, r.Secret) || strings.Contains(log, r.Token) {
		t.Errorf("the log has a token:\n%s", log)
	}
}

// mustFile files another unconfirmed request.
func (env *testEnv) mustFile() request.Request {
	env.t.Helper()
	r, _ := env.fileUnconfirmed("idempotencyKey", "another form")
	return r
}

func TestYesConfirmsTheTickedRequests(t *testing.T) {
	env := newTestEnv(t)
	first, page := env.fileUnconfirmed()
	second, _ := env.fileUnconfirmed("kind", "renewal")
	foreign, _ := env.fileUnconfirmed("email", "other@customer.example")

	form := yes(first, foreign)
	form.Add("listed", second.ID)
	env.send(confirmPath(first), form).WantRedirect(page)
	for _, tt := range []struct {
		r         request.Request
		confirmed bool
	}{{first, true}, {second, false}, {foreign, false}} {
		got := env.request(tt.r.ID)
		if got.Confirmed.IsZero() == tt.confirmed || got.Unconfirmed == tt.confirmed || !got.State.Open() {
			t.Errorf("%s of %s: got confirmed at %s, want it: %v", got.Kind, got.Email, got.Confirmed, tt.confirmed)
		}
	}
	doc := env.get(page).WantStatus(200).Page()
	main := webtest.Text(doc.Find("main"))
	if !strings.Contains(main, "Thank you for confirming it. Our sales team will review it.") ||
		!strings.Contains(main, "by Tuesday 06 Mar 2018, 09:30 UTC") || doc.Find("form#again").Length() != 0 ||
		!slices.Contains(historyLines(doc), "You confirmed the request.") {
		t.Errorf("got %q, want our thanks and when we reply", main)
	}
	// The link has served; the other request is confirmed with its own.
	for _, form := range []url.Values{yes(second), no(second), {}} {
		env.send(confirmPath(first), form).WantRedirect(page)
	}
	if got := env.request(second.ID); !got.Unconfirmed || !got.State.Open() {
		t.Errorf("got %+v answered with a link that has served", got)
	}
	main = webtest.Text(env.get(confirmPath(first)).WantStatus(200).Page().Find("main"))
	if !strings.Contains(main, nothingToConfirm) || !strings.Contains(main, "We have your request") {
		t.Errorf("confirmed: got %q, want the status page", main)
	}
	env.confirmed(second)
}

func TestNoClosesTheListedRequests(t *testing.T) {
	env := newTestEnv(t)
	first, page := env.fileUnconfirmed()
	second, _ := env.fileUnconfirmed("kind", "renewal")
	form := no(first, second)
	later, _ := env.fileUnconfirmed("kind", "upgrade") // after the form was opened
	form.Del("request")                                // nothing has to be ticked
	env.send(confirmPath(first), form).WantRedirect(page)
	for _, r := range []request.Request{first, second} {
		if got := env.request(r.ID); got.State != request.Withdrawn || !got.Confirmed.IsZero() {
			t.Errorf("got %s, %s, want it withdrawn", got.Kind, got.State)
		}
	}
	if !env.request(later.ID).Unconfirmed {
		t.Error("a request that the form did not list is closed")
	}
	a := env.get(page).WantStatus(200)
	main := webtest.Text(a.Page().Find("main"))
	for _, want := range []string{"We closed the request", "You will not hear from us about it again"} {
		if !strings.Contains(main, want) {
			t.Errorf("got %q, want %q in it", main, want)
		}
	}
	for _, typed := range []string{"Jane Doe", "hurry", "Sons", "555 01 23", "sales team", "AWHW8", "You sent"} {
		if strings.Contains(webtest.Text(a.Page().Find("main")), typed) {
			t.Errorf("the page of a denied request says %q", typed)
		}
	}
	for _, id := range env.pendingMails() {
		if !strings.HasSuffix(id, "--received") {
			t.Errorf("got email %s after a no, want none", id)
		}
	}
}

func TestFormWithoutAnswerChangesNothing(t *testing.T) {
	env := newTestEnv(t)
	first, _ := env.fileUnconfirmed()
	second, _ := env.fileUnconfirmed("kind", "renewal")
	for name, tt := range map[string]struct {
		form   url.Values
		field  string
		ticked int
	}{
		"nothing":       {url.Values{}, "answer", 0},
		"untouched":     {answerTo("", []request.Request{first, second}), "answer", 2},
		"other answer":  {answerTo("perhaps", []request.Request{first}), "answer", 1},
		"nothing to it": {url.Values{"answer": {"yes"}, "listed": {first.ID}}, "request", 0},
	} {
		doc := env.send(confirmPath(first), tt.form).WantStatus(422).Page()
		webtest.CheckPage(t, doc)
		if doc.Find("#"+tt.field+"-error").Length() != 1 || doc.Find("#errors a").Length() != 1 ||
			!strings.HasPrefix(doc.Find("title").Text(), "Error: ") {
			t.Errorf("%s: got no error beside %s", name, tt.field)
		}
		if got := doc.Find("input[name=request][checked]").Length(); got != tt.ticked {
			t.Errorf("%s: got %d ticked, want %d as sent", name, got, tt.ticked)
		}
		if !env.request(first.ID).Unconfirmed || !env.request(second.ID).Unconfirmed {
			t.Fatalf("%s: a request was confirmed", name)
		}
	}
}

func TestWrongSecretShowsTheStatusPage(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileUnconfirmed()
	other, _ := env.fileUnconfirmed("email", "other@customer.example")
	old, _ := env.fileUnconfirmed("email", "ana@hotmial.com")
	env.send("/requests/"+old.ID+"/email", url.Values{"token": {old.Token}, "right": {"yes"}}).WantStatus(303)
	for name, at := range map[string]string{
		"empty": page + "&confirm=", "another's": page + "&confirm=" + other.Secret, "cut": page + "&confirm=" + r.Secret[:25],
		"status token": page + "&confirm=" + r.Token, "corrected address": confirmPath(old),
	} {
		doc := env.get(at).WantStatus(200).Page()
		if doc.Find("[name=answer]").Length() > 0 || webtest.Text(doc.Find("#note")) != wrongSecret ||
			webtest.Text(doc.Find("h1")) != "Confirm your request" {
			t.Errorf("%s: got %q, want the status page with a sentence", name, webtest.Text(doc.Find("main")))
		}
		doc = env.send(at, yes(r, other, old)).WantStatus(403).Page()
		if webtest.Text(doc.Find("#note")) != wrongSecret {
			t.Errorf("%s: posted: got %q", name, webtest.Text(doc.Find("main")))
		}
	}
	env.send(page, yes(r)).WantStatus(403) // a status link in hand
	for _, r := range []request.Request{r, other, old} {
		if got := env.request(r.ID); !got.Unconfirmed || !got.State.Open() {
			t.Errorf("%s: got %+v, want nothing changed", r.Email, got)
		}
	}
	// The secret opens nothing without the status link.
	env.get("/requests/" + r.ID + "?token=" + other.Token + "&confirm=" + r.Secret).WantStatus(404)
	env.send("/requests/"+r.ID+"?token="+other.Token+"&confirm="+r.Secret, yes(r)).WantStatus(404)
}

func TestLinkIsReadAsMailProgramsMangleIt(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileUnconfirmed()
	for _, secret := range []string{strings.ToLower(r.Secret), "3D" + r.Secret, r.Secret + ".", "%20" + r.Secret + "%3E"} {
		if env.get(page+"&confirm="+secret).WantStatus(200).Page().Find("[name=answer]").Length() != 2 {
			t.Errorf("%s: got no form", secret)
		}
	}
}

func TestManyRequestsAreNotTicked(t *testing.T) {
	env := newTestEnv(t)
	r, _ := env.fileUnconfirmed()
	for i := range tickedAtMost {
		env.fileUnconfirmed("ncloc", strings.Repeat("7", i+1))
	}
	doc := env.get(confirmPath(r)).WantStatus(200).Page()
	ticked := doc.Find("input[name=request][checked]")
	if ticked.Length() != 1 || ticked.AttrOr("value", "") != r.ID {
		t.Errorf("got %d ticked of a flood, want the one of the link", ticked.Length())
	}
}

func TestRequestInReviewCanBeConfirmed(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileUnconfirmed()
	r = env.review(r, request.InReview, "")
	doc := env.get(page).WantStatus(200).Page()
	if main := webtest.Text(doc.Find("main")); !strings.Contains(main, "We are reviewing your request") ||
		doc.Find("form#again").Length() != 1 {
		t.Errorf("got %q, want that it can be confirmed", main)
	}
	r = env.confirmed(r)
	if r.Confirmed.IsZero() || r.State != request.InReview || env.get(page).Page().Find("form#again").Length() != 0 {
		t.Errorf("got %+v, want it confirmed and in review", r)
	}
}

func TestEmailIsSentAgain(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileUnconfirmed()
	at := "/requests/" + r.ID + "/confirmation"
	form := env.get(page).WantStatus(200).Page().Find("form#again[method=post]")
	if form.AttrOr("action", "") != at || form.Find("input[name=sure][checked]").Length() != 0 {
		t.Fatalf("got form %q", webtest.Text(form))
	}
	env.send(at, url.Values{"token": {"wrong"}, "sure": {"yes"}}).WantStatus(404)
	doc := env.send(at, url.Values{"token": {r.Token}}).WantStatus(422).Page()
	webtest.CheckPage(t, doc)
	if doc.Find("#sure-error").Length() != 1 || len(env.pendingMails()) != 1 {
		t.Errorf("untouched: got emails %v and %q", env.pendingMails(), webtest.Text(doc.Find("main")))
	}
	sent := url.Values{"token": {r.Token}, "sure": {"yes"}}
	for range 3 { // the last one lists all that wait
		env.send(at, sent).WantRedirect(page)
	}
	if got := env.pendingMails(); len(got) != 4 {
		t.Errorf("got emails %v, want four", got)
	}
	doc = env.send(at, sent).WantStatus(429).Page()
	webtest.CheckPage(t, doc)
	if note := webtest.Text(doc.Find("#note")); !strings.Contains(note, "several emails today") ||
		!strings.Contains(note, "spam folder") || len(env.pendingMails()) != 4 {
		t.Errorf("got %q and emails %v, want a sentence and no fifth email", note, env.pendingMails())
	}
	env.confirmed(r)
	env.send(at, sent).WantRedirect(page)
	if got := env.pendingMails(); len(got) != 5 || !slices.Contains(got, r.ID+"--confirmed") {
		t.Errorf("confirmed: got emails %v, want one for us", got)
	}
}

func TestSuspiciousRequestGetsItsEmailFromThePage(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileUnconfirmed(honeypot, "x")
	form := env.get(page).WantStatus(200).Page().Find("form#again")
	if got := webtest.Text(form.Find("button")); got != "Send me the confirmation email" {
		t.Errorf("got button %q", got)
	}
	env.send(form.AttrOr("action", ""), url.Values{"token": {r.Token}}).WantStatus(422)
	if got := env.pendingMails(); len(got) != 0 {
		t.Errorf("got emails %v, want none before somebody asks", got)
	}
	env.send(form.AttrOr("action", ""), url.Values{"token": {r.Token}, "sure": {"yes"}}).WantRedirect(page)
	if got := env.pendingMails(); len(got) != 1 {
		t.Errorf("got emails %v, want one", got)
	}
	main := webtest.Text(env.get(page).WantStatus(200).Page().Find("main"))
	if strings.Contains(main, "hidden field") || !strings.Contains(main, "We are emailing jane.doe@customer.example") {
		t.Errorf("got %q, want where the email goes", main)
	}
	if r = env.confirmed(r); r.Unconfirmed {
		t.Error("the request is still unconfirmed")
	}
}

func TestUnconfirmedPageShowsNothingThatWasTyped(t *testing.T) {
	env := newTestEnv(t)
	_, page := env.fileUnconfirmed()
	a := env.get(page).WantStatus(200)
	webtest.CheckPage(t, a.Page())
	main := webtest.Text(a.Page().Find("main"))
	for _, want := range []string{"Confirm your request", "jane.doe@customer.example", "spam folder", "30 days",
		"within one business day"} {
		if !strings.Contains(main, want) {
			t.Errorf("got %q, want %q in it", main, want)
		}
	}
	for _, typed := range []string{"Jane", "Sons", "hurry", "555", "john@", "AWHW8w9JtzBzSrmf9GQX", "120", "06 Mar",
		"Switzerland"} {
		if strings.Contains(strings.ReplaceAll(a.Body, "jane.doe@", ""), typed) {
			t.Errorf("the page says %q", typed)
		}
	}
}

func TestNobodyConfirmedARequest(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileUnconfirmed()
	late := store.New(env.table, store.Options{Now: func() time.Time { return start.AddDate(0, 0, 40) }})
	if n, err := late.CloseUnconfirmed(t.Context(), 10); n != 1 || err != nil {
		t.Fatalf("got %d closed, %v", n, err)
	}
	for _, at := range []string{page, confirmPath(r)} {
		doc := env.get(at).WantStatus(200).Page()
		if got := webtest.Text(doc.Find("h1")); got != "The request has expired" || doc.Find("#reason").Length() > 0 {
			t.Errorf("got %q", webtest.Text(doc.Find("main")))
		}
	}
	env.send(confirmPath(r), yes(r)).WantRedirect(page)
	if got := env.request(r.ID); got.State != request.Withdrawn || !got.Confirmed.IsZero() {
		t.Errorf("got %+v, want it closed", got)
	}
}

// TestScannersChangeNothing has a program follow all links and submit all forms of our emails and pages.
func TestScannersChangeNothing(t *testing.T) {
	memory := &tabletest.Memory{}
	env := newTestEnvOver(t, memory)
	first, page := env.fileUnconfirmed()
	second, _ := env.fileUnconfirmed("kind", "renewal")
	slip, slipPage := env.fileUnconfirmed("email", "ana@hotmial.com")
	caught, caughtPage := env.fileUnconfirmed(honeypot, "x", "email", "joe@customer.example")
	_, reviewedPage := env.fileUnconfirmed("email", "sue@customer.example")
	env.review(env.request(requestIDOf(reviewedPage)), request.InReview, "")
	before := memory.Rows()

	scanner := &webtest.Scanner{Client: webtest.Client{T: t, Site: env.site}, SiteURL: siteURL}
	for _, id := range env.pendingMails() {
		m := env.letter(id)
		scanner.Scan(m.TextBody())
		scanner.Scan(m.HTMLBody())
	}
	for _, at := range []string{page, confirmPath(first), confirmPath(second), slipPage, caughtPage, reviewedPage} {
		scanner.Open(at)
	}
	for _, path := range []string{confirmPath(first), confirmPath(second), confirmPath(slip),
		"/requests/" + first.ID + "/confirmation", "/requests/" + caught.ID + "/confirmation",
		"/requests/" + slip.ID + "/email"} {
		if !slices.Contains(scanner.Submitted, path) {
			t.Errorf("the scanner did not submit the form of %s, but %q", path, scanner.Submitted)
		}
	}
	after := memory.Rows()
	if len(after) != len(before) {
		t.Fatalf("got %d rows, want the %d of before", len(after), len(before))
	}
	for i, row := range after {
		if row.Key != before[i].Key || row.Version != before[i].Version {
			t.Errorf("the scanner changed %v", row.Key)
		}
	}
}
