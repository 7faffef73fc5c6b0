package site

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web/webtest"
)

// with sets values in a form, given as pairs of names and values.
func with(form url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// sameSnapshot returns a new form with the snapshot of another one.
func sameSnapshot(basis url.Values, pairs ...string) url.Values {
	return with(url.Values{"version": basis["version"], "seen": basis["seen"]}, pairs...)
}

// reply sends a form, and where that leads to the preview of an email, sends the email.
func (w *testEnv) reply(who, target string, form url.Values) *webtest.Answer {
	w.t.Helper()
	a := w.send(who, target, form)
	if a.StatusCode != http.StatusOK {
		return a
	}
	return w.send(who, target, hiddenIn(a.Page().Find("form.reply")))
}

// hiddenIn returns the hidden fields of a form.
func hiddenIn(form *goquery.Selection) url.Values {
	values := url.Values{}
	form.Find("input[type=hidden]").Each(func(_ int, s *goquery.Selection) {
		values.Set(s.AttrOr("name", ""), s.AttrOr("value", ""))
	})
	return values
}

func (w *testEnv) request(id string) request.Request {
	w.t.Helper()
	r, err := w.store.Request(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// offered returns the steps that a request's page offers.
func offered(doc *goquery.Document) (paths []string) {
	doc.Find(".tasks form[method=post]").Each(func(_ int, s *goquery.Selection) {
		action := s.AttrOr("action", "")
		paths = append(paths, action[strings.LastIndex(action, "/")+1:])
	})
	return paths
}

func TestEachStateOffersItsStepsAndRefusesTheRest(t *testing.T) {
	for state, want := range map[request.State][]string{
		request.Received:  {"take", "ask", "note", "reject", "withdraw"},
		request.InReview:  {"take-over", "ask", "note", "reject", "withdraw"},
		request.Waiting:   {"resume", "note", "reject", "withdraw"},
		request.Issued:    {"note"},
		request.Rejected:  {"note"}, // the offer to undo is not among these
		request.Withdrawn: {"note"},
	} {
		t.Run(string(state), func(t *testing.T) {
			w := newTestEnv(t)
			for _, s := range steps {
				r := w.file(sampleDetails)
				if state != request.Received {
					r = w.review(r, state)
				}
				page := "/console/requests/" + r.ID
				doc := w.get(sam, page).WantStatus(200).Page()
				if got := offered(doc); !slices.Equal(got, want) {
					t.Errorf("offered %q, want %q", got, want)
				}
				if issue := doc.Find(".tasks a[href$='/issue']").Length() == 1; issue != state.Open() {
					t.Errorf("a license can be issued: %v", issue)
				}
				a := w.reply(sam, page+"/"+s.path, w.filled(page))
				after := w.request(r.ID)
				if slices.Contains(want, s.path) {
					a.WantRedirect(page + "?done=" + s.path)
					if s.to != "" && after.State != s.to {
						t.Errorf("%s led to %s", s.path, after.State)
					}
					if done := webtest.Text(w.get(sam,
						page+"?done="+s.path).Page().Find("main .notice.good")); done != s.done {
						t.Errorf("%s: the page says %q", s.path, done)
					}
					continue
				}
				a.WantStatus(http.StatusConflict)
				if after.State != state || after.Version != r.Version {
					t.Errorf("%s was refused, and led to %s", s.path, after.State)
				}
			}
		})
	}
}

func (w *testEnv) mailsAbout(r request.Request) []outbox.Mail {
	w.t.Helper()
	mails, err := w.store.MailsAbout(w.t.Context(), r.ID, 10)
	if err != nil {
		w.t.Fatal(err)
	}
	return mails
}

func TestStepsQueueEmailsToTheCustomer(t *testing.T) {
	for path, want := range map[string]mail.Kind{"take": "", "note": "", "ask": mail.RequestQuestion,
		"reject": mail.RequestRejected, "withdraw": mail.RequestWithdrawn} {
		w := newTestEnv(t)
		r := w.file(sampleDetails)
		page := "/console/requests/" + r.ID
		before := w.mailsAbout(r)
		w.reply(sam, page+"/"+path, with(w.snapshot(page), "question", "Which <b>one</b>?", "rejection",
			"Which <b>one</b>?", "withdrawal", "Which <b>one</b>?", "note", "Which?"))
		mails := slices.DeleteFunc(w.mailsAbout(r), func(m outbox.Mail) bool {
			return slices.ContainsFunc(before, func(b outbox.Mail) bool { return b.ID == m.ID })
		})
		switch {
		case want == "" && len(mails) == 0:
		case want == "" || len(mails) != 1:
			t.Errorf("%s: %d mails", path, len(mails))
		case mails[0].Kind != want || mails[0].To.Email != sampleDetails.Email ||
			!strings.Contains(w.letter(mails[0].ID).Text, "Which <b>one</b>?"):
			t.Errorf("%s: %+v", path, mails[0])
		case webtest.Text(w.get(sam, page).Page().Find("#mails-title + table tbody tr").Last()) == "":
			t.Errorf("%s: the page does not show the mail", path)
		}
	}
}

func TestConflictNamesTheOtherChangeAndKeepsTheText(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	seen := w.snapshot(page) // both look at it
	w.reply(lucia, page+"/ask", sameSnapshot(seen, "question", "How many servers?")).WantStatus(303)
	mails := w.pendingMails()

	told := w.reply(sam, page+"/reject", with(seen, "rejection",
		"Not with\nthis server.")).WantStatus(http.StatusConflict).Page()
	trouble := told.Find("#trouble")
	for _, want := range []string{"This page has changed since you opened it", "asked the customer · " + emails[lucia],
		"How many servers?", "Status: Received Waiting for customer"} {
		if !strings.Contains(strings.ToLower(webtest.Text(trouble)), strings.ToLower(want)) {
			t.Errorf("got message without %q:\n%s", want, webtest.Text(trouble))
		}
	}
	if kept := strings.TrimPrefix(told.Find("#rejection").Text(), "\n"); kept != "Not with\nthis server." {
		t.Errorf("got text %q", kept)
	}
	if told.Find("details[open] #rejection").Length() != 1 {
		t.Error("the typed text is hidden")
	}
	if got := w.request(r.ID); got.State != request.Waiting || got.Reason != "" ||
		!slices.Equal(mails, w.pendingMails()) {
		t.Errorf("the request is %+v", got)
	}
	// The page that says so is the one to go on with.
	again := told.Find("form[action$='/reject']")
	form := url.Values{"rejection": {"Not with this server."}}
	again.Find("input[type=hidden]").Each(func(_ int,
		s *goquery.Selection) {
		form.Set(s.AttrOr("name", ""), s.AttrOr("value", ""))
	})
	w.reply(sam, page+"/reject", form).WantRedirect(page + "?done=reject")
}

func TestConflictShowsTheTextWhenItsFormIsGone(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	seen := w.snapshot(page)
	w.reply(lucia, page+"/reject", with(w.snapshot(page), "rejection", "No.")).WantStatus(303)
	told := w.reply(sam, page+"/ask", with(seen, "question", "Is it <urgent>?")).WantStatus(http.StatusConflict).Page()
	if kept := told.Find("pre.kept").Text(); kept != "Is it <urgent>?" {
		t.Errorf("got text %q", kept)
	}
}

func TestRepeatedFormCountsOnce(t *testing.T) {
	for _, path := range []string{"take", "ask", "note", "reject", "withdraw"} {
		w := newTestEnv(t)
		r := w.file(sampleDetails)
		page := "/console/requests/" + r.ID
		form, before := w.filled(page), len(w.timeline(r))
		for range 3 {
			w.reply(sam, page+"/"+path, form).WantRedirect(page + "?done=" + path)
		}
		if n := len(w.timeline(r)) - before; n != 1 {
			t.Errorf("%s: got %d new events, want one", path, n)
		}
	}
}

func TestConcurrentStepsTakeEffectOnce(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	form, before := w.filled(page), len(w.timeline(r))
	statuses := make([]int, 20)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			path := []string{"take", "ask", "reject", "withdraw"}[i%4]
			statuses[i] = w.reply([]string{sam, lucia, ada}[i%3], page+"/"+path, form).StatusCode
		})
	}
	wg.Wait()
	if n := len(w.timeline(r)) - before; n != 1 {
		t.Errorf("got %d new events, want one; statuses %v", n, statuses)
	}
	for _, status := range statuses {
		if status != http.StatusSeeOther && status != http.StatusConflict {
			t.Errorf("status %d", status)
		}
	}
}

