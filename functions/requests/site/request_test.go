package site

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/web/webtest"
)

// fieldValue returns the value of a form field.
func fieldValue(doc *goquery.Document, name string) string {
	fields := doc.Find("form [name='" + name + "']")
	switch {
	case fields.Is("textarea"):
		return fields.Text()
	case fields.Is("select"):
		return fields.Find("option[selected]").AttrOr("value", "")
	case fields.Is("[type=radio]"):
		return fields.Filter("[checked]").AttrOr("value", "")
	}
	return fields.AttrOr("value", "")
}

func TestFormOffersEveryKind(t *testing.T) {
	doc := newTestEnv(t).get("/request/developer").WantStatus(200).Page()
	for _, k := range request.Kinds {
		if doc.Find("input[type=radio][name=kind][value='"+string(k)+"']").Length() != 1 {
			t.Errorf("got no option for %s", k)
		}
		if label, hint := kindTexts(k); hint == "" || len(label) > 20 {
			t.Errorf("%s: got label %q and hint %q, want a short label and a hint", k, label, hint)
		}
	}
}

func TestSentFormLeadsToTheRequest(t *testing.T) {
	env := newTestEnv(t)
	a := env.send("/request/developer", validForm()).WantStatus(http.StatusSeeOther)
	to := a.Header.Get("Location")
	id, _, _ := strings.Cut(strings.TrimPrefix(to, "/requests/"), "?")

	recorded, err := env.store.Request(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if d := recorded.Details; d.Kind != request.New || d.Loc != 120000 || d.Company != "Customer & Sons" ||
		d.Contacts[0] != "john@customer.example" {
		t.Errorf("got recorded %+v", d)
	}

	env.confirmed(recorded)
	status := env.get(to).WantStatus(200)
	page := webtest.Text(status.Page().Find("main"))
	for _, want := range []string{
		"License request R-", "We have your request", "Tuesday 06 Mar 2018, 09:30 UTC", "New license", "Developer Edition",
		"AWHW8w9JtzBzSrmf9GQX", "120'000", "6.7.1",
		"Jane Doe", "jane.doe@customer.example", "Customer & Sons", "Switzerland", "+41 22 555 01 23", "Please hurry.",
		"john@customer.example",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("got no %q on the status page", want)
		}
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "strict-origin", "X-Robots-Tag": "noindex",
	} {
		if got := status.Header.Get(name); got != want {
			t.Errorf("status page: got %s %q, want %q", name, got, want)
		}
	}
	if status.Page().Find("form:not(#cancel-request)").Length() != 0 {
		t.Error("got a form on the status page besides the one that wants a tick, which email scanners would send")
	}
}

func TestRequestIsToldToSalesOnceItIsConfirmed(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileUnconfirmed()
	if got := strings.Join(env.pendingMails(), " "); got != r.ID+"--received" {
		t.Fatalf("got emails %s, want one to the address", got)
	}
	m := env.letter(r.ID + "--received")
	if m.Kind != mail.RequestReceived || m.To.Email != "jane.doe@customer.example" || m.About != r.ID ||
		!strings.Contains(m.Text, siteURL+page+"&confirm="+r.Secret+"\n") {
		t.Errorf("email to the address: got %s to %s about %s\n%s", m.Kind, m.To.Email, m.About, m.Text)
	}
	env.confirmed(r)
	if got := strings.Join(env.pendingMails(), " "); got != r.ID+"--confirmed "+r.ID+"--received" {
		t.Fatalf("got emails %s, want one for us as well", got)
	}
	if m := env.toSales(r); m.Kind != mail.RequestNew || m.To.Email != "sales@vendor.example" ||
		strings.Contains(m.Text, "token=") {
		t.Errorf("email to sales: got %s to %s", m.Kind, m.To.Email)
	}
}