func TestFirstReviewerSeesWhoTookOver(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	w.send(lucia, page+"/take", w.snapshot(page)).WantStatus(303)
	if got := offered(w.get(lucia, page).Page()); slices.Contains(got, "take-over") {
		t.Errorf("who works on it is offered %q", got)
	}
	button := webtest.Text(w.get(sam, page).Page().Find("form[action$='/take-over'] button"))
	if button != "Take over from "+emails[lucia] {
		t.Errorf("the button says %q", button)
	}
	old := w.snapshot(page)
	w.send(lucia, page+"/take-over", old).WantStatus(http.StatusConflict)
	for range 2 { // a double click
		w.send(sam, page+"/take-over", old).WantRedirect(page + "?done=take-over")
	}
	told := webtest.Text(w.get(vera, page).Page().Find(".timeline > li").First())
	if want := "taken over · " + emails[sam] + ", 05 Mar 2018, 09:30 UTC Reviewer: " + emails[lucia] + " " +
		emails[sam]; told != want {
		t.Errorf("got latest event %q", told)
	}
	trouble := webtest.Text(w.reply(lucia, page+"/reject",
		with(old, "rejection", "No.")).WantStatus(http.StatusConflict).Page().Find("#trouble"))
	if !strings.Contains(trouble, "This page has changed since you opened it") ||
		!strings.Contains(trouble, "taken over · "+emails[sam]) {
		t.Errorf("the first reviewer got the message %q", trouble)
	}
	if got := w.request(r.ID); got.State != request.InReview || got.Reviewer != emails[sam] ||
		got.Version != r.Version+2 { // taken and taken over
		t.Errorf("the request is %+v", got)
	}
}

func TestConcurrentTakeOversHaveOneWinner(t *testing.T) {
	w := newTestEnv(t)
	r := w.review(w.file(sampleDetails), request.InReview)
	page := "/console/requests/" + r.ID
	form, before := w.snapshot(page), len(w.timeline(r))
	people := []string{sam, lucia, ada}
	answers := make([]*webtest.Answer, len(people))
	var wg sync.WaitGroup
	for i, who := range people {
		wg.Go(func() { answers[i] = w.send(who, page+"/take-over", form) })
	}
	wg.Wait()
	now := w.request(r.ID)
	for i, who := range people {
		if now.Reviewer == emails[who] {
			answers[i].WantRedirect(page + "?done=take-over")
			continue
		}
		told := webtest.Text(answers[i].WantStatus(http.StatusConflict).Page().Find("#trouble"))
		if !strings.Contains(told, "taken over · "+now.Reviewer) {
			t.Errorf("%s got the message %q", who, told)
		}
	}
	if n := len(w.timeline(r)) - before; n != 1 {
		t.Errorf("got %d new events, want one", n)
	}
}

func TestStepTextsAreValidated(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page, before := "/console/requests/"+r.ID, w.timeline(r)
	for _, tt := range []struct{ path, field, typed, wrong string }{
		{"ask", "question", "", "Enter your question."},
		{"ask", "question", " \r\n ", "Enter your question."},
		{"reject", "rejection", strings.Repeat("x", maxText+1), "too long"},
		{"withdraw", "withdrawal", "a\x00b", "control characters"},
		{"note", "note", "\u202e\u200b", "Enter the note."},
	} {
		doc := w.send(sam, page+"/"+tt.path,
			with(w.snapshot(page), tt.field, tt.typed)).WantStatus(http.StatusUnprocessableEntity).Page()
		if got := webtest.Text(doc.Find("#" + tt.field + "-error")); !strings.Contains(got, tt.wrong) {
			t.Errorf("%s %q: %q", tt.path, tt.typed, got)
		}
		if doc.Find("details[open] #"+tt.field+"[aria-invalid=true]").Length() != 1 {
			t.Errorf("%s %q: the field is not marked", tt.path, tt.typed)
		}
	}
	for _, form := range []url.Values{{"note": {"x"}}, {"note": {"x"}, "version": {"-1"}, "seen": {"x"}},
		{"note": {"x"}, "version": {"1"}, "seen": {"<>"}}} {
		w.send(sam, page+"/note", form).WantStatus(http.StatusBadRequest)
	}
	w.send(sam, "/console/requests/none/note", w.filled(page)).WantStatus(http.StatusNotFound)
	if after := w.timeline(r); len(after) != len(before) {
		t.Errorf("got new events: %+v", after[len(before):])
	}
}

func TestRequestPageShowsSameServerAndCompany(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	sameServer, sameCompany, both := sampleDetails, sampleDetails, sampleDetails
	sameServer.Server, sameServer.Company = "0123ABCD-AWHW8w9JtzBzSrmf9GQX", "Renamed Ltd"
	sameCompany.Server = "AWHW8w9JtzBzSrmf9GQZ"
	both.Server = "89ABCDEF-AWHW8w9JtzBzSrmf9GQX"
	a, b, c := w.file(sameServer), w.file(sameCompany), w.file(both)
	l := w.record(sampleLicense("l1", license.Date{Year: 2018, Month: 8, Day: 31})).License
	of, err := w.store.Customer(t.Context(), l.Customer)
	if err != nil {
		t.Fatal(err)
	}
	customer := "/console/customers/" + string(of.Reference)
	doc := w.get(vera, "/console/requests/"+r.ID).WantStatus(200).Page()
	links := func(section string) (hrefs []string) {
		found := doc.Find("section[aria-labelledby=" + section + "]").Find("tbody a, dd a[href^='/']")
		found.Each(func(_ int, s *goquery.Selection) { hrefs = append(hrefs, s.AttrOr("href", "")) })
		slices.Sort(hrefs)
		return hrefs
	}
	want := []string{"/console/requests/" + a.ID, "/console/requests/" + c.ID}
	slices.Sort(want)
	if got := links("server-title"); !slices.Equal(got, want) {
		t.Errorf("of the server %q, want %q", got, want)
	}
	if got := links("company-title"); !slices.Equal(got, []string{"/console/requests/" + b.ID}) {
		t.Errorf("of the company %q", got)
	}
	// Who asks shows the customer and the instance, so they are not repeated.
	instance := customer + "/instances/" + l.Instance
	if got, want := links("asker-title"), []string{customer, instance, "/console/licenses/l1"}; !slices.Equal(got, want) {
		t.Errorf("got links of who asks %q, want %q", got, want)
	}
}