func TestFieldErrorsAreShownBesideTheField(t *testing.T) {
	env := newTestEnv(t)
	hostile := `"><script>alert(1)</script>`
	for _, tt := range []struct {
		name          string
		field, value  string
		message       string
		keepsIdentity bool
	}{
		{name: "server ID of 16 characters", field: "serverId", value: "AWHW8w9JtzBzSrmf", message: "16 characters"},
		{name: "negative lines", field: "ncloc", value: "-1", message: "whole number"},
		{name: "lines in letters", field: "ncloc", value: "abc", message: "whole number"},
		{name: "too many lines", field: "ncloc", value: "9223372036854775808", message: "too large"},
		{name: "old version", field: "productVersion", value: "5.6", message: "6.7"},
		{name: "line break in the name", field: "name", value: "Jane\r\nBcc: all@victims.example",
			message: "line breaks"},
		{name: "line break in the address", field: "email", value: "jane@customer.example\r\nBcc: all@victims.example",
			message: "one email address"},
		{name: "script in the server ID", field: "serverId", value: hostile, message: "not a server ID"},
		{name: "script in the lines", field: "ncloc", value: hostile, message: "whole number"},
		{name: "script in the version", field: "productVersion", value: hostile, message: "Enter a version such as"},
		{name: "script in the address", field: "email", value: hostile, message: "not an email address"},
		{name: "script in the phone number", field: "phone", value: hostile, message: "Enter a phone number"},
		{name: "script in the contacts", field: "contacts", value: hostile, message: "not an email address"},
		{name: "long name", field: "name", value: strings.Repeat("ä", 101), message: "at most 100 characters"},
		{name: "long message", field: "message", value: strings.Repeat("x", 4001), message: "at most 4000 characters"},
		{name: "missing company", field: "company", value: " ", message: "Enter your company"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := env.in(t).send("/request/developer",
				withValues(validForm(), tt.field, tt.value)).WantStatus(http.StatusUnprocessableEntity)
			doc := a.Page()
			field := doc.Find("[name='" + tt.field + "']")
			if field.AttrOr("aria-invalid", "") != "true" {
				t.Error("got no aria-invalid on the field")
			}
			said := ""
			for id := range strings.FieldsSeq(field.AttrOr("aria-describedby", "")) {
				if strings.HasSuffix(id, "-error") {
					said = webtest.Text(doc.Find("#" + id))
				}
			}
			if !strings.Contains(said, tt.message) {
				t.Errorf("beside the field: got %q, want %q", said, tt.message)
			}
			summary := doc.Find("#errors[autofocus][role=alert] a[href='#" + tt.field + "']")
			if !strings.Contains(webtest.Text(summary), tt.message) {
				t.Errorf("summary: got %q, want %q", webtest.Text(summary), tt.message)
			}
			normal := strings.NewReplacer("\r\n", "", "\n", "")
			if got := fieldValue(doc, tt.field); normal.Replace(got) != normal.Replace(tt.value) {
				t.Errorf("typed text: got %q, want %q", got, tt.value)
			}
			for name, values := range validForm() {
				if name != tt.field && fieldValue(doc, name) != values[0] {
					t.Errorf("%s: got %q, want %q", name, fieldValue(doc, name), values[0])
				}
			}
			if doc.Find(webtest.ForeignScript).Length() > 0 {
				t.Error("got a script")
			}
		})
	}
	if mails := env.pendingMails(); len(mails) > 0 {
		t.Errorf("got emails %v for refused requests, want none", mails)
	}
}

func TestMarkupInFieldsIsEscaped(t *testing.T) {
	env := newTestEnv(t)
	hostile := `"><script>alert('x')</script>{{.}}`
	form := withValues(validForm(), "name", hostile, "company", hostile, "message", hostile,
		"replaces", hostile[:30], "idempotencyKey", hostile)
	to := env.send("/request/developer", form).WantStatus(http.StatusSeeOther).Header.Get("Location")
	env.confirmed(env.request(requestIDOf(to)))
	status := env.get(to).WantStatus(200)
	if status.Page().Find(webtest.ForeignScript).Length() > 0 ||
		strings.Count(webtest.Text(status.Page().Find(".facts")), hostile) != 3 {
		t.Error("status page: got markup, want text")
	}
	for name := range form {
		form.Set(name, hostile)
	}
	if env.send("/request/developer", form).WantStatus(422).Page().Find(webtest.ForeignScript).Length() > 0 {
		t.Error("form: got markup, want text")
	}
}

func TestRepeatedFormMakesOneRequest(t *testing.T) {
	env := newTestEnv(t)
	first := env.send("/request/developer", validForm()).WantStatus(http.StatusSeeOther).Header.Get("Location")
	again := env.send("/request/developer", validForm()).WantStatus(http.StatusSeeOther).Header.Get("Location")
	if first != again {
		t.Errorf("second post: got redirect to %s, want %s", again, first)
	}

	second := env.send("/request/developer", withValues(validForm(), "ncloc", "500000")).WantStatus(http.StatusSeeOther)
	if second.Header.Get("Location") == first || strings.Contains(second.Body, first) {
		t.Error("other details with the token: got the first request, want a new one")
	}
	if got := len(env.pendingMails()); got != 2 {
		t.Errorf("got %d emails for two requests, want 2", got)
	}
}

func TestFormAndAPIDoNotShareIdempotencyKeys(t *testing.T) {
	env := newTestEnv(t)
	env.api(validJSON("idempotencyKey", "1")).WantStatus(http.StatusCreated)
	a := env.send("/request/developer",
		withValues(validForm(), "idempotencyKey", "1", "email", "stranger@other.example"))
	a.WantStatus(http.StatusSeeOther)
}

func TestEachFormHasItsOwnIdempotencyKey(t *testing.T) {
	env := newTestEnv(t)
	a := env.get("/request/developer").WantStatus(200)
	if cache := a.Header.Get("Cache-Control"); cache != "private, no-cache" {
		t.Errorf("got Cache-Control %q, want private, no-cache: the token is for this visitor, who may go back", cache)
	}
	first := fieldValue(a.Page(), "idempotencyKey")
	second := fieldValue(env.get("/request/developer").Page(), "idempotencyKey")
	if first == "" || first == second {
		t.Errorf("got tokens %q and %q, want two different ones", first, second)
	}
}

func TestConcurrentPostsMakeOneRequest(t *testing.T) {
	env := newTestEnv(t)
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		seen = make(map[string]int)
	)
	for range 200 {
		all.Go(func() {
			a := env.send("/request/developer", validForm())
			mu.Lock()
			defer mu.Unlock()
			seen[a.Status+" "+a.Header.Get("Location")]++
		})
	}
	all.Wait()
	if len(seen) != 1 || len(env.pendingMails()) != 1 {
		t.Errorf("got responses %v and emails %v, want one response and one email", seen, env.pendingMails())
	}
	for answer := range seen {
		if !strings.HasPrefix(answer, "303 See Other /requests/") {
			t.Errorf("got response %s, want a redirect to the request", answer)
		}
	}
}

func TestFilledHoneypotMakesAnUnconfirmedRequestWithoutMails(t *testing.T) {
	env := newTestEnv(t)
	form := withValues(validForm(), honeypot, "https://customer.example")
	to := env.send("/request/developer", form).WantStatus(http.StatusSeeOther).Header.Get("Location")
	if mails := env.pendingMails(); len(mails) != 0 {
		t.Errorf("got emails %v, want none", mails)
	}
	main := webtest.Text(env.get(to).WantStatus(200).Page().Find("main"))
	for _, want := range []string{"hidden field of the form", "have not emailed you yet", "sales@vendor.example"} {
		if !strings.Contains(main, want) {
			t.Errorf("status page: got %q, want %q in it", main, want)
		}
	}
	if strings.Contains(main, "We will email you") {
		t.Error("status page: got a promise, want none for an unconfirmed request")
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(to, "/requests/"), "?")
	r, err := env.store.Request(t.Context(), id)
	if err != nil || !r.Unconfirmed || !r.Summary().Unconfirmed || r.State != request.Received {
		t.Errorf("got request %+v, %v, want it unconfirmed and received", r, err)
	}
	if log := env.log.String(); !strings.Contains(log, id) || !strings.Contains(log, `"unconfirmed":true`) {
		t.Errorf("got log %s, want the unconfirmed request in it", log)
	}
	if again := env.send("/request/developer", form).Header.Get("Location"); again != to {
		t.Errorf("sent again: got %s, want %s", again, to)
	}
}