// hostile is text with a meaning in HTML, CSS, URLs, emails and spreadsheets.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)> {{.}} =1+1 javascript:alert(1) ' -- %s`

func TestHostileTextIsEscapedOnEveryPage(t *testing.T) {
	w := newTestEnv(t)
	d := sampleDetails
	d.Name, d.Company, d.Country, d.Phone, d.Message, d.ProductVersion = hostile, hostile, hostile, hostile,
		hostile+"\n"+hostile, hostile
	d.Email, d.Replaces, d.Contacts = `"<script>"@evil.example`, hostile, []string{hostile}
	d.Environment, d.OldServer = request.Environment(hostile), request.OldServer(hostile)
	r := w.file(d)
	page := "/console/requests/" + r.ID
	for _, path := range []string{"note", "ask"} {
		w.reply(sam, page+"/"+path, with(w.snapshot(page), "note", hostile, "question", hostile)).WantStatus(303)
	}
	l := sampleLicense("l1", license.Date{Year: 2018, Month: 3, Day: 31})
	l.Organization, l.Languages, l.Plugins, l.Features, l.Packages = hostile, []string{hostile}, []string{hostile},
		[]string{hostile}, []string{hostile}
	w.record(l, license.Contact{Name: hostile, Email: `"<script>"@evil.example`})
	w.send(sam, "/console/licenses/l1/revoke",
		with(w.snapshot("/console/licenses/l1"), "reason", hostile, "sure", "yes")).WantStatus(303)
	for _, path := range []string{"/console?show=waiting", page, "/console/licenses", "/console/licenses/l1",
		"/console/licenses/l1/revoke", "/console/overview", searchFor(hostile), searchFor("script alert")} {
		doc := w.get(sam, path).WantStatus(200).Page()
		if n := doc.Find(webtest.ForeignScript + ", img, [onerror], a[href^='javascript']").Length(); n > 0 {
			t.Errorf("%s: got %d active elements", path, n)
		}
		if !strings.Contains(webtest.Text(doc.Find("main"))+doc.Find("main input[name=q]").AttrOr("value", ""),
			"<script>alert(1)</script>") && path != "/console/overview" {
			t.Errorf("%s does not show the text", path)
		}
	}
	if strings.Contains(w.log.String(), "evil.example") {
		t.Errorf("the log contains an email address: %s", w.log)
	}
}

func TestTimelineShowsChangesInWords(t *testing.T) {
	w := newTestEnv(t)
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	w.send(sam, page+"/take", w.snapshot(page)).WantStatus(303)
	w.reply(sam, page+"/reject", with(w.snapshot(page), "rejection", "No\nbudget.")).WantStatus(303)
	var told []string
	w.get(vera, page).Page().Find(".timeline > li").Each(func(_ int,
		s *goquery.Selection) {
		told = append(told, webtest.Text(s))
	})
	want := []string{
		"rejected · " + emails[sam] + ", 05 Mar 2018, 09:30 UTC No budget. " +
			"Closed: 05 Mar 2018, 09:30 UTC Status: In review Rejected",
		"taken into review · " + emails[sam] + ", 05 Mar 2018, 09:30 UTC Reviewer: " + emails[sam] +
			" Status: Received In review",
		"confirmed by the requester · customer, 05 Mar 2018, 09:30 UTC Confirmed: 05 Mar 2018, 09:30 UTC " +
			"Unconfirmed: yes no",
		"request received · customer, 05 Mar 2018, 09:30 UTC",
	}
	if !slices.Equal(told, want) {
		t.Errorf("%s", strings.Join(told, "\n"))
	}
	for value, want := range map[string]string{`"x"`: "x", `12000`: "12'000", `true`: "yes", `["a","b"]`: "a, b",
		`[1]`: "1", ``: "", `"2018-03-05"`: "05 Mar 2018", `null`: "", `{"a":1}`: "", `[]`: "",
		`[{"name":"Jane Doe","email":"jane@customer.example"},{"email":"john@customer.example"}]`: "Jane Doe " +
			"jane@customer.example, john@customer.example"} {
		if got := strings.Join(texts(decode(value)), ", "); got != want {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
}