func TestFilledHoneypotOfAWrongFormIsAnErrorPage(t *testing.T) {
	form := withValues(validForm(), honeypot, "x", "email", "nobody")
	newTestEnv(t).send("/request/developer", form).WantStatus(http.StatusUnprocessableEntity)
}

// TestHoneypotIsNothingThatAutofillKnows reads the form as autofill does: the names of fields that browsers fill in,
// and the attributes that password managers respect.
func TestHoneypotIsNothingThatAutofillKnows(t *testing.T) {
	doc := newTestEnv(t).get("/request/developer").Page()
	field := doc.Find(
		".trap[aria-hidden=true] input[tabindex='-1'][autocomplete=off][aria-hidden=true][data-1p-ignore]" +
			"[data-lpignore=true][data-bwignore][data-form-type=other]",
	)
	if field.Length() != 1 || field.AttrOr("name", "") != honeypot {
		t.Fatal("got no honeypot with all attributes")
	}
	for _, known := range []string{"web", "url", "site", "name", "mail", "phone", "tel", "address", "company", "org", "city", "zip",
		"country", "user", "pass", "title", "fax", "comment"} {
		if strings.Contains(honeypot, known) {
			t.Errorf("the name %s contains %s, which autofill knows", honeypot, known)
		}
	}
	// A field that only an older copy of the form has loses nothing.
	env := newTestEnv(t)
	env.send("/request/developer", withValues(validForm(), "website", "https://customer.example"))
	if got := len(env.pendingMails()); got != 1 {
		t.Errorf("autofilled website: got %d emails, want 1", got)
	}
}

func TestUnreadableFormIsRefused(t *testing.T) {
	env := newTestEnv(t)
	const urlencoded = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, path, contentType, body string
		status                        int
	}{
		{"1 MB", "/request/developer", urlencoded, "message=" + strings.Repeat("x", 1<<20), 413},
		{"JSON", "/request/developer", "application/json", `{"kind":"new"}`, 415},
		{"multipart", "/request/developer", "multipart/form-data; boundary=x", "--x--", 415},
		{"no type", "/request/developer", "", "kind=new", 415},
		{"another charset", "/request/developer", urlencoded + "; charset=iso-8859-1", "name=J%FCrg", 415},
		{"bad percent encoding", "/request/developer", urlencoded, "name=%zz", 400},
		{"bytes that are not UTF-8", "/request/developer", urlencoded, "name=J%FCrg", 400},
		{"empty", "/request/developer", urlencoded, "", 422},
		{"unknown edition", "/request/professional", urlencoded, validForm().Encode(), 404},
		{"community", "/request/community", urlencoded, validForm().Encode(), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := env.in(t).do("POST", tt.path, tt.body, "Content-Type", tt.contentType).WantStatus(tt.status)
			if webtest.Text(a.Page().Find("h1")) == "" {
				t.Error("got no page")
			}
		})
	}
	if mails := env.pendingMails(); len(mails) > 0 {
		t.Errorf("got emails %v, want none", mails)
	}
}

func TestRepeatedFieldIsRefusedUnlessEqual(t *testing.T) {
	env := newTestEnv(t)
	form := validForm()
	form["name"] = []string{"Jane Doe", "John Doe"}
	doc := env.send("/request/developer", form).WantStatus(422).Page()
	if got := webtest.Text(doc.Find("#name-error")); !strings.Contains(got, "more than once") {
		t.Errorf("beside the name: got %q, want an error", got)
	}
	form["name"] = []string{"Jane Doe", "Jane Doe"}
	form["contacts"] = []string{"a@customer.example", "b@customer.example"}
	env.send("/request/developer", form).WantStatus(http.StatusSeeOther)
}

func TestFormForAnotherEditionIsRefused(t *testing.T) {
	env := newTestEnv(t)
	doc := env.send("/request/developer", withValues(validForm(), "edition", "enterprise")).WantStatus(422).Page()
	if got := webtest.Text(doc.Find(".notice.bad")); !strings.Contains(got, "Developer Edition") {
		t.Errorf("got %q, want the Developer Edition named", got)
	}
	form := validForm()
	form.Del("edition")
	env.send("/request/developer", form).WantStatus(http.StatusSeeOther)
}

func TestFormFromAnotherSiteIsRefused(t *testing.T) {
	env := newTestEnv(t)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"},
		{"Origin", "null"}} {
		header = append(header, "Content-Type", "application/x-www-form-urlencoded")
		env.do("POST", "/request/developer", validForm().Encode(), header...).WantStatus(http.StatusForbidden)
	}
	env.do("POST", "/request/developer", validForm().Encode(), "Origin", siteURL, "Content-Type",
		"application/x-www-form-urlencoded").
		WantStatus(http.StatusSeeOther)
}

func TestWrongTokenLooksLikeUnknownRequest(t *testing.T) {
	env := newTestEnv(t)
	to := env.send("/request/developer", validForm()).Header.Get("Location")
	path, _, _ := strings.Cut(to, "?")
	unknown := env.get("/requests/01c7tqy3e00000000000000000?token=x").WantStatus(404)
	for _, target := range []string{path, path + "?token=", path + "?token=wrong", to + "x",
		path + "?token=" + strings.Repeat("A", 26)} {
		a := env.get(target).WantStatus(404)
		if webtest.Text(a.Page().Find("main")) != webtest.Text(unknown.Page().Find("main")) {
			t.Errorf("%s: got another page than for an unknown request", target)
		}
	}
	if a := env.get(strings.ToUpper(path) + "?" + to[len(path)+1:]); a.StatusCode != 404 {
		t.Errorf("path in capitals: got status %d, want 404", a.StatusCode)
	}
}

func TestEveryStateHasAText(t *testing.T) {
	titles := make(map[string]bool)
	for _, s := range []request.State{request.Received, request.InReview, request.Waiting, request.Issued,
		request.Rejected, request.Withdrawn} {
		p := progressOf(request.Request{State: s}, nil)
		if p.Text == "" || p.Step < 1 || p.Step > 3 || titles[p.Title] {
			t.Errorf("%s: got incomplete text %+v", s, p)
		}
		titles[p.Title] = true
	}
}

func TestPrivateLinkOpensAsPeoplePassItOn(t *testing.T) {
	env := newTestEnv(t)
	to := env.send("/request/developer", validForm()).WantStatus(http.StatusSeeOther).Header.Get("Location")
	path, token, _ := strings.Cut(to, "?token=")
	for _, said := range []string{
		token, strings.ToLower(token), token + ".", token + ")", token + ">", token + "=3D", token + "%3D", "3D" + token,
		"=3D" + token, strings.ToLower(token) + ">.", token[:10] + "%3D" + token[10:], token[:10] + "=%0D%0A" + token[10:],
		"%3D" + token + "%20",
	} {
		env.get(path + "?token=" + said).WantStatus(200)
	}
	env.get(strings.ToLower(to)).WantStatus(200)
	other := "3D"
	if strings.HasPrefix(token, other) {
		other = "4D"
	}
	for _, wrong := range []string{token[1:], token + "A", token[:25], other + token[2:]} {
		env.get(path + "?token=" + wrong).WantStatus(404)
	}
	id := strings.TrimPrefix(path, "/requests/")
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER  "} {
		a := env.get("/api/license-requests/"+id, "Authorization", scheme+strings.ToLower(token)).WantStatus(200)
		if jsonObject(a)["email"] != "jane.doe@customer.example" {
			t.Errorf("%s: got no email address, want everything", scheme)
		}
	}
}

func TestFormAsksForLinesOfCodeToLicense(t *testing.T) {
	env := newTestEnv(t)
	for counted, want := range map[string]string{"": "", "0": "100000", "100000": "100000", "100001": "250000",
		"99999999999": ""} {
		doc := env.get("/request/developer?ncloc=" + counted).Page()
		if got := fieldValue(doc, "wantedLoc"); got != want {
			t.Errorf("%q lines counted: got %q selected, want %q", counted, got, want)
		}
	}
	form := withValues(validForm(), "wantedLoc", "500000")
	to := env.send("/request/developer", form).WantStatus(http.StatusSeeOther).Header.Get("Location")
	id, token, _ := strings.Cut(strings.TrimPrefix(to, "/requests/"), "?token=")
	r := env.confirmed(env.request(id))
	if main := webtest.Text(env.get(to).Page().Find("main")); !strings.Contains(main, "500'000") {
		t.Errorf("status page: got %q, want 500'000 in it", main)
	}
	if m := env.toSales(r); !strings.Contains(m.Text, "500'000") {
		t.Errorf("email to sales: got %q, want 500'000 in it", m.Text)
	}
	if got := jsonObject(env.get("/api/license-requests/" + id + "?token=" + token))["wantedLoc"]; got != 500000.0 {
		t.Errorf("API: got wantedLoc %v, want 500000", got)
	}
	env.api(validJSON("wantedLoc", 500000)).WantStatus(http.StatusCreated)
	fields := problemFields(env.api(validJSON("wantedLoc", 7)).WantStatus(422))
	if !strings.Contains(fields["wantedLoc"], "120'000") {
		t.Errorf("fewer lines than counted: got %v", fields)
	}
}

func TestReplacementSaysWhatBecameOfTheOldServer(t *testing.T) {
	env := newTestEnv(t)
	form := withValues(validForm(), "kind", "replacement", "replaces", "AWHW8w9JtzBzSrmf9GQY")
	doc := env.send("/request/developer", form).WantStatus(422).Page()
	for _, field := range []string{"environment", "oldServer"} {
		if webtest.Text(doc.Find("#"+field+"-error")) == "" {
			t.Errorf("%s: got no error beside the field", field)
		}
	}
	if got := webtest.Text(doc.Find("#oldServer-error")); strings.Contains(got, "stopped") {
		t.Errorf("got error %q, want no values of the API, for which the form has other labels", got)
	}
	fields := problemFields(
		env.api(validJSON("kind", "replacement", "replaces", "AWHW8w9JtzBzSrmf9GQY")).WantStatus(422),
	)
	if fields["environment"] == "" || !strings.Contains(fields["oldServer"], "stopped, running, lost") {
		t.Errorf("API: got %v, want environment refused, and oldServer with its values", fields)
	}
	form = withValues(form, "environment", "production", "oldServer", "same")
	to := env.send("/request/developer", form).WantStatus(http.StatusSeeOther).Header.Get("Location")
	env.confirmed(env.request(requestIDOf(to)))
	main := webtest.Text(env.get(to).Page().Find("main"))
	if !strings.Contains(main, "the same server; the key is lost") {
		t.Errorf("status page: got %q", main)
	}
}

func TestCountryIsSelectedByNameOrCode(t *testing.T) {
	env := newTestEnv(t)
	doc := env.get("/request/developer").Page()
	if n := doc.Find("select[name=country] option").Length(); n < 250 {
		t.Errorf("got %d countries, want all", n)
	}
	for typed, want := range map[string]string{"CH": "Switzerland", "Suisse": "Switzerland", "Switzerland": "Switzerland"} {
		bad := withValues(validForm(), "country", typed, "email", "x")
		if got := fieldValue(env.send("/request/developer", bad).Page(), "country"); got != want {
			t.Errorf("%s: got %q selected, want %q", typed, got, want)
		}
		a := env.api(validJSON("country", typed)).WantStatus(http.StatusCreated)
		id := jsonObject(a)["id"].(string)
		if r, err := env.store.Request(t.Context(), id); err != nil || r.Country != want {
			t.Errorf("API, %s: got %q, %v, want %q", typed, r.Country, err, want)
		}
	}
}

func TestRequiredFieldMustShowSomething(t *testing.T) {
	env := newTestEnv(t)
	for _, field := range []string{"name", "company", "email", "country", "serverId", "ncloc", "productVersion"} {
		for _, blank := range []string{"\u200b", "\u3164", "\u00ad \u2060", "\u2800", "\U000e0041"} {
			doc := env.send("/request/developer", withValues(validForm(), field, blank)).WantStatus(422).Page()
			if webtest.Text(doc.Find("#"+field+"-error")) == "" {
				t.Errorf("form: %s of %+q is accepted", field, blank)
			}
			if fields := problemFields(env.api(validJSON(field, blank)).WantStatus(422)); fields[field] == "" {
				t.Errorf("API: %s of %+q is accepted", field, blank)
			}
		}
	}
}
